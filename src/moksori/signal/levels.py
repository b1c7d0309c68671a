"""Levels of waves: loudness, gain, peak, and where speech lies above the noise. Waves are in [-1, 1]."""

import numpy as np

from moksori.config import Decibels, Seconds
from moksori.signal import gating

_FULL_SCALE_PEAK = 0.999


def decibels(amplitude: float) -> Decibels:
    """Amplitude in dB of full scale; digital silence is -200."""
    return 20 * float(np.log10(max(amplitude, 1e-10)))


def loudness(wave: np.ndarray, sample_rate: int) -> Decibels:
    """Integrated loudness (ITU-R BS.1770-4) of `wave` [n] in LUFS; -inf for digital silence only.

    A wave shorter than the standard's block of 400 ms is measured as one block. One so quiet that the
    standard's gate of -70 LUFS leaves nothing is measured without gate and filter.
    """
    block = min(gating.BLOCK, len(wave) / sample_rate * 0.999)
    with np.errstate(divide="ignore"):
        gated = gating.integrated_loudness(wave, sample_rate, block)
        power = float(np.mean(np.square(wave, dtype=np.float64)))
        return gated if np.isfinite(gated) else float(-0.691 + 10 * np.log10(power))


def gain_to(wave: np.ndarray, sample_rate: int, target: Decibels) -> float:
    """The factor that brings `wave` to `target` LUFS; 1 for digital silence."""
    return gain_from(loudness(wave, sample_rate), target)


def gain_from(measured: Decibels, target: Decibels) -> float:
    """The factor that brings a wave of the loudness `measured` to `target` LUFS; 1 for digital silence."""
    return 10 ** ((target - measured) / 20) if np.isfinite(measured) else 1.0


def fit_peak(wave: np.ndarray, least: Decibels = 0.0) -> tuple[np.ndarray, Decibels]:
    """Lower `wave` so that it fits full scale, by at least so many dB; also the dB it was lowered by."""
    peak = float(np.abs(wave).max(initial=0.0))
    over = decibels(peak / _FULL_SCALE_PEAK) if peak > _FULL_SCALE_PEAK else 0.0
    if over <= least:
        return (wave * np.float32(10 ** (-least / 20)) if least else wave), least
    return wave * (_FULL_SCALE_PEAK / peak), over


def speech_bounds(
    wave: np.ndarray,
    sample_rate: int,
    below_peak: Decibels = 45.0,
    margin: Seconds = 0.08,
    noise: float = 0.0,
) -> tuple[int, int]:
    """Where speech begins and ends, in samples, with `margin` on both sides.

    A frame of 23 ms counts as speech when its level is within `below_peak` of the loudest frame, and above
    `noise`, the RMS of what the recording's format adds by itself (`Recording.noise`).
    """
    hop = max(1, round(0.0116 * sample_rate))
    padded = np.pad(wave, (hop, hop + (-len(wave)) % hop))
    power = (padded.reshape(-1, hop).astype(np.float64) ** 2).mean(axis=1)
    level = 10 * np.log10(np.maximum((power[:-1] + power[1:]) / 2, 1e-12))
    least = max(level.max() - below_peak, min(20 * np.log10(max(noise, 1e-9)), level.max() - 1e-6))
    active = np.flatnonzero(level > least)
    start = (int(active[0]) - 1) * hop - round(margin * sample_rate)
    end = (int(active[-1]) + 1) * hop + round(margin * sample_rate)
    return max(0, start), min(len(wave), end)
