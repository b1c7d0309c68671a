"""Reading, writing and resampling recordings. Waves are float32 in [-1, 1]."""

import math
import warnings
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile
import soxr

from moksori.config import Decibels, Hertz, Seconds
from moksori.errors import AudioError, OutputError
from moksori.messages import Message, message
from moksori.signal.decoders import MOST_CHANNELS, SAMPLE_RATES, UNCOUNTED, opened
from moksori.signal.levels import decibels
from moksori.writing import atomic_write

SILENCE: Decibels = -60.0  # a recording whose loudest sample is below this has nothing to convert
_OFFSET = 1e-3  # of the peak
_LARGEST = 1000.0  # of full scale; what is above is no sound in floating point
_MOST_VALUES = 2**27  # samples of all channels held at once: half a gigabyte
# Formats that keep every sample; others pad or lose some, and are not written.
# So are those of 8 bits: a conversion would not survive their noise, and 16 bits hold all their values.
_LOSSLESS = ("PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")
_STEPS = {"PCM_S8": 2.0**-7, "PCM_U8": 2.0**-7, "PCM_16": 2.0**-15, "PCM_24": 2.0**-23}
# -60 dBFS of 16 bits; 8 bits are there at -12. Figures by level are in docs/dubbing.md.
_FEW_STEPS = 32
_NO_STEPS = 4  # below, 8 bits hold no words any more
_STEP_NOISE = 0.75  # of a step: two values in turn give 0.5, dither up to 0.7


_PAGE_RATES = (24000, 22050, 16000, 12000, 11025, 8000)  # Hz; what speech is judged by
_PAGE_BITS = 11  # of the peak: noise 77 dB below it


class RecordingWarning(UserWarning):
    """Something about a recording's file that did not keep it from being read; `notice` says what."""

    def __init__(self, path: Path, why: Message) -> None:
        self.notice = message("file.invalid", file=path, why=why)
        super().__init__(self.notice.say("en"))


@dataclass(frozen=True)
class Recording:
    """A recording as it lies on the disk, or as a program holds it, and how to write its like."""

    samples: np.ndarray  # [n, channels] in floating point, where 1 is full scale
    sample_rate: int  # Hz
    subtype: str  # soundfile's name of the sample format, e.g. PCM_24

    @property
    def mono(self) -> np.ndarray:
        """The mean of the channels, [n]."""
        return downmix(self.samples)

    @property
    def seconds(self) -> Seconds:
        return len(self.samples) / self.sample_rate

    @property
    def noise(self) -> float:
        """RMS that the steps of the sample format make of silence, at most; of 8 bits it is heard."""
        return _STEP_NOISE * _STEPS.get(self.subtype, 0.0)

    @property
    def steps(self) -> float:
        """How many of the format's steps its loudest sample is from silence; infinite in floating point."""
        return _steps(without_offset(self))

    @property
    def coarse(self) -> Message | None:
        """What is to be said of a recording that is so quiet that its format's steps are heard in it."""
        if self.steps >= _FEW_STEPS:
            return None
        return message("audio.few_steps", steps=round(self.steps), bits=_bits(self.subtype))


def read(
    path: Path,
    max_seconds: Seconds | None = None,
    part: tuple[int, int] | None = None,
    *,
    channel: int | None = None,
    warn: bool = True,
) -> Recording:
    """Read a recording of any of `decoders.SUFFIXES`, of any rate and width, for conversion and measuring.

    What is wrong with its header though all is there, or with its few steps, is a `RecordingWarning`.

    Args:
        path: of the file.
        max_seconds: refuse more than this.
        part: first sample and number of samples; only they are read, and held in memory.
        channel: the only one that is taken, counted from 0; all by default.
        warn: whether a `RecordingWarning` is given.

    Returns:
        The recording, its constant offset removed (`without_offset`).

    Raises:
        AudioError: missing, empty, truncated, not audio, silent, longer than `max_seconds`, more than memory
            should hold, or with samples that are not numbers or beyond all sense; a part or a channel that
            the file does not have.
    """
    recording = decode(path, max_seconds, part, channel=channel, warn=warn)
    check(recording, max_seconds, str(path))
    if warn and (coarse := recording.coarse):
        warnings.warn(RecordingWarning(path, coarse), stacklevel=2)
    return without_offset(recording)


def decode(
    path: Path,
    max_seconds: Seconds | None = None,
    part: tuple[int, int] | None = None,
    dtype: Literal["float32", "float64"] = "float32",
    *,
    channel: int | None = None,
    warn: bool = True,
) -> Recording:
    """A recording exactly as it is; arguments and errors as `read`, whatever its samples are.

    Raises:
        AudioError: as `read`.
    """
    with opened(path) as (file, layout, subtype):
        if layout.warning and warn:
            warnings.warn(RecordingWarning(path, layout.warning), stacklevel=3)
        if channel is not None and channel >= file.channels:
            raise AudioError.of(
                "audio.no_channel", file=path, channel=channel + 1, channels=file.channels
            )
        counted = file.frames < UNCOUNTED
        begin, wanted = part or (0, file.frames)
        most = _MOST_VALUES // file.channels
        if counted and max_seconds is not None:
            _check_length(str(path), wanted / file.samplerate, max_seconds)
        if not counted and not part:
            limit = most if max_seconds is None else int(max_seconds * file.samplerate)
            wanted = min(limit, most) + 1
        elif wanted > most:
            raise AudioError.of(
                "audio.too_large", file=path, channels=file.channels, sample_rate=file.samplerate,
                size=wanted * file.channels * 4 / 2**30,
            )  # fmt: skip
        if begin:
            file.seek(begin)
        samples = file.read(wanted, dtype=dtype, always_2d=True)
        sample_rate = file.samplerate
    if ((counted or part) and len(samples) < wanted) or layout.cut:
        raise AudioError.of("audio.truncated", file=path)
    if channel is not None:
        samples = np.ascontiguousarray(samples[:, [channel]])
    return Recording(samples, sample_rate, subtype)


def downmix(samples: np.ndarray) -> np.ndarray:
    """The mean of the channels of `samples` [n, channels], [n]."""
    if samples.shape[1] == 1:  # NumPy takes ten times as long for means of one number
        return samples[:, 0].copy()
    mean: np.ndarray = samples.mean(axis=1)
    return mean


def without_offset(recording: Recording) -> Recording:
    """A recording whose constant offset is gone, if it has one; of each channel, its mean.

    Converters and some microphones leave one. It is heard by nobody, but fills pauses with energy. Below
    -60 dB of the peak it is left alone, so that a part of a recording without one stays as it is.
    """
    offset = recording.samples.mean(axis=0, dtype=np.float64)
    centred = recording.samples - offset.astype(recording.samples.dtype)
    if (np.abs(offset) <= _OFFSET * np.abs(centred).max(axis=0)).all():
        return recording
    return replace(recording, samples=centred)


def check(
    recording: Recording,
    max_seconds: Seconds | None = None,
    name: str | Message = message("audio.recording"),
) -> None:
    """See that there is something to convert.

    Raises:
        AudioError: no samples, too many, some that are not numbers or beyond all sense, or silence; an array
            of another kind or shape, or a sample rate that no recording has.
    """
    _check_array(recording, name)
    if len(recording.samples) == 0:
        raise AudioError.of("audio.no_samples", name=name)
    if max_seconds is not None:
        _check_length(name, recording.seconds, max_seconds)
    if not np.isfinite(recording.samples).all():
        raise AudioError.of("audio.not_finite", name=name)
    if (peak := float(np.abs(recording.samples).max())) > _LARGEST:
        raise AudioError.of("audio.too_loud", name=name, peak=peak)
    centred = without_offset(recording)
    if decibels(np.abs(centred.mono).max()) < SILENCE:
        antiphase = decibels(np.abs(centred.samples).max()) >= SILENCE
        why = message("audio.antiphase") if antiphase else message("audio.below", limit=SILENCE)
        raise AudioError.of("audio.silent", name=name, why=why)
    if (steps := _steps(centred)) < _NO_STEPS:
        few = message("audio.no_steps", steps=round(steps), bits=_bits(recording.subtype))
        raise AudioError.of("audio.silent", name=name, why=few)


def _check_array(recording: Recording, name: str | Message) -> None:
    """See that whoever made a recording from an array of his own took one of the right kind and shape."""
    given, rate, (low, high) = recording.samples, recording.sample_rate, SAMPLE_RATES
    samples = np.asarray(given)
    wave = samples is given and samples.ndim == 2 and np.issubdtype(samples.dtype, np.floating)
    timed = isinstance(rate, int | np.integer) and low <= rate <= high
    if not (wave and 0 < samples.shape[1] <= MOST_CHANNELS and timed):
        got = f"{samples.dtype} {[*samples.shape]}, {rate} Hz"
        raise AudioError.of("audio.no_wave", name=name, got=got, low=low, high=high)


def _steps(centred: Recording) -> float:
    step = _STEPS.get(centred.subtype)
    return float(np.abs(centred.samples).max()) / step if step else np.inf


def _bits(subtype: str) -> int:
    return 1 - round(math.log2(_STEPS[subtype]))


def _check_length(name: str | Message, length: Seconds, limit: Seconds) -> None:
    if length > limit:
        raise AudioError.of("audio.too_long", name=name, length=length, limit=limit)


def write(path: Path, samples: np.ndarray, sample_rate: int, subtype: str = "PCM_16") -> str:
    """Write `samples` [n] or [n, channels] whole or not at all; the suffix chooses the format.

    Returns:
        The sample format written: `subtype`, or where the file cannot hold it, or it would not keep
        every sample, or has 8 bits, PCM_24 for floating point and PCM_16 for the others.

    Raises:
        OutputError: the folder is missing or not writable, or the format is not known or keeps no sample.
    """
    form = path.suffix[1:].upper()
    if subtype not in _LOSSLESS or not soundfile.check_format(form, subtype):
        subtype = "PCM_24" if subtype in ("FLOAT", "DOUBLE") else "PCM_16"
    if not soundfile.check_format(
        form, subtype
    ):  # no format at all, or one that loses samples: .mp3
        raise OutputError.of("output.ending", path=path, kinds=".wav, .flac")
    content = BytesIO()  # libsndfile does not tell a full disk from other trouble
    try:
        soundfile.write(content, samples, sample_rate, subtype=subtype, format=form)
    except soundfile.LibsndfileError as error:
        raise OutputError.of("output.failed", path=path, why=error) from None
    atomic_write(path, _without_time(content.getvalue()))
    return subtype


def _without_time(content: bytes) -> bytes:
    """A file whose chunk of peaks, which floating point has, does not say when it was written."""
    at = content.find(b"PEAK", 0, 256)
    return content if at < 0 else content[: at + 12] + bytes(4) + content[at + 16 :]


def for_page(wave: np.ndarray, sample_rate: int) -> bytes:
    """A wave [n] as every browser plays it: FLAC of about 100 kbit/s of speech.

    It takes a fifteenth of the time that MP3 does, which was a tenth of a dubbing job. It is so small since
    FLAC leaves out the lower bits of samples where all of them are zero. What is not a number is silent.
    """
    lower = next((known for known in _PAGE_RATES if known <= sample_rate), _PAGE_RATES[-1])
    wave = np.nan_to_num(wave.astype(np.float32), nan=0, posinf=0, neginf=0)
    wave = np.clip(resample(wave, sample_rate, lower), -1, 1) * (2**15 - 1)
    _, bits = np.frexp(np.abs(wave).max(initial=0.0))
    step = 2 ** max(0, int(bits) - _PAGE_BITS)
    samples = (np.rint(wave / step) * step).clip(-(2**15), 2**15 - step).astype(np.int16)
    content = BytesIO()
    soundfile.write(content, samples, lower, format="FLAC", subtype="PCM_16")
    return content.getvalue()


def resample(wave: np.ndarray, source: Hertz, target: Hertz) -> np.ndarray:
    """Resample `wave` [n] from `source` to `target` Hz, by soxr's very high quality."""
    return wave if source == target else soxr.resample(wave, source, target, quality="VHQ")
