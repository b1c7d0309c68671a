"""The rows of a table to lines."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from moksori.config import MAX_CHARACTERS, Seconds
from moksori.errors import ScriptError
from moksori.messages import Message, message
from moksori.script.columns import Sheet
from moksori.script.content import Asked, Fault, ScriptContent
from moksori.script.headers import Unit, meaning
from moksori.script.line import Line, Place
from moksori.script.marks import Marks
from moksori.script.tables import BLANK, Cell, one_line
from moksori.script.times import Written
from moksori.timecode import Notation, from_frames

_OF_ONE_ROW = ("line", "no", "start", "end")  # a merged cell does not say them for the rows below
_TIMES = ("start", "end")
_FREE = ("directions", "note")  # may hold a date
_CONTENT = ("character", "actor", "file", "start", "end", "directions")  # more than a heading has
_RANGE = re.compile(r"(\d[\d:;.,]*)\s*(?:-->|[-–—~∼〜～→]|\n)\s*(\d[\d:;.,]*)")
_NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,9})?")
_DAY: Seconds = 24 * 60 * 60
_LONGEST_HEADER = 40  # characters
_NAMED = 20  # places that a warning names


def textless_warning(path: Path, what: Message, places: list[str]) -> list[Message]:
    """A warning of places that hold a character, a file or a time, but nothing to say; if there are any."""
    if not places:
        return []
    more = message("script.more", number=len(places) - _NAMED) if len(places) > _NAMED else ""
    named = ", ".join(places[:_NAMED])
    return [message("script.textless", file=path, what=what, places=named, more=more)]


def written_times(sheet: Sheet, asked: Asked) -> Iterator[Written]:
    """The times of a table that are text, as they are written."""
    for number, cells in sheet.rows:
        keys = [key for key in _TIMES if key in sheet.columns and key in asked.only]
        row = {key: cells[i] for key in keys if (i := sheet.columns[key]) < len(cells)}
        for key, cell in _of_ranges(sheet, row).items():
            if isinstance(cell.value, str) and cell.text:
                yield Written(sheet.table.cell(number, sheet.place(key)), cell.text)


def lines_of(sheet: Sheet, asked: Asked, notation: Notation, title: str) -> ScriptContent:
    """The lines below a header.

    Args:
        sheet: whose columns are known.
        asked: which of them are read.
        notation: of its times.
        title: of the sheet in the lines' places; empty if it is the only one.
    """
    table, marks = sheet.table, Marks(sheet)
    lines, textless, faults = list[Line](), list[str](), list[Fault]()
    for number, cells in sheet.rows:
        if sheet.header.repeats(cells):
            marks.row("script.header_again", number)
            continue
        row = {
            key: cells[i]
            for key, i in sheet.columns.items()
            if i < len(cells) and (key == "line" or key in asked.only)
        }
        row = {key: c for key, c in row.items() if not (c.held and key in _OF_ONE_ROW)}
        marks.asides(number, row)
        text = row.get("line", BLANK)
        if not (text.text or text.fault) and _is_sound(row):
            sound = f"({row['directions'].text.strip('()[]')})"
            row["line"] = replace(row["directions"], value=sound)
        elif not (text.text or text.fault):
            if any(row[key].own for key in _CONTENT if key in row):
                textless.append(str(number))
            continue
        if row["line"].struck:
            marks.row("script.struck_rows", number)
            continue
        if number in table.hidden_rows and not asked.hidden:
            marks.row("script.hidden_rows", number)
            continue
        marks.line(number, row)
        place = Place("row", number, title)
        if table.number:
            place = Place("table", number, str(table.number))
        faults += [Fault(place, *why) for why in _misplaced(sheet, number, cells)]
        line, own = _line(sheet, place, row, notation)
        lines.append(line)
        faults += own
    what = message("script.rows", sheet=f"{table.title} " if table.title else "")
    if table.number:
        what = message("script.rows_of_table", number=table.number)
    warnings = [*marks.warnings(), *textless_warning(sheet.path, what, textless)]
    return ScriptContent(lines, warnings, faults)


def _misplaced(sheet: Sheet, number: int, cells: list[Cell]) -> Iterator[tuple[Message, Message]]:
    """Where and why a row's cells may not be in the columns that they seem to be in."""
    table, heads = sheet.table, sheet.header.heads
    if not (table.title or table.number) and any(cell.own for cell in cells[sheet.width :]):
        why = message("script.too_many_cells", cells=len(cells), head=sheet.width)
        yield Place("row", number).message, why
    for i in sheet.columns.values():  # a header that is merged over columns may be of either
        head = heads[i] if i < len(heads) else None
        if head and any(cell.own for cell in cells[i + 1 : i + head.width]):
            yield table.cell(number, i), message("script.merged_header", head=head.text)
    own = [cell.text for cell in cells if cell.own]
    if len(own) > 1 and all(len(text) <= _LONGEST_HEADER and meaning(text) for text in own):
        yield Place("row", number).message, message("script.another_header")


def _is_sound(row: Mapping[str, Cell]) -> bool:
    """Whether a row without text is a breath or a cry of a character: directions, and a recording."""
    own = {key for key in ("character", "directions", "file", "start") if row.get(key, BLANK).text}
    return own >= {"character", "directions"} and bool(own & {"file", "start"})


def _line(
    sheet: Sheet, place: Place, row: Mapping[str, Cell], notation: Notation
) -> tuple[Line, list[Fault]]:
    """A row's line, and all that is wrong in it; what is wrong is blank in the line."""
    faults: list[Fault] = []

    def fault(key: str, what: Message) -> None:
        where = sheet.table.cell(int(place.number), sheet.place(key))
        faults.append(Fault(place, where, what))

    for key, cell in row.items():
        if cell.fault:
            fault(key, cell.fault)
        elif cell.struck and key not in _FREE:
            fault(key, message("script.struck_cell", text=cell.text))
        elif cell.is_time and key not in (*_TIMES, *_FREE):
            fault(key, message("script.is_time", value=cell.text))
    row = _of_ranges(sheet, row)
    text = row["line"].text
    if len(text) > MAX_CHARACTERS:
        fault("line", message("script.whole_page", number=len(text)))
    times: dict[str, Seconds | None] = {}
    for key in _TIMES:
        cell = row.get(key, BLANK)
        try:
            unit = sheet.unit(key)
            times[key] = None if cell.fault else _seconds(cell, unit, notation)
        except ScriptError as error:
            fault(key, message("script.in_column", head=sheet.called(key), why=error.message))
            times[key] = None
    start, end = times["start"], times["end"]
    if start is not None and end is not None and end <= start:
        fault("end", message("script.ends_first", end=row["end"].text, start=row["start"].text))
    words: dict[str, Any] = {
        key: "" if cell.struck else cell.text
        for key, cell in row.items()
        if key not in (*_TIMES, "line")
    }
    if words.get("character"):
        words["character"] = _names(row["character"])
    line = Line(place, text[:MAX_CHARACTERS], start=start, end=end, **words)
    return line, faults


def _seconds(cell: Cell, unit: Unit, notation: Notation) -> Seconds | None:
    """The time that a cell says; a plain number in the unit that its header says."""
    if not unit or cell.is_time or not _NUMBER.fullmatch(cell.text):
        return cell.seconds(notation)
    value = float(cell.text)
    if unit == "frames":
        if notation.frame_rate is None:
            raise ScriptError.of("script.frames_alone")
        value = from_frames(round(value), notation.frame_rate)
    elif unit == "milliseconds":
        value /= 1000
    if value >= _DAY:
        raise ScriptError.of("time.beyond_day", text=cell.text)
    return value


def _of_ranges(sheet: Sheet, row: Mapping[str, Cell]) -> Mapping[str, Cell]:
    """A row whose only column of times says both: 00:01 ~ 00:02."""
    if "end" in sheet.columns or "start" not in row or not isinstance(row["start"].value, str):
        return row
    both = _RANGE.fullmatch(row["start"].value.strip())
    if not both:
        return row
    start, end = (replace(row["start"], value=value) for value in both.groups())
    return {**row, "start": start, "end": end}


def _names(cell: Cell) -> str:
    """The names in a cell; those of several lines are separated by a slash, as in 하나/두나."""
    if not isinstance(cell.value, str):
        return cell.text
    rows = [name for row in cell.value.splitlines() if (name := one_line(row))]
    return "/".join(rows) if all(not row.startswith("(") for row in rows) else cell.text
