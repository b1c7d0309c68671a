"""Other recordings of lines, brought by a director into the job's folder.

OUT/takes/<id>/<n>.wav    those of a line; the script's recordings stay as they are
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from moksori.signal.decoders import inspect
from moksori.writing import atomic_path, write_error

TAKES = "takes"


@contextmanager
def new_take(out: Path, id: str, suffix: str) -> Iterator[Path]:
    """A file of the job's folder for another recording of a line, which nobody else is given meanwhile.

    It is there, empty, when the block begins, and goes if the block fails.

    Raises:
        OutputError: the folder cannot be written to.
    """
    folder = out / TAKES / id
    try:
        folder.mkdir(parents=True, exist_ok=True)
        number = 1 + max((int(p.stem) for p in folder.iterdir() if p.stem.isdecimal()), default=0)
        while True:
            place = folder / f"{number}{suffix}"
            try:
                place.touch(exist_ok=False)
                break
            except FileExistsError:
                number += 1
    except OSError as error:
        raise write_error(folder, error) from None
    try:
        yield place
    except BaseException:
        place.unlink(missing_ok=True)
        raise


def bring_take(out: Path, id: str, recording: Path) -> Path:
    """Copy another recording of a line into the job's folder.

    Raises:
        AudioError: it is none.
        OutputError: the folder cannot be written to.
    """
    inspect(recording)
    with (
        new_take(out, id, recording.suffix.lower()) as place,
        atomic_path(place) as temporary,
    ):
        shutil.copyfile(recording, temporary)
    return place
