"""The job's files in its folder: known by their content, kept if somebody has changed them.

A mark is `size:mtime:digest`. The time saves reading a file again that nobody has touched; where it
differs, as after copying or unzipping, the content decides.
"""

import itertools
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from moksori.errors import OutputError
from moksori.provenance.ledger import file_digest


def mark(path: Path) -> str:
    """What a file is known by, wherever it is moved."""
    about = path.stat()
    return f"{about.st_size}:{about.st_mtime_ns}:{digest(path)}"


def digest(path: Path) -> str:
    """As `ledger.file_digest`; read once while the file stays as it is."""
    about = path.stat()
    return _digest(path, about.st_size, about.st_mtime_ns, about.st_ino)


@lru_cache(maxsize=4096)
def _digest(path: Path, *state: int) -> str:
    return file_digest(path)


def is_known(path: Path, marks: Iterable[str]) -> bool:
    """Whether a file is as one of the marks says.

    Marks without a digest, of a job that an older Moksori began, hold for the very time alone.
    """
    about = path.stat()
    known = [mark.split(":") for mark in marks]
    if [str(about.st_size), str(about.st_mtime_ns)] in [parts[:2] for parts in known]:
        return True
    digests = {parts[2] for parts in known if len(parts) > 2 and parts[0] == str(about.st_size)}
    return bool(digests) and digest(path) in digests


def clear(
    out: Path,
    paths: Iterable[str],
    known: Mapping[str, list[str]],
    fresh: Mapping[str, str],
) -> list[Path]:
    """Make way for the job's files: whatever somebody has changed is moved aside.

    Args:
        out: the job's folder.
        paths: below it.
        known: marks of the files that the job has written.
        fresh: marks of those that it is about to write; a file that is the same already is its own.

    Returns:
        Where changed files went.

    Raises:
        OutputError: one of the paths is somebody else's file.
    """
    ours = {path.casefold() for path in known}  # on some systems Hana is hana
    aside = []
    for path in sorted(paths):
        place = out / path
        marks = [*known.get(path, []), *([fresh[path]] if path in fresh else [])]
        if not place.exists() or is_known(place, marks):
            continue
        if path in known:
            aside.append(_move_aside(place))
        elif path.casefold() not in ours:
            raise OutputError.of("output.not_ours", path=place)
    return aside


def check_links(out: Path, paths: Iterable[str]) -> None:
    """See that no folder on the way to the job's files is a link: it might lead out of the job's folder.

    Raises:
        OutputError: one is.
    """
    folders = {parent for path in paths for parent in Path(path).parents}
    for folder in sorted(folders - {Path()}):
        if (out / folder).is_symlink():
            raise OutputError.of("output.link", path=out / folder)


def _move_aside(path: Path) -> Path:
    """Rename a file to the first of `NAME (1)`, `NAME (2)` … that is free."""
    places = (path.with_stem(f"{path.stem} ({number})") for number in itertools.count(1))
    free = next(place for place in places if not place.exists())
    path.rename(free)
    return free
