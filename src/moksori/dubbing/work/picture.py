"""The picture of a converted line: take and result as spectrograms to 20 kHz, and the alignment under them.

One time axis, that of the speech, so that a word of the report lies at the same place in all three.
"""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.image import imsave

from moksori.config import Decibels, Hertz
from moksori.dubbing.work.long_lines import Part
from moksori.files import atomic_path
from moksori.signal.audio import Recording

_TOP: Hertz = 20000.0
_ROWS = 80  # of a spectrogram, 250 Hz each
_RANGE: Decibels = 75.0  # from black to white
_WINDOW = 0.02  # seconds of an STFT


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
        for wave in (recording.mono, converted.mean(1))
    ]
    loudest = max(float(one.max()) for one in both)
    tall = np.repeat(posterior, -(-_ROWS // len(posterior)), axis=0)
    shown = [_coloured(1 + (one - loudest) / _RANGE, "magma") for one in both]
    rows = [*shown, _coloured(tall, "viridis")]
    with atomic_path(path) as temporary:
        imsave(
            temporary, np.concatenate([row[::-1] for row in rows]), format="png",
            metadata={"Software": ""},
        )  # fmt: skip


def spectrogram(wave: np.ndarray, sample_rate: int, times: np.ndarray) -> np.ndarray:
    """Level in dB of a wave [n] about each of `times` [T] seconds, [_ROWS, T] from 0 to 20 kHz.

    What its rate cannot hold is as quiet as digital silence.
    """
    size = round(_WINDOW * sample_rate)
    padded = np.pad(wave.astype(np.float32), (size // 2, size))
    starts = np.clip(np.round(times * sample_rate).astype(int), 0, max(0, len(wave) - 1))
    frames = padded[starts[:, None] + np.arange(size)] * np.hanning(size).astype(np.float32)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2 / size
    hertz = np.fft.rfftfreq(size, 1 / sample_rate)
    row = np.minimum(hertz * _ROWS / _TOP, _ROWS).astype(int)
    levels = np.full((_ROWS, len(times)), 1e-20)
    for number in range(_ROWS):
        if (row == number).any():
            levels[number] += power[:, row == number].mean(1)
    decibels: np.ndarray = 10 * np.log10(levels)
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


def _coloured(picture: np.ndarray, name: str) -> np.ndarray:
    """[rows, columns] from 0 to 1 as bytes of RGB."""
    coloured: np.ndarray = matplotlib.colormaps[name](np.clip(picture, 0, 1), bytes=True)[..., :3]
    return coloured
