"""Of which source a corpus was prepared, so that another source does not silently take its place.

DEST/origin.json    the source's paths, and by its id each recording of the manifests
"""

import filecmp
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from moksori.corpus.place import Kind, check_kind
from moksori.errors import CorpusError
from moksori.writing import atomic_write

_NAME = "origin.json"
_LEAVING: dict[Kind, str] = {"lines": "corpus.leaving", "recordings": "corpus.recordings_leaving"}


def check_origin(
    now: Mapping[str, Path], source: Sequence[Path], dest: Path, kind: Kind = "lines"
) -> None:
    """See that no recording of another source would leave the corpus, since the manifests are of one call.

    The same source may lose recordings, and so may one that was moved or whose recordings are gone.

    Args:
        now: the recordings that are to be prepared, by the ids of their lines.
        source: what they were read from: a script and its folder, a list, a corpus.
        dest: folder of the prepared corpus.
        kind: of it.

    Raises:
        CorpusError: recordings would leave that are still there, and so is their source; or as `check_kind`.
    """
    check_kind(dest, kind)
    try:
        known = json.loads((dest / _NAME).read_text(encoding="utf-8"))
        before, recordings = [Path(path) for path in known["source"]], dict(known["recordings"])
    except (OSError, ValueError, KeyError, TypeError):
        return  # of an older Moksori, which did not note it
    if before == _resolved(source) or not all(path.exists() for path in before):
        return
    number = sum(_leaves(Path(path), now.get(id)) for id, path in recordings.items())
    if number:
        raise CorpusError.of(_LEAVING[kind], dest=dest, number=number, source=before[0])


def note_origin(recordings: Mapping[str, Path], source: Sequence[Path], dest: Path) -> None:
    """Note which recordings of which source were prepared."""
    about = {
        "source": [str(path) for path in _resolved(source)],
        "recordings": {id: str(path.resolve()) for id, path in recordings.items()},
    }
    atomic_write(dest / _NAME, json.dumps(about, ensure_ascii=False, indent=1))


def _resolved(source: Sequence[Path]) -> list[Path]:
    return [path.resolve() for path in source]


def _leaves(before: Path, now: Path | None) -> bool:
    """Whether a recording that is still there is not among the lines, nor a copy of it."""
    if not before.is_file():
        return False
    return now is None or not (before.samefile(now) or filecmp.cmp(before, now, shallow=False))
