"""Text whose cells commas or tabs separate and may be in quotation marks, and marks that are left open.

A cell in marks may hold several rows, as spreadsheets write it. A mark that somebody left open makes such a
cell too, of rows that are the table's own: what it holds looks like them.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from moksori.messages import Message, message

_ENDS = re.compile(r"\r+\n|\r")
_DIGITS = re.compile(r"\d+")
_GROUPED = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")  # 1,000 is one number


class _Row(NamedTuple):
    cells: list[str]
    after: int  # how many lines of the text are above
    last: int  # the number of its last line


def even_ends(text: str) -> str:
    """Text whose rows end in CR LF or LF alone, also where they were CR CR LF or CR."""
    return _ENDS.sub(lambda end: "\r\n" if end[0].endswith("\n") else "\n", text)


def quoted(
    path: Path, text: str, delimiter: str, error: Callable[[Message], Exception]
) -> list[list[str]]:
    """The rows of a table whose cells may be in quotation marks.

    Args:
        path: of the table, for the message.
        text: with the ends of its rows as the file has them, evened.
        delimiter: between cells.
        error: that is raised.

    Returns:
        Cells, in which rows end in LF.

    Raises:
        Exception: `error`; a mark that is not closed, or is closed in another row, whose cells are none any
            more.
    """
    table = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows, last = list[_Row](), 0
    try:
        for cells in table:
            rows.append(_Row(cells, last, table.line_num))
            last = table.line_num
    except csv.Error:
        raise error(
            message("file.open_mark", file=path, row=last + 1, last=table.line_num)
        ) from None
    width, known = usual_width(row.cells for row in rows)[0], _known(rows)
    lines = text.split("\n")
    for row in rows:
        if row.last - row.after < 2:
            continue
        for i, cell in enumerate(row.cells):
            saved = "\r" not in cell and lines[row.after - 1].endswith(
                "\r"
            )  # as Excel breaks a cell
            if "\n" in cell and not saved and _swallows(row.cells, i, width, delimiter, known):
                first = row.after + 1 + "".join(row.cells[:i]).count("\n")
                until = first + cell.count("\n")
                raise error(message("file.swallowed", file=path, row=first, last=until))
    return [[cell.replace("\r\n", "\n") for cell in row.cells] for row in rows]


def usual_width(rows: Iterable[Sequence[str]]) -> tuple[int, int]:
    """How many cells most rows have that hold something, and how many rows those are."""
    widths = Counter(len(row) for row in rows if any(cell.strip() for cell in row))
    return (widths.most_common(1) or [(1, 0)])[0]


def _known(rows: Sequence[_Row]) -> set[tuple[int, str]]:
    """What cells of one line look like, by their columns."""
    return {
        (i, _look(cell)) for row in rows for i, cell in enumerate(row.cells) if "\n" not in cell
    }


def _look(cell: str) -> str:
    """A name as it is, a number or a time as any other."""
    return _DIGITS.sub("0", cell.strip())


def _swallows(
    row: Sequence[str], column: int, width: int, delimiter: str, known: set[tuple[int, str]]
) -> bool:
    """Whether a cell of several lines holds rows of the table, rather than text with commas.

    Such a line has as many cells as the table. Of commas, which text has too, all lines are such rows, or
    one of their cells is a name that its column has elsewhere, a number or a time as those.
    """
    texts = row[column].replace("\r", "").split("\n")
    if delimiter == ",":
        texts = [_GROUPED.sub("", text) for text in texts]
    first, *pieces = (text.split(delimiter) for text in texts)
    rests: list[Sequence[str]] = [[]] * (len(pieces) - 1) + [row[column + 1 :]]
    wide = [len(piece) + len(rest) == width for piece, rest in zip(pieces, rests, strict=True)]
    rows = [
        piece
        for piece, is_wide in zip(pieces, wide, strict=True)
        if is_wide and sum(map(bool, piece)) > 1 and not any(cell.startswith(" ") for cell in piece)
    ]
    return bool(rows) and (
        delimiter != ","
        or (column + len(first) == width and all(wide))
        or any(
            cell.strip() and i != column and (i, _look(cell)) in known
            for piece in rows
            for i, cell in enumerate(piece)
        )
    )
