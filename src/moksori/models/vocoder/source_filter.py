"""A vocoder of its own: pulses at F0 and noise, filtered several times a frame (harmonic plus noise).

F0 ── pulse train ───────────────────── STFT ── · filter ── inverse STFT ──┐
white noise ─────────────────────────── STFT ── · filter ──┬ inverse STFT ─┴─ wave
pitch-synchronous noise, from F0 ────── STFT ── · filter ──┘
mel, F0 ── ConvNeXt blocks at the frame rate ── the filters' spectra

The source of harmonics and noise is that of neural source-filter models (arXiv 1904.12088) and DDSP
(arXiv 2001.04643), the network at the frame rate with an inverse STFT at its end that of Vocos
(arXiv 2306.00814). The pitch is given, not learnt, so little training is enough; and nothing runs at the
sample rate but the source, so it is fast. Windows shorter than the mel's keep a stop's closure silent and
its burst short; that some noise is pitch-synchronous is after HNM's modulated noise (Stylianou 2001).
"""

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import torch
from pydantic import BaseModel
from torch import nn
from torch.nn import functional

from moksori.config import AudioConfig, SourceFilterConfig
from moksori.models.layers import Pointwise, along_time, nearest_voiced
from moksori.models.vocoder.base import Vocoder
from moksori.models.vocoder.filter_bank import FilterBank
from moksori.signal.treble import EDGES

_QUIET_HERTZ = 150.0  # the pulses' rate in a line without voiced frames
# Log gain; noise begins this far below pulses where voiced, pulses and pitch-synchronous
# noise this far below it elsewhere.
_SUNK = 3.0
_BLOCK = 512  # mel frames that are filtered at a time, 6 s: a long line's spectra take tens of megabytes each
_NOISE = 1 << 19  # samples that noise is drawn for at once, 12 s at 44.1 kHz


class SourceFilter(Vocoder):
    """The vocoder.

    Args:
        config: sizes.
        audio: of the mels.
    """

    kind = "source-filter"
    Config = SourceFilterConfig

    def __init__(self, config: SourceFilterConfig, audio: AudioConfig) -> None:
        super().__init__()
        self.audio = audio
        self.sample_rate = config.sample_rate or audio.sample_rate
        self.hop_length = config.hop_length(audio)
        self.floor, self.band = config.floor, min(config.band, self.sample_rate / 2)
        self.harmonic_bank = self._bank(config.harmonic_window)
        self.noise_bank = self._bank(config.noise_window)
        dim, self.takes_treble = config.dim, config.treble_levels
        notice = len(EDGES) if config.treble_levels else 0  # levels, and whether they are known
        self.inputs = nn.Conv1d(audio.n_mels + 2 + notice, dim, 7, padding=3)
        self.blocks = nn.ModuleList(
            ConvNeXtBlock(dim, config.expansion) for _ in range(config.blocks)
        )
        self.norm = nn.LayerNorm(dim)
        self.filter_sizes = [self.harmonic_bank.size] * 2 + [self.noise_bank.size] * 2
        self.filters = nn.Linear(dim, sum(self.filter_sizes))
        nn.init.zeros_(self.filters.weight)
        nn.init.zeros_(self.filters.bias)

    @classmethod
    def build(cls, config: BaseModel, audio: AudioConfig) -> "SourceFilter":
        """As `Vocoder.build`."""
        assert isinstance(config, SourceFilterConfig)
        return cls(config, audio)

    def _bank(self, window: int) -> "FilterBank":
        band = self.floor, self.band
        return FilterBank(window, self.hop_length, self.sample_rate, band, self.audio)

    def forward(
        self, mel: torch.Tensor, f0: torch.Tensor, treble: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Synthesise.

        Args:
            mel: log-mel [B, T, n_mels].
            f0: [B, T] Hz, 0 where unvoiced.
            treble: as `Vocoder.forward`.

        Returns:
            Wave [B, T * hop_length]; in training with other noise each time, else with the same.
        """
        frames = mel.shape[1]
        tone, breath = self.harmonic_bank.inverse(frames), self.noise_bank.inverse(frames)
        for parts in self.filtered(mel, f0, treble):
            tone.add(parts[0])
            breath.add(parts[1])
        return tone.wave() + breath.wave()

    def filtered(
        self, mel: torch.Tensor, f0: torch.Tensor, treble: torch.Tensor | None = None
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """The wave's two parts as spectra, `_BLOCK` frames at a time; in training all at once.

        Arguments are those of `forward`.

        Yields:
            Spectra [B, F, bins] by `harmonic_bank` of the pulses, and by `noise_bank` of both noises.
        """
        voiced = f0 > 0
        f0 = interpolate_f0(f0)
        pulses, angle = self.pulses(f0)
        harmonic, noise = self.harmonic_bank, self.noise_bank
        tone, steady = harmonic.frames(pulses), noise.frames(self._white(pulses, 0))
        synchronous = noise.frames(self._white(pulses, 1) * envelope_of_period(angle))
        x = self.hidden(mel, f0, voiced, treble)
        step = mel.shape[1] if self.training else _BLOCK
        for begin in range(0, mel.shape[1], step):
            own = slice(begin, begin + step)
            gain, phase, *noise_gains = self.spectra(x[:, own], mel[:, own], voiced[:, own])
            of_noise, size = noise.those_of(own), gain.exp()
            filters = torch.complex(
                size * phase.cos(), size * phase.sin()
            )  # polar() takes twice as long
            yield (
                filters * harmonic.spectra(tone[:, harmonic.those_of(own)]),
                noise_gains[0].exp() * noise.spectra(steady[:, of_noise])
                + noise_gains[1].exp() * noise.spectra(synchronous[:, of_noise]),
            )

    def hidden(
        self,
        mel: torch.Tensor,
        f0: torch.Tensor,
        voiced: torch.Tensor,
        treble: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """What the network makes of each frame, [B, T, dim]; `f0` [B, T] is interpolated where unvoiced."""
        pitch = (f0.log() - math.log(_QUIET_HERTZ))[..., None]
        seen = torch.cat([(mel + 5) / 2, pitch, voiced[..., None].to(mel.dtype)], -1)
        if self.takes_treble:
            seen = torch.cat([seen, self._told(mel, treble)], -1)
        x = self.inputs(seen.transpose(1, 2)).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        result: torch.Tensor = self.norm(x)
        return result

    def spectra(
        self, x: torch.Tensor, mel: torch.Tensor, voiced: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Log gain and phase of the pulses' filter, log gains of the noises'; [B, frames, bins] each.

        Args:
            x: [B, T, dim] of `hidden`.
            mel: [B, T, n_mels].
            voiced: [B, T].
        """
        gain, phase, steady, synchronous = self.filters(x).float().split(self.filter_sizes, -1)
        harmonic, noise = self.harmonic_bank, self.noise_bank
        # All begin at the mel's own envelope: pulses lead where voiced, steady noise elsewhere.
        sunk = torch.where(voiced, 0.0, _SUNK)[..., None]
        envelope = noise.envelope(mel)
        return (
            harmonic.raised(gain, harmonic.envelope(mel) - sunk),
            harmonic.numbers(phase),
            noise.raised(steady, envelope + (sunk - _SUNK)),
            noise.raised(synchronous, envelope - (sunk + _SUNK)),
        )

    def _told(self, mel: torch.Tensor, treble: torch.Tensor | None) -> torch.Tensor:
        """[B, T, 4]: levels [B, 3] in units of 10 dB and a one, or zeros where they are unknown."""
        if treble is None:
            return mel.new_zeros(*mel.shape[:2], len(EDGES))
        known = treble.isfinite().all(-1, keepdim=True)
        levels = torch.where(known, treble / 10, 0)
        return torch.cat([levels, known.to(levels)], -1)[:, None].expand(-1, mel.shape[1], -1)

    def pulses(self, f0: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """All harmonics of F0 [B, T] under the Nyquist frequency, at unit power, and the first one's angle.

        [B, T * hop_length] each.
        """
        rate, hop = self.sample_rate, self.hop_length
        hertz = functional.interpolate(f0[:, None], scale_factor=hop, mode="linear")[:, 0]
        cycles = (hertz.double() / rate).cumsum(-1)
        if self.training:
            cycles = cycles + torch.rand(len(f0), 1, device=f0.device)
        angle = (2 * math.pi * (cycles % 1)).float()
        highest = rate / 2 / hertz
        count = highest.floor()
        # Dirichlet's kernel: cos(x) + … + cos(n x) in closed form; the next harmonic fades in.
        half = (angle / 2).sin()
        near = half.abs() < 1e-4
        ratio = ((count + 0.5) * angle).sin() / (2 * torch.where(near, torch.ones_like(half), half))
        total = torch.where(near, count, ratio - 0.5)
        total = total + (highest - count) * ((count + 1) * angle).cos()
        return total * (2 / highest).sqrt(), angle

    def _white(self, like: torch.Tensor, seed: int) -> torch.Tensor:
        """White noise of unit power; the same for every line but while learning."""
        if self.training:
            return torch.randn_like(like)
        length = like.shape[1]
        drawn = _drawn(seed, -(-length // _NOISE) * _NOISE)
        return torch.from_numpy(drawn[:length]).to(like).expand_as(like)


@lru_cache(maxsize=4)
def _drawn(seed: int, length: int) -> np.ndarray:
    """White noise [length]; a longer one begins with the same."""
    return np.random.default_rng(seed).standard_normal(length, dtype=np.float32)


def envelope_of_period(angle: torch.Tensor) -> torch.Tensor:
    """Amplitude of the pitch-synchronous noise: in about a third of each period, at unit power."""
    result: torch.Tensor = (1 + angle.cos()).square() * (8 / 35) ** 0.5
    return result


class ConvNeXtBlock(nn.Module):
    """Depthwise convolution, LayerNorm, pointwise expansion; residual (arXiv 2201.03545)."""

    def __init__(self, dim: int, expansion: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(dim, dim, 7, padding=3, groups=dim)
        self.norm = nn.LayerNorm(dim)
        self.expand = Pointwise(dim, expansion * dim)
        self.contract = Pointwise(expansion * dim, dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, T, dim] → [B, T, dim]."""
        y = self.norm(along_time(self.depthwise, x))
        result: torch.Tensor = x + self.contract(functional.gelu(self.expand(y)))
        return result


def interpolate_f0(f0: torch.Tensor) -> torch.Tensor:
    """F0 [B, T] with straight lines in log-F0 over the unvoiced frames; level before and after them all."""
    t = f0.shape[1]
    place = torch.arange(t, device=f0.device).expand_as(f0)
    voiced = f0 > 0
    before, after = nearest_voiced(voiced)
    before, after = (
        torch.where(before < 0, after, before),
        torch.where(after >= t, before, after),
    )
    log_f0 = f0.clamp(min=1.0).log()
    none = ~voiced.any(1, keepdim=True)
    left, right = (log_f0.gather(1, x.clamp(0, t - 1)) for x in (before, after))
    share = (place - before) / (after - before).clamp(min=1)
    log_between = torch.where(none, math.log(_QUIET_HERTZ), left + share * (right - left))
    return torch.where(voiced, f0, log_between.exp())
