"""A text as states that follow on each other, and the best ways through them.

A state is a sound, held for as many frames as it is heard; a silence between words may be left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from moksori.text.sounds import SILENT, sound_of
from moksori.text.symbols import PUNCTUATION, SPACE

NEVER = -1e9  # the score of what cannot be


@dataclass(frozen=True)
class Chain:
    """A text as states in their order: a sound each, with a silence that may be left out between words."""

    sounds: np.ndarray  # [N] numbers
    words: (
        np.ndarray
    )  # [N] numbers; a silence is of the word after it, the last silence of the last word

    @classmethod
    def of(cls, phones: Sequence[str]) -> "Chain":
        """Of a text's phones, with `BOS` and `EOS`."""
        sounds, words, word, said = [SILENT], [0], 0, False
        for phone in phones:
            sound = sound_of(phone)
            if sound == SILENT:
                if said and phone == SPACE:
                    word, said = word + 1, False
                if phone in PUNCTUATION + SPACE and sounds[-1] != SILENT:
                    sounds.append(SILENT)
                    words.append(word)
                if sounds[-1] == SILENT:
                    words[-1] = word
            elif sound is not None:
                said = True
                sounds.append(sound)
                words.append(word)
        if sounds[-1] != SILENT:
            sounds.append(SILENT)
            words.append(word)
        if not said and word:  # nothing but silence after the last space
            words = [min(number, word - 1) for number in words]
        return cls(np.array(sounds), np.array(words))

    def word(self, number: int) -> list[int]:
        """The sounds of a word."""
        return [int(s) for s in self.sounds[self.words == number] if s != SILENT]

    def with_word(self, number: int, sounds: Sequence[int]) -> "Chain":
        """The text with other sounds in the place of a word's."""
        place = np.flatnonzero((self.words == number) & (self.sounds != SILENT))
        first, after = int(place[0]), int(place[-1]) + 1
        return Chain(
            np.concatenate([self.sounds[:first], np.array(sounds, dtype=int), self.sounds[after:]]),
            np.concatenate([self.words[:first], np.full(len(sounds), number), self.words[after:]]),
        )


class Lattice(NamedTuple):
    """Best scores of the text alone, and where they came from."""

    before: np.ndarray  # [T, N] of the ways that are in state n at frame t
    after: np.ndarray  # [T, N] of what follows state n at frame t, without that frame
    over: np.ndarray  # [N] whether the state before may be left out on the way to it
    best: float

    def step(self, frame: int, state: int) -> int:
        """How many states the best way goes on by to be in `state` at `frame`."""
        came = self.before[frame - 1, max(0, state - 2) : state + 1][::-1]
        return int(came[: 3 if self.over[state] else 2].argmax())


def through(own: np.ndarray, chain: Chain) -> Lattice:
    """The best ways through a text.

    Args:
        own: [T, N] scores of the chain's states in each frame.
        chain: of the text.
    """
    frames, n = own.shape
    skipped = chain.sounds == SILENT  # state i may be left out, going from i - 1 to i + 1
    over = np.concatenate([[False, False], skipped[1:-1]]) if n > 2 else np.zeros(n, bool)
    # Two columns in which nothing is, on the side that is come from or gone to, and buffers: a frame is a few
    # sums of some eighty numbers, of which beginning each is the cost.
    price = np.where(over, 0.0, NEVER)  # of going over a state that may not be left out
    ways = np.empty(n)
    before = np.full((frames, n + 2), NEVER)
    before[0, 2:4] = own[0, :2]
    for t in range(1, frames):
        last, now = before[t - 1], before[t, 2:]
        np.maximum(last[2:], last[1:-1], out=now)
        np.add(last[:-2], price, out=ways)
        np.maximum(now, ways, out=now)
        now += own[t]
    after = np.full((frames, n + 2), NEVER)
    after[-1, max(0, n - 2) : n] = 0.0
    price = np.append(price[2:], [NEVER, NEVER])[:n]
    ahead = np.full(n + 2, NEVER)
    for t in range(frames - 2, -1, -1):
        np.add(after[t + 1, :n], own[t + 1], out=ahead[:n])
        now = after[t, :n]
        np.maximum(ahead[:n], ahead[1:-1], out=now)
        np.add(ahead[2:], price, out=ways)
        np.maximum(now, ways, out=now)
    before, after = before[:, 2:], after[:, :n]
    return Lattice(before, after, over, float((before[-1] + after[-1]).max()))
