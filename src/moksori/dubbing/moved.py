"""Where the lines of a script are now that a job has known under other numbers."""

from collections.abc import Iterable, Sequence
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
    gaps: list[tuple[range, range]] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            found |= dict(zip(range(a, b), range(c, d), strict=True))
        elif tag == "replace" and b - a == d - c:
            gaps.append((range(a, b), range(c, d)))
    left = _Left(len(before), len(now), found)
    for i in left.old():  # put elsewhere
        left.join(i, (j for j in left.new() if new[j] == old[i]))
    for i in left.old():  # edited in their place
        left.join(i, (j for j in left.new() if _edited(before[i], now[j])))
    for olds, news in gaps:  # edited and renumbered
        for i, j in zip(olds, news, strict=True):
            if i in left.old() and j in left.new() and _alike(before[i], now[j]):
                found[i] = j
    to = {before[i].id: now[j].id for i, j in found.items()}
    return {line.id: to.get(line.id) for line in before if to.get(line.id) != line.id}


class _Left:
    """Lines of either side that are not joined yet."""

    def __init__(self, old: int, new: int, found: dict[int, int]) -> None:
        self._old, self._new, self._found = range(old), range(new), found

    def old(self) -> list[int]:
        return [i for i in self._old if i not in self._found]

    def new(self) -> list[int]:
        known = {*self._found.values()}
        return [j for j in self._new if j not in known]

    def join(self, i: int, others: Iterable[int]) -> None:
        """Join an old line with the first of these, if there is one."""
        if (j := next(iter(others), None)) is not None:
            self._found[i] = j


def _edited(old: Known, new: Known) -> bool:
    return old.id == new.id and _alike(old, new)


def _alike(old: Known, new: Known) -> bool:
    same = old.character == new.character
    return same and SequenceMatcher(None, old.text, new.text, autojunk=False).ratio() >= _ALIKE
