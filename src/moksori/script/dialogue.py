"""Paragraphs of a document, or rows of a text, to lines: `name: line`, or a name, a tab and the line.

Headings are scenes.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from moksori.config import MAX_CHARACTERS, Seconds
from moksori.errors import ScriptError
from moksori.messages import Message, message
from moksori.script.content import Asked, Fault, ScriptContent, joined
from moksori.script.headers import fold
from moksori.script.line import Line, Place
from moksori.script.names import visible
from moksori.script.rich import Paragraph
from moksori.script.tables import one_line
from moksori.script.times import Written, find_timing
from moksori.timecode import Notation

_NAMED, _TEXT = 8, 24  # what a message cites, and how much of it
_SCENE = re.compile(
    r"\W{0,2}(?:(?:S\s*#|씬|신|장면|scene|sc\.?)\s*\d+.{0,60}|#\s*\d+[^:：]{0,60}"
    r"|제?\s*\d+\s*[장화막](?:\W.{0,60})?)",
    re.IGNORECASE,
)
_CLOCK = r"\d{1,2}[:;.]\d{2}[:;.]\d{2}(?:[:;.,]\d{1,3})?|\d{1,2}:\d{2}(?:[.,]\d{1,3})?"
_LEAD = (
    r"(?:\#?(?P<no>\d{1,5})[.)]?[ \t]+)?"
    rf"(?:[\[(<]?(?P<start>{_CLOCK})(?:\s*(?:-->|[-–—~∼〜～→])\s*(?P<end>{_CLOCK}))?[\])>]?[ \t]*)?"
)
_ROW = re.compile(
    rf"\s*{_LEAD}(?:\[(?P<boxed>[^\[\]:：\t]{{1,30}})\]\s*[:：]?\s*|(?P<name>[^\s:：][^:：\t]{{0,30}}?)"
    r"(?:(?:\s*(?<!\d)[:：](?!//)|\s*[:：](?![\d/]))|(?P<space> *\t| {3,}))\s*)(?P<said>\S.*)"
)
_SENTENCE = re.compile(r"[.?!…,~\"“”]|^\(")
_LONGEST_NAME = 20  # characters; before a tab alone 12
_INDENTED = re.compile(r"(?:\t| {4}|\u3000{2})")


class _Said(NamedTuple):
    """One row of a paragraph that somebody says."""

    place: Place  # of the paragraph
    name: str
    no: str
    times: tuple[str, str]
    rows: list[str]
    scene: str


@cache
def _about() -> frozenset[str]:
    """What stands before a colon and says nothing: the title, the writer, the place."""
    table = tomllib.loads(
        (files("moksori") / "script" / "headers.toml").read_text(encoding="utf-8")
    )
    return frozenset(table["about"]["names"])


def heading(paragraph: Paragraph) -> str:
    """The scene that a paragraph names; "" if it names none."""
    text, written = paragraph.cell.text, str(paragraph.cell.value or "").strip()
    if paragraph.cell.struck or "\n" in written or ("\t" in written and not paragraph.level):
        return ""
    return text if paragraph.level or _SCENE.fullmatch(visible(text)) else ""


def label(paragraph: Paragraph) -> str:
    """The name before a colon with which a paragraph begins; "" if it begins with none."""
    match = _matched(str(paragraph.cell.value or "").partition("\n")[0])
    return one_line(match["name"] or "") if match and not match["space"] else ""


def names_in(paragraphs: Iterable[Paragraph]) -> Counter[str]:
    """How often each name stands before a colon; "" never."""
    names = Counter(map(label, paragraphs))
    del names[""]
    return names


def cited(paragraphs: Sequence[Paragraph]) -> Message:
    """Paragraphs as messages name them, by their first words."""
    named = [
        message("script.cites", where=one.place.message, text=_short(one.cell.text))
        for one in paragraphs[:_NAMED]
    ]
    if (more := len(paragraphs) - _NAMED) > 0:
        named.append(message("script.more_faults", number=more))
    return joined(named)


def _short(text: str) -> str:
    return text if len(text) <= _TEXT else f"{text[:_TEXT]}…"


def read_dialogue(path: Path, paragraphs: Sequence[Paragraph], asked: Asked) -> ScriptContent:
    """The lines of a document's paragraphs, and what else stands in them.

    Args:
        path: of the document.
        paragraphs: outside its tables.
        asked: what is asked; times only if they are.
    """
    said, others, about = _said(paragraphs)
    struck = [one for one in paragraphs if one.cell.struck]
    places = {one.place for one in said if "\t" in one.rows[0].strip()}
    tabbed = [one for one in paragraphs if one.place in places]
    timed = {"start", "end"} <= {*asked.only}
    written = [
        Written(one.place.message, text)
        for one in said for text in one.times if text and timed
    ]  # fmt: skip
    titles = [[one.cell.text] for one in [*about, *others]]
    timing = find_timing(path, written, asked.frame_rate, titles)
    lines, faults = list[Line](), list[Fault]()
    for one in said:
        line, wrong = _line(one, timing.notation if timed else None)
        lines.append(line)
        faults += [Fault(line.place, line.place.message, why) for why in wrong]
    warnings = [*timing.warnings, *asides(path, paragraphs)]
    for code, left in (
        ("script.struck_paragraphs", struck), ("script.about", about), ("script.prose", others),
        ("script.tabs_spoken", tabbed),
    ):  # fmt: skip
        if left and said:
            warnings.append(message(code, file=path, number=len(left), cites=cited(left)))
    return ScriptContent(
        lines, warnings, faults, [_understood(path, said, paragraphs)] if said else [], timing.question,
        timing.notation.frame_rate,
    )  # fmt: skip


def _said(paragraphs: Sequence[Paragraph]) -> tuple[list[_Said], list[Paragraph], list[Paragraph]]:
    """What is said, the paragraphs that nobody says, and those that tell of the script."""
    said, others, about = list[_Said](), list[Paragraph](), list[Paragraph]()
    scene, last = "", ""  # how the name before was set off
    for paragraph in paragraphs:
        if paragraph.cell.struck or not paragraph.cell.text:
            continue
        if found := heading(paragraph):
            scene, last = found, ""
            continue
        rows = str(paragraph.cell.value).split("\n")
        left = False
        for at, row in enumerate(rows):
            if not row.strip():
                continue
            if match := _matched(row):
                name = one_line(match["boxed"] or match["name"])
                if fold(name) in _about():
                    about.append(paragraph)
                    last = ""
                    continue
                times = match["start"] or "", match["end"] or ""
                no = match["no"] or ""
                said.append(_Said(paragraph.place, name, no, times, [match["said"]], scene))
                last = "space" if match["space"] else "colon"
            elif (
                said
                and last
                and (
                    (at and said[-1].place == paragraph.place)
                    or (last == "space" and _INDENTED.match(row))
                )
            ):
                said[-1].rows.append(row)
            else:
                left = True
        if left:
            others.append(paragraph)
            last = ""
    return said, others, about


def _matched(row: str) -> re.Match[str] | None:
    """A row that begins with somebody's name."""
    match = _ROW.fullmatch(visible(row.replace("\u3000", "   ")))
    return match if match and _is_name(match) else None


def _is_name(match: re.Match[str]) -> bool:
    """Whether what stands before the line can be a name, and no sentence."""
    name = one_line(match["boxed"] or match["name"])
    longest = 12 if match["space"] else _LONGEST_NAME
    bare = re.sub(r"(?<=.)\([^()]*\)", "", name)  # (V.O.)
    return 0 < len(name) <= longest and not _SENTENCE.search(bare) and any(map(str.isalpha, name))


def _line(said: _Said, notation: Notation | None) -> tuple[Line, list[Message]]:
    """A line, and what is wrong with it."""
    faults, times = list[Message](), list[Seconds | None]()
    for text in said.times:
        try:
            times.append(notation.seconds(text) if text and notation else None)
        except ScriptError as error:
            times.append(None)
            faults.append(error.message)
    start, end = times
    if start is not None and end is not None and end <= start:
        faults.append(message("script.cue_ends_first", start=said.times[0], end=said.times[1]))
    text = one_line(" ".join(said.rows))
    if len(text) > MAX_CHARACTERS:
        faults.append(message("script.whole_page", number=len(text)))
    line = Line(
        said.place, text[:MAX_CHARACTERS], character=said.name, no=said.no,
        start=start, end=end, scene=said.scene, rows=tuple(said.rows),
    )  # fmt: skip
    return line, faults


def _understood(path: Path, said: Sequence[_Said], paragraphs: Sequence[Paragraph]) -> Message:
    counts = Counter(one.name for one in said)
    names = ", ".join(f"{name} ({number})" for name, number in counts.most_common(30))
    scenes = [*dict.fromkeys(filter(None, map(heading, paragraphs)))]
    titles = ", ".join(_short(scene) for scene in scenes[:_NAMED]) + ", …" * (len(scenes) > _NAMED)
    return message(
        "script.dialogue", file=path, lines=len(said), names=names + ", …" * (len(counts) > 30),
        scenes=message("script.scenes", number=len(scenes), titles=titles) if scenes else 0,
    )  # fmt: skip


def asides(path: Path, paragraphs: Iterable[Paragraph]) -> list[Message]:
    """What stands in paragraphs beside their text, a warning a kind."""
    found: dict[str, list[Message]] = {}
    for one in paragraphs:
        marks = [("script.cut", one.cell.cut), ("script.raised", one.cell.raised), *one.cell.asides]
        for code, text in marks:
            if text:
                where = one.place.message
                found.setdefault(code, []).append(
                    message("script.cites", where=where, text=_short(text))
                )
    notice = list[Message]()
    for code, cells in found.items():
        more = [message("script.more_faults", number=len(cells) - 20)] * (len(cells) > 20)
        notice.append(message(code, place=path, cells=joined([*cells[:20], *more])))
    return notice
