"""The tables of a script, one or a workbook's sheets, to its lines."""

from dataclasses import replace
from pathlib import Path

from moksori.errors import ScriptError
from moksori.messages import Message, message
from moksori.script.columns import NoLines, Sheet, find_columns
from moksori.script.content import Asked, Fault, ScriptContent
from moksori.script.head_rows import TITLES_WITHIN
from moksori.script.rows import lines_of, written_times
from moksori.script.tables import Table, one_line, read_delimited
from moksori.script.times import Timing, find_timing
from moksori.script.workbook import is_workbook, read_workbook


def read_workbook_script(path: Path, asked: Asked) -> ScriptContent:
    """The lines of a workbook's sheets; a `content.Reader`."""
    return _from_tables(path, read_workbook(path), asked)


def read_delimited_script(path: Path, asked: Asked) -> ScriptContent:
    """The lines of a .csv or .tsv; a `content.Reader`. A workbook under that name is one."""
    if is_workbook(path):
        return read_workbook_script(path, asked)
    return _from_tables(path, [read_delimited(path)], asked)


def _from_tables(path: Path, found: list[Table], asked: Asked) -> ScriptContent:
    """Lines of every sheet that has the column: one sheet an episode, notes on sheets of their own."""
    sheets, passed_over = _with_lines(path, found, asked)
    warnings, faults, episode = list[Message](), list[Fault](), asked.episode
    if passed_over:
        names = ", ".join(passed_over)
        warnings.append(message("script.sheets_passed", file=path, sheets=names))
    read, understood = [], dict[str, tuple[Message, list[str]]]()
    chosen = [
        sheet
        for sheet in sheets
        if episode is None
        or "episode" in sheet.columns
        or one_line(sheet.table.title) == one_line(episode)
    ]
    timing = _timing(path, found, sheets, chosen, asked)
    warnings += timing.warnings
    for sheet in chosen:
        title = one_line(sheet.table.title)
        content = lines_of(sheet, asked, timing.notation, title if len(found) > 1 else "")
        read.append((title, content.lines))
        what = sheet.understood()
        understood.setdefault(what.dump(), (what, []))[1].append(title)
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
    kept = [line for line in spoken if episode is None or line.episode == one_line(episode)]
    if episode is not None and not kept:
        titles = [sheet.table.title for sheet in sheets if "episode" not in sheet.columns]
        names = ", ".join(
            filter(None, dict.fromkeys([*(line.episode for line in spoken), *titles]))
        )
        there = names or message("script.no_episodes")
        raise ScriptError.of("script.no_episode", file=path, episode=episode, names=there)
    places = {line.place for line in kept}
    shown = [
        message("script.understood", place=", ".join(filter(None, [str(path), *titles])), what=what)
        for what, titles in understood.values()
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


def _timing(
    path: Path, found: list[Table], sheets: list[Sheet], chosen: list[Sheet], asked: Asked
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
    return find_timing(path, written, asked.frame_rate, titles)


def _with_lines(path: Path, found: list[Table], asked: Asked) -> tuple[list[Sheet], list[str]]:
    """The sheets with a column of lines, and the titles of the others that hold something.

    By content only where no header of any sheet tells, since notes are text too.
    """
    for by_content in (False, True):
        sheets, fault, others = list[Sheet](), None, list[str]()
        for table in found:
            try:
                sheets.append(find_columns(path, table, asked, by_content))
            except NoLines as error:
                fault = fault or error
                others += [table.title] * bool(table.rows)
        if sheets:
            return sheets, others
    raise fault or NoLines.of("script.no_lines_column", place=path, columns=message("script.none"))
