"""Processes that work beside this one, and end with it."""

import ctypes
import multiprocessing
import os
import pickle
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from moksori.startup import end_at_once, importing, without_compiler

# Of the GNU C library; others keep less, or give it back by themselves.
_trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None


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


def return_memory() -> None:
    """Give the system what has been freed.

    A C library keeps it; takes of other lengths fit into it badly, so that it grew from take to take.
    """
    if _trim:
        _trim(0)


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
