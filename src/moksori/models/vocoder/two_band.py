"""Two vocoders of one mel, each where it is the better: one up to a crossover, another above it.

Both are given the same pitch and the same frames, so they are in time to the sample; above the crossover
speech is mostly noise, so that it does not matter that their phases differ. A vocoder that has learnt a
model's mels keeps its sound below 8 kHz, while one that has heard speech to 20 kHz gives the rest.
"""

import torch
from pydantic import BaseModel, ConfigDict, model_validator
from torch.nn import functional

from moksori.config import AudioConfig, Hertz, SourceFilterConfig
from moksori.models.vocoder.base import Vocoder
from moksori.models.vocoder.source_filter import SourceFilter

_EDGE = 2048  # samples of silence at both ends, so that nothing is wrapped around
_WHOLE = 8192  # samples that a transform is a multiple of: one with large factors takes several times as long


class TwoBandConfig(BaseModel):
    """Sizes of both, and where they meet."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    low: SourceFilterConfig
    high: SourceFilterConfig
    crossover: tuple[Hertz, Hertz] = (7000.0, 8000.0)  # from the one alone to the other alone

    @model_validator(mode="after")
    def _ascending(self) -> "TwoBandConfig":
        if not 0 < self.crossover[0] < self.crossover[1]:
            raise ValueError("crossover: give two rising frequencies in Hz")
        return self


class TwoBand(Vocoder):
    """The vocoder.

    Args:
        config: sizes.
        audio: of the mels.

    Raises:
        ValueError: the higher rate is no multiple of the lower.
    """

    kind = "two-band"
    Config = TwoBandConfig

    def __init__(self, config: TwoBandConfig, audio: AudioConfig) -> None:
        super().__init__()
        self.audio, self.crossover = audio, config.crossover
        self.low = SourceFilter(config.low, audio)
        self.high = SourceFilter(config.high, audio)
        if self.high.sample_rate % self.low.sample_rate:
            raise ValueError("high.sample_rate must be a multiple of low.sample_rate")
        self.sample_rate, self.hop_length = self.high.sample_rate, self.high.hop_length
        self.band, self.takes_treble = self.high.band, self.high.takes_treble

    @classmethod
    def build(cls, config: BaseModel, audio: AudioConfig) -> "TwoBand":
        """As `Vocoder.build`."""
        assert isinstance(config, TwoBandConfig)
        config.low.check(audio)
        config.high.check(audio)
        return cls(config, audio)

    def forward(
        self, mel: torch.Tensor, f0: torch.Tensor, treble: torch.Tensor | None = None
    ) -> torch.Tensor:
        """As `Vocoder.forward`; joined by amplitudes whose powers add up to one."""
        low, high = self.low(mel, f0, treble), self.high(mel, f0, treble)  # [B, n], [B, n * times]
        times = self.sample_rate // self.low.sample_rate
        length = high.shape[1]
        size = -(-(low.shape[1] + 2 * _EDGE) // _WHOLE) * _WHOLE
        low = functional.pad(low, (_EDGE, size - _EDGE - low.shape[1]))
        high = functional.pad(high, (_EDGE * times, (size - _EDGE) * times - length))
        whole = torch.fft.rfft(high)
        hertz = torch.linspace(0, self.sample_rate / 2, whole.shape[1], device=high.device)
        begin, end = self.crossover
        place = ((hertz - begin) / (end - begin)).clamp(0, 1) * torch.pi / 2
        whole = whole * place.sin()
        part = torch.fft.rfft(low) * times  # as many bins a Hertz as the other has
        shared = min(part.shape[1], whole.shape[1])
        whole[:, :shared] += part[:, :shared] * place.cos()[:shared]
        wave: torch.Tensor = torch.fft.irfft(whole, high.shape[1])
        return wave[:, _EDGE * times : _EDGE * times + length]
