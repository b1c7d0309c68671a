"""The reel: all lines at their places, as one Broadcast Wave, and the stems, character by character.

A character is silent for most of an episode, so a stem is a file for each stretch of lines, without the
silence between: its time reference (`bext`) and the time code in its name say where it belongs.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile

from moksori.config import Decibels, Seconds
from moksori.dubbing.deliver.mix import Placed, end_of, mix
from moksori.dubbing.deliver.spec import DeliverySpec
from moksori.errors import OutputError
from moksori.files import unique_names
from moksori.signal import bwf
from moksori.signal.loudness import Limiter, LoudnessMeter, PeakMeter
from moksori.writing import write_error

_ATTEMPTS = 3  # at the loudness, where the limiter takes some of it away
_BYTES = 3  # of a sample
_SILENCE: Seconds = 5.0  # of a character, after which the stem is another file
_PEAK_TOLERANCE: Decibels = 0.05


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """What was written.

    Attributes:
        reel: all lines.
        stems: files by character, by their start.
        held: ids of the lines that each file of a stem holds.
        samples: of the reel.
        before: integrated loudness of the mix in LUFS; -inf if there is nothing to measure.
        after: of the reel as written.
        true_peak: of the reel as written, dBTP.
        gain: dB that reel and stems were raised by.
        limited: the most that the limiter took from the reel, in dB; 0 if nothing.
        limited_stems: the same of each stem.
        within: whether the reel is what the target asks for.
    """

    reel: Path
    stems: dict[str, list[Path]]
    held: dict[Path, frozenset[str]]
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


class _Part(NamedTuple):
    """A file to be written: the reel, a stem, or a stretch of it."""

    path: Path  # below the folder
    name: str  # of the character, or the reel
    lines: list[Placed]  # with starts from its own beginning
    begin: int  # sample of the reel
    length: int


def render(
    placed: Sequence[Placed],
    length: int,
    folder: Path,
    spec: DeliverySpec,
    progress: Callable[[Iterable[Any], int], Iterable[Any]] = lambda steps, total: steps,
) -> Rendered:
    """Write `folder`/reel.wav and `folder`/stems/, mono, 24 bit.

    A stem is `<character>_<time code>.wav` for each stretch of lines with less than `_SILENCE` between, or,
    if the spec wants them full, `<character>.wav`, as long as the reel. A premix has its time code in these
    names too. All files are complete before the first takes its place. Lines that overlap add up. The
    stems get the reel's gain and add up to it, unless the limiter had to work: it holds each file by itself.
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
    length = max([length, *(end_of(line, rate) for line in lines)])
    whole = _Part(Path(f"{_reel_name(spec)}.wav"), "reel", lines, 0, length)
    names = unique_names(sorted({line.stem for line in lines}))
    stems = {stem: _parts(stem, name, whole, spec) for stem, name in names.items()}
    try:
        (folder / "stems").mkdir(parents=True, exist_ok=True)
        sizes = [p.length * _BYTES for parts in ([whole], *stems.values()) for p in parts]
        _check_space(folder, sum(sizes) + max(sizes))  # one is copied when stamped
        with tempfile.TemporaryDirectory(dir=folder, prefix=".reel.") as made:
            work = Path(made)
            (work / "stems").mkdir()
            tracks: dict[Path, _Track] = {}
            before, gain = -np.inf, 0.0
            for parts in progress([[whole], *stems.values()], len(stems) + 1):
                for part in parts:
                    if part is whole:
                        before, gain, track = _reach(work / part.path, lines, length, spec)
                    else:
                        track = _write(work / part.path, part.lines, part.length, spec, gain)
                    bwf.write_bext(work / part.path, _about(part, spec, track))
                    tracks[part.path] = track
            for path in tracks:
                (work / path).replace(folder / path)
    except OSError as error:
        raise write_error(folder, error) from None
    except (AssertionError, soundfile.LibsndfileError):  # what soundfile says of a full disk
        raise OutputError.of("output.full", path=folder) from None
    reel, target = tracks[whole.path], spec.loudness
    loud = target.level is None or abs(reel.loudness - target.level) <= target.tolerance
    return Rendered(
        reel=folder / whole.path,
        stems={stem: [folder / part.path for part in parts] for stem, parts in stems.items()},
        held={
            folder / part.path: frozenset(line.id for line in part.lines)
            for parts in stems.values()
            for part in parts
        },
        samples=length,
        before=before,
        after=reel.loudness,
        true_peak=reel.true_peak,
        gain=gain,
        limited=reel.limited,
        limited_stems={
            stem: max(tracks[part.path].limited for part in parts) for stem, parts in stems.items()
        },
        within=loud and reel.true_peak <= target.true_peak + _PEAK_TOLERANCE,
    )


def _reel_name(spec: DeliverySpec) -> str:
    return f"reel_{spec.name_code(0.0)}" if spec.premix else "reel"


def _parts(stem: str, name: str, whole: _Part, spec: DeliverySpec) -> list[_Part]:
    """The files of a character's stem.

    Args:
        stem: the character.
        name: of the files.
        whole: the reel.
        spec: whether stems are full, and their time codes.
    """
    lines, rate = [line for line in whole.lines if line.stem == stem], spec.sample_rate
    said = stem or name
    if spec.stems == "full":
        stamped = f"{name}_{spec.name_code(0.0)}" if spec.premix else name
        return [_Part(Path("stems", f"{stamped}.wav"), said, lines, 0, whole.length)]
    parts: list[_Part] = []
    for line in lines:
        end = end_of(line, rate)
        if parts and line.start - parts[-1].begin - parts[-1].length < _SILENCE * rate:
            part = parts.pop()
        else:
            path = Path("stems", f"{name}_{spec.name_code(line.start / rate)}.wav")
            part = _Part(path, said, [], line.start, 0)
        moved = replace(line, start=line.start - part.begin)
        length = max(part.length, end - part.begin)
        parts.append(part._replace(lines=[*part.lines, moved], length=length))
    return parts


def _reach(
    path: Path, lines: Sequence[Placed], length: int, spec: DeliverySpec
) -> tuple[Decibels, Decibels, _Track]:
    """Write the reel at the target's loudness; also the loudness before, and the gain."""
    target = spec.loudness
    meter = LoudnessMeter(spec.sample_rate)
    for block in mix(lines, length, spec.sample_rate):
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
        for block in mix(lines, length, rate):
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


def _about(part: _Part, spec: DeliverySpec, track: _Track) -> bwf.Broadcast:
    key = "\0".join((spec.title, part.path.as_posix(), spec.date.isoformat()))
    return bwf.Broadcast(
        description=": ".join(filter(None, (spec.title, part.name))),
        date=spec.date,
        start=round(spec.start_timecode * spec.sample_rate) + part.begin,
        frame_rate=spec.frames_a_second,
        drop_frame=spec.frame_rate.drop,
        reference=hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:32],
        project=spec.title,
        scene=part.name,
        note=f"loudness target: {spec.loudness.name}",
        tracks=(part.name,),
        loudness=track.loudness,
        true_peak=track.true_peak,
    )


def _check_space(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        needed, there = (f"{amount / 2**20:.1f}" for amount in (size, free))
        raise OutputError.of("output.space", path=folder, needed=needed, free=there)
