"""Scripts as studios keep them: tables (xlsx, csv, tsv), subtitles (srt, ass, vtt) and plain text."""

import csv
import io
import itertools
import logging
from pathlib import Path
from typing import NamedTuple

from moksori.errors import ScriptError

_log = logging.getLogger(__name__)
LINE_COLUMNS = (
    "대사",
    "line",
    "dialogue",
    "dialog",
    "text",
    "대본",
    "script",
)  # the first is taken
_COLUMNS = {
    "actor": ("성우", "actor", "배우"),
    "character": ("배역", "character", "인물"),
    "file": ("파일", "file", "파일명"),
}
_OTHER_COLUMNS = frozenset((
    "화", "episode", "씬", "scene", "번호", "no", "no.", "시작", "start", "tc in", "끝", "end", "tc out",
    "지문", "direction", "비고", "note", "#",
))  # fmt: skip
_HEADER_WITHIN = 20  # rows; titles may stand above it


class ScriptLine(NamedTuple):
    """One line of a script."""

    place: str  # where it is, as its readers count: row 12, cue 3, line 7
    text: str
    actor: str = ""
    character: str = ""
    file: str = ""


def read_script(path: Path, column: str | None = None) -> list[ScriptLine]:
    """Read the lines of a script.

    Args:
        path: .xlsx, .csv, .tsv, .srt, .ass, .ssa, .vtt or .txt (a line a row). Text files are UTF-8, or
            CP949 as Excel in Korean saves them.
        column: header of the column that holds the lines in a table; one of `LINE_COLUMNS` if not
            given. The header may stand below title rows. Of a workbook, every sheet that has the
            column is read; a warning names the others that hold something.

    Returns:
        Every row that is not empty, in the script's order.

    Raises:
        ScriptError: a file that cannot be read or has no lines, or a table without such a column.
    """
    kind = path.suffix.lower()
    if not path.is_file():
        raise ScriptError(f"{path}: no such file")
    if kind == ".xlsx":
        lines = _from_sheets(path, column)
    elif kind in (".csv", ".tsv"):
        delimiter = "," if kind == ".csv" else "\t"
        table = csv.reader(io.StringIO(_text(path), newline=""), delimiter=delimiter, strict=True)
        try:
            lines = _from_table([(table.line_num, row) for row in table], path, column)
        except csv.Error as error:
            raise ScriptError(
                f"{path}, line {table.line_num}: not a table ({error}); is a quotation mark open?"
            ) from None
    elif kind in (".srt", ".ass", ".ssa", ".vtt"):
        lines = _from_subtitles(path)
    elif kind == ".txt":
        lines = [ScriptLine(f"line {n}", row) for n, row in enumerate(_text(path).splitlines(), 1)]
    else:
        raise ScriptError(f"{path}: give .xlsx, .csv, .tsv, .srt, .ass, .ssa, .vtt or .txt")
    lines = [line for line in lines if line.text.strip()]
    if not lines:
        raise ScriptError(
            f"{path}: no lines in it; is it whole, and of the kind that its name says?"
        )
    return lines


def _from_sheets(path: Path, column: str | None) -> list[ScriptLine]:
    """Lines of every sheet that has the column: one sheet an episode, notes on sheets of their own."""
    sheets = _xlsx_sheets(path)
    lines, fault, passed_over = [], None, []
    for name, rows in sheets:
        try:
            found = _from_table(rows, path, column)
        except ScriptError as error:
            fault = fault or error
            if any(cell.strip() for _, cells in rows for cell in cells):
                passed_over.append(name)
            continue
        prefix = f"{name} " if len(sheets) > 1 else ""
        lines += [line._replace(place=prefix + line.place) for line in found]
    if fault and not lines:
        raise fault
    if passed_over:
        names = ", ".join(passed_over)
        _log.warning(f"{path}: no column of lines on these sheets, passed over: {names}")
    return lines


def _from_table(
    rows: list[tuple[int, list[str]]], path: Path, column: str | None
) -> list[ScriptLine]:
    names = [column.strip().lower()] if column else [*LINE_COLUMNS]
    heads = [[cell.strip().lower() for cell in cells] for _, cells in rows[:_HEADER_WITHIN]]
    known = {*names, *LINE_COLUMNS, *_OTHER_COLUMNS, *itertools.chain(*_COLUMNS.values())}
    likely = [
        (sum(cell in known for cell in cells), -i)
        for i, cells in enumerate(heads)
        if any(name in cells for name in names)
    ]
    if not likely:
        seen = [cell for cells in heads for cell in cells if cell]
        raise ScriptError(
            f"{path}: no column “{'”, “'.join(names)}” in the first {_HEADER_WITHIN} rows; name the "
            f"column of the lines with --column (there are: {', '.join(seen[:12]) or 'none'})"
        )
    header = -max(likely)[1]
    head = heads[header]
    places = {"text": names, **_COLUMNS}
    columns = {
        key: head.index(name)
        for key, aliases in places.items()
        if (name := next((alias for alias in aliases if alias in head), None))
    }
    return [
        ScriptLine(
            f"row {number}",
            **{key: cells[i].strip() if i < len(cells) else "" for key, i in columns.items()},
        )
        for number, cells in rows[header + 1 :]
    ]


def _xlsx_sheets(path: Path) -> list[tuple[str, list[tuple[int, list[str]]]]]:
    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        return [
            (
                sheet.title,
                [
                    (number, ["" if cell is None else str(cell) for cell in row])
                    for number, row in enumerate(sheet.iter_rows(values_only=True), 1)
                ],
            )
            for sheet in book.worksheets
        ]
    except Exception as error:  # a damaged zip, XML or cell: openpyxl raises whatever it met
        raise ScriptError(f"{path}: not a whole .xlsx file; save it again ({error})") from None


def _from_subtitles(path: Path) -> list[ScriptLine]:
    import pysubs2

    try:
        cues = pysubs2.SSAFile.from_string(_text(path), format_=path.suffix[1:].lower())
    except pysubs2.exceptions.Pysubs2Error as error:
        raise ScriptError(f"{path}: not readable as {path.suffix[1:]} ({error})") from None
    return [
        ScriptLine(f"cue {number}", " ".join(cue.plaintext.split()), character=cue.name)
        for number, cue in enumerate((cue for cue in cues if not cue.is_comment), 1)
    ]


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ScriptError(f"{path}: {error.strerror}") from None
    return decode(content, str(path))


def decode(content: bytes, name: str) -> str:
    """Text in UTF-8, or CP949 as Excel in Korean saves it.

    Raises:
        ScriptError: it is neither; `name` tells whose it is.
    """
    for encoding in ("utf-8-sig", "cp949"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ScriptError(f"{name}: neither UTF-8 nor CP949; save it as UTF-8")
