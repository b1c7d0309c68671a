"""The conversion model: Cotatron's data flow with the parallel aligner.

    phones ── TextEncoder ── H ──┬── keys ──┐
                                 │    ParallelAligner ── in order ── A (detached)
    mel ─────────────────────────│── queries┘     │
                                 └────── L = A·H ─┴─┐
    F0, mel ── F0Prosody ── P (melody, energy) ─────┤
    voice ── voice table ───────────────────────────┴── VCDecoder ── mel in that voice

The TTSDecoder's attention (`cotatron.py`) will be a second source of A; the paper's residual encoder is a
second source of P.
"""

from typing import NamedTuple

import torch
from torch import nn

from moksori.config import AudioConfig, ConversionConfig
from moksori.models.aligner import ParallelAligner, monotonic_posterior
from moksori.models.layers import length_mask
from moksori.models.prosody import F0Prosody, ResidualProsody
from moksori.models.text_encoder import TextEncoder
from moksori.models.vc_decoder import VCDecoder


class Batch(NamedTuple):
    """Padded lines; T and N are the longest line's."""

    phones: torch.Tensor  # [B, N] symbol numbers
    phone_lengths: torch.Tensor  # [B]
    mel: torch.Tensor  # [B, T, n_mels] of the source
    mel_lengths: torch.Tensor  # [B]
    f0: torch.Tensor  # [B, T] Hz in the target's register, 0 where unvoiced
    voice: torch.Tensor  # [B] rows of the voice table


class Aligned(NamedTuple):
    """What the aligner gives for lines and their texts."""

    encoding: torch.Tensor  # H [B, N, C]
    log_alignment: torch.Tensor  # [B, T, N], as each frame by itself is heard
    alignment: torch.Tensor  # A [B, T, N], given that speech goes through the text in order


class Converted(NamedTuple):
    """What the model gives for a batch."""

    mel: torch.Tensor  # [B, T, n_mels] in the target voices
    log_alignment: torch.Tensor  # [B, T, N], as the aligner sees each frame by itself
    alignment: torch.Tensor  # [B, T, N], given that speech goes through the text in order


class ConversionModel(nn.Module):
    """Built parts, joined; `build` makes the parts from their sizes."""

    def __init__(
        self,
        text_encoder: TextEncoder,
        aligner: ParallelAligner,
        prosody: F0Prosody | ResidualProsody,
        voices: nn.Embedding,
        decoder: VCDecoder,
    ) -> None:
        super().__init__()
        self.text_encoder, self.aligner, self.prosody = text_encoder, aligner, prosody
        self.voices, self.decoder = voices, decoder

    @classmethod
    def build(
        cls, config: ConversionConfig, audio: AudioConfig, n_symbols: int, n_voices: int
    ) -> "ConversionModel":
        """A model of the given sizes with fresh weights."""
        prosody: F0Prosody | ResidualProsody
        if config.prosody == "residual":
            prosody = ResidualProsody(config.decoder_dim, audio.n_mels)
        else:
            prosody = F0Prosody(
                config.decoder_dim, config.f0_bins, audio.f0_min, audio.f0_max, config.energy_bands
            )
        return cls(
            TextEncoder(
                n_symbols, config.text_dim, config.text_kernels,
                config.embedding_dropout, config.text_dropout,
            ),
            ParallelAligner(config.text_dim, audio.n_mels, config.aligner_dim),
            prosody,
            nn.Embedding(n_voices, config.voice_dim),
            VCDecoder(
                config.text_dim, config.voice_dim, audio.n_mels, config.decoder_dim,
                config.decoder_blocks, config.decoder_expansion, config.decoder_dropout,
            ),
        )  # fmt: skip

    def align(
        self,
        phones: torch.Tensor,
        phone_lengths: torch.Tensor,
        mel: torch.Tensor,
        mel_lengths: torch.Tensor,
        log_prior: torch.Tensor | None = None,
    ) -> Aligned:
        """Align lines with their texts; arguments as `Batch` names them.

        Args:
            phones: [B, N].
            phone_lengths: [B].
            mel: [B, T, n_mels].
            mel_lengths: [B].
            log_prior: [B, T, N], for the aligner, while learning.
        """
        text_mask = length_mask(phone_lengths, phones.shape[1])
        encoding = self.text_encoder(phones, text_mask)
        mask = length_mask(mel_lengths, mel.shape[1])
        log_alignment = self.aligner(encoding, text_mask, mel, mask, log_prior)
        alignment = monotonic_posterior(log_alignment, phone_lengths, mel_lengths)
        return Aligned(encoding, log_alignment, alignment)

    def forward(self, batch: Batch, log_prior: torch.Tensor | None = None) -> Converted:
        """Align the source with its text and speak it in `batch.voice`.

        Training and conversion differ only in whose voice and register the batch names.

        Args:
            batch: see `Batch`.
            log_prior: [B, T, N], for the aligner, while learning.
        """
        encoding, log_alignment, alignment = self.align(
            batch.phones, batch.phone_lengths, batch.mel, batch.mel_lengths, log_prior
        )
        linguistic = alignment @ encoding.float()  # L = A·H: [B, T, C]
        mask = length_mask(batch.mel_lengths, batch.mel.shape[1])
        prosody = self.prosody(batch.f0, batch.mel, mask)
        mel = self.decoder(linguistic, prosody, self.voices(batch.voice), mask)
        return Converted(mel, log_alignment, alignment)
