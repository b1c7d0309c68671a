"""What a job knows of itself, in SQLite, so that it survives being killed at any moment.

OUT/.moksori/job.sqlite    lines, what became of each, and which files are the job's
OUT/.moksori/lines/        each line's wave, timings and picture, named by the hash of what determines them
OUT/.moksori/lock          held while a job is at work here
"""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from moksori.dubbing.recordings import HOME
from moksori.dubbing.work import Status, Task
from moksori.errors import OutputError

_FORMAT = "1"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS work (
    key TEXT PRIMARY KEY, status TEXT NOT NULL, error TEXT NOT NULL DEFAULT '', tries INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS lines (
    id TEXT PRIMARY KEY, position INTEGER NOT NULL, place TEXT NOT NULL, character TEXT NOT NULL,
    text TEXT NOT NULL, key TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS measured (digest TEXT PRIMARY KEY, log_f0 REAL, frames INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS registers (actor TEXT PRIMARY KEY, log_f0 REAL);
CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY);
"""


class LineState(NamedTuple):
    """Where a line stands."""

    id: str
    place: str
    character: str
    text: str
    status: str  # waiting, begun, converted, passed or failed
    error: str
    tries: int


class State:
    """The state of the job in a folder.

    Raises:
        OutputError: the folder holds something else, another job is at work in it, or it is of a newer
            Moksori.
    """

    def __init__(self, out: Path) -> None:
        home = out / HOME
        if out.exists() and not out.is_dir():
            raise OutputError(f"{out}: is a file; name a folder")
        if out.is_dir() and not home.is_dir() and any(out.iterdir()):
            raise OutputError(f"{out}: holds other files; choose a new or empty folder")
        self.out, self.store = out, home / "lines"
        self.store.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(home / "lock")
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise OutputError(
                f"{out}: another job is at work here; wait for it, or end it"
            ) from None
        self._database = _open(home / "job.sqlite")
        with self._database:
            self._database.executescript(_SCHEMA)
            if self.about("format", _FORMAT) != _FORMAT:
                raise OutputError(
                    f"{out}: the job is of a newer Moksori; update, or choose another folder"
                )
            self.set_about("format", _FORMAT)
        for rest in self.store.glob(".*"):  # of writings that were cut
            rest.unlink()

    def close(self) -> None:
        """Let another job have the folder."""
        self._database.close()
        self._lock.release()

    def about(self, name: str, default: str = "") -> str:
        """A value of the whole job."""
        row = self._database.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return row[0] if row else default

    def set_about(self, name: str, value: str) -> None:
        """Keep a value of the whole job."""
        with self._database:
            self._database.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, value))

    def measured(self) -> dict[str, tuple[float, int] | None]:
        """Registers of single takes, by their samples' digest; None where nothing is voiced."""
        rows = self._database.execute("SELECT digest, log_f0, frames FROM measured")
        return {digest: (mean, frames) if frames else None for digest, mean, frames in rows}

    def keep_measured(self, digest: str, found: tuple[float, int] | None) -> None:
        """Keep the register of one take."""
        with self._database:
            row = (digest, *(found or (None, 0)))
            self._database.execute("INSERT OR REPLACE INTO measured VALUES (?, ?, ?)", row)

    def registers(self) -> dict[str, float | None]:
        """Of the actors measured so far; None of those in whose takes nothing is voiced."""
        return dict(self._database.execute("SELECT actor, log_f0 FROM registers"))

    def keep_registers(self, found: dict[str, float | None]) -> None:
        """Keep actors' registers, so that a new recording does not move all of its actor's lines."""
        with self._database:
            self._database.executemany("INSERT INTO registers VALUES (?, ?)", found.items())

    def plan(self, tasks: Sequence[Task]) -> None:
        """Keep which lines the job has now."""
        rows = [
            (t.take.id, i, t.take.line.place, t.take.line.character, t.take.line.text, t.key)
            for i, t in enumerate(tasks)
        ]
        with self._database:
            self._database.execute("DELETE FROM lines")
            self._database.executemany("INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?)", rows)

    def waiting(self, tasks: Iterable[Task], retry_failed: bool) -> list[Task]:
        """The tasks that are still to be done, each outcome once."""
        known = dict(self._database.execute("SELECT key, status FROM work"))
        todo: dict[str, Task] = {}
        for task in tasks:
            status = known.get(task.key)
            there = task.about.exists() and task.wave.exists()
            if status in ("converted", "passed") and there:
                continue
            if status == "failed" and not retry_failed:
                continue
            todo.setdefault(task.key, task)
        return [*todo.values()]

    def begin(self, task: Task) -> None:
        """Note that a task is in hand."""
        with self._database:
            self._database.execute(
                "INSERT INTO work VALUES (?, 'begun', '', 1) "
                "ON CONFLICT (key) DO UPDATE SET status = 'begun', error = '', tries = tries + 1",
                (task.key,),
            )

    def finish(self, task: Task, status: Status, error: str = "") -> None:
        """Note what became of a task."""
        with self._database:
            self._database.execute(
                "UPDATE work SET status = ?, error = ? WHERE key = ?", (status, error, task.key)
            )

    def errors(self) -> dict[str, str]:
        """Why tasks failed, by key."""
        rows = self._database.execute("SELECT key, error FROM work WHERE status = 'failed'")
        return dict(rows)

    def files(self) -> set[str]:
        """Paths below the folder that the job has written, or was about to."""
        return {row[0] for row in self._database.execute("SELECT path FROM files")}

    def claim(self, paths: Iterable[str]) -> None:
        """Note paths as the job's before they are written.

        Raises:
            OutputError: one of them is somebody else's file.
        """
        new = set(paths) - self.files()
        for path in sorted(new):
            if (self.out / path).exists():
                raise OutputError(f"{self.out / path}: is not this job's; move it away")
        with self._database:
            self._database.executemany("INSERT INTO files VALUES (?)", [(path,) for path in new])

    def drop(self, paths: Iterable[str]) -> None:
        """Delete files of the job that it no longer has."""
        for path in paths:
            (self.out / path).unlink(missing_ok=True)
            with self._database:
                self._database.execute("DELETE FROM files WHERE path = ?", (path,))


def line_states(out: Path) -> list[LineState]:
    """Where each line of a job stands, also while it is at work.

    Raises:
        OutputError: there is no job in the folder.
    """
    path = out / HOME / "job.sqlite"
    if not path.is_file():
        raise OutputError(f"{out}: no job here; start it without --status")
    database = _open(path)
    rows = database.execute(
        "SELECT id, place, character, text, coalesce(status, 'waiting'), coalesce(error, ''), "
        "coalesce(tries, 0) FROM lines LEFT JOIN work USING (key) ORDER BY position"
    )
    found = [LineState(*row) for row in rows]
    database.close()
    return found


def _open(path: Path) -> sqlite3.Connection:
    try:
        database = sqlite3.connect(path, timeout=30)
        database.execute("PRAGMA schema_version")
    except sqlite3.DatabaseError as error:
        raise OutputError(
            f"{path}: damaged ({error}); delete {path.parent}, and the job begins anew"
        ) from None
    return database
