"""Workbooks of OpenDocument (.ods), as LibreOffice and others write them.

Libraries that read .ods give values, or values and few of the looks; what is struck through, hidden, merged,
commented or changed is said by the XML alone, of which only what matters is read here.
"""

import datetime
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from moksori.errors import ScriptError
from moksori.messages import message
from moksori.script.looks import Font, Run, styled
from moksori.script.ods_looks import Look, Looks, repeated
from moksori.script.package import Parts, attribute, bloated_error, local, unpacked
from moksori.script.tables import Cell, Merge, Table, Value, error_value, merged, one_line

_MOST_CELLS = 2_000_000  # of a sheet, with what repetitions stand for
_MAX_COLUMNS = 16384
_GROUPS = ("table-header-rows", "table-rows", "table-row-group", "table-columns",
           "table-header-columns", "table-column-group")  # fmt: skip
_DURATION = re.compile(r"(-?)P(?:(\d+)D)?T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,](\d+))?S)?")
_ERRORS = re.compile(r"Err:\d+|#[A-Z/0]+[!?]|#N/A")


def read_ods(path: Path, content: bytes) -> list[Table]:
    """Read all sheets of a workbook; formulas by the results that were saved with them.

    Raises:
        ScriptError: damaged, protected by a password, or larger than any script when unpacked.
    """

    def read(parts: Parts) -> list[Table]:
        if any(
            local(one) == "encryption-data" for one in parts.root("META-INF/manifest.xml").iter()
        ):
            raise ScriptError.of("script.protected", file=path)
        root = parts.root("content.xml")
        book = root.find("{*}body/{*}spreadsheet")
        if book is None:
            raise ValueError("no spreadsheet in it")
        looks = Looks(parts.root("styles.xml"), root)
        changed = book.find("{*}tracked-changes") is not None
        return [_Sheet(path, looks, one).table(changed) for one in book.iterfind("{*}table")]

    return unpacked(path, content, read)


class _Sheet:
    """One sheet, row by row."""

    def __init__(self, path: Path, looks: Looks, element: Element) -> None:
        self.path, self.looks, self.element = path, looks, element
        self.merges = list[Merge]()
        self.comments = dict[tuple[int, int], str]()
        self.columns = list[str]()  # their cells' usual styles
        self.overlays = self.rules = False
        self.cells = 0

    def table(self, changed: bool) -> Table:
        """The sheet; `changed`: whether changes were recorded in the workbook."""
        rows, hidden_rows, hidden_columns = dict[int, list[Cell]](), set[int](), set[int]()
        number = 1
        for one in self._parts(self.element):
            kind = local(one)
            hidden = attribute(one, "visibility", "visible") != "visible"
            if kind == "table-column":
                count = min(
                    repeated(one, "number-columns-repeated"), _MAX_COLUMNS - len(self.columns)
                )
                first = len(self.columns)
                self.columns += [attribute(one, "default-cell-style-name")] * count
                hidden_columns.update(range(first, first + count) if hidden else ())
            elif kind == "table-row":
                count = repeated(one, "number-rows-repeated")
                if row := self._row(one, number):
                    self._count(len(row) * count)
                    rows |= {number + i: [*row] for i in range(count)}
                    hidden_rows.update(range(number, number + count) if hidden else ())
                number += count
            elif kind == "shapes":
                self.overlays |= len(one) > 0
            elif kind == "conditional-formats":
                self.rules |= any(
                    self.looks.get(
                        "table-cell", attribute(rule, "apply-style-name")
                    ).style.font.struck
                    for rule in one.iter()
                    if attribute(rule, "apply-style-name")
                )
        shown = self.looks.get("table", attribute(self.element, "style-name")).shown
        return Table(
            one_line(attribute(self.element, "name")), merged(rows, self.merges), not shown,
            frozenset(hidden_rows), frozenset(hidden_columns), self.comments, self.overlays,
            self.rules, changed,
        )  # fmt: skip

    def _count(self, cells: int) -> None:
        self.cells += cells
        if self.cells > _MOST_CELLS:
            raise bloated_error(self.path)

    def _parts(self, element: Element) -> Iterator[Element]:
        for one in element:
            if local(one) in _GROUPS:
                yield from self._parts(one)
            else:
                yield one

    def _row(self, element: Element, number: int) -> list[Cell]:
        row = list[Cell]()
        at, usual = 0, attribute(element, "default-cell-style-name")
        for one in element:
            if local(one) not in ("table-cell", "covered-table-cell"):
                continue
            column = self.columns[at] if at < len(self.columns) else ""
            name = attribute(one, "style-name") or usual or column
            look = self.looks.get("table-cell", name)
            cell = self._cell(one, number, at, look)
            count = repeated(one, "number-columns-repeated")
            if cell.own or cell.cut:
                self._count(count)
                self.rules |= look.rule
                row += [Cell()] * (at - len(row)) + [cell] * count
            width, height = (
                repeated(one, f"number-{kind}-spanned") for kind in ("columns", "rows")
            )
            if width * height > 1:
                self.merges.append((at + 1, number, at + width, number + height - 1))
            at += count
        return row

    def _cell(self, element: Element, row: int, column: int, look: Look) -> Cell:
        runs, paragraphs = list[Run](), 0
        for one in element:
            match local(one):
                case "p" | "h":
                    runs += [Run("\n", None)] * bool(paragraphs)
                    runs += self._runs(one, None)
                    paragraphs += 1
                case "annotation":
                    texts = [
                        one_line("".join(p.itertext())) for p in one if local(p) in ("p", "list")
                    ]
                    self.comments[row, column] = " ".join(filter(None, texts))
                case (
                    "frame"
                    | "line"
                    | "rect"
                    | "custom-shape"
                    | "g"
                    | "path"
                    | "polyline"
                    | "connector"
                ):
                    self.overlays = True
        text = "".join(str(run.text) for run in runs)
        kind = attribute(element, "value-type")
        error = any(k.endswith("}value-type") and v == "error" for k, v in element.items())
        if error or (attribute(element, "formula") and _ERRORS.fullmatch(text.strip())):
            return Cell(fault=error_value(text.strip() or "#VALUE!"))
        if attribute(element, "formula") and not kind:
            return Cell(fault=message("script.unsaved_formula"))
        if kind in ("", "string"):
            said = attribute(element, "string-value")
            return styled(runs if text or not said else [Run(said, None)], look.style)
        value = _value(element, kind)
        return (
            Cell(fault=error_value(text))
            if value is None
            else styled([Run(value, None)], look.style)
        )

    def _runs(self, element: Element, font: Font | None) -> list[Run]:
        """What a paragraph says, with the fonts of its parts; its notes are not of it."""
        runs = [Run(element.text or "", font)]
        for one in element:
            match local(one):
                case "s":
                    runs.append(Run(" " * min(repeated(one, "c"), 100), font))
                case "tab":
                    runs.append(Run("\t", font))
                case "line-break":
                    runs.append(Run("\n", font))
                case "span":
                    look = self.looks.get("text", attribute(one, "style-name"))
                    runs += self._runs(one, look.style.font)
                case "annotation" | "note" | "ruby-text":
                    pass
                case _:
                    runs += self._runs(one, font)
            runs.append(Run(one.tail or "", font))
        return runs


def _value(element: Element, kind: str) -> Value:
    """The value of a cell that is not text; None if it is none."""
    try:
        match kind:
            case "boolean":
                return attribute(element, "boolean-value") == "true"
            case "date":
                return datetime.datetime.fromisoformat(attribute(element, "date-value"))
            case "time":
                return _duration(attribute(element, "time-value"))
            case _:
                number = float(attribute(element, "value"))
                return int(number) if number.is_integer() else number
    except (ValueError, OverflowError):
        return None


def _duration(text: str) -> datetime.timedelta:
    found = _DURATION.fullmatch(text)
    if not found:
        raise ValueError(text)
    sign, days, hours, minutes, seconds, part = found.groups()
    time = datetime.timedelta(
        int(days or 0),
        float(f"{seconds or 0}.{part or 0}"),
        minutes=int(minutes or 0),
        hours=int(hours or 0),
    )
    return -time if sign else time
