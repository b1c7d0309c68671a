"""Scripts as studios keep them: tables (xlsx, csv, tsv), subtitles (srt, ass, vtt) and plain text."""

import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from moksori.config import Seconds
from moksori.errors import ScriptError
from moksori.files import read_text
from moksori.script import tables
from moksori.script.cues import read_cues
from moksori.script.line import Line, Place
from moksori.script.tables import BLANK, Cell, Table, one_line
from moksori.timecode import FrameRate

__all__ = ["COLUMNS", "LINE_COLUMNS", "read_script"]
_log = logging.getLogger(__name__)
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
_OF_ONE_ROW = ("line", "no", "start", "end")  # a merged cell does not say them for the rows below
_TIMES = ("start", "end")
_FREE = ("directions", "note")  # may hold a date
_CONTENT = ("character", "actor", "file", "start", "end", "directions")  # more than a heading has
_HEADER_WITHIN = 20  # rows; titles may stand above it
_MAX_CHARACTERS = 2000  # of a line
_NAMED = 20  # rows that a warning names
_SUBTITLES = (".srt", ".ass", ".ssa", ".vtt")
_KINDS = ".xlsx, .xlsm, .csv, .tsv, .srt, .ass, .ssa, .vtt or .txt"


class _NoLines(ScriptError):
    """A table without a column of lines."""


class _Sheet(NamedTuple):
    """A table whose header is found."""

    path: Path  # of the script
    table: Table
    row: int  # the header's number
    head: list[Cell]  # all cells of the header
    columns: dict[str, int]  # where each of `COLUMNS` is that is there


def read_script(
    path: Path,
    column: str | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    frame_rate: FrameRate | None = None,
    episode: str | None = None,
    only: Collection[str] = tuple(COLUMNS),
) -> list[Line]:
    """Read the lines of a script.

    Args:
        path: .xlsx, .xlsm, .csv, .tsv, .srt, .ass, .ssa, .vtt or .txt (a line a row). Text files are
            UTF-8, or CP949 as Excel in Korean saves them.
        column: header of the column that holds the lines in a table; one of `LINE_COLUMNS` if not
            given. The header may stand below title rows. Of a workbook, every sheet that has the
            column is read; a warning names the others that hold something.
        columns: headers by the keys of `COLUMNS`, where they are not among its names.
        frame_rate: of a table's time codes.
        episode: whose lines are read, of those that a column or the sheets' titles name.
        only: which of `COLUMNS` are read beside the lines; what is wrong in the others does not matter.

    Returns:
        Every row that has text, in the script's order. A warning names rows that have none but a
        character, a file or a time.

    Raises:
        ScriptError: a file that cannot be read or has no lines, a table without such a column, a cell
            whose value is not known, a time that is none, or no such episode.
    """
    kind = path.suffix.lower()
    asked = dict(columns or {})
    if unknown := [key for key in asked if key not in COLUMNS]:
        raise ScriptError(f"no column “{unknown[0]}” is known; name one of {', '.join(COLUMNS)}")
    if column and asked.setdefault("line", column) != column:
        raise ScriptError(f"“{column}” and “{asked['line']}” are both named as the line; name one")
    if not path.is_file():
        raise ScriptError(f"{path}: no such file; is its name right?")
    if episode is not None and kind in (*_SUBTITLES, ".txt"):
        raise ScriptError(f"{path}: a {kind} has no episodes; leave out --episode")
    if kind in (".xlsx", ".xlsm"):
        lines = _from_tables(path, tables.read_workbook(path), asked, frame_rate, episode, only)
    elif kind in (".csv", ".tsv"):
        table = tables.read_delimited(path, "," if kind == ".csv" else "\t")
        lines = _from_tables(path, [table], asked, frame_rate, episode, only)
    elif kind in _SUBTITLES:
        cues = read_cues(path, read_text(path, ScriptError))
        _warn_of_textless(path, "cues", [line.no for line in cues if not line.text])
        lines = [line for line in cues if line.text]
    elif kind == ".txt":
        rows = enumerate(read_text(path, ScriptError).splitlines(), 1)
        lines = [Line(Place("line", n), row) for n, row in rows if row.strip()]
    else:
        raise ScriptError(f"{path}: give {_KINDS}; of {kind or 'other files'}, save it as .xlsx")
    if not lines:
        raise ScriptError(
            f"{path}: no lines in it; is it whole, and of the kind that its name says?"
        )
    return lines


def _from_tables(
    path: Path,
    found: list[Table],
    asked: Mapping[str, str],
    frame_rate: FrameRate | None,
    episode: str | None,
    only: Collection[str],
) -> list[Line]:
    """Lines of every sheet that has the column: one sheet an episode, notes on sheets of their own."""
    headed, fault, passed_over = [], None, []
    for table in found:
        try:
            headed.append(_headed(path, table, asked, only))
        except _NoLines as error:
            fault = fault or error
            passed_over += [table.title] * bool(table.rows)
    if fault and not headed:
        raise fault
    if passed_over:
        names = ", ".join(passed_over)
        _log.warning(f"{path}: no column of lines on these sheets, passed over: {names}")
    read = []
    for sheet in headed:
        title = one_line(sheet.table.title)
        if episode is None or "episode" in sheet.columns or title == one_line(episode):
            lines = _lines(sheet, frame_rate, title if len(found) > 1 else "")
            read.append((title, lines))
            if lines and sheet.table.hidden:
                _log.warning(f"{path}: the sheet {title} is hidden, but its lines are read too")
    several = episode is not None or sum(bool(lines) for _, lines in read) > 1
    spoken = [
        replace(line, episode=line.episode or title * several)
        for title, lines in read
        for line in lines
    ]
    if episode is None:
        return spoken
    kept = [line for line in spoken if line.episode == one_line(episode)]
    if not kept:
        titles = [sheet.table.title for sheet in headed if "episode" not in sheet.columns]
        names = ", ".join(
            filter(None, dict.fromkeys([*(line.episode for line in spoken), *titles]))
        )
        raise ScriptError(
            f"{path}: no line of the episode “{episode}”; give --episode one of: "
            f"{names or 'none, there is no column 화'}"
        )
    return kept


def _key(header: str) -> str:
    """A header without what writers vary: case, spaces, dots, underscores, and a Mac's jamo."""
    return re.sub(r"[\s._]", "", unicodedata.normalize("NFKC", header).casefold())


def _headed(path: Path, table: Table, asked: Mapping[str, str], only: Collection[str]) -> _Sheet:
    """Find a table's header: of the rows that name the line's column, the one with most known names."""
    place = f"{path}, {table.title}" if table.title else str(path)
    taken = {_key(name) for name in asked.values()}
    known = taken.union(*({_key(name) for name in names} for names in COLUMNS.values()))
    wanted = {
        key: [asked[key]] if key in asked else [n for n in names if _key(n) not in taken]
        for key, names in COLUMNS.items()
        if key == "line" or key in only
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
        raise _NoLines(
            f"{place}: no column “{'”, “'.join(wanted['line'])}” in the first {_HEADER_WITHIN} rows; "
            f"name the column of the lines with --column (there are: {', '.join(seen[:12]) or 'none'})"
        )
    at = -max(likely)[1]
    (number, head), counted = heads[at], Counter(keys[at])
    columns = {}
    for key, names in wanted.items():
        there = [*dict.fromkeys(n for name in names if (n := _key(name)) in counted)]
        if key in asked and not there:
            seen = [cell.text for cell in head if cell.text]
            raise ScriptError(
                f"{place}, row {number}: no column “{asked[key]}” for {key}; name one of: "
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
            _log.warning(f"{place}: “{written}” and “{other}” are both {key}; {written} is read")
    return _Sheet(path, table, number, head, columns)


def _lines(sheet: _Sheet, frame_rate: FrameRate | None, prefix: str) -> list[Line]:
    path, table, columns, lines, textless = sheet.path, sheet.table, sheet.columns, [], []
    width = len(sheet.head)
    for number, cells in table.rows:
        if number <= sheet.row:
            continue
        if not table.title and any(cell.own for cell in cells[width:]):
            raise ScriptError(
                f"{path}, row {number}: {len(cells)} cells, but the header has {width}; put quotation "
                "marks around text with commas"
            )
        for i in columns.values():  # a header that is merged over columns may be of either
            head = sheet.head[i]
            if any(cell.own for cell in cells[i + 1 : i + head.width]):
                raise ScriptError(
                    f"{path}, {table.cell(number, i)}: more than one column below “{head.text}”, which "
                    "is merged over several; give each its own header"
                )
        row = {key: cells[i] for key, i in columns.items() if i < len(cells)}
        row = {key: c for key, c in row.items() if not (c.held and key in _OF_ONE_ROW)}
        text = row.get("line", BLANK)
        if "line" in row and not (text.text or text.fault) and _is_sound(row):
            row["line"] = replace(
                row["directions"], value=f"({row['directions'].text.strip('()[]')})"
            )
            lines.append(_line(sheet, number, row, frame_rate, prefix))
        elif text.text or text.fault:
            lines.append(_line(sheet, number, row, frame_rate, prefix))
        elif any(row[key].own for key in _CONTENT if key in row):
            textless.append(str(number))
    _warn_of_textless(path, f"{table.title} rows".strip(), textless)
    return lines


def _is_sound(row: Mapping[str, Cell]) -> bool:
    """Whether a row without text is a breath or a cry of a character: directions, and a recording."""
    own = {key for key in ("character", "directions", "file", "start") if row.get(key, BLANK).text}
    return own >= {"character", "directions"} and bool(own & {"file", "start"})


def _line(
    sheet: _Sheet, number: int, row: Mapping[str, Cell], frame_rate: FrameRate | None, prefix: str
) -> Line:
    places = {k: f"{sheet.path}, {sheet.table.cell(number, i)}" for k, i in sheet.columns.items()}
    for key, cell in row.items():
        if cell.fault:
            raise ScriptError(f"{places[key]}: {cell.fault}")
        if cell.is_time and key not in (*_TIMES, *_FREE):
            raise ScriptError(
                f"{places[key]}: {cell.text} is a date or a time to the table's program; format the "
                "cell as text and write it anew"
            )
    text = row["line"].text
    if len(text) > _MAX_CHARACTERS:
        raise ScriptError(
            f"{places['line']}: {len(text)} characters in a line; is it a whole page? part it"
        )
    times: dict[str, Seconds | None] = {}
    for key in _TIMES:
        try:
            times[key] = row.get(key, BLANK).seconds(frame_rate)
        except ScriptError as error:
            head = sheet.head[sheet.columns[key]].text
            raise ScriptError(f"{places[key]}, column “{head}”: {error}") from None
    start, end = times["start"], times["end"]
    if start is not None and end is not None and end <= start:
        raise ScriptError(
            f"{places['end']}: ends with {row['end'].text} but starts with {row['start'].text}; fix "
            f"the times of row {number}"
        )
    words = {key: cell.text for key, cell in row.items() if key not in (*_TIMES, "line")}
    return Line(Place("row", number, prefix), text, start=start, end=end, **words)


def _warn_of_textless(path: Path, what: str, places: list[str]) -> None:
    """Tell of places that hold a character, a file or a time, but nothing to say."""
    if places:
        more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
        _log.warning(f"{path}: no text, hence not read: {what} {', '.join(places[:_NAMED])}{more}")
