"""Where takes are worked on: in processes of this machine, or on a Ray cluster."""

import logging
import multiprocessing
import os
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any, NamedTuple, Protocol

from moksori.dubbing.records import PASSING, PassingError, Setup, Task
from moksori.dubbing.work.worker import Worker
from moksori.errors import ConfigError, MoksoriError, OutputError
from moksori.messages import Message, message

_LOOPBACK = "127.0.0.1"


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

    def map(self, method: str, tasks: Iterable[Task]) -> Iterator[Outcome]:
        """Outcomes as they come; a task is taken from `tasks` when a worker is free for it."""

    def close(self) -> None:
        """End the workers."""


class LocalEngine:
    """Worker processes on this machine.

    Args:
        setup: of the workers.
        workers: how many; each has one core.
    """

    def __init__(self, setup: Setup, workers: int) -> None:
        self.setup, self.workers = setup, workers
        self._pool = self._new_pool(workers)

    def _new_pool(self, workers: int) -> ProcessPoolExecutor:
        spawn = multiprocessing.get_context("spawn")  # PyTorch's threads do not survive a fork
        return ProcessPoolExecutor(workers, spawn, _start, (self.setup,))

    def map(self, method: str, tasks: Iterable[Task]) -> Iterator[Outcome]:
        """As `Engine.map`; a task that kills its worker is an error of that task alone."""
        waiting = iter(tasks)
        while True:
            suspects: list[Task] = []
            yield from self._until_broken(method, waiting, suspects)
            if not suspects:
                return
            for task in suspects:  # one of them killed a worker; alone, each can only harm itself
                self._pool = self._new_pool(1)
                try:
                    yield self._pool.submit(_call, method, task).result()
                except BrokenProcessPool:
                    yield Outcome(task, error=_passing(message("work.died")))
                self._pool.shutdown()
            self._pool = self._new_pool(self.workers)

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

        submit(self.workers)
        while pending:
            done, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                task = pending.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    suspects += [task, *pending.values()]
                    return
                yield future.result()
                submit(1)

    def close(self) -> None:
        """As `Engine.close`."""
        self._pool.shutdown(cancel_futures=True)


_worker: Worker


def _start(setup: Setup) -> None:
    """Begin a worker process; it ends with its parent, however that ends."""
    global _worker
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=end, daemon=True).start()
    _worker = Worker(setup)


def load() -> None:
    """Load the models of a worker that has just begun."""
    assert _worker.converter


def _call(method: str, task: Task) -> Outcome:
    return call(_worker, method, task)


def call(worker: Worker, method: str, task: Task) -> Outcome:
    """Call a worker; whatever it raises becomes the outcome's error.

    What a worker writes is in the job's folder: if it cannot, that is no line's fault. Trouble of the moment,
    such as a drive that is away, is marked as passing.
    """
    try:
        return Outcome(task, getattr(worker, method)(task))
    except OutputError as error:
        return Outcome(task, error=error.message, of_folder=True)
    except PassingError as error:
        return Outcome(task, error=_passing(error.message))
    except MoksoriError as error:
        return Outcome(task, error=error.message)
    except Exception as error:  # one line's trouble must not end the job for all others
        why = " ".join(str(error).split())
        told = message("work.unexpected", kind=type(error).__name__, why=why)
        passing = isinstance(error, OSError | MemoryError)
        return Outcome(task, error=_passing(told) if passing else told)


def _passing(why: Message) -> Message:
    return message(PASSING, why=why)


class RayEngine:
    """Workers on a Ray cluster: the one of RAY_ADDRESS, or one begun on this machine.

    The machines must see the script's recordings and the job's folder under the same paths. Whoever reaches
    a cluster's ports runs code on it: the one begun here listens on 127.0.0.1 alone; another must be in a
    private network, or have TLS (docs/dubbing.md).

    Args:
        setup: of the workers.
        workers: how many at most; by default as many as the cluster has cores.

    Raises:
        ConfigError: Ray is not installed, no cluster can be reached, or one begun here would listen
            on other addresses.
    """

    def __init__(self, setup: Setup, workers: int | None = None) -> None:
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        address = os.environ.get("RAY_ADDRESS")
        if (
            not address
        ):  # read at Ray's import: without clusters it takes this machine for 127.0.0.1
            os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
        try:
            import ray
        except ModuleNotFoundError:
            raise ConfigError.of("extra.missing", name="Ray", extra="cluster") from None
        local: dict[str, Any] = {} if address else {"include_dashboard": False, "num_cpus": workers}
        try:
            ray.init(
                address=address or "local",
                log_to_driver=False,
                logging_level=logging.ERROR,
                **local,
            )
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise ConfigError.of("ray.no_cluster", address=address or "local", why=error) from None
        if not address and ray.util.get_node_ip_address() != _LOOPBACK:  # type: ignore[no-untyped-call]
            ray.shutdown()
            raise ConfigError.of("ray.listens")
        cores = int(ray.cluster_resources().get("CPU", 1))  # type: ignore[no-untyped-call]
        remote: Any = ray.remote(num_cpus=1, max_restarts=-1)(_RayWorker)
        self._ray = ray
        self._workers: list[Any] = [
            remote.remote(setup) for _ in range(min(workers or cores, cores))
        ]

    def map(self, method: str, tasks: Iterable[Task]) -> Iterator[Outcome]:
        """As `Engine.map`."""
        waiting = iter(tasks)
        at_work: dict[Any, tuple[Any, Task]] = {}
        for worker, task in zip(self._workers, waiting, strict=False):
            at_work[worker.call.remote(method, task)] = worker, task
        while at_work:
            (done, *_), _ = self._ray.wait([*at_work], num_returns=1)
            worker, task = at_work.pop(done)
            try:
                yield self._ray.get(done)
            except self._ray.exceptions.RayError as error:
                why = message("work.lost", why=type(error).__name__)
                yield Outcome(task, error=_passing(why))
            for following in islice(waiting, 1):
                at_work[worker.call.remote(method, following)] = worker, following

    def close(self) -> None:
        """As `Engine.close`."""
        self._ray.shutdown()


class _RayWorker:
    def __init__(self, setup: Setup) -> None:
        self._worker = Worker(setup)

    def call(self, method: str, task: Task) -> Outcome:
        return call(self._worker, method, task)
