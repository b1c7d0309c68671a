"""Lines at their places, added up."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from moksori.errors import AudioError, OutputError
from moksori.messages import Message, message
from moksori.signal import audio

BLOCK = 1 << 17  # samples mixed at a time


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A line's wave and its place.

    Attributes:
        id: of the line, for messages.
        wave: of any rate and channels; heard as their mean.
        start: sample of the reel, at the spec's sample rate, that its first one lies at.
        stem: the character; may be empty.
    """

    id: str
    wave: Path
    start: int
    stem: str


def end_of(line: Placed, rate: int) -> int:
    """First sample of the reel after `line`."""
    if line.start < 0:
        raise OutputError.of("reel.before", line=line.id, by=-line.start / rate)
    if not line.wave.is_file():
        raise AudioError.of("reel.no_wave", file=line.wave, line=line.id)
    try:
        info = soundfile.info(line.wave)
    except soundfile.LibsndfileError as error:
        raise _unreadable(line, error.error_string) from None
    result: int = line.start - (-info.frames * rate // info.samplerate)
    return result


def _unreadable(line: Placed, reason: str | Message) -> AudioError:
    return AudioError.of("reel.unreadable", file=line.wave, line=line.id, why=reason)


def _load(line: Placed, rate: int) -> np.ndarray:
    """Its wave [n] at `rate`."""
    try:
        samples, own_rate = soundfile.read(line.wave, dtype="float64", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise _unreadable(line, str(error)) from None
    if not np.isfinite(samples).all():
        raise _unreadable(line, message("reel.not_finite"))
    return audio.resample(audio.downmix(samples), own_rate, rate)


def mix(lines: Sequence[Placed], length: int, rate: int) -> Iterator[np.ndarray]:
    """The sum of `lines`, sorted by start, in blocks; however many sound at once, one is held at a time."""
    waiting = deque(lines)
    ahead = np.zeros(0)  # what is mixed already, from the block's beginning
    for begin in range(0, length, BLOCK):
        end = min(length, begin + BLOCK)
        ahead = np.pad(ahead, (0, max(0, end - begin - len(ahead))))
        while waiting and waiting[0].start < end:
            line = waiting.popleft()
            wave = _load(line, rate)[: length - line.start]
            first = line.start - begin
            ahead = np.pad(ahead, (0, max(0, first + len(wave) - len(ahead))))
            ahead[first : first + len(wave)] += wave
        yield ahead[: end - begin]
        ahead = ahead[end - begin :]
