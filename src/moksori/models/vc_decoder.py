"""Linguistic features, prosody and a voice to a mel, all frames at once.

VCDecoder: ConvNeXt-like blocks at the frame rate (as in Vocos, arXiv 2306.00814), whose LayerNorm is
shifted and scaled by the voice. Without dilation and without recurrence: fast, and it cannot learn lines
by heart. GBlockDecoder: the paper's (Cotatron, section 3.3, after GAN-TTS, arXiv 1909.11646).
"""

import itertools

import torch
from torch import nn
from torch.nn import functional

from moksori.models.layers import Dropout, MaskedBatchNorm, MaskedConv, Pointwise, along_time

_MEAN_LOG_MEL = -5.0  # the output's initial mean, near that of real log-mels


class VoiceBlock(nn.Module):
    """Depthwise convolution, LayerNorm modulated by the voice, pointwise expansion; residual."""

    def __init__(self, dim: int, voice_dim: int, expansion: int, dropout: float) -> None:
        super().__init__()
        self.depthwise = MaskedConv(dim, dim, 7, groups=dim)
        self.norm = nn.LayerNorm(dim, elementwise_affine=False)
        self.modulate = nn.Linear(voice_dim, 2 * dim)
        self.expand = Pointwise(dim, expansion * dim)
        self.contract = Pointwise(expansion * dim, dim)
        # Whole channels inside: one draw a channel, not a frame, where drawing would be the cost.
        self.channel_dropout, self.dropout = Dropout(dropout, whole_channels=True), Dropout(dropout)
        nn.init.zeros_(self.modulate.weight)
        nn.init.zeros_(self.modulate.bias)

    def forward(self, x: torch.Tensor, mask: torch.Tensor, voice: torch.Tensor) -> torch.Tensor:
        """[B, T, dim], mask [B, T], voice [B, voice_dim] → [B, T, dim]."""
        scale, shift = self.modulate(voice)[:, None].chunk(2, -1)  # [B, 1, dim] each
        y = self.norm(along_time(self.depthwise.conv, x)) * (1 + scale) + shift
        y = self.channel_dropout(functional.gelu(self.expand(y)))  # [B, T, expansion * dim]
        result: torch.Tensor = x + self.dropout(self.contract(y), mask)  # before it all is by frame
        return result


class VCDecoder(nn.Module):
    """The default; see the module."""

    def __init__(
        self,
        text_dim: int,
        voice_dim: int,
        n_mels: int,
        dim: int,
        blocks: int,
        expansion: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.text = nn.Linear(text_dim, dim)
        self.dropout = Dropout(dropout)
        self.blocks = nn.ModuleList(
            VoiceBlock(dim, voice_dim, expansion, dropout) for _ in range(blocks)
        )
        self.norm = nn.LayerNorm(dim)
        self.mel = nn.Linear(dim, n_mels)
        nn.init.constant_(self.mel.bias, _MEAN_LOG_MEL)

    def forward(
        self,
        linguistic: torch.Tensor,
        prosody: torch.Tensor,
        voice: torch.Tensor,
        mask: torch.Tensor,
    ) -> torch.Tensor:
        """Decode linguistic features to a log-mel in the target voice.

        Args:
            linguistic: L [B, T, text_dim].
            prosody: P [B, T, dim].
            voice: [B, voice_dim], rows of the voice table.
            mask: [B, T].

        Returns:
            Log-mel [B, T, n_mels], zero in the padding.
        """
        x = self.dropout(self.text(linguistic) + prosody, mask)
        for block in self.blocks:
            x = block(x, mask, voice)
        result: torch.Tensor = self.mel(self.norm(x)).float() * mask[..., None]
        return result


class GBlock(nn.Module):
    """Four dilated convolutions, each after a batch norm that the voice scales and shifts; residual."""

    def __init__(self, dim_in: int, dim: int, voice_dim: int) -> None:
        super().__init__()
        sizes = (dim_in, dim, dim, dim)
        self.norms = nn.ModuleList(MaskedBatchNorm(size, affine=False) for size in sizes)
        self.modulate = nn.ModuleList(nn.Linear(voice_dim, 2 * size) for size in sizes)
        self.convs = nn.ModuleList(
            MaskedConv(size, dim, 3, dilation=2**i) for i, size in enumerate(sizes)
        )
        self.shortcut = nn.Linear(dim_in, dim)

    def forward(self, x: torch.Tensor, mask: torch.Tensor, voice: torch.Tensor) -> torch.Tensor:
        """[B, T, dim_in], mask [B, T], voice [B, voice_dim] → [B, T, dim]."""
        y = self._conv(1, self._conv(0, x, mask, voice), mask, voice)
        x = self.shortcut(x) * mask[..., None] + y
        return x + self._conv(3, self._conv(2, x, mask, voice), mask, voice)

    def _conv(
        self, i: int, x: torch.Tensor, mask: torch.Tensor, voice: torch.Tensor
    ) -> torch.Tensor:
        scale, shift = self.modulate[i](voice)[:, None].chunk(2, -1)  # [B, 1, size] each
        x = self.norms[i](x, mask) * (1 + scale) + shift
        result: torch.Tensor = self.convs[i](functional.leaky_relu(x, 0.2) * mask[..., None], mask)
        return result


class GBlockDecoder(nn.Module):
    """The paper's decoder.

    Args:
        text_dim: channels of L.
        prosody_dim: channels of P.
        voice_dim: channels of a voice.
        n_mels: bins of the mel.
        channels: before the first block, and after each.
    """

    def __init__(
        self,
        text_dim: int,
        prosody_dim: int,
        voice_dim: int,
        n_mels: int,
        channels: tuple[int, ...],
    ) -> None:
        super().__init__()
        self.stem = MaskedConv(text_dim + prosody_dim, channels[0], 7)
        self.blocks = nn.ModuleList(
            GBlock(a, b, voice_dim) for a, b in itertools.pairwise(channels)
        )
        self.mel = nn.Linear(channels[-1], n_mels)
        nn.init.constant_(self.mel.bias, _MEAN_LOG_MEL)

    def forward(
        self,
        linguistic: torch.Tensor,
        prosody: torch.Tensor,
        voice: torch.Tensor,
        mask: torch.Tensor,
    ) -> torch.Tensor:
        """Decode linguistic features; arguments and result are those of `VCDecoder.forward`."""
        x = self.stem(torch.cat([linguistic, prosody], -1) * mask[..., None], mask)
        for block in self.blocks:
            x = block(x, mask, voice)
        result: torch.Tensor = self.mel(x).float() * mask[..., None]
        return result
