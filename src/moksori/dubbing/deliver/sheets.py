"""Tables for people: .xlsx files whose texts stay texts, the same bytes from the same content."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from moksori.formulas import no_formula
from moksori.writing import atomic_write

if TYPE_CHECKING:
    from xlsxwriter import Workbook

Cell = str | int | float | None
_LONGEST = 32767  # characters of a cell


@dataclass(frozen=True, kw_only=True)
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
        date: in its properties; two runs give the same bytes.

    Raises:
        OutputError: the place cannot be written to.
    """
    import xlsxwriter

    content = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(content, options) as book:
        book.set_properties({"created": date.replace(tzinfo=None, microsecond=0)})
        for sheet in sheets:
            _fill(book, sheet)
    atomic_write(path, content.getvalue())


def _fill(book: "Workbook", sheet: Sheet) -> None:
    page = book.add_worksheet(sheet.title)
    head = book.add_format(
        {"bold": True, "bg_color": "#E7EBF0", "text_wrap": True, "valign": "top"}
    )
    plain = {"text_wrap": True, "valign": "top"}
    formats = [book.add_format(plain | ({"num_format": f} if f else {})) for f in sheet.formats]
    quoted = book.add_format(plain | {"quote_prefix": True})  # text even after it was edited
    formats += [book.add_format(plain)] * (len(sheet.headers) - len(formats))
    rows = [sheet.headers, *sheet.rows]
    for number, cells in enumerate(rows):
        for column, value in enumerate(cells):
            form = head if number == 0 else formats[column]
            if isinstance(value, str):
                text = _held(value)
                is_formula = no_formula(text) != text and number > 0
                page.write_string(number, column, text, quoted if is_formula else form)
            elif value is None or not math.isfinite(value):
                page.write_blank(number, column, None, form)
            else:
                page.write_number(number, column, value, form)
    for column, width in enumerate(sheet.widths):
        page.set_column(column, column, width)
    page.freeze_panes(1, 0)
    page.autofilter(0, 0, len(rows) - 1, len(sheet.headers) - 1)
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)  # as many pages as it takes
    page.repeat_rows(0)


def _held(text: str) -> str:
    """What a cell can hold of a text."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
