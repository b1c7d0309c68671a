"""The SQLite file of a job: every fault is one clear error, and a damaged file is restored from its copy.

job.sqlite          what the job knows
job.copy.sqlite     the same as it was when files were last delivered, or the job was last closed
job.damaged.sqlite  one that could not be read any more, kept
"""

import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from moksori.errors import OutputError
from moksori.messages import Message, message
from moksori.writing import atomic_path, write_error

_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_REASONS = {"in_use": ("SQLITE_BUSY", "SQLITE_LOCKED"), "broken": ("SQLITE_IOERR",)}
_FORBIDDEN = ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")


class Database:
    """An SQLite file, opened for one job alone.

    Attributes:
        restored: what was found damaged and put right in opening it; None if nothing was.

    Raises:
        OutputError: it cannot be written to, or another program holds it.
    """

    def __init__(self, path: Path, schema: str) -> None:
        self.path, self.copy = path, path.with_stem(f"{path.stem}.copy")
        self.restored: Message | None = None
        if path.is_file() and not _is_whole(path):
            self.restored = self._restore()
        self._connection = sqlite3.connect(path, timeout=30)
        with self.write() as connection:
            connection.executescript(schema)
        self._saved = self._connection.total_changes

    def _restore(self) -> Message:
        damaged = self.path.with_stem(f"{self.path.stem}.damaged")
        try:
            for rest in ("-journal", "-wal", "-shm"):  # of the damaged one
                self.path.with_name(self.path.name + rest).unlink(missing_ok=True)
            self.path.replace(damaged)
            found = self.copy.is_file() and _is_whole(self.copy)
            if found:
                shutil.copyfile(self.copy, self.path)
        except OSError as error:
            raise write_error(self.path, error) from None
        with sqlite_errors(self.path):
            _salvage(damaged, self.path)
        return message("state.restored" if found else "state.lost", path=damaged)

    def read(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query.

        Raises:
            OutputError: as `write`.
        """
        with sqlite_errors(self.path):
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction, on the disk when it is over, or not at all.

        Raises:
            OutputError: the disk is full, the file is damaged or cannot be written to.
        """
        with sqlite_errors(self.path), self._connection:
            yield self._connection

    def save_copy(self) -> None:
        """Keep a copy of all that is known, if anything is new.

        Raises:
            OutputError: as `write`.
        """
        if self._saved == self._connection.total_changes and self.copy.exists():
            return
        with atomic_path(self.copy) as temporary, sqlite_errors(self.path):
            copy = sqlite3.connect(temporary)
            try:
                self._connection.backup(copy)
            finally:
                copy.close()
        self._saved = self._connection.total_changes

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def read_only(path: Path, query: str) -> Iterable[tuple[Any, ...]]:
    """The rows of a query to a file that another job may be at work with.

    Raises:
        OutputError: it is damaged or cannot be read.
    """
    with sqlite_errors(path):
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=30)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()


def _salvage(damaged: Path, path: Path) -> None:
    """Put into an SQLite file whatever rows can still be read of a damaged one: they are newer.

    The copy may be of an older Moksori, whose tables lack columns: then the newer table takes its place.
    """
    source, target = sqlite3.connect(damaged), sqlite3.connect(path)
    try:
        tables = source.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'table'"
        ).fetchall()
        for name, sql in tables:
            with suppress(sqlite3.DatabaseError), target:
                _salvage_table(source, target, name, sql)
    except sqlite3.DatabaseError:  # not even its list of tables
        return
    finally:
        source.close()
        target.close()


def _salvage_table(
    source: sqlite3.Connection, target: sqlite3.Connection, name: str, sql: str
) -> None:
    rows = []
    with suppress(sqlite3.DatabaseError):
        for row in source.execute(f'SELECT * FROM "{name}"'):
            rows.append(row)
    columns, known = _columns(source, name), _columns(target, name)
    target.execute("BEGIN")  # a table with its rows, or as it was
    if not known:
        target.execute(sql)
    elif lacking := [column for column in columns if column not in known]:
        target.execute(f'ALTER TABLE "{name}" RENAME TO "older"')
        target.execute(sql)
        both = ", ".join(column for column in columns if column not in lacking)
        target.execute(f'INSERT INTO "{name}" ({both}) SELECT {both} FROM "older"')
        target.execute('DROP TABLE "older"')
    marks = ", ".join("?" * len(columns))
    into = f'"{name}" ({", ".join(columns)})'
    target.executemany(f"INSERT OR REPLACE INTO {into} VALUES ({marks})", rows)


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    """Names of a table's columns, in its order; none if there is no such table."""
    return [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]


def _is_whole(path: Path) -> bool:
    """Whether all pages of an SQLite file can be read."""
    try:
        connection = sqlite3.connect(path, timeout=30)
        try:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchall() == [("ok",)])
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        if _is(error, _DAMAGED):
            return False
        raise _explained(path, error) from None


@contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Say what SQLite says of a file as what a user can do about it.

    Raises:
        OutputError: as `Database.write`.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _explained(path, error) from None


def _explained(path: Path, error: sqlite3.Error) -> OutputError:
    """What SQLite says, as what a user can do about it."""
    if _is(error, _DAMAGED):
        return OutputError.of("state.damaged", path=path)
    if _is(error, ("SQLITE_FULL",)):
        return OutputError.of("output.full", path=path)
    if _is(error, _FORBIDDEN):
        return OutputError.of("output.forbidden", path=path)
    kind = next((kind for kind, names in _REASONS.items() if _is(error, names)), None)
    why = message(f"system.{kind}") if kind else error
    return OutputError.of("output.failed", path=path, why=why)


def _is(error: sqlite3.Error, names: tuple[str, ...]) -> bool:
    return getattr(error, "sqlite_errorname", "").startswith(names)
