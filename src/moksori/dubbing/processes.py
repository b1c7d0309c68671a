"""Processes that work beside this one, and end with it."""

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any


def spawned(
    count: int, begin: Callable[..., None] | None = None, *given: Any
) -> ProcessPoolExecutor:
    """A pool of processes, begun anew: PyTorch's threads do not survive a fork.

    Args:
        count: of them at most; each begins when there is something for it to do.
        begin: called in each as it begins.
        given: to `begin`.
    """
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(count, spawn, _start, (begin, given))


def _start(begin: Callable[..., None] | None, given: tuple[Any, ...]) -> None:
    """Begin a process; it ends with its parent, however that ends."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=end, daemon=True).start()
    if begin:
        begin(*given)
