"""Lines of subtitles (SRT, VTT, ASS, SSA): pysubs2 reads them once it is sure that it drops nothing."""

import html
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from moksori.errors import ScriptError
from moksori.files import read_text
from moksori.messages import Message, message
from moksori.script.content import Asked, ScriptContent
from moksori.script.line import Line, Place
from moksori.script.rows import textless_warning
from moksori.script.tables import one_line

if TYPE_CHECKING:
    from pysubs2 import SSAEvent

_ARROW = "-->"
_STAMPS = {
    ".srt": r"(\d{1,2}:[0-5]?\d:[0-5]?\d[,.]\d{3})",
    ".vtt": r"((?:\d{2,4}:)?[0-5]\d:[0-5]\d\.\d{3})",
}
_EXAMPLES = {
    ".srt": "00:00:01,000 --> 00:00:02,000",
    ".vtt": "00:00:01.000 --> 00:00:02.000",
}
_SETTINGS = r"(?:\s+[A-Za-z]\w*:.*)?"  # where the cue stands on the picture
_VTT_ASIDES = re.compile(r"(WEBVTT|NOTE|STYLE|REGION)(\s|$)")
_VOICE = re.compile(r"<v(?:\.[^\s>]+)?\s+([^>]*)>")
_ASS_TIME = re.compile(r"\s*\d{1,2}:[0-5]?\d:[0-5]?\d[.,]\d{1,3}\s*")
_ASS_EVENT = re.compile(r"\s*(dialogue|comment)\b", re.IGNORECASE)
_ASS_OTHER = re.compile(r"\s*(;|!:|(Picture|Sound|Movie|Command):)")
_ASS_FIELDS = 10  # of an event, the last is its text
_ASS_COLUMNS = re.compile(
    r"(layer|marked),start,end,style,(name|actor),marginl,marginr,marginv,effect,text"
)


class _Cue(NamedTuple):
    row: int  # of the file, where its times are; from 1
    no: str
    event: "SSAEvent"


def read_cues(path: Path, asked: Asked) -> ScriptContent:
    """Read the cues of subtitles; a `content.Reader`.

    Args:
        path: .srt, .vtt, .ass or .ssa.
        asked: what is asked; subtitles have no columns and no episodes.

    Returns:
        A line a cue with text; comments are left out, and with a warning drawings and cues without text.

    Raises:
        ScriptError: a cue that is malformed, ends before it starts, or is of several voices.
    """
    kind = path.suffix.lower()
    content = read_text(path, ScriptError)
    rows = content.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    cues = _substation(path, rows) if kind in (".ass", ".ssa") else _blocks(path, rows)
    lines, drawings = [], []
    for number, cue in enumerate(cues, 1):
        name, text = _spoken(path, cue, kind)
        start, end = cue.event.start / 1000, cue.event.end / 1000
        if not text and cue.event.is_drawing:
            drawings.append(str(cue.row))
            continue
        if text and end <= start:
            raise ScriptError(
                f"{path}, line {cue.row}: the cue ends at {end} s but starts at {start} s; fix its times"
            )
        lines.append(
            Line(Place("cue", number), text, character=name, no=cue.no, start=start, end=end)
        )
    warnings = list[Message]()
    if drawings:
        warnings.append(message("script.drawings", file=path, places=", ".join(drawings)))
    textless = [line.no for line in lines if not line.text]
    warnings += textless_warning(path, message("script.cues"), textless)
    return ScriptContent([line for line in lines if line.text], warnings)


def _spoken(path: Path, cue: _Cue, kind: str) -> tuple[str, str]:
    """Who says a cue, and what."""
    name, text = cue.event.name, cue.event.text
    if kind in (".ass", ".ssa"):
        from pysubs2.formats.substation import parse_tags

        text = "".join(part for part, style in parse_tags(text) if not style.drawing)
    elif kind == ".vtt":
        voices = [*dict.fromkeys(one_line(html.unescape(name)) for name in _VOICE.findall(text))]
        if len(voices) > 1:
            raise ScriptError(
                f"{path}, line {cue.row}: cue {cue.no} is of several voices, {', '.join(voices)}; part "
                "it into a cue each"
            )
        name = voices[0] if voices else ""
        text = html.unescape(re.sub(r"<[^>]*>", "", text))
    else:
        text = re.sub(r"\{\\[^}]*\}", "", text)  # {\an8} is a mark, {웃음} is text
    return one_line(name), one_line(re.sub(r"\\[Nnh]", " ", text))


def _blocks(path: Path, rows: list[str]) -> Iterator[_Cue]:
    """The cues of SRT or VTT, each given to pysubs2 by itself.

    Of a whole file it would take notes, names of cues, cues whose times are malformed, and last lines
    that are a number for something else, and say nothing.
    """
    import pysubs2

    kind = path.suffix.lower()
    times = re.compile(rf"\s*{_STAMPS[kind]}\s*-->\s*{_STAMPS[kind]}{_SETTINGS}\s*")
    if kind == ".vtt" and not rows[0].startswith("WEBVTT"):
        raise ScriptError(f"{path}, line 1: not readable as vtt; its first line must be WEBVTT")
    count = 0
    for blank, group in itertools.groupby(enumerate(rows, 1), lambda row: not row[1].strip()):
        block = [*group]
        arrows = [i for i, (_, row) in enumerate(block) if _ARROW in row]
        if blank or (kind == ".vtt" and not arrows and _VTT_ASIDES.match(block[0][1])):
            continue
        first = block[0][0]
        if (
            not arrows
            or arrows[0] > 1
            or (kind == ".srt" and arrows[0] and not _is_no(block[0][1]))
        ):
            raise ScriptError(
                f"{path}, line {first}: a cue begins here, but not with a number and its times "
                f"({_EXAMPLES[kind]}); give it times, or remove the empty line above if it goes on"
            )
        if len(arrows) > 1:
            raise ScriptError(
                f"{path}, line {block[arrows[1]][0]}: times within a cue; put an empty line before it"
            )
        (row, timing), text = block[arrows[0]], [row for _, row in block[arrows[0] + 1 :]]
        stamps = times.fullmatch(timing)
        if not stamps:
            raise ScriptError(
                f"{path}, line {row}: “{timing.strip()}” are no times; write {_EXAMPLES[kind]}"
            )
        count += 1
        # The last number is for pysubs2 to take away: it would else take one that is said.
        whole = "\n".join((str(count), " --> ".join(stamps.groups()), *text, "", "0", ""))
        events = pysubs2.SSAFile.from_string(whole, kind[1:], keep_html_tags=kind == ".vtt").events
        if len(events) != 1:
            raise ScriptError(f"{path}, line {row}: its text looks like times; write them in words")
        yield _Cue(row, block[0][1].strip() if arrows[0] else str(count), events[0])


def _is_no(row: str) -> bool:
    return row.strip().isdecimal()


def _substation(path: Path, rows: list[str]) -> Iterator[_Cue]:
    """The events of ASS or SSA that are no comments."""
    import pysubs2

    kind, places = path.suffix.lower()[1:], []
    events = False
    for number, row in enumerate(rows, 1):
        place = f"{path}, line {number}"
        if row.strip().startswith("["):
            events = row.strip().lower() == "[events]"
        elif events and row.strip().lower().startswith("format:"):
            columns = "".join(row.lower().split()).removeprefix("format:")
            if not _ASS_COLUMNS.fullmatch(columns):
                raise ScriptError(
                    f"{place}: events of other columns than {kind}'s; save it again from Aegisub"
                )
        elif _ASS_EVENT.match(row):
            fields = row.partition(":")[2].split(",", _ASS_FIELDS - 1)
            if not events or not row.strip().startswith(("Dialogue:", "Comment:")):
                raise ScriptError(
                    f"{place}: not below [Events], or not written “Dialogue:”; save it again from Aegisub"
                )
            if len(fields) < _ASS_FIELDS or not all(map(_ASS_TIME.fullmatch, fields[1:3])):
                raise ScriptError(
                    f"{place}: not an event of {_ASS_FIELDS} fields with times such as 0:00:01.00; fix it"
                )
            places.append(number)
        elif events and row.strip() and not _ASS_OTHER.match(row):
            raise ScriptError(f"{place}: not an event; join it to the line above with \\N")
    try:
        cues = pysubs2.SSAFile.from_string("\n".join(rows), kind).events
    except Exception as error:  # of a malformed style pysubs2 lets through what it met
        raise ScriptError(
            f"{path}: not readable as {kind}; save it again ({one_line(str(error))})"
        ) from None
    if len(cues) != len(places):
        raise ScriptError(
            f"{path}: {len(places)} events but {len(cues)} readable; save it again from Aegisub"
        )
    spoken = [(row, cue) for row, cue in zip(places, cues, strict=True) if not cue.is_comment]
    for count, (at, cue) in enumerate(spoken, 1):
        yield _Cue(at, str(count), cue)
