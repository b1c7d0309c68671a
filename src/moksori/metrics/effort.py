"""Vocal effort of a line, by the definitions of eGeMAPS (Eyben et al., IEEE TAC 7, 2016).

All are means over voiced frames, in dB, and so do not depend on the recording's level.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from moksori.config import Hertz

_WINDOW, _HOP = 0.060, 0.016  # seconds
_STRONGEST = 40.0  # dB; HNR of a frame without any noise
_SILENT = 1e-10  # power under which a frame tells nothing


class Effort(NamedTuple):
    """How much voice a line is said with; NaN in a line without voiced frames."""

    alpha_ratio: (
        float  # dB, energy of 1 to 5 kHz over that of 50 Hz to 1 kHz: less negative, more effort
    )
    hammarberg: float  # dB, strongest peak below 2 kHz over that of 2 to 5 kHz: lower, more effort
    hnr: float  # dB, harmonics to noise: lower, breathier


def effort(wave: np.ndarray, sample_rate: int, f0: np.ndarray) -> Effort:
    """Measure a line.

    Args:
        wave: [n].
        sample_rate: Hz, at least 10 kHz.
        f0: [K] Hz every 16 ms, 0 where unvoiced, as `pitch.swift` gives.
    """
    size, hop = round(_WINDOW * sample_rate), _HOP * sample_rate
    window = np.hanning(size)
    padded = np.pad(wave.astype(np.float64), size)
    starts = [round((i + 0.5) * hop) + size - size // 2 for i in np.flatnonzero(f0)]
    frames = np.array([padded[s : s + size] for s in starts if s + size <= len(padded)])
    pitches = f0[f0 > 0][: len(frames)]
    if not len(frames):
        return Effort(*[float("nan")] * 3)
    frames = (frames - frames.mean(1, keepdims=True)) * window
    loud = (frames**2).mean(1) > _SILENT
    frames, pitches = frames[loud], pitches[loud]
    if not len(frames):
        return Effort(*[float("nan")] * 3)
    power = np.abs(np.fft.rfft(frames, 2 * size)) ** 2
    hertz = np.fft.rfftfreq(2 * size, 1 / sample_rate)

    def band(low: Hertz, high: Hertz) -> np.ndarray:
        return power[:, (hertz >= low) & (hertz < high)]

    alpha = band(1000, 5000).sum(1) / band(50, 1000).sum(1)
    peaks = band(50, 2000).max(1) / band(2000, 5000).max(1)
    return Effort(
        _mean_db(alpha), _mean_db(peaks), float(_hnr(power, window, pitches, sample_rate).mean())
    )


def _mean_db(ratio: np.ndarray) -> float:
    return float(10 * np.log10(np.maximum(ratio, _SILENT)).mean())


def _hnr(
    power: np.ndarray, window: np.ndarray, pitches: np.ndarray, sample_rate: int
) -> np.ndarray:
    """[K] dB, from the autocorrelation at the period (Boersma, IFA Proceedings 17, 1993).

    The autocorrelation of a windowed frame is divided by the window's, and its highest value within a tenth
    of the period counts.
    """
    correlation = np.fft.irfft(power)  # [K, lags]
    of_window = np.fft.irfft(np.abs(np.fft.rfft(window, 2 * len(window))) ** 2)
    r = np.zeros(len(pitches))
    for i, pitch in enumerate(pitches):
        period = sample_rate / pitch
        lags = np.arange(int(0.9 * period), min(int(1.1 * period) + 2, len(window) // 2))
        if len(lags):
            r[i] = (correlation[i, lags] / of_window[lags]).max()
    r = np.clip(r * of_window[0] / correlation[:, 0], 1e-4, 1 - 1e-4)
    hnr: np.ndarray = np.minimum(10 * np.log10(r / (1 - r)), _STRONGEST)
    return hnr


class EffortFollowed(NamedTuple):
    """How conversions follow their sources, over lines of the same actors."""

    correlation: float  # of the lines' differences from their actor's mean
    spread: float  # of conversions over that of sources: 1 keeps, below flattens


def followed(
    source: np.ndarray, converted: np.ndarray, actors: Sequence[str] | np.ndarray
) -> EffortFollowed:
    """Compare a measure of lines with that of their conversions, each against its actor's mean.

    Args:
        source: [n] of the recordings.
        converted: [n] of their conversions to one voice.
        actors: [n] whose lines they are, by name or number; actors of one line tell nothing.
    """
    who = np.asarray(actors)
    a, b = source.astype(float).copy(), converted.astype(float).copy()
    known = np.isfinite(a) & np.isfinite(b)
    for name in set(who.tolist()):
        own = known & (who == name)
        if own.sum() < 2:
            known &= who != name
            continue
        a[own] -= a[own].mean()
        b[own] -= b[own].mean()
    a, b = a[known], b[known]
    if len(a) < 3 or not a.std() or not b.std():
        return EffortFollowed(float("nan"), float("nan"))
    return EffortFollowed(float(np.corrcoef(a, b)[0, 1]), float(b.std() / a.std()))
