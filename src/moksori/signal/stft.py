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
        self.n_fft, self.hop, self.sample_rate = window, window // 4, sample_rate
        low, high = (limit * window / sample_rate for limit in band)
        self.first, last = math.ceil(low), min(window // 2, math.floor(high))
        self.bins = last + 1 - self.first
        self.hertz = torch.arange(self.first, last + 1) * sample_rate / window
        self.register_buffer("window", torch.hann_window(window), persistent=False)

    def analyse(self, wave: torch.Tensor) -> torch.Tensor:
        """[B, n], n a multiple of `hop` → complex [B, n / hop, bins]."""
        return self.spectra(self.frames(wave))

    def frames(self, wave: torch.Tensor) -> torch.Tensor:
        """What is under each window: [B, n] → [B, n / hop, n_fft], of which nothing is copied."""
        pad = (self.n_fft - self.hop) // 2
        padded = functional.pad(wave[:, None], (pad, pad), mode="reflect")[:, 0]
        return padded.unfold(1, self.n_fft, self.hop)

    def spectra(self, frames: torch.Tensor) -> torch.Tensor:
        """[B, F, n_fft] → complex [B, F, bins]."""
        spectra: torch.Tensor = torch.fft.rfft(frames * self.window)
        return spectra[..., self.first : self.first + self.bins]

    def synthesise(self, spectra: torch.Tensor) -> torch.Tensor:
        """Its inverse: [B, F, bins] → [B, F * hop]."""
        summed = OverlapAdd(self, spectra.shape[1])
        summed.add(spectra)
        return summed.wave()


class OverlapAdd:
    """The inverse of a `BandedSTFT` over frames that come some at a time.

    Args:
        stft: of them.
        count: of all frames.
    """

    def __init__(self, stft: BandedSTFT, count: int) -> None:
        self.stft, self.count, self.at = stft, count, 0
        self.hops: torch.Tensor | None = None  # [B, count + 3, hop]

    def add(self, spectra: torch.Tensor) -> None:
        """Those of the next F frames, [B, F, bins]."""
        stft = self.stft
        whole = functional.pad(spectra, (stft.first, 0)) if stft.first else spectra
        frames = torch.fft.irfft(whole, stft.n_fft) * stft.window
        if self.hops is None:
            self.hops = frames.new_zeros(len(frames), self.count + 3, stft.hop)
        _add(self.hops, frames, self.at)
        self.at += frames.shape[1]

    def wave(self) -> torch.Tensor:
        """[B, count * hop], when all frames have come."""
        assert self.hops is not None
        stft, count = self.stft, self.count
        # All hops but those at the ends lie under four windows, so four windows have all the weights.
        few = min(count, 4)
        weights = stft.window.new_zeros(1, few + 3, stft.hop)
        _add(weights, stft.window.square().expand(1, few, -1))
        hops = torch.arange(count + 3, device=weights.device)
        nearest = hops.clamp(max=few - 1) + (hops - (count - 1)).clamp(min=0)
        self.hops /= weights.clamp(min=1e-3)[:, nearest]
        pad = (stft.n_fft - stft.hop) // 2
        return self.hops.flatten(1)[:, pad:-pad]


def _add(hops: torch.Tensor, frames: torch.Tensor, at: int = 0) -> None:
    """Add windows [B, F, n_fft] that begin a hop after one another to [B, hops, hop], from hop `at` on."""
    quarters = frames.reshape(*frames.shape[:2], 4, hops.shape[2]).unbind(2)
    for late, quarter in enumerate(quarters, at):
        hops[:, late : late + frames.shape[1]] += quarter
