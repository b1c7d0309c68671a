"""What the page has asked to be done: one thing after the other, in a thread of its own.

Closing the page stops nothing: works are the server's, not the tab's.
"""

import queue
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

from moksori.dubbing.progress import Cancelled, Progress, Watch
from moksori.errors import MoksoriError
from moksori.messages import Message, message

_KEPT = 30  # works that are remembered
State = Literal["waiting", "running", "done", "failed", "cancelled"]


@dataclass(kw_only=True)
class Work:
    """Something to be done.

    Attributes:
        number: counts up, from the time when the server began: a page that is still open knows no such one.
        kind: check, convert, audition, export, one, enrol.
        about: line, voices: for the page to say.
        do: does it, and gives what it found, as JSON.
        quiet: whether it is the page's own housekeeping.
        beside: whether it goes on beside the others, having nothing to do with the job that is open.
    """

    number: int
    kind: str
    about: dict[str, Any]
    do: Callable[[Watch], Any]
    quiet: bool = False
    beside: bool = False
    state: State = "waiting"
    progress: Progress | None = None
    error: Message | None = None
    result: Any = None
    cancel: threading.Event = field(default_factory=threading.Event)

    @property
    def active(self) -> bool:
        """Whether it is still to be done, or being done."""
        return self.state in ("waiting", "running")


class Works:
    """The works of a server, in their order.

    Args:
        changed: called, in any thread, when the page has something new to show.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed, self._numbers = changed, count(time.time_ns() // 10**6)
        self._waiting: queue.Queue[Work | None] = queue.Queue()
        self._all: list[Work] = []
        self._beside: list[threading.Thread] = []
        self._adding = threading.RLock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def add(
        self,
        kind: str,
        do: Callable[[Watch], Any],
        *,
        quiet: bool = False,
        beside: bool = False,
        **about: Any,
    ) -> Work:
        """Queue a work, or start it at once in a thread of its own (`beside`)."""
        with self._adding:
            number = next(self._numbers)
            work = Work(number=number, kind=kind, about=about, do=do, quiet=quiet, beside=beside)
            active = [old for old in self._all[:-_KEPT] if old.active]
            self._all = [*active, *self._all[-_KEPT:], work]
            if beside:
                thread = threading.Thread(target=self._do, args=(work,), daemon=True)
                self._beside.append(thread)
                thread.start()
            else:
                self._waiting.put(work)
        self._changed()
        return work

    def add_once(self, kind: str, do: Callable[[Watch], Any]) -> None:
        """The same for housekeeping, unless it waits already."""
        with self._adding:
            if not any(work.kind == kind and work.state == "waiting" for work in self._all):
                self.add(kind, do, quiet=True)

    def waits(self, *kinds: str) -> bool:
        """Whether something of these kinds waits."""
        return any(work.state == "waiting" and work.kind in kinds for work in self._all)

    def all(self) -> list[Work]:
        """The latest works, the oldest first."""
        return self._all

    def cancel(self, number: int) -> bool:
        """End a work between two of its steps; whether there is one to be ended."""
        for work in self._all:
            if work.number == number and work.active:
                work.cancel.set()
                return True
        return False

    def close(self) -> None:
        """End them all."""
        for work in self._all:
            work.cancel.set()
        self._waiting.put(None)
        for thread in (self._thread, *self._beside):
            thread.join()

    def _run(self) -> None:
        while (work := self._waiting.get()) is not None:
            self._do(work)

    def _do(self, work: Work) -> None:
        try:
            self._try(work)
        finally:
            self._changed()

    def _try(self, work: Work) -> None:
        if work.cancel.is_set():
            work.state = "cancelled"
            return
        work.state = "running"
        self._changed()

        def notify(progress: Progress) -> None:
            work.progress = progress
            self._changed()

        try:
            work.result = work.do(Watch(notify, work.cancel))
            work.state = "done"
        except Cancelled:
            work.state = "cancelled"
        except MoksoriError as error:
            work.error, work.state = error.message, "failed"
        except Exception as error:  # a work's trouble must not end the server
            traceback.print_exc()
            why = " ".join(str(error).split())
            work.error = message("work.unexpected", kind=type(error).__name__, why=why)
            work.state = "failed"
