"""F0 frame by frame, by SwiftF0; why by it is in docs/figures.md."""

import math
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from moksori.config import AudioConfig, Hertz, Semitones
from moksori.signal.audio import resample

if TYPE_CHECKING:
    from swift_f0 import SwiftF0

_SWIFT_RATE = 16000
_VOICED = 0.5  # SwiftF0's own threshold of its confidence


class Track(NamedTuple):
    """What a tracker hears; K of its own frames."""

    times: np.ndarray  # [K] seconds
    hertz: np.ndarray  # [K], a guess where unvoiced
    voiced: np.ndarray  # [K] bool


def swift(wave: np.ndarray, sample_rate: int, low: Hertz, high: Hertz) -> Track:
    """F0 of `wave` [n] every 16 ms (SwiftF0, a small convolutional network)."""
    found = _swift().detect(
        resample(wave, sample_rate, _SWIFT_RATE).astype(np.float32), _SWIFT_RATE, low, high
    )
    return Track(found.timestamps, found.pitch_hz, found.confidence >= _VOICED)


def f0(wave: np.ndarray, audio: AudioConfig, sample_rate: int | None = None) -> np.ndarray:
    """F0 [T] in Hz of `wave` [n], 0 where unvoiced, at the middle of each whole mel frame.

    Args:
        wave: mono.
        audio: of the frames, and how high and low F0 may be.
        sample_rate: of the wave; the frames' own by default.
    """
    sample_rate = sample_rate or audio.sample_rate
    frames = len(wave) * audio.sample_rate // (sample_rate * audio.hop_length)
    return _on_grid(wave, sample_rate, frames, audio).astype(np.float32)


def shift_f0(
    f0: torch.Tensor,
    log_f0_mean: float,
    pitch: Semitones = 0.0,
    source: float | None = None,
) -> torch.Tensor:
    """Move F0 to another mean, its intervals kept.

    Args:
        f0: [T] Hz, 0 where unvoiced.
        log_f0_mean: to move to; mean natural log of Hz over voiced frames.
        pitch: semitones above it.
        source: the speaker's own mean, so that a line said higher than usual stays so; this line's
            by default.
    """
    own = mean_log_f0(f0)
    if own is None:
        return f0
    shift = log_f0_mean + pitch * math.log(2) / 12 - (own if source is None else source)
    return torch.where(f0 > 0, f0 * math.exp(shift), f0)


def mean_log_f0(f0: torch.Tensor) -> float | None:
    """Mean natural log of F0 [T] in Hz over voiced frames; None if none is."""
    voiced = f0 > 0
    return float(f0[voiced].log().mean()) if voiced.any() else None


def _on_grid(wave: np.ndarray, sample_rate: int, frames: int, audio: AudioConfig) -> np.ndarray:
    """SwiftF0's track at the mel's frames: straight lines in log-F0 between voiced frames."""
    times, hertz, voiced = swift(wave, sample_rate, audio.f0_min, audio.f0_max)
    if not voiced.any():
        return np.zeros(frames)
    middles = (np.arange(frames) + 0.5) * audio.hop_length / audio.sample_rate
    nearest = voiced[np.searchsorted((times[1:] + times[:-1]) / 2, middles)]
    return np.where(nearest, np.exp(np.interp(middles, times[voiced], np.log(hertz[voiced]))), 0.0)


def _swift() -> "SwiftF0":
    return _loaded(torch.get_num_threads())


@cache
def _loaded(threads: int) -> "SwiftF0":
    """On as many cores as PyTorch; its threads sleep when they have nothing to do."""
    from swift_f0 import SwiftF0

    return SwiftF0(threads=threads, spin=False)
