"""What a sheet shows beside its words: strikes, hidden rows, comments, colours; numbers that are times."""

import datetime
import itertools
from collections import Counter
from collections.abc import Iterator

from moksori.messages import Message, message
from moksori.script.columns import Sheet, place_of
from moksori.script.content import joined
from moksori.script.tables import Cell
from moksori.timecode import Notation

_NAMED = 20  # places that a warning names
_COLOURS = 6  # that it names
_TEXT = 40  # characters of a text that it cites


class Marks:
    """What was noticed in the rows of a sheet."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.rows: dict[str, list[int]] = {}
        self.cells: dict[str, list[Message]] = {}
        self.comments: dict[int, list[tuple[int, str]]] = {}
        for (number, column), text in sorted(sheet.table.comments.items()):
            self.comments.setdefault(number, []).append((column, text))
        self.looks: list[tuple[int, str, str]] = []

    def row(self, code: str, number: int) -> None:
        """A row that is left out; `code` says why."""
        self.rows.setdefault(code, []).append(number)

    def line(self, number: int, row: dict[str, Cell]) -> None:
        """A row that is read."""
        columns = self.sheet.columns
        for key, cell in row.items():
            for code, text in (("script.cut", cell.cut), ("script.raised", cell.raised)):
                if text:
                    self._cell(code, number, columns[key], text)
            if key in ("start", "end") and isinstance(cell.value, float) and 0 < cell.value < 1:
                clock = datetime.timedelta(seconds=cell.seconds(Notation()) or 0)
                if not self.sheet.unit(key):
                    self._cell("script.day_parts", number, columns[key], f"{cell.text} = {clock}")
        for column, text in self.comments.get(number, ()):
            self._cell("script.comments", number, column, text)
        character = row["character"].text if "character" in row else ""
        self.looks.append((number, character, row["line"].looks if "line" in row else ""))

    def asides(self, number: int, row: dict[str, Cell]) -> None:
        """What a document's row holds beside its text; also of a row that is not read."""
        for key, cell in row.items():
            for code, text in () if cell.held else cell.asides:
                self._cell(code, number, self.sheet.columns[key], text)

    def _cell(self, code: str, number: int, column: int, text: str) -> None:
        where, short = self.sheet.table.cell(number, column), text[:_TEXT]
        text = f"{short}…" if len(text) > _TEXT else text
        self.cells.setdefault(code, []).append(message("script.cites", where=where, text=text))

    def warnings(self) -> list[Message]:
        """All of it, a warning a kind."""
        place = place_of(self.sheet.path, self.sheet.table)
        reported = [
            message(code, place=place, rows=_numbers(numbers))
            for code, numbers in self.rows.items()
        ]
        for code, cells in self.cells.items():
            more = [message("script.more_faults", number=len(cells) - _NAMED)] * (
                len(cells) > _NAMED
            )
            reported.append(message(code, place=place, cells=joined([*cells[:_NAMED], *more])))
        if colours := [*self._colours()]:
            reported.append(message("script.colours", place=place, colours=joined(colours)))
        if self.sheet.table.overlays:
            reported.append(message("script.overlays", place=place))
        if self.sheet.table.rules:
            reported.append(message("script.rules", place=place))
        if self.sheet.table.changed:
            reported.append(message("script.changes", place=place))
        return reported

    def _colours(self) -> Iterator[Message]:
        """Rows that look unlike most, unless colours only tell characters, or every other row, apart."""
        looks = [look for _, _, look in self.looks]
        counts = Counter(looks)
        usual = max(counts, key=lambda look: (counts[look], not look), default="")
        others: dict[str, list[int]] = {}
        for number, _, look in self.looks:
            if look != usual:
                others.setdefault(look, []).append(number)
        striped = len(others) == 1 and all(a != b for a, b in itertools.pairwise(looks))
        if (striped and len(looks) > 3) or self._by_character():
            return
        for look, numbers in [*others.items()][:_COLOURS]:
            named = message("plain", text=look) if look else message("script.no_colour")
            yield message("script.coloured", look=named, rows=_numbers(numbers))

    def _by_character(self) -> bool:
        """Whether each character has a colour, and each colour one character, who says several lines."""
        own: dict[str, set[str]] = {}
        whose: dict[str, set[str]] = {}
        for _, character, look in self.looks:
            own.setdefault(character, set()).add(look)
            whose.setdefault(look, set()).add(character)
        lines = Counter(character for _, character, _ in self.looks)
        return all(len(looks) == 1 for looks in own.values()) and all(
            not look or (len(names) == 1 and lines[next(iter(names))] > 1)
            for look, names in whose.items()
        )


def _numbers(numbers: list[int]) -> Message:
    named = ", ".join(map(str, numbers[:_NAMED]))
    if (more := len(numbers) - _NAMED) > 0:
        return message("script.rows_more", rows=named, number=more)
    return message("plain", text=named)
