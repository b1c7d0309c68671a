"""What the models hear: log-mel and F0 frame by frame, energy, and the arithmetic of frames.

A frame is `hop_length` samples. A wave of n samples has n // hop_length frames, for all features.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from moksori.config import AudioConfig, Seconds
from moksori.signal.pitch import f0

LOG_FLOOR = 1e-5  # magnitude under which the log-mel is cut; silence is log(1e-5) = -11.5


class Features(NamedTuple):
    """Features of one line; T frames each."""

    mel: torch.Tensor  # [T, n_mels] natural log of magnitude
    f0: torch.Tensor  # [T] Hz, 0 where unvoiced


def samples_to_seconds(samples: int, audio: AudioConfig) -> Seconds:
    """Seconds that `samples` last."""
    return samples / audio.sample_rate


def frames_to_seconds(frames: float, audio: AudioConfig) -> Seconds:
    """Seconds that `frames` last."""
    return frames * audio.hop_length / audio.sample_rate


def _hz_to_mel(hertz: np.ndarray) -> np.ndarray:
    """Slaney's scale: linear under 1 kHz, logarithmic above (Auditory Toolbox, 1998)."""
    hertz = np.asarray(hertz, dtype=np.float64)
    log_part = 15 + np.log(np.maximum(hertz, 1e-9) / 1000) / (np.log(6.4) / 27)
    return np.where(hertz < 1000, hertz * 3 / 200, log_part)


def _mel_to_hz(mel: np.ndarray) -> np.ndarray:
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((np.log(6.4) / 27) * (mel - 15)))


def mel_edges(audio: AudioConfig) -> np.ndarray:
    """Hertz [n_mels + 2] of the mel filters: filter i rises from i, peaks at i + 1, ends at i + 2."""
    low, high = _hz_to_mel(np.array([audio.fmin, audio.fmax]))
    return _mel_to_hz(np.linspace(low, high, audio.n_mels + 2))


@lru_cache
def mel_filters(audio: AudioConfig) -> torch.Tensor:
    """Triangular mel filters of unit area (Slaney's norm), [n_mels, n_fft // 2 + 1]."""
    centres = mel_edges(audio)
    bins = np.linspace(0, audio.sample_rate / 2, audio.n_fft // 2 + 1)
    ramps = centres[:, None] - bins[None]  # [n_mels + 2, bins]
    widths = np.diff(centres)[:, None]
    rising, falling = -ramps[:-2] / widths[:-1], ramps[2:] / widths[1:]
    triangles = np.maximum(0, np.minimum(rising, falling))
    area = 2 / (centres[2:] - centres[:-2])[:, None]
    return torch.from_numpy((triangles * area).astype(np.float32))


def _magnitude(wave: torch.Tensor, audio: AudioConfig) -> torch.Tensor:
    """STFT magnitude [bins, T], padded as HiFi-GAN does: reflect, not centred."""
    pad = (audio.n_fft - audio.hop_length) // 2
    padded = functional.pad(wave[None], (pad, pad), mode="reflect")[0]
    window = torch.hann_window(audio.win_length)
    spectrum = torch.stft(
        padded, audio.n_fft, audio.hop_length, audio.win_length, window,
        center=False, return_complex=True,
    )  # fmt: skip
    return (spectrum.real.square() + spectrum.imag.square() + 1e-9).sqrt()


def log_mel(wave: np.ndarray, audio: AudioConfig) -> torch.Tensor:
    """Log-mel [T, n_mels] of `wave` [n] at `audio.sample_rate`.

    HiFi-GAN's recipe (github.com/jik876/hifi-gan, meldataset.py): the vocoder understands no other.
    """
    magnitude = _magnitude(torch.from_numpy(np.ascontiguousarray(wave, dtype=np.float32)), audio)
    mel = (mel_filters(audio) @ magnitude).clamp(min=LOG_FLOOR).log()
    return mel.T.contiguous()


def power_mel(wave: np.ndarray, audio: AudioConfig) -> torch.Tensor:
    """Mel of power [1 + n // hop_length, n_mels] of `wave` [n]: frames centred, as librosa's by default."""
    samples = torch.from_numpy(np.ascontiguousarray(wave, dtype=np.float32))
    spectrum = torch.stft(
        samples, audio.n_fft, audio.hop_length, audio.win_length, torch.hann_window(audio.win_length),
        pad_mode="constant", return_complex=True,
    )  # fmt: skip
    power = spectrum.real.square() + spectrum.imag.square()
    return (mel_filters(audio) @ power).T


def energy(mel: torch.Tensor, bands: int) -> torch.Tensor:
    """Log energy of `bands` parts of the spectrum, of equal width on the mel scale.

    Args:
        mel: log-mel [..., n_mels].
        bands: 1 is the energy of the whole; 3 are about 0-1, 1-3 and 3-8 kHz.

    Returns:
        Natural log of magnitude, [..., bands].
    """
    parts = mel.tensor_split(bands, dim=-1)
    return torch.stack([(2 * part).logsumexp(-1) / 2 for part in parts], -1)


def extract(wave: np.ndarray, audio: AudioConfig) -> Features:
    """All features of `wave` [n] at `audio.sample_rate`; n at least n_fft."""
    return Features(log_mel(wave, audio), torch.from_numpy(f0(wave, audio)))
