"""Scripts as studios keep them: one reader a kind of file, in one table."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from moksori.config import MAX_CHARACTERS
from moksori.errors import ScriptError
from moksori.files import read_text
from moksori.messages import Message, message
from moksori.script.content import Asked, Fault, Reader, ScriptContent, joined
from moksori.script.dapt import read_dapt
from moksori.script.dialogue import cited, heading, read_dialogue
from moksori.script.documents import read_document_script
from moksori.script.headers import COLUMNS, meaning
from moksori.script.line import Line, Place
from moksori.script.names import unify_names
from moksori.script.pro_tools import BEGINS, read_pro_tools
from moksori.script.rich import Paragraph
from moksori.script.sami import read_sami
from moksori.script.sheets import is_table, read_delimited_script, read_workbook_script
from moksori.script.subrip import read_subrip
from moksori.script.substation import read_substation
from moksori.script.tables import Cell, one_line
from moksori.timecode import FrameRate

# Subtitles that were saved as plain text: how they begin, or how their times stand in a row.
_SUBTITLES: tuple[tuple[re.Pattern[str], Reader], ...] = (
    (re.compile(r"\A\s*\[Script Info\]", re.IGNORECASE), read_substation),
    (re.compile(r"\A\s*<SAMI\b", re.IGNORECASE), read_sami),
    (
        re.compile(r"\AWEBVTT|^\s*\d{1,2}:[\d:;.,]+\s*-->\s*\d{1,2}:[\d:;.,]+\s*$", re.MULTILINE),
        read_subrip,
    ),
)


def read_plain(path: Path, asked: Asked) -> ScriptContent:
    """The rows of a plain text, or the lines of a table, subtitles, a Pro Tools session; a `content.Reader`.

    Where most rows begin with somebody's name, they are read as a document's paragraphs; else each is a line.
    """
    content = read_text(path, ScriptError)
    if content.startswith(BEGINS):
        return read_pro_tools(path, content, asked)
    for begins, reader in _SUBTITLES:
        if begins.search(content):
            return reader(path, asked)
    if is_table(content, asked):
        return read_delimited_script(path, asked)
    rows = content.split("\n")
    written = [Paragraph(n, Cell(row), kind="line") for n, row in enumerate(rows, 1) if row.strip()]
    spoken = read_dialogue(path, written, asked)
    if 2 * len(spoken.lines) > sum(not heading(row) for row in written):
        return spoken
    lines, faults = [], []
    for number, row in enumerate(rows, 1):
        text, place = one_line(row), Place("line", number)
        if len(text) > MAX_CHARACTERS:
            why = message("script.whole_page", number=len(text))
            faults.append(Fault(place, place.message, why))
        if text:
            lines.append(Line(place, text[:MAX_CHARACTERS]))
    names = {line.place for line in spoken.lines}
    if not names:
        return ScriptContent(lines, faults=faults)
    cites = cited([row for row in written if row.place in names])
    notice = message("script.rows_with_names", file=path, number=len(names), cites=cites)
    return ScriptContent(lines, [notice], faults)


# By suffix. A new kind of script is a reader in a file of its own, and a line here.
READERS: dict[str, Reader] = {
    ".xlsx": read_workbook_script,
    ".xlsm": read_workbook_script,
    ".xls": read_workbook_script,
    ".ods": read_workbook_script,
    ".csv": read_delimited_script,
    ".tsv": read_delimited_script,
    ".docx": read_document_script,
    ".docm": read_document_script,
    ".hwpx": read_document_script,
    ".srt": read_subrip,
    ".vtt": read_subrip,
    ".ass": read_substation,
    ".ssa": read_substation,
    ".smi": read_sami,
    ".sami": read_sami,
    ".dapt": read_dapt,
    ".ttml": read_dapt,
    ".dfxp": read_dapt,
    ".xml": read_dapt,
    ".txt": read_plain,
}
_SAVE_AS = {
    ".hwp": "script.save_hwp", ".hwt": "script.save_hwp", ".hml": "script.save_hwp",
    ".doc": "script.save_docx", ".odt": "script.save_docx", ".rtf": "script.save_docx",
    ".pages": "script.save_docx", ".pdf": "script.save_pdf", ".numbers": "script.save_as",
    ".sub": "script.save_sub", ".sbv": "script.save_sub", ".stl": "script.save_sub",
    ".scc": "script.save_sub", ".zip": "script.unzip",
}  # fmt: skip
_OF_A_SYLLABLE = 2  # bytes in EUC-KR; what KS X 1001 lacks is spelt by its letters
_RARE, _RARE_PART = 3, 0.5  # syllables that Korean hardly has, and how many of all
_WITH_EPISODES = (read_workbook_script, read_delimited_script, read_document_script)


def read_script(
    path: Path,
    column: str | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    frame_rate: FrameRate | None = None,
    episode: str | None = None,
    only: Collection[str] = tuple(COLUMNS),
    hidden: bool = False,
) -> ScriptContent:
    """Read the lines of a script.

    Args:
        path: of a kind in `READERS`. Text files are UTF-8, UTF-16, or CP949 as Excel in Korean saves them.
        column: header of the column that holds the lines in a table. If not given, it is found by the
            names in `headers.COLUMNS`, or by its content. The header may stand below title rows. Of a
            workbook, every sheet that has the column is read; a warning names the others that hold something.
        columns: headers, letters or numbers of columns by the keys of `headers.COLUMNS`, where they are not
            among its names; `-` for none.
        frame_rate: of a table's time codes.
        episode: whose lines are read, of those that a column or the sheets' titles name.
        only: which of `headers.COLUMNS` are read beside the lines; what is wrong in the others does not
            matter.
        hidden: whether hidden rows, and a hidden column of lines, are read too.

    Returns:
        Every row that has text, in the script's order. A warning names rows that have none but a
        character, a file or a time; a fault each cell whose value is not known, each time that is none.

    Raises:
        ScriptError: a file that cannot be read or has no lines, none without faults, a table without such
            a column, or no such episode.
    """
    asked = {_key(name): header for name, header in (columns or {}).items()}
    if column and asked.setdefault("line", column) != column:
        raise ScriptError.of("script.two_lines", first=column, second=asked["line"])
    if not path.is_file():
        raise ScriptError.of("script.folder" if path.is_dir() else "script.no_file", file=path)
    reader = _reader(path)
    if episode is not None and reader not in _WITH_EPISODES:
        raise ScriptError.of("script.no_episodes_in", file=path, kind=path.suffix.lower())
    content = reader(
        path, Asked(columns=asked, only=only, frame_rate=frame_rate, episode=episode, hidden=hidden)
    )
    if not content.lines:
        none = message("script.no_lines", file=path)
        raise ScriptError(joined([none, *content.warnings]))  # such as that all rows are hidden
    if content.faulty.issuperset(line.place for line in content.lines):
        content.whole(path)  # raises
    lines, notice = unify_names(content.lines)
    notice += _garbled(path, lines)
    return replace(content, lines=lines, warnings=[*content.warnings, *notice])


def _garbled(path: Path, lines: Iterable[Line]) -> list[Message]:
    """A warning of many syllables that KS X 1001 lacks: text of another country that was taken for CP949."""
    syllables = [char for line in lines for char in line.text if "가" <= char <= "힣"]
    unknown = {char for char in {*syllables} if len(char.encode("euc_kr")) != _OF_A_SYLLABLE}
    rare = [char for char in syllables if char in unknown]
    if len(rare) < _RARE or len(rare) < _RARE_PART * len(syllables):
        return []
    cited = "".join(dict.fromkeys(rare))[:_RARE]
    return [message("script.garbled", file=path, number=len(rare), all=len(syllables), text=cited)]


def _reader(path: Path) -> Reader:
    kind = path.suffix.lower()
    reader = READERS.get(kind)
    if reader is None:
        known = ", ".join(READERS)
        shown = kind or message("script.other_files")
        hint = message(_SAVE_AS.get(kind, "script.save_as"))
        raise ScriptError.of("script.kind", file=path, known=known, kind=shown, hint=hint)
    return reader


def _key(name: str) -> str:
    """The key of a column as a user names it: character, or 배역."""
    found = meaning(name)
    if name not in COLUMNS and found is None:
        raise ScriptError.of("script.no_key", name=name, keys=", ".join(COLUMNS))
    return name if found is None or name in COLUMNS else found.key
