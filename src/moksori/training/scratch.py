"""Where recordings of a person lie while a voice is enrolled, and no longer."""

import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import W_OK, access
from pathlib import Path

from filelock import FileLock, Timeout


@contextmanager
def scratch() -> Iterator[Path]:
    """A temporary folder that goes when the enrolment ends, also by SIGTERM.

    It holds somebody's recordings, so that those that killed enrolments have left go first.
    """
    prefix = "moksori-enrol-"
    for left in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with suppress(OSError, Timeout):  # somebody else's, or one at work
            if not left.is_symlink() and left.is_dir() and access(left, W_OK):
                with FileLock(left / "lock", timeout=0):
                    shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as folder:
        lock = FileLock(
            Path(folder) / "lock", thread_local=False
        )  # one thread may begin, another end
        main = threading.current_thread() is threading.main_thread()
        before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143)) if main else None
        try:
            with lock:
                yield Path(folder)
        finally:
            if main:
                signal.signal(signal.SIGTERM, before)
