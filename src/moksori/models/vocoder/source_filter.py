"""A vocoder of its own: pulses at F0 and noise, filtered frame by frame (harmonic plus noise).

F0 ── pulse train ── STFT ── · harmonic filter ──┐
white noise ─────── STFT ── · noise filter ──────┴── inverse STFT ── wave
mel, F0 ── ConvNeXt blocks at the frame rate ── both filters' spectra

The source of harmonics and noise is that of neural source-filter models (arXiv 1904.12088) and DDSP
(arXiv 2001.04643), the network at the frame rate with an inverse STFT at its end that of Vocos
(arXiv 2306.00814). The pitch is given, not learnt, so little training is enough; and nothing runs at the
sample rate but the source, so it is fast.
"""

import math

import torch
from torch import nn
from torch.nn import functional

from moksori.config import AudioConfig, SourceFilterConfig
from moksori.features import mel_edges

_QUIET_HERTZ = 150.0  # the pulses' rate in a line without voiced frames
_LOUDEST = 8.0  # log gain that no filter exceeds, so that one wild frame cannot deafen


class SourceFilter(nn.Module):
    """The vocoder.

    Args:
        config: sizes.
        audio: of the mels; `n_fft` and `hop_length` are also the filters'.
    """

    start: torch.Tensor
    window: torch.Tensor

    def __init__(self, config: SourceFilterConfig, audio: AudioConfig) -> None:
        super().__init__()
        self.audio = audio
        dim, bins = config.dim, audio.n_fft // 2 + 1
        self.inputs = nn.Conv1d(audio.n_mels + 2, dim, 7, padding=3)
        self.blocks = nn.ModuleList(
            ConvNeXtBlock(dim, config.expansion) for _ in range(config.blocks)
        )
        self.norm = nn.LayerNorm(dim)
        self.filters = nn.Linear(dim, 3 * bins)
        nn.init.zeros_(self.filters.weight)
        nn.init.zeros_(self.filters.bias)
        self.register_buffer("start", _envelope(audio), persistent=False)
        self.register_buffer("window", torch.hann_window(audio.n_fft), persistent=False)

    def forward(self, mel: torch.Tensor, f0: torch.Tensor) -> torch.Tensor:
        """Speak.

        Args:
            mel: log-mel [B, T, n_mels].
            f0: [B, T] Hz, 0 where unvoiced.

        Returns:
            Wave [B, T * hop_length]; while learning with other noise each time, else with the same.
        """
        voiced = f0 > 0
        f0 = bridge(f0)
        pulses = self._pulses(f0)
        noise = self._noise(pulses)
        harmonic, phase, breath = self._filters(mel, f0, voiced)
        harmonic_filter = torch.polar(harmonic.exp(), phase)
        spectrum = harmonic_filter * self._stft(pulses) + breath.exp() * self._stft(noise)
        return self._istft(spectrum)

    def _filters(
        self, mel: torch.Tensor, f0: torch.Tensor, voiced: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Log gain and phase of the pulses' filter, log gain of the noise's; [B, bins, T] each."""
        pitch = (f0.log() - math.log(_QUIET_HERTZ))[..., None]
        seen = torch.cat([(mel + 5) / 2, pitch, voiced[..., None].to(mel.dtype)], -1)
        x = self.inputs(seen.transpose(1, 2)).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        harmonic, phase, breath = (
            self.filters(self.norm(x)).float().transpose(1, 2).chunk(3, 1)
        )  # [B, bins, T] each
        with torch.autocast(mel.device.type, enabled=False):  # half precision would be heard
            envelope = (mel.float() @ self.start.T).transpose(1, 2)
        # Both begin at the mel's own envelope: pulses lead where voiced, noise elsewhere.
        lead = torch.where(voiced, 0.0, -3.0)[:, None]
        return (
            (envelope + lead + harmonic).clamp(max=_LOUDEST),
            phase,
            (envelope - 3.0 - lead + breath).clamp(max=_LOUDEST),
        )

    def _pulses(self, f0: torch.Tensor) -> torch.Tensor:
        """All harmonics of F0 [B, T] under the Nyquist frequency, at unit power: [B, T * hop_length]."""
        rate, hop = self.audio.sample_rate, self.audio.hop_length
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
        return total * (2 / highest).sqrt()

    def _noise(self, like: torch.Tensor) -> torch.Tensor:
        if self.training:
            return torch.randn_like(like)
        generator = torch.Generator().manual_seed(0)
        return torch.randn(like.shape[1], generator=generator).to(like).expand_as(like)

    def _stft(self, wave: torch.Tensor) -> torch.Tensor:
        """Complex [B, bins, T], its frames where the mel's are."""
        n_fft, hop = self.audio.n_fft, self.audio.hop_length
        pad = (n_fft - hop) // 2
        padded = functional.pad(wave[:, None], (pad, pad), mode="reflect")[:, 0]
        return torch.stft(padded, n_fft, hop, window=self.window, center=False, return_complex=True)

    def _istft(self, spectrum: torch.Tensor) -> torch.Tensor:
        """Its inverse: [B, bins, T] → [B, T * hop_length]."""
        n_fft, hop, frames = self.audio.n_fft, self.audio.hop_length, spectrum.shape[-1]
        pieces = torch.fft.irfft(spectrum, n_fft, dim=1) * self.window[:, None]
        weights = self.window.square()[:, None].expand(-1, frames)[None]
        length, pad = (frames - 1) * hop + n_fft, (n_fft - hop) // 2

        def overlap_add(x: torch.Tensor) -> torch.Tensor:
            return functional.fold(x, (1, length), (1, n_fft), stride=(1, hop))[:, 0, 0]

        return (overlap_add(pieces) / overlap_add(weights).clamp(min=1e-3))[:, pad:-pad]


class ConvNeXtBlock(nn.Module):
    """Depthwise convolution, LayerNorm, pointwise expansion; residual (arXiv 2201.03545)."""

    def __init__(self, dim: int, expansion: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(dim, dim, 7, padding=3, groups=dim)
        self.norm = nn.LayerNorm(dim)
        self.expand = nn.Linear(dim, expansion * dim)
        self.contract = nn.Linear(expansion * dim, dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, T, dim] → [B, T, dim]."""
        y = self.norm(self.depthwise(x.transpose(1, 2)).transpose(1, 2))
        return x + self.contract(functional.gelu(self.expand(y)))


def bridge(f0: torch.Tensor) -> torch.Tensor:
    """F0 [B, T] with straight lines in log-F0 over the unvoiced frames; level before and after them all."""
    t = f0.shape[1]
    place = torch.arange(t, device=f0.device).expand_as(f0)
    voiced = f0 > 0
    before = torch.where(voiced, place, -1).cummax(1).values
    after = torch.where(voiced, place, t).flip(1).cummin(1).values.flip(1)
    before, after = (
        torch.where(before < 0, after, before),
        torch.where(after >= t, before, after),
    )
    log_f0 = f0.clamp(min=1.0).log()
    none = ~voiced.any(1, keepdim=True)
    left, right = (log_f0.gather(1, x.clamp(0, t - 1)) for x in (before, after))
    share = (place - before) / (after - before).clamp(min=1)
    log_bridge = torch.where(none, math.log(_QUIET_HERTZ), left + share * (right - left))
    return torch.where(voiced, f0, log_bridge.exp())


def _envelope(audio: AudioConfig) -> torch.Tensor:
    """[bins, n_mels]: from a log-mel to the log gain that makes white noise of unit power sound like it."""
    centres = torch.from_numpy(mel_edges(audio)[1:-1]).float()
    bins = torch.linspace(0, audio.sample_rate / 2, audio.n_fft // 2 + 1).clamp(
        centres[0], centres[-1]
    )
    upper = torch.searchsorted(centres, bins).clamp(1, len(centres) - 1)
    share = (bins - centres[upper - 1]) / (centres[upper] - centres[upper - 1])
    weights = torch.zeros(len(bins), len(centres))
    rows = torch.arange(len(bins))
    weights[rows, upper - 1], weights[rows, upper] = 1 - share, share
    return weights
