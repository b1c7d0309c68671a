"""Batches of recordings for a vocoder: the mel and F0 that it hears, the wave that it is to make."""

from pathlib import Path
from typing import NamedTuple

import torch
from lhotse import CutSet, MonoCut
from torch.nn.utils.rnn import pad_sequence

from moksori.config import AudioConfig, DataConfig
from moksori.corpus.batches import LineData, LineDataset
from moksori.models.conversion import Batch, ConversionModel


class WaveBatch(NamedTuple):
    """Padded lines; T is the longest line's."""

    mel: torch.Tensor  # [B, T, n_mels]
    mel_lengths: torch.Tensor  # [B]
    f0: torch.Tensor  # [B, T] Hz, 0 where unvoiced
    wave: torch.Tensor  # [B, T * hop_length]
    remade: torch.Tensor | None  # [B, T, n_mels], as a conversion model makes the same lines


class WaveDataset(LineDataset):
    """As `LineDataset`, with the waves.

    Args:
        audio: of the mels.
        voices: whose lines they are; the rows of the conversion model's voice table, if there is one.
        model: that makes each line again in its own speaker's voice.
    """

    def __init__(
        self, audio: AudioConfig, voices: list[str], model: ConversionModel | None = None
    ) -> None:
        super().__init__(audio, voices)
        self.model = model
        self.waves: dict[str, torch.Tensor] = {}
        self.remade: dict[str, torch.Tensor] = {}

    def __getitem__(self, cuts: CutSet) -> WaveBatch:  # type: ignore[override]
        batch = super().__getitem__(cuts)
        hop = self.audio.hop_length
        waves = [
            self._wave(cut)[: int(frames) * hop]
            for cut, frames in zip(cuts, batch.mel_lengths, strict=True)
        ]
        remade = [self._remade(cut).float() for cut in cuts] if self.model else None
        return WaveBatch(
            batch.mel,
            batch.mel_lengths,
            batch.f0,
            pad_sequence([wave.float() / 2**15 for wave in waves], batch_first=True),
            pad_sequence(remade, batch_first=True) if remade else None,
        )

    def _wave(self, cut: MonoCut) -> torch.Tensor:
        """The recording, kept with the 16 bits that it has on the disk (2.6 MB a minute)."""
        if cut.id not in self.waves:
            wave = torch.from_numpy(cut.load_audio()[0])
            self.waves[cut.id] = (wave * 2**15).round().to(torch.int16)
        return self.waves[cut.id]

    @torch.no_grad()
    def _remade(self, cut: MonoCut) -> torch.Tensor:
        """The line's mel [T, n_mels] as the model makes it; computed once, in evaluation mode."""
        if cut.id not in self.remade:
            assert self.model is not None
            phones, mel, f0, row = self._line(cut)
            line = Batch(
                phones[None], torch.tensor([len(phones)]), mel[None].float(),
                torch.tensor([len(mel)]), f0[None], torch.tensor([row]),
            )  # fmt: skip
            self.remade[cut.id] = self.model(line).mel[0].half()
        return self.remade[cut.id]


class WaveData(LineData):
    """Batches of a prepared corpus for a vocoder; as `LineData`."""

    def __init__(
        self, folder: Path, voices: list[str], audio: AudioConfig, config: DataConfig, seed: int,
        model: ConversionModel | None = None,
    ) -> None:  # fmt: skip
        self.model = model
        super().__init__(folder, voices, audio, config, seed)

    def _dataset(self, audio: AudioConfig, voices: list[str]) -> LineDataset:
        return WaveDataset(audio, voices, self.model)
