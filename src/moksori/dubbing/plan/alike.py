"""The names that are most like another, of thousands: `difflib.get_close_matches`, without comparing all."""

from collections.abc import Sequence
from difflib import SequenceMatcher

import numpy as np

_BITS = 63  # letters of a word that are looked at; what follows counts as shared


class Alike:
    """Names among which those like others are looked for.

    Args:
        names: that are there.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = sorted(names, reverse=True)  # of those equally alike, difflib has these first
        self._lengths = np.array([len(name) for name in self._names], np.intp)
        self._numbers = {letter: n for n, letter in enumerate(sorted({*"".join(names)}), 1)}
        self._letters = np.zeros((max(self._lengths, default=0), len(names)), np.intp)  # 0: no more
        for place, name in enumerate(self._names):
            self._letters[: len(name), place] = [self._numbers[letter] for letter in name]

    def closest(self, word: str, most: int, cutoff: float) -> list[str]:
        """What `get_close_matches` finds, the most alike first.

        Names are compared by falling limits of their ratios, until no other can be among the best.
        """
        both = self._lengths + len(word)
        there = np.flatnonzero(2.0 * np.minimum(self._lengths, len(word)) / both >= cutoff)
        limits = 2.0 * self._in_order(word, there) / both[there]
        matcher, best = SequenceMatcher(b=word), list[tuple[float, str]]()
        for n in np.argsort(-limits, kind="stable"):
            limit, name = limits[n], self._names[there[n]]
            if limit < cutoff or (len(best) == most and (limit, name) <= best[-1]):
                break
            matcher.set_seq1(name)
            if (ratio := matcher.ratio()) >= cutoff:
                best = sorted([*best, (ratio, name)], reverse=True)[:most]
        return [name for _, name in best]

    def _in_order(self, word: str, there: np.ndarray) -> np.ndarray:
        """How many letters names at those places share with a word at most, in the same order.

        The length of the longest common subsequence, a bit for a letter of the word (H. Hyyrö, “Bit-parallel
        LCS-length computation revisited”, 2004).
        """
        places = np.zeros(len(self._numbers) + 1, np.uint64)  # of each letter in the word
        for bit, letter in enumerate(word[:_BITS]):
            if letter in self._numbers:
                places[self._numbers[letter]] |= np.uint64(1 << bit)
        alone = np.full(len(there), 2 ** len(word[:_BITS]) - 1, np.uint64)
        whole = alone.copy()
        for letters in self._letters[: max(self._lengths[there], default=0), there]:
            matched = alone & places[letters]
            alone = (alone + matched) | (alone - matched)
        bits = np.unpackbits((whole & ~alone).view(np.uint8).reshape(len(there), 8), axis=1)
        shared: np.ndarray = bits.sum(axis=1) + len(word[_BITS:])
        return shared
