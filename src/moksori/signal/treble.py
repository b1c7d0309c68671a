"""How bright a speaker's recordings are above the mel's top: what the mel does not tell."""

from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from moksori.config import Decibels, Hertz
from moksori.signal.band import real_band

TrebleLevels = tuple[Decibels, Decibels, Decibels]

EDGES: tuple[Hertz, ...] = (8000.0, 9000.0, 10000.0, 10700.0)  # 22.05 kHz hold nothing above
_BELOW: Hertz = 6000.0  # from here to the first edge is what the levels are relative to
_N_FFT = 2048
_SILENT = 1e-12  # power that counts as nothing


def treble_levels(wave: np.ndarray, sample_rate: int) -> TrebleLevels | None:
    """Levels from 8 to 9, 9 to 10 and 10 to 10.7 kHz over that from 6 to 8 kHz, dB.

    Args:
        wave: [n] mono.
        sample_rate: Hz.

    Returns:
        None where the wave is too short, or cannot hold them by its rate or by its sound.
    """
    if len(wave) < 2 * _N_FFT or real_band(wave, sample_rate) < EDGES[-1]:
        return None
    frames = np.lib.stride_tricks.sliding_window_view(wave, _N_FFT)[:: _N_FFT // 4]
    power = (np.abs(np.fft.rfft(frames * np.hanning(_N_FFT), axis=1)) ** 2).mean(0)
    hertz = np.fft.rfftfreq(_N_FFT, 1 / sample_rate)
    below, *levels = (
        10 * np.log10(power[(hertz >= low) & (hertz < high)].mean() + _SILENT)
        for low, high in pairwise((_BELOW, *EDGES))
    )
    first, second, third = (round(float(level - below), 1) for level in levels)
    return first, second, third


def usual_levels(lines: Iterable[TrebleLevels | None]) -> TrebleLevels | None:
    """The mean of a speaker's recordings, dB; None where none is known."""
    rows = [line for line in lines if line]
    if not rows:
        return None
    first, second, third = np.mean(rows, axis=0).round(1).tolist()
    return first, second, third
