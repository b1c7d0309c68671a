"""Training of the recogniser: to say without the text what a conversion model's aligner finds with it."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import lightning.pytorch as pl
import torch
from lhotse import CutSet, MonoCut
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from moksori.config import AudioConfig, RecogniserTrainConfig
from moksori.conversion.card import RecogniserCard
from moksori.conversion.checkpoint import load_conversion
from moksori.conversion.terms import Terms
from moksori.corpus.batches import LineData, LineDataset, read_speakers, training_voices
from moksori.errors import ConfigError
from moksori.models.conversion import ConversionModel
from moksori.models.layers import length_mask
from moksori.models.recogniser import PhoneRecogniser
from moksori.text.sounds import SILENT, SOUNDS, sound_of
from moksori.text.symbols import NO_ONSET, PUNCTUATION, SYMBOLS
from moksori.training.begun import joined_terms
from moksori.training.common import Training, fit
from moksori.training.watch import Watch

UNSURE = -1  # number of a frame of which nothing is learnt
_PAUSE = 4.0  # frames, from which silence between words is heard as such
_SMOOTHING = 0.2  # counts added to each pair of sounds
_PAUSED = 0.3  # of a pause at a space, beside going on without one

_ONSET_ID = SYMBOLS.index(NO_ONSET)
_SOUND_IDS = torch.tensor([sound_of(symbol) or 0 for symbol in SYMBOLS])


class SoundBatch(NamedTuple):
    """Padded lines and what each frame is."""

    mel: torch.Tensor  # [B, T, n_mels]
    mel_lengths: torch.Tensor  # [B]
    sounds: torch.Tensor  # [B, T] numbers in SOUNDS; `UNSURE` where nothing is learnt


class SoundDataset(LineDataset):
    """A `CutSet` to a `SoundBatch`; each line is aligned once.

    Args:
        audio: of the mels.
        voices: the speakers whose lines are taken.
        aligner: a conversion model.
    """

    def __init__(self, audio: AudioConfig, voices: list[str], aligner: ConversionModel) -> None:
        super().__init__(audio, voices)
        self.aligner = aligner
        self.sounds: dict[str, torch.Tensor] = {}

    def __getitem__(self, cuts: CutSet) -> SoundBatch:  # type: ignore[override]
        mels, sounds = zip(*map(self._heard, cuts), strict=True)
        return SoundBatch(
            mel=pad_sequence([m.float() for m in mels], batch_first=True),
            mel_lengths=torch.tensor([len(m) for m in mels]),
            sounds=pad_sequence([*sounds], batch_first=True, padding_value=UNSURE),
        )

    def _heard(self, cut: MonoCut) -> tuple[torch.Tensor, torch.Tensor]:
        phones, mel, _, _ = self.line(cut)
        if cut.id not in self.sounds:
            with torch.inference_mode(), torch.autocast("cpu", enabled=False):
                lengths = torch.tensor([len(phones)]), torch.tensor([len(mel)])
                aligned = self.aligner.align(
                    phones[None], lengths[0], mel[None].float(), lengths[1]
                )
            self.sounds[cut.id] = frame_sounds(aligned.alignment[0], phones)
        return mel, self.sounds[cut.id]


class SoundData(LineData):
    """Batches of a prepared corpus, aligned; see `LineData`."""

    def __init__(
        self, folder: Path, voices: list[str], config: RecogniserTrainConfig, aligner: ConversionModel
    ) -> None:  # fmt: skip
        self.aligner = aligner
        super().__init__(folder, voices, config.audio, config.data, config.seed)

    def _dataset(self, audio: AudioConfig, voices: list[str]) -> LineDataset:
        return SoundDataset(audio, voices, self.aligner)


class RecogniserTraining(Training):
    """Cross-entropy to the aligner's sounds, of mels made as other people and rooms would have them."""

    model: PhoneRecogniser
    config: RecogniserTrainConfig
    bar = ("cross_entropy", "accuracy")

    def training_step(self, batch: SoundBatch, _: int) -> torch.Tensor:
        batch = stretched(batch, self.config.stretch)
        mel = warped(batch.mel, self.config.warp)
        mel = noisy(mel, batch.mel_lengths, self.config.noise_share)
        losses = self._losses(batch._replace(mel=masked(mel, self.config.masks)))
        self.log_losses("train", losses, len(batch.mel))
        return losses["cross_entropy"]

    def validation_step(self, batch: SoundBatch, _: int) -> None:
        self.log_losses("valid", self._losses(batch), len(batch.mel))

    def _losses(self, batch: SoundBatch) -> dict[str, torch.Tensor]:
        log_posterior = self.model(batch.mel, length_mask(batch.mel_lengths, batch.mel.shape[1]))
        learnt = batch.sounds != UNSURE
        own, likeliest = batch.sounds[learnt], log_posterior[learnt]
        return {
            "cross_entropy": functional.nll_loss(likeliest, own),
            "accuracy": (likeliest.argmax(-1) == own).float().mean(),
        }


def frame_sounds(alignment: torch.Tensor, phones: torch.Tensor) -> torch.Tensor:
    """What each frame of a line is, by its alignment with its text.

    The onset ㅇ counts as the vowel after it. The aligner gives each space a frame even where nobody pauses:
    of a silence shorter than `_PAUSE` nothing is learnt.

    Args:
        alignment: A [T, N].
        phones: [N] symbol numbers.

    Returns:
        [T] numbers in SOUNDS, `UNSURE` where it cannot be said.
    """
    numbers = _SOUND_IDS[phones]
    numbers = torch.where(phones == _ONSET_ID, numbers.roll(-1), numbers)
    frames = functional.pad(alignment.sum(0) * (numbers == SILENT), (1, 1))
    run = frames[:-2] + frames[1:-1] + frames[2:]  # of each silent symbol and those beside it
    numbers = torch.where((numbers == SILENT) & (run < _PAUSE), UNSURE, numbers)
    return numbers[alignment.argmax(-1)]


def stretched(batch: SoundBatch, most: float) -> SoundBatch:
    """A batch at another pace, up to `most` slower or faster."""
    mel = batch.mel
    pace = 1 + most * (2 * float(torch.rand(())) - 1)
    size = max(2, math.floor(mel.shape[1] / pace))
    places = (torch.arange(size, device=mel.device) * pace).clamp(max=mel.shape[1] - 1)
    low = places.long()
    high, share = (low + 1).clamp(max=mel.shape[1] - 1), (places - low)[None, :, None]
    return SoundBatch(
        mel[:, low] * (1 - share) + mel[:, high] * share,
        (batch.mel_lengths / pace).floor().long().clamp(1, size),
        batch.sounds[:, places.round().long()],
    )


def warped(mel: torch.Tensor, most: float) -> torch.Tensor:
    """Mels of shorter and longer vocal tracts: bins moved by up to `most` of their place, line by line."""
    bins = torch.arange(mel.shape[2], device=mel.device)
    factors = 1 + most * (2 * torch.rand(len(mel), 1, device=mel.device) - 1)
    places = (bins * factors).clamp(max=mel.shape[2] - 1)  # [B, n_mels]
    low = places.long()
    share = (places - low)[:, None]
    high = (low + 1).clamp(max=mel.shape[2] - 1)
    low, high = (index[:, None].expand_as(mel) for index in (low, high))
    return mel.gather(2, low) * (1 - share) + mel.gather(2, high) * share


def noisy(mel: torch.Tensor, lengths: torch.Tensor, share: float) -> torch.Tensor:
    """A share of the lines with steady noise of random tilt, 10 to 40 dB below their louder frames."""
    b, _, bins = mel.shape
    device = mel.device
    loud = torch.stack(
        [line[:n].mean(1).quantile(0.95) for line, n in zip(mel, lengths, strict=True)]
    )
    level = loud - (1.2 + 3.5 * torch.rand(b, device=device))
    tilt = (4 * torch.rand(b, 1, device=device) - 2) * torch.linspace(
        -0.5, 0.5, bins, device=device
    )
    noise = level[:, None, None] + tilt[:, None] + 0.3 * torch.randn_like(mel)
    chosen = torch.rand(b, 1, 1, device=device) < share
    return torch.where(chosen, torch.logaddexp(mel, noise), mel)


def masked(mel: torch.Tensor, count: int) -> torch.Tensor:
    """Each line with `count` bands of bins, and twice as many short spans, at its mean (SpecAugment)."""
    _, t, bins = mel.shape
    mel = mel.clone()
    for line in mel:
        mean = line.mean(0)
        for _ in range(count):
            width = int(torch.randint(1, max(2, bins // 8), ()))
            first = int(torch.randint(0, bins - width, ()))
            line[:, first : first + width] = mean[first : first + width]
        for _ in range(2 * count):
            width = int(torch.randint(1, 9, ()))
            first = int(torch.randint(0, max(1, t - width), ()))
            line[first : first + width] = mean
    return mel


def count_transitions(texts: Iterable[list[str]]) -> torch.Tensor:
    """Log probabilities of sounds after one another, [n_sounds, n_sounds], in texts given as phones."""
    counts = torch.full((len(SOUNDS), len(SOUNDS)), _SMOOTHING)
    for phones in texts:
        before, pause = SILENT, 0.0
        for phone in phones:
            number = sound_of(phone)
            if number == SILENT:
                pause = max(pause, 1.0 if phone in PUNCTUATION or phone not in " " else _PAUSED)
            elif number is not None:
                if before != SILENT:
                    counts[before, number] += 1 - pause
                    counts[before, SILENT] += pause
                counts[SILENT, number] += pause if before != SILENT else 1.0
                before, pause = number, 0.0
        counts[before, SILENT] += 1
    counts.fill_diagonal_(_SMOOTHING)
    return (counts / counts.sum(1, keepdim=True)).log()


def train_recogniser(
    config: RecogniserTrainConfig,
    data: Path,
    run: Path,
    model: Path,
    fast_dev_run: bool = False,
) -> Path:
    """Train the recogniser; see `fit`.

    Args:
        config: of the whole run.
        data: a corpus that `moksori prepare` wrote.
        run: folder of this run; the same again to resume.
        model: the conversion model whose alignments are learnt.
        fast_dev_run: as `fit`.

    Raises:
        CheckpointError: `model` is no conversion model.
        CorpusError: `data` is not a prepared corpus, or one for other audio settings; or all lines of a
            speaker are too long.
        ConfigError: `run` holds a training with another config.
    """
    corpus = read_speakers(data, config.audio)
    names = training_voices(corpus["speakers"])
    pl.seed_everything(config.seed, verbose=False)
    aligner, known = load_conversion(model)
    if not known.audio.same_mels(config.audio):
        raise ConfigError.of("train.other_audio", folder=model)
    lines = SoundData(data, names, config, aligner)
    lines.check()
    recogniser = PhoneRecogniser(config.model, config.audio.n_mels, len(SOUNDS))
    if aligner.text_aligner.aligner is not None:
        recogniser.begin_as(aligner.text_aligner.aligner)
    recogniser.transitions.copy_(count_transitions(lines.texts("train")))
    card = RecogniserCard(
        **vars(joined_terms([Terms.of_corpus(corpus), Terms.of_card(known)])),
        audio=config.audio, sounds=SOUNDS, model=config.model,
    )  # fmt: skip
    training = RecogniserTraining(recogniser, config)
    return fit(training, lines, run, card, "cross_entropy", [Watch({})], known.sha256, fast_dev_run)
