"""Everything that can be known to go wrong before any work, at once."""

import os
from collections.abc import Generator, Hashable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import numpy as np
import torch

from moksori.config import Seconds
from moksori.conversion.converter import Converter
from moksori.dubbing.plan.issues import Issue, Severity
from moksori.dubbing.plan.memory import MeasuredTake, Memory
from moksori.dubbing.plan.takes import Found
from moksori.dubbing.records import Take
from moksori.dubbing.task import Heard, Setup
from moksori.errors import AudioError, MoksoriError, TextError
from moksori.messages import Message, Value, message
from moksori.stepwise import ShowSteps, unshown
from moksori.text.front_end import FrontEnd
from moksori.text.pace import check_pace

_TOUCHING: Seconds = 0.05  # overlaps up to this are of the script's rounding
_ORDER = {"error": 0, "warning": 1, "note": 2}


def preflight(
    found: Found,
    setup: Setup,
    converter: Converter,
    progress: ShowSteps = unshown,
    memory: Memory | None = None,
) -> Found:
    """Look at every take as the conversion will, without converting it.

    Args:
        found: the takes, and what was noticed in finding them.
        setup: of the job.
        converter: of the job.
        progress: wraps the iteration over the takes.
        memory: of earlier checks.

    Returns:
        The takes that can be worked on, and all issues, the worst first.
    """
    issues, takes, heard = list(found.issues), [], dict[str, Heard]()
    memory = memory or Memory()
    voices = {take.role.voice for take in found.takes if not take.role.as_recorded}
    faulty = {name: why for name in sorted(voices) if (why := _voice_fault(converter, name))}
    with closing(_measured(found.takes, converter, memory)) as measured:
        each = zip(found.takes, measured, strict=True)
        for take, known in progress(each, len(found.takes)):
            faults, own = _of_take(take, setup, converter, known)
            if not take.role.as_recorded and take.role.voice in faulty:
                values: dict[str, Value] = {"why": faulty[take.role.voice]}
                faults.append(Issue("error", take.line.place, "voice", values))
            issues += faults
            if not any(fault.severity == "error" for fault in faults):
                takes.append(take)
                if own:
                    heard[take.id] = own
    issues += overlaps(found.takes)
    return replace(found, takes=takes, issues=by_severity(issues), heard=heard)


def by_severity(issues: Iterable[Issue]) -> list[Issue]:
    """The worst first, else as they are."""
    return sorted(issues, key=lambda issue: _ORDER[issue.severity])


def _measured(
    takes: Sequence[Take], converter: Converter, memory: Memory
) -> Generator[MeasuredTake | AudioError, None, None]:
    """What is measured of each take's recording, or why it cannot be; in as many threads as there are cores.

    It is decoded here, once.
    """
    wordless = [_is_wordless(take, converter.front_end) for take in takes]

    def measure(take: Take, wordless: bool) -> MeasuredTake | AudioError:
        converted = not (take.role.as_recorded or wordless)
        try:
            return memory.measured(take, converter, converted=converted)
        except AudioError as error:
            return error

    # Each on one core, as workers are: two that both want two hinder each other.
    pool = ThreadPoolExecutor(os.cpu_count(), initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield from pool.map(measure, takes, wordless)
    finally:  # also if the check is cancelled
        pool.shutdown(cancel_futures=True)


def _voice_fault(converter: Converter, name: str) -> Message | None:
    try:
        converter.voice(name)
    except MoksoriError as error:
        return error.message
    return None


def _of_take(
    take: Take, setup: Setup, converter: Converter, known: MeasuredTake | AudioError
) -> tuple[list[Issue], Heard | None]:
    """What is wrong with one take, and what was measured of it."""
    where, issues = take.line.place, list[Issue]()
    if isinstance(known, AudioError):
        return [Issue("error", where, "unreadable", {"why": known.message})], None
    if known.coarse:
        issues.append(Issue("warning", where, "header", {"why": known.coarse}))
    if known.mixed and not take.cut:  # of a track it is asked, or said once
        kind = known.mixed.code.removeprefix("issue.")
        severity: Severity = "note" if kind == "mixed" else "warning"
        issues.append(Issue(severity, where, kind, known.mixed.values))
    if take.line.end is not None and take.line.start is not None and take.start is not None:
        slot = take.line.end - take.line.start
        if not take.cut and take.seconds > slot + _TOUCHING:
            issues.append(Issue("warning", where, "too_long", {"by": f"{take.seconds - slot:.2f}"}))
    if take.start is None:
        issues.append(Issue("note", where, "untimed", {}))
    if not take.role.as_recorded:
        issues += _of_text(take, known.speech, setup, converter.front_end)
    return issues, Heard(known.digest, known.source)


def _is_wordless(take: Take, front_end: FrontEnd) -> bool:
    try:
        return front_end.is_wordless(take.line.text)
    except TextError:  # `_of_text` reports it
        return False


def _of_text(take: Take, speech: Seconds, setup: Setup, front_end: FrontEnd) -> Iterable[Issue]:
    """What is wrong with a take's text, by itself and beside its recording's length of speech."""
    where, text = take.line.place, take.line.text
    try:
        if front_end.is_wordless(text):
            yield Issue("note", where, "nonverbal", {})
            return
        reading = front_end.read(text, setup.spell, setup.lexicon)
    except TextError as error:
        yield Issue("error", where, "text", {"why": error.message})
        return
    for doubt in reading.doubts:
        yield Issue("note", where, "doubt", doubt.values)
    try:
        check_pace(reading, speech)
    except TextError as error:
        if front_end.is_nonverbal(text):
            yield Issue("note", where, "nonverbal", {})
        else:
            yield Issue("error", where, "pace", {"why": error.message})


def overlaps(takes: Sequence[Take]) -> list[Issue]:
    """Lines that the script has at the same time, at the later one.

    An issue a line and kind, of the line that it overlaps most; of the others it says how many there are, so
    that thousands of lines at once are not millions of issues.
    """
    timed = sorted(
        (
            (take.line.start, _end(take, take.line.start), take)
            for take in takes
            if take.line.start is not None
        ),
        key=lambda row: (row[0], row[1], row[2].id),
    )
    ends = np.array([end for _, end, _ in timed])
    characters = _numbered(take.line.character for *_, take in timed)
    tracks = _numbered((take.audio, take.channel) for *_, take in timed)
    issues: list[Issue] = []
    for i, (start, end, take) in enumerate(timed):
        by = np.minimum(ends[:i], end) - start
        same, track = characters[:i] == characters[i], tracks[:i] == tracks[i]
        kinds: tuple[tuple[Severity, str, np.ndarray], ...] = (
            ("warning", "overlap", same),
            ("warning", "crosstalk", ~same & track),
            ("note", "overlap_others", ~same & ~track),
        )
        for severity, kind, which in kinds:
            crossing = np.where(which & (by > _TOUCHING), by, 0.0)
            if count := int(np.count_nonzero(crossing)):
                most = int(crossing.argmax())
                values: dict[str, Value] = {
                    "other": timed[most][2].line.place.message,
                    "by": f"{crossing[most]:.2f}",
                    "more": message("issues.more", number=count - 1) if count > 1 else "",
                }
                issues.append(Issue(severity, take.line.place, kind, values))
    return issues


def _numbered(values: Iterable[Hashable]) -> np.ndarray:
    """A number for each value, the same for equal ones."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=int)


def _end(take: Take, start: Seconds) -> Seconds:
    """When a line ends by the script, or by its recording if the script does not say."""
    return start + take.seconds if take.line.end is None else take.line.end
