"""Segments of recordings for a vocoder: the mel and F0 that it takes, the wave that it is to synthesise."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import lightning.pytorch as pl
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from moksori.config import Decibels, VocoderTrainConfig
from moksori.corpus.sources import Source
from moksori.errors import CorpusError
from moksori.models.conversion import ConversionModel

_VALID_SECONDS = 4.0  # of each recording that a validation listens to
_VALID_MOST = 32  # recordings
_UNTOLD = 0.15  # of the segments that the vocoder is given without their levels above the mel
_OTHER: Decibels = 1.5  # by which a speaker's recordings differ in them


class SegmentBatch(NamedTuple):
    """Segments of S frames each; hop is the vocoder's."""

    mel: torch.Tensor  # [B, S, n_mels]
    f0: torch.Tensor  # [B, S] Hz, 0 where unvoiced
    wave: torch.Tensor  # [B, S * hop]
    band: torch.Tensor  # [B] Hz, above which the recording holds nothing
    treble: torch.Tensor  # [B, 3] dB above the mel (signal/treble.py), NaN where unknown


class SegmentDataset(Dataset[SegmentBatch]):
    """Batch number `i`: segments drawn at random, longer recordings more often; the same each time for `i`.

    Args:
        sources: that they are drawn from, in proportion to `shares`.
        config: of the training.
        shares: of the segments by source; by their length if not given.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        config: VocoderTrainConfig,
        shares: Sequence[float] | None = None,
    ) -> None:
        self.sources, self.config = sources, config
        size = config.segment_frames
        self.items = [[item for item in source.items if item.frames >= size] for source in sources]
        for source, items in zip(sources, self.items, strict=True):
            if not items:
                length = size * source.hop / source.sample_rate
                raise CorpusError.of(
                    "corpus.no_long", folder=source.folder, frames=size, length=length
                )
        self.weights = [np.array([item.frames for item in items], float) for items in self.items]
        totals = np.array([weight.sum() for weight in self.weights])
        self.shares = (totals if shares is None else np.array(shares)) / (
            totals.sum() if shares is None else sum(shares)
        )

    def __getitem__(self, number: int) -> SegmentBatch:
        chance = np.random.default_rng((self.config.seed, number))
        size, rows = self.config.segment_frames, []
        for _ in range(self.config.segments):
            at = int(chance.choice(len(self.sources), p=self.shares))
            weights = self.weights[at]
            item = self.items[at][int(chance.choice(len(weights), p=weights / weights.sum()))]
            source = self.sources[at]
            own = source.load(item)
            start = int(chance.integers(0, len(own.mel) - size + 1))
            mel = own.mel
            if own.gta is not None and chance.random() < self.config.gta_share:
                mel = own.gta
            mel = mel[start : start + size].float()
            wave = own.wave[start * source.hop : (start + size) * source.hop].float() / 2**15
            f0, blurred = own.f0[start : start + size], self._blurred(mel, chance)
            rows.append((blurred, f0, wave, own.band, _told(own.treble, chance)))
        mels, f0s, waves, bands, levels = zip(*rows, strict=True)
        return SegmentBatch(
            torch.stack(mels), torch.stack(f0s), torch.stack(waves), torch.tensor(bands),
            torch.stack(levels),
        )  # fmt: skip

    def _blurred(self, mel: torch.Tensor, chance: np.random.Generator) -> torch.Tensor:
        """A share of the mels smoothed over time and bands and a little off, as a model's mels are."""
        if chance.random() >= self.config.blur_share:
            return mel
        time, band = chance.uniform(0.0, 0.4, 2)
        for dim, share in ((0, time), (1, band)):
            near = (mel.roll(1, dim) + mel.roll(-1, dim)) / 2
            edges = mel.narrow(dim, 0, 1), mel.narrow(dim, mel.shape[dim] - 1, 1)
            mixed = (1 - share) * mel + share * near
            mel = torch.cat([edges[0], mixed.narrow(dim, 1, mel.shape[dim] - 2), edges[1]], dim)
        noise = torch.from_numpy(chance.standard_normal(mel.shape, dtype=np.float32))
        return mel + 0.1 * float(chance.random()) * noise


def _told(treble: torch.Tensor, chance: np.random.Generator) -> torch.Tensor:
    """Levels [3] as a voice's card would tell them: not of this recording, and not always known."""
    if chance.random() < _UNTOLD:
        return torch.full_like(treble, torch.nan)
    return treble + _OTHER * torch.from_numpy(chance.standard_normal(3, dtype=np.float32))


class _Whole(Dataset[SegmentBatch]):
    """The beginnings of recordings, one a batch, for validation."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.chosen = [
            (source, item)
            for source in sources
            for item in source.items[:: max(1, -(-len(source.items) * len(sources) // _VALID_MOST))]
        ]
        if not self.chosen:
            folders = ", ".join(str(source.folder) for source in sources)
            raise CorpusError.of("corpus.no_recordings", folders=folders, split="valid")

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, number: int) -> SegmentBatch:
        source, item = self.chosen[number]
        own = source.load(item)
        frames = min(len(own.mel), int(_VALID_SECONDS * source.sample_rate / source.hop))
        mel = own.mel if own.gta is None else own.gta
        wave = own.wave[: frames * source.hop].float() / 2**15
        return SegmentBatch(
            mel[None, :frames].float(), own.f0[None, :frames], wave[None], torch.tensor([own.band]),
            own.treble[None],
        )  # fmt: skip


class _Numbers(Sampler[int]):
    """Batch numbers from the epoch's first on, without end; Lightning calls `set_epoch`."""

    def __init__(self, epoch_steps: int, epoch: int) -> None:
        self.epoch_steps, self.epoch = epoch_steps, epoch

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        yield from range(self.epoch * self.epoch_steps, (self.epoch + 1) * self.epoch_steps)

    def __len__(self) -> int:
        return self.epoch_steps


class SegmentData(pl.LightningDataModule):
    """Segments of prepared folders.

    Args:
        folders: of either kind.
        config: of the training.
        model: a conversion model for GTA mels.
        voices: rows of its voice table.
    """

    def __init__(
        self, folders: Sequence[Path], config: VocoderTrainConfig,
        model: ConversionModel | None = None, voices: Sequence[str] = (),
    ) -> None:  # fmt: skip
        super().__init__()
        self.folders, self.config, self.model, self.voices = folders, config, model, voices

    def _sources(self, split: str) -> list[Source]:
        return [Source(f, split, self.config, self.model, self.voices) for f in self.folders]

    def check(self) -> None:
        """See, before a training begins, that there is what it learns from and is judged by, all to be read.

        Raises:
            CorpusError: there is none, or a file is missing or damaged.
        """
        train, valid = self._sources("train"), self._sources("valid")
        SegmentDataset(train, self.config, self.config.shares)
        _Whole(valid)
        for source in (*train, *valid):
            source.check()

    def train_dataloader(self) -> DataLoader[SegmentBatch]:
        steps = self.config.optimizer.epoch_steps
        epoch = int(self.trainer.global_step // steps) if self.trainer else 0
        dataset = SegmentDataset(self._sources("train"), self.config, self.config.shares)
        return DataLoader(dataset, sampler=_Numbers(steps, epoch), batch_size=None)

    def val_dataloader(self) -> DataLoader[SegmentBatch]:
        return DataLoader(_Whole(self._sources("valid")), batch_size=None)
