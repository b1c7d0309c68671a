"""Room in a job's folder: what came of takes, and is no longer needed, is removed from OUT/.moksori.

Kept is what a line of the script refers to, or its history, or the history of a line of which a director said
something though the script no longer has it. Takes that were brought later (OUT/takes) are recordings: never
touched.
"""

import shutil
from pathlib import Path
from typing import NamedTuple

from moksori.dubbing.records import HOME
from moksori.dubbing.review import Review
from moksori.dubbing.states import line_states
from moksori.dubbing.store import Store
from moksori.errors import OutputError
from moksori.writing import write_error


class Gone(NamedTuple):
    """A line that the script no longer has, and that nothing was said of."""

    id: str
    text: str


class Pruned(NamedTuple):
    """What was removed, and what is left; sizes in bytes."""

    files: list[Path]
    size: int
    lines: list[Gone]  # whose history was removed
    kept: int
    versions: int  # of what is kept, that of earlier versions alone


def prune(out: Path) -> Pruned:
    """Remove what is no longer needed; what is delivered stays.

    Args:
        out: the job's folder.

    Raises:
        OutputError: there is no job in the folder, it has not dubbed a script yet, another job is at work in
            it, or it cannot be written to.
    """
    lines = line_states(out)
    if not lines:
        raise OutputError.of("output.no_lines", path=out)
    store, review = Store(out), Review(out)
    try:
        here = {line.id for line in lines} | {*review.marks(), *review.changes()}
        histories = review.histories()
        current = {line.key for line in lines} | {mark.key for mark in review.marks().values()}
        earlier = {key for id in here for key, _ in histories.get(id, [])} - current
        gone = [Gone(id, past[-1][1]) for id, past in histories.items() if id not in here]
        review.forget(line.id for line in gone)
        files, size, kept, versions = list[Path](), 0, 0, 0
        for path in sorted(store.outcomes.iterdir()):
            key, bytes = path.name.partition(".")[0], path.stat().st_size
            if key in current or key in earlier:
                kept += bytes
                versions += bytes * (key in earlier)
                continue
            path.unlink()
            files.append(path)
            size += bytes
        shutil.rmtree(out / HOME / "delivery", ignore_errors=True)  # of a delivery that was cut
        store.forget(current | earlier)
    except OSError as error:
        raise write_error(out, error) from None
    finally:
        store.close()
    return Pruned(files, size, gone, kept, versions)
