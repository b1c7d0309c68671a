"""Prepared lines to padded batches: Lhotse's dynamic bucketing, features kept in memory."""

import itertools
import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import lightning.pytorch as pl
import numpy as np
import torch
from lhotse import CutSet, MonoCut
from lhotse.dataset import DynamicBucketingSampler, SimpleCutSampler
from lightning.pytorch.utilities import rank_zero_warn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset, Sampler

from moksori.config import AudioConfig, DataConfig
from moksori.corpus.manifests import f0_of, read_cuts, wave_of
from moksori.corpus.parallel import ParallelLines, warp
from moksori.corpus.place import JOURNAL
from moksori.errors import CorpusError, Notice
from moksori.models.conversion import Batch, OtherSpeaker
from moksori.signal.features import log_mel
from moksori.signal.speaker import BandEnergy, band_energy, joined_energy
from moksori.signal.treble import TrebleLevels, treble_levels, usual_levels
from moksori.text import SYMBOLS, tokenize


class Usual(NamedTuple):
    """What a voice's card tells of its own recordings."""

    f0_quantiles: tuple[float, float, float]  # Hz below which 5, 50 and 95% of voiced frames are
    energy: BandEnergy
    treble: TrebleLevels | None


class _Measured(NamedTuple):
    """Of one line."""

    mel: torch.Tensor  # [T, n_mels]
    f0: torch.Tensor  # [T] Hz
    treble: TrebleLevels | None


def _usual(lines: Sequence[_Measured]) -> Usual:
    f0 = torch.cat([line.f0[line.f0 > 0] for line in lines])
    low, median, high = np.quantile(f0.numpy(), [0.05, 0.5, 0.95]).round(1).tolist()
    energy = joined_energy([band_energy(line.mel, line.f0) for line in lines])
    assert energy is not None  # of at least one line
    return Usual((low, median, high), energy, usual_levels(line.treble for line in lines))


_FEW = 4  # lines, below which there are no buckets of similar length
_Line = tuple[torch.Tensor, torch.Tensor, torch.Tensor, int]  # phones, mel, F0, voice row


def read_speakers(folder: Path, audio: AudioConfig) -> dict[str, Any]:
    """The `licence` and `speakers` of a corpus that `moksori prepare` wrote.

    Raises:
        CorpusError: it is not such a folder, or was prepared for other audio settings than `audio`.
    """
    path = folder / "speakers.json"
    if not path.exists():
        of = {"recordings.json": "corpus.of_recordings", JOURNAL: "corpus.unfinished"}
        codes = [code for name, code in of.items() if (folder / name).exists()]
        raise CorpusError.of([*codes, "corpus.not_prepared"][0], folder=folder)
    try:
        corpus: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        known = dict(corpus["audio"])
        str(corpus["licence"]), [entry["lines"] for entry in corpus["speakers"].values()]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CorpusError.of("corpus.damaged", file=path) from None
    for name, value in audio.model_dump().items():
        if name not in known:  # of an older Moksori
            raise CorpusError.of("corpus.older", folder=folder, name=name)
        if known[name] != value:
            raise CorpusError.of(
                "corpus.other_settings", folder=folder, name=name, there=json.dumps(known[name]),
                wanted=json.dumps(value),
            )  # fmt: skip
    return corpus


def training_voices(speakers: dict[str, Any]) -> list[str]:
    """The speakers with lines in the training split, sorted: the rows of the voice table."""
    return sorted(name for name, entry in speakers.items() if "train" in entry["lines"])


class LineDataset(Dataset[Any]):
    """Lhotse's map from a `CutSet`, which the sampler chose, to a `Batch`.

    Args:
        audio: of the mels.
        voices: the rows of the voice table.
        parallel: where other speakers' recordings of the same texts are taken from, if they are.
    """

    def __init__(
        self,
        audio: AudioConfig,
        voices: list[str],
        parallel: ParallelLines | None = None,
    ) -> None:
        self.audio, self.parallel = audio, parallel
        self.rows = {name: row for row, name in enumerate(voices)}
        self.lines: dict[str, _Line] = {}

    def __getitem__(self, cuts: CutSet) -> Batch:
        phones, mels, f0s, rows = zip(*map(self.line, cuts), strict=True)
        return Batch(
            phones=pad_sequence([*phones], batch_first=True),
            phone_lengths=torch.tensor([len(p) for p in phones]),
            mel=pad_sequence([m.float() for m in mels], batch_first=True),
            mel_lengths=torch.tensor([len(m) for m in mels]),
            f0=pad_sequence([*f0s], batch_first=True),
            voice=torch.tensor(rows),
            other=self._others(self.parallel.choose(cuts), mels) if self.parallel else None,
        )

    def usual(self, cuts: Iterable[MonoCut]) -> dict[str, Usual]:
        """What is usual of each voice in lines of its own, by name."""
        by_voice: dict[str, list[_Measured]] = {}
        for cut in cuts:
            _, mel, f0, _ = self.line(cut)
            levels = treble_levels(wave_of(cut), self.audio.sample_rate)
            line = _Measured(mel, f0, levels)
            by_voice.setdefault(cut.supervisions[0].speaker, []).append(line)
        return {name: _usual(lines) for name, lines in by_voice.items()}

    def _others(self, chosen: list[MonoCut], mels: tuple[torch.Tensor, ...]) -> OtherSpeaker:
        others = [self.line(cut)[1] for cut in chosen]
        frames = [
            torch.arange(len(mel)) if other is mel else warp(mel, other)
            for mel, other in zip(mels, others, strict=True)
        ]
        return OtherSpeaker(
            pad_sequence([m.float() for m in others], batch_first=True),
            torch.tensor([len(m) for m in others]),
            pad_sequence(frames, batch_first=True),
        )

    def line(self, cut: MonoCut) -> _Line:
        """Features of one line; computed once, the mel kept as fp16 (1.4 MB a minute)."""
        if cut.id not in self.lines:
            mel = log_mel(wave_of(cut), self.audio)
            supervision = cut.supervisions[0]
            self.lines[cut.id] = (
                torch.tensor(tokenize(supervision.text)),
                mel.half(),
                torch.from_numpy(f0_of(cut)),
                self.rows[supervision.speaker],
            )
        return self.lines[cut.id]


class PassSampler(Sampler[CutSet]):
    """Batches of lines of similar length: whole passes over the corpus, without end.

    Within a pass each line comes once and the batches in random order, so that an epoch that ends
    somewhere within a pass favours no line and no length. Each epoch begins a pass of its own. A corpus of
    very few lines is one batch.

    Args:
        cuts: of the corpus; in a distributed run each process gets others.
        config: how long batches are.
        seed: of the order.
    """

    def __init__(self, cuts: CutSet, config: DataConfig, seed: int) -> None:
        self.cuts, self.config, self.seed, self.epoch = cuts, config, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Lightning calls this before each epoch."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[CutSet]:
        if len(self.cuts) < _FEW:
            yield from itertools.repeat(self.cuts)
        for number in itertools.count():
            buckets = DynamicBucketingSampler(
                self.cuts.repeat(times=1, preserve_id=True),
                max_duration=self.config.batch_seconds,
                num_buckets=min(self.config.buckets, len(self.cuts)),
                buffer_size=len(self.cuts),
                shuffle=True,
                seed=hash((self.seed, self.epoch, number)) % 2**31,  # of numbers: always the same
            )
            batches = list(buckets)
            random.Random(f"{self.seed} {self.epoch} {number}").shuffle(batches)
            yield from batches


class LineData(pl.LightningDataModule):
    """Batches of a prepared corpus.

    Args:
        folder: the corpus.
        voices: the speakers whose lines are taken.
        audio: of the mels.
        config: how lines become batches.
        seed: of the order.
        parallel: in training, take linguistic features also from others' recordings of a text.
    """

    def __init__(
        self, folder: Path, voices: list[str], audio: AudioConfig, config: DataConfig, seed: int,
        parallel: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.folder, self.config, self.seed = folder, config, seed
        self.parallel = parallel
        self.dataset = self._dataset(audio, voices)

    def _dataset(self, audio: AudioConfig, voices: list[str]) -> LineDataset:
        return LineDataset(audio, voices)

    def _cuts(self, split: str) -> CutSet:
        return CutSet.from_cuts(self._short(split)).to_eager()

    def _short(self, split: str) -> list[MonoCut]:
        """The lines of the voices that are short enough, at least one."""
        lines = [*self._of_voices(split)]
        cuts = [cut for cut, fits in lines if fits]
        if not cuts:
            code = "corpus.all_long" if lines else "corpus.no_split"
            limit = self.config.max_line_seconds
            raise CorpusError.of(code, folder=self.folder, split=split, limit=limit)
        return cuts

    def texts(self, split: str) -> Iterator[list[str]]:
        """The texts of a split's lines, as phones."""
        for cut in self._cuts(split):
            yield [SYMBOLS[number] for number in tokenize(cut.supervisions[0].text)]

    def _of_voices(self, split: str) -> Iterator[tuple[MonoCut, bool]]:
        """The lines of the voices, and whether each is short enough."""
        for cut in read_cuts(self.folder, split):
            if cut.supervisions[0].speaker in self.dataset.rows:
                yield cut, cut.duration <= self.config.max_line_seconds

    def check(self) -> None:
        """See that each voice has a training line, that some are held out, and that all can be read.

        A damaged file is so found before a training, and not an hour into it; the features stay in memory,
        where it needs them. It warns whose lines are too long.

        Raises:
            CorpusError: all lines of a voice are too long, there are none to learn from or to judge by, or
                a line's file is missing or damaged.
        """
        lines = [(cut.supervisions[0].speaker, fits) for cut, fits in self._of_voices("train")]
        limit = self.config.max_line_seconds
        if missing := sorted({name for name, _ in lines} - {name for name, fits in lines if fits}):
            raise CorpusError.of(
                "corpus.voice_long", folder=self.folder, names=", ".join(missing), limit=limit
            )
        if longer := Counter(name for name, fits in lines if not fits):
            whose = ", ".join(f"{name} ({number})" for name, number in sorted(longer.items()))
            notice = Notice(
                "corpus.longer", folder=self.folder, number=longer.total(), limit=limit, whose=whose
            )
            rank_zero_warn(notice)
        for cut in [*self._short("train"), *self._short("valid")]:
            self.dataset.line(cut)

    def usual(self) -> dict[str, Usual]:
        """What is usual of each voice in its training lines, by name."""
        return self.dataset.usual(self._cuts("train"))

    def train_dataloader(self) -> DataLoader[Any]:
        """Without end and shuffled anew each epoch; see `PassSampler`."""
        cuts = self._cuts("train")
        sampler = PassSampler(cuts, self.config, self.seed)
        if self.trainer:  # Lightning tells a resumed run's sampler the epoch only at the next one
            sampler.set_epoch(int(self.trainer.global_step // self.trainer.limit_train_batches))
        dataset = self.dataset
        if self.parallel:
            dataset = LineDataset(dataset.audio, [*dataset.rows], ParallelLines(cuts))
        return self._loader(sampler, dataset)

    def val_dataloader(self) -> DataLoader[Any]:
        return self._in_order("valid")

    def test_dataloader(self) -> DataLoader[Any]:
        return self._in_order("test")

    def _in_order(self, split: str) -> DataLoader[Any]:
        sampler = SimpleCutSampler(
            self._cuts(split), max_duration=self.config.batch_seconds, shuffle=False
        )
        return self._loader(sampler, self.dataset)

    def _loader(
        self, sampler: Sampler[CutSet] | SimpleCutSampler, dataset: LineDataset
    ) -> DataLoader[Any]:
        workers = self.config.workers
        return DataLoader(
            dataset, sampler=sampler, batch_size=None, num_workers=workers,
            persistent_workers=workers > 0,
        )  # fmt: skip
