"""Where the lines of a script are now that a job has known under other numbers, and what was said of them.

job.sqlite, known   the lines as the job last had them
job.sqlite, said    the last text of each of which something was said, also of those that are gone
"""

import sqlite3
import unicodedata
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from functools import partial
from itertools import count
from typing import NamedTuple

from moksori.dubbing.records import Change
from moksori.script.line import Line

MARKS = "SELECT id, state, note, key, text FROM marks"  # of job.sqlite
CHANGES = "SELECT id, value FROM changes"
_ALIKE = 0.6  # share of letters; below it a line of the same number says something else


class Known(NamedTuple):
    """A line as a job knows it."""

    id: str
    character: str
    text: str  # the script's own


def moved(before: Sequence[Known], now: Sequence[Known]) -> dict[str, str | None]:
    """New ids of the lines whose id is another now, by their old ones; None of those that are gone.

    Lines are the same whose character and text are; of several that are alike, in their order. Else a line
    is the one of its old id if that says much the same, or the one between its neighbours.

    Args:
        before: all lines, in the script's order.
        now: the same.
    """
    old, new = [line[1:] for line in before], [line[1:] for line in now]
    found: dict[int, int] = {}
    gaps: list[tuple[int, int]] = []  # as many lines stood there as stand there now
    between: set[tuple[int, int]] = set()  # one alone, which is known by its neighbours
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            found |= zip(range(a, b), range(c, d), strict=True)
        elif tag == "replace" and b - a == d - c:
            between |= {(a, c)} if b - a == 1 else set()
            gaps += zip(range(a, b), range(c, d), strict=True)
    free = {*range(len(now))} - {*found.values()}
    elsewhere: dict[tuple[str, ...], list[int]] = {}
    for j in sorted(free, reverse=True):
        elsewhere.setdefault(new[j], []).append(j)
    for i in range(len(before)):
        if i not in found and elsewhere.get(old[i]):
            found[i] = elsewhere[old[i]].pop()
    ids = {now[j].id: j for j in free}
    edited = [(i, ids[line.id]) for i, line in enumerate(before) if line.id in ids]
    for i, j in [*edited, *gaps]:
        if i in found or j in found.values() or before[i].character != now[j].character:
            continue
        kept = before[i].id == now[j].id and (i, j) in between
        if kept or _alike(before[i].text, now[j].text):
            found[i] = j
    to = {before[i].id: now[j].id for i, j in found.items()}
    return {line.id: to.get(line.id) for line in before if to.get(line.id) != line.id}


def _alike(old: str, new: str) -> bool:
    return SequenceMatcher(None, old, new, autojunk=False).ratio() >= _ALIKE


def known_as(lines: Mapping[str, Line]) -> list[Known]:
    """Lines as a job knows them, in their order."""
    plain = partial(unicodedata.normalize, "NFC")
    return [Known(id, line.character, plain(line.script_text)) for id, line in lines.items()]


def _texts(database: sqlite3.Connection) -> dict[str, str]:
    """Texts of the lines of which something was said, as far as they are known, by their ids."""
    texts = dict(database.execute("SELECT id, text FROM versions ORDER BY number").fetchall())
    for id, value in database.execute(CHANGES):
        texts[id] = Change.model_validate_json(value).script_text or texts.get(id, "")
    return texts | {id: text for id, *_, text in database.execute(MARKS)}


def known_before(database: sqlite3.Connection) -> list[Known]:
    """The lines that the job has known so far."""
    rows = database.execute("SELECT id, character, text FROM known ORDER BY position")
    return [Known(*row) for row in rows]


def keep_said(database: sqlite3.Connection) -> None:
    """Keep whose lines something was said of, also when they are gone."""
    texts = _texts(database)
    rows = [tuple(line) for line in known_before(database) if line.id in texts]
    database.executemany("INSERT OR REPLACE INTO said VALUES (?, ?, ?)", rows)


def names(database: sqlite3.Connection, now: list[Known]) -> dict[str, str]:
    """As `Review.names`."""
    before = known_before(database)
    if not before or before == now:
        return {}
    places, known = moved(before, now), {line.id for line in before}
    said = {id: rest for id, *rest in database.execute("SELECT * FROM said")}
    ids, texts = {line.id: line for line in now}, _texts(database)
    to = {old: places.get(old, old) for old in texts if old in known}
    left = sorted(old for old in texts if to.get(old) is None)
    free = {*ids} - {places.get(id, id) for id in known}  # lines that were not there before
    for own in (True, False):  # those that are there again under their old ids first
        for old in left:
            again = [id for id in sorted(free) if [*ids[id][1:]] == said.get(old)]
            if own:
                again = [id for id in again if id in (old, old.rpartition(" (")[0])]
            if to.get(old) is None and len(again) == 1:
                to[old] = again[0]
                free.discard(again[0])
    taken = {*ids, *texts, *filter(None, to.values())}
    for old in left:
        if to.get(old) is None:
            numbered = (f"{old} ({n})" for n in count(1))
            to[old] = next(name for name in numbered if name not in taken) if old in ids else old
            taken.add(str(to[old]))
    return {old: new for old, new in to.items() if new is not None and new != old}


def where(database: sqlite3.Connection, now: list[Known], id: str) -> str | None:
    """As `Review.where`."""
    before = known_before(database)
    places = moved(before, now) if before else {}
    return names(database, now).get(id) or places.get(id, id)
