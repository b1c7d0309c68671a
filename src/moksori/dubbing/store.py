"""What a job knows of itself, in SQLite, so that it survives being killed at any moment.

OUT/.moksori/job.sqlite    lines, what became of each, and which files are the job's
OUT/.moksori/lines/        each line's wave, timings and picture, named by the hash of what determines them
OUT/.moksori/lock          held while a job is at work here
"""

import itertools
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from moksori.dubbing.records import HOME, Dubbed, Status, Task
from moksori.errors import OutputError
from moksori.messages import Message
from moksori.script.line import Place

_FORMAT = "1"
_LITTER = (".DS_Store", "desktop.ini", "Thumbs.db", "job.toml")  # of file managers
_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS work (
    key TEXT PRIMARY KEY, status TEXT NOT NULL, error TEXT NOT NULL DEFAULT '', tries INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS lines (
    id TEXT PRIMARY KEY, position INTEGER NOT NULL, place TEXT NOT NULL, character TEXT NOT NULL,
    text TEXT NOT NULL, key TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS registers (actor TEXT PRIMARY KEY, log_f0 REAL NOT NULL, digests TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, marks TEXT NOT NULL);
"""


class LineState(NamedTuple):
    """Where a line stands."""

    id: str
    place: Place
    character: str
    text: str
    status: str  # waiting, begun, converted, passed or failed
    error: Message | None
    tries: int
    key: str  # of the outcome


class Store:
    """The state of the job in a folder.

    Raises:
        OutputError: the folder holds something else, another job is at work in it, or it is of a newer
            Moksori.
    """

    def __init__(self, out: Path) -> None:
        home = out / HOME
        if out.exists() and not out.is_dir():
            raise OutputError(f"{out}: is a file; name a folder")
        if out.is_dir() and not home.is_dir() and any(p.name not in _LITTER for p in out.iterdir()):
            raise OutputError(f"{out}: holds other files; choose a new or empty folder")
        self.out, self.outcomes = out, home / "lines"
        self.outcomes.mkdir(parents=True, exist_ok=True)
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
        for rest in self.outcomes.glob(".*"):  # of writings that were cut
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

    def actor_means(self) -> dict[str, tuple[float, set[str]]]:
        """Mean log-F0 of the actors measured so far, with the digests of the takes that it came from."""
        rows = self._database.execute("SELECT actor, log_f0, digests FROM registers")
        return {actor: (mean, set(digests.split())) for actor, mean, digests in rows}

    def keep_actor_mean(self, actor: str, log_f0: float, digests: Iterable[str]) -> None:
        """Keep an actor's mean log-F0, so that a new recording does not move all of the actor's lines."""
        with self._database:
            row = (actor, log_f0, " ".join(sorted(set(digests))))
            self._database.execute("INSERT OR REPLACE INTO registers VALUES (?, ?, ?)", row)

    def belongs_to(self, episode: str, texts: Iterable[str]) -> None:
        """See that the folder is this episode's: of the same script, or with lines in common.

        Raises:
            OutputError: it holds another one, which would be deleted.
        """
        before, known = self.about("episode"), self._database.execute("SELECT text FROM lines")
        if before not in ("", episode) and {row[0] for row in known}.isdisjoint(texts):
            raise OutputError(
                f"{self.out}: holds {before}, with which {episode} has no line in common; choose another "
                "folder"
            )
        self.set_about("episode", episode)

    def plan(self, tasks: Sequence[Task], left_out: Sequence[Dubbed]) -> None:
        """Keep which lines the job has now, and which it goes on without."""
        rows = [(task.take, task.key) for task in tasks]
        rows += [(row.take, f"left out: {row.take.id}") for row in left_out]
        lines = [
            (take.id, i, json.dumps(take.line.place), take.line.character, take.line.text, key)
            for i, (take, key) in enumerate(rows)
        ]
        with self._database:
            self._database.execute("DELETE FROM lines")
            self._database.executemany("INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?)", lines)
            self._database.execute("DELETE FROM work WHERE key LIKE 'left out: %'")
            self._database.executemany(
                "INSERT INTO work VALUES (?, 'failed', ?, 0)",
                [(f"left out: {row.take.id}", _dumped(row.error)) for row in left_out],
            )

    def waiting(self, tasks: Iterable[Task], retry_failed: bool) -> list[Task]:
        """The tasks that are still to be done, each outcome once."""
        known = dict(self._database.execute("SELECT key, status FROM work"))
        todo: dict[str, Task] = {}
        for task in tasks:
            status = known.get(task.key)
            there = all(path.exists() for path in (task.about, task.wave, *task.sounds))
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

    def finish(self, task: Task, status: Status, error: Message | None = None) -> None:
        """Note what became of a task."""
        with self._database:
            self._database.execute(
                "UPDATE work SET status = ?, error = ? WHERE key = ?",
                (status, _dumped(error), task.key),
            )

    def errors(self) -> dict[str, Message]:
        """Why tasks failed, by key."""
        rows = self._database.execute("SELECT key, error FROM work WHERE status = 'failed'")
        return {key: Message.load(error) for key, error in rows}

    def files(self) -> set[str]:
        """Paths below the folder that the job has written, or was about to."""
        return {row[0] for row in self._database.execute("SELECT path FROM files")}

    def reserve(self, new: Mapping[str, Path]) -> list[Path]:
        """Note files as the job's before they are put in their place.

        Args:
            new: where each comes from, by its path below the folder.

        Returns:
            Where files went that somebody has changed since the job wrote them: out of the way.

        Raises:
            OutputError: one of the paths is somebody else's file.
        """
        marks = {
            path: marks.split() for path, marks in self._database.execute("SELECT * FROM files")
        }
        ours = {path.casefold() for path in marks}  # on some systems Hana is hana
        aside = []
        for path in sorted({*new, *marks}):
            place = self.out / path
            if not place.exists():
                continue
            if path not in marks:
                if path.casefold() not in ours:
                    raise OutputError(f"{place}: is not this job's; move it away")
            elif _mark(place) not in marks[path]:
                aside.append(_move_aside(place))
        rows = [
            (path, " ".join([*marks.get(path, []), _mark(source)])) for path, source in new.items()
        ]
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO files VALUES (?, ?)", rows)
        return aside

    def commit(self, paths: Iterable[str]) -> None:
        """Note that the job's files are these, as they are; delete those that it no longer has."""
        now = {path: _mark(self.out / path) for path in paths}
        kept = {path.casefold() for path in now}
        for path in self.files() - {*now}:
            if path.casefold() not in kept:
                (self.out / path).unlink(missing_ok=True)
        with self._database:
            self._database.execute("DELETE FROM files")
            self._database.executemany("INSERT INTO files VALUES (?, ?)", now.items())


def _dumped(error: Message | None) -> str:
    return error.dump() if error else ""


def _place(written: str) -> Place:
    """A place that `plan` kept; of an older job, in its words."""
    try:
        return Place(*json.loads(written))
    except (json.JSONDecodeError, TypeError):
        return Place("line", written)


def _mark(path: Path) -> str:
    """What shows whether a file was changed; it stays as it is when the file is moved."""
    about = path.stat()
    return f"{about.st_size}:{about.st_mtime_ns}"


def _move_aside(path: Path) -> Path:
    """Rename a file to the first of `NAME (1)`, `NAME (2)` … that is free."""
    places = (path.with_stem(f"{path.stem} ({number})") for number in itertools.count(1))
    free = next(place for place in places if not place.exists())
    path.rename(free)
    return free


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
        "coalesce(tries, 0), key FROM lines LEFT JOIN work USING (key) ORDER BY position"
    )
    found = [
        LineState(
            id=id,
            place=_place(place),
            character=character,
            text=text,
            status=status,
            error=Message.load(error) if error else None,
            tries=tries,
            key=key,
        )
        for id, place, character, text, status, error, tries, key in rows
    ]
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
