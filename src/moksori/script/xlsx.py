"""Workbooks (.xlsx, .xlsm), read as Excel opens them: Transitional or Strict, whatever their styles hold.

openpyxl refuses workbooks whose styles, properties or names other programs wrote in their own way, and in one
pass it does not say what is hidden, struck through or commented. Of the parts only those that matter are read
here, without regard to their namespace; what a number means, openpyxl's functions say.
"""

import datetime
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element

from moksori.messages import message
from moksori.script.looks import EAST_ASIAN, Font, Run, Style, colour, numeric, styled
from moksori.script.package import Parts, local, unpacked
from moksori.script.tables import Cell, Merge, Table, Value, error_value, merged, one_line

_MAX_COLUMNS = 16384  # that a sheet can have


class _Workbook(NamedTuple):
    """What all sheets share."""

    parts: Parts
    strings: list[list[Run]]
    styles: list[Style]
    striking: frozenset[int]  # formats of rules that strike text through
    epoch: datetime.datetime


def read_xlsx(path: Path, content: bytes) -> list[Table]:
    """Read all sheets of a workbook; formulas by the results that were saved with them.

    Raises:
        ScriptError: damaged, or larger than any script when unpacked.
    """
    return unpacked(path, content, lambda parts: [*_sheets(parts)])


def _is_on(element: Element | None, default: bool = False) -> bool:
    """Whether a switch such as <strike val="1"/> is on."""
    if element is None:
        return default
    return element.get("val", "1").lower() not in ("0", "false", "off")


def _sheets(parts: Parts) -> Iterator[Table]:
    from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900

    main = [*parts.of_kind("", "officeDocument"), "xl/workbook.xml"][0]
    root, related = parts.root(main), parts.related(main)
    if root.tag == "none":
        raise ValueError("no workbook in it")
    about = root.find("{*}workbookPr")
    in_1904 = about is not None and about.get("date1904", "0").lower() in ("1", "true")
    styles, striking = _styles(parts.root([*parts.of_kind(main, "styles"), ""][0]))
    book = _Workbook(
        parts=parts,
        strings=[
            _runs(element)
            for name in parts.of_kind(main, "sharedStrings")
            for element in parts.root(name)
            if local(element) == "si"
        ],
        styles=styles, striking=striking,
        epoch=CALENDAR_MAC_1904 if in_1904 else CALENDAR_WINDOWS_1900,
    )  # fmt: skip
    for sheet in root.iterfind("{*}sheets/{*}sheet"):
        id = next((value for key, value in sheet.items() if key.endswith("}id")), "")
        kind, name = related.get(id, ("", ""))
        if kind == "worksheet":
            hidden = sheet.get("state", "visible") != "visible"
            yield _sheet(book, name, one_line(sheet.get("name", "")), hidden)


def _styles(root: Element) -> tuple[list[Style], frozenset[int]]:
    """How cells may look, and which formats of rules strike text through."""
    from openpyxl.styles.numbers import BUILTIN_FORMATS

    formats = BUILTIN_FORMATS | EAST_ASIAN
    for one in root.iterfind("{*}numFmts/{*}numFmt"):
        with suppress(ValueError):
            formats[int(one.get("numFmtId", ""))] = one.get("formatCode", "")
    fonts = [_font(one) for one in root.iterfind("{*}fonts/{*}font")] or [Font()]
    fills = [_fill(one) for one in root.iterfind("{*}fills/{*}fill")]
    borders = [_is_crossed(one) for one in root.iterfind("{*}borders/{*}border")]
    styles = [
        Style(
            formats.get(_number(one.get("numFmtId")), "General"),
            dict(enumerate(fonts)).get(_number(one.get("fontId")), Font()),
            dict(enumerate(fills)).get(_number(one.get("fillId")), ""),
            dict(enumerate(borders)).get(_number(one.get("borderId")), False),
        )
        for one in root.iterfind("{*}cellXfs/{*}xf")
    ]
    rules = [*root.iterfind("{*}dxfs/{*}dxf")]
    striking = {i for i, one in enumerate(rules) if _is_on(one.find("{*}font/{*}strike"))}
    return styles or [Style("General", Font(), "")], frozenset(striking)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0


def _font(element: Element) -> Font:
    place = element.find("{*}vertAlign")
    return Font(
        struck=_is_on(element.find("{*}strike")),
        raised=place is not None and place.get("val") in ("superscript", "subscript"),
        colour=_colour(element.find("{*}color")),
    )


def _fill(element: Element) -> str:
    pattern = element.find("{*}patternFill")
    if pattern is None or pattern.get("patternType", "none") in ("none", "gray125"):
        return "gradient" if element.find("{*}gradientFill") is not None else ""
    kind = pattern.get("patternType", "")
    return _colour(pattern.find("{*}fgColor")) if kind == "solid" else kind


def _is_crossed(element: Element) -> bool:
    """Whether a border has a line from corner to corner."""
    line = element.find("{*}diagonal")
    drawn = line is not None and line.get("style", "none") != "none"
    return drawn and "1" in (element.get("diagonalUp"), element.get("diagonalDown"))


def _colour(element: Element | None) -> str:
    return "" if element is None else colour(dict(element.items()))


def _runs(element: Element) -> list[Run]:
    """The parts of a string; how Japanese is read (rPh) is not of it."""
    runs = []
    for part in element:
        if local(part) == "t":
            runs.append(Run(part.text or "", None))
        elif local(part) == "r":
            about = part.find("{*}rPr")
            runs.append(Run(part.findtext("{*}t") or "", None if about is None else _font(about)))
    return runs


def _sheet(book: _Workbook, name: str, title: str, hidden: bool) -> Table:
    from openpyxl.utils import range_boundaries

    rows: dict[int, list[Cell]] = {}
    merges, hidden_rows, hidden_columns = list[Merge](), set[int](), set[int]()
    number, rules = 0, False
    for element in book.parts.events(name):
        match local(element):
            case "row":
                number = _number(element.get("r")) or number + 1
                if _is_hidden(element, "ht"):
                    hidden_rows.add(number)
                if row := _row(book, element):
                    rows[number] = row
                element.clear()
            case "col" if _is_hidden(element, "width"):
                last = min(_number(element.get("max")), _MAX_COLUMNS)
                hidden_columns.update(range(_number(element.get("min")) - 1, last))
            case "mergeCell":
                merges.append(range_boundaries(element.get("ref", "")))
            case "cfRule":
                rules |= _number(element.get("dxfId") or "-") in book.striking
    return Table(
        title, merged(rows, merges), hidden, frozenset(hidden_rows), frozenset(hidden_columns),
        _comments(book.parts, name), _has_overlays(book.parts, name), rules,
    )  # fmt: skip


def _is_hidden(element: Element, size: str) -> bool:
    """Hidden by name, or by a size of nothing."""
    if element.get("hidden", "0").lower() in ("1", "true"):
        return True
    try:
        return float(element.get(size, "1")) == 0
    except ValueError:
        return False


def _row(book: _Workbook, element: Element) -> list[Cell]:
    from openpyxl.utils.cell import column_index_from_string, coordinate_from_string

    row: list[Cell] = []
    for one in element:
        if local(one) != "c":
            continue
        column = len(row)
        if place := one.get("r"):
            column = column_index_from_string(coordinate_from_string(place)[0]) - 1
        cell = _cell(book, one)
        if cell.own or cell.cut:
            row += [Cell()] * (column + 1 - len(row))
            row[column] = cell
    return row


def _cell(book: _Workbook, element: Element) -> Cell:
    from openpyxl.utils.datetime import from_ISO8601
    from openpyxl.utils.escape import unescape

    kind, text = element.get("t", "n"), element.findtext("{*}v")
    at = _number(element.get("s"))
    style = book.styles[at] if at < len(book.styles) else book.styles[0]
    if element.find("{*}f") is not None and not text and kind != "str":  # str: its result is ""
        return Cell(fault=message("script.unsaved_formula"))
    if kind == "inlineStr":
        inline = element.find("{*}is")
        runs = [] if inline is None else _runs(inline)
    elif kind == "s" and text:
        runs = book.strings[int(text)]
    else:
        runs = [Run(text or "", None)]
    if kind in ("s", "inlineStr", "str"):
        return styled([run._replace(text=unescape(run.text)) for run in runs], style)
    if not text:
        return Cell()
    value: Value = text
    match kind:
        case "e":
            return Cell(fault=error_value(text))
        case "b":
            value = text.strip().lower() in ("1", "true")
        case "d":
            value = from_ISO8601(text)
        case _:
            return numeric(text, style, book.epoch)
    return styled([Run(value, None)], style)


def _comments(parts: Parts, name: str) -> Mapping[tuple[int, int], str]:
    """Comments on a sheet's cells; of a thread all that was written."""
    from openpyxl.utils.cell import coordinate_to_tuple

    found: dict[tuple[int, int], str] = {}
    for kind, tag in (("comments", "comment"), ("threadedComment", "threadedComment")):
        own: dict[tuple[int, int], list[str]] = {}
        for part in parts.of_kind(name, kind):
            for one in parts.root(part).iter():
                if local(one) == tag and one.get("ref"):
                    row, column = coordinate_to_tuple(one.get("ref", ""))
                    text = "".join(t.text or "" for t in one.iter() if local(t) in ("t", "text"))
                    own.setdefault((row, column - 1), []).append(one_line(text))
        found |= {place: " / ".join(texts) for place, texts in own.items()}
    return found


def _has_overlays(parts: Parts, name: str) -> bool:
    return any(
        local(one) in ("sp", "cxnSp", "pic", "grpSp")
        for part in parts.of_kind(name, "drawing")
        for one in parts.root(part).iter()
    )
