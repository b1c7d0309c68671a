"""The reel: all lines at their places, as one Broadcast Wave, and as one stem a character."""

import hashlib
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile

from moksori.config import Decibels
from moksori.dubbing.deliver.spec import DeliverySpec
from moksori.errors import AudioError, OutputError
from moksori.files import unique_names, write_error
from moksori.messages import Message, message
from moksori.signal import audio, bwf
from moksori.signal.loudness import Limiter, LoudnessMeter, PeakMeter

_BLOCK = 1 << 18  # samples mixed at a time
_ATTEMPTS = 3  # at the loudness, where the limiter takes some of it away
_BYTES = 3  # of a sample
_PEAK_TOLERANCE: Decibels = 0.05


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A line's wave and its place.

    Attributes:
        id: of the line, for messages.
        wave: of any rate and channels; heard as their mean.
        start: sample of the reel, at the spec's sample rate, that its first one lies at.
        stem: the character; may be empty.
        gain: dB added to it.
    """

    id: str
    wave: Path
    start: int
    stem: str
    gain: Decibels = 0.0


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """What was written.

    Attributes:
        reel: all lines.
        stems: by character, as long as the reel.
        samples: of each file.
        before: integrated loudness of the mix in LUFS; -inf if there is nothing to measure.
        after: of the reel as written.
        true_peak: of the reel as written, dBTP.
        gain: dB that reel and stems were raised by.
        limited: the most that the limiter took from the reel, in dB; 0 if nothing.
        limited_stems: the same of each stem.
        within: whether the reel is what the target asks for.
    """

    reel: Path
    stems: dict[str, Path]
    samples: int
    before: Decibels
    after: Decibels
    true_peak: Decibels
    gain: Decibels
    limited: Decibels
    limited_stems: dict[str, Decibels]
    within: bool


class _Track(NamedTuple):
    """As written."""

    loudness: Decibels
    true_peak: Decibels
    limited: Decibels


def render(
    placed: Sequence[Placed],
    length: int,
    folder: Path,
    spec: DeliverySpec,
    progress: Callable[[Iterable[Any], int], Iterable[Any]] = lambda steps, total: steps,
) -> Rendered:
    """Write `folder`/reel.wav and `folder`/stems/<character>.wav, mono, 24 bit, all equally long.

    All files are complete before the first takes its place. Lines that overlap add up. The stems get
    the reel's gain and add up to it, unless the limiter had to work: it holds each file by itself.
    Samples are rounded without dither, so that the same job writes the same bytes and a recording
    of 24 bits that nothing is done to stays as it is. Other files in `folder` are left alone.

    Args:
        placed: in any order.
        length: samples of the reel, at the spec's sample rate; it is longer where a line ends later.
        folder: made if it is missing.
        spec: what it has to be.
        progress: wraps the iteration over the files to be written and is given their number.

    Raises:
        AudioError: a line's wave is missing or cannot be read.
        OutputError: a line begins before the reel, or there is no place for the files.
    """
    lines = sorted(placed, key=lambda line: (line.start, line.id))
    rate = spec.sample_rate
    length = max([length, *(_end(line, rate) for line in lines)])
    names = unique_names(sorted({line.stem for line in lines}))
    try:
        (folder / "stems").mkdir(parents=True, exist_ok=True)
        _check_space(folder, length * _BYTES * (len(names) + 2))  # one is copied when stamped
        with tempfile.TemporaryDirectory(dir=folder, prefix=".reel.") as made:
            work = Path(made)
            tracks: dict[Path, _Track] = {}
            before, gain = -np.inf, 0.0
            for character in progress([None, *names], len(names) + 1):
                if character is None:
                    name, path, of_track = "reel", Path("reel.wav"), lines
                    before, gain, track = _reach(work / path, lines, length, spec)
                else:
                    (work / "stems").mkdir(exist_ok=True)
                    name = character or names[character]
                    path = Path("stems", f"{names[character]}.wav")
                    of_track = [line for line in lines if line.stem == character]
                    track = _write(work / path, of_track, length, spec, gain)
                bwf.write_bext(work / path, _about(path, name, spec, track))
                tracks[path] = track
            for path in tracks:
                (work / path).replace(folder / path)
    except OSError as error:
        raise write_error(folder, error) from None
    except (AssertionError, soundfile.LibsndfileError):  # what soundfile says of a full disk
        raise OutputError.of("output.full", path=folder) from None
    reel, *stems = tracks.values()
    target = spec.loudness
    loud = target.level is None or abs(reel.loudness - target.level) <= target.tolerance
    return Rendered(
        reel=folder / "reel.wav",
        stems={character: folder / "stems" / f"{name}.wav" for character, name in names.items()},
        samples=length,
        before=before,
        after=reel.loudness,
        true_peak=reel.true_peak,
        gain=gain,
        limited=reel.limited,
        limited_stems={
            character: stem.limited for character, stem in zip(names, stems, strict=True)
        },
        within=loud and reel.true_peak <= target.true_peak + _PEAK_TOLERANCE,
    )


def _end(line: Placed, rate: int) -> int:
    """The sample of the reel that `line` is over at."""
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
    """Its wave [n] at `rate`, with its gain."""
    try:
        samples, own_rate = soundfile.read(line.wave, dtype="float64", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise _unreadable(line, str(error)) from None
    if not np.isfinite(samples).all():
        raise _unreadable(line, message("reel.not_finite"))
    mono = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
    return audio.resample(mono, own_rate, rate) * 10 ** (line.gain / 20)


def _mix(lines: Sequence[Placed], length: int, rate: int) -> Iterator[np.ndarray]:
    """The sum of `lines`, sorted by start, in blocks; however many sound at once, one is held at a time."""
    waiting = deque(lines)
    ahead = np.zeros(0)  # what is mixed already, from the block's beginning
    for begin in range(0, length, _BLOCK):
        end = min(length, begin + _BLOCK)
        ahead = np.pad(ahead, (0, max(0, end - begin - len(ahead))))
        while waiting and waiting[0].start < end:
            line = waiting.popleft()
            wave = _load(line, rate)[: length - line.start]
            first = line.start - begin
            ahead = np.pad(ahead, (0, max(0, first + len(wave) - len(ahead))))
            ahead[first : first + len(wave)] += wave
        yield ahead[: end - begin]
        ahead = ahead[end - begin :]


def _reach(
    path: Path, lines: Sequence[Placed], length: int, spec: DeliverySpec
) -> tuple[Decibels, Decibels, _Track]:
    """Write the reel at the target's loudness; also the loudness before, and the gain."""
    target = spec.loudness
    meter = LoudnessMeter(spec.sample_rate)
    for block in _mix(lines, length, spec.sample_rate):
        meter.add(block)
    before, gain = meter.loudness, 0.0
    if target.level is None or not np.isfinite(before):
        return before, gain, _write(path, lines, length, spec, gain)
    reached = before
    for _ in range(_ATTEMPTS):
        gain += target.level - reached
        track = _write(path, lines, length, spec, gain)
        reached = track.loudness
        if abs(target.level - reached) <= target.tolerance or not np.isfinite(reached):
            break
    return before, gain, track


def _write(
    path: Path, lines: Sequence[Placed], length: int, spec: DeliverySpec, gain: Decibels
) -> _Track:
    """Write `lines` with `gain`, limited, and measure what was written."""
    rate, factor = spec.sample_rate, 10 ** (gain / 20)
    limiter = Limiter(rate, spec.loudness.true_peak)
    loudness, peak = LoudnessMeter(rate), PeakMeter()

    def limited() -> Iterator[np.ndarray]:
        for block in _mix(lines, length, rate):
            yield limiter.add(block * factor)
        yield limiter.finish()

    form = bwf.format_for(length * _BYTES)
    with soundfile.SoundFile(path, "w", rate, 1, "PCM_24", format=form) as file:
        for block in limited():
            whole = np.rint(block * 2**23).clip(-(2**23), 2**23 - 1).astype(np.int32)
            file.write(whole << 8)  # libsndfile writes the upper 24 bits, as they are
            loudness.add(whole / 2**23)
            peak.add(whole / 2**23)
    return _Track(loudness.loudness, peak.true_peak, limiter.reduction)


def _about(path: Path, name: str, spec: DeliverySpec, track: _Track) -> bwf.Broadcast:
    key = "\0".join((spec.title, path.as_posix(), spec.date.isoformat()))
    return bwf.Broadcast(
        description=": ".join(filter(None, (spec.title, name))),
        date=spec.date,
        start=round(spec.start_timecode * spec.sample_rate),
        frame_rate=spec.frames_a_second,
        drop_frame=spec.frame_rate.drop,
        reference=hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:32],
        project=spec.title,
        scene=name,
        note=f"loudness target: {spec.loudness.name}",
        tracks=(name,),
        loudness=track.loudness,
        true_peak=track.true_peak,
    )


def _check_space(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        needed, there = (f"{amount / 2**20:.1f}" for amount in (size, free))
        raise OutputError.of("output.space", path=folder, needed=needed, free=there)
