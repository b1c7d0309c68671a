"""Everything that can be known to go wrong before any work, at once."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from moksori import audio
from moksori.config import Seconds
from moksori.converter import Converter
from moksori.dubbing.findings import Finding
from moksori.dubbing.lines import Take
from moksori.dubbing.long_lines import LONGEST
from moksori.dubbing.recordings import Found
from moksori.dubbing.sheets import Sheet, save_table
from moksori.dubbing.words import Lang, place
from moksori.dubbing.work import Setup, is_cry, is_wordless
from moksori.errors import AudioError, MoksoriError, TextError
from moksori.text import read
from moksori.text.pace import check_pace

_TOUCHING: Seconds = 0.05  # overlaps up to this are of the script's rounding
_ORDER = {"error": 0, "warning": 1, "note": 2}
Progress = Callable[[Iterable, int], Iterable]


def audit(
    found: Found,
    setup: Setup,
    converter: Converter,
    progress: Progress = lambda steps, total: steps,
) -> Found:
    """Look at every take as the conversion will, without converting it.

    Args:
        found: the takes, and what was noticed in finding them.
        setup: of the job.
        converter: of the job.
        progress: wraps the iteration over the takes.

    Returns:
        The takes that can be worked on, and all findings, the worst first.
    """
    findings, takes = list(found.findings), []
    voices = {take.role.voice for take in found.takes if not take.role.as_recorded}
    faulty = {name: why for name in sorted(voices) if (why := _voice_fault(converter, name))}
    for take in progress(found.takes, len(found.takes)):
        faults = list(_of_take(take, setup))
        if not take.role.as_recorded and take.role.voice in faulty:
            values = {"why": faulty[take.role.voice]}
            faults.append(Finding("error", take.line.place, "voice", values))
        findings += faults
        if not any(fault.severity == "error" for fault in faults):
            takes.append(take)
    findings += overlaps(found.takes)
    findings.sort(key=lambda finding: _ORDER[finding.severity])
    return replace(found, takes=takes, findings=findings)


def _voice_fault(converter: Converter, name: str) -> str:
    try:
        converter.voice(name)
    except MoksoriError as error:
        return str(error)
    return ""


def _of_take(take: Take, setup: Setup) -> Iterable[Finding]:
    """What is wrong with one take."""
    where, text = take.line.place, take.line.text
    try:
        recording = audio.read(take.audio, LONGEST, (take.begin, take.samples))
    except AudioError as error:
        yield Finding("error", where, "unreadable", {"why": str(error)})
        return
    if take.line.end is not None and take.line.start is not None and take.start is not None:
        slot = take.line.end - take.line.start
        if not take.cut and take.seconds > slot + _TOUCHING:
            yield Finding("warning", where, "too_long", {"by": f"{take.seconds - slot:.2f}"})
    if take.start is None:
        yield Finding("note", where, "untimed", {})
    if take.role.as_recorded:
        return
    try:
        if is_wordless(text):
            yield Finding("note", where, "nonverbal", {})
            return
        reading = read(text, setup.spell, setup.lexicon)
    except TextError as error:
        yield Finding("error", where, "text", {"why": str(error)})
        return
    for doubt in reading.doubts:
        values = {"text": doubt.text, "reading": doubt.reading, "why": doubt.reason}
        yield Finding("note", where, "doubt", values)
    begin, end = audio.speech_bounds(recording.mono, recording.rate)
    try:
        check_pace(reading, (end - begin) / recording.rate)
    except TextError as error:
        if is_cry(text):
            yield Finding("note", where, "nonverbal", {})
        else:
            yield Finding("error", where, "pace", {"why": str(error)})


def overlaps(takes: Sequence[Take]) -> list[Finding]:
    """Lines that the script has at the same time, each pair once, at the later one."""
    timed = [
        (take.line.start, _end(take, take.line.start), take)
        for take in takes
        if take.line.start is not None
    ]
    timed.sort(key=lambda row: (row[0], row[1], row[2].id))
    findings: list[Finding] = []
    open_lines: list[tuple[Seconds, Take]] = []
    for start, end, take in timed:
        open_lines = [(until, other) for until, other in open_lines if until > start + _TOUCHING]
        for until, other in open_lines:
            by = min(until, end) - start
            if by <= _TOUCHING:
                continue
            values = {"other": other.line.place, "by": f"{by:.2f}"}
            if other.line.character == take.line.character:
                findings.append(Finding("warning", take.line.place, "overlap", values))
            elif other.audio == take.audio:
                findings.append(Finding("warning", take.line.place, "crosstalk", values))
            else:
                findings.append(Finding("note", take.line.place, "overlap_others", values))
        open_lines.append((end, take))
    return findings


def _end(take: Take, start: Seconds) -> Seconds:
    """When a line ends by the script, or by its recording if the script does not say."""
    return start + take.seconds if take.line.end is None else take.line.end


def save_audit(path: Path, findings: Sequence[Finding], lang: Lang, date: datetime) -> None:
    """Write all findings to an .xlsx, a row each.

    Raises:
        OutputError: the place cannot be written to.
    """
    headers = ("심각도", "위치", "내용") if lang == "ko" else ("severity", "place", "finding")
    rows = [(f.rank(lang), place(f.place, lang), f.told(lang)) for f in findings]
    title = "점검" if lang == "ko" else "audit"
    save_table(path, [Sheet(title, headers, rows, (10, 22, 100))], date)
