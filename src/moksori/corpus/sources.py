"""What a vocoder learns from, recording by recording: wave, mel and F0, kept in memory.

The folders that they come of are of two kinds: recordings without transcripts (`recordings.py`), and corpora
of lines (`prepare.py`), whose mels a conversion model may make again (GTA, ground-truth aligned: Tacotron 2,
arXiv 1712.05884, section 3.2.2).
"""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile
import torch
from lhotse import MonoCut

from moksori.config import AudioConfig, Hertz, VocoderTrainConfig
from moksori.corpus.batches import read_speakers
from moksori.corpus.manifests import f0_of, loaded, read_cuts, wave_of
from moksori.corpus.recordings import PreparedRecording, paths, read_rows
from moksori.errors import CorpusError
from moksori.models.conversion import DECODINGS, Batch, ConversionModel
from moksori.signal.audio import resample
from moksori.signal.band import real_band
from moksori.signal.features import log_mel
from moksori.signal.treble import treble_levels
from moksori.text import tokenize


@dataclass(frozen=True)
class Item:
    """One recording: where it is, and how many frames it has."""

    id: str
    frames: int
    row: PreparedRecording | None = None
    cut: MonoCut | None = None


class Loaded(NamedTuple):
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
        self.loaded: dict[str, Loaded] = {}
        if (folder / "recordings.json").exists():
            self.items = self._of_recordings(split)
        else:
            read_speakers(folder, config.audio)
            self.items = self._of_corpus(split)
        if not self.items and split == "train":
            raise CorpusError.of("corpus.no_recordings", folders=folder, split=split)

    def _of_recordings(self, split: str) -> list[Item]:
        about = read_about(self.folder)
        if about["sample_rate"] != self.sample_rate:
            raise CorpusError.of(
                "corpus.other_rate", folder=self.folder, rate=about["sample_rate"],
                wanted=self.sample_rate,
            )  # fmt: skip
        if not AudioConfig.model_validate(about["audio"]).same_mels(self.audio):
            raise CorpusError.of("corpus.other_mels", folder=self.folder)
        rows = read_rows(self.folder / "recordings.jsonl")
        return [
            Item("/".join(row.key), row.samples // self.hop, row=row)
            for row in rows
            if row.split == split and not row.problem
        ]

    def _of_corpus(self, split: str) -> list[Item]:
        return [
            Item(cut.id, cut.num_samples // self.audio.hop_length, cut=cut)
            for cut in read_cuts(self.folder, split)
        ]

    def check(self) -> None:
        """See that all of its files can be read.

        Raises:
            CorpusError: one is missing or damaged.
        """
        for item in self.items:
            self._read(item)

    def load(self, item: Item) -> Loaded:
        """An item's features and wave; computed once."""
        if item.id not in self.loaded:
            wave, f0 = self._read(item)
            own = self._of_row(item.row, wave, f0) if item.row else self._of_cut(item.cut, wave, f0)
            self.loaded[item.id] = own
        return self.loaded[item.id]

    def _read(self, item: Item) -> tuple[np.ndarray, np.ndarray]:
        """Wave [n] and F0 [T] as they were prepared."""
        if item.cut is not None:
            return wave_of(item.cut), f0_of(item.cut)
        assert item.row is not None
        audio_path, f0_path = paths(item.row, self.folder)
        wave = loaded(audio_path, lambda path: soundfile.read(path, dtype="float32")[0])
        return wave, loaded(f0_path, np.load)

    def _of_row(self, row: PreparedRecording, wave: np.ndarray, f0: np.ndarray) -> Loaded:
        narrow = resample(wave, self.sample_rate, self.audio.sample_rate).astype(np.float32)
        return self._kept(wave, narrow, f0, None, row.band)

    def _of_cut(self, cut: MonoCut | None, narrow: np.ndarray, f0: np.ndarray) -> Loaded:
        assert cut is not None
        wave = resample(narrow, self.audio.sample_rate, self.sample_rate)
        band = real_band(narrow, self.audio.sample_rate)
        if self.sample_rate != self.audio.sample_rate:
            band = min(band, 0.98 * self.audio.sample_rate / 2)  # the resampling's own edge
        gta = self._gta(cut, narrow) if self.model else None
        return self._kept(wave, narrow, f0, gta, band)

    def _kept(
        self, wave: np.ndarray, narrow: np.ndarray, f0: np.ndarray, gta: torch.Tensor | None, band: Hertz
    ) -> Loaded:  # fmt: skip
        mel = log_mel(narrow, self.audio)
        levels = treble_levels(wave, self.sample_rate)
        frames = min(len(mel), len(f0), len(wave) // self.hop)
        whole = torch.from_numpy(
            np.clip(np.rint(wave[: frames * self.hop] * 2**15), -(2**15), 2**15 - 1)
        )
        return Loaded(
            wave=whole.to(torch.int16), mel=mel[:frames].half(),
            gta=None if gta is None else gta[:frames].half(),
            f0=torch.from_numpy(f0[:frames].astype(np.float32)), band=band,
            treble=torch.tensor(levels or (torch.nan,) * 3),
        )  # fmt: skip

    @torch.no_grad()
    def _gta(self, cut: MonoCut, wave: np.ndarray) -> torch.Tensor | None:
        """The line's mel [T, n_mels] as a conversion makes it; None for another speaker.

        It is converted to another voice and back, since a conversion's source is somebody else: the energies
        that the decoder is given are another voice's, as they are there. Every second line with the decoder's
        dropout, since the model knows the lines that it has learnt from better than any that it will convert.
        """
        speaker = cut.supervisions[0].speaker
        if self.model is None or speaker not in self.voices:
            return None
        mel, f0 = log_mel(wave, self.audio), torch.from_numpy(f0_of(cut))
        phones = torch.tensor(tokenize(cut.supervisions[0].text))
        line = Batch(
            phones=phones[None], phone_lengths=torch.tensor([len(phones)]), mel=mel[None],
            mel_lengths=torch.tensor([len(mel)]), f0=f0[None],
            voice=torch.tensor([self.voices[speaker]]),
        )  # fmt: skip
        number, count = zlib.crc32(cut.id.encode()), len(self.voices)
        further = 1 + number // 2 % max(
            1, count - 1
        )  # never so far that it is the line's own again
        another = torch.tensor([(self.voices[speaker] + further) % count])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(number)
            self.model.decoder.train(number % 2 == 0)
            linguistic = self.model.align(
                line.phones, line.phone_lengths, line.mel, line.mel_lengths
            ).linguistic()
            made = self.model.decode(linguistic, line._replace(voice=another))
            for _ in range(DECODINGS):
                made = self.model.decode(linguistic, line._replace(mel=made))
            self.model.decoder.eval()
        return made[0]


def read_about(folder: Path) -> dict[str, Any]:
    """The `licences`, `sample_rate` and `audio` of a folder of prepared recordings.

    Raises:
        CorpusError: they are damaged.
    """
    path = folder / "recordings.json"
    try:
        about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        AudioConfig.model_validate(about["audio"])
        dict(about["licences"]), int(about["sample_rate"])
    except (ValueError, KeyError, TypeError):
        raise CorpusError.of("corpus.damaged", file=path) from None
    return about
