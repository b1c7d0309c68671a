"""Loudness of a whole wave after ITU-R BS.1770-4, by NumPy alone.

pyloudnorm measures the same with these filters, which a test holds; but it needs SciPy's, whose import takes
longer than the conversion of a line, and every worker would wait for it.
"""

import math
from functools import lru_cache

import numpy as np

from moksori.config import Decibels, Seconds

BLOCK: Seconds = 0.4  # of the standard's gate; overlapping by three quarters
STEP = 0.25  # of a block
_TABLE = 48000  # Hz, of the standard's filters
_ABSOLUTE: Decibels = -70.0
_RELATIVE: Decibels = -10.0
_TAIL: Seconds = 0.2  # after which the filters' answer is below what a number holds
_TAILS = 6  # that an FFT is as long as, at least: short enough for a core's cache, and mostly sound


def k_weighting(sample_rate: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The two stages of K-weighting (BS.1770-4, annex 1) for any sample rate: b and a of each biquad.

    A shelf for the head and a high pass. The standard gives them for 48 kHz; gain, quality and frequency are
    those of the analogue filters that its table was made of (De Man, AES Convention 145, 2018), so that other
    rates weigh a sound as 48 kHz do.
    """
    return [_shelf(sample_rate), _high_pass(sample_rate)]


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


def _shelf(sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    high = 10 ** (3.999843853973347 / 20)  # 4 dB more above the frequency
    middle = high**0.4996667741545416
    k, slope, a = _poles(1681.974450955533, 0.7071752369554196, sample_rate)
    b = np.array([high + middle * slope + k * k, 2 * (k * k - high), high - middle * slope + k * k])
    return b / a[0], a / a[0]


def _high_pass(sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Its numerator is 1 -2 1 at 48 kHz, where it passes 0.04 dB more than all."""
    hertz, quality = 38.13547087602444, 0.5003270373238773
    a, table = _poles(hertz, quality, sample_rate)[2], _poles(hertz, quality, _TABLE)[2]
    return np.array([1.0, -2.0, 1.0]) * table[0] / a[0], a / a[0]


def _poles(hertz: float, quality: float, sample_rate: int) -> tuple[float, float, np.ndarray]:
    """An analogue filter's frequency and its part by quality, warped, and a of its biquad."""
    k = math.tan(math.pi * hertz / sample_rate)
    slope = k / quality
    return k, slope, np.array([1 + slope + k * k, 2 * (k * k - 1), 1 - slope + k * k])
