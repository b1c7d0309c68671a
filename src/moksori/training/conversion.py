"""Training of the conversion model on real lines, source and target being the same speaker."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import TensorBoardLogger

from moksori.alignment.alignment import Alignment, silences
from moksori.alignment.plots import draw_conversion
from moksori.config import TextConfig, TrainConfig
from moksori.conversion.card import ConversionCard, CotatronCard, Voice
from moksori.conversion.checkpoint import load_conversion, load_cotatron, load_vocoder
from moksori.conversion.terms import Terms
from moksori.corpus.batches import LineData, Usual, read_speakers, training_voices
from moksori.errors import ConfigError
from moksori.models.aligner import forward_sum_loss
from moksori.models.conversion import Batch, ConversionModel, Converted
from moksori.models.cotatron import Cotatron
from moksori.models.layers import length_mask
from moksori.text import SYMBOLS
from moksori.training.begun import joined_terms
from moksori.training.common import Training, fit, mean_of_frames, mel_l1, mel_mse
from moksori.training.watch import LogSamples, Watch, symbol_labels
from moksori.weights import DEFAULT_VOCODER, VOCODERS


class ConversionTraining(Training):
    """L1 on the mel and, unless Cotatron is frozen, the aligner's forward-sum loss."""

    model: ConversionModel
    config: TrainConfig
    bar = ("mel_l1", "confidence")

    def training_step(self, batch: Batch, _: int) -> torch.Tensor:
        aligned = batch.other or batch
        prior = self.log_prior(batch.phone_lengths, aligned.mel_lengths)
        losses = self._losses(batch, prior)[1]
        self.log_losses("train", losses, len(batch.voice))
        return losses["total"]

    def validation_step(self, batch: Batch, index: int) -> None:
        converted, losses = self._losses(batch, None)
        self.log_losses("valid", losses, len(batch.voice))
        if index == 0 and isinstance(self.logger, TensorBoardLogger):
            self._draw(batch, converted, self.logger)

    def _losses(
        self, batch: Batch, prior: torch.Tensor | None
    ) -> tuple[Converted, dict[str, torch.Tensor]]:
        frozen = self.model.frozen
        converted = self.model(batch, None if frozen else prior)
        mask = length_mask(batch.mel_lengths, batch.mel.shape[1])
        l1 = mel_l1(converted.mel, batch.mel, mask)
        mse = self.config.mel_loss == "mse"
        mel = mel_mse(converted.mel, batch.mel, mask) if mse else l1
        aligned = batch.other or batch
        mask = length_mask(aligned.mel_lengths, aligned.mel.shape[1])
        posterior = converted.log_alignment.detach().exp()
        confidence = (posterior * converted.alignment).sum(-1)
        losses = {
            "mel_l1": l1,
            "sharpness": mean_of_frames(posterior.max(-1).values, mask),  # mean of row maxima
            "confidence": mean_of_frames(confidence, mask),  # as Alignment.confidence
        }
        if not frozen:
            forward_sum = forward_sum_loss(
                converted.log_alignment, batch.phone_lengths, aligned.mel_lengths
            )
            mel = mel + self.config.optimizer.aligner_weight * forward_sum
            losses["forward_sum"] = forward_sum
        return converted, losses | {"total": mel}

    def _draw(self, batch: Batch, converted: Converted, logger: TensorBoardLogger) -> None:
        """The first validation line: its mel, its alignment, the converted mel."""
        t, n = int(batch.mel_lengths[0]), int(batch.phone_lengths[0])
        figure = draw_conversion(
            batch.mel[0, :t].cpu().numpy(),
            Alignment(
                weights=converted.alignment[0, :t, :n].cpu().numpy(),
                posterior=converted.log_alignment[0, :t, :n].exp().cpu().numpy(),
                phones=[SYMBOLS[i] for i in batch.phones[0, :n].tolist()],
            ),
            converted.mel[0, :t].cpu().numpy(),
            self.config.audio,
        )
        logger.experiment.add_figure("valid/line", figure, self.global_step)


def train_conversion(
    config: TrainConfig,
    data: Path,
    run: Path,
    cotatron: Path | None = None,
    start: Path | None = None,
    fast_dev_run: bool = False,
    callbacks: Sequence[Callback] = (),
) -> Path:
    """Train the conversion model; see `fit`.

    Args:
        config: of the whole run.
        data: a corpus that `moksori prepare` wrote.
        run: folder of this run; the same again to resume.
        cotatron: a Cotatron whose linguistic features are taken, frozen unless the config unfreezes them;
            without one the text encoder and the parallel aligner are learnt along.
        start: a conversion model that a new run begins with; new voices begin with the mean of its rows.
        fast_dev_run: as `fit`.
        callbacks: more of them, Lightning's.

    Raises:
        CheckpointError: `cotatron` is no Cotatron.
        CorpusError: `data` is not a prepared corpus, or one for other audio settings; or all lines of a
            voice are too long.
        ConfigError: `run` holds a training with another config, or the config asks for an alignment
            that is not there.
    """
    corpus = read_speakers(data, config.audio)
    names = training_voices(corpus["speakers"])
    pl.seed_everything(config.seed, verbose=False)
    if config.model.cotatron:
        raise ConfigError.of("train.cotatron_key")
    terms, base = [Terms.of_corpus(corpus)], ""
    trained: Cotatron | None = None
    if start and cotatron:
        raise ConfigError.of("train.two_starts")
    if cotatron:
        trained, known = load_cotatron(cotatron)
        config = _upon(cotatron, known, config)
        terms.append(Terms.of_card(known))
        base = known.sha256
    elif config.model.aligner == "attention" or not config.freeze_cotatron:
        raise ConfigError.of("train.no_cotatron")
    model = ConversionModel.build(config.model, config.audio, len(SYMBOLS), len(names))
    model.text_aligner.silences = silences(SYMBOLS)
    if trained:
        _take_over(trained, model, config.freeze_cotatron)
    if start:
        known_terms, base = begin_with(start, model, config, names)
        terms.append(known_terms)
    lines = LineData(
        data, names, config.audio, config.data, config.seed,
        config.parallel_lines,
    )  # fmt: skip
    lines.check()
    usual, all_terms = lines.usual(), joined_terms(terms)
    card = ConversionCard(
        **vars(all_terms), audio=config.audio, symbols=SYMBOLS, model=config.model,
        voices=[
            _voice(name, corpus["speakers"][name], all_terms.licence, usual[name])
            for name in names
        ],
    )  # fmt: skip
    symbols = model.text_aligner.text_encoder.embedding
    watch: list[Callback] = [
        Watch({"symbols": (symbols, symbol_labels()), "voices": (model.voices, names)})
    ]
    if config.speak_every:
        vocoder, vocoder_card = load_vocoder(VOCODERS[DEFAULT_VOCODER])
        if vocoder_card.audio.same_mels(config.audio):
            watch.append(LogSamples(model, vocoder, card.voices, config.speak_every))
    training = ConversionTraining(model, config)
    return fit(training, lines, run, card, "mel_l1", [*watch, *callbacks], base, fast_dev_run)


def _upon(folder: Path, known: CotatronCard, config: TrainConfig) -> TrainConfig:
    """`config` with the sizes of the Cotatron in `folder`.

    Raises:
        ConfigError: the config asks for what this Cotatron is not.
    """
    if not known.audio.same_mels(config.audio):
        raise ConfigError.of("train.other_audio", folder=folder)
    texts = known.model.model_dump(include=set(TextConfig.model_fields))
    for name in config.model.model_fields_set & texts.keys():
        if getattr(config.model, name) != texts[name]:
            raise ConfigError.of(
                "train.cotatron_size", folder=folder, name=name, there=written(texts[name]),
                here=written(getattr(config.model, name)),
            )  # fmt: skip
    if config.model.aligner == "parallel" and not known.model.parallel_aligner:
        raise ConfigError.of("train.no_aligner", folder=folder)
    if config.model.aligner == "attention" and not config.freeze_cotatron:
        raise ConfigError.of("train.not_frozen")
    # A text aligner that is trained further leaves the attention behind, so only a frozen one is kept.
    kept = known.model if config.freeze_cotatron else None
    sizes = config.model.model_copy(update={**texts, "cotatron": kept})
    return config.model_copy(update={"model": sizes})


def _take_over(trained: Cotatron, model: ConversionModel, freeze: bool) -> None:
    if freeze:
        trained.speaker_classifier = None
        model.text_aligner.load_state_dict(trained.state_dict())
        model.freeze()
    else:
        wanted = model.text_aligner.state_dict().keys()
        weights = {name: w for name, w in trained.state_dict().items() if name in wanted}
        model.text_aligner.load_state_dict(weights)


def begin_with(
    folder: Path, model: ConversionModel, config: TrainConfig, names: list[str]
) -> tuple[Terms, str]:
    """Give `model` the weights of the conversion model in `folder`.

    Voices of the same name keep their rows, others begin with the mean of all.

    Returns:
        Its terms, and its checksum.

    Raises:
        ConfigError: it has other audio settings or sizes.
        CheckpointError: it is no conversion model.
    """
    trained, card = load_conversion(folder)
    if not card.audio.same_mels(config.audio):
        raise ConfigError.of("train.other_audio", folder=folder)
    for name, size in config.model.model_dump().items():
        if getattr(card.model, name) != size:
            raise ConfigError.of(
                "train.other_size", folder=folder, name=name, here=written(size),
                there=written(getattr(card.model, name)),
            )  # fmt: skip
    weights = trained.state_dict()
    rows = dict(zip((voice.name for voice in card.voices), weights["voices.weight"], strict=True))
    mean = weights["voices.weight"].mean(0)
    weights["voices.weight"] = torch.stack([rows.get(name, mean) for name in names])
    model.load_state_dict(weights)
    return Terms.of_card(card), card.sha256


def written(value: Any) -> str:
    """A size as TOML has it."""
    return json.dumps(value, ensure_ascii=False, default=lambda part: part.model_dump(mode="json"))


def _voice(name: str, entry: dict[str, Any], licence: str, usual: Usual) -> Voice:
    return Voice(
        name=name, sex=entry["sex"], minutes=round(entry["seconds"]["train"] / 60, 1),
        licence=licence, log_f0_mean=entry["log_f0_mean"], **usual._asdict(),
    )  # fmt: skip
