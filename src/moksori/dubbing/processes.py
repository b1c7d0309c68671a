"""Processes that work beside this one, and end with it."""

import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from moksori.startup import end_at_once, importing, without_compiler


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
    packed = pickle.dumps((begin, given))  # to be read when PyTorch may be imported
    return ProcessPoolExecutor(count, spawn, _start, (packed,))


def _start(packed: bytes) -> None:
    """Begin a process; it ends with its parent, however that ends."""
    end_at_once()
    without_compiler()
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=end, daemon=True).start()
    with importing():
        begin, given = pickle.loads(packed)  # of this process's own parent
        if begin:
            begin(*given)
