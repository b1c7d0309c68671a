"""Scripts as studios keep them: one reader a kind of file, in one table."""

from collections.abc import Collection, Mapping
from pathlib import Path

from moksori.errors import ScriptError
from moksori.files import read_text
from moksori.script.content import Asked, Reader, ScriptContent
from moksori.script.cues import read_cues
from moksori.script.headers import COLUMNS, meaning
from moksori.script.line import Line, Place
from moksori.script.sheets import read_delimited_script, read_workbook_script
from moksori.timecode import FrameRate


def read_plain(path: Path, asked: Asked) -> ScriptContent:
    """The rows of a plain text, each a line; a `content.Reader`."""
    rows = enumerate(read_text(path, ScriptError).splitlines(), 1)
    return ScriptContent([Line(Place("line", n), row) for n, row in rows if row.strip()])


# By suffix. A new kind of script is a reader in a file of its own, and a line here.
READERS: dict[str, Reader] = {
    ".xlsx": read_workbook_script,
    ".xlsm": read_workbook_script,
    ".xls": read_workbook_script,
    ".csv": read_delimited_script,
    ".tsv": read_delimited_script,
    ".srt": read_cues,
    ".ass": read_cues,
    ".ssa": read_cues,
    ".vtt": read_cues,
    ".txt": read_plain,
}
_WITH_EPISODES = (read_workbook_script, read_delimited_script)


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
        ScriptError: a file that cannot be read or has no lines, a table without such a column, or no such
            episode.
    """
    asked = {_key(name): header for name, header in (columns or {}).items()}
    if column and asked.setdefault("line", column) != column:
        raise ScriptError(f"“{column}” and “{asked['line']}” are both named as the line; name one")
    if not path.is_file():
        raise ScriptError(f"{path}: no such file; is its name right?")
    kind = path.suffix.lower()
    reader = READERS.get(kind)
    if reader is None:
        known = ", ".join(READERS)
        raise ScriptError(f"{path}: give {known}; of {kind or 'other files'}, save it as .xlsx")
    if episode is not None and reader not in _WITH_EPISODES:
        raise ScriptError(f"{path}: a {kind} has no episodes; leave out --episode")
    content = reader(
        path, Asked(columns=asked, only=only, frame_rate=frame_rate, episode=episode, hidden=hidden)
    )
    if not content.lines:
        raise ScriptError(
            f"{path}: no lines in it; is it whole, and of the kind that its name says?"
        )
    return content


def _key(name: str) -> str:
    """The key of a column as a user names it: character, or 배역."""
    found = meaning(name)
    if name not in COLUMNS and found is None:
        raise ScriptError.of("script.no_key", name=name, keys=", ".join(COLUMNS))
    return name if found is None or name in COLUMNS else found.key
