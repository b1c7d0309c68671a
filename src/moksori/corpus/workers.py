"""Processes that prepare recordings beside this one, and end with it."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

import torch


@contextmanager
def workers(jobs: int | None) -> Iterator[ProcessPoolExecutor]:
    """A pool of processes; who ends the work within need not wait for what has not begun.

    Args:
        jobs: how many; as many as there are cores by default.
    """
    with ProcessPoolExecutor(jobs, initializer=_begin) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _begin() -> None:
    """In each process; Ctrl-C goes to all of them, and is for the one that began them to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # one thread each: F0 is summed in another order by more, and differs in the last digit
    torch.set_num_threads(1)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end() -> None:  # also when it was killed
        parent.join()
        os._exit(1)

    threading.Thread(target=end, daemon=True).start()
