"""Segments of recordings for a vocoder: the mel and F0 that it takes, the wave that it is to synthesise.

They come of folders of two kinds, together or alone: recordings without transcripts (`recordings.py`), and
corpora of lines (`prepare.py`), whose mels a conversion model may make again (GTA, ground-truth aligned:
Tacotron 2, arXiv 1712.05884, section 3.2.2).
"""

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import lightning.pytorch as pl
import numpy as np
import soundfile
import torch
from lhotse import MonoCut
from torch.utils.data import DataLoader, Dataset, Sampler

from moksori.config import AudioConfig, Decibels, Hertz, VocoderTrainConfig
from moksori.corpus.batches import read_speakers
from moksori.corpus.manifests import read_cuts
from moksori.corpus.recordings import PreparedRecording, paths, read_rows
from moksori.errors import CorpusError
from moksori.models.conversion import DECODINGS, Batch, ConversionModel
from moksori.signal.audio import resample
from moksori.signal.band import real_band
from moksori.signal.features import log_mel
from moksori.signal.treble import treble_levels
from moksori.text import tokenize

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


@dataclass(frozen=True)
class _Item:
    """One recording: where it is, and how many frames it has."""

    id: str
    frames: int
    row: PreparedRecording | None = None
    cut: MonoCut | None = None


class _Loaded(NamedTuple):
    """Kept in memory: 5.3 MB a minute at 44.1 kHz, and 0.8 MB for each mel."""

    wave: torch.Tensor  # [T * hop] int16
    mel: torch.Tensor  # [T, n_mels] fp16
    gta: torch.Tensor | None  # [T, n_mels] fp16
    f0: torch.Tensor  # [T]
    band: Hertz
    treble: torch.Tensor  # [3]


class Source:
    """The recordings of one prepared folder.

    Args:
        folder: as `moksori prepare` wrote it, of either kind.
        split: of it.
        config: of the training.
        model: makes the lines of a corpus again, each in its own voice.
        voices: rows of the model's voice table.

    Raises:
        CorpusError: not a prepared folder, or one of other settings.
    """

    def __init__(
        self, folder: Path, split: str, config: VocoderTrainConfig,
        model: ConversionModel | None = None, voices: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self.folder, self.config = folder, config
        self.audio = config.audio
        self.sample_rate = config.model.sample_rate or config.audio.sample_rate
        self.hop = config.model.hop_length(config.audio)
        self.model, self.voices = model, {name: row for row, name in enumerate(voices)}
        self.loaded: dict[str, _Loaded] = {}
        if (folder / "recordings.json").exists():
            self.items = self._of_recordings(split)
        else:
            read_speakers(folder, config.audio)
            self.items = self._of_corpus(split)
        if not self.items and split == "train":
            raise CorpusError(f"{folder}: no recordings of the split {split}")

    def _of_recordings(self, split: str) -> list[_Item]:
        about = json.loads((self.folder / "recordings.json").read_text(encoding="utf-8"))
        if about["sample_rate"] != self.sample_rate:
            raise CorpusError(
                f"{self.folder}: prepared at {about['sample_rate']} Hz, the config's vocoder has "
                f"{self.sample_rate} Hz; prepare it again with --sample-rate"
            )
        if not AudioConfig.model_validate(about["audio"]).same_mels(self.audio):
            raise CorpusError(
                f"{self.folder}: prepared for other mels than the config's; prepare it again"
            )
        rows = read_rows(self.folder / "recordings.jsonl")
        return [
            _Item(row.id, row.samples // self.hop, row=row)
            for row in rows
            if row.split == split and not row.problem
        ]

    def _of_corpus(self, split: str) -> list[_Item]:
        return [
            _Item(cut.id, cut.num_samples // self.audio.hop_length, cut=cut)
            for cut in read_cuts(self.folder, split)
        ]

    def load(self, item: _Item) -> _Loaded:
        """An item's features and wave; computed once."""
        if item.id not in self.loaded:
            own = self._load_row(item.row) if item.row else self._load_cut(item.cut)
            self.loaded[item.id] = own
        return self.loaded[item.id]

    def _load_row(self, row: PreparedRecording) -> _Loaded:
        audio_path, f0_path = paths(row, self.folder)
        wave = soundfile.read(audio_path, dtype="float32")[0]
        narrow = resample(wave, self.sample_rate, self.audio.sample_rate).astype(np.float32)
        return self._kept(wave, narrow, np.load(f0_path), None, row.band)

    def _load_cut(self, cut: MonoCut | None) -> _Loaded:
        assert cut is not None
        narrow = cut.load_audio()[0]
        wave = resample(narrow, self.audio.sample_rate, self.sample_rate)
        band = real_band(narrow, self.audio.sample_rate)
        if self.sample_rate != self.audio.sample_rate:
            band = min(band, 0.98 * self.audio.sample_rate / 2)  # the resampling's own edge
        gta = self._gta(cut, narrow) if self.model else None
        return self._kept(wave, narrow, cut.load_f0(), gta, band)

    def _kept(
        self, wave: np.ndarray, narrow: np.ndarray, f0: np.ndarray, gta: torch.Tensor | None, band: Hertz
    ) -> _Loaded:  # fmt: skip
        mel = log_mel(narrow, self.audio)
        levels = treble_levels(wave, self.sample_rate)
        frames = min(len(mel), len(f0), len(wave) // self.hop)
        whole = torch.from_numpy(
            np.clip(np.rint(wave[: frames * self.hop] * 2**15), -(2**15), 2**15 - 1)
        )
        return _Loaded(
            wave=whole.to(torch.int16), mel=mel[:frames].half(),
            gta=None if gta is None else gta[:frames].half(),
            f0=torch.from_numpy(f0[:frames].astype(np.float32)), band=band,
            treble=torch.tensor(levels or (torch.nan,) * 3),
        )  # fmt: skip

    @torch.no_grad()
    def _gta(self, cut: MonoCut, wave: np.ndarray) -> torch.Tensor | None:
        """The line's mel [T, n_mels] as a conversion makes it; None for another speaker.

        Every second line with the decoder's dropout, since the model knows the lines that it has learnt from
        better than any that it will convert.
        """
        speaker = cut.supervisions[0].speaker
        if self.model is None or speaker not in self.voices:
            return None
        mel, f0 = log_mel(wave, self.audio), torch.from_numpy(cut.load_f0())
        phones = torch.tensor(tokenize(cut.supervisions[0].text))
        line = Batch(
            phones=phones[None], phone_lengths=torch.tensor([len(phones)]), mel=mel[None],
            mel_lengths=torch.tensor([len(mel)]), f0=f0[None],
            voice=torch.tensor([self.voices[speaker]]),
        )  # fmt: skip
        number = zlib.crc32(cut.id.encode())
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(number)
            self.model.decoder.train(number % 2 == 0)
            result: torch.Tensor | None = self.model(line, decodings=DECODINGS).mel[0]
            self.model.decoder.eval()
        return result


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
        if not all(self.items):
            raise CorpusError(f"a folder has no recording of at least {size} frames")
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

    def train_dataloader(self) -> DataLoader[SegmentBatch]:
        steps = self.config.optimizer.epoch_steps
        epoch = int(self.trainer.global_step // steps) if self.trainer else 0
        dataset = SegmentDataset(self._sources("train"), self.config, self.config.shares)
        return DataLoader(dataset, sampler=_Numbers(steps, epoch), batch_size=None)

    def val_dataloader(self) -> DataLoader[SegmentBatch]:
        return DataLoader(_Whole(self._sources("valid")), batch_size=None)
