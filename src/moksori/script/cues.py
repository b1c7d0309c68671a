"""Cues of subtitles to lines, whatever file they are from."""

import html
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from moksori.config import MAX_CHARACTERS, Seconds
from moksori.errors import ScriptError
from moksori.messages import Message, message
from moksori.script.content import Fault, ScriptContent, joined
from moksori.script.line import Line, Place
from moksori.script.rows import textless_warning
from moksori.script.speakers import Speech, by_dashes, parted, several_speakers
from moksori.script.tables import one_line
from moksori.script.times import Timing, Written, find_timing
from moksori.timecode import FrameRate

ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
ENTITIES_DEEP = 3  # some tools write &amp;#39;
_NAMED, _TEXT = 20, 40  # what is struck through, that a warning cites, and characters of it


class Cue(NamedTuple):
    """A cue, its times still as they are written."""

    row: int  # of the file, where its times are; from 1
    no: str
    times: tuple[str, str | None]  # start and end; "" if malformed, None if the file has no end
    speeches: Sequence[Speech]  # none of what is drawn
    faults: tuple[Message, ...] = ()
    stray: bool = False  # a row of the file that belongs to no cue
    where: Message | None = None  # what it is called where rows say nothing
    cut: str = ""  # what is struck through, and left out


def entities(text: str, deep: int = ENTITIES_DEEP) -> str:
    """Text whose HTML entities are the signs that they stand for; other & stay as they are.

    Args:
        text: of a cue.
        deep: how often one may have been written for another; 1 in a format that tells how to escape.
    """
    for _ in range(deep):
        read = ENTITY.sub(lambda found: html.unescape(found[0]), text)
        if read == text:
            break
        text = read
    return text


def row_at(row: int) -> Message:
    """A row of the file: line 7."""
    return message("script.line_at", number=row)


def content_of(
    path: Path,
    cues: Sequence[Cue],
    asked: FrameRate | None,
    milliseconds: bool = False,
    warnings: Iterable[Message] = (),
) -> ScriptContent:
    """The lines of cues, each part of which has a speaker of its own.

    Args:
        path: of the file.
        cues: in its order.
        asked: the frame rate that the user gave.
        milliseconds: whether points and commas are known to stand before decimals.
        warnings: of the reader.
    """
    written = [Written(row_at(cue.row), text) for cue in cues for text in cue.times if text]
    timing = find_timing(path, written, asked, decimals=milliseconds)
    lines, faults, textless = list[Line](), list[Fault](), []
    struck = [
        message("script.cites", where=cue.where or row_at(cue.row), text=one_line(cue.cut)[:_TEXT])
        for cue in cues
        if cue.cut.strip()
    ]
    for number, cue in enumerate(cues, 1):
        if not cue.speeches:
            continue
        place = Place("line", cue.row) if cue.stray else Place("cue", number)
        parts, own = _lines(place, cue, timing)
        if own or any(part.text for part in parts):
            lines += parts
            faults += [Fault(place, cue.where or row_at(cue.row), why) for why in own]
        elif not cue.cut.strip():
            textless.append(cue.no)
    notice = [*timing.warnings, *warnings]
    if (more := len(struck) - _NAMED) > 0:
        struck[_NAMED:] = [message("script.more_faults", number=more)]
    if struck:
        notice.append(message("script.cut", place=path, cells=joined(struck)))
    notice += textless_warning(path, message("script.cues"), textless)
    return ScriptContent(
        lines, notice, faults, [_understood(path, lines)] if lines else [],
        question=timing.question, frame_rate=timing.notation.frame_rate,
    )  # fmt: skip


def _understood(path: Path, lines: Sequence[Line]) -> Message:
    counts = Counter(line.character for line in lines if line.character)
    named = ", ".join(f"{name} ({count})" for name, count in counts.most_common())
    names = named or message("script.cues_no_names")
    return message("script.cues_read", file=path, number=len(lines), names=names)


def _lines(place: Place, cue: Cue, timing: Timing) -> tuple[list[Line], list[Message]]:
    """A cue's lines, one a speaker, and what is wrong with it."""
    faults = list(cue.faults)
    times: list[Seconds | None] = []
    for text in cue.times:
        try:
            times.append(timing.notation.seconds(text) if text else None)
        except ScriptError as error:
            times.append(None)
            faults.append(error.message)
    start, end = times
    if start is not None and end is not None and end <= start:
        faults.append(message("script.cue_ends_first", start=cue.times[0], end=cue.times[1]))
    speeches = [
        Speech(name or speech.name, rows)
        for speech in cue.speeches
        for name, rows in by_dashes(speech.rows)
    ]
    length = sum(len(row) for speech in speeches for row in speech.rows)
    if length > MAX_CHARACTERS:
        faults.append(message("script.whole_page", number=length))
        speeches = [Speech(speeches[0].name, (" ".join(speeches[0].rows)[:MAX_CHARACTERS],))]
    if len(speeches) > 1:
        faults.append(several_speakers(speeches))
    line = Line(place, "", no=cue.no, start=start, end=end)
    return parted(line, speeches), faults
