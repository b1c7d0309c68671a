"""Metrics from what the metric models return; each is tested against a known case."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

_LEAST_VOICED = 3  # frames voiced in both, under which two contours are always alike


def letters(text: str) -> str:
    """Letters and digits of `text` only: what a recogniser can be right or wrong about."""
    return "".join(char for char in text if char.isalnum())


def character_errors(reference: str, heard: str) -> tuple[int, int]:
    """Edit distance of `heard` to `reference`, spaces and marks aside, and the reference's length."""
    import jiwer

    counts = jiwer.process_characters(letters(reference), letters(heard) or " ")
    return counts.substitutions + counts.deletions + counts.insertions, len(letters(reference))


class F0Comparison(NamedTuple):
    """How a converted line's F0 contour follows its source's; NaN where too little is voiced in both."""

    correlation: float  # of log-F0, over frames voiced in both and without octave errors
    octave_errors: float  # share of those frames over 6 semitones from the usual interval
    voicing_error: float  # share of all frames that are voiced in one only


def compare_f0(source: np.ndarray, converted: np.ndarray) -> F0Comparison:
    """Compare two F0 tracks [T] in Hz, 0 where unvoiced, whatever their means.

    A tracker's octave errors on a handful of frames would dominate the correlation, so those are counted
    by themselves.
    """
    n = min(len(source), len(converted))
    source, converted = source[:n], converted[:n]
    voiced, voiced_after = source > 0, converted > 0
    voicing_error = float((voiced != voiced_after).mean())
    both = voiced & voiced_after
    if both.sum() < _LEAST_VOICED:
        return F0Comparison(float("nan"), float("nan"), voicing_error)
    interval = 12 * np.log2(converted[both] / source[both])
    slipped = np.abs(interval - np.median(interval)) > 6
    tracks = np.log(source[both][~slipped]), np.log(converted[both][~slipped])
    correlation = float(np.corrcoef(*tracks)[0, 1])
    return F0Comparison(correlation, float(slipped.mean()), voicing_error)


def envelope_correlation(source: np.ndarray, converted: np.ndarray, sample_rate: int) -> float:
    """Correlation of two waves' levels [n], in dB, every 10 ms; at most 50 dB below the loudest count."""
    hop = sample_rate // 100
    n = min(len(source), len(converted)) // hop * hop
    levels = []
    for wave in (source, converted):
        power = (wave[:n].astype(np.float64).reshape(-1, hop) ** 2).mean(1)
        levels.append(10 * np.log10(np.maximum(power, 1e-5 * power.max() + 1e-12)))
    return float(np.corrcoef(*levels)[0, 1])


def centroid(embeddings: list[np.ndarray]) -> np.ndarray:
    """The mean of embeddings, of unit length: a voice."""
    mean = np.mean(embeddings, axis=0)
    result: np.ndarray = mean / np.linalg.norm(mean)
    return result


def nearest(embedding: np.ndarray, voices: dict[str, np.ndarray], wanted: str = "") -> str:
    """The voice whose centroid is most similar: speaker classification.

    Args:
        embedding: of unit length.
        voices: centroids by name.
        wanted: the voice that is named where others are just as similar, as the same person is by two names.
    """
    return max(voices, key=lambda name: (float(embedding @ voices[name]), name == wanted))


def gap_closed(converted: float, source: float, real: float) -> float:
    """How much of the way from the source's similarity to that of the target's own lines is gone."""
    return (converted - source) / (real - source)


class Interval(NamedTuple):
    """A figure and its bootstrap interval."""

    value: float
    low: float
    high: float


def interval(
    rows: np.ndarray,
    statistic: Callable[[np.ndarray], float],
    level: float = 0.95,
    draws: int = 1000,
) -> Interval:
    """A statistic of rows and its percentile bootstrap interval (Efron 1979), rows drawn whole.

    Args:
        rows: [n, …], one a line; with fewer than two there is no interval (NaN).
        statistic: of rows.
        level: of the interval.
        draws: resamples; the same each time.
    """
    value = float(statistic(rows))
    if len(rows) < 2:
        return Interval(value, float("nan"), float("nan"))
    chance = np.random.default_rng(0)
    drawn = [statistic(rows[chance.integers(0, len(rows), len(rows))]) for _ in range(draws)]
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high))
