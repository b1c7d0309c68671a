"""Of which source a corpus was prepared, so that another source does not silently take its place.

DEST/origin.json    the source's paths, and by its id the recording of each line of the manifests
"""

import filecmp
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from moksori.corpus.lines import SourceLine
from moksori.errors import CorpusError
from moksori.writing import atomic_write

_NAME = "origin.json"


def check_origin(lines: Sequence[SourceLine], source: Sequence[Path], dest: Path) -> None:
    """See that no line of another source would leave the corpus, since the manifests are of one call's lines.

    The same source may lose lines, and so may one that was moved or whose recordings are gone.

    Args:
        lines: that are to be prepared.
        source: what they were read from: a script and its folder, a list, a corpus.
        dest: folder of the prepared corpus.

    Raises:
        CorpusError: lines would leave whose source and recordings are still there.
    """
    try:
        known = json.loads((dest / _NAME).read_text(encoding="utf-8"))
        before, recordings = [Path(path) for path in known["source"]], dict(known["recordings"])
    except (OSError, ValueError, KeyError, TypeError):
        return  # of an older Moksori, which did not note it
    if before == _resolved(source) or not all(path.exists() for path in before):
        return
    now = {line.id: line.audio for line in lines if not line.problem}
    leaving = [id for id, path in recordings.items() if _leaves(Path(path), now.get(id))]
    if leaving:
        raise CorpusError.of("corpus.leaving", dest=dest, number=len(leaving), source=before[0])


def note_origin(
    lines: Sequence[SourceLine], report: dict[str, Any], source: Sequence[Path], dest: Path
) -> None:
    """Note the source of what was prepared, with `report`."""
    rejected = {line["id"] for line in report["rejected"]}
    recordings = {
        line.id: str(line.audio.resolve())
        for line in lines
        if line.audio and line.id not in rejected
    }
    about = {"source": [str(path) for path in _resolved(source)], "recordings": recordings}
    atomic_write(dest / _NAME, json.dumps(about, ensure_ascii=False, indent=1))


def _resolved(source: Sequence[Path]) -> list[Path]:
    return [path.resolve() for path in source]


def _leaves(before: Path, now: Path | None) -> bool:
    """Whether a recording that is still there is not among the lines, nor a copy of it."""
    if not before.is_file():
        return False
    return now is None or not (before.samefile(now) or filecmp.cmp(before, now, shallow=False))
