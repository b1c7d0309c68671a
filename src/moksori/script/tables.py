"""Tables as studios keep them, workbooks and delimited text: rows of typed cells."""

import csv
import datetime
import io
import re
import shutil
import warnings
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from moksori.config import Seconds
from moksori.errors import ScriptError
from moksori.files import read_text
from moksori.messages import Message, message
from moksori.timecode import FrameRate, parse_time

Value = str | float | datetime.datetime | datetime.date | datetime.time | datetime.timedelta | None
_TIMES = (datetime.date, datetime.time, datetime.timedelta)  # a datetime is a date
_DAY = datetime.timedelta(days=1)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_OLE = bytes.fromhex(
    "D0CF11E0A1B11AE1"
)  # what Office wraps a protected file in, and an old .xls is
_MAX_UNPACKED = 300_000_000  # bytes
_MAX_RATIO = 200  # of an entry larger than a megabyte
_ERRORS = ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#SPILL!", "#CALC!")
_UNSAVED = message("script.unsaved_formula")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table.

    Attributes:
        value: it holds.
        format: that a workbook shows it in.
        fault: why its value is not known, and the fix; None if it is.
        held: the value is that of the merged cell, which begins in a row above.
        width: columns that the merged cell covers, if it begins here.
    """

    value: Value = None
    format: str = ""
    fault: Message | None = None
    held: bool = False
    width: int = 1

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

    def seconds(self, frame_rate: FrameRate | None) -> Seconds | None:
        """The time that it says; None if it is empty.

        Raises:
            ScriptError: no time, or one that can be meant in two ways.
        """
        value = self.value
        if self.is_time and "s" not in re.sub(r'\[\$[^]]*]|"[^"]*"', "", self.format.lower()):
            raise ScriptError(
                f"a time of day in hours and minutes ({self.text}); write it with its seconds, 0:00:05"
            )
        if isinstance(value, datetime.datetime):
            value = value.time()
        if isinstance(value, datetime.time):
            value = datetime.datetime.combine(datetime.date.min, value) - datetime.datetime.min
        if isinstance(value, datetime.timedelta):
            if not 0 * _DAY <= value < _DAY:
                raise ScriptError(f"not a time within a day ({value}); write it as 0:00:05")
            return value.total_seconds()
        if isinstance(value, int | float) and not isinstance(value, bool):
            if not 0 <= value < 1:
                raise ScriptError(
                    f"{self.text} is a number, in days or in seconds? format the cell as text and write "
                    "0:00:05"
                )
            return round(value * _DAY.total_seconds(), 3)
        return parse_time(self.text, frame_rate) if self.text else None


BLANK = Cell()


class Table(NamedTuple):
    """A sheet, or a file of delimited text."""

    title: str  # of the sheet; "" of text
    rows: list[tuple[int, list[Cell]]]  # that hold something, by their numbers
    hidden: bool = False  # the sheet is not shown

    def cell(self, row: int, column: int) -> Message:
        """How the table's program calls a cell: 1화!C12; of text, row 12, cell 3."""
        if not self.title:
            return message("script.cell", row=row, cell=column + 1)
        from openpyxl.utils import get_column_letter

        return message("plain", text=f"{self.title}!{get_column_letter(column + 1)}{row}")


def one_line(text: str) -> str:
    """Join lines by a space; control characters and spaces of all kinds are one."""
    return " ".join(_CONTROL.sub(" ", text).split())


def read_delimited(path: Path, delimiter: str) -> Table:
    """Read text whose cells are parted by `delimiter`.

    Raises:
        ScriptError: not a table, or a file that cannot be read.
    """
    table = csv.reader(
        io.StringIO(read_text(path, ScriptError), newline=""), delimiter=delimiter, strict=True
    )
    try:
        rows = [(number, [_typed(cell) for cell in row]) for number, row in enumerate(table, 1)]
    except csv.Error as error:
        raise ScriptError(
            f"{path}, line {table.line_num}: not a table ({error}); is a quotation mark open?"
        ) from None
    return Table("", [(number, row) for number, row in rows if any(cell.own for cell in row)])


def _typed(text: str) -> Cell:
    return Cell(fault=_error_value(text.strip())) if text.strip() in _ERRORS else Cell(text)


def _error_value(text: str) -> Message:
    return message("script.error_value", value=text)


def read_workbook(path: Path) -> list[Table]:
    """Read all sheets of an .xlsx or .xlsm; formulas by the results that were saved with them.

    Of a merged cell, the rows below its first hold its value; its other columns are blank.

    Raises:
        ScriptError: damaged, protected by a password, or larger than any script when unpacked.
    """
    content = _content(path)
    if content.startswith(_OLE):
        raise ScriptError(
            f"{path}: protected by a password, or an old .xls; save it without one, as .xlsx"
        )
    import openpyxl

    try:
        archive = _unpacked(path, content)
        with zipfile.ZipFile(archive) as parts, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a workbook has beside its cells
            book = openpyxl.load_workbook(archive, read_only=True, data_only=True, keep_links=False)
            return [_sheet(sheet, parts) for sheet in book.worksheets]
    except ScriptError:
        raise
    except Exception as error:  # a damaged zip, XML or cell: openpyxl raises whatever it met
        raise ScriptError(
            f"{path}: not a whole .xlsx file; save it again ({one_line(str(error))})"
        ) from None


def _unpacked(path: Path, content: bytes) -> io.BytesIO:
    """A copy of an archive, each entry of the size that it declares.

    Only then can it be read in one go: zipfile unpacks an entry that lies about its size whole, before it
    looks at how much it may keep. In pieces it stops at the declared size.
    """
    archive = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        entries = source.infolist()
        bloated = any(
            entry.file_size > 1_000_000
            and entry.file_size > _MAX_RATIO * max(1, entry.compress_size)
            for entry in entries
        )
        if bloated or sum(entry.file_size for entry in entries) > _MAX_UNPACKED:
            raise ScriptError(
                f"{path}: far larger unpacked than a script is; copy its lines to a new workbook"
            )
        with zipfile.ZipFile(archive, "w") as copy:
            for entry in entries:
                with source.open(entry) as packed, copy.open(entry.filename, "w") as out:
                    shutil.copyfileobj(packed, out)
    archive.seek(0)
    return archive


def _sheet(sheet: Any, parts: zipfile.ZipFile) -> Table:
    merges, unsaved = _structure(parts, sheet._worksheet_path)  # openpyxl has no public name for it
    sheet.reset_dimensions()  # some programs declare fewer rows than they write
    rows = {}
    for number, cells in enumerate(sheet.iter_rows(), 1):
        row = [_of_workbook(cell, unsaved) for cell in cells]
        while row and not row[-1].own:
            row.pop()
        if row:
            rows[number] = row
    for left, top, right, bottom in merges:
        first = rows.get(top, [])
        head = first[left - 1] if left <= len(first) else BLANK
        for number in range(top, min(bottom, max(rows, default=0)) + 1):
            if number not in rows:
                continue
            row = rows[number]
            if number > top and left > len(row):
                row += [BLANK] * (left - len(row))
            for column in range(left - 1, min(right, len(row))):
                row[column] = BLANK  # what a merge covers is not shown
            if number > top:
                row[left - 1] = replace(head, held=True)
            elif left <= len(row):
                row[left - 1] = replace(head, width=right - left + 1)
    return Table(sheet.title, [*rows.items()], sheet.sheet_state != "visible")


def _of_workbook(cell: Any, unsaved: set[str]) -> Cell:
    if cell.value is None:  # such a cell may have no place
        known = unsaved and hasattr(cell, "row") and cell.row and cell.coordinate in unsaved
        return Cell(fault=_UNSAVED) if known else BLANK
    if cell.data_type == "e":
        return Cell(fault=_error_value(cell.value))
    from openpyxl.utils.escape import unescape

    value = unescape(cell.value) if isinstance(cell.value, str) else cell.value
    return Cell(value, cell.number_format)


def _structure(
    parts: zipfile.ZipFile, name: str
) -> tuple[list[tuple[int, int, int, int]], set[str]]:
    """A sheet's merged cells (left, top, right, bottom; from 1), and its formulas without a result."""
    from openpyxl.utils import range_boundaries

    merges, unsaved = [], set()
    with parts.open(name) as source:
        for _, element in ElementTree.iterparse(source):
            tag = element.tag.rpartition("}")[2]
            if tag == "mergeCell":
                merges.append(range_boundaries(element.attrib["ref"]))
            elif tag == "c" and element.find("{*}f") is not None:
                if not element.findtext("{*}v") and element.get("t") != "str":  # str: it is ""
                    unsaved.add(element.attrib["r"])
            elif tag == "row":
                element.clear()
    return merges, unsaved


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ScriptError(f"{path}: {error.strerror}") from None
