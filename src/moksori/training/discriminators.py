"""Discriminators of a vocoder's waves: spectrograms at several resolutions (UnivNet, arXiv 2106.07889).

Recordings hold different bands. Everything here takes each wave's band and leaves out what lies above, so
that a recording that ends at 10 kHz teaches nothing about 15 kHz.
"""

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

from moksori.config import Hertz

_SLOPE = 0.2  # of the leaky ReLUs
_FLOOR = 1e-7  # power under the square root, for its derivative

Features = list[torch.Tensor]  # of each layer; the last one is the judgement


def magnitude(wave: torch.Tensor, n_fft: int) -> torch.Tensor:
    """STFT magnitude [B, bins, frames] of waves [B, n], with a hop of a quarter of the window."""
    window = torch.hann_window(n_fft, device=wave.device)
    spectrum = torch.stft(
        wave.float(), n_fft, n_fft // 4, window=window, pad_mode="constant", return_complex=True
    )
    return (spectrum.real.square() + spectrum.imag.square() + _FLOOR).sqrt()


def band_mask(band: torch.Tensor, n_fft: int, sample_rate: int, floor: Hertz = 0.0) -> torch.Tensor:
    """Mask [B, bins, 1]: 1 for the bins of an STFT from `floor` up to each wave's `band` [B] in Hz."""
    hertz = torch.arange(n_fft // 2 + 1, device=band.device) * (sample_rate / n_fft)
    held = (hertz[None] <= band[:, None]) & (hertz[None] >= floor)
    return held.float()[..., None]


class SpectrogramDiscriminator(nn.Module):
    """Convolutions over one spectrogram, compressed as the ear hears it.

    Args:
        n_fft: window of the spectrogram in samples, four times its hop.
        channels: of the convolutions.
        sample_rate: of the waves, Hz.
        floor: Hz, below which nothing is seen.
    """

    def __init__(self, n_fft: int, channels: int, sample_rate: int, floor: Hertz = 0.0) -> None:
        super().__init__()
        self.n_fft, self.sample_rate, self.floor = n_fft, sample_rate, floor
        c = channels
        shapes = [  # in, out, kernel, stride; of frequency and time
            (1, c, (9, 3), (2, 1)),
            (c, c, (9, 3), (2, 1)),
            (c, c, (9, 3), (2, 1)),
            (c, c, (9, 3), (2, 1)),
            (c, c, (3, 3), (1, 1)),
            (c, 1, (3, 3), (1, 1)),
        ]
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(a, b, k, s, padding=(k[0] // 2, k[1] // 2)))
            for a, b, k, s in shapes
        )

    def forward(self, wave: torch.Tensor, band: torch.Tensor) -> Features:
        """Waves [B, n] of `band` [B] Hz → each layer's output [B, C, bins, frames]."""
        x = magnitude(wave, self.n_fft)
        x = x * band_mask(band, self.n_fft, self.sample_rate, self.floor)
        x = (x + _FLOOR).pow(0.3)[:, None]  # [B, 1, bins, frames]
        features = []
        for layer in self.layers[:-1]:
            x = functional.leaky_relu(layer(x), _SLOPE)
            features.append(x)
        return [*features, self.layers[-1](x)]


class Discriminators(nn.Module):
    """One discriminator a window length."""

    def __init__(
        self, windows: tuple[int, ...], channels: int, sample_rate: int, floor: Hertz = 0.0
    ) -> None:
        super().__init__()
        self.discriminators = nn.ModuleList(
            SpectrogramDiscriminator(n, channels, sample_rate, floor) for n in windows
        )

    def forward(self, wave: torch.Tensor, band: torch.Tensor) -> list[Features]:
        """Waves [B, n] of `band` [B] Hz → features by window."""
        return [discriminator(wave, band) for discriminator in self.discriminators]


def discriminator_loss(real: list[Features], synthesised: list[Features]) -> torch.Tensor:
    """Least squares: recordings are 1, synthesised waves are 0 (HiFi-GAN, equation 1)."""
    parts = [
        (r[-1] - 1).square().mean() + s[-1].square().mean()
        for r, s in zip(real, synthesised, strict=True)
    ]
    return torch.stack(parts).mean()


def generator_loss(synthesised: list[Features]) -> torch.Tensor:
    """Least squares: what the vocoder wants is to be taken for a recording."""
    return torch.stack([(s[-1] - 1).square().mean() for s in synthesised]).mean()


def feature_matching_loss(real: list[Features], synthesised: list[Features]) -> torch.Tensor:
    """Mean absolute difference of features, relative to the recordings' (MelGAN, arXiv 1910.06711)."""
    parts = [
        (a - b.detach()).abs().mean() / b.detach().abs().mean()
        for r, s in zip(real, synthesised, strict=True)
        for b, a in zip(r[:-1], s[:-1], strict=True)
    ]
    return torch.stack(parts).mean()


def stft_loss(
    synthesised: torch.Tensor,
    real: torch.Tensor,
    windows: tuple[int, ...],
    band: torch.Tensor,
    sample_rate: int,
    floor: Hertz = 0.0,
) -> torch.Tensor:
    """Multi-resolution STFT loss of waves [B, n] (Parallel WaveGAN, arXiv 1910.11480, section 2.2).

    Args:
        synthesised: [B, n].
        real: [B, n].
        windows: in samples.
        band: [B] Hz; what lies above it does not count.
        sample_rate: Hz.
        floor: Hz; what lies below it does not count.
    """
    parts = []
    for n_fft in windows:
        mask = band_mask(band, n_fft, sample_rate, floor)
        a, b = magnitude(synthesised, n_fft), magnitude(real, n_fft)
        # A recording that ends below the floor counts as nothing.
        convergence = ((a - b) * mask).norm() / (b * mask).norm().clamp(min=_FLOOR)
        difference = ((a.log() - b.log()).abs() * mask).sum() / (
            mask.sum().clamp(min=1) * a.shape[-1]
        )
        parts.append(convergence + difference)
    return torch.stack(parts).mean()
