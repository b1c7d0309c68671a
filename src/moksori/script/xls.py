"""Workbooks of Excel 97 to 2003 (.xls), by xlrd."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

from moksori.errors import ScriptError
from moksori.script.looks import EAST_ASIAN, Font, Run, Style, numeric, styled
from moksori.script.tables import Cell, Table, error_value, merged, one_line

if TYPE_CHECKING:
    from xlrd.book import Book
    from xlrd.sheet import Sheet


def read_xls(path: Path, content: bytes) -> list[Table]:
    """Read all sheets; of formulas their results.

    Raises:
        ScriptError: damaged, protected by a password, or no workbook.
    """
    import xlrd

    try:
        with xlrd.open_workbook(
            file_contents=content, formatting_info=True, ragged_rows=True, logfile=io.StringIO()
        ) as book:
            return [_sheet(book, sheet) for sheet in book.sheets()]
    except Exception as error:  # xlrd lets through what it met in a damaged file
        why = one_line(str(error)) or type(error).__name__
        raise ScriptError.of("script.protected_workbook", file=path, why=why) from None


def _sheet(book: "Book", sheet: "Sheet") -> Table:
    rows: dict[int, list[Cell]] = {}
    for number in range(sheet.nrows):
        row = [_cell(book, sheet, number, column) for column in range(sheet.row_len(number))]
        while row and not (row[-1].own or row[-1].cut):
            row.pop()
        if row:
            rows[number + 1] = row
    merges = [(left + 1, top + 1, right, bottom) for top, bottom, left, right in sheet.merged_cells]
    hidden_rows = {n + 1 for n, about in sheet.rowinfo_map.items() if about.hidden}
    hidden_columns = {n for n, about in sheet.colinfo_map.items() if about.hidden}
    notes = {(row + 1, column): one_line(note.text)
             for (row, column), note in sheet.cell_note_map.items()}  # fmt: skip
    return Table(
        one_line(sheet.name), merged(rows, merges), sheet.visibility != 0, frozenset(hidden_rows),
        frozenset(hidden_columns), notes,
    )  # fmt: skip


def _cell(book: "Book", sheet: "Sheet", row: int, column: int) -> Cell:
    import xlrd
    from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900

    cell = sheet.cell(row, column)
    if cell.ctype in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK):
        return Cell()
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return Cell(fault=error_value(xlrd.error_text_from_code.get(cell.value, "#N/A")))
    look = book.xf_list[cell.xf_index]
    key = look.format_key
    format = book.format_map[key].format_str or EAST_ASIAN.get(key, "")
    fill = look.background
    filled = fill.fill_pattern and _colour(book, fill.pattern_colour_index)
    crossed = bool(look.border.diag_line_style and (look.border.diag_up or look.border.diag_down))
    style = Style(format, _font(book, look.font_index), filled or "", crossed)
    if cell.ctype in (xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_DATE):
        number = int(cell.value) if cell.value.is_integer() else cell.value
        epoch = CALENDAR_MAC_1904 if book.datemode else CALENDAR_WINDOWS_1900
        return numeric(repr(number), style, epoch)
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return styled([Run(bool(cell.value), None)], style)
    marks = sheet.rich_text_runlist_map.get((row, column), [])
    starts, fonts = [0, *(at for at, _ in marks)], [None, *(_font(book, font) for _, font in marks)]
    ends = [*starts[1:], len(cell.value)]
    runs = [Run(cell.value[a:b], f) for a, b, f in zip(starts, ends, fonts, strict=True)]
    return styled(runs, style)


def _font(book: "Book", index: int) -> Font:
    font = book.font_list[index]
    return Font(bool(font.struck_out), bool(font.escapement), _colour(book, font.colour_index))


def _colour(book: "Book", index: int) -> str:
    rgb = book.colour_map.get(index)
    return "{:02X}{:02X}{:02X}".format(*rgb) if rgb else ""
