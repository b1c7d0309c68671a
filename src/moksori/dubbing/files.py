"""Files that are written whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from moksori.errors import OutputError


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all; text as UTF-8, its line ends as they are.

    Raises:
        OutputError: as `written_whole`.
    """
    with written_whole(path) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A file to write to, beside `path`; it takes its place when all went well, and goes otherwise.

    Raises:
        OutputError: the folder is missing or not writable, or the disk is full.
    """
    if not path.parent.is_dir():
        raise OutputError(f"{path.parent}: no such folder; make it first")
    try:
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix
        )
    except OSError as error:
        raise OutputError(f"{path.parent}: cannot write there ({error.strerror})") from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path}: cannot write it ({error.strerror or error}); is it open in another program?"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
