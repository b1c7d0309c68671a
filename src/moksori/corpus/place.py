"""Where what is prepared may be written: into no other folder's things, and over no recording."""

from collections.abc import Iterable
from pathlib import Path

from moksori.errors import CorpusError

_LITTER = ("desktop.ini", "Thumbs.db")  # of file managers
JOURNAL = "journal.jsonl"  # of a prepared corpus; by it a folder is known to be one


def check_place(dest: Path, recordings: Iterable[Path]) -> None:
    """See that a folder may become, or is, a prepared corpus, and that no recording would be replaced.

    Raises:
        CorpusError: it holds something else, or the recordings themselves.
    """
    there = sorted(path.name for path in dest.iterdir()) if dest.is_dir() else []
    visible = [name for name in there if not name.startswith(".") and name not in _LITTER]
    if visible and JOURNAL not in there:
        raise CorpusError.of("corpus.not_empty", folder=dest, name=visible[0])
    homes = [(dest / name).resolve() for name in ("audio", "f0")]
    for path in recordings:
        if any(path.resolve().is_relative_to(home) for home in homes):
            raise CorpusError.of("corpus.own_place", folder=dest, file=path)
