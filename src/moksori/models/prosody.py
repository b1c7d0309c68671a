"""Prosody for the decoder: F0 at the target's mean log-F0 with voicing and energy, or the paper's residual.

The paper's residual encoder is the weak link on unseen actors; normalised F0 is not (arXiv 2104.00931).
"""

import itertools
import math

import torch
from torch import nn
from torch.nn import functional

from moksori.models.layers import MaskedConv, masked_standard, nearest_voiced
from moksori.signal.features import energy

_CENTRE = math.log(200.0)  # Hz; about the middle of all voices
_SPREAD = 0.4


def fill_unvoiced(log_f0: torch.Tensor, voiced: torch.Tensor) -> torch.Tensor:
    """Straight lines over the unvoiced frames of `log_f0` [B, T]; flat before and after.

    A line without any voiced frame is filled with the centre of all voices.
    """
    t = torch.arange(log_f0.shape[1], device=log_f0.device).expand_as(log_f0)
    last = log_f0.shape[1] - 1
    before, after = nearest_voiced(voiced)
    left = torch.where(before >= 0, before, after).clamp(0, last)
    right = torch.where(after <= last, after, before).clamp(0, last)
    step = ((t - left) / (right - left).clamp(min=1)).clamp(0, 1)
    filled = log_f0.gather(1, left) * (1 - step) + log_f0.gather(1, right) * step
    return torch.where(voiced.any(1, keepdim=True), filled, torch.full_like(filled, _CENTRE))


class F0Prosody(nn.Module):
    """F0 as a number and as one of `f0_bins` embeddings (0 for unvoiced), voicing, energy by band.

    Each band's energy has zero mean and unit variance by line, so that it shows how the line moves
    and not which timbre the source's voice has.
    """

    def __init__(
        self, dim: int, f0_bins: int, f0_min: float, f0_max: float, energy_bands: int
    ) -> None:
        super().__init__()
        self.low, self.high = math.log(f0_min), math.log(f0_max)
        self.f0_bins, self.energy_bands = f0_bins, energy_bands
        self.embedding = nn.Embedding(f0_bins + 1, dim)
        self.project = nn.Linear(2 + energy_bands, dim)

    def forward(self, f0: torch.Tensor, mel: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Encode prosody.

        Args:
            f0: [B, T] Hz at the target's mean log-F0, 0 where unvoiced.
            mel: [B, T, n_mels] of the source, for its energy.
            mask: [B, T].

        Returns:
            P [B, T, dim].
        """
        voiced = (f0 > 0) & mask
        log_f0 = f0.clamp(min=1).log()
        place = ((log_f0 - self.low) / (self.high - self.low)).clamp(0, 1)
        bins = torch.where(voiced, 1 + (place * (self.f0_bins - 1)).round().long(), 0)
        curve = (fill_unvoiced(log_f0, voiced) - _CENTRE) / _SPREAD
        contour = torch.stack([curve, voiced.to(curve.dtype)], -1)  # [B, T, 2]
        level = masked_standard(energy(mel, self.energy_bands), mask)  # [B, T, energy_bands]
        result: torch.Tensor = self.embedding(bins) + self.project(torch.cat([contour, level], -1))
        return result


class ResidualProsody(nn.Module):
    """Cotatron's residual encoder: one number a frame that the text does not tell (section 3.2).

    Convolutions over the mel to one channel, instance norm over the unpadded frames, tanh, and a Hann
    window, so narrow and smooth that little of the speaker fits through.

    Args:
        dim: channels of P.
        n_mels: bins of the mel.
        width: channels of the convolutions.
        layers: how many there are before the last.
        window: length of the Hann window in frames, odd.
    """

    hann: torch.Tensor

    def __init__(
        self, dim: int, n_mels: int, width: int = 128, layers: int = 5, window: int = 21
    ) -> None:
        super().__init__()
        sizes = [n_mels, *[width] * layers]
        self.convs = nn.ModuleList(MaskedConv(a, b, 5) for a, b in itertools.pairwise(sizes))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(layers))
        self.residual = MaskedConv(width, 1, 5)
        self.project = nn.Linear(1, dim)
        hann = torch.hann_window(window + 2, periodic=False)[1:-1]
        self.register_buffer("hann", hann / hann.sum())

    def forward(self, f0: torch.Tensor, mel: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Encode prosody; `f0` is not looked at.

        Args:
            f0: [B, T], as `F0Prosody`.
            mel: [B, T, n_mels] of the source.
            mask: [B, T].

        Returns:
            P [B, T, dim].
        """
        result: torch.Tensor = self.project(self.encode(mel, mask))
        return result

    def encode(self, mel: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """The residual [B, T, 1], from -1 to 1."""
        x = mel * mask[..., None]
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = functional.relu(norm(conv(x, mask)))
        x = torch.tanh(masked_standard(self.residual(x, mask), mask)) * mask[..., None]
        smooth = functional.conv1d(
            x.transpose(1, 2), self.hann[None, None].to(x.dtype), padding=len(self.hann) // 2
        )
        return smooth.transpose(1, 2) * mask[..., None]


class NoProsody(nn.Module):
    """No prosody at all: what the others are measured against.

    Args:
        dim: channels of P.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, f0: torch.Tensor, mel: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Zeros [B, T, dim]; the arguments as `F0Prosody`."""
        return mel.new_zeros(*mask.shape, self.dim)
