"""The actor, as Ray calls it, that works on takes: it begins as a worker process of this machine does."""

import pickle
from typing import Any

from moksori.startup import end_at_once, importing, without_compiler


class RayActor:
    """A `CarriedWorker`, which is imported without what only PyTorch's compiler needs.

    This module imports none of it, since Ray imports an actor's before the actor is made.

    Args:
        packed: pickle of the arguments of `CarriedWorker`, read when PyTorch may be imported.
    """

    def __init__(self, packed: bytes) -> None:
        end_at_once()
        without_compiler()
        with importing():
            from moksori.dubbing.work.carried import CarriedWorker

            self._worker = CarriedWorker(*pickle.loads(packed))  # of the job that made this actor

    def ready(self) -> bool:
        """As `CarriedWorker.ready`."""
        return self._worker.ready()

    def shares(self, folder: Any) -> bool:
        """As `CarriedWorker.shares`."""
        return self._worker.shares(folder)

    def call(self, method: str, task: Any) -> Any:
        """As `CarriedWorker.call`."""
        return self._worker.call(method, task)

    def close(self) -> None:
        """As `CarriedWorker.close`."""
        self._worker.close()
