"""The source-filter vocoder in real numbers alone, with its noise given: what ONNX can hold.

The same arithmetic as `source_filter.py`; a Fourier transform of a window is a convolution with its cosines
and sines, its inverse with overlap a transposed one.
"""

import math

import torch
from torch import nn
from torch.nn import functional

from moksori.models.vocoder.filter_bank import FilterBank
from moksori.models.vocoder.source_filter import (
    SourceFilter,
    envelope_of_period,
    interpolate_f0,
)

Spectrum = tuple[torch.Tensor, torch.Tensor]  # real and imaginary part, [B, bins, frames] each


class RealValuedVocoder(nn.Module):
    """A `SourceFilter` whose graph holds neither complex numbers nor random ones.

    Args:
        vocoder: whose weights it shares.
    """

    def __init__(self, vocoder: SourceFilter) -> None:
        super().__init__()
        self.vocoder = vocoder
        self.harmonic, self.noise = _Bank(vocoder.harmonic_bank), _Bank(vocoder.noise_bank)

    def forward(
        self,
        mel: torch.Tensor,
        f0: torch.Tensor,
        white: torch.Tensor,
        treble: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Synthesise.

        Args:
            mel: log-mel [1, T, n_mels].
            f0: [1, T] Hz, 0 where unvoiced.
            white: [2, T * hop_length] of unit power.
            treble: [1, 3] dB, the voice's usual levels above the mel, for vocoders that are told them.

        Returns:
            Wave [1, T * hop_length].
        """
        vocoder, voiced = self.vocoder, f0 > 0
        f0 = interpolate_f0(f0)
        pulses, angle = vocoder.pulses(f0)
        gain, phase, *noise_gains = (
            x.transpose(1, 2)
            for x in vocoder.spectra(vocoder.hidden(mel, f0, voiced, treble), mel, voiced)
        )
        tone, breath = self.harmonic.analyse(pulses), list[Spectrum]()
        size, real, imaginary = gain.exp(), phase.cos(), phase.sin()
        filtered = (
            size * (real * tone[0] - imaginary * tone[1]),
            size * (imaginary * tone[0] + real * tone[1]),
        )
        for source, level in zip(
            (white[:1], white[1:] * envelope_of_period(angle)), noise_gains, strict=True
        ):
            breath.append(tuple(level.exp() * part for part in self.noise.analyse(source)))  # type: ignore[arg-type]  # of two
        steady, synchronous = breath
        mixed = steady[0] + synchronous[0], steady[1] + synchronous[1]
        wave: torch.Tensor = self.harmonic.synthesise(filtered) + self.noise.synthesise(mixed)
        return wave


class _Bank(nn.Module):
    """A `FilterBank`'s STFT and its inverse."""

    analysis: torch.Tensor
    synthesis: torch.Tensor
    power: torch.Tensor

    def __init__(self, bank: FilterBank) -> None:
        super().__init__()
        self.n_fft, self.hop, self.bins = bank.n_fft, bank.hop, bank.bins
        bins = torch.arange(bank.first, bank.first + bank.bins).double()
        samples = torch.arange(bank.n_fft).double()
        angle = 2 * math.pi / bank.n_fft * bins[:, None] * samples
        window, times = bank.window.double(), torch.full((bank.bins, 1), 2.0).double()
        times[bins == 0], times[bins == bank.n_fft / 2] = 1.0, 1.0
        both = torch.cat([angle.cos(), -angle.sin()])[:, None]  # [2 * bins, 1, n_fft]
        scale = torch.cat([times, times])[:, None] / bank.n_fft
        self.register_buffer("analysis", (both * window).float(), persistent=False)
        self.register_buffer("synthesis", (both * scale * window).float(), persistent=False)
        self.register_buffer("power", window.square()[None, None].float(), persistent=False)

    def analyse(self, wave: torch.Tensor) -> Spectrum:
        """[1, n] → its spectrum."""
        pad = (self.n_fft - self.hop) // 2
        padded = functional.pad(wave[:, None], (pad, pad), mode="reflect")
        found = functional.conv1d(padded, self.analysis, stride=self.hop)
        return found[:, : self.bins], found[:, self.bins :]

    def synthesise(self, spectrum: Spectrum) -> torch.Tensor:
        """Its inverse: [1, n]."""
        joined = torch.cat(spectrum, 1)
        wave = functional.conv_transpose1d(joined, self.synthesis, stride=self.hop)
        ones = torch.ones_like(joined[:, :1])
        weight = functional.conv_transpose1d(ones, self.power, stride=self.hop).clamp(min=1e-3)
        pad = (self.n_fft - self.hop) // 2
        return (wave / weight)[:, 0, pad:-pad]
