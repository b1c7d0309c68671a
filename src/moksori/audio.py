"""Reading, writing, resampling and levelling recordings. Waves are float32 in [-1, 1]."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyloudnorm
import soundfile
import soxr

from moksori.config import Decibels, Hertz, Seconds
from moksori.errors import AudioError, OutputError

SILENCE: Decibels = -60.0  # a recording whose loudest sample is below this has nothing to convert
_WHOLE_SCALE_PEAK = 0.999


@dataclass(frozen=True)
class Recording:
    """A recording as it lies on the disk: `samples` [n, channels], and how to write its like."""

    samples: np.ndarray
    rate: int
    subtype: str  # soundfile's name of the sample format, e.g. PCM_24

    @property
    def mono(self) -> np.ndarray:
        """The mean of the channels, [n]."""
        return self.samples.mean(axis=1)

    @property
    def seconds(self) -> Seconds:
        return len(self.samples) / self.rate


def read(path: Path, max_seconds: Seconds | None = None) -> Recording:
    """Read any file that libsndfile knows: WAV, FLAC, AIFF, OGG, MP3, of any rate and width.

    Raises:
        AudioError: missing, empty, truncated, not audio, silent, longer than `max_seconds`, or with
            samples that are not numbers.
    """
    if not path.is_file():
        raise AudioError(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise AudioError(f"{path}: the file is empty")
    try:
        with soundfile.SoundFile(path) as file:
            if max_seconds is not None and file.frames > max_seconds * file.samplerate:
                length = file.frames / file.samplerate
                raise AudioError(
                    f"{path}: {length:.1f} s is longer than the limit of {max_seconds:g} s; "
                    "cut it into lines, or raise --max-seconds"
                )
            declared = file.frames
            samples = file.read(dtype="float32", always_2d=True)
            rate, subtype = file.samplerate, file.subtype
    except soundfile.LibsndfileError as error:
        raise AudioError(f"{path}: not a readable audio file ({error.error_string})") from None
    if len(samples) < declared or _is_cut_wav(path):
        raise AudioError(f"{path}: the file is truncated; export it again")
    if len(samples) == 0:
        raise AudioError(f"{path}: the file holds no samples")
    if not np.isfinite(samples).all():
        raise AudioError(f"{path}: some samples are not numbers; export it again")
    if decibels(np.abs(samples).max()) < SILENCE:
        raise AudioError(f"{path}: the recording is silent (peak below {SILENCE:g} dBFS)")
    return Recording(samples, rate, subtype)


def _is_cut_wav(path: Path) -> bool:
    """Whether a RIFF file is shorter than its header says; libsndfile reads those without a word."""
    with path.open("rb") as file:
        header = file.read(12)
    if header[:4] != b"RIFF" or header[8:] != b"WAVE":
        return False
    declared = int.from_bytes(header[4:8], "little")
    streamed = declared in (0, 0xFFFFFFFF, 0x7FFFFFFF)  # written by a program that could not seek
    return not streamed and path.stat().st_size < declared + 8 - 1  # the last pad byte may miss


def write(path: Path, samples: np.ndarray, rate: int, subtype: str = "PCM_16") -> None:
    """Write `samples` [n] or [n, channels] whole or not at all; the suffix chooses the format.

    Raises:
        OutputError: the folder is missing or not writable, or the format is not known.
    """
    if not path.parent.is_dir():
        raise OutputError(f"{path.parent}: no such folder; make it first")
    known = soundfile.available_formats()
    form = path.suffix[1:].upper()
    if form not in known:
        raise OutputError(f"{path}: unknown audio format “{path.suffix}”; use .wav or .flac")
    if not soundfile.check_format(form, subtype):
        subtype = soundfile.default_subtype(form)
    try:
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix
        )
    except OSError as error:
        raise OutputError(f"{path.parent}: cannot write there ({error.strerror})") from None
    temporary = Path(name)
    try:
        os.close(handle)
        soundfile.write(temporary, samples, rate, subtype=subtype, format=form)
        temporary.chmod(0o644)
        temporary.replace(path)
    except (OSError, soundfile.LibsndfileError) as error:
        raise OutputError(f"{path}: cannot write it ({error})") from None
    finally:
        temporary.unlink(missing_ok=True)


def resample(wave: np.ndarray, source: Hertz, target: Hertz) -> np.ndarray:
    """Resample `wave` [n] from `source` to `target` Hz, by soxr's very high quality."""
    return wave if source == target else soxr.resample(wave, source, target, quality="VHQ")


def decibels(amplitude: float) -> Decibels:
    """Amplitude in dB of full scale; digital silence is -200."""
    return 20 * float(np.log10(max(amplitude, 1e-10)))


def loudness(wave: np.ndarray, rate: int) -> Decibels:
    """Integrated loudness (ITU-R BS.1770-4) of `wave` [n] in LUFS; -inf when all of it is gated.

    A wave shorter than the standard's block of 400 ms is measured as one block.
    """
    block = min(0.4, len(wave) / rate * 0.999)
    with np.errstate(divide="ignore"):
        return float(pyloudnorm.Meter(rate, block_size=block).integrated_loudness(wave))


def gain_to(wave: np.ndarray, rate: int, target: Decibels) -> float:
    """The factor that brings `wave` to `target` LUFS; 1 when it is too quiet to measure."""
    measured = loudness(wave, rate)
    return 10 ** ((target - measured) / 20) if np.isfinite(measured) else 1.0


def fit_peak(wave: np.ndarray) -> tuple[np.ndarray, Decibels]:
    """Lower `wave` so that it fits full scale; also the dB it was lowered by (0 if it fitted)."""
    peak = float(np.abs(wave).max(initial=0.0))
    if peak <= _WHOLE_SCALE_PEAK:
        return wave, 0.0
    return wave * (_WHOLE_SCALE_PEAK / peak), decibels(peak / _WHOLE_SCALE_PEAK)


def speech_bounds(
    wave: np.ndarray, rate: int, below_peak: Decibels = 45.0, margin: Seconds = 0.08
) -> tuple[int, int]:
    """Where speech begins and ends, in samples, with `margin` on both sides.

    A frame of 23 ms counts as speech when its level is within `below_peak` of the loudest frame.
    """
    hop = max(1, round(0.0116 * rate))
    padded = np.pad(wave, (hop, hop + (-len(wave)) % hop))
    power = (padded.reshape(-1, hop) ** 2).mean(axis=1)
    level = 10 * np.log10(np.maximum((power[:-1] + power[1:]) / 2, 1e-12))
    active = np.flatnonzero(level > level.max() - below_peak)
    start = (int(active[0]) - 1) * hop - round(margin * rate)
    end = (int(active[-1]) + 1) * hop + round(margin * rate)
    return max(0, start), min(len(wave), end)
