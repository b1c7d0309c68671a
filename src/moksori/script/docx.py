"""Documents of Word (.docx, .docm), Transitional or Strict, whoever wrote them.

python-docx gives neither what was inserted or deleted with changes tracked, nor what stands in content
controls and text boxes, nor Strict documents. Of the parts only those that matter are read here, without
regard to their namespace.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element

from moksori.script.looks import Font
from moksori.script.package import Parts, attribute, local, unpacked
from moksori.script.rich import Aside, Box, Document, Fate, Paragraph, Piece, rich_cell, table_of
from moksori.script.tables import Table, one_line

_HEADING = re.compile(r"heading (\d)", re.IGNORECASE)
_WITHIN = ("hyperlink", "smartTag", "sdt", "sdtContent", "fldSimple", "bdo", "dir", "customXml",
           "ruby", "rubyBase", "oMath", "oMathPara", "AlternateContent", "Choice")  # fmt: skip
_FATES: dict[str, Fate] = {
    "ins": "inserted", "moveTo": "inserted", "del": "deleted", "moveFrom": "deleted",
}  # fmt: skip
_SIGNS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_NOTES = {"footnoteReference": "footnotes", "endnoteReference": "endnotes"}
_DEEPEST = 30  # tables in tables, styles of styles


class _Marks(NamedTuple):
    """What a style or a run says of its text; None: nothing."""

    struck: bool | None = None
    hidden: bool | None = None
    raised: bool | None = None
    colour: str | None = None

    def over(self, other: "_Marks") -> "_Marks":
        """These, and where they say nothing the other's."""
        return _Marks(
            other.struck if self.struck is None else self.struck,
            other.hidden if self.hidden is None else self.hidden,
            other.raised if self.raised is None else self.raised,
            other.colour if self.colour is None else self.colour,
        )


def read_docx(path: Path, content: bytes, hidden: bool) -> Document:
    """Read a document as it is with all tracked changes accepted.

    Args:
        path: of the file.
        content: of it.
        hidden: whether hidden text is read too.

    Raises:
        ScriptError: damaged, or larger than any script when unpacked.
    """
    return unpacked(path, content, lambda parts: _Reader(parts, hidden).document())


def _is_on(element: Element) -> bool:
    return attribute(element, "val", "1").lower() not in ("0", "false", "off", "none")


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 6 else 0


def _marks(about: Element | None) -> _Marks:
    """What properties of a run say."""
    found = _Marks()
    for one in () if about is None else about:
        match local(one):
            case "strike" | "dstrike":
                found = found._replace(struck=_is_on(one) or bool(found.struck))
            case "vanish" | "webHidden":
                found = found._replace(hidden=_is_on(one) or bool(found.hidden))
            case "vertAlign":
                found = found._replace(raised=attribute(one, "val") in ("superscript", "subscript"))
            case "color":
                value = attribute(one, "val").upper()
                found = found._replace(colour="" if value == "AUTO" else value)
    return found


class _Reader:
    """One document."""

    def __init__(self, parts: Parts, hidden: bool) -> None:
        self.hidden = hidden
        main = [*parts.of_kind("", "officeDocument"), "word/document.xml"][0]
        root = parts.root(main)
        found = root.find("{*}body")
        if found is None:
            raise ValueError("no document in it")
        self.body: Element = found
        styles = [root for name in parts.of_kind(main, "styles") for root in parts.root(name)]
        self.styles = {attribute(one, "styleId"): one for one in styles if local(one) == "style"}
        usual = [one.find("{*}rPrDefault/{*}rPr") for one in styles if local(one) == "docDefaults"]
        self.usual = _marks(next(iter(usual), None))
        self.texts = {
            kind: {
                attribute(one, "id"): self._plain(one)
                for name in parts.of_kind(main, kind) for one in parts.root(name)
            }
            for kind in ("comments", "footnotes", "endnotes")
        }  # fmt: skip
        self.numbers = {"paragraph": 0, "table": 0}
        self.known = dict[str, _Marks]()

    def document(self) -> Document:
        """All of it."""
        return Document([*self._blocks(self.body, 0)])

    def _plain(self, element: Element) -> str:
        paragraphs = ["".join(t.text or "" for t in p.iter() if local(t) == "t")
                      for p in element.iter() if local(p) == "p"]  # fmt: skip
        return one_line(" ".join(paragraphs))

    def _style(self, name: str, depth: int = 0) -> _Marks:
        """What a style says, with what it is based on."""
        if name not in self.known:
            style = self.styles.get(name)
            if style is None or depth > _DEEPEST:
                return _Marks()
            base = self._style(attribute(style.find("{*}basedOn"), "val"), depth + 1)
            self.known[name] = _marks(style.find("{*}rPr")).over(base)
        return self.known[name]

    def _level(self, paragraph: Element) -> int:
        """Of a heading, by its outline or its style; 0 of another paragraph."""
        about = paragraph.find("{*}pPr")
        if about is None:
            return 0
        outline, name = about.find("{*}outlineLvl"), attribute(about.find("{*}pStyle"), "val")
        for _ in range(_DEEPEST):
            if outline is not None:
                level = _number(attribute(outline, "val", "9")) + 1
                return level if level < 10 else 0
            style = self.styles.get(name)
            if style is None:
                return 0
            if named := _HEADING.fullmatch(attribute(style.find("{*}name"), "val")):
                return int(named[1])
            outline = style.find("{*}pPr/{*}outlineLvl")
            name = attribute(style.find("{*}basedOn"), "val")
        return 0

    def _blocks(self, element: Element, depth: int) -> Iterator[Paragraph | Table]:
        """Paragraphs and tables; those within a table follow it."""
        for one in element:
            match local(one):
                case "p":
                    text = _Text(self)
                    text.paragraph(one)
                    cell = rich_cell(text.pieces, self.hidden, asides=text.asides())
                    if cell.own or cell.cut or cell.asides:
                        self.numbers["paragraph"] += 1
                        yield Paragraph(self.numbers["paragraph"], cell, self._level(one))
                case "tbl" if depth < _DEEPEST:
                    self.numbers["table"] += 1
                    yield from self._table(one, self.numbers["table"], depth)
                case "sdt" | "sdtContent" | "customXml" | "ins" | "moveTo":
                    yield from self._blocks(one, depth)

    def _table(self, element: Element, number: int, depth: int) -> Iterator[Paragraph | Table]:
        rows, hidden, comments = list[list[Box]](), list[int](), dict[tuple[int, int], str]()
        inner, open_ = list[Element](), dict[int, tuple[int, int]]()
        for at, row in enumerate(_children(element, "tr"), 1):
            about = row.find("{*}trPr")
            marks = () if about is None else [local(one) for one in about if _is_on(one)]
            hidden += [at] * ("hidden" in marks)
            fate: Fate = next((_FATES[mark] for mark in marks if mark in _FATES), "")
            column = _number(
                attribute(None if about is None else about.find("{*}gridBefore"), "val")
            )
            boxes = list[Box]()
            for i, one in enumerate(_children(row, "tc")):
                about = one.find("{*}tcPr")
                width = span = merge = fill = None
                if about is not None:
                    span, merge = about.find("{*}gridSpan"), about.find("{*}vMerge")
                    fill = about.find("{*}shd")
                width = max(1, _number(attribute(span, "val", "1")))
                text = _Text(self, fate)
                text.cell(one)
                inner += text.tables
                if text.comments:
                    comments[at, i] = " / ".join(text.comments)
                shade = attribute(fill, "fill").upper()
                cell = rich_cell(
                    text.pieces, self.hidden, "" if shade == "AUTO" else shade, text.notes
                )
                if (
                    merge is not None
                    and attribute(merge, "val", "continue") != "restart"
                    and column in open_
                ):
                    top, place = open_[column]
                    first = rows[top - 1][place]
                    rows[top - 1][place] = first._replace(height=at - top + 1)
                else:
                    open_.pop(column, None)
                    if merge is not None:
                        open_[column] = at, i
                boxes.append(Box(cell, column, width))
                column += width
            rows.append(boxes)
        yield table_of(number, rows, hidden, comments)
        for one in inner:
            self.numbers["table"] += 1
            yield from self._table(one, self.numbers["table"], depth + 1)


def _children(element: Element, name: str) -> Iterator[Element]:
    """Rows of a table or cells of a row, also those in content controls."""
    for one in element:
        if local(one) == name:
            yield one
        elif local(one) in ("sdt", "sdtContent", "customXml", "ins", "moveTo"):
            yield from _children(one, name)


class _Text:
    """What a paragraph or a cell says."""

    def __init__(self, reader: _Reader, fate: Fate = "") -> None:
        self.reader, self.fate = reader, fate
        self.pieces, self.tables = list[Piece](), list[Element]()
        self.notes, self.comments = list[Aside](), list[str]()

    def asides(self) -> list[Aside]:
        """Notes, and the comments with them."""
        return [*self.notes, *(Aside("script.comments", text + " ") for text in self.comments)]

    def cell(self, element: Element) -> None:
        """A cell: its paragraphs, one a row."""
        for one in element:
            match local(one):
                case "p":
                    if self.pieces:
                        self.pieces.append(Piece("\n"))
                    self.paragraph(one)
                case "tbl":
                    self.tables.append(one)
                case "sdt" | "sdtContent" | "customXml" | "ins" | "moveTo":
                    self.cell(one)

    def paragraph(self, element: Element) -> None:
        """A paragraph's text."""
        style = attribute(element.find("{*}pPr/{*}pStyle"), "val")
        self._within(element, self.reader._style(style).over(self.reader.usual), self.fate)

    def _within(self, element: Element, marks: _Marks, fate: Fate) -> None:
        for one in element:
            name = local(one)
            if name == "r":
                self._run(one, marks, fate)
            elif name in _FATES:
                self._within(one, marks, "deleted" if fate == "deleted" else _FATES[name])
            elif name in _WITHIN:
                self._within(one, marks, fate)

    def _run(self, element: Element, marks: _Marks, fate: Fate) -> None:
        about = element.find("{*}rPr")
        style = "" if about is None else attribute(about.find("{*}rStyle"), "val")
        own = _marks(about).over(self.reader._style(style)).over(marks)
        font = Font(bool(own.struck), bool(own.raised), own.colour or "")
        if own.hidden and fate != "deleted":
            fate = "hidden"
        for one in element:
            name = local(one)
            if name in ("t", "delText"):
                self.pieces.append(Piece(one.text or "", font, fate))
            elif name in _SIGNS:
                self.pieces.append(Piece(_SIGNS[name], font, fate))
            elif name == "sym":
                with suppress(ValueError):
                    self.pieces.append(Piece(chr(int(attribute(one, "char"), 16)), font, fate))
            elif name in _NOTES:
                text = self.reader.texts[_NOTES[name]].get(attribute(one, "id"), "")
                self.notes.append(Aside("script.footnotes", text + " "))
            elif name == "commentReference":
                self.comments += filter(
                    None, [self.reader.texts["comments"].get(attribute(one, "id"))]
                )
            elif name in ("drawing", "pict", "object"):
                self._boxes(one)
            elif name in ("AlternateContent", "Choice"):
                self._run(one, own, fate)
            elif name in _WITHIN:
                self._within(one, marks, fate)

    def _boxes(self, element: Element) -> None:
        for box in element.iter():
            if local(box) == "txbxContent" and (text := self.reader._plain(box)):
                self.notes.append(Aside("script.boxes", text + " "))
