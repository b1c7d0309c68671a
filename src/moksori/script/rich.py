"""What a document holds, whatever program wrote it: paragraphs and tables of text with its marks."""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from moksori.script.line import Place
from moksori.script.looks import Font, Run, Style, styled
from moksori.script.tables import BLANK, Cell, Merge, Table, merged, one_line

Fate = Literal["", "hidden", "deleted", "inserted"]
_LEFT_OUT = {"hidden": "script.hidden_text", "deleted": "script.deleted_text"}


class Piece(NamedTuple):
    """A part of a text."""

    text: str
    font: Font = Font()
    fate: Fate = ""  # deleted and inserted: by tracked changes


class Aside(NamedTuple):
    """What stands at a text and is not of it."""

    code: str  # of the message that reports it
    text: str


class Paragraph(NamedTuple):
    """A paragraph outside tables.

    Attributes:
        number: from 1, of those that hold something; of a plain text's rows, of all.
        cell: what it says, as a table's cell does.
        level: of a heading, from 1; 0 of others.
        kind: what its place is called.
    """

    number: int
    cell: Cell
    level: int = 0
    kind: Literal["paragraph", "line"] = "paragraph"

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.kind, self.number)


class Document(NamedTuple):
    """Paragraphs and tables in their order."""

    blocks: list[Paragraph | Table]


class Box(NamedTuple):
    """A cell of a document's table, and the columns and rows that it covers."""

    cell: Cell
    column: int  # from 0
    width: int = 1
    height: int = 1


def rich_cell(
    pieces: Sequence[Piece], hidden: bool, fill: str = "", asides: Iterable[Aside] = ()
) -> Cell:
    """A cell or a paragraph of pieces.

    Args:
        pieces: in their order.
        hidden: whether hidden ones are read too.
        fill: of the cell, RRGGBB.
        asides: what else stands there.
    """
    left_out = [
        piece.fate == "deleted" or (piece.fate == "hidden" and not hidden) for piece in pieces
    ]
    kept = [piece for piece, out in zip(pieces, left_out, strict=True) if not out]
    cell = styled([Run(piece.text, piece.font) for piece in kept], Style("", Font(), fill))
    found = [
        *((_LEFT_OUT[p.fate], p.text) for p, out in zip(pieces, left_out, strict=True) if out),
        *(("script.inserted_text", p.text) for p in kept if p.fate == "inserted"),
    ]
    grouped: dict[str, list[str]] = {}
    for code, text in [*found, *asides]:
        grouped.setdefault(code, []).append(text)
    notice = tuple(
        (code, text) for code, texts in grouped.items() if (text := one_line("".join(texts)))
    )
    return Cell(
        cell.value,
        struck=cell.struck,
        cut=cell.cut,
        raised=cell.raised,
        looks=cell.looks,
        asides=notice,
    )


def table_of(
    number: int,
    rows: Sequence[Sequence[Box]],
    hidden_rows: Iterable[int],
    comments: dict[tuple[int, int], str],
) -> Table:
    """A document's table of its cells.

    Where every row has as many cells, they are columns in their order: whoever drags an edge in one row alone
    makes a grid of more columns than anybody sees.

    Args:
        number: of the table.
        rows: of cells, in their order; what another covers is left out, or a blank box.
        hidden_rows: numbers of rows, from 1.
        comments: by row, and by the place among the row's boxes.
    """
    places = dict[tuple[int, int], int]()
    even = len({len(row) for row in rows}) == 1
    cells, merges = dict[int, list[Cell]](), list[Merge]()
    for at, boxes in enumerate(rows, 1):
        row = list[Cell]()
        for i, box in enumerate(boxes):
            column, width = (i, 1) if even else (box.column, box.width)
            places[at, i] = column
            row += [BLANK] * (column + 1 - len(row))
            row[column] = box.cell
            if width * box.height > 1:
                merges.append((column + 1, at, column + width, at + box.height - 1))
        if any(cell.own or cell.cut or cell.asides for cell in row):
            cells[at] = row
    notice = {(row, places[row, i]): text for (row, i), text in comments.items()}
    return Table(
        "",
        merged(cells, merges),
        hidden_rows=frozenset(hidden_rows),
        comments=notice,
        number=number,
    )
