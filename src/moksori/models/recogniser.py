"""The recogniser: which sound each frame is, without a text and whoever says it.

mel ── standardised by line ── two convolutions ── ConvNeXt-like blocks ── log posterior over SOUNDS

Local on purpose: what a frame is must not be guessed from the words around it. It is learnt from the
aligner's alignments, and its convolutions begin as the aligner's queries (training/recogniser.py).
`alignment/hearing.py` decodes it.
"""

import torch
from torch import nn
from torch.nn import functional

from moksori.config import RecogniserConfig
from moksori.models.aligner import ParallelAligner
from moksori.models.layers import Dropout, MaskedConv, along_time, masked_standard


class _Block(nn.Module):
    """Depthwise convolution, LayerNorm, pointwise expansion; residual (as arXiv 2306.00814)."""

    def __init__(self, dim: int, expansion: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.depthwise = MaskedConv(dim, dim, 7, groups=dim, dilation=dilation)
        self.norm = nn.LayerNorm(dim)
        self.expand = nn.Linear(dim, expansion * dim)
        self.contract = nn.Linear(expansion * dim, dim)
        self.channel_dropout, self.dropout = Dropout(dropout, whole_channels=True), Dropout(dropout)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """[B, T, dim], mask [B, T] → [B, T, dim]."""
        y = functional.gelu(self.expand(self.norm(along_time(self.depthwise.conv, x))))
        result: torch.Tensor = x + self.dropout(self.contract(self.channel_dropout(y)), mask)
        return result


class PhoneRecogniser(nn.Module):
    """See the module.

    Args:
        config: sizes.
        n_mels: bins of the mel.
        n_sounds: classes; the first is silence.

    Attributes:
        transitions: [n_sounds, n_sounds], log probability of a sound (column) after another (row), counted in
            the training texts; nothing is learnt in it.
    """

    transitions: torch.Tensor

    def __init__(self, config: RecogniserConfig, n_mels: int, n_sounds: int) -> None:
        super().__init__()
        dim = config.dim
        self.query1, self.query2 = MaskedConv(n_mels, dim, 5), MaskedConv(dim, dim, 5)
        self.blocks = nn.ModuleList(
            _Block(dim, config.expansion, dilation, config.dropout) for dilation in config.dilations
        )
        self.norm = nn.LayerNorm(dim)
        self.sounds = nn.Linear(dim, n_sounds)
        uniform = torch.full((n_sounds, n_sounds), 1 / n_sounds).log()
        self.register_buffer("transitions", uniform)

    def begin_as(self, aligner: ParallelAligner) -> None:
        """Take the weights of an aligner's first two convolutions of the mel, if they are of this size."""
        pairs = ((self.query1, aligner.query1), (self.query2, aligner.query2))
        if all(own.conv.weight.shape == its.conv.weight.shape for own, its in pairs):
            for own, its in pairs:
                own.load_state_dict(its.state_dict())

    def forward(self, mel: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Log posterior [B, T, n_sounds], float32, of a log-mel [B, T, n_mels]; mask [B, T].

        The mel is brought to zero mean and unit variance by line and bin, as the aligner's.
        """
        x = functional.relu(self.query1(masked_standard(mel, mask), mask))
        x = functional.relu(self.query2(x, mask))
        for block in self.blocks:
            x = block(x, mask)
        result: torch.Tensor = self.sounds(self.norm(x)).float().log_softmax(-1)
        return result
