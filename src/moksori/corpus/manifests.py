"""A prepared corpus's manifests, read so that they can name nothing but files of the corpus.

Lhotse's audio sources may be commands, which it gives to a shell, or addresses, which it fetches; a corpus
with such a source is refused here.
"""

import gzip
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from lhotse import CutSet, MonoCut

from moksori.errors import CorpusError
from moksori.messages import Message, message

_MOST_BYTES = 2**30  # of a manifest once unpacked: a million lines
_CUSTOM = {"f0"}


def read_cuts(folder: Path, split: str) -> CutSet:
    """The lines of a split, their paths made absolute; empty where the corpus has none of that split.

    Raises:
        CorpusError: no manifest, a damaged one, or one that names anything but files of the corpus.
    """
    path = folder / f"cuts_{split}.jsonl.gz"
    if not path.is_file():
        raise CorpusError.of("corpus.missing", file=path)
    try:
        with gzip.open(path) as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise CorpusError.of(
                "file.too_large", file=path, size=f"> {_MOST_BYTES}", most=_MOST_BYTES
            )
        rows = [json.loads(row) for row in content.decode().splitlines()]
    except CorpusError:
        raise
    except (OSError, EOFError, zlib.error, ValueError, RecursionError):
        raise CorpusError.of("corpus.damaged", file=path) from None
    return CutSet.from_cuts(
        _cut(row, message("file.row", file=path, row=number), folder)
        for number, row in enumerate(rows, 1)
    )


def wave_of(cut: MonoCut) -> np.ndarray:
    """A line's prepared audio [n].

    Raises:
        CorpusError: its file is missing or damaged.
    """
    source = Path(cut.recording.sources[0].source)
    # Not by Lhotse, whose reader takes silence for what it cannot decode.
    wave: np.ndarray = loaded(source, lambda path: soundfile.read(path, dtype="float32")[0])
    if wave.shape != (cut.num_samples,):
        raise CorpusError.of("corpus.damaged", file=source)
    return wave


def f0_of(cut: MonoCut) -> np.ndarray:
    """A line's F0 [T] in Hz, 0 where unvoiced.

    Raises:
        CorpusError: its file is missing or damaged.
    """
    return loaded(Path(cut.f0.storage_path) / cut.f0.storage_key, np.load)


def loaded(path: Path, load: Callable[[Path], np.ndarray]) -> np.ndarray:
    """What `load` makes of a file of a prepared folder.

    Raises:
        CorpusError: it is missing or damaged.
    """
    if not path.is_file():
        raise CorpusError.of("corpus.missing", file=path)
    try:
        return load(path)
    except Exception as error:  # what a damaged file makes its reader raise is not to be foreseen
        raise CorpusError.of("corpus.damaged", file=path) from error


def _cut(row: Any, place: Message, folder: Path) -> MonoCut:
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
            raise CorpusError.of("corpus.not_ours", place=place)
        if source["type"] != "file" or not set(source) <= expected or set(custom) != _CUSTOM:
            raise CorpusError.of("corpus.other_audio", place=place, kind=source["type"])
        if f0["storage_type"] != "numpy_files":
            raise CorpusError.of("corpus.other_f0", place=place, kind=f0["storage_type"])
        for name in (source["source"], f"{f0['storage_path']}/{f0['storage_key']}"):
            if Path(name).is_absolute() or ".." in Path(name).parts:
                raise CorpusError.of("corpus.outside", place=place, name=name)
        cut = MonoCut.from_dict(row)
        len(cut.supervisions[0].text), cut.supervisions[0].speaker.strip()
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        if isinstance(error, CorpusError):
            raise
        raise CorpusError.of("corpus.damaged", file=place) from None
    cut.f0 = cut.f0.with_path_prefix(folder)
    return cut.with_recording_path_prefix(folder)
