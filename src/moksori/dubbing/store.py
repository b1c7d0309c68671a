"""What a job knows of itself, so that it survives being killed at any moment.

OUT/.moksori/job.sqlite    lines, what became of each, and which files are the job's (database.py)
OUT/.moksori/lines/        each line's wave, timings and picture, named by the hash of what determines them
OUT/.moksori/delivery/     what is being delivered, until it is whole
OUT/.moksori/lock          held while a job is at work here
"""

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from moksori.dubbing import delivered
from moksori.dubbing.database import Database
from moksori.dubbing.records import HOME, Dubbed, is_season
from moksori.dubbing.task import TRANSIENT, Status, Task
from moksori.errors import OutputError
from moksori.messages import Message
from moksori.signal.speaker import SourceSpeaker
from moksori.writing import write_error

_FORMAT = "1"
_COMMON = 0.1  # of the lines, at least, that two versions of an episode share
_LITTER = (".DS_Store", "desktop.ini", "Thumbs.db", "job.toml")  # of file managers
_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS work (
    key TEXT PRIMARY KEY, status TEXT NOT NULL, error TEXT NOT NULL DEFAULT '', tries INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS lines (
    id TEXT PRIMARY KEY, position INTEGER NOT NULL, place TEXT NOT NULL, character TEXT NOT NULL,
    text TEXT NOT NULL, key TEXT NOT NULL, script_text TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS actors (actor TEXT PRIMARY KEY, speaker TEXT NOT NULL, digests TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, marks TEXT NOT NULL);
"""
ACTORS_KEPT = "SELECT actor, speaker, digests FROM actors ORDER BY actor"
KNOWS_SCRIPT = "SELECT 1 FROM pragma_table_info('lines') WHERE name = 'script_text'"


class Store:
    """The state of the job in a folder.

    Attributes:
        restored: what was found damaged and put right; None if nothing was.

    Raises:
        OutputError: the folder holds something else or is a season's, cannot be written to, another job is at
            work in it, or it is of a newer Moksori.
    """

    def __init__(self, out: Path) -> None:
        check_folder(out)
        home = out / HOME
        self.out, self.outcomes, self.delivery = out, home / "lines", home / "delivery"
        try:
            self.outcomes.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(home / "lock")
            self._lock.acquire(timeout=0)
        except Timeout:
            raise OutputError.of("output.busy", path=out) from None
        except OSError as error:
            raise write_error(out, error) from None
        with ExitStack() as undo:
            undo.callback(self._lock.release)
            self._sweep()  # first of all, as the disk may be full
            self._database = Database(home / "job.sqlite", _SCHEMA)
            undo.callback(self._database.close)
            self._open()
            undo.pop_all()

    def _open(self) -> None:
        if not self._database.read(KNOWS_SCRIPT):  # of an older Moksori
            with self._database.write() as database:
                database.execute(
                    "ALTER TABLE lines ADD COLUMN script_text TEXT NOT NULL DEFAULT ''"
                )
        self.restored = self._database.restored
        if self.about("format", _FORMAT) != _FORMAT:
            raise OutputError.of("output.newer", path=self.out)
        self.set_about("format", _FORMAT)

    def _sweep(self) -> None:
        """Delete what is left of writings that were cut, as when a worker dies and others end with it.

        A delivery that failed is among them, which on a full disk may be most of what is missing.
        """
        shutil.rmtree(self.delivery, ignore_errors=True)
        for rest in self.outcomes.glob(".*"):
            with suppress(OSError):  # a virus scanner holds it; the next time
                rest.unlink(missing_ok=True)

    def close(self) -> None:
        """Let another job have the folder; no worker writes any more."""
        try:
            self._sweep()
            self._database.save_copy()
        finally:
            self._database.close()
            self._lock.release()

    def about(self, name: str, default: str = "") -> str:
        """A value of the whole job."""
        rows = self._database.read("SELECT value FROM about WHERE name = ?", (name,))
        return str(rows[0][0]) if rows else default

    def set_about(self, name: str, value: str) -> None:
        """Keep a value of the whole job."""
        if self.about(name, "\0") == value:
            return
        with self._database.write() as database:
            database.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, value))

    def actors(self) -> dict[str, tuple[SourceSpeaker, set[str]]]:
        """What was measured of the actors so far, with the digests of the takes that it is used for."""
        return actors_in(self._database.read(ACTORS_KEPT))

    def keep_actor(self, actor: str, speaker: SourceSpeaker, digests: Iterable[str]) -> None:
        """Keep what an actor usually is, so that a new recording does not change all of his lines."""
        row = (actor, speaker.model_dump_json(), " ".join(sorted(set(digests))))
        with self._database.write() as database:
            database.execute("INSERT OR REPLACE INTO actors VALUES (?, ?, ?)", row)

    def set_owner(self, script: Path, episode: str, texts: Iterable[str]) -> None:
        """Note whose episode the folder is from now on; arguments and errors as `check_owner`."""
        self.set_about("episode", self.check_owner(script, episode, texts))

    def check_owner(self, script: Path, episode: str, texts: Iterable[str]) -> str:
        """The episode's whole name, if the folder is its: of the same script, or with enough common lines.

        Episodes of a show share some: 네, 뭐? And often a name: each has its script.xlsx.

        Args:
            script: its whole path.
            episode: of the script, if it has several.
            texts: of its lines.

        Raises:
            OutputError: the folder holds another one, which would be deleted.
        """
        named, alone = (
            ", ".join(filter(None, (name, episode))) for name in (f"{script}", script.name)
        )
        before, own = self.about("episode"), {*texts}
        known = {row[0] for row in self._database.read("SELECT text FROM lines")}
        common, lines = len(known & own), min(len(known), len(own))
        same = before in ("", named, alone)  # an older Moksori kept the name alone
        if not same and (not common or common < _COMMON * lines):
            raise OutputError.of(
                "output.episode", path=self.out, before=before, episode=named, common=common,
                lines=lines,
            )  # fmt: skip
        return named

    def keep_lines(self, tasks: Sequence[Task], left_out: Sequence[Dubbed]) -> None:
        """Keep which lines the job has now, and which it leaves out."""
        rows = [(task.take, task.key) for task in tasks]
        rows += [(row.take, f"left out: {row.take.id}") for row in left_out]
        lines = []
        for i, (take, key) in enumerate(rows):
            line = take.line
            said = line.character, line.text, key, line.script_text
            lines.append((take.id, i, json.dumps(line.place), *said))
        out = [(f"left out: {row.take.id}", _dumped(row.error)) for row in left_out]
        known = self._database.read("SELECT * FROM lines ORDER BY position")
        if known == lines and out == self._database.read(
            "SELECT key, error FROM work WHERE key LIKE 'left out: %' ORDER BY rowid"
        ):
            return
        with self._database.write() as database:
            database.execute("DELETE FROM lines")
            database.executemany("INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?, ?)", lines)
            database.execute("DELETE FROM work WHERE key LIKE 'left out: %'")
            database.executemany("INSERT INTO work VALUES (?, 'failed', ?, 0)", out)

    def waiting(self, tasks: Iterable[Task], retry_failed: bool) -> list[Task]:
        """The tasks that are still to be done, each outcome once.

        What was done is known by its files, so that a job that was killed before it noted a line, or whose
        state was lost, does not do it again. A failure of the moment is tried again in any case, as is one by
        a voice's consent, which the check has looked at anew.
        """
        known = dict(self._database.read("SELECT key, status FROM work"))
        failed, done = self.errors(), dict[str, Status]()
        todo: dict[str, Task] = {}
        for task in tasks:
            if task.key in todo or task.key in done:
                continue
            if status := task.status():
                done[task.key] = status
            elif task.key not in failed or retry_failed or _may_succeed(failed[task.key].code):
                todo[task.key] = task
        unnoted = [(key, status) for key, status in done.items() if known.get(key) != status]
        with self._database.write() as database:
            database.executemany("INSERT OR REPLACE INTO work VALUES (?, ?, '', 1)", unnoted)
        return [*todo.values()]

    def begin(self, task: Task) -> None:
        """Note that a task is in hand."""
        with self._database.write() as database:
            database.execute(
                "INSERT INTO work VALUES (?, 'begun', '', 1) "
                "ON CONFLICT (key) DO UPDATE SET status = 'begun', error = '', tries = tries + 1",
                (task.key,),
            )

    def finish(self, task: Task, status: Status, error: Message | None = None) -> None:
        """Note what became of a task."""
        with self._database.write() as database:
            database.execute(
                "UPDATE work SET status = ?, error = ? WHERE key = ?",
                (status, _dumped(error), task.key),
            )

    def forget_all_but(self, known: Iterable[str]) -> None:
        """Forget what became of tasks, but for those of these keys."""
        keys = {row[0] for row in self._database.read("SELECT key FROM work")} - {*known}
        with self._database.write() as database:
            database.executemany("DELETE FROM work WHERE key = ?", [(key,) for key in keys])

    def errors(self) -> dict[str, Message]:
        """Why tasks failed, by key."""
        rows = self._database.read("SELECT key, error FROM work WHERE status = 'failed'")
        return {key: Message.load(error) for key, error in rows}

    def files(self) -> set[str]:
        """Paths below the folder that the job has written, or was about to."""
        return {*self._marks()}

    def _marks(self) -> dict[str, list[str]]:
        """What the job's files are known by, one mark for each time that one was written."""
        return {path: marks.split() for path, marks in self._database.read("SELECT * FROM files")}

    def reserve(self, new: Mapping[str, Path], *, alone: bool = False) -> list[Path]:
        """Note files as the job's before they are put in their place.

        Args:
            new: where each comes from, by its path below the folder.
            alone: leave the job's other files as they are; else they are to be deleted by `commit`.

        Returns:
            Where files went that somebody has changed since the job wrote them: out of the way.

        Raises:
            OutputError: one of the paths is somebody else's file, or leads out of the folder.
        """
        known = self._marks()
        concerned = {*new} if alone else {*new, *known}
        delivered.check_links(self.out, concerned)
        fresh = {path: delivered.mark(source) for path, source in new.items()}
        aside = delivered.clear(self.out, concerned, known, fresh)
        rows = [(path, " ".join([*known.get(path, []), mark])) for path, mark in fresh.items()]
        with self._database.write() as database:
            database.executemany("INSERT OR REPLACE INTO files VALUES (?, ?)", rows)
        self._database.save_copy()
        return aside

    def commit(self, paths: Iterable[str]) -> None:
        """Note that the job's files are these, as they are; delete those that it no longer has."""
        known = self._marks()
        now = {path: known[path][-1] for path in paths}
        kept = {path.casefold() for path in now}
        for path in known.keys() - now.keys():
            if path.casefold() not in kept:
                (self.out / path).unlink(missing_ok=True)
        with self._database.write() as database:
            database.execute("DELETE FROM files")
            database.executemany("INSERT INTO files VALUES (?, ?)", now.items())
        self._database.save_copy()


def actors_in(rows: Iterable[tuple[str, str, str]]) -> dict[str, tuple[SourceSpeaker, set[str]]]:
    """`Store.actors` of the rows of `ACTORS_KEPT`."""
    return {
        actor: (SourceSpeaker.model_validate_json(speaker), set(digests.split()))
        for actor, speaker, digests in rows
    }


def check_folder(out: Path) -> None:
    """See that a folder can be a job's, without touching it: before a look that takes minutes.

    Raises:
        OutputError: as `check_place`; it is a season's, or holds other files.
    """
    if is_season(out):
        raise OutputError.of("output.season", path=out)
    check_place(out, ("lines", "delivery", "lock", "job.lock", "job.sqlite", "heard.sqlite"))
    try:
        is_new = out.is_dir() and not (out / HOME).is_dir()
        if is_new and any(path.name not in _LITTER for path in out.iterdir()):
            raise OutputError.of("output.others", path=out)
    except OSError as error:
        raise write_error(out, error) from None


def check_place(out: Path, names: Iterable[str]) -> None:
    """See that a folder can be written to, without touching it.

    Args:
        out: the folder, which need not be there.
        names: of what is written in its `.moksori`.

    Raises:
        OutputError: it is or lies in a file, leads elsewhere by a link, or cannot be written to.
    """
    home = out / HOME
    there = next(place for place in (home, out, *out.absolute().parents) if place.exists())
    if not there.is_dir():
        raise OutputError.of("output.is_file", path=there)
    for place in (home, *(home / name for name in names)):
        if place.is_symlink():
            raise OutputError.of("output.link", path=place)
    if not os.access(there, os.W_OK | os.X_OK):
        raise OutputError.of("output.forbidden", path=there)


def _may_succeed(code: str) -> bool:
    """Whether what failed for this reason need not fail again, though its task is the same."""
    return code == TRANSIENT or code.startswith("voice.")


def _dumped(error: Message | None) -> str:
    return error.dump() if error else ""
