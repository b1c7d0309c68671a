"""Tables as studios keep them: rows of typed cells, with what a spreadsheet shows of them."""

import csv
import datetime
import io
import itertools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from moksori.config import Seconds
from moksori.delimited import even_ends, quoted, usual_width
from moksori.errors import ScriptError
from moksori.files import read_text
from moksori.messages import Message, message
from moksori.timecode import Notation

Value = str | float | datetime.datetime | datetime.date | datetime.time | datetime.timedelta | None
_TIMES = (datetime.date, datetime.time, datetime.timedelta)  # a datetime is a date
_DAY = datetime.timedelta(days=1)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_ERRORS = ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#SPILL!", "#CALC!")
_DELIMITERS = ",;\t|"
_MAX_COLUMNS = 16384  # of a sheet
_TRIED = 50  # rows by which the delimiter is found


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table.

    Attributes:
        value: it holds.
        format: that a workbook shows it in.
        fault: why its value is not known, and the fix; None if it is.
        held: the value is that of the merged cell, which begins in a row above.
        width: columns that the merged cell covers, if it begins here.
        struck: all that it says is struck through.
        cut: the parts that are struck through where others are not; the value is the others.
        raised: parts in superscript or subscript; they are of the value too.
        looks: its fill and the colours of its text, where they are not the usual ones.
        asides: what a document holds beside its text, each by the code of the message that reports it:
            comments, footnotes, what was deleted, inserted or hidden.
    """

    value: Value = None
    format: str = ""
    fault: Message | None = None
    held: bool = False
    width: int = 1
    struck: bool = False
    cut: str = ""
    raised: str = ""
    looks: str = ""
    asides: tuple[tuple[str, str], ...] = ()

    @property
    def own(self) -> bool:
        """Whether something is written just here."""
        return not self.held and bool(self.text or self.fault)

    @property
    def is_time(self) -> bool:
        """Whether it is a time or a date, which a workbook makes of what looks like one."""
        return isinstance(self.value, _TIMES)

    @property
    def text(self) -> str:
        """What it says, as one line."""
        if isinstance(self.value, bool):
            return str(self.value).upper()
        if isinstance(self.value, float):
            return f"{self.value:.15g}"  # as many digits as a workbook keeps
        if isinstance(self.value, int) and self.format and not self.format.strip("0"):
            return str(self.value).zfill(len(self.format))  # 7 in the format 0000 is shown as 0007
        return one_line("" if self.value is None else str(self.value))

    def seconds(self, notation: Notation) -> Seconds | None:
        """The time that it says; None if it is empty, or has to be asked first.

        Raises:
            ScriptError: no time, or one that can be meant in two ways.
        """
        value = self.value
        if self.is_time and "s" not in re.sub(r'\[\$[^]]*]|"[^"]*"', "", self.format.lower()):
            raise ScriptError.of("time.no_seconds", text=self.text)
        if isinstance(value, datetime.datetime):
            value = value.time()
        if isinstance(value, datetime.time):
            value = datetime.datetime.combine(datetime.date.min, value) - datetime.datetime.min
        if isinstance(value, datetime.timedelta):
            if not 0 * _DAY <= value < _DAY:
                raise ScriptError.of("time.beyond_day", text=value)
            return value.total_seconds()
        if isinstance(value, int | float) and not isinstance(value, bool):
            if not 0 <= value < 1:
                raise ScriptError.of("time.number", text=self.text)
            return round(value * _DAY.total_seconds(), 3)
        return notation.seconds(self.text) if self.text else None


BLANK = Cell()


class Table(NamedTuple):
    """A sheet, a file of delimited text, or a table of a document.

    Attributes:
        title: of the sheet; "" of text.
        rows: that hold something, by their numbers.
        hidden: the sheet is not shown.
        hidden_rows: numbers of rows that are not shown.
        hidden_columns: that are not shown, from 0.
        comments: on cells, by row and column, from 1 and from 0.
        overlays: pictures or shapes lie upon it.
        rules: formats that depend on a rule strike text through.
        changed: changes were recorded, such as deleted rows; the table is as it is with all of them.
        number: of a document's table, from 1; 0 of others.
    """

    title: str
    rows: list[tuple[int, list[Cell]]]
    hidden: bool = False
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    comments: Mapping[tuple[int, int], str] = {}
    overlays: bool = False
    rules: bool = False
    changed: bool = False
    number: int = 0

    @property
    def name(self) -> Message:
        """How messages call it: the title of a sheet, or the number of a document's table."""
        if self.number:
            return message("script.table", number=self.number)
        return message("plain", text=one_line(self.title))

    def column(self, index: int) -> str:
        """How the table's program calls a column: C; of text, 3."""
        if not self.title:
            return str(index + 1)
        from openpyxl.utils import get_column_letter

        return str(get_column_letter(index + 1))

    def index_of(self, name: str) -> int | None:
        """Of a column that is called by its letter or its number; None if that is no such name."""
        from openpyxl.utils import column_index_from_string

        if name.isdecimal() and 0 < int(name) <= _MAX_COLUMNS:
            return int(name) - 1
        with suppress(ValueError):
            return int(column_index_from_string(name.upper())) - 1
        return None

    def cell(self, row: int, column: int) -> Message:
        """How the table's program calls a cell: 1화!C12; of text, row 12, cell 3; table 2, row 12, cell 3."""
        if self.number:
            place = {"table": self.number, "row": row, "cell": column + 1}
            return message("script.table_cell", **place)
        if not self.title:
            return message("script.cell", row=row, cell=column + 1)
        return message("plain", text=f"{self.title}!{self.column(column)}{row}")


def one_line(text: str) -> str:
    """Join lines by a space; control characters and spaces of all kinds are one."""
    return " ".join(_CONTROL.sub(" ", text).split())


Merge = tuple[int, int, int, int]
"""A merged cell: its first column and row, its last column and row, all from 1."""


def merged(rows: dict[int, list[Cell]], merges: Iterable[Merge]) -> list[tuple[int, list[Cell]]]:
    """Rows by their numbers, in order; of a merged cell the rows below its first hold its value.

    Its other columns are blank: what a merge covers is not shown.
    """
    numbers = sorted(rows)
    for left, top, right, bottom in merges:
        first = rows.get(top, [])
        head = first[left - 1] if left <= len(first) else BLANK
        for number in numbers[bisect_left(numbers, top) : bisect_right(numbers, bottom)]:
            row = rows[number]
            if number > top and left > len(row):
                row += [BLANK] * (left - len(row))
            for column in range(left - 1, min(right, len(row))):
                row[column] = BLANK
            if number > top:
                row[left - 1] = replace(head, held=True)
            elif left <= len(row):
                row[left - 1] = replace(head, width=right - left + 1)
    return [(number, rows[number]) for number in numbers]


def error_value(text: str) -> Message:
    """Why a cell that shows an error has no value."""
    return message("script.error_value", value=text)


def read_delimited(path: Path) -> Table:
    """Read text whose cells are separated by commas, semicolons, tabs or bars, whichever fits.

    Where tabs separate them, quotation marks that quote no cells are text.

    Raises:
        ScriptError: not a table, or a file that cannot be read.
    """
    text = even_ends(read_text(path, ScriptError, keep_ends=True))
    first, end, rest = text.partition("\n")
    hint = re.fullmatch(r"sep=(.)\r?", first)  # Excel's own hint
    delimiter = (
        hint[1] if hint else _delimiter(text, "\t" if path.suffix.lower() == ".tsv" else ",")
    )
    body = end + rest if hint else text
    try:
        rows = quoted(path, body, delimiter, ScriptError)
    except ScriptError:  # Google Sheets and people write tabs without quoting: the marks are text
        rows = [row.removesuffix("\r").split("\t") for row in body.split("\n")]
        if delimiter != "\t" or _broken(rows):
            raise
    table = [(number, [_typed(cell) for cell in row]) for number, row in enumerate(rows, 1)]
    return Table("", [(number, row) for number, row in table if any(cell.own for cell in row)])


def _broken(rows: list[list[str]]) -> bool:
    """Whether rows go on in the next: below the first that is as wide as most, one has a single cell."""
    width, _ = usual_width(rows)
    below = itertools.dropwhile(lambda row: len(row) < width, rows)
    return width < 2 or any(len(row) == 1 and row[0].strip() for row in below)


def _delimiter(text: str, usual: str) -> str:
    """By which most of the first rows have the same number of cells."""

    def fits(delimiter: str) -> tuple[int, bool]:
        lines = io.StringIO(text, newline="")
        try:
            rows = [*itertools.islice(csv.reader(lines, delimiter=delimiter), _TRIED)]
        except csv.Error:
            return 0, delimiter == usual
        width, count = usual_width(rows)
        return count * (width > 1), delimiter == usual

    return max(_DELIMITERS, key=fits)


def _typed(text: str) -> Cell:
    return Cell(fault=error_value(text.strip())) if text.strip() in _ERRORS else Cell(text)
