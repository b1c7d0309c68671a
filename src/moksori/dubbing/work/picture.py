"""The picture of a converted line: take and result as spectrograms to 20 kHz, and the alignment under them.

One time axis, that of the speech, so that a word of the report lies at the same place in all three.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from moksori.config import Decibels, Hertz
from moksori.dubbing.work.long_lines import Part
from moksori.signal.audio import Recording, downmix
from moksori.writing import atomic_path

_TOP: Hertz = 20000.0
_ROWS = 80  # of a spectrogram, 250 Hz each
_RANGE: Decibels = 75.0  # from black to white
_WINDOW = 0.02  # seconds of an STFT
_SHADES = 128  # of each of the two scales
# matplotlib's magma and viridis at nine places; the shades between them lie on straight lines.
_MAGMA = "000004 1d1147 51127c 832681 b73779 e75263 fc8961 fec287 fcfdbf"
_VIRIDIS = "440154 472d7b 3b528b 2c728e 21918c 28ae80 5ec962 addc30 fde725"


def draw_line(
    path: Path, parts: Sequence[Part], recording: Recording, converted: np.ndarray
) -> None:
    """Write the picture as a PNG.

    Args:
        path: of the file.
        parts: how the line is aligned.
        recording: the take.
        converted: [n, channels] the result, in time with it.
    """
    first, frame = parts[0].alignment.begin, parts[0].alignment.frame
    posterior = _alignment(parts)
    times = first + (np.arange(posterior.shape[1]) + 0.5) * frame
    both = [
        spectrogram(wave, recording.sample_rate, times)
        for wave in (recording.mono, downmix(converted))
    ]
    loudest = max(float(one.max()) for one in both)
    tall = np.repeat(posterior, -(-_ROWS // len(posterior)), axis=0)
    rows = [*(_shades(1 + (one - loudest) / _RANGE) for one in both), _SHADES + _shades(tall)]
    picture = Image.fromarray(np.concatenate([row[::-1] for row in rows]))
    picture.putpalette(palette().tobytes())
    with atomic_path(path) as temporary:
        picture.save(temporary, format="png", compress_level=6)


def spectrogram(wave: np.ndarray, sample_rate: int, times: np.ndarray) -> np.ndarray:
    """Level in dB of a wave [n] about each of `times` [T] seconds, [_ROWS, T] from 0 to 20 kHz.

    What its rate cannot hold is as quiet as digital silence.
    """
    size = round(_WINDOW * sample_rate)
    padded = np.pad(wave.astype(np.float32), (size // 2, size))
    starts = np.clip(np.round(times * sample_rate).astype(int), 0, max(0, len(wave) - 1))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[starts]
    frames *= np.hanning(size).astype(np.float32)
    spectra = torch.fft.rfft(torch.from_numpy(frames)).numpy()  # seven times as fast as NumPy's
    power = (spectra.real**2 + spectra.imag**2) / size
    hertz = np.fft.rfftfreq(size, 1 / sample_rate)
    row = np.minimum(hertz * _ROWS / _TOP, _ROWS).astype(int)
    of_row = np.equal.outer(row, np.arange(_ROWS))
    weights = (of_row / np.maximum(of_row.sum(0), 1)).astype(np.float32)
    decibels: np.ndarray = 10 * np.log10(1e-20 + (power @ weights).T.astype(np.float64))
    return decibels


def _alignment(parts: Sequence[Part]) -> np.ndarray:
    """The parts' framewise posteriors, each at its time and above the one before, [phones, T]."""
    first, frame = parts[0].alignment.begin, parts[0].alignment.frame
    starts = [round((part.alignment.begin - first) / frame) for part in parts]
    height = sum(len(part.alignment.phones) for part in parts)
    picture = np.zeros((height, starts[-1] + len(parts[-1].alignment.posterior)))
    low = 0
    for start, (alignment, _, _) in zip(starts, parts, strict=True):
        frames, phones = alignment.posterior.shape
        picture[low : low + phones, start : start + frames] = alignment.posterior.T
        low += phones
    return picture


def _shades(picture: np.ndarray) -> np.ndarray:
    """[rows, columns] from 0 to 1 as numbers of shades."""
    numbers: np.ndarray = (np.clip(picture, 0, 1) * (_SHADES - 1) + 0.5).astype(np.uint8)
    return numbers


def palette() -> np.ndarray:
    """Red, green and blue of the shades of both scales, [2 * _SHADES, 3] bytes."""
    place = np.linspace(0, 1, _SHADES)
    scales = []
    for scale in (_MAGMA, _VIRIDIS):
        anchors = np.array([[*bytes.fromhex(colour)] for colour in scale.split()])
        at = np.linspace(0, 1, len(anchors))
        scales.append(np.stack([np.interp(place, at, channel) for channel in anchors.T], 1))
    whole: np.ndarray = np.rint(np.concatenate(scales)).astype(np.uint8)
    return whole
