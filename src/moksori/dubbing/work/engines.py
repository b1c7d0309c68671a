"""Where takes are worked on: in processes of this machine; cluster.py has those of many machines."""

from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import count, islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from moksori.conversion.loaded import find_device
from moksori.dubbing.processes import process_pool, return_memory
from moksori.dubbing.task import TRANSIENT, Setup, Task, TransientError
from moksori.dubbing.work.worker import Worker
from moksori.errors import MoksoriError, OutputError
from moksori.messages import Message, message

_KEPT = 8  # tasks after which what they have freed goes back, which takes 10 ms
_calls = count(1)


class Outcome(NamedTuple):
    """What a worker gave back."""

    task: Task
    value: Any = None
    error: Message | None = None  # None if all went well
    of_folder: bool = (
        False  # the job's folder cannot be written to, so that no other line can be done
    )


class Engine(Protocol):
    """Calls a method of workers with tasks."""

    def map(self, method: str, tasks: Iterable[Task]) -> Generator[Outcome, None, None]:
        """Outcomes as they come; a task is taken from `tasks` when a worker is free for it.

        Closed before its end, it waits until no worker writes into the job's folder any more.
        """

    def close(self) -> None:
        """End the workers."""


class LocalEngine:
    """Worker processes on this machine.

    Args:
        setup: of the workers.
        workers: how many; each has one core.

    Raises:
        ConfigError: the device of the setup is not there.
    """

    def __init__(self, setup: Setup, workers: int) -> None:
        find_device(setup.device)  # before any line fails for it
        self.setup, self.workers = setup, workers
        self._pool = self._new_pool(workers)

    def _new_pool(self, workers: int) -> ProcessPoolExecutor:
        return process_pool(workers, _start, self.setup, weights=self.setup.models)

    def map(self, method: str, tasks: Iterable[Task]) -> Generator[Outcome, None, None]:
        """As `Engine.map`; a task that kills its worker is an error of that task alone."""
        waiting = iter(tasks)
        while True:
            suspects: list[Task] = []
            yield from self._until_broken(method, waiting, suspects)
            if not suspects:
                return
            self._pool = self._new_pool(self.workers)
            for task in suspects:  # one of them killed a worker; alone, each can only harm itself
                with self._new_pool(1) as alone:
                    try:
                        outcome = alone.submit(_call, method, task).result()
                    except BrokenProcessPool:
                        outcome = Outcome(task, error=transient(message("work.died")))
                yield outcome

    def _until_broken(
        self, method: str, tasks: Iterator[Task], suspects: list[Task]
    ) -> Iterator[Outcome]:
        pending: dict[Future[Outcome], Task] = {}

        def submit(count: int) -> None:
            for task in islice(tasks, count):
                try:
                    pending[self._pool.submit(_call, method, task)] = task
                except BrokenProcessPool:
                    suspects.append(task)

        submit(self.workers + 1)  # so that none waits while an outcome is put on the disk
        try:
            while pending:
                done, _ = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    task = pending.pop(future)
                    if isinstance(future.exception(), BrokenProcessPool):
                        suspects += [task, *pending.values()]
                        return
                    yield future.result()
                    submit(1)
        finally:  # cancelled: none writes any more when the job's folder is let go
            wait([future for future in pending if not future.cancel()])

    def close(self) -> None:
        """As `Engine.close`."""
        self._pool.shutdown(cancel_futures=True)


_worker: Worker


def _start(setup: Setup) -> None:
    global _worker
    _worker = Worker(setup)


def load(recording: Path, text: str) -> None:
    """Load the models of a worker that has just begun, by converting a line that nobody keeps."""
    converter = _worker.converter
    converter.convert(recording, text, converter.card.voices[0].name)


def _call(method: str, task: Task) -> Outcome:
    return call(_worker, method, task)


def call(worker: Worker, method: str, task: Task) -> Outcome:
    """Call a worker; whatever it raises becomes the outcome's error.

    What a worker writes is in the job's folder: if it cannot, that is no line's fault. Trouble of the moment,
    such as a drive that is away, is marked as transient.
    """
    try:
        return Outcome(task, getattr(worker, method)(task))
    except OutputError as error:
        return Outcome(task, error=error.message, of_folder=True)
    except TransientError as error:
        return Outcome(task, error=transient(error.message))
    except MoksoriError as error:
        return Outcome(task, error=error.message)
    except Exception as error:  # one line's trouble must not end the job for all others
        why = " ".join(str(error).split())
        notice = message("work.unexpected", kind=type(error).__name__, why=why)
        of_moment = isinstance(error, OSError | MemoryError)
        return Outcome(task, error=transient(notice) if of_moment else notice)
    finally:
        if next(_calls) % _KEPT == 0:
            return_memory()


def transient(why: Message) -> Message:
    """Trouble of the moment: the same command tries the line again."""
    return message(TRANSIENT, why=why)
