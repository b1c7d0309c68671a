"""Where the lines of a script are now that a job has known under other numbers."""

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

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
    between: set[tuple[int, int]] = (
        set()
    )  # a single one of them, so that it is known by its neighbours
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
