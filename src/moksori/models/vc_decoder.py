"""VCDecoder: linguistic features, prosody and a voice to a mel, all frames at once.

ConvNeXt-like blocks at the frame rate (as in Vocos, arXiv 2306.00814), whose LayerNorm is shifted and
scaled by the voice. Without dilation and without recurrence: fast, and it cannot learn lines by heart.
"""

import torch
from torch import nn
from torch.nn import functional

from moksori.models.layers import MaskedConv

_MEAN_LOG_MEL = -5.0  # where the output starts, so that training need not travel there


class VoiceBlock(nn.Module):
    """Depthwise convolution, LayerNorm modulated by the voice, pointwise expansion; residual."""

    def __init__(self, dim: int, voice_dim: int, expansion: int, dropout: float) -> None:
        super().__init__()
        self.depthwise = MaskedConv(dim, dim, 7, groups=dim)
        self.norm = nn.LayerNorm(dim, elementwise_affine=False)
        self.modulate = nn.Linear(voice_dim, 2 * dim)
        self.expand = nn.Linear(dim, expansion * dim)
        self.contract = nn.Linear(expansion * dim, dim)
        self.dropout = nn.Dropout(dropout)
        nn.init.zeros_(self.modulate.weight)
        nn.init.zeros_(self.modulate.bias)

    def forward(self, x: torch.Tensor, mask: torch.Tensor, voice: torch.Tensor) -> torch.Tensor:
        """[B, T, dim], mask [B, T], voice [B, voice_dim] → [B, T, dim]."""
        scale, shift = self.modulate(voice)[:, None].chunk(2, -1)  # [B, 1, dim] each
        y = self.norm(self.depthwise(x, mask)) * (1 + scale) + shift
        y = functional.gelu(self.expand(y)).transpose(1, 2)  # [B, expansion * dim, T]
        # Whole channels inside: one draw a channel, not a frame, where drawing would be the cost.
        y = functional.dropout1d(y, self.dropout.p, self.training).transpose(1, 2)
        return x + self.dropout(self.contract(y)) * mask[..., None]


class VCDecoder(nn.Module):
    """See the module."""

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
        self.dropout = nn.Dropout(dropout)
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
        """Speak.

        Args:
            linguistic: L [B, T, text_dim].
            prosody: P [B, T, dim].
            voice: [B, voice_dim], rows of the voice table.
            mask: [B, T].

        Returns:
            Log-mel [B, T, n_mels], zero in the padding.
        """
        x = self.dropout(self.text(linguistic) + prosody) * mask[..., None]
        for block in self.blocks:
            x = block(x, mask, voice)
        return self.mel(self.norm(x)).float() * mask[..., None]
