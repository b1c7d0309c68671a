"""An alignment: its confidence, the path through it, and when each phone and word is said."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from moksori.config import Seconds
from moksori.text.symbols import NO_ONSET, SILENT_SYMBOLS, SPACE

_BAND = 0.2  # half-width of the diagonal, of the text's length


class Interval(NamedTuple):
    """When something is said."""

    label: str
    begin: Seconds  # in the recording
    end: Seconds


class Measures(NamedTuple):
    """How good an alignment is: its confidence and the parts that explain it."""

    confidence: float  # how far the framewise posterior agrees with the text in its order
    sharpness: float  # mean of each frame's largest posterior (the focus rate of FastSpeech)
    diagonality: float  # share of the weight near the diagonal (Ren et al. 2019, section 4.3)
    coverage: float  # share of the spoken phones that are some frame's likeliest
    skips: int  # times that the likeliest phone jumps over spoken ones
    repeats: int  # times that it goes back
    agreement: float | None  # weight that two aligners give to the same phones; None with only one


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """Which phone each frame belongs to.

    Attributes:
        weights: A [T, N], with the text gone through in order (the aligner's monotonic posterior);
            each frame's weights sum to one.
        posterior: [T, N], the framewise posterior: what the aligner finds for each frame by itself.
        phones: the N symbols.
        frame: length of a frame.
        begin: where the first frame begins in the recording.
        words: as normalised, those that the spaces among the phones part; empty if unknown.
        second: [T, N], another aligner's weights, where the model has two and was asked for both.
    """

    weights: np.ndarray
    posterior: np.ndarray
    phones: list[str]
    frame: Seconds = 256 / 22050
    begin: Seconds = 0.0
    words: tuple[str, ...] = ()
    second: np.ndarray | None = None

    def path(self) -> np.ndarray:
        """The likeliest monotonic path, [T]: a phone's index for each frame, every phone in turn.

        Viterbi over the log weights; each step stays or advances by one phone. With fewer frames than
        phones no such path exists and the diagonal is given.
        """
        t, n = self.weights.shape
        if t < n:
            return np.linspace(0, n - 1, t).round().astype(int)
        scores = np.log(np.maximum(self.weights, 1e-12))
        best = np.full(n + 1, -np.inf)  # of each phone, behind one that nothing comes from
        before, stayed = best[:-1], best[1:]
        stayed[0] = scores[0, 0]
        moved = np.zeros((t, n), dtype=bool)
        for frame in range(1, t):
            np.greater(before, stayed, out=moved[frame])
            stayed[:] = np.maximum(before, stayed) + scores[frame]
        path = np.empty(t, dtype=int)
        phone = n - 1
        for frame in range(t - 1, -1, -1):
            path[frame] = phone
            phone -= moved[frame, phone]
        return path

    @property
    def confidence(self) -> float:
        """How far the framewise posterior agrees with the text in its order, 0 to 1.

        The mean over frames of the framewise posterior, weighted by the ordered weights. Text that was not
        spoken forces frames onto phones that they do not sound like.
        """
        return float((self.weights * self.posterior).sum(1).mean())

    def measures(self) -> Measures:
        """The confidence and its parts."""
        t, n = self.weights.shape
        spoken = np.array([phone not in SILENT_SYMBOLS for phone in self.phones])
        likeliest = self.weights.argmax(1)
        heard = np.unique(likeliest)
        order = np.cumsum(spoken)[likeliest]  # in spoken phones, so that pauses may be left out
        moves = np.diff(order)
        diagonal = (np.arange(t) + 0.5) / t
        places = (np.arange(n) + 0.5) / n
        near = np.abs(diagonal[:, None] - places[None]) <= _BAND
        return Measures(
            confidence=self.confidence,
            sharpness=float(self.posterior.max(1).mean()),
            diagonality=float((self.weights * near).sum(1).mean()),
            coverage=float(spoken[heard].sum() / max(1, spoken.sum())),
            skips=int((moves > 1).sum()),
            repeats=int((moves < 0).sum()),
            agreement=None
            if self.second is None
            else float((self.weights * self.second).sum(1).mean()),
        )

    def phone_intervals(self) -> list[Interval]:
        """When each spoken phone is said, along the path; a silent onset is part of its vowel."""
        edges = self._edges
        return [
            Interval(phone_label(phone), edges[i - (self.phones[i - 1] == NO_ONSET)], edges[i + 1])
            for i, phone in enumerate(self.phones)
            if phone not in (*SILENT_SYMBOLS, NO_ONSET)
        ]

    def word_intervals(self) -> list[Interval]:
        """When each word is said, along the path."""
        edges, spans = self._edges, self._spans()
        words = self.words or tuple("".join(self.phones[i] for i in span) for span in spans)
        return [
            Interval(word, edges[span[0]], edges[span[-1] + 1])
            for word, span in zip(words, spans, strict=True)
        ]

    def word_confidences(self) -> list[float]:
        """The confidence of each word of `word_intervals` by itself, over its frames of the path."""
        agreed = (self.weights * self.posterior).sum(1)
        edges = np.round((self._edges - self.begin) / self.frame).astype(int)
        return [
            float(agreed[edges[span[0]] : edges[span[-1] + 1]].mean()) for span in self._spans()
        ]

    def _spans(self) -> list[list[int]]:
        """The phones of each word; marks and spaces are none's."""
        spans: list[list[int]] = [[]]
        for i, phone in enumerate(self.phones):
            if phone not in SILENT_SYMBOLS:
                spans[-1].append(i)
            elif phone == SPACE and spans[-1]:
                spans.append([])
        return [span for span in spans if span]

    def boundary_difference(self, other: "Alignment") -> Seconds:
        """Mean distance between the places where this and another alignment begin the same phones.

        Raises:
            ValueError: the other one is of another text.
        """
        if self.phones != other.phones:
            raise ValueError("the alignments are of different texts")
        return float(np.abs(self._edges - other._edges)[1:-1].mean())

    @cached_property
    def _edges(self) -> np.ndarray:
        """[N + 1] seconds: where each phone begins, and where the last ends."""
        path = self.path()
        begins = np.searchsorted(path, np.arange(len(self.phones) + 1))
        return self.begin + begins * self.frame


def silences(symbols: Sequence[str]) -> tuple[int, ...]:
    """The numbers of a language's symbols that are silent, for `TextAligner.silences`."""
    return tuple(number for number, symbol in enumerate(symbols) if symbol in SILENT_SYMBOLS)


def phone_label(phone: str) -> str:
    """A phone as a reader knows it: ᄀ and ᆨ both as ㄱ, the space as ＿."""
    name = unicodedata.name(phone, "").split()
    if name[:2] in (["HANGUL", "CHOSEONG"], ["HANGUL", "JUNGSEONG"], ["HANGUL", "JONGSEONG"]):
        return unicodedata.lookup(f"HANGUL LETTER {name[2]}")
    return "＿" if phone == " " else phone
