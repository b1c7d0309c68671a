"""Processes that work beside this one, and end with it.

On Linux they are forked from a server, which has imported PyTorch and holds the models' weights
(`shared.py`), so that they begin at once and share its memory. It has one thread: PyTorch's do not survive a
fork. Elsewhere each process begins anew.
"""

import ctypes
import multiprocessing
import os
import pickle
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

from moksori.startup import end_at_once, importing, without_compiler

WEIGHTS = "MOKSORI_SHARED_WEIGHTS"  # tells the server the folders of the models
# Of the GNU C library; others keep less, or give it back by themselves.
_trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None


def process_pool(
    count: int,
    begin: Callable[..., None] | None = None,
    *given: Any,
    weights: Sequence[Path] = (),
) -> ProcessPoolExecutor:
    """A pool of processes.

    Args:
        count: of them at most; each begins when there is something for it to do.
        begin: called in each as it begins.
        given: to `begin`.
        weights: folders of models that they will load; those of this process's first pool are shared.
    """
    packed = pickle.dumps((begin, given))  # to be read when PyTorch may be imported
    surroundings = dict(os.environ)  # the server has those of its own beginning
    return ProcessPoolExecutor(count, _context(weights), _start, (packed, surroundings))


def _context(weights: Sequence[Path]) -> BaseContext:
    """How processes begin here."""
    if sys.platform == "linux":
        from multiprocessing import forkserver

        os.environ[WEIGHTS] = os.pathsep.join(map(str, weights))  # read as the server begins
        try:
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload(["moksori.dubbing.shared"])
            forkserver.ensure_running()
            return context
        except (
            OSError
        ):  # no place for the server's socket: no folder for what is temporary, or a long name
            pass
        finally:
            os.environ.pop(WEIGHTS, None)
    return multiprocessing.get_context("spawn")


def return_memory() -> None:
    """Give the system what has been freed.

    A C library keeps it; takes of other lengths fit into it badly, so that it grew from take to take.
    """
    if _trim:
        _trim(0)


def _start(packed: bytes, surroundings: dict[str, str]) -> None:
    """Begin a process; it ends with its parent, however that ends."""
    os.environ.clear()
    os.environ.update(surroundings)
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
