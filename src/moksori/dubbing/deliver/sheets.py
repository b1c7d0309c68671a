"""Tables for people: .xlsx files whose texts stay texts, the same bytes from the same content."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from moksori.files import atomic_path

Cell = str | int | float | None
_FORMULA = ("=", "+", "-", "@")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")  # XML has none of them
_LONGEST = 32767  # characters of a cell


@dataclass(frozen=True)
class Sheet:
    """One sheet of a table.

    Attributes:
        title: on its tab, at most 31 characters.
        headers: of the columns.
        rows: below them; a number that is not finite leaves its cell empty.
        widths: of the columns, in characters.
        formats: Excel's number format of each column, such as 0%; "" for none.
    """

    title: str
    headers: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    widths: Sequence[float]
    formats: Sequence[str] = ()


def save_table(path: Path, sheets: Sequence[Sheet], date: datetime) -> None:
    """Write a workbook whole or not at all: header frozen, filters, texts wrapped and never formulas.

    Args:
        path: of the .xlsx.
        sheets: in their order.
        date: the only one in the file, so that two runs give the same bytes.

    Raises:
        OutputError: the place cannot be written to.
    """
    from openpyxl import Workbook
    from openpyxl.xml.constants import ARC_CORE
    from openpyxl.xml.functions import tostring

    book = Workbook()
    book.remove(book.worksheets[0])
    for sheet in sheets:
        _fill(book.create_sheet(sheet.title), sheet)
    content = BytesIO()
    book.save(content)
    date = date.replace(tzinfo=None, microsecond=0)
    book.properties.created = book.properties.modified = date  # saving has set it to now
    core = tostring(book.properties.to_tree())
    with (
        atomic_path(path) as temporary,
        ZipFile(content) as made,
        ZipFile(temporary, "w") as archive,
    ):
        for name in made.namelist():
            info = ZipInfo(name, date.timetuple()[:6])
            info.compress_type = ZIP_DEFLATED
            archive.writestr(info, core if name == ARC_CORE else made.read(name))


def _fill(page, sheet: Sheet) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    head = PatternFill("solid", start_color="E7EBF0")
    for row, cells in enumerate((sheet.headers, *sheet.rows), 1):
        for column, value in enumerate(cells, 1):
            cell = page.cell(row, column)
            _put(cell, value)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            if row == 1:
                cell.font, cell.fill = Font(bold=True), head
            elif column <= len(sheet.formats) and sheet.formats[column - 1]:
                cell.number_format = sheet.formats[column - 1]
    for column, width in enumerate(sheet.widths, 1):
        page.column_dimensions[get_column_letter(column)].width = width
    page.freeze_panes = "A2"
    page.auto_filter.ref = page.dimensions
    page.page_setup.orientation = "landscape"
    page.page_setup.paperSize = page.PAPERSIZE_A4
    page.sheet_properties.pageSetUpPr.fitToPage = True
    page.page_setup.fitToHeight = 0  # as many pages as it takes
    page.print_title_rows = "1:1"


def _put(cell, value: Cell) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        value = None
    if not isinstance(value, str):
        cell.value = value
        return
    text = value.encode("utf-8", "backslashreplace").decode()
    text = _CONTROL.sub(lambda found: f"_x{ord(found[0]):04X}_", text)  # as ECMA-376's ST_Xstring
    cell.value = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    cell.data_type = "s"  # openpyxl makes formulas of “=…” and errors of “#N/A”
    cell.quotePrefix = text.startswith(_FORMULA)  # text even after a person has edited it
