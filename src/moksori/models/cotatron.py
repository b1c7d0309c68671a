"""Cotatron: speaker-free linguistic features from a recording and its text (arXiv 2005.03295).

phones ── TextEncoder ── H ──────────┬────────────────────────── L = A · H
                                     │ memory = H, z              ▲
mel ── SpeakerEncoder ── z ──┬───────┴── TTSDecoder ── attention ─┤ A (aligner = "attention")
                             ╰ SpeakerClassifier                  │
mel, H ── ParallelAligner ── in the text's order ─────────────────┘ A (aligner = "parallel")
"""

from typing import Literal, NamedTuple

import torch
from torch import nn

from moksori.config import AudioConfig, CotatronConfig
from moksori.models.aligner import ParallelAligner, monotonic_posterior
from moksori.models.attention import (
    Attention,
    DynamicConvolutionAttention,
    LocationSensitiveAttention,
)
from moksori.models.layers import length_mask
from moksori.models.speaker_encoder import SpeakerClassifier, SpeakerEncoder
from moksori.models.text_encoder import TextEncoder
from moksori.models.tts_decoder import Decoded, TTSDecoder

AlignerName = Literal["attention", "parallel"]


class CotatronOutput(NamedTuple):
    """What a training step needs."""

    decoded: Decoded
    log_speaker: torch.Tensor  # [B, n_speakers]
    log_alignment: torch.Tensor  # [B, T, N] of the parallel aligner, each frame by itself
    ordered: torch.Tensor  # [B, T, N] of the parallel aligner, in the text's order; no gradient


class Cotatron(nn.Module):
    """Built parts, joined."""

    def __init__(
        self,
        text_encoder: TextEncoder,
        speaker_encoder: SpeakerEncoder,
        speaker_classifier: SpeakerClassifier,
        decoder: TTSDecoder,
        aligner: ParallelAligner,
    ) -> None:
        super().__init__()
        self.text_encoder, self.speaker_encoder = text_encoder, speaker_encoder
        self.speaker_classifier = speaker_classifier
        self.decoder, self.aligner = decoder, aligner

    @classmethod
    def build(
        cls, config: CotatronConfig, audio: AudioConfig, n_symbols: int, n_speakers: int
    ) -> "Cotatron":
        """A model of the given sizes with fresh weights."""
        memory_dim = config.text_dim + config.speaker_dim
        attention: Attention
        if config.attention == "location":
            attention = LocationSensitiveAttention(config.rnn_dim, memory_dim, config.attention_dim)
        else:
            attention = DynamicConvolutionAttention(
                config.rnn_dim, config.attention_dim, beta=config.prior_beta
            )
        return cls(
            TextEncoder(
                n_symbols, config.text_dim, config.text_kernels,
                config.embedding_dropout, config.text_dropout,
            ),
            SpeakerEncoder(audio.n_mels, config.speaker_channels, config.speaker_dim),
            SpeakerClassifier(config.speaker_dim, n_speakers),
            TTSDecoder(
                memory_dim, audio.n_mels, attention, config.prenet_dim, config.rnn_dim,
                config.postnet_dim, config.frames_per_step, config.zoneout, config.dropout,
            ),
            ParallelAligner(config.text_dim, audio.n_mels, config.aligner_dim),
        )  # fmt: skip

    def forward(
        self,
        phones: torch.Tensor,
        phone_lengths: torch.Tensor,
        mel: torch.Tensor,
        mel_lengths: torch.Tensor,
        teacher_forcing: float = 1.0,
        log_prior: torch.Tensor | None = None,
    ) -> CotatronOutput:
        """Reconstruct the mel from its text, its past and its speaker.

        Args:
            phones: [B, N].
            phone_lengths: [B].
            mel: [B, T, n_mels].
            mel_lengths: [B].
            teacher_forcing: as `TTSDecoder`.
            log_prior: [B, T, N], for the parallel aligner, while learning.
        """
        text_mask = length_mask(phone_lengths, phones.shape[1])
        mask = length_mask(mel_lengths, mel.shape[1])
        encoding = self.text_encoder(phones, text_mask)
        speaker = self.speaker_encoder(mel, mel_lengths)
        decoded = self.decoder(_memory(encoding, speaker), text_mask, mel, mask, teacher_forcing)
        log_alignment = self.aligner(encoding, text_mask, mel, mask, log_prior)
        ordered = monotonic_posterior(log_alignment, phone_lengths, mel_lengths)
        return CotatronOutput(decoded, self.speaker_classifier(speaker), log_alignment, ordered)

    def align(
        self,
        phones: torch.Tensor,
        phone_lengths: torch.Tensor,
        mel: torch.Tensor,
        mel_lengths: torch.Tensor,
        aligner: AlignerName = "parallel",
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Align lines with their texts; arguments as `forward`.

        Args:
            phones: [B, N].
            phone_lengths: [B].
            mel: [B, T, n_mels].
            mel_lengths: [B].
            aligner: whose alignment: the TTSDecoder's attention or the parallel aligner.

        Returns:
            A [B, T, N], each frame's weights summing to one over the unpadded text, and L = A · H [B, T, C].
        """
        text_mask = length_mask(phone_lengths, phones.shape[1])
        mask = length_mask(mel_lengths, mel.shape[1])
        encoding = self.text_encoder(phones, text_mask)
        if aligner == "attention":
            memory = _memory(encoding, self.speaker_encoder(mel, mel_lengths))
            alignment = self.decoder(memory, text_mask, mel, mask).alignment
        else:
            log_alignment = self.aligner(encoding, text_mask, mel, mask)
            alignment = monotonic_posterior(log_alignment, phone_lengths, mel_lengths)
        return alignment, alignment @ encoding.float()


def _memory(encoding: torch.Tensor, speaker: torch.Tensor) -> torch.Tensor:
    """Each phone's encoding with the speaker's beside it: [B, N, C + S]."""
    return torch.cat([encoding, speaker[:, None].expand(-1, encoding.shape[1], -1)], -1)
