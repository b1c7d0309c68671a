"""Takes worked on by many machines, on a Ray cluster.

The machines need no folder in common: samples and outcomes travel through Ray (carried.py), but to workers on
the job's own machine, which read recordings and write outcomes themselves. A machine that dies costs the
lines that it had in hand, which others begin again; bytes are the same wherever a line is converted, among
processors of one kind.
"""

import logging
import os
import pickle
import threading
import time
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from moksori.config import Seconds
from moksori.dubbing.task import TRANSIENT, Setup, Task, TransientError
from moksori.dubbing.work.carried import carried, folder_of, keep, packed
from moksori.dubbing.work.engines import Outcome, transient
from moksori.dubbing.work.ray_actor import RayActor
from moksori.errors import ConfigError, OutputError
from moksori.messages import message

_LOOPBACK = "127.0.0.1"
_TRIES = 3  # of a line whose worker dies: it may be the line
_PATIENCE: Seconds = 120.0  # without any worker, until lines are given up
_CLOSING: Seconds = 5.0  # of a worker that is to delete its folder
_IN_HAND = 2  # lines that a worker has, so that the next is there when one is done


class _AtWork(NamedTuple):
    worker: Any
    task: Task
    at_hand: bool  # it is not carried


class RayEngine:
    """Workers on a Ray cluster: the one of RAY_ADDRESS, or one begun on this machine.

    Whoever reaches a cluster's ports runs code on it: the one begun here listens on 127.0.0.1 alone; another
    must be in a private network, or have TLS (docs/dubbing.md).

    Args:
        setup: of the workers; folders that it names are sent to them.
        workers: how many at most; by default as many as the cluster has cores.

    Raises:
        ConfigError: Ray is not installed, no cluster can be reached, or one begun here would listen
            on other addresses.
    """

    def __init__(self, setup: Setup, workers: int | None = None) -> None:
        self._ray = _begin(workers)
        cores = int(self._ray.cluster_resources().get("CPU", 1))
        graphics = {"num_gpus": 1} if setup.device.startswith("cuda") else {}
        self._kind = self._ray.remote(num_cpus=1, **graphics)(RayActor)
        self._packed = self._ray.put(pickle.dumps(packed(setup)))
        self._begun: dict[Any, Any] = {}  # workers that are not ready yet, by the call that says so
        self._free: deque[Any] = deque()  # workers, once for each line that they may be sent
        self._alive: set[Any] = set()
        self._sharing: dict[tuple[Any, Path], bool] = {}  # by workers and jobs' folders
        for _ in range(min(workers or cores, cores)):
            self._begin_worker()

    def _begin_worker(self) -> None:
        worker = self._kind.remote(self._packed)
        self._begun[worker.ready.remote()] = worker

    def map(self, method: str, tasks: Iterable[Task]) -> Generator[Outcome, None, None]:
        """As `Engine.map`; a line whose worker dies is begun again by another."""
        at_work: dict[Any, _AtWork] = {}
        try:
            yield from self._worked_on(method, iter(tasks), at_work)
        finally:  # cancelled: none writes any more when the job's folder is let go
            if at_work:
                self._ray.wait([*at_work], num_returns=len(at_work), timeout=_PATIENCE)

    def _worked_on(
        self, method: str, waiting: Iterator[Task], at_work: dict[Any, _AtWork]
    ) -> Iterator[Outcome]:
        again, unread = deque[Task](), set[str]()  # keys of takes that are carried after all
        tries, last = Counter[str](), time.monotonic()
        while True:
            while self._free and (task := again.popleft() if again else next(waiting, None)):
                worker = self._free[0]
                at_hand = task.key not in unread and self._shares(worker, task.store)
                try:
                    sent = task if at_hand else carried(task)
                except TransientError as error:
                    yield Outcome(task, error=transient(error.message))
                    continue
                self._free.popleft()
                at_work[worker.call.remote(method, sent)] = _AtWork(worker, task, at_hand)
            if not at_work and self._free:
                return
            done, _ = self._ray.wait([*at_work, *self._begun], num_returns=1, timeout=_PATIENCE)
            if not done and not at_work and time.monotonic() - last >= _PATIENCE:
                yield from self._given_up([*again, *waiting])
                return
            for call in done:
                last = time.monotonic()
                if call in self._begun:
                    self._ready(call)
                    continue
                worker, task, at_hand = at_work[call]
                alive = worker in self._alive
                worked_on = next(one.task for one in at_work.values() if one.worker is worker)
                del at_work[call]
                outcome = self._outcome(call, worker, task)
                if outcome is None:
                    tries[worked_on.key] += alive  # and not what waited behind it
                    if tries[task.key] < _TRIES:
                        again.append(task)
                        continue
                    outcome = Outcome(task, error=transient(message("work.died")))
                elif at_hand and outcome.error and outcome.error.code == TRANSIENT:
                    unread.add(task.key)  # its recording may not be where the worker looks for it
                    again.append(task)
                    continue
                yield outcome

    def _shares(self, worker: Any, store: Path) -> bool:
        """Whether a worker has the job's folder at hand; each is asked once."""
        if (worker, store) not in self._sharing:
            try:
                asked = worker.shares.remote(folder_of(store))
                self._sharing[worker, store] = self._ray.get(asked)
            except (
                OSError,
                self._ray.exceptions.RayError,
            ):  # which the next call, or `keep`, tells
                return False
        return self._sharing[worker, store]

    def _ready(self, call: Any) -> None:
        worker = self._begun.pop(call)
        try:
            self._ray.get(call)
        except self._ray.exceptions.RayActorError:  # it died; another is begun
            self._begin_worker()
        except self._ray.exceptions.RayTaskError as error:
            raise ConfigError.of(
                "work.no_worker", why=" ".join(str(error).split())[-300:]
            ) from None
        else:
            self._alive.add(worker)
            self._free.extend([worker] * _IN_HAND)

    def _outcome(self, call: Any, worker: Any, task: Task) -> Outcome | None:
        """What became of a task; None if its worker died."""
        try:
            outcome, files = self._ray.get(call)
        except self._ray.exceptions.RayError:
            if worker in self._alive:  # of all that it had in hand, the first to be missed
                self._alive.remove(worker)
                self._free = deque(other for other in self._free if other is not worker)
                self._begin_worker()
            return None
        if worker in self._alive:  # it may have died after this line, and been missed already
            self._free.append(worker)
        try:
            if files is not None:
                keep(task, files)
        except OutputError as error:
            return Outcome(task, error=error.message, of_folder=True)
        result: Outcome = outcome._replace(task=task)
        return result

    def _given_up(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        """No machine is left that could work."""
        for task in tasks:
            yield Outcome(
                task, error=transient(message("work.lost", why=message("work.none_left")))
            )

    def close(self) -> None:
        """As `Engine.close`; a cluster takes a second to end, for which only the next one waits."""
        global _ending
        _ending = threading.Thread(target=self._end)
        _ending.start()

    def _end(self) -> None:
        if closed := [worker.close.remote() for worker in self._alive]:
            self._ray.wait(closed, num_returns=len(closed), timeout=_CLOSING)
        self._ray.shutdown()


_ending: threading.Thread | None = None  # ends the cluster before


def _begin(workers: int | None) -> Any:
    """Ray, connected; see `RayEngine`."""
    if _ending:
        _ending.join()
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    address = os.environ.get("RAY_ADDRESS")
    if not address:  # read at Ray's import: without clusters it takes this machine for 127.0.0.1
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
    return ray
