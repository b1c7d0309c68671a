"""Where what is prepared may be written: into no other folder's things, and over no recording."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from moksori.errors import CorpusError

_LITTER = ("desktop.ini", "Thumbs.db")  # of file managers
JOURNAL = "journal.jsonl"  # of a prepared corpus; by it a folder is known to be one
Kind = Literal["lines", "recordings"]
_OF: dict[Kind, str] = {"lines": "corpus.of_lines", "recordings": "corpus.of_recordings"}


def check_place(dest: Path, recordings: Iterable[Path], kind: Kind) -> None:
    """See that a folder may become, or is, a prepared corpus of a kind, and that no recording is replaced.

    Raises:
        CorpusError: it holds something else, or the recordings themselves.
    """
    check_kind(dest, kind)
    there = visible(dest)
    if there and JOURNAL not in there:
        raise CorpusError.of("corpus.not_empty", folder=dest, name=there[0])
    homes = [(dest / name).resolve() for name in ("audio", "f0")]
    for path in recordings:
        if any(path.resolve().is_relative_to(home) for home in homes):
            raise CorpusError.of("corpus.own_place", folder=dest, file=path)


def visible(folder: Path) -> list[str]:
    """Names of what somebody put into a folder, sorted: nothing hidden, and no file manager's litter."""
    there = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    return [name for name in there if not name.startswith(".") and name not in _LITTER]


def sweep(dest: Path) -> None:
    """Delete what a job that was killed left half written."""
    for half_written in (*dest.glob("audio/*/.*.flac"), *dest.glob("f0/*/.*.npy")):
        half_written.unlink()


def check_kind(dest: Path, kind: Kind) -> None:
    """See that a folder is no prepared corpus of the other kind.

    Raises:
        CorpusError: it is.
    """
    try:
        with (dest / JOURNAL).open(encoding="utf-8") as journal:
            row = json.loads(journal.readline())
    except (OSError, ValueError):  # none yet, or a first row that a kill cut
        return
    held: Kind = "recordings" if "set" in row else "lines"
    if held != kind:
        raise CorpusError.of(_OF[held], folder=dest)
