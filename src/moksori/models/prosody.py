"""Prosody for the decoder: log-F0 in the target's register, voicing, and energy.

The paper's residual encoder is the weak link on unseen actors; normalised F0 is not (arXiv 2104.00931).
"""

import math

import torch
from torch import nn

from moksori.features import energy
from moksori.models.layers import masked_standard

_CENTRE = math.log(200.0)  # Hz; about the middle of all voices
_SPREAD = 0.4


def fill_unvoiced(log_f0: torch.Tensor, voiced: torch.Tensor) -> torch.Tensor:
    """Straight lines over the unvoiced frames of `log_f0` [B, T]; flat before and after.

    A line without any voiced frame is filled with the centre of all voices.
    """
    t = torch.arange(log_f0.shape[1], device=log_f0.device).expand_as(log_f0)
    last = len(log_f0[0]) - 1
    before = torch.where(voiced, t, -1).cummax(1).values
    after = torch.where(voiced, t, last + 1).flip(1).cummin(1).values.flip(1)
    left = torch.where(before >= 0, before, after).clamp(0, last)
    right = torch.where(after <= last, after, before).clamp(0, last)
    step = ((t - left) / (right - left).clamp(min=1)).clamp(0, 1)
    filled = log_f0.gather(1, left) * (1 - step) + log_f0.gather(1, right) * step
    return torch.where(voiced.any(1, keepdim=True), filled, torch.full_like(filled, _CENTRE))


class F0Prosody(nn.Module):
    """F0 as a number and as one of `f0_bins` embeddings (0 for unvoiced), voicing, energy by band.

    Each band's energy has zero mean and unit variance by line, so that it tells how the line moves
    and not what colour the source's voice has.
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
            f0: [B, T] Hz in the target's register, 0 where unvoiced.
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
        melody = torch.stack([curve, voiced.to(curve.dtype)], -1)  # [B, T, 2]
        level = masked_standard(energy(mel, self.energy_bands), mask)  # [B, T, energy_bands]
        return self.embedding(bins) + self.project(torch.cat([melody, level], -1))
