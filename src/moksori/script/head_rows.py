"""The header of a table: the row, or the two rows, that name its columns."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from moksori.messages import Message, message
from moksori.script.headers import Meaning, fold, meaning
from moksori.script.tables import BLANK, Cell, Table

TITLES_WITHIN = 20  # rows; titles may stand above it
_LONGEST = 40  # characters of a column's name
_TEXT = 24  # characters of a cell that stands for its column
_SENTENCE = re.compile(r"[.?!…]$")
_NUMBER = re.compile(r"[\d:;.,\s-]+")


class Head(NamedTuple):
    """The header of one column."""

    text: str  # as written, of two rows both
    own: str  # what the lower of two rows says; else the same
    width: int = 1  # columns that it is merged over

    @property
    def names(self) -> frozenset[str]:
        """What the column may be called when it is asked for."""
        return frozenset({fold(self.text), fold(self.own)} - {""})

    @property
    def meaning(self) -> Meaning | None:
        """What it says: of two rows the lower one, or both together."""
        own, whole = meaning(self.own), meaning(self.text)
        if own and whole and own.weak and own.key == whole.key == "line":
            return whole._replace(kind=own.kind or whole.kind)  # 한글 below 대사
        return own or whole


class Header(NamedTuple):
    """The rows that name a table's columns.

    Attributes:
        first: number of its first row.
        last: number of its last row; lines stand below it.
        heads: of all columns, in order.
        sample: cells of the first row of lines, which stand for their columns where there is no header.
    """

    first: int
    last: int
    heads: list[Head]
    sample: Sequence[Cell] = ()

    @classmethod
    def unknown(cls, last: int, cells: list[Cell], data: bool | None) -> "Header":
        """Of a table without a known header: its first row is one of lines, or names that nobody knows."""
        if data is False:
            return cls(last, last, [Head(cell.text, cell.text, cell.width) for cell in cells])
        return cls(0, last, [], cells)

    def called(self, table: Table, index: int) -> Message:
        """A column as messages name it: “대사” (C)."""
        where = table.column(index)
        head = self.heads[index].text if index < len(self.heads) else ""
        text = head or (self.sample[index].text if index < len(self.sample) else "")
        if not text:
            return message("plain", text=where)
        short = text if len(text) <= _TEXT else f"{text[:_TEXT]}…"
        return message("script.called" if head else "script.sampled", head=short, where=where)

    def repeats(self, cells: Sequence[Cell]) -> bool:
        """Whether a row says the header once more, as at the top of a page."""
        own = [(i, fold(cell.text)) for i, cell in enumerate(cells) if cell.own]
        return bool(own) and all(
            i < len(self.heads) and text in self.heads[i].names for i, text in own
        )


NO_HEADER = Header(0, 0, [])


def find_header(table: Table, asked: Sequence[str]) -> Header | None:
    """The row, or the two rows, among a table's first that names most columns; None if none does.

    Args:
        table: whose header is looked for.
        asked: names of columns that are asked for.
    """
    rows = [(number, cells) for number, cells in table.rows if number <= TITLES_WITHIN]
    several = next((n for n, cells in rows if sum(c.own for c in cells) > 1), 0)
    wanted = {fold(name) for name in asked}
    scored = [
        (score, header.first - header.last, -header.first, header)
        for at in range(len(rows))
        for header in _candidates(rows, at)
        if (score := _score(header, wanted, header.first == several))
    ]
    return max(scored, key=lambda one: one[:3])[3] if scored else None


def _candidates(rows: Sequence[tuple[int, list[Cell]]], at: int) -> Iterator[Header]:
    """The header that begins with a row: the row, and with the one below it if that has nothing but names."""
    (number, cells), *below = rows[at : at + 2]
    if any(cell.own and not _is_name(cell) for cell in cells):
        return
    yield Header(number, number, [Head(cell.text, cell.text, cell.width) for cell in cells])
    for next_number, under in below:
        own = [cell for cell in under if cell.own]
        if own and next_number == number + 1 and all(_is_name(c) and meaning(c.text) for c in own):
            yield Header(number, next_number, _of_two(cells, under))


def _of_two(top: Sequence[Cell], under: Sequence[Cell]) -> list[Head]:
    """Heads of two rows; a name of the upper one holds for what stands below and right of it."""
    heads, group = list[Head](), ""
    for i in range(max(len(top), len(under))):
        upper, lower = (row[i] if i < len(row) else BLANK for row in (top, under))
        beneath = lower.text if lower.own else ""
        group = upper.text or (group if beneath else "")
        width = (lower if beneath else upper).width
        heads.append(Head(f"{group} {beneath}".strip(), beneath or group, width))
    return heads


def _is_name(cell: Cell) -> bool:
    """Whether a cell may be a column's name."""
    text = cell.text
    return isinstance(cell.value, str) and len(text) <= _LONGEST and not _NUMBER.fullmatch(text)


def _score(header: Header, wanted: set[str], is_first: bool) -> float:
    """How many columns it names; 0 if it is none."""
    there = [head for head in header.heads if head.text]
    asked = {name for head in there for name in head.names & wanted}
    keys = {found.key for head in there if (found := head.meaning)}
    if not keys and not asked:
        return 0
    if len(there) == 1:  # as likely a title as the name of the only column
        return 0.5 if "line" in keys or asked else 0
    known = len(keys) + len(asked)
    if "line" in keys or asked:
        return known + 0.5
    sentences = any(_SENTENCE.search(head.text) for head in there)
    return 0 if sentences or (known < 2 and not is_first) else known
