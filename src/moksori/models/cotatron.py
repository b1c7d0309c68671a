"""Cotatron: speaker-free linguistic features from a recording and its text (arXiv 2005.03295).

phones ── TextEncoder ── H ──────────┬────────────────────────── L = A · H
                                     │ memory = H, z              ▲
mel ── SpeakerEncoder ── z ──┬───────┴── TTSDecoder ── attention ─┤ A (aligner = "attention")
                             ╰ SpeakerClassifier                  │
mel, H ── ParallelAligner ── in the text's order ─────────────────┘ A (aligner = "parallel")
"""

from typing import NamedTuple

import torch

from moksori.config import AlignerName, AudioConfig, CotatronConfig
from moksori.models.aligner import ParallelAligner
from moksori.models.attention import (
    Attention,
    DynamicConvolutionAttention,
    LocationSensitiveAttention,
)
from moksori.models.layers import length_mask
from moksori.models.speaker_encoder import SpeakerClassifier, SpeakerEncoder
from moksori.models.text_aligner import Aligned, TextAligner
from moksori.models.text_encoder import TacotronTextEncoder, TextEncoder
from moksori.models.tts_decoder import Decoded, TTSDecoder


class CotatronOutput(NamedTuple):
    """What a training step needs."""

    decoded: Decoded
    log_speaker: torch.Tensor  # [B, n_speakers]
    parallel: Aligned | None  # the parallel aligner's, where there is one


class Cotatron(TextAligner):
    """Built parts, joined; the classifier is there only in its own training."""

    def __init__(
        self,
        text_encoder: TextEncoder | TacotronTextEncoder,
        speaker_encoder: SpeakerEncoder,
        speaker_classifier: SpeakerClassifier | None,
        decoder: TTSDecoder,
        aligner: ParallelAligner | None,
        in_order: bool = True,
    ) -> None:
        super().__init__(text_encoder, aligner)
        self.in_order = in_order
        self.speaker_encoder, self.speaker_classifier = speaker_encoder, speaker_classifier
        self.decoder = decoder

    @classmethod
    def build(
        cls, config: CotatronConfig, audio: AudioConfig, n_symbols: int, n_speakers: int = 0
    ) -> "Cotatron":
        """A model of the given sizes with fresh weights; without speakers, without a classifier."""
        memory_dim = config.text_dim + config.speaker_dim
        attention: Attention
        if config.attention == "location":
            attention = LocationSensitiveAttention(config.rnn_dim, memory_dim, config.attention_dim)
        else:
            attention = DynamicConvolutionAttention(
                config.rnn_dim, config.attention_dim, beta=config.prior_beta
            )
        text_encoder, aligner = cls.parts(config, audio, n_symbols)
        return cls(
            text_encoder,
            SpeakerEncoder(audio.n_mels, config.speaker_channels, config.speaker_dim),
            SpeakerClassifier(config.speaker_dim, n_speakers) if n_speakers else None,
            TTSDecoder(
                memory_dim, audio.n_mels, attention, config.prenet_dim, config.rnn_dim,
                config.postnet_dim, config.frames_per_step, config.zoneout, config.dropout,
            ),
            aligner if config.parallel_aligner else None,
            config.in_order,
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

        Raises:
            ValueError: the model was built without a classifier.
        """
        if self.speaker_classifier is None:
            raise ValueError("a Cotatron without a classifier cannot be trained")
        lines = phones, phone_lengths, mel, mel_lengths
        parallel = super().align(*lines, log_prior) if self.aligner else None
        encoding = parallel.encoding if parallel else self._encode(phones, phone_lengths)
        speaker = self.speaker_encoder(mel, mel_lengths)
        decoded = self._decode(encoding, speaker, *lines[1:], teacher_forcing)
        return CotatronOutput(decoded, self.speaker_classifier(speaker), parallel)

    def align(
        self,
        phones: torch.Tensor,
        phone_lengths: torch.Tensor,
        mel: torch.Tensor,
        mel_lengths: torch.Tensor,
        log_prior: torch.Tensor | None = None,
        aligner: AlignerName = "parallel",
    ) -> Aligned:
        """Align lines with their texts.

        Args:
            phones: [B, N].
            phone_lengths: [B].
            mel: [B, T, n_mels].
            mel_lengths: [B].
            log_prior: [B, T, N], for the parallel aligner, while learning.
            aligner: whose alignment: the TTSDecoder's attention or the parallel aligner.

        Returns:
            A [B, T, N] of the one that was asked for, in the text's order: the parallel aligner's always,
            the attention's if the model is `in_order`. The framewise posterior is the parallel aligner's, and
            the attention's own where there is none.

        Raises:
            ValueError: there is no parallel aligner.
        """
        lines = phones, phone_lengths, mel, mel_lengths
        if aligner == "parallel":
            return super().align(*lines, log_prior)
        parallel = super().align(*lines, log_prior) if self.aligner else None
        encoding = parallel.encoding if parallel else self._encode(phones, phone_lengths)
        decoded = self._decode(encoding, self.speaker_encoder(mel, mel_lengths), *lines[1:])
        log_weights = decoded.alignment.clamp(min=1e-8).log()
        ordered = decoded.alignment
        if self.in_order:
            ordered = self._in_order(log_weights, phones, phone_lengths, mel_lengths)
        return Aligned(encoding, parallel.log_alignment if parallel else log_weights, ordered)

    def _encode(self, phones: torch.Tensor, phone_lengths: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.text_encoder(
            phones, length_mask(phone_lengths, phones.shape[1])
        )
        return result

    def _decode(
        self,
        encoding: torch.Tensor,
        speaker: torch.Tensor,
        phone_lengths: torch.Tensor,
        mel: torch.Tensor,
        mel_lengths: torch.Tensor,
        teacher_forcing: float = 1.0,
    ) -> Decoded:
        """The mel again, from memory = each phone's encoding with the speaker's beside it."""
        b, n, _ = encoding.shape
        memory = torch.cat([encoding, speaker[:, None].expand(b, n, -1)], -1)
        text_mask = length_mask(phone_lengths, n)
        mask = length_mask(mel_lengths, mel.shape[1])
        result: Decoded = self.decoder(memory, text_mask, mel, mask, teacher_forcing)
        return result
