"""The conversion model: what is said and when, how it is said, and a voice, to a mel.

phones, mel ── TextAligner or Cotatron ── L = A·H (A detached) ──┐
F0, mel ── F0Prosody or ResidualProsody ── P (F0, energy)   ───┤
voice ── voice table ────────────────────────────────────────────┴── decoder ── mel in that voice
"""

from typing import NamedTuple

import torch
from torch import nn

from moksori.config import AlignerName, AudioConfig, ConversionConfig
from moksori.models.cotatron import Cotatron
from moksori.models.layers import length_mask
from moksori.models.prosody import F0Prosody, NoProsody, ResidualProsody
from moksori.models.text_aligner import Aligned, TextAligner
from moksori.models.vc_decoder import GBlockDecoder, VCDecoder

Prosody = F0Prosody | ResidualProsody | NoProsody
# Of a conversion: the first by the source's energies, the second by its own result's; docs/experiments.md.
DECODINGS = 2


class OtherSpeaker(NamedTuple):
    """The same texts said by other speakers, and where in them each frame of the batch is said."""

    mel: torch.Tensor  # [B, S, n_mels]
    mel_lengths: torch.Tensor  # [B]
    frames: torch.Tensor  # [B, T] of the S frames


class Batch(NamedTuple):
    """Padded lines; T and N are the longest line's."""

    phones: torch.Tensor  # [B, N] symbol numbers
    phone_lengths: torch.Tensor  # [B]
    mel: torch.Tensor  # [B, T, n_mels] of the source
    mel_lengths: torch.Tensor  # [B]
    f0: torch.Tensor  # [B, T] Hz at the target's mean log-F0, 0 where unvoiced
    voice: torch.Tensor  # [B] rows of the voice table
    other: OtherSpeaker | None = (
        None  # whom the linguistic features are taken from, if not the source
    )


class Converted(NamedTuple):
    """What the model gives for a batch; S is T unless another speaker was aligned."""

    mel: torch.Tensor  # [B, T, n_mels] in the target voices
    log_alignment: torch.Tensor  # [B, S, N], framewise log posterior
    alignment: torch.Tensor  # [B, S, N], posterior given that the text is spoken in order


class ConversionModel(nn.Module):
    """Built parts, joined; `build` makes the parts from their sizes.

    Args:
        text_aligner: of the linguistic features.
        prosody: of P.
        voices: the voice table.
        decoder: to the mel.
        aligner: whose alignment is taken; `attention` needs a Cotatron as `text_aligner`.
    """

    def __init__(
        self,
        text_aligner: TextAligner,
        prosody: Prosody,
        voices: nn.Embedding,
        decoder: VCDecoder | GBlockDecoder,
        aligner: AlignerName = "parallel",
    ) -> None:
        super().__init__()
        self.text_aligner, self.prosody = text_aligner, prosody
        self.voices, self.decoder = voices, decoder
        self.aligner, self.frozen = aligner, False

    @classmethod
    def build(
        cls, config: ConversionConfig, audio: AudioConfig, n_symbols: int, n_voices: int
    ) -> "ConversionModel":
        """A model of the given sizes with fresh weights."""
        if config.cotatron:
            text_aligner: TextAligner = Cotatron.build(config.cotatron, audio, n_symbols)
        else:
            text_aligner = TextAligner(*TextAligner.parts(config, audio, n_symbols))
        dim = config.decoder_dim
        prosody: Prosody = NoProsody(dim)
        if config.prosody == "residual":
            prosody = ResidualProsody(dim, audio.n_mels)
        elif config.prosody == "f0":
            prosody = F0Prosody(
                dim, config.f0_bins, audio.f0_min, audio.f0_max, config.energy_bands
            )
        text_dim = (config.cotatron or config).text_dim
        decoder: VCDecoder | GBlockDecoder
        if config.decoder == "gblocks":
            decoder = GBlockDecoder(
                text_dim, dim, config.voice_dim, audio.n_mels, config.gblock_channels
            )
        else:
            decoder = VCDecoder(
                text_dim, config.voice_dim, audio.n_mels, dim,
                config.decoder_blocks, config.decoder_expansion, config.decoder_dropout,
            )  # fmt: skip
        voices = nn.Embedding(n_voices, config.voice_dim)
        return cls(text_aligner, prosody, voices, decoder, config.aligner)

    def freeze(self) -> None:
        """Let the linguistic features be as they are: no gradient, no dropout."""
        self.frozen = True
        self.text_aligner.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> "ConversionModel":
        """As every module's, but that what is frozen stays in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.text_aligner.eval()
        return self

    def align(
        self,
        phones: torch.Tensor,
        phone_lengths: torch.Tensor,
        mel: torch.Tensor,
        mel_lengths: torch.Tensor,
        log_prior: torch.Tensor | None = None,
    ) -> Aligned:
        """Align lines with their texts by the model's own aligner; arguments as `TextAligner.align`."""
        lines = phones, phone_lengths, mel, mel_lengths, log_prior
        if isinstance(self.text_aligner, Cotatron):
            return self.text_aligner.align(*lines, self.aligner)
        return self.text_aligner.align(*lines)

    @property
    def has_second_opinion(self) -> bool:
        """Whether there is an aligner that the model does not use."""
        return isinstance(self.text_aligner, Cotatron) and self.text_aligner.aligner is not None

    def second_opinion(
        self,
        phones: torch.Tensor,
        phone_lengths: torch.Tensor,
        mel: torch.Tensor,
        mel_lengths: torch.Tensor,
    ) -> torch.Tensor | None:
        """A [B, T, N] by the aligner that the model does not use; None without two."""
        if not self.has_second_opinion:
            return None
        assert isinstance(self.text_aligner, Cotatron)
        other: AlignerName = "attention" if self.aligner == "parallel" else "parallel"
        lines = phones, phone_lengths, mel, mel_lengths
        return self.text_aligner.align(*lines, aligner=other).alignment

    def forward(
        self, batch: Batch, log_prior: torch.Tensor | None = None, decodings: int = 1
    ) -> Converted:
        """Align the source with its text and decode it in `batch.voice`.

        Training and conversion differ only in whose voice and mean log-F0 the batch holds, and in how
        often is decoded.

        Args:
            batch: see `Batch`.
            log_prior: [B, S, N], for the aligner, while learning.
            decodings: each after the first takes the energies of the mel that the last one gave in place
                of the source's. Standardised as they are, the source's still tell how his vowels lie
                against each other, and each decoding leaves less of that.
        """
        aligned_to = batch.other or batch
        aligned = self.align(
            batch.phones, batch.phone_lengths, aligned_to.mel, aligned_to.mel_lengths, log_prior
        )
        linguistic = aligned.linguistic()
        if batch.other:
            frames = batch.other.frames[..., None].expand(-1, -1, linguistic.shape[-1])
            linguistic = linguistic.gather(1, frames)
        mel = self.decode(linguistic, batch)
        for _ in range(decodings - 1):
            mel = self.decode(linguistic, batch._replace(mel=mel))
        return Converted(mel, aligned.log_alignment, aligned.alignment)

    def decode(self, linguistic: torch.Tensor, batch: Batch) -> torch.Tensor:
        """The mel [B, T, n_mels] of linguistic features L [B, T, text_dim] in `batch.voice`."""
        mask = length_mask(batch.mel_lengths, batch.mel.shape[1])
        prosody = self.prosody(batch.f0, batch.mel, mask)
        mel: torch.Tensor = self.decoder(linguistic, prosody, self.voices(batch.voice), mask)
        return mel
