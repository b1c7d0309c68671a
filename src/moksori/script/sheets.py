"""The tables of a script, one, a workbook's sheets or a document's, to its lines."""

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from moksori.errors import ScriptError
from moksori.messages import Message, message
from moksori.script.columns import NoLines, Sheet, continued, find_columns
from moksori.script.content import Asked, Fault, ScriptContent, joined
from moksori.script.head_rows import TITLES_WITHIN, find_header
from moksori.script.headers import fold
from moksori.script.rows import lines_of, written_times
from moksori.script.tables import Cell, Table, one_line, read_delimited
from moksori.script.times import Timing, find_timing
from moksori.script.workbook import is_workbook, read_workbook

_TEXT = 40  # characters of a text that is cited


def read_workbook_script(path: Path, asked: Asked) -> ScriptContent:
    """The lines of a workbook's sheets; a `content.Reader`."""
    return from_tables(path, read_workbook(path), asked)


def read_delimited_script(path: Path, asked: Asked) -> ScriptContent:
    """The lines of a .csv or .tsv; a `content.Reader`. A workbook under that name is one."""
    if is_workbook(path):
        return read_workbook_script(path, asked)
    return from_tables(path, [read_delimited(path)], asked)


def is_table(text: str, asked: Asked) -> bool:
    """Whether a plain text is a table, as Excel's “Text (Tab delimited)” or what is pasted from a sheet.

    One of its first rows names the column of lines and another, and most rows below have several cells. Two
    columns separated by tabs are left to `dialogue.read_dialogue`: names, and what they say.
    """
    names = [*asked.columns.values()]
    for delimiter in "\t,;":
        rows = [row.split(delimiter) for row in text.split("\n") if row.strip()]
        first = [(n, [*map(Cell, row)]) for n, row in enumerate(rows[:TITLES_WITHIN], 1)]
        header = find_header(Table("", first), names)
        if header is None:
            continue
        known = {head.meaning.key for head in header.heads if head.meaning}
        known |= {key for key, name in asked.columns.items()
                  if any(fold(name) in head.names for head in header.heads)}  # fmt: skip
        below = [len(row) > 1 for row in rows[header.last :]]
        wide = delimiter != "\t" or len(header.heads) > 2
        if wide and "line" in known and len(known) > 1 and 2 * sum(below) > len(below):
            return True
    return False


def from_tables(
    path: Path, found: list[Table], asked: Asked, titles: Sequence[Sequence[str]] = ()
) -> ScriptContent:
    """Lines of every sheet that has the column: one sheet an episode, notes on sheets of their own.

    Args:
        path: of the script.
        found: its tables.
        asked: what is asked.
        titles: rows outside the tables, which may say the frame rate.

    Raises:
        NoLines: no table has a column of lines.
        ScriptError: as `columns.find_columns`, or no such episode.
    """
    sheets, passed_over = _with_lines(path, found, asked)
    warnings, faults = list[Message](), list[Fault]()
    episode = None if asked.episode is None else _composed(asked.episode)
    if passed_over:
        passed = joined(passed_over, "script.and")
        warnings.append(message("script.sheets_passed", file=path, sheets=passed))
    read, understood = [], dict[str, tuple[Message, list[Message]]]()
    chosen = [
        sheet
        for sheet in sheets
        if episode is None or "episode" in sheet.columns or _composed(sheet.table.title) == episode
    ]
    timing = _timing(path, found, sheets, chosen, asked, titles)
    warnings += timing.warnings
    for sheet in chosen:
        title = _composed(sheet.table.title)
        content = lines_of(sheet, asked, timing.notation, title if len(found) > 1 else "")
        read.append((title, content.lines))
        what = sheet.understood()
        named = [sheet.table.name] * bool(title or sheet.table.number)
        understood.setdefault(what.dump(), (what, []))[1].extend(named)
        warnings += [*sheet.warnings, *content.warnings]
        faults += content.faults
        if content.lines and sheet.table.hidden:
            warnings.append(message("script.hidden_sheet", file=path, sheet=title))
    several = episode is not None or sum(bool(lines) for _, lines in read) > 1
    spoken = [
        replace(line, episode=line.episode or title * several)
        for title, lines in read
        for line in lines
    ]
    kept = [line for line in spoken if episode is None or line.episode == episode]
    if episode is not None and not kept:
        titled = [
            _composed(sheet.table.title) for sheet in sheets if "episode" not in sheet.columns
        ]
        names = ", ".join(
            filter(None, dict.fromkeys([*(line.episode for line in spoken), *titled]))
        )
        there = names or message("script.no_episodes")
        raise ScriptError.of("script.no_episode", file=path, episode=episode, names=there)
    places = {line.place for line in kept}
    shown = [
        message(
            "script.understood",
            place=joined([message("plain", text=path), *names], "script.and"),
            what=what,
        )
        for what, names in understood.values()
    ]
    faults = [fault for fault in faults if fault.place in places]
    return ScriptContent(
        kept,
        warnings,
        faults,
        shown,
        question=timing.question,
        frame_rate=timing.notation.frame_rate,
    )


def _composed(title: str) -> str:
    """A sheet's title or an episode, as one line, also where a Mac wrote its Hangul decomposed."""
    return unicodedata.normalize("NFC", one_line(title))


def _timing(
    path: Path,
    found: list[Table],
    sheets: list[Sheet],
    chosen: list[Sheet],
    asked: Asked,
    outside: Sequence[Sequence[str]],
) -> Timing:
    """How the times of the chosen sheets are written; titles above headers and cover sheets may say it."""
    last = {id(sheet.table): sheet.header.last for sheet in sheets}
    titles = [
        [cell.text for cell in cells]
        for table in found
        for number, cells in table.rows
        if number <= last.get(id(table), TITLES_WITHIN)
    ]
    written = [time for sheet in chosen for time in written_times(sheet, asked)]
    return find_timing(path, written, asked.frame_rate, [*outside, *titles])


def _with_lines(path: Path, found: list[Table], asked: Asked) -> tuple[list[Sheet], list[Message]]:
    """The sheets with a column of lines, and the names of the others that hold something.

    By content only where no header of any sheet tells, since notes are text too. A document's table
    without a header may go on with the one before it.
    """
    for by_content in (False, True):
        sheets, fault, others = list[Sheet](), None, list[Message]()
        for table in found:
            try:
                sheets.append(find_columns(path, table, asked, by_content))
            except NoLines as error:
                fault = fault or error
                if sheets and (rest := continued(sheets[-1], table)):
                    sheets.append(rest)
                else:
                    others += [_named(table)] * bool(table.rows)
        if sheets:
            return sheets, others
    raise fault or NoLines.of("script.no_lines_column", place=path, columns=message("script.none"))


def _named(table: Table) -> Message:
    """A table as a warning names it; a document's, which has no title, by its first words."""
    if not table.number:
        return table.name
    first = next((cell.text for _, row in table.rows for cell in row if cell.text), "")
    return message("script.cites", where=table.name, text=first[:_TEXT])
