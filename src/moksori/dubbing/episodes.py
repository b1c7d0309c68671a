"""The table of a season: which script and which recordings each episode has.

    회차   대본          녹음          fps      시작          시트
    ep01   ep01.xlsx     takes/ep01/   29.97df  01:00:00;00
    ep02   all.xlsx      ep02.wav      29.97df                2화

In FOLDER/season.xlsx or .csv, beside FOLDER/cast.toml and, where there is one, FOLDER/lexicon.tsv, which all
episodes share. Paths are as seen from the table.
"""

import datetime
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from moksori.errors import ConfigError, ScriptError
from moksori.files import own_name, read_csv, safe_name
from moksori.listed import existing, find_file
from moksori.messages import Message, joined, message
from moksori.script.tables import Cell
from moksori.script.workbook import is_workbook, read_workbook

_NAME = "season"
_KINDS = (".xlsx", ".xlsm", ".ods", ".xls", ".csv", ".tsv")
_COLUMNS = {
    "name": ("회차", "화", "episode", "name"),
    "script": ("대본", "script"),
    "audio": ("녹음", "recordings", "audio"),
    "fps": ("fps", "프레임", "frame rate"),
    "start": ("시작", "start"),
    "sheet": ("시트", "sheet"),
}
_NEEDED = ("name", "script", "audio")


class Episode(NamedTuple):
    """A row of the table; what is "" is as `moksori dub` takes it by default."""

    name: str  # as the table has it
    folder: str  # of its job, where it has not begun yet
    script: Path
    audio: Path
    fps: str = ""
    start: str = ""
    sheet: str = ""


def find_table(place: Path) -> Path:
    """A season's table: the file itself, or the one in a folder.

    Raises:
        ConfigError: there is none, or several.
    """
    if place.is_file():
        return place
    found = [path for kind in _KINDS if (path := place / f"{_NAME}{kind}").is_file()]
    if len(found) != 1:
        names = ", ".join(path.name for path in found)
        code = "season.tables" if found else "season.no_table"
        raise ConfigError.of(code, folder=place, names=names)
    return found[0]


def read_episodes(table: Path) -> list[Episode]:
    """The episodes of a table, in its order.

    Raises:
        ConfigError: all that is wrong with it: a column that is missing or not known, empty cells, episodes
            of one name. Files that are not there are their own episodes' errors.
    """
    rows = list(_rows(table))
    if not rows:
        raise ConfigError.of("season.empty", file=table)
    faults = []
    for number, row in rows:
        faults += list(_faults(table, number, row))
    names = [row["name"] for _, row in rows]
    for number, row in rows:
        if row["name"] and names.count(row["name"]) > 1:
            faults.append(message("season.twice", file=table, row=number, name=row["name"]))
    if faults:
        raise ConfigError(joined(faults))
    alike = Counter(safe_name(name).casefold() for name in names)
    return [
        Episode(
            row["name"], _folder(row["name"], alike), _place(table, row["script"]),
            _place(table, row["audio"]), row["fps"], row["start"], row["sheet"],
        )
        for _, row in rows
    ]  # fmt: skip


def _folder(name: str, alike: Counter[str]) -> str:
    """A folder's name that is of this episode alone, also where its end is cut or another's is alike."""
    plain = safe_name(name)
    is_cut = len(plain) < len(name)
    return own_name(name) if is_cut or alike[plain.casefold()] > 1 else plain


def _faults(table: Path, number: int, row: dict[str, str]) -> Iterator[Message]:
    for key in _NEEDED:
        if not row[key]:
            yield message("season.no_cell", file=table, row=number, column=_COLUMNS[key][0])


def _place(table: Path, written: str) -> Path:
    """A file or a folder that the table names, with slashes of either kind."""
    if found := find_file(table.parent, written):
        return found
    place = table.parent / written
    return place if place.exists() else existing(table.parent / written.replace("\\", "/"))


def _rows(table: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The filled rows below the header, with their numbers."""
    raw = list(_of_workbook(table) if is_workbook(table) else _of_text(table))
    if not raw:
        return
    columns = _columns(table, raw[0][1])
    for number, cells in raw[1:]:
        row = dict.fromkeys(_COLUMNS, "")
        for key, column in columns.items():
            row[key] = cells[column] if column < len(cells) else ""
        if any(row.values()):
            yield number, row


def _columns(table: Path, headers: list[str]) -> dict[str, int]:
    """Which column is what."""
    known = {alias: key for key, aliases in _COLUMNS.items() for alias in aliases}
    found: dict[str, int] = {}
    for column, header in enumerate(headers):
        key = known.get(header.casefold())
        if header and (key is None or key in found):
            names = ", ".join(aliases[0] for aliases in _COLUMNS.values())
            raise ConfigError.of("season.column", file=table, column=header, names=names)
        if key:
            found[key] = column
    for key in _NEEDED:
        if key not in found:
            raise ConfigError.of("season.no_column", file=table, column=_COLUMNS[key][0])
    return found


def _of_workbook(table: Path) -> Iterable[tuple[int, list[str]]]:
    """Of the first sheet that is shown; a row that seems to be left out is asked about."""
    try:
        sheets = [sheet for sheet in read_workbook(table) if not sheet.hidden]
    except ScriptError as error:
        raise ConfigError(error.message) from None
    if not sheets:
        return []
    faults = [
        message("script.fault", file=table, where=sheets[0].cell(number, column), why=why)
        for number, cells in sheets[0].rows
        for column, cell in enumerate(cells)
        if (why := cell.fault or _date(cell))
    ]
    faults += [
        message("season.left_out", file=table, row=number)
        for number, cells in sheets[0].rows
        if number in sheets[0].hidden_rows or any(cell.struck for cell in cells)
    ]
    if faults:
        raise ConfigError(joined(faults))
    return [(number, [_text(cell.value) for cell in cells]) for number, cells in sheets[0].rows]


def _date(cell: Cell) -> Message | None:
    """What is wrong with a date, which no column holds: the table's program makes one of 1-2."""
    is_date = isinstance(cell.value, datetime.date)
    return message("script.is_time", value=cell.text) if is_date else None


def _of_text(table: Path) -> Iterable[tuple[int, list[str]]]:
    rows = read_csv(table, ConfigError)
    yield 1, [_text(header) for header in rows.fieldnames or ()]
    for row in rows:
        yield rows.line_num, [_text(row.get(header)) for header in rows.fieldnames or ()]


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"  # 29.97, and 25 for 25.0
    return "" if value is None else unicodedata.normalize("NFC", str(value)).strip()
