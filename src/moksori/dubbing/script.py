"""Scripts as studios keep them: tables (xlsx, csv, tsv), subtitles (srt, ass, vtt) and plain text."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from moksori.errors import ScriptError

LINE_COLUMNS = ("대사", "대본", "line", "text", "dialogue", "dialog", "script")
_HEADER_WITHIN = 20  # rows; titles may stand above it


class ScriptLine(NamedTuple):
    """One line of a script."""

    place: str  # where it is, as its readers count: row 12, cue 3, line 7
    text: str


def read_script(path: Path, column: str | None = None) -> list[ScriptLine]:
    """Read the lines of a script.

    Args:
        path: .xlsx, .csv, .tsv, .srt, .ass, .ssa, .vtt or .txt (a line a row). Text files are UTF-8, or
            CP949 as Excel in Korean saves them.
        column: header of the column that holds the lines in a table; one of `LINE_COLUMNS` if not
            given. The header may stand below title rows.

    Returns:
        Every row that is not empty, in the script's order.

    Raises:
        ScriptError: a file that cannot be read, or a table without such a column.
    """
    kind = path.suffix.lower()
    if not path.is_file():
        raise ScriptError(f"{path}: no such file")
    if kind == ".xlsx":
        lines = _from_table(_xlsx_rows(path), path, column)
    elif kind in (".csv", ".tsv"):
        delimiter = "," if kind == ".csv" else "\t"
        rows = csv.reader(io.StringIO(_text(path), newline=""), delimiter=delimiter)
        lines = _from_table(enumerate(rows, 1), path, column)
    elif kind in (".srt", ".ass", ".ssa", ".vtt"):
        lines = _from_subtitles(path)
    elif kind == ".txt":
        lines = [ScriptLine(f"line {n}", row) for n, row in enumerate(_text(path).splitlines(), 1)]
    else:
        raise ScriptError(f"{path}: give .xlsx, .csv, .tsv, .srt, .ass, .vtt or .txt")
    return [line for line in lines if line.text.strip()]


def _from_table(
    rows: Iterable[tuple[int, list[str]]], path: Path, column: str | None
) -> list[ScriptLine]:
    names = (column.strip().lower(),) if column else LINE_COLUMNS
    place: int | None = None
    lines, seen = [], []
    for number, cells in rows:
        cells = [cell.strip() for cell in cells]
        if place is not None:
            text = cells[place] if place < len(cells) else ""
            lines.append(ScriptLine(f"row {number}", text))
        elif found := [i for i, cell in enumerate(cells) if cell.lower() in names]:
            place = found[0]
        elif number > _HEADER_WITHIN:
            break
        else:
            seen += [cell for cell in cells if cell]
    if place is None:
        raise ScriptError(
            f"{path}: no column “{'”, “'.join(names)}” in the first {_HEADER_WITHIN} rows; name the "
            f"column of the lines with --column (there are: {', '.join(seen[:12]) or 'none'})"
        )
    return lines


def _xlsx_rows(path: Path) -> Iterable[tuple[int, list[str]]]:
    from zipfile import BadZipFile

    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        sheet = openpyxl.load_workbook(path, read_only=True, data_only=True).worksheets[0]
    except (BadZipFile, InvalidFileException, KeyError, IndexError):
        raise ScriptError(f"{path}: not a whole .xlsx file; save it again") from None
    for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
        yield number, ["" if cell is None else str(cell) for cell in row]


def _from_subtitles(path: Path) -> list[ScriptLine]:
    import pysubs2

    try:
        cues = pysubs2.SSAFile.from_string(_text(path), format_=path.suffix[1:].lower())
    except pysubs2.exceptions.Pysubs2Error as error:
        raise ScriptError(f"{path}: not readable as {path.suffix[1:]} ({error})") from None
    return [
        ScriptLine(f"cue {number}", " ".join(cue.plaintext.split()))
        for number, cue in enumerate((cue for cue in cues if not cue.is_comment), 1)
    ]


def _text(path: Path) -> str:
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "cp949"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ScriptError(f"{path}: neither UTF-8 nor CP949; save it as UTF-8")
