"""Critics of a vocoder's waves: spectrograms at several resolutions (UnivNet, arXiv 2106.07889)."""

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

_SLOPE = 0.2  # of the leaky ReLUs

Features = list[torch.Tensor]  # of each layer; the last one is the judgement


def magnitude(wave: torch.Tensor, n_fft: int) -> torch.Tensor:
    """STFT magnitude [B, bins, frames] of waves [B, n], with a hop of a quarter of the window."""
    window = torch.hann_window(n_fft, device=wave.device)
    spectrum = torch.stft(
        wave.float(), n_fft, n_fft // 4, window=window, pad_mode="constant", return_complex=True
    )
    return (spectrum.real.square() + spectrum.imag.square() + 1e-7).sqrt()


class SpectrogramCritic(nn.Module):
    """Convolutions over one spectrogram, compressed as the ear hears it."""

    def __init__(self, n_fft: int, channels: int) -> None:
        super().__init__()
        self.n_fft = n_fft
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

    def forward(self, wave: torch.Tensor) -> Features:
        """Waves [B, n] → each layer's output."""
        x = magnitude(wave, self.n_fft).pow(0.3)[:, None]
        features = []
        for layer in self.layers[:-1]:
            x = functional.leaky_relu(layer(x), _SLOPE)
            features.append(x)
        return [*features, self.layers[-1](x)]


class Critics(nn.Module):
    """One critic a window length."""

    def __init__(self, windows: tuple[int, ...], channels: int) -> None:
        super().__init__()
        self.critics = nn.ModuleList(SpectrogramCritic(n, channels) for n in windows)

    def forward(self, wave: torch.Tensor) -> list[Features]:
        return [critic(wave) for critic in self.critics]


def critics_loss(real: list[Features], made: list[Features]) -> torch.Tensor:
    """Least squares: recordings are 1, waves made are 0 (HiFi-GAN, equation 1)."""
    parts = [
        (r[-1] - 1).square().mean() + m[-1].square().mean() for r, m in zip(real, made, strict=True)
    ]
    return torch.stack(parts).mean()


def deceiving_loss(made: list[Features]) -> torch.Tensor:
    """What the vocoder wants: to be taken for a recording."""
    return torch.stack([(m[-1] - 1).square().mean() for m in made]).mean()


def matching_loss(real: list[Features], made: list[Features]) -> torch.Tensor:
    """Mean absolute difference of the critics' features, relative to the recordings' (arXiv 1910.06711)."""
    parts = [
        (a - b.detach()).abs().mean() / b.detach().abs().mean()
        for r, m in zip(real, made, strict=True)
        for b, a in zip(r[:-1], m[:-1], strict=True)
    ]
    return torch.stack(parts).mean()


def spectral_loss(made: torch.Tensor, real: torch.Tensor, windows: tuple[int, ...]) -> torch.Tensor:
    """Multi-resolution STFT loss of waves [B, n] (Parallel WaveGAN, arXiv 1910.11480, section 2.2)."""
    parts = []
    for n_fft in windows:
        a, b = magnitude(made, n_fft), magnitude(real, n_fft)
        convergence = (a - b).norm() / b.norm()
        parts.append(convergence + (a.log() - b.log()).abs().mean())
    return torch.stack(parts).mean()
