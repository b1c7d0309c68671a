"""Which column of a table is what: by what is asked, by its header, then by its content."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from shlex import quote

from moksori.errors import ScriptError
from moksori.messages import Message, message
from moksori.script.content import Asked, joined
from moksori.script.guesses import guess, held, is_data
from moksori.script.head_rows import NO_HEADER, Header, find_header
from moksori.script.headers import COLUMNS, Meaning, Unit, fold, is_other
from moksori.script.tables import Cell, Table

_ASKED_ABOUT = ("line", "character")  # where two columns may be it, the user says which
NOT_READ = "-"  # named as a column: there is none


class NoLines(ScriptError):
    """A table without a column of lines."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A table whose columns are known.

    Attributes:
        path: of the script.
        table: itself.
        header: above its lines.
        columns: where each of `COLUMNS` is that is there.
        guessed: those that only their content shows.
        warnings: what was chosen among several.
    """

    path: Path
    table: Table
    header: Header
    columns: dict[str, int]
    guessed: frozenset[str] = frozenset()
    warnings: list[Message] = field(default_factory=list)

    @cached_property
    def rows(self) -> list[tuple[int, list[Cell]]]:
        """The rows below the header."""
        return [(number, cells) for number, cells in self.table.rows if number > self.header.last]

    @cached_property
    def width(self) -> int:
        """How many columns a row may have: those of the header, or of most rows."""
        widths = Counter(len(cells) for _, cells in self.rows)
        return len(self.header.heads) or max(widths, key=widths.__getitem__, default=0)

    def understood(self) -> Message:
        """Which column is what, and which that hold something are not used."""
        read = [
            message("script.guessed" if key in self.guessed else "script.is",
                    what=message(f"column.{key}"), head=self._called(self.columns[key]))
            for key in COLUMNS if key in self.columns
        ]  # fmt: skip
        others = [self._called(i) for i in held(self.rows) if i not in self.columns.values()]
        listed = joined(read, "script.and")
        if not others:
            return message("script.columns", read=listed)
        return message("script.columns_unused", read=listed, unused=joined(others, "script.and"))

    def place(self, key: str) -> int:
        """Where a column is; of an end that stands beside its start, that one's."""
        return self.columns.get(key, self.columns.get("start", 0))

    def called(self, key: str) -> str:
        """How the header of a column that is there is written; its place if it has none."""
        index = self.place(key)
        heads = self.header.heads
        return (heads[index].text if index < len(heads) else "") or self.table.column(index)

    def unit(self, key: str) -> Unit:
        """Of a column of times that are plain numbers, as its header says; "" if it says none."""
        index, heads = self.columns.get(key, -1), self.header.heads
        found = heads[index].meaning if 0 <= index < len(heads) else None
        return found.unit if found else ""

    def _called(self, index: int) -> Message:
        shown = self.header.called(self.table, index)
        return message("script.hidden", what=shown) if index in self.table.hidden_columns else shown


def place_of(path: Path, table: Table) -> Message:
    """A sheet as messages name it."""
    if table.title or table.number:
        return message("script.and", first=path, second=table.name)
    return message("plain", text=path)


def find_columns(path: Path, table: Table, asked: Asked, by_content: bool = False) -> Sheet:
    """Find a table's header and what each of its columns is.

    Args:
        path: of the script.
        table: of it.
        asked: which columns are named, and which matter.
        by_content: whether the lines may be found by what the columns hold.

    Raises:
        NoLines: no column of lines.
        ScriptError: two columns may be the lines or the characters, a named one is not there, or it cannot
            be known whether the first row is a header.
    """
    header = find_header(table, [*asked.columns.values()])
    search = _Search(path, table, header or NO_HEADER, asked)
    columns = search.named()
    if header:
        columns |= search.by_header(columns)
    elif not columns and not by_content:
        raise search.no_lines()
    if "line" not in columns and not by_content:
        raise search.no_lines()
    guessed, first = search.by_content(columns)
    columns |= guessed
    if "line" not in columns:
        raise search.no_lines()
    return Sheet(
        path=path, table=table, header=header or first, columns=columns, guessed=frozenset(guessed),
        warnings=search.warnings,
    )  # fmt: skip


def continued(sheet: Sheet, table: Table) -> Sheet | None:
    """A document's table that continues another: as wide, without a header, said by the same characters.

    A page or a scene ends between the two. None if it is no such table.
    """
    if not table.number or find_header(table, []) or _width(table) != _width(sheet.table):
        return None
    at = sheet.columns.get("character", sheet.columns["line"])
    known, here = ({cells[at].text for _, cells in rows if at < len(cells) and cells[at].text}
                   for rows in (sheet.rows, table.rows))  # fmt: skip
    follows = table.number == sheet.table.number + 1 and sheet.header.heads
    if not follows and 2 * len(known & here) < len(here):
        return None
    header = sheet.header._replace(first=0, last=0)
    return replace(sheet, table=table, header=header, warnings=[])


def _width(table: Table) -> int:
    return max((len(cells) for _, cells in table.rows), default=0)


class _Search:
    """One table's columns, step by step."""

    def __init__(self, path: Path, table: Table, header: Header, asked: Asked) -> None:
        self.table, self.header, self.asked = table, header, asked
        self.place = place_of(path, table)
        self.rows = [(number, cells) for number, cells in table.rows if number > header.last]
        self.held = held(self.rows)
        self.warnings: list[Message] = []

    def named(self) -> dict[str, int]:
        """The columns that are asked for by their header, or by their place."""
        found = {}
        for key, name in self.asked.columns.items():
            if name == NOT_READ:
                continue
            there = [i for i, head in enumerate(self.header.heads) if fold(name) in head.names]
            if len(there) > 1:
                there = [i for i in there if i in self.held] or there
            if len(there) > 1:
                raise self._ask(key, there)
            at = there[0] if there else self.table.index_of(name)
            if at is None or (not there and at not in self.held):
                if key == "line":
                    raise self.no_lines()
                raise ScriptError.of(
                    "script.no_column", place=self.place, head=name, what=message(f"column.{key}"),
                    columns=self._listed(),
                )  # fmt: skip
            found[key] = at
        return found

    def by_header(self, known: dict[str, int]) -> dict[str, int]:
        """The columns whose headers say what they are."""
        found: dict[str, list[tuple[int, Meaning]]] = {}
        for index, head in enumerate(self.header.heads):
            meaning = head.meaning
            if meaning and index not in known.values() and meaning.key not in self.asked.columns:
                found.setdefault(meaning.key, []).append((index, meaning))
        best = {key: self._best(key, several) for key, several in found.items()}
        line = best.get("line")
        if line in self.held and not self.held[line].is_korean:
            others = {i for i, head in enumerate(self.header.heads) if head.meaning}
            if guess(self.table, self.rows, {*known.values(), *others}, ["line"]):
                del best["line"]  # the Korean stands in a column whose header is not known
        return best

    def by_content(self, known: dict[str, int]) -> tuple[dict[str, int], Header]:
        """What the content of the other columns shows, and the rows above it, if no header was found."""
        keys = [key for key in ("line", "character", "no", "file", "start", "end")
                if key not in known and key not in self.asked.columns]  # fmt: skip
        rows = self.rows
        body = next((i for i, (_, cells) in enumerate(rows) if sum(c.own for c in cells) > 1), 0)
        if self.header is NO_HEADER:
            rows = rows[body + 1 :] or rows
        heads = enumerate(self.header.heads)
        others = [i for i, head in heads if is_other(head.own) or head.meaning]
        several = guess(self.table, rows, {*known.values(), *others}, keys)
        for key, indices in several.items():
            if len(indices) > 1 and key in _ASKED_ABOUT and key in ("line", *self.asked.only):
                raise self._ask(key, indices)
        found = {key: one[0] for key, one in several.items() if len(one) == 1}
        if self.header is not NO_HEADER or not self.rows:
            return found, self.header
        number, first = self.rows[body]
        data = is_data(first, rows, known | found)
        if data is None and "line" not in known:
            raise ScriptError.of(
                "script.no_header", place=self.place, row=number, columns=self._listed()
            )
        return found, Header.unknown(number - 1 if data in (True, None) else number, first, data)

    def _best(self, key: str, found: list[tuple[int, Meaning]]) -> int:
        """The one of several columns that say to be the same."""
        tests: list[Callable[[int, Meaning], bool]] = [
            lambda i, m: i not in self.table.hidden_columns,
            lambda i, m: i in self.held,
            lambda i, m: key not in _ASKED_ABOUT or (i in self.held and self.held[i].is_korean),
            lambda i, m: m.kind != "foreign",
            lambda i, m: m.kind != "draft",
            lambda i, m: not m.weak,
        ]
        for test in tests:
            found = [(i, m) for i, m in found if test(i, m)] or found
        first, *others = (i for i, _ in found)
        others = [i for i in others if self._texts(i) != self._texts(first)]
        if others and (key == "line" or key in self.asked.only):
            same = {self.header.heads[i].names for i in (first, *others)}
            if key in _ASKED_ABOUT or len(same) == 1:
                raise self._ask(key, [first, *others])
            self.warnings.append(message(
                "script.two_columns", place=self.place, what=message(f"column.{key}"),
                read=self.header.called(self.table, first),
                other=self.header.called(self.table, others[0]),
            ))  # fmt: skip
        if key == "line" and first in self.table.hidden_columns and not self.asked.hidden:
            raise ScriptError.of(
                "script.hidden_lines", place=self.place, head=self.header.heads[first].text
            )
        return first

    def _texts(self, index: int) -> list[str]:
        return [cells[index].text if index < len(cells) else "" for _, cells in self.rows]

    def _ask(self, key: str, indices: list[int]) -> ScriptError:
        names = [self.header.called(self.table, i) for i in indices]
        heads = {self.header.heads[i].names for i in indices if i < len(self.header.heads)}
        apart = len(heads) == len(indices) and self.header is not NO_HEADER
        hangul = {i: self.held[i].hangul if i in self.held else 0 for i in indices}
        last = [i for i in indices if 2 * hangul[i] >= max(hangul.values())][-1]  # a final text
        example = self.header.heads[last].text if apart else self.table.column(last)
        return ScriptError.of(
            "script.which_column", place=self.place, columns=joined(names, "script.and"),
            what=message(f"column.{key}"), example=quote(example),
        )  # fmt: skip

    def no_lines(self) -> NoLines:
        """The error of a table without a column of lines."""
        return NoLines.of("script.no_lines_column", place=self.place, columns=self._listed())

    def _listed(self) -> Message:
        """All columns that hold something, as they can be named."""
        heads = [i for i, head in enumerate(self.header.heads) if head.text]
        known = sorted({*self.held, *heads})[:24]
        named = [self.header.called(self.table, i) for i in known]
        return joined(named, "script.and") if named else message("script.none")
