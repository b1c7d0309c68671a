"""Who speaks within one text: labels before it (`[하나]`, `하나:`) and the dashes of dialogue."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from moksori.messages import Message, message
from moksori.script.content import joined
from moksori.script.line import Line
from moksori.script.names import visible
from moksori.script.tables import one_line

_DASH = re.compile(r"\s*[-‐‑–－−]\s*(?=[^\s\d])")
_NAME = r"[^\s:：\[\](){}<>【】][^:：\[\]{}<>【】\n]{0,30}?"
_COLON = rf"({_NAME})\s*[:：](?!\d)"
_BRACKETS = (
    r"[\[(【<〈（［]\s*([^\[\]()【】<>〈〉（）［］:：\n]{1,30}?(?:\([^()\n]{1,10}\))?)\s*"
    r"[\])】>〉）］]\s*[:：]?"
)
LABEL = re.compile(rf"\s*(?:[-‐‑–－−]\s*)?(?:{_BRACKETS}|{_COLON})\s*(?=\S)")
_LATER = re.compile(rf"(?<=[.?!…~。？！\"”’])\s+(?:[-‐‑–－−]\s*)?(?:{_BRACKETS}|{_COLON})\s*(?=\S)")


class Speech(NamedTuple):
    """What one person says of a text."""

    name: str  # "" if it does not say who
    rows: tuple[str, ...]


class Label(NamedTuple):
    """A name that may stand before what is said."""

    name: str
    bracketed: bool  # it may be directions
    begin: int
    end: int


def by_dashes(rows: Sequence[str]) -> list[Speech]:
    """Rows parted where dashes begin what another says; one part if there is one speaker."""
    dashed = [bool(_DASH.match(row)) for row in rows]
    if not any(dashed[1:]):
        return [Speech("", tuple(rows))]
    parts: list[list[str]] = []
    for row, begins in zip(rows, dashed, strict=True):
        if begins or not parts:
            parts.append([])
        parts[-1].append(_DASH.sub("", row, count=1) if begins else row)
    return [Speech("", tuple(part)) for part in parts if any(map(str.strip, part))] or [
        Speech("", tuple(rows))
    ]


def labels(row: str) -> list[Label]:
    """What may be labels in a row: at its beginning, and after the end of a sentence."""
    shown = visible(row)
    found = [LABEL.match(shown), *_LATER.finditer(shown)]
    return [
        Label(one_line(match[1] or match[2]), match[1] is not None, match.start(), match.end())
        for match in found
        if match
    ]


def parted(line: Line, speeches: Sequence[Speech]) -> list[Line]:
    """A line as the lines that its speakers say, all at its place."""
    parts = [
        replace(
            line, text=one_line(" ".join(speech.rows)), character=one_line(speech.name),
            rows=speech.rows,
        )
        for speech in speeches
    ]  # fmt: skip
    if len(parts) > 1 and line.no:
        parts = [replace(part, no=f"{line.no}-{number}") for number, part in enumerate(parts, 1)]
    return parts


def several_speakers(speeches: Sequence[Speech]) -> Message:
    """The fault of a text that several people say.

    Where in it the next begins nobody knows, and one recording cannot be two people's.
    """
    names = [
        message("plain", text=name) if (name := _who(speech)) else message("script.somebody")
        for speech in speeches
    ]
    return message("script.several_speakers", names=joined(names, "script.and"))


def _who(speech: Speech) -> str:
    """Whose a speech is, as far as its name or a label before it says."""
    if speech.name:
        return one_line(speech.name)
    return next((label.name for label in labels(speech.rows[0]) if not label.begin), "")
