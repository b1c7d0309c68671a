"""The reel: all lines at their places, as one Broadcast Wave, and the stems, character by character.

A character is silent for most of an episode, so a stem is a file for each stretch of lines, without the
silence between: its time reference (`bext`) and the time code in its name say where it belongs.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from threadpoolctl import threadpool_limits

from moksori.config import Decibels, Seconds
from moksori.dubbing.deliver.bounce import Bounced, bounce, bounce_at_target
from moksori.dubbing.deliver.mix import Placed, end_of
from moksori.dubbing.deliver.spec import DeliverySpec
from moksori.dubbing.processes import process_pool
from moksori.errors import OutputError
from moksori.files import unique_names
from moksori.signal import bwf
from moksori.writing import write_error

_SHORT: Seconds = 300.0  # a reel that is written in about a second
_MOST = 4  # processes
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
    on_gain: Callable[[Decibels], None] = lambda gain: None,
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
        on_gain: is told the gain as soon as it is known, before the stems are written.

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
        lengths = [part.length for parts in ([whole], *stems.values()) for part in parts]
        _check_space(folder, sum(lengths) * bwf.SAMPLE_BYTES)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".reel.") as made:
            work = Path(made)
            (work / "stems").mkdir()
            tracks: dict[Path, Bounced] = {}
            with _beside(length / rate) as pool:
                bounced = pool.submit(_reel, work, whole, spec)
                before, gain, tracks[whole.path] = bounced.result()
                on_gain(gain)
                written = {
                    part.path: pool.submit(_stem, work, part, spec, gain)
                    for parts in stems.values()
                    for part in parts
                }
                tracks |= {path: stem.result() for path, stem in written.items()}
            for path in tracks:
                (work / path).replace(folder / path)
    except OSError as error:
        raise write_error(folder, error) from None
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


@contextmanager
def _beside(length: Seconds) -> Iterator[Executor]:
    """Where files are written: processes, which Python's own work here does not hold up.

    Where a reel is written sooner than they begin, a thread. Either computes with one thread, so that
    the same lines give the same bytes.
    """
    if length < _SHORT:
        with threadpool_limits(1), ThreadPoolExecutor(1) as thread:
            yield thread
    else:
        with process_pool(min(os.cpu_count() or 1, _MOST), _with_one_thread) as processes:
            yield processes


def _with_one_thread() -> None:
    """For the rest of a process: to find all libraries takes milliseconds, as long as to write a file."""
    threadpool_limits(1)


def _reel(folder: Path, whole: _Part, spec: DeliverySpec) -> tuple[Decibels, Decibels, Bounced]:
    path, about = folder / whole.path, _about(whole, spec)
    return bounce_at_target(path, about, whole.lines, whole.length, spec)


def _stem(folder: Path, part: _Part, spec: DeliverySpec, gain: Decibels) -> Bounced:
    path, about = folder / part.path, _about(part, spec)
    return bounce(path, about, part.lines, part.length, spec, gain)


def _about(part: _Part, spec: DeliverySpec) -> bwf.Broadcast:
    key = "\0".join((spec.title, part.path.as_posix(), spec.date.isoformat()))
    return bwf.Broadcast(
        description=": ".join(filter(None, (spec.title, part.name))),
        date=spec.date,
        start=spec.sample(spec.start_timecode) + part.begin,
        frame_rate=spec.frames_a_second,
        drop_frame=spec.frame_rate.drop,
        reference=hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:32],
        project=spec.title,
        scene=part.name,
        note=f"loudness target: {spec.loudness.name}",
        tracks=(part.name,),
    )


def _check_space(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        needed, there = (f"{amount / 2**20:.1f}" for amount in (size, free))
        raise OutputError.of("output.space", path=folder, needed=needed, free=there)
