"""Treble from the take: how strongly each fricative, burst and breath sounds above the mel's top.

The conversion model's mel ends at 8 kHz, and what a vocoder predicts above it is only likely. A take of a
studio holds the truth, in time with the conversion to the sample. Its *levels* are taken, by band and time,
and the predicted sound is brought to them:

    gain(band, time) = take(band, time) - predicted(band, time) + (converted - take)(band just below, time)

The last term moves the take's level by what conversion did to 6 to 8 kHz, so that a darker voice stays
darker. A prediction of a vocoder that is not told how bright the voice is (`Vocoder.takes_treble`) is first
brought to the voice's usual levels. No wave is copied. Levels are means over whole periods of each signal's
own pitch, twice, which leaves no trace of that pitch or of its harmonics in them, and bands are wider than
harmonics lie apart.
"""

import math
from itertools import pairwise
from typing import Literal

import numpy as np
import torch

from moksori.config import Decibels, Hertz, Seconds
from moksori.conversion.speech import Speech
from moksori.models.vocoder import Vocoder
from moksori.signal.audio import Recording, resample
from moksori.signal.band import real_band
from moksori.signal.stft import BandedSTFT
from moksori.signal.treble import EDGES, TrebleLevels

Treble = Literal["take", "predict", "off"]
LEAST_BAND: Hertz = 12000.0  # a take that ends below this has no treble to give
_BELOW: Hertz = 2000.0  # width of the band just below, which tells what conversion did
_WIDTH: Hertz = 1000.0  # of a band
_JOIN: Hertz = 500.0  # on either side of an edge, over which the gain begins or ends
_WINDOW = 512  # samples of an STFT at the vocoder's rate
_HOP = _WINDOW // 4
_SHORTEST: Seconds = 0.003  # of the two means that a level is, where there is no pitch
_STEADY: Seconds = 0.05  # over which the band below is compared
_FURTHEST: Decibels = 15.0  # that conversion may have moved the band below
_ROUNDS = 3  # since a smooth gain does not move each band by just its own
_SILENT = 1e-9  # power of a bin that counts as nothing


def with_treble(
    wave: np.ndarray,
    treble: Treble,
    recording: Recording,
    speech: Speech,
    *,
    vocoder: Vocoder,
    f0: torch.Tensor,
    take_f0: torch.Tensor,
    usual: TrebleLevels | None,
) -> tuple[np.ndarray, Treble, Hertz]:
    """Give a converted wave the treble that is asked for.

    Args:
        wave: [n] of the vocoder.
        treble: `take` becomes `predict` where the recording ends below `LEAST_BAND`, by its sound.
        recording: the source.
        speech: of it.
        vocoder: that made the wave.
        f0: [T] Hz of the wave, 0 where unvoiced.
        take_f0: [T] Hz of the speech.
        usual: of the voice's own recordings, where known.

    Returns:
        The wave [n], what its treble is, and the highest frequency that it holds at the source's rate, Hz.
    """
    low, sample_rate, nyquist = vocoder.audio.fmax, vocoder.sample_rate, recording.sample_rate / 2
    if treble == "off":
        return without(wave, sample_rate, low), "off", min(low, nyquist)
    if usual and not vocoder.takes_treble and vocoder.band > EDGES[-1]:
        wave = at_usual(wave, sample_rate, usual)
    band = min(vocoder.band, nyquist)
    held = real_band(recording.mono, recording.sample_rate) if treble == "take" else 0.0
    if held < LEAST_BAND or vocoder.band < low + _WIDTH:
        return wave, "predict", band
    start = round(speech.start * sample_rate / vocoder.audio.sample_rate)
    take = resample(recording.mono, recording.sample_rate, sample_rate)[start : start + len(wave)]
    take = np.pad(take * speech.gain, (0, len(wave) - len(take)))
    high = min(held, vocoder.band)
    shaped = from_take(wave, take, sample_rate, low=low, high=high, f0=f0, take_f0=take_f0)
    return shaped, "take", band


def at_usual(wave: np.ndarray, sample_rate: int, usual: TrebleLevels) -> np.ndarray:
    """Bring a predicted treble to a voice's usual levels, by one smooth gain over frequency for the line.

    Args:
        wave: [n] as the vocoder gave it.
        sample_rate: of it, Hz.
        usual: of the voice's recordings, dB (`signal/treble.py`); above the last as much is changed as in it.

    Returns:
        [n]; as it was where it is too short to measure.
    """
    if len(wave) < _WINDOW:
        return wave
    spectrum, hertz = np.fft.rfft(wave), np.fft.rfftfreq(len(wave), 1 / sample_rate)
    power = np.square(np.abs(spectrum))
    bands = pairwise((EDGES[0] - _BELOW, *EDGES))
    within = [slice(*np.searchsorted(hertz, band)) for band in bands]
    middles = [(low + high) / 2 for low, high in pairwise(EDGES)]
    rising = np.clip((hertz - EDGES[0]) / _JOIN, 0, 1)
    gains, factor = np.zeros(len(middles)), np.ones(len(hertz))
    for _ in range(_ROUNDS):
        moved = [10 * np.log10((power[i] * factor[i] ** 2).mean() + _SILENT) for i in within]
        gains += np.subtract(usual, moved[1:]) + moved[0]
        gains = np.clip(gains, -_FURTHEST, _FURTHEST)
        factor = 10 ** (np.interp(hertz, middles, gains) * rising / 20)
    result: np.ndarray = np.fft.irfft(spectrum * factor, len(wave)).astype(np.float32)
    return result


def from_take(
    wave: np.ndarray,
    take: np.ndarray,
    sample_rate: int,
    *,
    low: Hertz,
    high: Hertz,
    f0: torch.Tensor,
    take_f0: torch.Tensor,
) -> np.ndarray:
    """Bring the predicted treble of a converted wave to the levels of its take.

    Args:
        wave: [n] as the vocoder gave it, at the level that the model works at.
        take: [n] of the source, in time with it, at the same rate and level.
        sample_rate: of both, Hz.
        low: where the prediction begins, the mel's top.
        high: where the take's or the vocoder's sound ends; above it the prediction stays as it is.
        f0: [T] Hz of `wave`, 0 where unvoiced; its frames divide n.
        take_f0: [T] Hz of `take`, likewise.

    Returns:
        [n]; below `low` the wave as it was.
    """
    stft = BandedSTFT(_WINDOW, sample_rate, (low - _BELOW, sample_rate / 2))
    both = np.pad(np.stack([wave, take]).astype(np.float32), ((0, 0), (0, -len(wave) % _HOP)))
    spectra, hertz = stft.analyse(torch.from_numpy(both)), stft.hertz.numpy()  # [2, frames, bins]
    edges = np.linspace(low, high, max(2, round((high - low) / _WIDTH) + 1))
    bands = _bands(spectra, hertz, np.concatenate([[low - _BELOW], edges]))
    frame = len(wave) / len(f0)  # samples a frame of F0
    levels, below = [], []
    for power, pitch in zip(bands, (f0, take_f0), strict=True):
        periods = _periods(pitch.numpy(), frame, power.shape[1], sample_rate)
        mean = _mean_around(_mean_around(power, periods), periods)
        level = 10 * np.log10(mean + _SILENT)  # [1 + bands, frames]
        below.append(_smooth(level[0], round(_STEADY * sample_rate / _HOP)))
        levels.append(level[1:])
    moved = np.clip(below[0] - below[1], -_FURTHEST, _FURTHEST)
    gain = levels[1] - levels[0] + moved
    nepers = math.log(10) / 20 * torch.from_numpy(gain.T @ _onto_bins(edges, hertz))
    change = stft.synthesise(spectra[:1] * nepers.float().expm1())
    result: np.ndarray = wave + change[0, : len(wave)].numpy()
    return result


def without(wave: np.ndarray, sample_rate: int, low: Hertz) -> np.ndarray:
    """A wave [n] with nothing above `low` Hz."""
    spectrum = np.fft.rfft(wave)
    hertz = np.fft.rfftfreq(len(wave), 1 / sample_rate)
    fall = np.clip((low + _JOIN - hertz) / (2 * _JOIN), 0, 1)
    result: np.ndarray = np.fft.irfft(spectrum * fall, len(wave)).astype(np.float32)
    return result


def _bands(spectra: torch.Tensor, hertz: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Mean power of [B, frames, bins] between each two edges, [B, bands, frames]."""
    within = (hertz >= edges[:-1, None]) & (hertz < edges[1:, None])  # [bands, bins]
    weights = torch.from_numpy(within / within.sum(1, keepdims=True)).float()
    power = spectra.real.square() + spectra.imag.square()
    return (power @ weights.T).transpose(1, 2).double().numpy()


def _periods(f0: np.ndarray, frame: float, count: int, sample_rate: int) -> np.ndarray:
    """Over how many STFT frames each mean is taken, [count].

    Whole periods of F0 [T], as few as are no shorter than `_SHORTEST`, which it is where unvoiced.
    """
    at = np.clip((np.arange(count) + 0.5) * _HOP / frame, 0, len(f0) - 1).astype(int)
    period = 1 / np.where(f0 > 0, f0, 1 / _SHORTEST)[at]
    result: np.ndarray = period * np.ceil(_SHORTEST / period - 1e-6) * sample_rate / _HOP
    return result


def _mean_around(power: np.ndarray, periods: np.ndarray) -> np.ndarray:
    """Mean of [bands, frames] about each frame, over so many of them."""
    frames = power.shape[1]
    middle = np.arange(frames) + 0.5
    summed = np.concatenate([np.zeros((len(power), 1)), np.cumsum(power, 1)], 1)

    def until(place: np.ndarray) -> np.ndarray:
        """The sum of all up to a place between two frames, [bands, frames]."""
        whole = np.minimum(place.astype(int), frames - 1)
        sums: np.ndarray = summed[:, whole] + (place - whole) * power[:, whole]
        return sums

    begin = np.clip(middle - periods / 2, 0, frames)
    end = np.clip(middle + periods / 2, 0, frames)
    mean: np.ndarray = (until(end) - until(begin)) / (end - begin)
    return mean


def _smooth(level: np.ndarray, width: int) -> np.ndarray:
    window = np.hanning(width + 2)[1:-1]
    padded = np.pad(level, (width // 2, width - 1 - width // 2), mode="edge")
    return np.convolve(padded, window / window.sum(), "valid")


def _onto_bins(edges: np.ndarray, hertz: np.ndarray) -> np.ndarray:
    """A band's share in each bin's gain, [bands, bins]; none outside the edges."""
    middles = (edges[:-1] + edges[1:]) / 2
    weights = np.stack([np.interp(hertz, middles, row) for row in np.eye(len(middles))])
    begins = np.clip((hertz - edges[0] + _JOIN) / (2 * _JOIN), 0, 1)
    ends = np.clip((edges[-1] + _JOIN - hertz) / (2 * _JOIN), 0, 1)
    result: np.ndarray = weights * begins * ends
    return result
