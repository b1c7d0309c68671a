"""What a recogniser heard, decoded without a text and held against one.

The recogniser gives a posterior of sounds a frame. `free` finds the likeliest sounds in any order that Korean
has. `differences` asks of each word of a text whether something else was said in its place: the likeliest way
through the whole text against the likeliest that may leave the text once, within that word.

    text   ── t ── e ── x ── t ──  w ── o ── r ── d ──  t ── e ── x ── t ──
                                   │ leaves           ▲ comes back, further on or not
                                   ╰─ any sounds ─────╯

How much likelier the second is, in nats, is the word's gain. Where nothing else was said it is negative:
leaving the text has a price.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from moksori.text.sounds import SILENT, sound_of, to_hangul
from moksori.text.symbols import PUNCTUATION, SPACE

ACOUSTIC = 0.4  # of a frame's log posterior: neighbouring frames tell much the same
LANGUAGE = 0.6  # of the log probability of a sound after another, outside of the text
LEAVING = 2.0  # nats, the price of leaving the text
_LEAST = -7.0  # a frame's log posterior counts for no less
_NEVER = -1e9


class Difference(NamedTuple):
    """A word, and the likeliest thing that was said instead."""

    word: int  # its number in the text
    gain: float  # nats by which it is likelier; negative where the word was said
    sounds: tuple[int, ...]  # that were heard in all of the word; empty if it was left out
    begin: int  # frame from which the word, or what was said instead, is heard
    end: int  # frame before which

    @property
    def heard(self) -> str:
        """What was heard, in Hangul."""
        return to_hangul(self.sounds)


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


class _Lattice(NamedTuple):
    """Best scores of the text alone, and where they came from."""

    before: np.ndarray  # [T, N] of the ways that are in state n at frame t
    after: np.ndarray  # [T, N] of what follows state n at frame t, without that frame
    steps: np.ndarray  # [T, N] states gone on by at frame t
    best: float


def acoustic(log_posterior: np.ndarray) -> np.ndarray:
    """[T, n_sounds] scores of a recogniser's log posterior."""
    result: np.ndarray = ACOUSTIC * np.maximum(log_posterior, _LEAST).astype(np.float64)
    return result


def free(log_posterior: np.ndarray, transitions: np.ndarray) -> np.ndarray:
    """The likeliest sound of each frame [T], in an order that the language has.

    Args:
        log_posterior: [T, n_sounds].
        transitions: [n_sounds, n_sounds], log probability of a sound after another.
    """
    scores, moves = acoustic(log_posterior), _moves(transitions)
    best, came = scores[0] + moves[SILENT], np.zeros(scores.shape, dtype=int)
    for t in range(1, len(scores)):
        ways = best[:, None] + moves
        came[t] = ways.argmax(0)
        best = ways.max(0) + scores[t]
    path = np.empty(len(scores), dtype=int)
    path[-1] = best.argmax()
    for t in range(len(scores) - 1, 0, -1):
        path[t - 1] = came[t, path[t]]
    return path


def said(path: np.ndarray) -> list[int]:
    """The sounds of a path [T], each once for its frames."""
    return [int(path[0]), *(int(b) for a, b in pairwise(path) if a != b)]


def differences(
    log_posterior: np.ndarray, transitions: np.ndarray, phones: Sequence[str]
) -> list[Difference]:
    """Each word of a text and the likeliest thing that was said instead of it.

    Args:
        log_posterior: [T, n_sounds].
        transitions: [n_sounds, n_sounds].
        phones: of the text.

    Returns:
        One a word; nothing if the recording is too short for the text.
    """
    scores, moves, chain = acoustic(log_posterior), _moves(transitions), Chain.of(phones)
    own = scores[:, chain.sounds]  # [T, N]
    text = _through(own, chain)
    if text.best < _NEVER / 2:
        return []
    return _left_once(scores, own, moves, chain, text)


def text_score(log_posterior: np.ndarray, chain: Chain) -> float:
    """The score of the likeliest way through a text, nats; for two texts' difference."""
    return _through(acoustic(log_posterior)[:, chain.sounds], chain).best


def _moves(transitions: np.ndarray) -> np.ndarray:
    """Scores of going from a sound to another, or staying."""
    moves = LANGUAGE * transitions.astype(np.float64)
    np.fill_diagonal(moves, 0.0)
    return moves


def _shift(values: np.ndarray, by: int) -> np.ndarray:
    out = np.full_like(values, _NEVER)
    if by > 0:
        out[by:] = values[:-by]
    else:
        out[:by] = values[-by:]
    return out


def _through(own: np.ndarray, chain: Chain) -> _Lattice:
    frames, n = own.shape
    skipped = chain.sounds == SILENT  # state i may be left out, going from i - 1 to i + 1
    over = np.concatenate([[False, False], skipped[1:-1]]) if n > 2 else np.zeros(n, bool)
    before = np.full((frames, n), _NEVER)
    before[0, 0] = own[0, 0]
    if n > 1:
        before[0, 1] = own[0, 1]
    steps = np.zeros((frames, n), dtype=np.int8)
    for t in range(1, frames):
        last = before[t - 1]
        ways = np.stack([last, _shift(last, 1), np.where(over, _shift(last, 2), _NEVER)])
        steps[t] = ways.argmax(0)
        before[t] = ways.max(0) + own[t]
    after = np.full((frames, n), _NEVER)
    after[-1, -1] = 0.0
    if n > 1:
        after[-1, -2] = 0.0
    may = np.concatenate([over[2:], [False, False]])[:n]
    for t in range(frames - 2, -1, -1):
        ahead = after[t + 1] + own[t + 1]
        after[t] = np.maximum(
            np.maximum(ahead, _shift(ahead, -1)), np.where(may, _shift(ahead, -2), _NEVER)
        )
    return _Lattice(before, after, steps, float((before[-1] + after[-1]).max()))


class _Words(NamedTuple):
    """The states of each word: it is left from its own or the one before, to its own or the next."""

    first: np.ndarray  # [W] its first state
    last: np.ndarray  # [W] its last

    def most(self, values: np.ndarray, back: int, on: int) -> np.ndarray:
        """Largest of `values` [N, …] over each word's states, `back` before them and `on` after them."""
        found: np.ndarray = np.maximum.reduceat(values, self.first)
        if back:
            found[1:] = np.maximum(found[1:], values[self.first[1:] - 1])
        if on:
            found[:-1] = np.maximum(found[:-1], values[self.first[1:]])
        return found


def _left_once(
    scores: np.ndarray, own: np.ndarray, moves: np.ndarray, chain: Chain, text: _Lattice
) -> list[Difference]:
    """Of each word the likeliest way that leaves the text in it; see the module."""
    frames, n = own.shape
    first = np.flatnonzero(np.diff(chain.words, prepend=-1))
    words = _Words(first, np.append(first[1:], n) - 1)
    outside = np.full((frames, len(first), len(moves)), _NEVER)  # best scores out of the text
    outside[0, 0] = scores[0] + moves[SILENT] - LEAVING
    away = moves[chain.sounds]  # [N, n_sounds] from a state to a sound
    gains = np.full(len(first), _NEVER)
    ends: list[tuple[int, int, int]] = [(0, 0, 0)] * len(first)  # frame, state before, state after
    for t in range(1, frames):
        home = text.after[t] + own[t]  # [N] of being back at state j at frame t
        leave = text.before[t - 1] - LEAVING  # [N] of having left from state i before it
        total = outside[t - 1].max(1) + words.most(home, 0, 1)
        for w in np.flatnonzero(total > gains):
            span = slice(words.first[w], words.last[w] + 2)
            gains[w], ends[w] = total[w], (t, -1, int(words.first[w] + home[span].argmax()))
        gap = np.maximum.accumulate(leave)  # left out altogether: from i to j >= i + 2
        for w in np.flatnonzero(words.most(gap, 1, 0) + words.most(home, 0, 1) > gains):
            skipped = _skipped(leave, home, int(words.first[w]), int(words.last[w]))
            if skipped and skipped[0] > gains[w]:
                gains[w], ends[w] = skipped[0], (t, *skipped[1:])
        stay = (outside[t - 1][:, :, None] + moves).max(1)
        arrive = words.most(leave[:, None] + away, 1, 0)
        outside[t] = np.maximum(stay, arrive) + scores[t]
    return [
        _traced(w, float(gains[w] - text.best), ends[w], outside, words, moves, scores, chain, text)
        for w in range(len(first))
        if gains[w] > _NEVER / 2
    ]


def _skipped(
    leave: np.ndarray, home: np.ndarray, first: int, last: int
) -> tuple[float, int, int] | None:
    """The best score of going from state i to j >= i + 2 within a word, with i and j."""
    low, high = max(0, first - 1), min(len(home) - 1, last + 1)
    if high - low < 2:
        return None
    so_far = np.maximum.accumulate(leave[low : high - 1])
    total = so_far + home[low + 2 : high + 1]
    j = int(total.argmax())
    i = int(leave[low : low + j + 1].argmax())
    return float(total[j]), low + i, low + 2 + j


def _traced(
    word: int,
    gain: float,
    end: tuple[int, int, int],
    outside: np.ndarray,
    words: _Words,
    moves: np.ndarray,
    scores: np.ndarray,
    chain: Chain,
    text: _Lattice,
) -> Difference:
    """What was heard in a word, by the way that left the text and came back."""
    stop, left, back = end
    first, last = int(words.first[word]), int(words.last[word])
    heard: list[int] = []
    t = stop - 1
    if left < 0:  # out of the text from after `left` to before `stop`
        sound = int(outside[t, word].argmax())
        heard = [sound]
        while t > 0:
            low = max(0, first - 1)
            leave = (
                text.before[t - 1, low : last + 1]
                - LEAVING
                + moves[chain.sounds[low : last + 1], sound]
            )
            stay = outside[t - 1, word] + moves[:, sound]
            if leave.max() >= stay.max():
                left = low + int(leave.argmax())
                break
            if int(stay.argmax()) != sound:
                sound = int(stay.argmax())
                heard.insert(0, sound)
            t -= 1
        t -= 1
    begin, state = t + 1, left
    while t > 0 and state >= first:  # back to where the word begins
        begin = t
        state -= int(text.steps[t, state])
        t -= 1
    kept = [int(chain.sounds[i]) for i in range(first, last + 1) if i <= left]
    rest = [int(chain.sounds[i]) for i in range(first, last + 1) if i >= back]
    sounds = [*kept, *heard, *rest]
    while sounds and sounds[0] == SILENT:
        sounds.pop(0)
    while sounds and sounds[-1] == SILENT:
        sounds.pop()
    return Difference(word, gain, tuple(sounds), begin, max(stop, begin + 1))
