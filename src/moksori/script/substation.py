"""Cues of SubStation Alpha (ASS, SSA): pysubs2 reads the events once it is sure that it drops none."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from moksori.errors import ScriptError
from moksori.files import read_text
from moksori.messages import message
from moksori.script.content import Asked, ScriptContent
from moksori.script.cues import Cue, content_of, entities
from moksori.script.speakers import Speech
from moksori.script.tables import one_line

if TYPE_CHECKING:
    from pysubs2 import SSAEvent

_TIME = re.compile(r"\s*\d{1,2}:[0-5]?\d:[0-5]?\d[.,]\d{1,3}\s*")
_EVENT = re.compile(r"\s*(dialogue|comment)\b", re.IGNORECASE)
_OTHER = re.compile(r"\s*(;|!:|(Picture|Sound|Movie|Command):)")
_FIELDS = 10  # of an event, the last is its text
_COLUMNS = re.compile(
    r"(layer|marked),start,end,style,(name|actor),marginl,marginr,marginv,effect,text"
)
_SECTION = re.compile(r"\s*\[[^\]]+\]\s*")


def read_substation(path: Path, asked: Asked) -> ScriptContent:
    """Read the events of .ass or .ssa; a `content.Reader`.

    Returns:
        A line an event with text; with a fault where it is malformed, ends before it starts, or is several
        people's. Comments are left out, and with a warning drawings.

    Raises:
        ScriptError: columns that the kind does not have, or what pysubs2 cannot read.
    """
    rows = read_text(path, ScriptError).split("\n")
    kind = path.suffix.lower()[1:]
    if kind not in ("ass", "ssa"):  # saved as plain text
        kind = "ssa" if any(row.strip().lower() == "[v4 styles]" for row in rows) else "ass"
    kept, places, broken = [], list[int](), list[Cue]()
    events = False
    for number, row in enumerate(rows, 1):
        if _SECTION.fullmatch(row):
            events = row.strip().lower() == "[events]"
        elif events and row.strip().lower().startswith("format:"):
            columns = "".join(row.lower().split()).removeprefix("format:")
            if not _COLUMNS.fullmatch(columns):
                raise ScriptError.of("script.ass_columns", file=path, row=number, kind=kind)
        elif code := _fault(row, events):
            text = row.partition(":")[2].split(",", _FIELDS - 1)[-1] if _EVENT.match(row) else row
            fault = message(code, fields=_FIELDS)
            broken.append(
                Cue(number, "", ("", ""), [Speech("", (one_line(text),))], (fault,), stray=True)
            )
            continue
        elif _EVENT.match(row):
            places.append(number)
        kept.append(row)
    spoken, drawings = list[Cue](), []
    for number, event in zip(places, _events(path, kept, kind, len(places)), strict=True):
        if event.is_comment:
            continue
        text, cut = _plain(event.text, False), _plain(event.text, True)
        drawn = event.is_drawing and not text.strip()
        if drawn:
            drawings.append(str(number))
        times = f"{event.start / 1000:.3f}", f"{event.end / 1000:.3f}"
        speeches = [] if drawn else [Speech(event.name, tuple(text.split("\n")))]
        spoken.append(Cue(number, str(len(spoken) + 1), times, speeches, cut=cut))
    notice = [message("script.drawings", file=path, places=", ".join(drawings))] if drawings else []
    cues = [*spoken, *broken]
    return content_of(path, cues, asked.frame_rate, milliseconds=True, warnings=notice)


def _plain(text: str, struck: bool) -> str:
    """What is said in an event, or struck through: without styles, drawings and {notes}."""
    from pysubs2.formats.substation import parse_tags

    said = "".join(
        part for part, style in parse_tags(text) if not style.drawing and style.strikeout == struck
    )
    return entities(re.sub(r"\\[Nn]", "\n", said).replace("\\h", " "))


def _fault(row: str, events: bool) -> str:
    """What is wrong with a row, by its code; "" if nothing is."""
    if _EVENT.match(row):
        if not events or not row.strip().startswith(("Dialogue:", "Comment:")):
            return "script.ass_place"
        fields = row.partition(":")[2].split(",", _FIELDS - 1)
        if len(fields) < _FIELDS or not all(map(_TIME.fullmatch, fields[1:3])):
            return "script.ass_event"
        return ""
    return "script.ass_row" if events and row.strip() and not _OTHER.match(row) else ""


def _events(path: Path, rows: list[str], kind: str, number: int) -> "list[SSAEvent]":
    """The events of a file, as many as it is known to have."""
    import pysubs2

    try:
        events = pysubs2.SSAFile.from_string("\n".join(rows), kind).events
    except Exception as error:  # of a malformed style pysubs2 lets through what it met
        why = one_line(str(error))
        raise ScriptError.of("script.ass_unreadable", file=path, kind=kind, why=why) from None
    if len(events) != number:
        raise ScriptError.of("script.ass_lost", file=path, number=number, read=len(events))
    return list(events)
