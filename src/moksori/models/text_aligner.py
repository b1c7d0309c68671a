"""What every model aligns with: a text encoder and the parallel aligner over its encoding.

phones ── TextEncoder ── H ── keys ── ParallelAligner ── in the text's order ── A
mel ───────────────────────── queries ──╯
"""

from typing import NamedTuple

import torch
from torch import nn

from moksori.config import AudioConfig, TextConfig
from moksori.models.aligner import ParallelAligner, alike_silences, monotonic_posterior
from moksori.models.layers import length_mask
from moksori.models.text_encoder import TacotronTextEncoder, TextEncoder


class Aligned(NamedTuple):
    """Lines aligned with their texts."""

    encoding: torch.Tensor  # H [B, N, C]
    log_alignment: torch.Tensor  # [B, T, N], the parallel aligner's framewise log posterior
    alignment: torch.Tensor  # A [B, T, N]; each frame's weights sum to one over the unpadded text

    def linguistic(self) -> torch.Tensor:
        """L = A · H [B, T, C]: what is said and when, not who says it. No gradient flows into A."""
        return self.alignment.detach() @ self.encoding.float()


class TextAligner(nn.Module):
    """Built parts, joined; only a Cotatron may be without the parallel aligner.

    Attributes:
        silences: numbers of the symbols that are silent, in which pauses may lie (`alike_silences`); set by
            who builds it, as it is the language's.
    """

    silences: tuple[int, ...] = ()

    def __init__(
        self, text_encoder: TextEncoder | TacotronTextEncoder, aligner: ParallelAligner | None
    ) -> None:
        super().__init__()
        self.text_encoder, self.aligner = text_encoder, aligner

    @staticmethod
    def parts(
        config: TextConfig, audio: AudioConfig, n_symbols: int
    ) -> tuple[TextEncoder | TacotronTextEncoder, ParallelAligner]:
        """Both parts in the given sizes with fresh weights."""
        kind = TextEncoder if config.text_encoder == "local" else TacotronTextEncoder
        return (
            kind(
                n_symbols, config.text_dim, config.text_kernels,
                config.embedding_dropout, config.text_dropout,
            ),
            ParallelAligner(config.text_dim, audio.n_mels, config.aligner_dim),
        )  # fmt: skip

    def align(
        self,
        phones: torch.Tensor,
        phone_lengths: torch.Tensor,
        mel: torch.Tensor,
        mel_lengths: torch.Tensor,
        log_prior: torch.Tensor | None = None,
    ) -> Aligned:
        """Align lines with their texts, by the parallel aligner and in the text's order.

        Args:
            phones: [B, N] symbol numbers.
            phone_lengths: [B].
            mel: [B, T, n_mels].
            mel_lengths: [B].
            log_prior: [B, T, N], for the aligner, while learning.

        Raises:
            ValueError: there is no parallel aligner.
        """
        if self.aligner is None:
            raise ValueError("this Cotatron has no parallel aligner; take its attention")
        text_mask = length_mask(phone_lengths, phones.shape[1])
        encoding = self.text_encoder(phones, text_mask)
        mask = length_mask(mel_lengths, mel.shape[1])
        log_alignment = self.aligner(encoding, text_mask, mel, mask, log_prior)
        ordered = self._in_order(log_alignment, phones, phone_lengths, mel_lengths)
        return Aligned(encoding, log_alignment, ordered)

    def _in_order(
        self,
        log_alignment: torch.Tensor,
        phones: torch.Tensor,
        phone_lengths: torch.Tensor,
        mel_lengths: torch.Tensor,
    ) -> torch.Tensor:
        """The alignment [B, T, N] in the text's order, a pause at any of its silences."""
        silent = torch.isin(phones, torch.tensor(self.silences, device=phones.device))
        silent &= length_mask(phone_lengths, phones.shape[1])
        alike = alike_silences(log_alignment, silent)
        return monotonic_posterior(alike, phone_lengths, mel_lengths)
