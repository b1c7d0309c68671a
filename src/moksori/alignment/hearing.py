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
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from moksori.alignment.chain import NEVER, Chain, Lattice, through
from moksori.text.sounds import SILENT, to_hangul

ACOUSTIC = 0.4  # of a frame's log posterior: neighbouring frames tell much the same
LANGUAGE = 0.6  # of the log probability of a sound after another, outside of the text
LEAVING = 2.0  # nats, the price of leaving the text
_LEAST = -7.0  # a frame's log posterior counts for no less
_TIE = 1e-6  # nats, below which two ways are as likely


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
        One a word, but none of a word that leaves no frame for anything else; nothing if the recording is
        too short for the text.
    """
    scores, moves, chain = acoustic(log_posterior), _moves(transitions), Chain.of(phones)
    own = scores[:, chain.sounds]  # [T, N]
    text = through(own, chain)
    if len(scores) < 2 or text.best < NEVER / 2:
        return []
    return _left_once(scores, own, moves, chain, text)


def text_score(log_posterior: np.ndarray, chain: Chain) -> float:
    """The score of the likeliest way through a text, nats; for two texts' difference."""
    return through(acoustic(log_posterior)[:, chain.sounds], chain).best


def _moves(transitions: np.ndarray) -> np.ndarray:
    """Scores of going from a sound to another, or staying."""
    moves = LANGUAGE * transitions.astype(np.float64)
    np.fill_diagonal(moves, 0.0)
    return moves


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
    scores: np.ndarray, own: np.ndarray, moves: np.ndarray, chain: Chain, text: Lattice
) -> list[Difference]:
    """Of each word the likeliest way that leaves the text in it; see the module."""
    first = np.flatnonzero(np.diff(chain.words, prepend=-1))
    words = _Words(first, np.append(first[1:], own.shape[1]) - 1)
    home = text.after[1:] + own[1:]  # [T - 1, N] of being back at a state at a frame
    leave = text.before[:-1] - LEAVING  # [T - 1, N] of having left from a state before it
    away = moves[chain.sounds]  # [N, n_sounds] from a state to a sound
    within = _worth(
        scores, own, leave, home, away[np.arange(len(away) - 1), chain.sounds[1:]], words
    )
    outside = _outside(scores, moves, away, leave, words, within)
    found = []
    for word in range(len(first)):
        back, left = words.back_to(word), words.left_from(word)
        most = home[:, back].max(1)
        said = outside[:-1, word].max(1) + most  # [T - 1] of the ways that come back at a frame
        ways = np.full((2, len(said)), NEVER)
        ways[0], ways[1] = said, _left_out(leave, home, left, back)
        frame, kind = divmod(int(ways.T.argmax()), 2)
        if ways[kind, frame] <= NEVER / 2:
            continue
        end = (frame + 1, -1, back.start + int(home[frame, back].argmax()))
        if kind:
            end = (frame + 1, *_skipped(leave[frame], home[frame], left, back))
        gain = float(ways[kind, frame] - text.best)
        found.append(_traced(word, gain, end, outside, words, moves, scores, chain, text))
    return found


def _worth(
    scores: np.ndarray,
    own: np.ndarray,
    leave: np.ndarray,
    home: np.ndarray,
    along: np.ndarray,
    words: _Words,
) -> np.ndarray:
    """Whether the best way of a word may be out of the text at a frame [T, W].

    It is no better than one on which every frame has its likeliest sound and no sound has a price, and no
    worse than one that leaves the text for a single frame, to say what the text has there.

    Args:
        scores: [T, n_sounds].
        own: [T, N] of the text's states.
        leave: [T - 1, N].
        home: [T - 1, N].
        along: [N - 1] from the sound of a state to that of the next.
        words: W of them.
    """
    frames, count = len(scores), len(words.first)
    best = np.cumsum(scores.max(1))  # of any sounds, up to a frame and with it
    going, coming = np.empty((frames, count)), np.empty((frames, count))
    single = np.full(own.shape[1], NEVER)
    if frames > 2:
        single[1:] = (leave[:-1, :-1] + along + own[1:-1, 1:] + home[1:, 1:]).max(0)
    going[0], coming[-1] = NEVER, NEVER
    going[0, 0] = -LEAVING
    for word in range(count):
        going[1:, word] = leave[:, words.left_from(word)].max(1) - best[:-1]
        coming[:-1, word] = home[:, words.back_to(word)].max(1) + best[:-1]
    going = np.maximum.accumulate(going)
    coming = np.maximum.accumulate(coming[::-1])[::-1]
    least = np.maximum.reduceat(single, words.first)
    result: np.ndarray = going + coming >= least - _TIE
    return result


def _outside(
    scores: np.ndarray,
    moves: np.ndarray,
    away: np.ndarray,
    leave: np.ndarray,
    words: _Words,
    within: np.ndarray,
) -> np.ndarray:
    """Best scores out of the text [T, W, n_sounds], having left it in a word.

    Args:
        scores: [T, n_sounds].
        moves: [n_sounds, n_sounds].
        away: [N, n_sounds] from a state to a sound.
        leave: [T - 1, N].
        words: W of them.
        within: [T, W] where they are asked for.
    """
    outside = np.full((len(words.first), len(scores), len(moves)), NEVER)
    outside[0, 0] = scores[0] + moves[SILENT] - LEAVING
    spans = [np.flatnonzero(asked) for asked in within.T]
    begin = np.array([span[0] if len(span) else 0 for span in spans])
    length = np.array([span[-1] + 1 - span[0] if len(span) else 0 for span in spans])
    for word in np.flatnonzero(length):
        first, after = max(1, begin[word]), begin[word] + length[word]
        arrive, left = outside[word, first:after], words.left_from(int(word))
        for state in range(left.start, left.stop):
            came = leave[first - 1 : after - 1, state, None] + away[state]
            np.maximum(arrive, came, out=arrive)
        arrive += scores[first:after]
    # The words' spans lie beside each other, the longest first: beginning a sum is most of its cost.
    order = np.argsort(-length, kind="stable")
    open_ = np.searchsorted(-length[order], -np.arange(1, length.max(initial=1)))
    shape = (
        len(moves),
        len(order),
        len(moves),
    )  # [from, W, to]: highest of the first is found fastest
    ways, stay = np.empty(shape), np.empty(shape[1:])
    each = np.ascontiguousarray(np.broadcast_to(moves[:, None], shape))
    for step, count in enumerate(open_, 1):
        which = order[:count]
        frames = begin[which] + step
        last = outside[which, frames - 1]
        now = ways[:, :count]
        np.add(last.T[:, :, None], each[:, :count], out=now)
        np.maximum.reduce(now, 0, out=stay[:count])
        stay[:count] += scores[frames]
        outside[which, frames] = np.maximum(outside[which, frames], stay[:count])
    return outside.transpose(1, 0, 2)


def _left_out(leave: np.ndarray, home: np.ndarray, left: slice, back: slice) -> np.ndarray:
    """Best score at each frame [T - 1] of leaving out what lies between a state i and j >= i + 2."""
    high = min(home.shape[1], back.stop)
    if high - left.start < 3:
        return np.full(len(home), NEVER)
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
    text: Lattice,
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
