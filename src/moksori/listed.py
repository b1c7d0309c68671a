"""Files as lists and scripts name them, in any way in which systems write names."""

import re
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from moksori.messages import readable


def file_key(name: str) -> str:
    """What is the same for all ways in which systems write a file's name.

    Composed or decomposed, in capitals or not, and in CP949, as zip files from Korean Windows have them:
    its bytes as they are, or taken for CP437 by the program that unpacked them.
    """
    name = readable(name)
    if not name.isascii():
        with suppress(UnicodeError):
            repaired = name.encode("cp437").decode("cp949")
            if all(char.isascii() or "가" <= char <= "힣" for char in repaired):
                name = repaired
    return unicodedata.normalize("NFC", name).casefold()


def find_file(folder: Path, written: str, endings: Iterable[str] = ()) -> Path | None:
    """A file as a list names it: from the list's folder, with slashes of either kind.

    Args:
        folder: of the list.
        written: the name.
        endings: that may be left out.

    Returns:
        None if there is no such file, or several are.
    """
    names = [part for part in re.split(r"[/\\\\]+", written.strip()) if part not in ("", ".")]
    if not names or re.match(r"[A-Za-z]:", names[0]):
        return None
    for end in ("", *endings):
        if (place := folder / (written.strip() + end)).is_file():
            return place
    place = Path("/") if written.strip().startswith("/") else folder
    for name in names[:-1]:
        found = place / name if (place / name).is_dir() else _alike(place, (name,))
        if found is None:
            return None
        place = found
    for end in ("", *endings):
        if (exact := place / (names[-1] + end)).is_file():
            return exact
    found = _alike(place, [names[-1] + end for end in ("", *endings)])
    return found if found and found.is_file() else None


def existing(path: Path) -> Path:
    """A path, or what is called so in another way where it is not there."""
    if path.exists() or path.parent == path:
        return path
    parent = existing(path.parent)
    return _alike(parent, (path.name,)) or parent / path.name


def _alike(folder: Path, names: Iterable[str]) -> Path | None:
    """The only entry of a folder that is called so in any way."""
    try:
        listed = _listed(folder, folder.stat().st_mtime_ns)
    except OSError:
        return None
    found = [entry for name in names for entry in listed.get(file_key(name), ())]
    return folder / found[0] if len(found) == 1 else None


@lru_cache(maxsize=64)
def _listed(folder: Path, changed: int) -> dict[str, list[str]]:
    entries: dict[str, list[str]] = {}
    for entry in folder.iterdir():
        entries.setdefault(file_key(entry.name), []).append(entry.name)
    return entries
