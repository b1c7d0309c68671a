"""Files written whole or not at all, and on the disk when it is said that they are."""

import errno
import os
from collections import deque
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from filelock import FileLock, Timeout

from moksori.errors import OutputError, reason_of

_SYNCED_TOGETHER = 32
_STEM = 60  # characters of a name that a temporary one has too, of Hangul three bytes each
_syncs = ContextVar("syncs", default=True)


def atomic_write(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all; text as UTF-8, its line ends as they are.

    Raises:
        OutputError: as `atomic_path`.
    """
    with _in_its_place(path) as (file, _):
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A file to write to, beside `path`; it takes its place when all went well, and goes otherwise.

    What took its place is on the disk, so that a power failure leaves the old file or the new one; but for
    what is written `without_sync`.

    Raises:
        OutputError: the folder is missing or not writable, or the disk is full.
    """
    with _in_its_place(path) as (file, temporary):
        file.close()
        yield temporary


@contextmanager
def _in_its_place(path: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """As `atomic_path`, with the file open."""
    if not path.parent.is_dir():
        raise OutputError.of("output.no_folder", path=path.parent)
    name = f".{path.stem[:_STEM]}.{token_hex(4)}{path.suffix}"
    temporary = path.parent / name
    try:
        opened = temporary.open("xb")  # for whom the user's umask says
    except OSError as error:
        raise write_error(path.parent, error) from None
    try:
        with opened as file:
            yield file, temporary
        if _syncs.get():
            sync(temporary)
        temporary.replace(path)
        if _syncs.get():
            sync(path.parent)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        with suppress(OSError):  # of a drive that is away
            temporary.unlink(missing_ok=True)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Work in a folder, made if missing, in which no other work goes on meanwhile.

    Raises:
        OutputError: other work does, or the folder cannot be written to.
    """
    lock = FileLock(folder / ".lock")  # the system's, which ends with whoever holds it
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise OutputError.of("output.busy", path=folder) from None
    except OSError as error:
        if folder.is_file():
            raise OutputError.of("output.is_file", path=folder) from None
        raise write_error(folder, error) from None
    try:
        yield
    finally:
        lock.release()


def write_error(path: Path, fault: OSError) -> OutputError:
    """Why a file cannot be written, and what to do about it.

    Args:
        path: of the file.
        fault: what the system says.
    """
    if fault.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutputError.of("output.full", path=path)
    if fault.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return OutputError.of("output.forbidden", path=path)
    return OutputError.of("output.failed", path=path, why=reason_of(fault))


def sync(path: Path) -> None:
    """Have what was written to a file, or the names in a folder, on the disk.

    Raises:
        OSError: it could not be written after all; some network drives say so only now.
    """
    if os.name == "nt" and path.is_dir():  # Windows opens no folders
        return
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    except OSError as fault:
        if fault.errno not in (errno.EINVAL, errno.ENOTSUP):  # a system that cannot
            raise
    finally:
        os.close(handle)


def sync_all(paths: Collection[Path]) -> None:
    """As `sync`, of many: asked for together, the disk writes them at once.

    Raises:
        OSError: as `sync`.
    """
    with ThreadPoolExecutor(_SYNCED_TOGETHER) as pool:
        deque(pool.map(sync, paths), maxlen=0)


@contextmanager
def without_sync() -> Iterator[None]:
    """Within, `atomic_path` does not wait for the disk, which takes longer than to write a small file.

    For files that are synced together afterwards, or that a power failure may take, since they are known by
    their checksum and made again.
    """
    before = _syncs.set(False)
    try:
        yield
    finally:
        _syncs.reset(before)
