"""Files: written whole or not at all, under names that any system can hold."""

import os
import re
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from moksori.errors import OutputError

MAX_BYTES = 80  # in UTF-8; systems take 255, of which the rest is for what others put around it
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])", re.IGNORECASE)  # by Windows


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


def safe_name(text: str) -> str:
    """A file's name, without suffix, for `text`.

    Letters (Hangul too), digits, `-` and `_` are kept, composed to NFC; anything else becomes `_`.
    Cut to 80 bytes of UTF-8 at a character's end; `no_character` if `text` is blank.
    """
    composed = unicodedata.normalize("NFC", text.strip())
    kept = "".join(c if c.isalpha() or c.isdecimal() or c in "-_" else "_" for c in composed)
    name = cut(kept, MAX_BYTES) or "no_character"
    return f"{name}_" if _RESERVED.fullmatch(name) else name


def unique_names(texts: Iterable[str]) -> dict[str, str]:
    """A safe name for each of `texts`, no two alike even where upper and lower case are one.

    The first of several that would be alike keeps its name; the others get `_2`, `_3`, and so on.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for text in dict.fromkeys(texts):
        base = name = safe_name(text)
        number = 1
        while name.casefold() in taken:
            number += 1
            name = cut(base, MAX_BYTES - len(f"_{number}")) + f"_{number}"
        taken.add(name.casefold())
        names[text] = name
    return names


def cut(text: str, size: int) -> str:
    """The beginning of `text` that fits `size` bytes of UTF-8, cut at a character's end.

    What cannot be encoded (half a surrogate pair, as in undecodable file names) becomes `?`.
    """
    return text.encode("utf-8", "replace")[:size].decode("utf-8", "ignore")
