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
    over: np.ndarray  # [N] whether the state before may be left out on the way to it
    best: float

    def step(self, frame: int, state: int) -> int:
        """How many states the best way goes on by to be in `state` at `frame`."""
        came = self.before[frame - 1, max(0, state - 2) : state + 1][::-1]
        return int(came[: 3 if self.over[state] else 2].argmax())


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


def _through(own: np.ndarray, chain: Chain) -> _Lattice:
    frames, n = own.shape
    skipped = chain.sounds == SILENT  # state i may be left out, going from i - 1 to i + 1
    over = np.concatenate([[False, False], skipped[1:-1]]) if n > 2 else np.zeros(n, bool)
    # Two columns in which nothing is, on the side that is come from or gone to, and buffers: a frame is a few
    # sums of some eighty numbers, of which beginning each is the cost.
    price = np.where(over, 0.0, _NEVER)  # of going over a state that may not be left out
    ways = np.empty(n)
    before = np.full((frames, n + 2), _NEVER)
    before[0, 2:4] = own[0, :2]
    for t in range(1, frames):
        last, now = before[t - 1], before[t, 2:]
        np.maximum(last[2:], last[1:-1], out=now)
        np.add(last[:-2], price, out=ways)
        np.maximum(now, ways, out=now)
        now += own[t]
    after = np.full((frames, n + 2), _NEVER)
    after[-1, max(0, n - 2) : n] = 0.0
    price = np.append(price[2:], [_NEVER, _NEVER])[:n]
    ahead = np.full(n + 2, _NEVER)
    for t in range(frames - 2, -1, -1):
        np.add(after[t + 1, :n], own[t + 1], out=ahead[:n])
        now = after[t, :n]
        np.maximum(ahead[:n], ahead[1:-1], out=now)
        np.add(ahead[2:], price, out=ways)
        np.maximum(now, ways, out=now)
    before, after = before[:, 2:], after[:, :n]
    return _Lattice(before, after, over, float((before[-1] + after[-1]).max()))


class _Words(NamedTuple):
    """The states of each word: it is left from its own or the one before, to its own or the next."""

    first: np.ndarray  # [W] its first state
    last: np.ndarray  # [W] its last

    def left_from(self, word: int) -> slice:
        """The states that a word may be left from."""
        return slice(max(0, int(self.first[word]) - 1), int(self.last[word]) + 1)

    def back_to(self, word: int) -> slice:
        """The states that are come back to."""
        return slice(int(self.first[word]), int(self.last[word]) + 2)


def _left_once(
    scores: np.ndarray, own: np.ndarray, moves: np.ndarray, chain: Chain, text: _Lattice
) -> list[Difference]:
    """Of each word the likeliest way that leaves the text in it; see the module."""
    first = np.flatnonzero(np.diff(chain.words, prepend=-1))
    words = _Words(first, np.append(first[1:], own.shape[1]) - 1)
    home = text.after[1:] + own[1:]  # [T - 1, N] of being back at a state at a frame
    leave = text.before[:-1] - LEAVING  # [T - 1, N] of having left from a state before it
    outside = _outside(scores, moves, moves[chain.sounds], leave, words)
    found = []
    for word in range(len(first)):
        back, left = words.back_to(word), words.left_from(word)
        most = home[:, back].max(1)
        said = outside[:-1, word].max(1) + most  # [T - 1] of the ways that come back at a frame
        ways = np.full((2, len(said)), _NEVER)
        ways[0], ways[1] = said, _left_out(leave, home, left, back)
        frame, kind = divmod(int(ways.T.argmax()), 2)
        if ways[kind, frame] <= _NEVER / 2:
            continue
        end = (frame + 1, -1, back.start + int(home[frame, back].argmax()))
        if kind:
            end = (frame + 1, *_skipped(leave[frame], home[frame], left, back))
        gain = float(ways[kind, frame] - text.best)
        found.append(_traced(word, gain, end, outside, words, moves, scores, chain, text))
    return found


def _outside(
    scores: np.ndarray, moves: np.ndarray, away: np.ndarray, leave: np.ndarray, words: _Words
) -> np.ndarray:
    """Best scores out of the text [T, W, n_sounds], having left it in a word.

    Args:
        scores: [T, n_sounds].
        moves: [n_sounds, n_sounds].
        away: [N, n_sounds] from a state to a sound.
        leave: [T - 1, N].
        words: W of them.
    """
    outside = np.full((len(scores), len(words.first), len(moves)), _NEVER)
    outside[0, 0] = scores[0] + moves[SILENT] - LEAVING
    for word in range(len(words.first)):
        left = words.left_from(word)
        arrive = outside[1:, word]
        for state in range(left.start, left.stop):
            np.maximum(arrive, leave[:, state, None] + away[state], out=arrive)
    # [from, W, to]: the highest of the first axis is found twice as fast as that of another.
    ways, stay = np.empty((len(moves), *outside.shape[1:])), np.empty(outside.shape[1:])
    each = np.ascontiguousarray(np.broadcast_to(moves[:, None], ways.shape))
    for t in range(1, len(scores)):
        np.add(outside[t - 1].T[:, :, None], each, out=ways)
        ways.max(0, out=stay)
        now = outside[t]
        np.maximum(now, stay, out=now)
        now += scores[t]
    return outside


def _left_out(leave: np.ndarray, home: np.ndarray, left: slice, back: slice) -> np.ndarray:
    """Best score at each frame [T - 1] of leaving out what lies between a state i and j >= i + 2."""
    high = min(home.shape[1], back.stop)
    if high - left.start < 3:
        return np.full(len(home), _NEVER)
    so_far = np.maximum.accumulate(leave[:, left.start : high - 2], 1)
    result: np.ndarray = (so_far + home[:, left.start + 2 : high]).max(1)
    return result


def _skipped(leave: np.ndarray, home: np.ndarray, left: slice, back: slice) -> tuple[int, int]:
    """The states i and j of `_left_out` at a frame."""
    low, high = left.start, min(len(home), back.stop)
    so_far = np.maximum.accumulate(leave[low : high - 2])
    j = int((so_far + home[low + 2 : high]).argmax())
    return low + int(leave[low : low + j + 1].argmax()), low + 2 + j


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
        state -= text.step(t, state)
        t -= 1
    kept = [int(chain.sounds[i]) for i in range(first, last + 1) if i <= left]
    rest = [int(chain.sounds[i]) for i in range(first, last + 1) if i >= back]
    sounds = [*kept, *heard, *rest]
    while sounds and sounds[0] == SILENT:
        sounds.pop(0)
    while sounds and sounds[-1] == SILENT:
        sounds.pop()
    return Difference(word, gain, tuple(sounds), begin, max(stop, begin + 1))
