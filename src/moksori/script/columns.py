"""Which column of a table is what: its header, found by the names that studios use."""

import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from moksori.errors import ScriptError
from moksori.messages import Message, message
from moksori.script.content import Asked
from moksori.script.tables import Cell, Table

LINE_COLUMNS = ("대사", "line", "dialogue", "dialog", "text", "대본", "script")
COLUMNS = {
    "line": LINE_COLUMNS,
    "character": ("배역", "character", "인물"),
    "actor": ("성우", "actor", "배우"),
    "file": ("파일", "file", "파일명", "filename"),
    "no": ("번호", "no", "#"),
    "start": ("시작", "시작시간", "TC in", "start", "in"),
    "end": ("끝", "종료", "끝시간", "종료시간", "TC out", "end", "out"),
    "episode": ("화", "episode"),
    "scene": ("씬", "scene"),
    "directions": ("지문", "direction", "directions"),
    "note": ("비고", "note", "notes"),
}  # the first that is there is taken
_HEADER_WITHIN = 20  # rows; titles may stand above it


class NoLines(ScriptError):
    """A table without a column of lines."""


class Sheet(NamedTuple):
    """A table whose header is found."""

    path: Path  # of the script
    table: Table
    row: int  # the header's number
    head: list[Cell]  # all cells of the header
    columns: dict[str, int]  # where each of `COLUMNS` is that is there
    warnings: list[Message]


def _key(header: str) -> str:
    """A header without what writers vary: case, spaces, dots, underscores, and a Mac's jamo."""
    return re.sub(r"[\s._]", "", unicodedata.normalize("NFKC", header).casefold())


def find_header(path: Path, table: Table, asked: Asked) -> Sheet:
    """Find a table's header: of the rows that name the line's column, the one with most known names."""
    place = f"{path}, {table.title}" if table.title else str(path)
    taken = {_key(name) for name in asked.columns.values()}
    known = taken.union(*({_key(name) for name in names} for names in COLUMNS.values()))
    wanted = {
        key: [asked.columns[key]]
        if key in asked.columns
        else [n for n in names if _key(n) not in taken]
        for key, names in COLUMNS.items()
        if key == "line" or key in asked.only
    }
    heads = [(number, row) for number, row in table.rows if number <= _HEADER_WITHIN]
    keys = [[_key(cell.text) for cell in row] for _, row in heads]
    likely = [
        (len(known & {*cells}), -i)
        for i, cells in enumerate(keys)
        if any(_key(name) in cells for name in wanted["line"])
    ]
    if not likely:
        seen = [cell.text for _, row in heads for cell in row if cell.text]
        raise NoLines(
            f"{place}: no column “{'”, “'.join(wanted['line'])}” in the first {_HEADER_WITHIN} rows; "
            f"name the column of the lines with --column (there are: {', '.join(seen[:12]) or 'none'})"
        )
    at = -max(likely)[1]
    (number, head), counted = heads[at], Counter(keys[at])
    columns, warnings = {}, list[Message]()
    for key, names in wanted.items():
        there = [*dict.fromkeys(n for name in names if (n := _key(name)) in counted)]
        if key in asked.columns and not there:
            seen = [cell.text for cell in head if cell.text]
            raise ScriptError(
                f"{place}, row {number}: no column “{asked.columns[key]}” for {key}; name one of: "
                f"{', '.join(seen)}"
            )
        if not there:
            continue
        columns[key], *others = (keys[at].index(name) for name in there)
        written = head[columns[key]].text
        if counted[there[0]] > 1:
            raise ScriptError(
                f"{place}, row {number}: two columns are called “{written}”; rename one of them"
            )
        if others:
            other = head[others[0]].text
            warnings.append(
                message("script.two_columns", place=place, read=written, other=other, what=key)
            )
    return Sheet(path=path, table=table, row=number, head=head, columns=columns, warnings=warnings)
