"""Documents (.docx, .hwpx) to lines: their tables as sheets are read, or their paragraphs `name: line`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from moksori.errors import ScriptError
from moksori.files import read_bytes
from moksori.messages import Message, message
from moksori.script.columns import NoLines
from moksori.script.content import Asked, ScriptContent
from moksori.script.dialogue import asides, cited, heading, label, names_in, read_dialogue
from moksori.script.docx import read_docx
from moksori.script.hwpx import read_hwpx
from moksori.script.package import OLE, check_kind
from moksori.script.rich import Document, Paragraph
from moksori.script.sheets import from_tables
from moksori.script.tables import Table

_READ: dict[str, Callable[[Path, bytes, bool], Document]] = {".docx": read_docx, ".hwpx": read_hwpx}


class _Parts(NamedTuple):
    """A document's blocks by kind, and the heading before each table."""

    tables: list[Table]
    paragraphs: list[Paragraph]
    scenes: dict[str, str]  # by the table's number, as its lines' places have it


def read_document_script(path: Path, asked: Asked) -> ScriptContent:
    """The lines of a .docx, .docm or .hwpx; a `content.Reader`.

    Those of its tables, or those of its paragraphs, whichever are more; what is not read is reported. What is
    struck through, hidden, or deleted with changes tracked is left out and reported; what was inserted is
    read.

    Raises:
        ScriptError: damaged, protected, of another kind, or as `sheets.from_tables`.
    """
    content = read_bytes(path, ScriptError)
    kind = ".hwpx" if path.suffix.lower() == ".hwpx" else ".docx"
    if content.startswith(OLE):
        raise ScriptError.of("script.old_document", file=path, kind=kind)
    check_kind(path, content, (kind,))
    parts = _parted(_READ[kind](path, content, asked.hidden).blocks)
    spoken = read_dialogue(path, parts.paragraphs, asked)
    rows = sum(len(table.rows) for table in parts.tables)
    of_tables = bool(asked.columns) or asked.episode is not None  # which only tables have
    if of_tables or rows >= len(spoken.lines):
        try:
            return _of_tables(path, parts, spoken, asked)
        except NoLines:
            if of_tables or not spoken.lines:
                raise
    return replace(spoken, warnings=[*spoken.warnings, *_tables_passed(path, parts.tables)])


def _parted(blocks: Sequence[Paragraph | Table]) -> _Parts:
    tables, paragraphs, scenes, scene = list[Table](), list[Paragraph](), dict[str, str](), ""
    texts = [block for block in blocks if isinstance(block, Paragraph)]
    names = names_in(texts)
    for block in blocks:
        if isinstance(block, Table):
            tables.append(block)
            scenes[str(block.number)] = scene
        else:
            spoken = (
                names[label(block)] > 1
            )  # a line in a heading's style, as a program may copy it on
            paragraphs.append(block._replace(level=0) if spoken else block)
            scene = heading(paragraphs[-1]) or scene
    return _Parts(tables, paragraphs, scenes)


def _of_tables(path: Path, parts: _Parts, spoken: ScriptContent, asked: Asked) -> ScriptContent:
    """The lines of the tables, each in the scene whose heading stands above its table."""
    if not parts.tables:
        raise NoLines.of("script.no_dialogue", file=path)
    titles = [[one.cell.text] for one in parts.paragraphs]
    content = from_tables(path, parts.tables, asked, titles)
    lines = [
        replace(line, scene=line.scene or parts.scenes.get(line.place.sheet, ""))
        for line in content.lines
    ]
    notice = [*asides(path, parts.paragraphs), *_paragraphs_passed(path, parts.paragraphs, spoken)]
    return replace(content, lines=lines, warnings=[*content.warnings, *notice])


def _paragraphs_passed(
    path: Path, paragraphs: Sequence[Paragraph], spoken: ScriptContent
) -> Iterator[Message]:
    """That paragraphs were not read: those that look like lines by themselves."""
    lines = {line.place.number for line in spoken.lines}
    labelled = [one for one in paragraphs if one.number in lines]
    others = [
        one for one in paragraphs if one.number not in lines and one.cell.text and not heading(one)
    ]
    if labelled:
        yield message("script.lines_passed", file=path, number=len(labelled), cites=cited(labelled))
    if others:
        yield message("script.prose_passed", file=path, number=len(others), cites=cited(others))


def _tables_passed(path: Path, tables: Sequence[Table]) -> Iterator[Message]:
    for table in tables:
        if table.rows:
            first = next((cell.text for _, row in table.rows for cell in row if cell.text), "")
            yield message(
                "script.table_passed",
                file=path,
                table=table.name,
                rows=len(table.rows),
                text=first[:40],
            )
