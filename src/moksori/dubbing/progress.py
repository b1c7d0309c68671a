"""How far a job is, for whoever watches it, and how it is cancelled."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple, TypeVar

from moksori.config import Seconds

_Step = TypeVar("_Step")


class Stage(StrEnum):
    """The stages of a job, in their order; then those of an enrolment."""

    CHECKING = "checking"
    CONVERTING = "converting"
    DELIVERING = "delivering"
    PREPARING = "preparing"
    COMPARING = "comparing"
    LEARNING = "learning"


class Progress(NamedTuple):
    """How far a stage is."""

    stage: Stage
    done: int
    total: int
    elapsed: Seconds  # since the stage began

    @property
    def left(self) -> Seconds | None:
        """Seconds that the rest will take at the pace so far; None before the first step."""
        return self.elapsed / self.done * (self.total - self.done) if self.done else None


class Cancelled(Exception):
    """The job was cancelled; what was done so far is kept, and the same call resumes."""


class Watch:
    """What watches a job: is called with each step, and may cancel it between two.

    Args:
        notify: called in the job's own thread.
        cancel: the job ends at the next step once it is set, from any thread.
    """

    def __init__(
        self,
        notify: Callable[[Progress], None] = lambda progress: None,
        cancel: threading.Event | None = None,
    ) -> None:
        self.notify, self.cancel = notify, cancel or threading.Event()

    def check(self) -> None:
        """End the job if it is cancelled.

        Raises:
            Cancelled: it is.
        """
        if self.cancel.is_set():
            raise Cancelled

    def steps(self, stage: Stage, steps: Iterable[_Step], total: int) -> Iterator[_Step]:
        """The steps of a stage, each reported when it is done.

        Raises:
            Cancelled: between two steps, if the job is cancelled.
        """
        began = time.monotonic()
        self.notify(Progress(stage, 0, total, 0.0))
        for done, step in enumerate(steps, 1):
            self.check()
            yield step
            self.notify(Progress(stage, done, total, time.monotonic() - began))
