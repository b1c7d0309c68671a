"""Filters that a vocoder's network gives once a mel frame, on the bins of a short-time Fourier transform."""

import torch

from moksori.config import AudioConfig, Hertz
from moksori.signal.features import mel_edges
from moksori.signal.stft import BandedSTFT, OverlapAdd

_LOUDEST = 8.0  # log gain that no filter exceeds, so that one wild frame cannot deafen


class FilterBank(BandedSTFT):
    """STFT of several frames a mel frame, and a filter's way onto its bins.

    Args:
        window: in samples; it must fit, `SourceFilterConfig.check`.
        hop_length: samples a mel frame.
        sample_rate: Hz.
        band: Hz; bins outside it stay silent.
        audio: of the mels.
    """

    from_mel: torch.Tensor

    def __init__(
        self, window: int, hop_length: int, sample_rate: int, band: tuple[Hertz, Hertz],
        audio: AudioConfig,
    ) -> None:  # fmt: skip
        super().__init__(window, sample_rate, band)
        self.per_frame = hop_length // self.hop
        self.size = self.per_frame * self.bins  # numbers a mel frame
        self.register_buffer("from_mel", _mel_to_bins(audio, self.hertz), persistent=False)

    def those_of(self, frames: slice) -> slice:
        """The STFT's frames of mel frames."""
        return slice(frames.start * self.per_frame, frames.stop * self.per_frame)

    def inverse(self, frames: int) -> OverlapAdd:
        """What sums up the waves of so many mel frames."""
        return OverlapAdd(self, frames * self.per_frame)

    def numbers(self, x: torch.Tensor) -> torch.Tensor:
        """The network's output of each mel frame, [B, T, size], as a spectrum [B, T * per_frame, bins]."""
        return x.reshape(len(x), -1, self.bins)

    def envelope(self, mel: torch.Tensor) -> torch.Tensor:
        """Log gain [B, T, bins] that makes a source sound like `mel` [B, T, n_mels]."""
        with torch.autocast(mel.device.type, enabled=False):  # half precision would be heard
            return mel.float() @ self.from_mel.T

    def raised(self, x: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        """Log gain [B, T * per_frame, bins]: the network's [B, T, size] over the level [B, T, bins]."""
        gain = x.reshape(*x.shape[:2], self.per_frame, self.bins) + level[:, :, None]
        return gain.clamp(max=_LOUDEST).flatten(1, 2)


def _mel_to_bins(audio: AudioConfig, hertz: torch.Tensor) -> torch.Tensor:
    """[bins, n_mels]: from a log-mel to the log gain of white noise of unit power, at `hertz` [bins].

    Above the mel's top its last band's level, which training lowers.
    """
    centres = torch.from_numpy(mel_edges(audio)[1:-1]).float()
    hertz = hertz.float().clamp(centres[0], centres[-1])
    upper = torch.searchsorted(centres, hertz).clamp(1, len(centres) - 1)
    share = (hertz - centres[upper - 1]) / (centres[upper] - centres[upper - 1])
    weights = torch.zeros(len(hertz), len(centres))
    rows = torch.arange(len(hertz))
    weights[rows, upper - 1], weights[rows, upper] = 1 - share, share
    return weights
