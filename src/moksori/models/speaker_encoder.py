"""The speaker encoder: a mel to one vector, and that to a name (Cotatron, arXiv 2005.03295, section 3.1)."""

import itertools

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence

from moksori.models.layers import length_mask


class SpeakerEncoder(nn.Module):
    """Strided 2-D convolutions over the mel and a GRU whose last state is the speaker encoding.

    What lies in the padding never reaches the content: every convolution's output is masked.

    Args:
        n_mels: bins of the mel.
        channels: of each convolution; each halves time and frequency.
        dim: channels S of the encoding.
    """

    def __init__(self, n_mels: int, channels: tuple[int, ...], dim: int) -> None:
        super().__init__()
        sizes = [1, *channels]
        self.convs = nn.ModuleList(
            nn.Conv2d(size_in, size_out, 3, stride=2, padding=1)
            for size_in, size_out in itertools.pairwise(sizes)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(size) for size in channels)
        bins = n_mels
        for _ in channels:
            bins = (bins + 1) // 2
        self.gru = nn.GRU(channels[-1] * bins, dim, batch_first=True)

    def forward(self, mel: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Encode.

        Args:
            mel: [B, T, n_mels].
            lengths: [B] frames.

        Returns:
            z [B, S].
        """
        x = mel[:, None]  # [B, 1, T, n_mels]
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = x * _mask(x, lengths)
            x = functional.relu(norm(conv(x)))
            lengths = (lengths + 1) // 2
        x = (x * _mask(x, lengths)).transpose(1, 2).flatten(2)  # [B, T', C · bins]
        packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        result: torch.Tensor = self.gru(packed)[1][0]
        return result


def _mask(x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    return length_mask(lengths, x.shape[2])[:, None, :, None].to(x.dtype)


class SpeakerClassifier(nn.Module):
    """Names the speaker of an encoding; only for training (the NLL keeps the encoding a speaker's)."""

    def __init__(self, dim: int, n_speakers: int) -> None:
        super().__init__()
        self.hidden, self.out = nn.Linear(dim, dim), nn.Linear(dim, n_speakers)

    def forward(self, encoding: torch.Tensor) -> torch.Tensor:
        """Encoding [B, S] → log-probabilities [B, n_speakers]."""
        result: torch.Tensor = self.out(functional.relu(self.hidden(encoding))).log_softmax(-1)
        return result
