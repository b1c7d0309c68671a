"""What a director says of a job's lines: marks and notes, changes, and the versions heard so far.

It lies in the job's SQLite and is written without the job's lock, so that a line can be marked while the job
is at work, from the page and from the command line alike.
"""

import os
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from moksori.dubbing.database import sqlite_errors
from moksori.dubbing.moved import CHANGES, MARKS, keep_said, known_as, known_before, names, where
from moksori.dubbing.records import HOME, Change, Mark
from moksori.dubbing.task import Task
from moksori.errors import OutputError
from moksori.messages import message
from moksori.script.line import Line

_SCHEMA = """
CREATE TABLE IF NOT EXISTS marks (
    id TEXT PRIMARY KEY, state TEXT NOT NULL, note TEXT NOT NULL, key TEXT NOT NULL, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS changes (id TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS known (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL, character TEXT NOT NULL, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS said (id TEXT PRIMARY KEY, character TEXT NOT NULL, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS versions (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL, key TEXT NOT NULL, at TEXT NOT NULL, text TEXT NOT NULL,
    voice TEXT NOT NULL, pitch REAL NOT NULL, gain REAL NOT NULL, audio TEXT NOT NULL,
    effort REAL NOT NULL DEFAULT 1, UNIQUE (id, key));
"""
_BY_ID = ("marks", "changes", "versions", "said")
_SAME: Mapping[str, str] = {}
_OLDER = "ALTER TABLE versions ADD COLUMN effort REAL NOT NULL DEFAULT 1"


class Version(NamedTuple):
    """What a line once became, and from what."""

    key: str  # of the outcome, whose files are kept
    at: str  # when, ISO 8601
    text: str
    voice: str
    pitch: float
    gain: float
    audio: str  # the recording; below the job's folder relative to it
    effort: float


class Review:
    """What was said of the lines of the job in a folder; nothing, if there is no job.

    Args:
        out: the job's folder.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self._path = out / HOME / "job.sqlite"

    @property
    def version(self) -> int:
        """Changes whenever anybody writes to the job, from this process or another."""
        try:
            return self._path.stat().st_mtime_ns
        except OSError:
            return 0

    def marks(self, to: Mapping[str, str] = _SAME) -> dict[str, Mark]:
        """What was said, by the lines' ids; those of `to` by their new names."""
        return {to.get(id, id): Mark(*row) for id, *row in self._rows(MARKS)}

    def names(self, lines: Mapping[str, Line]) -> dict[str, str]:
        """What the ids become under which something was said, if these are the lines now.

        Of a line that is gone, and whose id another has, it is an id of its own.

        Args:
            lines: of the whole script by their ids, in its order.
        """
        if not self._path.exists():
            return {}
        with self._opened() as database:
            return names(database, known_as(lines))

    def where(self, id: str, lines: Mapping[str, Line]) -> str | None:
        """The id that a line of the job has, if these are the lines now; None if it is gone."""
        with self._opened() as database:
            return where(database, known_as(lines), id)

    def follow(self, lines: Mapping[str, Line]) -> None:
        """Let what was said of lines stay with them where rows were put in, or taken out, and ids changed.

        Args:
            lines: as `names`; whoever calls has the job's lock.
        """
        now = known_as(lines)
        with self._writing() as database:
            if known_before(database) == now:
                return
            keep_said(database)
            for old, new in (to := names(database, now)).items():  # out of the way of each other
                for table in _BY_ID:
                    database.execute(f"UPDATE {table} SET id = ? WHERE id = ?", (f"\0{new}", old))
            for new in to.values():
                for table in _BY_ID:
                    database.execute(f"UPDATE {table} SET id = ? WHERE id = ?", (new, f"\0{new}"))
            database.execute("DELETE FROM known")
            database.executemany("INSERT INTO known (id, character, text) VALUES (?, ?, ?)", now)
            keep_said(database)

    def mark(
        self, id: str, script_text: str, seen: Mapping[str, str] | None = None, **said: Any
    ) -> Mark:
        """Say something of a line beside what was said of it before.

        Args:
            id: of the line.
            script_text: what the script itself has.
            seen: what whoever says it saw before, by the names of `Mark`; if somebody else has said
                something since, a note is put behind theirs. What is not named is replaced.
            said: by the names of `Mark`; what is not named stays.

        Returns:
            All that is said of it now.

        Raises:
            OutputError: there is no job in the folder, the line of that id is another by now, or somebody
                else has marked it since.
        """
        with self._writing() as database:
            _see_same(database, id, script_text)
            row = database.execute(f"{MARKS} WHERE id = ?", (id,)).fetchone()
            mark = Mark(*row[1:]) if row else Mark()
            mark = mark._replace(text=script_text, **_beside(id, mark, seen or {}, said))
            database.execute("INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?, ?)", (id, *mark))
        return mark

    def changes(self, to: Mapping[str, str] = _SAME) -> dict[str, Change]:
        """What is asked of single lines, by their ids as `marks`; takes as whole paths."""
        return {to.get(id, id): self._change(value) for id, value in self._rows(CHANGES)}

    def ask(self, id: str, script_text: str, values: Mapping[str, Any]) -> Change:
        """Ask something of a line beside what was asked of it before.

        Args:
            id: of the line.
            script_text: what the script itself has.
            values: by the names of `Change`; one that is None, and a text that is blank, is left to
                script and cast again.

        Returns:
            All that is asked of it now.

        Raises:
            ValueError: a value that cannot be.
            OutputError: as `mark`.
        """
        with self._writing() as database:
            _see_same(database, id, script_text)
            row = database.execute(f"{CHANGES} WHERE id = ?", (id,)).fetchone()
            before = self._change(row[1]) if row else Change()
            change = Change.model_validate(before.model_dump() | dict(values))
            if "text" in values and (change.text or "").strip() in ("", script_text):
                change = change.model_copy(update={"text": None})
            if "text" in values or change.text is None:
                change = change.model_copy(update={"script_text": script_text})
            if change == Change(script_text=change.script_text):
                change = Change()
                database.execute("DELETE FROM changes WHERE id = ?", (id,))
            else:
                take = change.take and Path(os.path.relpath(change.take, self.out))
                kept = change.model_copy(update={"take": take})
                rest = (id, kept.model_dump_json(exclude_none=True))
                database.execute("INSERT OR REPLACE INTO changes VALUES (?, ?)", rest)
        return change

    def _change(self, value: str) -> Change:
        change = Change.model_validate_json(value)
        return change.model_copy(update={"take": change.take and self.out / change.take})

    def drop(self, id: str) -> None:
        """Drop all that was said and asked of a line.

        Raises:
            OutputError: there is no job in the folder.
        """
        with self._writing() as database:
            database.execute("DELETE FROM marks WHERE id = ?", (id,))
            database.execute("DELETE FROM changes WHERE id = ?", (id,))

    def versions(self, id: str) -> list[Version]:
        """What a line has become so far, the oldest first."""
        asked = (
            "SELECT key, at, text, voice, pitch, gain, audio, effort FROM versions WHERE id = ? "
            "ORDER BY number"
        )
        return [Version(*row) for row in self._rows(asked, (id,))]

    def histories(self) -> dict[str, list[tuple[str, str, str]]]:
        """Key, text and voice of all that lines have become so far, by their ids, the oldest first."""
        found: dict[str, list[tuple[str, str, str]]] = {}
        for id, *rest in self._rows("SELECT id, key, text, voice FROM versions ORDER BY number"):
            found.setdefault(id, []).append((rest[0], rest[1], rest[2]))
        return found

    def forget(self, ids: Iterable[str], keys: Iterable[str] = ()) -> None:
        """Forget what lines have become, and outcomes of whatever line; marks and changes stay."""
        with self._writing() as database:
            database.executemany("DELETE FROM versions WHERE id = ?", [(id,) for id in ids])
            database.executemany("DELETE FROM versions WHERE key = ?", [(key,) for key in keys])

    def keep_versions(self, tasks: Iterable[Task]) -> None:
        """Note what lines have become.

        Args:
            tasks: that went well.
        """
        at = datetime.now(UTC).isoformat(timespec="seconds")
        rows = []
        for task in tasks:
            take, role = task.take, task.take.role
            path, out = take.audio.absolute(), self.out.absolute()
            if path.is_relative_to(out):
                path = path.relative_to(out)
            voice = "" if role.as_recorded else role.voice
            rows.append((
                take.id, task.key, at, take.line.text, voice, role.pitch, role.gain,
                path.as_posix(), role.effort,
            ))  # fmt: skip
        with self._writing() as database:
            database.executemany(
                "INSERT OR IGNORE INTO versions (id, key, at, text, voice, pitch, gain, audio, effort) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )

    def _rows(self, asked: str, values: tuple[str, ...] = ()) -> list[tuple[Any, ...]]:
        if not self._path.exists():
            return []
        with self._opened() as database:
            return database.execute(asked, values).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that nobody else writes beside, whoever marks the same line."""
        with self._opened() as database, database:
            database.execute("BEGIN IMMEDIATE")
            yield database

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        if not self._path.exists():
            raise OutputError.of("review.no_job", out=self.out)
        with (
            sqlite_errors(self._path),
            closing(sqlite3.connect(self._path, timeout=30)) as database,
        ):
            there = dict(database.execute("SELECT name, sql FROM sqlite_master").fetchall())
            if "known" not in there:
                database.executescript(_SCHEMA)
            if "effort" not in there.get("versions", "effort"):  # of an older Moksori
                database.execute(_OLDER)
            yield database


def _beside(
    id: str, mark: Mark, seen: Mapping[str, str], said: Mapping[str, Any]
) -> Mapping[str, Any]:
    """What is said of a line, beside what somebody else has said since it was seen.

    Raises:
        OutputError: they have marked it.
    """
    since = {
        name
        for name in seen.keys() & said.keys()
        if getattr(mark, name) not in (seen[name], said[name])
    }
    if "state" in since:
        other = message(f"mark.{mark.state or 'none'}")
        raise OutputError.of("review.marked_since", line=id, mark=other)
    if "note" in since and mark.note:
        return {**said, "note": " / ".join(filter(None, (mark.note, said["note"])))}
    return said


def _see_same(database: sqlite3.Connection, id: str, script_text: str) -> None:
    """See that a line is the one that is meant, and was not renumbered meanwhile."""
    row = database.execute("SELECT text FROM known WHERE id = ?", (id,)).fetchone()
    if row and row[0] != unicodedata.normalize("NFC", script_text):
        raise OutputError.of("review.renumbered", line=id)


class Trial(Review):
    """The same, with a voice tried on lines that have none yet.

    Args:
        out: the job's folder.
        ids: of the lines.
        voice: that is tried.
    """

    def __init__(self, out: Path, ids: Iterable[str], voice: str) -> None:
        super().__init__(out)
        self._ids, self._voice = [*ids], voice

    def changes(self, to: Mapping[str, str] = _SAME) -> dict[str, Change]:
        """As `Review.changes`, with the voice where none is asked for."""
        found = super().changes(to)
        for id in self._ids:
            change = found.get(id, Change())
            found[id] = change.model_copy(update={"voice": change.voice or self._voice})
        return found


def left_behind(
    ids: Iterable[str], review: Review, to: Mapping[str, str] = _SAME
) -> Mapping[str, str]:
    """Lines of which something was said and that the script no longer has: their text, by their ids."""
    known = {id: change.script_text or "" for id, change in review.changes(to).items()}
    known |= {id: mark.text for id, mark in review.marks(to).items() if mark.state or mark.note}
    here = set(ids)
    return {id: text for id, text in known.items() if id not in here}
