"""What columns hold where no header tells: times, counting numbers, names, the longest Hangul."""

import itertools
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from moksori.script.tables import BLANK, Cell, Table

_TIME = re.compile(r"\d{1,2}[:;]\d{1,2}([:;.,]\d{1,3}){0,2}")
_AUDIO = re.compile(r".+\.(wav|wave|flac|aiff?|mp3|m4a|aac|ogg|opus|bwf)", re.IGNORECASE)
_HANGUL = re.compile(r"[가-힣]")
_MOST, _HALF = 0.8, 0.5  # of a column's cells
_CLOSE = 0.6  # of the Hangul of the fullest column: another that may be the lines as well
_FEWEST = 4  # cells from which names can be known: they come back
_DIGITS = 9  # of a number that counts
_LONGEST_NAME = 12  # characters


@dataclass(frozen=True)
class Held:
    """What a column holds.

    Attributes:
        index: of the column.
        cells: that say something of their own.
    """

    index: int
    cells: list[Cell]

    def share(self, pattern: re.Pattern[str]) -> float:
        """How many of the cells are of a pattern as a whole."""
        return sum(bool(pattern.fullmatch(cell.text)) for cell in self.cells) / len(self.cells)

    @property
    def are_times(self) -> bool:
        """Most cells are times."""
        found = [cell.is_time or bool(_TIME.fullmatch(cell.text)) for cell in self.cells]
        return sum(found) >= _MOST * len(found)

    @property
    def go_on(self) -> bool:
        """Most are not before the one above them, as the times of lines are and lengths are not."""
        steps = [*itertools.pairwise(self.order())]
        return sum(a <= b for a, b in steps) >= _MOST * len(steps)

    @property
    def are_files(self) -> bool:
        """Most cells are names of recordings."""
        return self.share(_AUDIO) >= _MOST

    @property
    def are_counted(self) -> bool:
        """The cells are numbers that count up, mostly by one."""
        texts = [cell.text for cell in self.cells]
        if len(texts) < 2 or not all(t.isdecimal() and len(t) <= _DIGITS for t in texts):
            return False
        numbers = [int(text) for text in texts]
        steps = [b - a for a, b in itertools.pairwise(numbers)]
        return min(steps) > 0 and sum(step == 1 for step in steps) >= _HALF * len(steps)

    @property
    def hangul(self) -> int:
        """Syllables of Hangul in all cells."""
        return sum(len(_HANGUL.findall(cell.text)) for cell in self.cells)

    @property
    def is_korean(self) -> bool:
        """At least half of the cells have Hangul."""
        return sum(bool(_HANGUL.search(cell.text)) for cell in self.cells) >= _HALF * len(
            self.cells
        )

    @property
    def are_said(self) -> bool:
        """Texts as lines are: not the same again and again, nor in brackets as directions are."""
        texts = [cell.text for cell in self.cells]
        bracketed = sum(text.startswith("(") for text in texts)
        return len(set(texts)) >= _HALF * len(texts) and bracketed < _HALF * len(texts)

    @property
    def are_names(self) -> bool:
        """Few short words without digits, which come back."""
        texts = [cell.text for cell in self.cells]
        short = [t for t in texts if len(t) <= _LONGEST_NAME and not re.search(r"[\d.?!…,]", t)]
        return (
            len(texts) >= _FEWEST
            and len(short) >= _MOST * len(texts)
            and 1 < len(set(texts)) <= _HALF * len(texts) + 1
        )

    def order(self) -> list[tuple[int, ...]]:
        """The cells as numbers in the order of their size: of times, their hours first."""
        return [
            tuple(int(digits[:_DIGITS]) for digits in re.findall(r"\d+", cell.text))
            for cell in self.cells
        ]


def held(rows: Sequence[tuple[int, list[Cell]]], leave: Collection[int] = ()) -> dict[int, Held]:
    """The columns that hold something, by index."""
    width = max((len(cells) for _, cells in rows), default=0)
    found = {
        i: Held(i, [cells[i] for _, cells in rows if i < len(cells) and cells[i].own])
        for i in range(width)
        if i not in leave
    }
    return {i: one for i, one in found.items() if one.cells}


def guess(
    table: Table,
    rows: Sequence[tuple[int, list[Cell]]],
    taken: Collection[int],
    keys: Collection[str],
) -> dict[str, list[int]]:
    """Which columns may be what, by what they hold; of several candidates none is better.

    Args:
        table: whose hidden columns are left out.
        rows: of lines.
        taken: columns that are known.
        keys: of `headers.COLUMNS` that are looked for.
    """
    free = held(rows, {*taken, *table.hidden_columns})
    times = [i for i, one in free.items() if one.are_times and one.go_on]
    files = [i for i, one in free.items() if one.are_files]
    counted = [i for i, one in free.items() if one.are_counted]
    words = {i: one for i, one in free.items() if i not in {*times, *files, *counted}}
    found = {"file": files, "no": counted}
    lines = _lines([*words.values()]) if "line" in keys else []
    found["line"] = lines
    names = [i for i, one in words.items() if one.are_names and i not in lines]
    found["character"] = [i for i in names if words[i].is_korean] or names
    if {"start", "end"} <= {*keys} and len(times) == 2 and _after(rows, *times):
        found["start"], found["end"] = [times[0]], [times[1]]
    elif "start" in keys and len(times) == 1:
        found["start"] = times
    return {key: one for key, one in found.items() if key in keys and one}


def _lines(columns: list[Held]) -> list[int]:
    """The column of most Hangul, and those that have not much less, or have it in more rows."""
    korean = [one for one in columns if one.is_korean and not (one.are_names and len(columns) > 1)]
    korean = [one for one in korean if one.are_said] or korean
    fullest = max(korean, key=lambda one: one.hangul, default=None)
    return [
        one.index
        for one in korean
        if fullest
        and (one.hangul >= _CLOSE * fullest.hangul or _CLOSE * len(one.cells) > len(fullest.cells))
    ]


def _after(rows: Sequence[tuple[int, list[Cell]]], first: int, second: int) -> bool:
    """Whether the times of one column are mostly after those of another."""
    pairs = [(cells[first], cells[second]) for _, cells in rows if len(cells) > max(first, second)]
    both = [(Held(0, [a]).order()[0], Held(0, [b]).order()[0]) for a, b in pairs if a.own and b.own]
    return sum(a < b for a, b in both) >= _MOST * len(both) > 0


def is_data(
    row: list[Cell], below: Sequence[tuple[int, list[Cell]]], columns: dict[str, int]
) -> bool | None:
    """Whether the first row of a table is one as those below it, and no header; None if it is not clear."""
    cells = held(below)
    evidence = set[bool]()
    for key, index in columns.items():
        cell = row[index] if index < len(row) else BLANK
        if not cell.own or index not in cells:
            continue
        if key in ("start", "end"):
            evidence.add(Held(index, [cell]).are_times)
        elif key == "no":
            evidence.add(cell.text.isdecimal())
        elif key == "file":
            evidence.add(bool(_AUDIO.fullmatch(cell.text)))
        elif key == "character" and cell.text in {one.text for one in cells[index].cells}:
            evidence.add(True)
    return evidence.pop() if len(evidence) == 1 else None
