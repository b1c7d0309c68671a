"""A prepared corpus's manifests, read so that they can name nothing but files of the corpus.

Lhotse's audio sources may be commands, which it gives to a shell, or addresses, which it fetches; a corpus
with such a source is refused here.
"""

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

from lhotse import CutSet, MonoCut

from moksori.errors import CorpusError

_MOST_BYTES = 2**30  # of a manifest once unpacked: a million lines
_CUSTOM = {"f0"}


def read_cuts(folder: Path, split: str) -> CutSet:
    """The lines of a split, their paths made absolute; empty where the corpus has none of that split.

    Raises:
        CorpusError: no manifest, a damaged one, or one that names anything but files of the corpus.
    """
    path = folder / f"cuts_{split}.jsonl.gz"
    if not path.is_file():
        raise CorpusError(f"{path}: missing; run `moksori prepare` again")
    try:
        with gzip.open(path) as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise ValueError("over a gigabyte")
        rows = [json.loads(row) for row in content.decode().splitlines()]
    except (OSError, EOFError, zlib.error, ValueError, RecursionError) as error:
        raise CorpusError(f"{path}: damaged ({error}); run `moksori prepare` again") from None
    return CutSet.from_cuts(_cut(row, f"{path}, line {i}", folder) for i, row in enumerate(rows, 1))


def _cut(row: Any, place: str, folder: Path) -> MonoCut:
    """A line from its row, all of it checked before Lhotse sees it."""
    try:
        (source,) = row["recording"]["sources"]
        custom = row.get("custom") or {}
        f0, expected = custom["f0"], {"type", "channels", "source"}
        if (
            row.pop("type") != "MonoCut"
            or row.get("features")
            or row["recording"].get("transforms")
        ):
            raise CorpusError(f"{place}: not a line as `moksori prepare` writes it")
        if source["type"] != "file" or not set(source) <= expected or set(custom) != _CUSTOM:
            raise CorpusError(
                f"{place}: its audio is a “{source['type']}”; only files of the corpus are read"
            )
        if f0["storage_type"] != "numpy_files":
            raise CorpusError(
                f"{place}: its F0 is kept as “{f0['storage_type']}”, which is not read"
            )
        for name in (source["source"], f"{f0['storage_path']}/{f0['storage_key']}"):
            if Path(name).is_absolute() or ".." in Path(name).parts:
                raise CorpusError(f"{place}: “{name}” is outside the corpus; it is not read")
        cut = MonoCut.from_dict(row)
        len(cut.supervisions[0].text), cut.supervisions[0].speaker.strip()
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        if isinstance(error, CorpusError):
            raise
        raise CorpusError(f"{place}: damaged; run `moksori prepare` again") from None
    cut.f0 = cut.f0.with_path_prefix(folder)
    return cut.with_recording_path_prefix(folder)
