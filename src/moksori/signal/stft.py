"""A short-time Fourier transform over a band of frequencies, and its inverse."""

import math

import torch
from torch import nn
from torch.nn import functional

from moksori.config import Hertz


class BandedSTFT(nn.Module):
    """STFT with windows a quarter apart, of which only the bins of a band are kept.

    Frame t is centred at sample `(t + 0.5) * hop`, so that n samples have n / hop frames.

    Args:
        window: Hann's, in samples; a multiple of 4.
        sample_rate: Hz.
        band: Hz; of the bins outside it nothing is known, and in the inverse they are silent.
    """

    window: torch.Tensor

    def __init__(self, window: int, sample_rate: int, band: tuple[Hertz, Hertz]) -> None:
        super().__init__()
        self.n_fft, self.hop = window, window // 4
        low, high = (limit * window / sample_rate for limit in band)
        self.first, last = math.ceil(low), min(window // 2, math.floor(high))
        self.bins = last + 1 - self.first
        self.hertz = torch.arange(self.first, last + 1) * sample_rate / window
        self.register_buffer("window", torch.hann_window(window), persistent=False)

    def analyse(self, wave: torch.Tensor) -> torch.Tensor:
        """[B, n], n a multiple of `hop` → complex [B, n / hop, bins]."""
        pad = (self.n_fft - self.hop) // 2
        padded = functional.pad(wave[:, None], (pad, pad), mode="reflect")[:, 0]
        spectrum = torch.stft(
            padded, self.n_fft, self.hop, window=self.window, center=False, return_complex=True
        )
        return spectrum.transpose(1, 2)[..., self.first : self.first + self.bins]

    def synthesise(self, spectrum: torch.Tensor) -> torch.Tensor:
        """Its inverse: [B, F, bins] → [B, F * hop]."""
        whole = functional.pad(spectrum, (self.first, 0)) if self.first else spectrum
        pieces = torch.fft.irfft(whole, self.n_fft) * self.window
        wave = self._overlap_add(pieces)
        # All hops but those at the ends lie under four windows, so four windows have all the weights.
        count = spectrum.shape[1]
        few = min(count, 4)
        weights = self._overlap_add(self.window.square().expand(1, few, -1)).clamp(min=1e-3)
        hops = torch.arange(count + 3, device=wave.device)
        wave /= weights[:, hops.clamp(max=few - 1) + (hops - (count - 1)).clamp(min=0)]
        pad = (self.n_fft - self.hop) // 2
        return wave.flatten(1)[:, pad:-pad]

    def _overlap_add(self, pieces: torch.Tensor) -> torch.Tensor:
        """Sum of windows a quarter apart: [B, F, n_fft] → [B, F + 3, hop]."""
        quarters = pieces.reshape(*pieces.shape[:2], 4, self.hop).unbind(2)
        whole = pieces.new_zeros(len(pieces), pieces.shape[1] + 3, self.hop)
        for late, quarter in enumerate(quarters):
            whole[:, late : late + pieces.shape[1]] += quarter
        return whole
