"""A faint watermark in conversions: a known pattern of small rises and falls of level, at any sample rate.

Spread spectrum in the log-magnitude domain (Kirovski and Malvar 2003, doi 10.1109/TSP.2003.809384): the level
of tiles of 16 ms by 250 Hz is raised and lowered by a decibel or so, after a pattern that repeats every
second. Each step is followed by its opposite, so that the sound's own level, which moves more slowly, cancels
out.
The pattern is sought at every place, by tiles that stand out of their band's steady noise.
"""

import hashlib
from functools import cache

import numpy as np
import torch

from moksori.config import Decibels, Hertz
from moksori.signal.audio import downmix, resample

RATE: Hertz = 16000
FOUND = 0.5  # confidence from which a watermark is there; docs/provenance.md has what was measured
STRENGTH: Decibels = 2.0  # docs/provenance.md has what less and more give
_FFT, _HOP, _LOWEST = 512, 128, 24  # samples, samples, bin
_FRAMES, _BINS = 2, 8  # of a tile: 16 ms, 250 Hz
_BANDS, _STEPS = 25, 64  # of the pattern: from 750 to 7,000 Hz, about a second
_SURE = 5.5  # standard deviations; of 566 lines unmarked, plain and noisy, none was above 5.2
_SPEEDS = 1.0, 24 / 25, 25 / 24  # that a film's sound is played at
_TO_SIGMA = 1.4826  # of the median absolute deviation of normal numbers
_LEAST = 0.7  # that wrong places are spread by: 1 by chance, 0.76 and more of lines; less of a click alone
_LIKELIEST = 2.0  # times the median step that a step of the level counts for at most
_NOISE = 0.15, 1.6  # the quantile of a band's power that is its noise, and by how much it varies
_RANGE = 1e-7  # of the loudest tile, below which nothing is heard
_KEY = b"Moksori"


@cache
def _pattern() -> np.ndarray:
    """[_STEPS, _BANDS] of 1 and -1, each odd step the opposite of the one before; the same for ever."""
    count = _STEPS // 2 * _BANDS
    digest = hashlib.shake_256(_KEY).digest(-(-count // 8))
    signs = np.unpackbits(np.frombuffer(digest, np.uint8))[:count].reshape(-1, _BANDS) * 2.0 - 1
    return np.stack([signs, -signs], axis=1).reshape(_STEPS, _BANDS)


def _curved(steps: np.ndarray) -> np.ndarray:
    """How far the inner steps [n, bands] stand out of the ones beside them, [n - 2, bands]."""
    result: np.ndarray = steps[1:-1] - (steps[:-2] + steps[2:]) / 2
    return result


def _spectrum(wave: np.ndarray) -> torch.Tensor:
    """[bins, frames] of a wave [n] at `RATE`."""
    signal = torch.from_numpy(np.ascontiguousarray(wave, dtype=np.float32))
    window = torch.hann_window(_FFT)
    return torch.stft(signal, _FFT, _HOP, window=window, center=True, return_complex=True)


def _audible(wave: np.ndarray) -> bool:
    return len(wave) >= _FFT and bool(wave.any())


@torch.inference_mode()
def mark(samples: np.ndarray, sample_rate: Hertz, strength: Decibels = STRENGTH) -> np.ndarray:
    """Samples with a watermark, the same in all channels.

    Args:
        samples: [n, channels]; what is shorter than a window (32 ms) or silent stays as it is.
        sample_rate: of any height.
        strength: by how much the level rises and falls.
    """
    wave = resample(downmix(samples).astype(np.float32), sample_rate, RATE)
    if not _audible(wave):
        return samples
    spectrum = _spectrum(wave)
    step = torch.arange(spectrum.shape[1]) // _FRAMES % _STEPS
    tiles = torch.from_numpy(_pattern()).float()[step].repeat_interleave(_BINS, 1).T
    change = torch.zeros_like(spectrum)
    inner = slice(_LOWEST, _LOWEST + _BANDS * _BINS)
    change[inner] = spectrum[inner] * (10 ** (strength * tiles / 20) - 1)
    added = torch.istft(
        change, _FFT, _HOP, window=torch.hann_window(_FFT), center=True, length=len(wave)
    )
    own = resample(added.numpy(), RATE, sample_rate)[: len(samples)]
    own = np.pad(own, (0, len(samples) - len(own)))
    marked: np.ndarray = samples + own[:, None].astype(samples.dtype)
    return marked


@torch.inference_mode()
def confidence(samples: np.ndarray, sample_rate: Hertz) -> float:
    """How sure it is that samples [n] or [n, channels] are marked, 0 to 1; nan if too short or silent.

    Logistic of how many standard deviations the pattern's best place stands above the others, 0.5 at `_SURE`.
    Also found in what was sped up or slowed down between film and television.
    """
    mono = downmix(samples) if samples.ndim > 1 else samples
    each = [_sigmas(resample(mono.astype(np.float32), sample_rate * x, RATE)) for x in _SPEEDS]
    return float(1 / (1 + np.exp(_SURE - np.fmax.reduce(each))))


def _sigmas(wave: np.ndarray) -> float:
    """How far the pattern's best place in a wave [n] at `RATE` stands above the others."""
    if not _audible(wave):
        return float("nan")
    power = _spectrum(wave).abs().square().numpy()[_LOWEST : _LOWEST + _BANDS * _BINS]
    bands = power.reshape(_BANDS, _BINS, -1).sum(1).T  # [frames, _BANDS]
    scores = np.concatenate([_scores(bands[first:]) for first in range(_FRAMES)])
    if not len(scores):
        return float("nan")
    away = scores - np.median(scores)
    spread = max(_LEAST, _TO_SIGMA * float(np.median(np.abs(away))))
    return float(away.max() / spread)


def _scores(bands: np.ndarray) -> np.ndarray:
    """How well the pattern fits the power of bands [frames, _BANDS], by the step that it begins at."""
    count = len(bands) // _FRAMES
    if count < 4:
        return np.zeros(0)
    tiles = bands[: count * _FRAMES].reshape(count, _FRAMES, _BANDS).mean(1)
    tiles = np.maximum(tiles, tiles.max() * _RANGE)
    steps = _curved(10 * np.log10(tiles))
    steps /= max(1e-9, float(np.median(np.abs(steps))))
    quantile, varies = _NOISE
    clear = np.maximum(0, 1 - np.quantile(tiles, quantile, axis=0) * varies / tiles)
    clear = np.minimum(np.minimum(clear[:-2], clear[2:]), clear[1:-1])
    steps = steps.clip(-_LIKELIEST, _LIKELIEST) * clear
    pattern = _pattern()
    wanted = _curved(np.concatenate([pattern[-1:], pattern, pattern[:1]]))
    fits, powers = steps @ wanted.T, steps**2 @ (wanted**2).T  # [count - 2, _STEPS]
    place = (np.arange(len(steps))[:, None] + np.arange(_STEPS)) % _STEPS
    fit, power = (np.take_along_axis(x, place, 1).sum(0) for x in (fits, powers))
    result: np.ndarray = fit / np.sqrt(power + 1e-9)
    return result
