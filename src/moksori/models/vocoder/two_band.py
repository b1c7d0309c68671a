"""Two vocoders of one mel, each where it is the better: one up to a crossover, another above it.

Both are given the same pitch and the same frames, and their windows last as long, so that their spectra are
joined before any wave is made; above the crossover speech is mostly noise, so that it does not matter that
their phases differ. A vocoder that has learnt a
model's mels keeps its sound below 8 kHz, while one that has heard speech to 20 kHz gives the rest.
"""

import torch
from pydantic import BaseModel, ConfigDict, model_validator

from moksori.config import AudioConfig, Hertz, SourceFilterConfig
from moksori.errors import ConfigError
from moksori.models.vocoder.base import Vocoder
from moksori.models.vocoder.filter_bank import FilterBank
from moksori.models.vocoder.source_filter import SourceFilter
from moksori.signal.stft import BandedSTFT, OverlapAdd


class TwoBandConfig(BaseModel):
    """Sizes of both, and where they meet."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    low: SourceFilterConfig
    high: SourceFilterConfig
    crossover: tuple[Hertz, Hertz] = (7000.0, 8000.0)  # from the one alone to the other alone

    @model_validator(mode="after")
    def _ascending(self) -> "TwoBandConfig":
        if not 0 < self.crossover[0] < self.crossover[1]:
            raise ConfigError.of("config.crossover")
        return self


class TwoBand(Vocoder):
    """The vocoder.

    Args:
        config: sizes.
        audio: of the mels.

    Raises:
        ConfigError: the higher rate is no multiple of the lower.
    """

    kind = "two-band"
    Config = TwoBandConfig

    def __init__(self, config: TwoBandConfig, audio: AudioConfig) -> None:
        super().__init__()
        self.audio, self.crossover = audio, config.crossover
        self.low = SourceFilter(config.low, audio)
        self.high = SourceFilter(config.high, audio)
        times, rest = divmod(self.high.sample_rate, self.low.sample_rate)
        low, high = config.low, config.high
        windows = (
            (low.harmonic_window, high.harmonic_window),
            (low.noise_window, high.noise_window),
        )
        if rest or any(longer != times * window for window, longer in windows):
            raise ConfigError.of("config.bands")
        self.sample_rate, self.hop_length = self.high.sample_rate, self.high.hop_length
        self.band, self.takes_treble = self.high.band, self.high.takes_treble
        self.harmonic = _Join(self.low.harmonic_bank, self.high.harmonic_bank, config.crossover)
        self.noise = _Join(self.low.noise_bank, self.high.noise_bank, config.crossover)

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
        tone, breath = (bank.inverse(mel.shape[1]) for bank in (self.harmonic, self.noise))
        for low, high in zip(
            self.low.filtered(mel, f0, treble), self.high.filtered(mel, f0, treble), strict=True
        ):
            tone.add(self.harmonic.joined(low[0], high[0]))
            breath.add(self.noise.joined(low[1], high[1]))
        return tone.wave() + breath.wave()


class _Join(BandedSTFT):
    """Two banks' spectra, whose frames lie at the same times, as one's at the higher rate."""

    low_share: torch.Tensor
    high_share: torch.Tensor

    def __init__(self, low: FilterBank, high: FilterBank, crossover: tuple[Hertz, Hertz]) -> None:
        super().__init__(high.n_fft, high.sample_rate, (0, high.sample_rate / 2))
        self.per_frame = high.per_frame
        self.low_bins, self.high_bins = (
            slice(bank.first, bank.first + bank.bins) for bank in (low, high)
        )
        begin, end = crossover
        place = ((self.hertz - begin) / (end - begin)).clamp(0, 1) * torch.pi / 2
        longer = high.n_fft / low.n_fft  # a sum over so many more samples
        self.register_buffer("low_share", place.cos()[self.low_bins] * longer, persistent=False)
        self.register_buffer("high_share", place.sin()[self.high_bins], persistent=False)

    def inverse(self, frames: int) -> OverlapAdd:
        """What sums up the waves of so many mel frames."""
        return OverlapAdd(self, frames * self.per_frame)

    def joined(self, low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
        """Complex [B, F, bins] of each → [B, F, bins]."""
        whole = high.new_zeros(*high.shape[:2], self.bins)
        whole[..., self.high_bins] = high * self.high_share
        whole[..., self.low_bins] += low * self.low_share
        return whole
