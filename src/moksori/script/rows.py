"""The rows of a table to lines."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from moksori.config import Seconds
from moksori.errors import ScriptError
from moksori.messages import Message, message
from moksori.script.columns import NoLines, Sheet, find_header
from moksori.script.content import Asked, ScriptContent
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
    read = []
    for sheet in headed:
        title = one_line(sheet.table.title)
        if episode is None or "episode" in sheet.columns or title == one_line(episode):
            content = lines_of(sheet, asked.frame_rate, title if len(found) > 1 else "")
            read.append((title, content.lines))
            warnings += [*sheet.warnings, *content.warnings]
            if content.lines and sheet.table.hidden:
                warnings.append(message("script.hidden_sheet", file=path, sheet=title))
    several = episode is not None or sum(bool(lines) for _, lines in read) > 1
    spoken = [
        replace(line, episode=line.episode or title * several)
        for title, lines in read
        for line in lines
    ]
    if episode is None:
        return ScriptContent(spoken, warnings)
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
    return ScriptContent(kept, warnings)


def lines_of(sheet: Sheet, frame_rate: FrameRate | None, title: str) -> ScriptContent:
    """The lines below a header.

    Args:
        sheet: whose header is found.
        frame_rate: of its time codes.
        title: of the sheet in the lines' places; empty if it is the only one.

    Raises:
        ScriptError: a cell whose value is not known, a time that is none, a row that does not fit.
    """
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
            lines.append(_line(sheet, number, row, frame_rate, title))
        elif text.text or text.fault:
            lines.append(_line(sheet, number, row, frame_rate, title))
        elif any(row[key].own for key in _CONTENT if key in row):
            textless.append(str(number))
    what = message("script.rows", sheet=f"{table.title} " if table.title else "")
    return ScriptContent(lines, textless_warning(path, what, textless))


def _is_sound(row: Mapping[str, Cell]) -> bool:
    """Whether a row without text is a breath or a cry of a character: directions, and a recording."""
    own = {key for key in ("character", "directions", "file", "start") if row.get(key, BLANK).text}
    return own >= {"character", "directions"} and bool(own & {"file", "start"})


def _line(
    sheet: Sheet, number: int, row: Mapping[str, Cell], frame_rate: FrameRate | None, title: str
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
    return Line(Place("row", number, title), text, start=start, end=end, **words)
