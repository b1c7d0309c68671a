"""Loudness of a whole wave after ITU-R BS.1770-4, by NumPy alone.

pyloudnorm measures the same, which a test holds; but it needs SciPy's filters, whose import takes longer than
the conversion of a line, and every worker would wait for it.
"""

import math
from functools import lru_cache

import numpy as np

from moksori.config import Decibels, Seconds

BLOCK: Seconds = 0.4  # of the standard's gate; overlapping by three quarters
STEP = 0.25  # of a block
_ABSOLUTE: Decibels = -70.0
_RELATIVE: Decibels = -10.0
_TAIL: Seconds = 0.2  # after which the filters' answer is below what a number holds
_TAILS = 6  # that an FFT is as long as, at least: short enough for a core's cache, and mostly sound


def k_weighting(sample_rate: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The two stages of K-weighting (BS.1770-4, annex 1) for any sample rate: b and a of each biquad.

    A shelf for the head and a high pass, as digital filters of the audio equaliser cookbook's form
    (shepazu.github.io/Audio-EQ-Cookbook); gain, quality and frequency reproduce the standard's table for
    48 kHz.
    """
    return [_high_shelf(4.0, 1500.0, 0.5**0.5, sample_rate), _high_pass(38.0, 0.5, sample_rate)]


def integrated_loudness(wave: np.ndarray, sample_rate: int, block: Seconds = BLOCK) -> Decibels:
    """Of `wave` [n] in LUFS, n at least a block; -inf if nothing passes the gate of -70 LUFS."""
    count = int(np.round((len(wave) / sample_rate - block) / (block * STEP))) + 1
    number = np.arange(count)
    begin = (block * (number * STEP) * sample_rate).astype(int)
    end = (block * (number * STEP + 1) * sample_rate).astype(int).clip(max=len(wave))
    summed = np.append(0.0, np.cumsum(np.square(_weighted(wave, sample_rate))))
    return gated((summed[end] - summed[begin]) / (block * sample_rate))


def gated(powers: np.ndarray) -> Decibels:
    """Loudness in LUFS of blocks of these powers, without those that are silent or far below the others."""
    powers = powers[_lufs(powers) >= _ABSOLUTE]
    if len(powers) == 0:
        return -np.inf
    kept = powers[_lufs(powers) > _lufs(powers.mean()) + _RELATIVE]
    return float(_lufs(kept.mean()))


def _lufs(power: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        result: np.ndarray = -0.691 + 10 * np.log10(power)
        return result


def _weighted(wave: np.ndarray, sample_rate: int) -> np.ndarray:
    """[n], K-weighted: by the filters' spectra, stretch by stretch, each with its tail added to the next."""
    response, tail = _response(sample_rate), round(_TAIL * sample_rate)
    size = 2 * (len(response) - 1)
    own = size - tail
    stretches = -(-len(wave) // own)
    parts = np.zeros((stretches, own))
    parts.ravel()[: len(wave)] = wave
    pieces = np.fft.irfft(np.fft.rfft(parts, size) * response, size)
    pieces[1:, :tail] += pieces[:-1, own:]
    result: np.ndarray = pieces[:, :own].ravel()[: len(wave)]
    return result


@lru_cache(maxsize=4)
def _response(sample_rate: int) -> np.ndarray:
    """[size / 2 + 1] complex: what both stages do to each bin of an FFT."""
    size = 1 << math.ceil(math.log2(_TAILS * _TAIL * sample_rate))
    z = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    whole: np.ndarray = np.ones_like(z)
    for b, a in k_weighting(sample_rate):
        whole *= (b[0] + z * (b[1] + z * b[2])) / (a[0] + z * (a[1] + z * a[2]))
    return whole


def _high_shelf(
    gain: Decibels, hertz: float, quality: float, sample_rate: int
) -> tuple[np.ndarray, np.ndarray]:
    big = 10 ** (gain / 40)
    angle = 2 * np.pi * hertz / sample_rate
    cos, slope = np.cos(angle), 2 * np.sqrt(big) * np.sin(angle) / (2 * quality)
    up, down = big + 1, big - 1
    b = big * np.array([up + down * cos + slope, -2 * (down + up * cos), up + down * cos - slope])
    a = np.array([up - down * cos + slope, 2 * (down - up * cos), up - down * cos - slope])
    return b / a[0], a / a[0]


def _high_pass(hertz: float, quality: float, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    angle = 2 * np.pi * hertz / sample_rate
    cos, alpha = np.cos(angle), np.sin(angle) / (2 * quality)
    b = np.array([(1 + cos) / 2, -(1 + cos), (1 + cos) / 2])
    a = np.array([1 + alpha, -2 * cos, 1 - alpha])
    return b / a[0], a / a[0]
