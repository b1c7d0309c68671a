"""The job that is open on the page: checked again whenever something changes, and worked on in its turn.

The disk is the truth: script, cast.toml, job.toml and .moksori/. What a command does in the same folder is
seen here, and what is done here is seen by it.
"""

import os
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from moksori.dubbing import job
from moksori.dubbing.check import Checked, check
from moksori.dubbing.plan.memory import Memory
from moksori.dubbing.progress import Cancelled, Watch
from moksori.dubbing.records import HOME, Dubbed
from moksori.dubbing.request import JobFile, Request, load_job, remember
from moksori.dubbing.review import Review, Trial
from moksori.dubbing.states import LineState, line_states
from moksori.dubbing.task import Setup, Task
from moksori.dubbing.work.flags import flag
from moksori.errors import MoksoriError, OutputError
from moksori.messages import Message
from moksori.studio import folders
from moksori.studio.kept_engine import KeptEngine
from moksori.studio.works import Work, Works


class Desk:
    """A job's folder.

    Args:
        out: the folder.
        works: what does the work.
        memory: of earlier checks.
        changed: called when the page has something new to show.
        workers: lines at a time; as many as there are cores by default.

    Raises:
        ConfigError: its job.toml cannot be read.
    """

    def __init__(
        self,
        out: Path,
        works: Works,
        memory: Memory,
        changed: Callable[[], None],
        workers: int | None = None,
    ) -> None:
        self.out, self.works, self.memory = out, works, memory
        self.review = Review(out)
        self.file: JobFile = load_job(out)
        self.checked: Checked | None = None
        self.error: Message | None = None  # why it cannot be checked as a whole
        self._changed, self._workers = changed, workers or os.cpu_count() or 1
        self._engine: tuple[Setup, KeptEngine] | None = None
        self._engines, self._closed = threading.Lock(), False
        self._seen: tuple[int, ...] = ()
        self._names: dict[str, str] = {}  # of lines with new numbers since the page last saw them
        self._read: list[int] = []  # what changes while lines are converted is checked afterwards
        self._filing = threading.Lock()  # so that a check does not bring an older job.toml back
        self._rows: tuple[Checked, int, dict[str, Dubbed | None]] | None = None
        self._sounded: dict[str, str] = {}

    @property
    def name(self) -> str:
        """As `folders.name_of`."""
        return folders.name_of(self.out)

    def close(self) -> None:
        """End its workers; none begins any more."""
        with self._engines:
            self._closed = True
            self._end_engine()

    def _end_engine(self) -> None:
        if self._engine:
            self._engine[1].end()
            self._engine = None

    # What stands

    def states(self) -> dict[str, LineState]:
        """Where the lines stand, also while somebody is at work; empty before the first check."""
        if not (self.out / HOME / "job.sqlite").is_file():
            return {}
        try:
            return {state.id: state for state in line_states(self.out)}
        except OutputError:
            return {}

    def rows(self) -> dict[str, Dubbed | None]:
        """What each line has become, flagged and marked, by its id; None while it is not converted."""
        checked = self.checked
        if checked is None:
            return {}
        version = self.review.version
        if self._rows and self._rows[0] is checked and self._rows[1] == version:
            return self._rows[2]
        takes, marks = {take.id: take for take in checked.takes}, self.review.marks()
        rows: list[Dubbed] = []
        for id, state in self.states().items():
            if id in takes and state.status in ("converted", "passed", "failed"):
                task = Task(
                    take=takes[id], key=state.key, digest="",
                    store=(self.out / HOME / "lines").resolve(),
                )  # fmt: skip
                try:
                    rows.append(replace(task.dubbed(state.error), mark=marks.get(id)))
                except OSError:  # somebody has deleted its files
                    continue
        found = dict.fromkeys(checked.lines) | {row.take.id: row for row in flag(rows)}
        self._rows = checked, version, found
        return found

    def sounding(self) -> dict[str, str]:
        """Lines that are worked on and can be heard already: the outcomes' keys by their ids."""
        engine = self._engine  # another thread may end it
        tasks = [*engine[1].in_hand.values()] if engine else []
        return {task.take.id: task.key for task in tasks if task.sounds[1].exists()}

    def elsewhere(self) -> bool:
        """Whether a command is at work in the folder."""
        if self._at_work() or not any(state.status == "begun" for state in self.states().values()):
            return False
        lock = FileLock(self.out / HOME / "lock")
        try:
            with lock.acquire(timeout=0):
                return False
        except Timeout:
            return True

    def hear(self) -> None:
        """See whether a line in hand can be heard by now; called many times a second."""
        if (sounding := self.sounding()) != self._sounded:
            self._sounded = sounding
            self._changed()

    def look(self) -> None:
        """Check again if a file has changed since; called every second or so."""
        if self._at_work() or self._sign() == self._seen:
            return
        self._changed()
        if not self.elsewhere():
            self.refresh()

    def _at_work(self) -> bool:
        return any(work.active and not work.beside for work in self.works.all())

    def _sign(self) -> tuple[int, ...]:
        """Changes when the job or a file that it reads does."""
        return (self.review.version, *self._files())

    def _files(self) -> list[int]:
        """When the files were changed that the job reads."""
        file = self.file
        paths = [self.out / "job.toml", file.script, file.audio, file.cast, file.lexicon]
        times = []
        for path in paths:
            try:
                times.append(path.stat().st_mtime_ns if path else 0)
            except OSError:
                times.append(0)
        return times

    # What is asked

    def refresh(self) -> None:
        """Check again, in its turn."""
        self.works.add_once("check", self._check)

    def save(self, **asked: Any) -> None:
        """Change what the job is asked for.

        Raises:
            OutputError: job.toml cannot be written.
        """
        with self._filing:
            self.file = remember(self.out, asked)
        self.refresh()

    def convert(self, ids: Collection[str] | None) -> Work:
        """Convert lines, or all that are not as they should be."""
        return self.works.add("convert", partial(self._convert, ids), ids=[*(ids or ())])

    def audition(self, id: str, voices: Sequence[str]) -> Work:
        """One line in several voices; its result are the outcomes' keys by voice."""
        work = partial(self._audition, id, voices)
        return self.works.add("audition", work, id=id, voices=[*voices])

    def export(self) -> Work:
        """Convert what is not as it should be, and deliver."""
        return self.works.add("export", self._export)

    def _check(self, watch: Watch) -> None:
        if self.works.waits("convert", "audition", "export"):  # they check first
            return
        seen = self._sign()  # so that what changes meanwhile is checked again
        try:
            request, checked = self._look_through(watch)
            engine = self._engine  # another thread may end it
            if checked.takes and (engine is None or engine[0] != request.setup):
                self._workers_of(request).warm()
        except MoksoriError as error:
            self.error = error.message
        finally:
            self._seen = seen

    def _look_through(self, watch: Watch, planned: bool = False) -> tuple[Request, Checked]:
        """Check; and note where the lines stand, unless what follows does."""
        with self._filing:
            self.file = load_job(self.out)
        self._read = self._files()
        request = self.file.request()
        checked = check(request, watch, self.review, self.memory)
        self.error = None
        self.out.mkdir(parents=True, exist_ok=True)
        self._names = self.review.names(checked.lines)
        try:
            if not planned or self._names:
                job.standing(request, checked, self.out)
        finally:
            if not self.review.names(checked.lines):  # what is said of lines has the ids of these
                self.checked = checked
        return request, checked

    def _convert(self, ids: Collection[str] | None, watch: Watch) -> dict[str, int]:
        request, checked = self._look_through(watch, planned=ids is not None)
        if ids is None:
            ids = [take.id for take in checked.takes if self.rows().get(take.id) is None]
        else:
            ids = [self._names.get(id, id) for id in ids]
        rows = job.again(
            request, checked, self.out, partial(self._workers_of, request), ids, watch
        ) if ids else []  # fmt: skip
        self._seen = (self.review.version, *self._read)
        return {"new": len(rows), "stayed": len(checked.takes) - len(rows)}

    def _audition(self, id: str, voices: Sequence[str], watch: Watch) -> dict[str, Any]:
        request, checked = self._look_through(watch)
        id = self._names.get(id, id)
        if id in checked.lines and id not in {take.id for take in checked.takes}:
            checked = self._tried(request, checked, id, voices[0], watch)
        rows = job.audition(
            request, checked, self.out, partial(self._workers_of, request), id, voices, watch
        )
        self._seen = (self.review.version, *self._read)
        return {
            voice: row.wave.stem if row.wave else {"error": row.error}
            for voice, row in rows.items()
        }

    def _tried(
        self, request: Request, checked: Checked, id: str, voice: str, watch: Watch
    ) -> Checked:
        """As checked, had the line's character this voice, so that the actor's mean is of all lines."""
        own = checked.lines[id].character
        ids = [other for other, line in checked.lines.items() if line.character == own]
        ready = {take.id for take in checked.takes}
        trial = Trial(self.out, [other for other in ids if other not in ready], voice)
        return check(request, watch, trial, self.memory)

    def _export(self, watch: Watch) -> dict[str, Any]:
        request, checked = self._look_through(watch)
        result = job.dub(request, checked, self.out, partial(self._workers_of, request), watch)
        self._seen = (self.review.version, *self._read)
        aside = [path.name for path in result.kept_aside]
        return {"aside": aside, "new": result.new, "stayed": result.stayed}

    def _workers_of(self, request: Request) -> KeptEngine:
        with self._engines:
            if self._closed:
                raise Cancelled
            if self._engine and self._engine[0] != request.setup:
                self._end_engine()
            if self._engine is None:
                self._engine = request.setup, KeptEngine(request.setup, self._workers)
            return self._engine[1]
