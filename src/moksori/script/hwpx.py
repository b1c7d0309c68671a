"""Documents of Hangul (.hwpx, OWPML KS X 6101): text, tables, and what was struck through, changed or noted.

python-hwpx reads them too, but only to the text, and needs lxml; the parts that matter are few.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from moksori.errors import ScriptError
from moksori.script.looks import Font
from moksori.script.package import Parts, local, unpacked
from moksori.script.rich import Aside, Box, Document, Fate, Paragraph, Piece, rich_cell, table_of
from moksori.script.tables import Table, one_line

_SECTION = re.compile(r"contents/section(\d+)\.xml")
_OUTLINE = re.compile(r"(?:개요|outline|heading|제목)\s*(\d{1,2})", re.IGNORECASE)
_SIGNS = {"tab": "\t", "lineBreak": "\n", "nbSpace": " ", "fwSpace": " ", "hyphen": "-"}
_NOTES = {
    "footNote": "script.footnotes",
    "endNote": "script.footnotes",
    "hiddenComment": "script.comments",
}
_UNSEEN = ("header", "footer", "secPr", "linesegarray", "memogroup")  # of pages, not of the text
_DEEPEST = 30  # tables in tables


def read_hwpx(path: Path, content: bytes, hidden: bool) -> Document:
    """Read a document as it is with all tracked changes accepted.

    Args:
        path: of the file.
        content: of it.
        hidden: the format has no hidden text; notes that it calls hidden are comments.

    Raises:
        ScriptError: damaged, protected by a password, or larger than any script when unpacked.
    """

    def read(parts: Parts) -> Document:
        if any(
            local(one) == "encryption-data" for one in parts.root("META-INF/manifest.xml").iter()
        ):
            raise ScriptError.of("script.protected", file=path)
        names = sorted(filter(_SECTION.fullmatch, parts.names), key=_section)
        if not names:
            raise ValueError("no section in it")
        reader = _Reader(parts.root("Contents/header.xml"))
        blocks = [block for name in names for block in reader.blocks(parts.root(name))]
        return Document(blocks)

    return unpacked(path, content, read)


def _section(name: str) -> int:
    return int(name.removeprefix("contents/section").removesuffix(".xml"))


def _int(element: Element | None, name: str, default: int) -> int:
    text = "" if element is None else element.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 6 else default


def _plain(element: Element) -> str:
    return one_line(" ".join("".join(t.itertext()) for t in element.iter() if local(t) == "t"))


class _Reader:
    """One document: its styles, and how far changes reach."""

    def __init__(self, header: Element) -> None:
        self.fonts = dict[str, Font]()
        self.levels, self.outlines = dict[str, int](), dict[str, int]()
        self.fills = dict[str, str]()
        for one in header.iter():
            id = one.get("id", "")
            match local(one):
                case "charPr":
                    self.fonts[id] = _font(one)
                case "style":
                    found = _OUTLINE.fullmatch(one.get("name", "")) or _OUTLINE.fullmatch(
                        one.get("engName", "")
                    )
                    self.levels[id] = int(found[1]) if found else 0
                case "paraPr":
                    about = one.find("{*}heading")
                    if about is not None and about.get("type") == "OUTLINE":
                        self.outlines[id] = _int(about, "level", 0) + 1
                case "borderFill":
                    brush = one.find("{*}fillBrush/{*}winBrush")
                    colour = "none" if brush is None else brush.get("faceColor", "none")
                    self.fills[id] = "" if colour == "none" else colour.lstrip("#").upper()[-6:]
        self.fate: Fate = ""
        self.numbers = {"paragraph": 0, "table": 0}

    def blocks(self, element: Element) -> Iterator[Paragraph | Table]:
        """The paragraphs of a section, and each one's tables behind it."""
        for one in element:
            if local(one) != "p":
                continue
            text = _Text(self)
            text.paragraph(one)
            cell = rich_cell(text.pieces, False, asides=text.asides())
            if cell.own or cell.cut or cell.asides:
                self.numbers["paragraph"] += 1
                level = self.levels.get(one.get("styleIDRef", ""), 0)
                level = level or self.outlines.get(one.get("paraPrIDRef", ""), 0)
                yield Paragraph(self.numbers["paragraph"], cell, level)
            for table in text.tables:
                yield from self._table(table, 0)

    def _table(self, element: Element, depth: int) -> Iterator[Table]:
        self.numbers["table"] += 1
        number, inner = self.numbers["table"], list[Element]()
        rows, comments = list[list[Box]](), dict[tuple[int, int], str]()
        for at, row in enumerate(element.iterfind("{*}tr"), 1):
            boxes = list[Box]()
            for i, one in enumerate(row.iterfind("{*}tc")):
                text = _Text(self)
                for part in one.iterfind("{*}subList/{*}p"):
                    text.pieces += [Piece("\n")] * bool(text.pieces)
                    text.paragraph(part)
                inner += text.tables
                if text.comments:
                    comments[at, i] = " / ".join(text.comments)
                fill = self.fills.get(one.get("borderFillIDRef", ""), "")
                cell = rich_cell(text.pieces, False, fill, text.notes)
                place, span = one.find("{*}cellAddr"), one.find("{*}cellSpan")
                width, height = max(1, _int(span, "colSpan", 1)), max(1, _int(span, "rowSpan", 1))
                boxes.append(Box(cell, _int(place, "colAddr", i), width, height))
            rows.append(boxes)
        yield table_of(number, rows, (), comments)
        for one in inner if depth < _DEEPEST else ():
            yield from self._table(one, depth + 1)


def _font(element: Element) -> Font:
    """What of a font may mean something.

    Hangul writes the shape 3D where nothing is struck; a line through the middle is an underline to it.
    """
    line, under = element.find("{*}strikeout"), element.find("{*}underline")
    shapes = [line.get("shape", "NONE")] if line is not None else []
    if under is not None and under.get("type") == "CENTER":
        shapes.append(under.get("shape", "NONE"))
    colour = element.get("textColor", "").lstrip("#").upper()
    return Font(
        struck=any(shape != "NONE" and "3D" not in shape for shape in shapes),
        raised=any(element.find(f"{{*}}{name}") is not None for name in ("supscript", "subscript")),
        colour="" if colour == "NONE" else colour[-6:],
    )


class _Text:
    """What a paragraph or a cell says."""

    def __init__(self, reader: _Reader) -> None:
        self.reader = reader
        self.pieces, self.tables = list[Piece](), list[Element]()
        self.notes, self.comments = list[Aside](), list[str]()

    def asides(self) -> list[Aside]:
        """Notes, and the comments with them."""
        return [*self.notes, *(Aside("script.comments", text + " ") for text in self.comments)]

    def paragraph(self, element: Element) -> None:
        """A paragraph's text."""
        for run in element.iterfind("{*}run"):
            font = self.reader.fonts.get(run.get("charPrIDRef", ""), Font())
            for one in run:
                self._part(one, font)

    def _part(self, element: Element, font: Font) -> None:
        name = local(element)
        if name == "t":
            self._words(element, font)
        elif name == "tbl":
            self.tables.append(element)
            if caption := element.find("{*}caption"):
                self.notes.append(Aside("script.boxes", _plain(caption) + " "))
        elif name == "ctrl":
            for one in element:
                self._control(one)
        elif name == "dutmal":  # a gloss above or below a word
            words = element.find("{*}mainText")
            self.pieces.append(Piece("" if words is None else "".join(words.itertext()), font))
        elif name == "compose":
            self.pieces.append(Piece(element.get("composeText", ""), font))
        elif name not in _UNSEEN:  # shapes, which may hold text and tables
            inner = [one for one in element.iter() if local(one) == "tbl"]
            self.tables += inner
            within = {id(t) for table in inner for t in table.iter() if local(t) == "t"}
            texts = ["".join(t.itertext()) for t in element.iter()
                     if local(t) == "t" and id(t) not in within]  # fmt: skip
            if text := one_line(" ".join(texts)):
                self.notes.append(Aside("script.boxes", text + " "))

    def _words(self, element: Element, font: Font) -> None:
        """Text, with signs and where changes begin and end in it."""
        self.pieces.append(Piece(element.text or "", font, self.reader.fate))
        for one in element:
            match local(one):
                case "deleteBegin":
                    self.reader.fate = "deleted"
                case "insertBegin" if self.reader.fate != "deleted":
                    self.reader.fate = "inserted"
                case "deleteEnd":
                    self.reader.fate = ""
                case "insertEnd" if self.reader.fate == "inserted":
                    self.reader.fate = ""
                case name if name in _SIGNS:
                    self.pieces.append(Piece(_SIGNS[name], font, self.reader.fate))
            self.pieces.append(Piece(one.tail or "", font, self.reader.fate))

    def _control(self, element: Element) -> None:
        name = local(element)
        if name == "fieldBegin" and element.get("type") == "MEMO":
            self.comments += filter(None, [_plain(element)])
        elif name in _NOTES and (text := _plain(element)):
            if name == "hiddenComment":
                self.comments.append(text)
            else:
                self.notes.append(Aside(_NOTES[name], text + " "))
