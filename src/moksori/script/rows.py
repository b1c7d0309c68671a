"""The rows of a table to lines."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from moksori.config import Seconds
from moksori.errors import ScriptError
from moksori.messages import Message, message
from moksori.script.columns import NoLines, Sheet, find_header
from moksori.script.content import Asked, Fault, ScriptContent
from moksori.script.line import Line, Place
from moksori.script.tables import BLANK, Cell, Table, one_line, read_delimited, read_workbook
from moksori.timecode import FrameRate

_OF_ONE_ROW = ("line", "no", "start", "end")  # a merged cell does not say them for the rows below
_TIMES = ("start", "end")
_FREE = ("directions", "note")  # may hold a date
_CONTENT = ("character", "actor", "file", "start", "end", "directions")  # more than a heading has
_MAX_CHARACTERS = 2000  # of a line
_NAMED = 20  # places that a warning names


def read_workbook_script(path: Path, asked: Asked) -> ScriptContent:
    """The lines of a workbook's sheets; a `content.Reader`."""
    return _from_tables(path, read_workbook(path), asked)


def read_delimited_script(path: Path, asked: Asked) -> ScriptContent:
    """The lines of a .csv or .tsv; a `content.Reader`."""
    return _from_tables(
        path, [read_delimited(path, "\t" if path.suffix.lower() == ".tsv" else ",")], asked
    )


def textless_warning(path: Path, what: Message, places: list[str]) -> list[Message]:
    """A warning of places that hold a character, a file or a time, but nothing to say; if there are any."""
    if not places:
        return []
    more = message("script.more", number=len(places) - _NAMED) if len(places) > _NAMED else ""
    named = ", ".join(places[:_NAMED])
    return [message("script.textless", file=path, what=what, places=named, more=more)]


def _from_tables(path: Path, found: list[Table], asked: Asked) -> ScriptContent:
    """Lines of every sheet that has the column: one sheet an episode, notes on sheets of their own."""
    headed, fault, passed_over = [], None, []
    warnings, episode = list[Message](), asked.episode
    for table in found:
        try:
            headed.append(find_header(path, table, asked))
        except NoLines as error:
            fault = fault or error
            passed_over += [table.title] * bool(table.rows)
    if fault and not headed:
        raise fault
    if passed_over:
        names = ", ".join(passed_over)
        warnings.append(message("script.sheets_passed", file=path, sheets=names))
    read, faults = [], list[Fault]()
    for sheet in headed:
        title = one_line(sheet.table.title)
        if episode is None or "episode" in sheet.columns or title == one_line(episode):
            content = lines_of(sheet, asked.frame_rate, title if len(found) > 1 else "")
            read.append((title, content.lines))
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
    if episode is None:
        return ScriptContent(spoken, warnings, faults)
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
    places = {line.place for line in kept}
    return ScriptContent(kept, warnings, [fault for fault in faults if fault.place in places])


def lines_of(sheet: Sheet, frame_rate: FrameRate | None, title: str) -> ScriptContent:
    """The lines below a header.

    Args:
        sheet: whose header is found.
        frame_rate: of its time codes.
        title: of the sheet in the lines' places; empty if it is the only one.
    """
    path, table, columns = sheet.path, sheet.table, sheet.columns
    lines, textless, faults = list[Line](), list[str](), list[Fault]()
    for number, cells in table.rows:
        if number <= sheet.row:
            continue
        row = {key: cells[i] for key, i in columns.items() if i < len(cells)}
        row = {key: c for key, c in row.items() if not (c.held and key in _OF_ONE_ROW)}
        text = row.get("line", BLANK)
        if "line" in row and not (text.text or text.fault) and _is_sound(row):
            row["line"] = replace(
                row["directions"], value=f"({row['directions'].text.strip('()[]')})"
            )
        elif not (text.text or text.fault):
            if any(row[key].own for key in _CONTENT if key in row):
                textless.append(str(number))
            continue
        place = Place("row", number, title)
        faults += [Fault(place, *why) for why in _misplaced(sheet, number, cells)]
        line, own = _line(sheet, place, row, frame_rate)
        lines.append(line)
        faults += own
    what = message("script.rows", sheet=f"{table.title} " if table.title else "")
    return ScriptContent(lines, textless_warning(path, what, textless), faults)


def _misplaced(sheet: Sheet, number: int, cells: list[Cell]) -> Iterator[tuple[Message, Message]]:
    """Where and why a row's cells may not be in the columns that they seem to be in."""
    table, width = sheet.table, len(sheet.head)
    if not table.title and any(cell.own for cell in cells[width:]):
        why = message("script.too_many_cells", cells=len(cells), head=width)
        yield Place("row", number).message, why
    for i in sheet.columns.values():  # a header that is merged over columns may be of either
        head = sheet.head[i]
        if any(cell.own for cell in cells[i + 1 : i + head.width]):
            yield table.cell(number, i), message("script.merged_header", head=head.text)


def _is_sound(row: Mapping[str, Cell]) -> bool:
    """Whether a row without text is a breath or a cry of a character: directions, and a recording."""
    own = {key for key in ("character", "directions", "file", "start") if row.get(key, BLANK).text}
    return own >= {"character", "directions"} and bool(own & {"file", "start"})


def _line(
    sheet: Sheet, place: Place, row: Mapping[str, Cell], frame_rate: FrameRate | None
) -> tuple[Line, list[Fault]]:
    """A row's line, and all that is wrong in it; what is wrong is blank in the line."""
    faults: list[Fault] = []

    def fault(key: str, what: Message) -> None:
        where = sheet.table.cell(int(place.number), sheet.columns[key])
        faults.append(Fault(place, where, what))

    for key, cell in row.items():
        if cell.fault:
            fault(key, cell.fault)
        elif cell.is_time and key not in (*_TIMES, *_FREE):
            fault(key, message("script.is_time", value=cell.text))
    text = row["line"].text
    if len(text) > _MAX_CHARACTERS:
        fault("line", message("script.whole_page", number=len(text)))
    times: dict[str, Seconds | None] = {}
    for key in _TIMES:
        cell = row.get(key, BLANK)
        try:
            times[key] = None if cell.fault else cell.seconds(frame_rate)
        except ScriptError as error:
            head = sheet.head[sheet.columns[key]].text
            fault(key, message("script.in_column", head=head, why=error.message))
            times[key] = None
    start, end = times["start"], times["end"]
    if start is not None and end is not None and end <= start:
        fault("end", message("script.ends_first", end=row["end"].text, start=row["start"].text))
    words = {key: cell.text for key, cell in row.items() if key not in (*_TIMES, "line")}
    line = Line(place, text[:_MAX_CHARACTERS], start=start, end=end, **words)
    return line, faults
