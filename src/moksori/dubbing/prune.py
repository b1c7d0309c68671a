"""Room in a job's folder: what came of takes, and is no longer needed, is removed from OUT/.moksori.

Kept is what a line of the script refers to, or its history, or the history of a line of which a director said
something though the script no longer has it; but nothing of a voice that is to be removed. Takes that were
brought later (OUT/takes) are recordings: never touched.
"""

import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from moksori.dubbing.records import HOME
from moksori.dubbing.review import Review
from moksori.dubbing.states import line_states
from moksori.dubbing.store import Store
from moksori.errors import OutputError
from moksori.provenance import ledger
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


def prune(out: Path, voice: str = "") -> Pruned:
    """Remove what is no longer needed; what is delivered stays.

    Args:
        out: the job's folder.
        voice: of which all that was converted to it is removed too, whatever refers to it.

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
        taken = _converted_to(voice, out, histories.values()) if voice else set[str]()
        current = {line.key for line in lines} | {mark.key for mark in review.marks().values()}
        current -= taken
        earlier = {key for id in here for key, *_ in histories.get(id, [])} - current - taken
        gone = [Gone(id, past[-1][1]) for id, past in histories.items() if id not in here]
        review.forget((line.id for line in gone), taken)
        files, size, kept, versions = list[Path](), 0, 0, 0
        for path in sorted(store.outcomes.iterdir()):
            key, length = path.name.partition(".")[0], path.stat().st_size
            if key in current or key in earlier:
                kept += length
                versions += length * (key in earlier)
                continue
            path.unlink()
            files.append(path)
            size += length
        store.forget_all_but(current | earlier)
    except OSError as error:
        raise write_error(out, error) from None
    finally:
        store.close()
    return Pruned(files, size, gone, kept, versions)


def _converted_to(
    voice: str, out: Path, histories: Iterable[Iterable[tuple[str, str, str]]]
) -> set[str]:
    """Keys of what was converted to a voice, by the lines' histories and by the ledger."""
    voice, home = unicodedata.normalize("NFC", voice), out / HOME
    by = [(key, name) for past in histories for key, _, name in past]
    if (home / ledger.LEDGER).is_file():
        for _, entry in ledger.check(home).entries:
            by.append((str(entry.about.get("key")), str(entry.about.get("voice", ""))))
    return {key for key, name in by if unicodedata.normalize("NFC", name) == voice}
