"""Phones to the text encoding H: with sight of the neighbours only, or of the whole line as in Cotatron.

Cotatron's encoder is Tacotron 2's (three convolutions and a BiLSTM). It sees the whole line and, with few
texts to learn from, learns the lines by heart (docs/training.md). A linguistic feature needs only its
neighbours.
"""

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from moksori.models.layers import Dropout, MaskedBatchNorm, MaskedConv


class TextEncoder(nn.Module):
    """Embedding and residual convolutions.

    Args:
        n_symbols: size of the phone inventory; symbol 0 is padding.
        dim: channels C of the encoding.
        kernels: kernel of each residual convolution, in phones.
        embedding_dropout: dropout on the embedding.
        dropout: dropout inside each convolution's branch.
    """

    def __init__(
        self,
        n_symbols: int,
        dim: int,
        kernels: tuple[int, ...],
        embedding_dropout: float,
        dropout: float,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(n_symbols, dim, padding_idx=0)
        self.embedding_dropout = Dropout(embedding_dropout)
        self.convs = nn.ModuleList(MaskedConv(dim, dim, kernel) for kernel in kernels)
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in kernels)
        self.dropout = Dropout(dropout)

    def forward(self, phones: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Encode phones.

        Args:
            phones: [B, N] symbol numbers.
            mask: [B, N].

        Returns:
            H [B, N, C], zero in the padding.
        """
        x = self.embedding_dropout(self.embedding(phones), mask)
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = x + self.dropout(functional.gelu(norm(conv(x, mask))), mask)
        result: torch.Tensor = x
        return result


class TacotronTextEncoder(nn.Module):
    """Embedding, convolutions with batch norm, and a BiLSTM (arXiv 1712.05884, section 2.2).

    Args:
        n_symbols: size of the phone inventory; symbol 0 is padding.
        dim: channels C of the encoding, even.
        kernels: kernel of each convolution, in phones.
        embedding_dropout: dropout on the embedding.
        dropout: dropout after each convolution.
    """

    def __init__(
        self,
        n_symbols: int,
        dim: int,
        kernels: tuple[int, ...],
        embedding_dropout: float,
        dropout: float,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(n_symbols, dim, padding_idx=0)
        self.embedding_dropout, self.dropout = Dropout(embedding_dropout), Dropout(dropout)
        self.convs = nn.ModuleList(MaskedConv(dim, dim, kernel) for kernel in kernels)
        self.norms = nn.ModuleList(MaskedBatchNorm(dim) for _ in kernels)
        self.rnn = nn.LSTM(dim, dim // 2, batch_first=True, bidirectional=True)

    def forward(self, phones: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Encode phones; as `TextEncoder`."""
        x = self.embedding_dropout(self.embedding(phones), mask)
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = self.dropout(functional.relu(norm(conv(x, mask), mask)), mask)
        packed = pack_padded_sequence(x, mask.sum(1).cpu(), batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(self.rnn(packed)[0], True, total_length=mask.shape[1])[0]
