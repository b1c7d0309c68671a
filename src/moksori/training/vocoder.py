"""Training of the source-filter vocoder: recordings again from their mels and F0."""

import json
from collections.abc import Sequence
from pathlib import Path

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_warn
from torch.func import functional_call

from moksori.config import VocoderLosses, VocoderTrainConfig
from moksori.conversion.card import VocoderCard
from moksori.conversion.checkpoint import load_conversion, load_vocoder
from moksori.conversion.terms import Terms
from moksori.corpus.batches import read_speakers
from moksori.corpus.segments import SegmentBatch, SegmentData
from moksori.corpus.sources import read_about
from moksori.errors import CheckpointError, ConfigError, CorpusError, Notice
from moksori.models.vocoder.source_filter import SourceFilter
from moksori.training.begun import joined_terms
from moksori.training.common import Training, fit
from moksori.training.discriminators import (
    Discriminators,
    discriminator_loss,
    feature_matching_loss,
    generator_loss,
    stft_loss,
)
from moksori.training.watch import Watch


class VocoderTraining(Training):
    """Multi-resolution STFT loss and, from a step on, discriminators that learn along."""

    model: SourceFilter
    config: VocoderTrainConfig
    bar = ("stft", "feature_matching")
    keep_newest = True  # discriminators raise the STFT loss, and the quality

    def __init__(self, model: SourceFilter, config: VocoderTrainConfig) -> None:
        super().__init__(model, config)
        c = config.losses
        self.discriminators = Discriminators(
            c.discriminator_windows, c.discriminator_channels, model.sample_rate, model.floor
        )

    def frames(self, batch: SegmentBatch) -> float:
        """Of all segments."""
        return float(batch.f0.numel())

    def training_step(self, batch: SegmentBatch, _: int) -> torch.Tensor:
        """One step of both sides."""
        c = self.config.losses
        synthesised = self.model(batch.mel, batch.f0, batch.treble)
        losses = {"stft": self._stft(synthesised, batch)}
        total = c.stft * losses["stft"]
        if self.global_step >= c.adversarial_from and (c.generator or c.feature_matching):
            few = c.discriminator_segments
            losses |= self._compete(synthesised[:few], batch.wave[:few], batch.band[:few])
            # Each side's gradients reach its own weights alone, so one step moves both.
            total = (
                total + c.generator * losses["generator"]
                + c.feature_matching * losses["feature_matching"] + losses["discriminator"]
            )  # fmt: skip
        else:
            total = total + 0 * sum(p.sum() for p in self.discriminators.parameters())  # for DDP
        self.log_losses("train", losses | {"total": total}, len(batch.mel))
        return total

    def _stft(self, synthesised: torch.Tensor, batch: SegmentBatch) -> torch.Tensor:
        windows, model = self.config.losses.windows, self.model
        return stft_loss(
            synthesised, batch.wave, windows, batch.band, model.sample_rate, model.floor
        )

    def _compete(
        self, synthesised: torch.Tensor, wave: torch.Tensor, band: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        both = self.discriminators(torch.cat([wave, synthesised.detach()]), torch.cat([band, band]))
        real = [[layer[: len(wave)] for layer in features] for features in both]
        other = [[layer[len(wave) :] for layer in features] for features in both]
        still = {name: p.detach() for name, p in self.discriminators.named_parameters()}
        judged = functional_call(self.discriminators, still, (synthesised, band))
        return {
            "discriminator": discriminator_loss(real, other),
            "generator": generator_loss(judged),
            "feature_matching": feature_matching_loss(real, judged),
        }

    def validation_step(self, batch: SegmentBatch, index: int) -> None:
        """STFT loss of the beginning of one recording; the first one is logged to be heard."""
        synthesised = self.model(batch.mel, batch.f0, batch.treble)
        loss, rate = self._stft(synthesised, batch), self.model.sample_rate
        self.log_losses("valid", {"stft": loss, "total": loss}, 1)
        if index == 0 and isinstance(self.logger, TensorBoardLogger):
            for name, wave in (("synthesised", synthesised), ("recorded", batch.wave)):
                self.logger.experiment.add_audio(
                    f"valid/{name}", wave[0].float(), self.global_step, sample_rate=rate
                )


def train_vocoder(
    config: VocoderTrainConfig,
    data: Sequence[Path],
    run: Path,
    *,
    model: Path | None = None,
    start: Path | None = None,
    fast_dev_run: bool = False,
    callbacks: Sequence[Callback] = (),
) -> Path:
    """Train the source-filter vocoder; see `fit`.

    Args:
        config: of the whole run.
        data: folders that `moksori prepare` wrote: recordings, corpora of lines, or both.
        run: folder of this run; the same again to resume.
        model: a conversion model; it makes the lines of corpora again in their own voices, and the vocoder
            learns from those mels too (GTA: ground-truth aligned, Tacotron 2, section 3.2.2).
        start: a source-filter vocoder whose weights a new run begins with. From a run's `model` folder its
            discriminators are taken too, if they are of the same windows and sizes.
        fast_dev_run: as `fit`.
        callbacks: more of them, Lightning's.

    Raises:
        CheckpointError: `model` is no conversion model, `start` no vocoder, or its run is damaged.
        CorpusError: a folder is not prepared, or for other settings; or no folder holds anything out.
        ConfigError: `run` holds a training with another config or model, `model` takes other mels, `start`
            has other sizes than the config's, or its shares are not one for each folder.
    """
    if config.shares is not None and len(config.shares) != len(data):
        raise ConfigError.of("train.shares", numbers=len(config.shares), folders=len(data))
    pl.seed_everything(config.seed, verbose=False)
    sets = _terms(data, config)
    named, terms = [(name, own.licence) for name, own in sets], [own for _, own in sets]
    base, converter, voices = "", None, list[str]()
    if model:
        converter, known = load_conversion(model)
        if not known.audio.same_mels(config.audio):
            raise ConfigError.of("train.other_mels", folder=model)
        terms.append(Terms.of_card(known))
        voices, base = [voice.name for voice in known.voices], known.sha256
        if not _speakers(data, config) & {*voices}:
            rank_zero_warn(Notice("train.no_gta", model=model))
    vocoder = SourceFilter(config.model, config.audio)
    if start:
        trained, known_vocoder = load_vocoder(start)
        same = known_vocoder.model == config.model
        if not (same and known_vocoder.audio.same_mels(config.audio)):
            raise ConfigError.of("train.other_vocoder", folder=start)
        terms.append(Terms.of_card(known_vocoder))
        named = [*known_vocoder.trained_on.items(), *named]
        vocoder.load_state_dict(trained.state_dict())
    card = VocoderCard(
        kind="source-filter", **vars(joined_terms(terms)),
        audio=config.audio, model=config.model, trained_on=_by_name(named),
    )  # fmt: skip
    training = VocoderTraining(vocoder, config)
    if start:
        _take_discriminators(training, start.resolve().parent)
    lines = SegmentData(data, config, converter, voices)
    lines.check()
    watch: list[Callback] = [Watch({}), *callbacks]
    return fit(training, lines, run, card, "total", watch, base, fast_dev_run)


def _terms(data: Sequence[Path], config: VocoderTrainConfig) -> list[tuple[str, Terms]]:
    """Of every set of recordings, with its name; two folders may have sets of the same name."""
    found: list[tuple[str, Terms]] = []
    for folder in data:
        if (folder / "recordings.json").exists():
            licences = read_about(folder)["licences"]
            found += [(name, Terms.of_licence(licence)) for name, licence in licences.items()]
        else:
            found.append((folder.name, Terms.of_corpus(read_speakers(folder, config.audio))))
    if not found:
        raise CorpusError.of("train.no_data")
    return found


def _speakers(data: Sequence[Path], config: VocoderTrainConfig) -> set[str]:
    """Of all corpora of lines."""
    corpora = [folder for folder in data if not (folder / "recordings.json").exists()]
    return {name for f in corpora for name in read_speakers(f, config.audio)["speakers"]}


def _by_name(licences: Sequence[tuple[str, str]]) -> dict[str, str]:
    """What was learnt from, as the card has it; of the same name, all licences."""
    found: dict[str, str] = {}
    for name, licence in licences:
        both = (Terms.of_licence(one) for one in (found.get(name, licence), licence))
        found[name] = Terms.joined(both).licence
    return found


def _take_discriminators(training: VocoderTraining, run: Path) -> None:
    """Take the discriminators of a run, if `run` is one, and they are of the same windows.

    Begun anew they cost some hundred steps until they can judge. They are as they were last, not averaged,
    since a discriminator is to know the newest weaknesses.

    Raises:
        CheckpointError: `run` cannot be read.
    """
    config, checkpoint = run / "config.json", run / "last.ckpt"
    if not (config.is_file() and checkpoint.is_file()):
        return
    keys = ("discriminator_windows", "discriminator_channels")
    try:
        losses = VocoderLosses.model_validate(json.loads(config.read_text())["losses"])
        if any(getattr(losses, key) != getattr(training.config.losses, key) for key in keys):
            rank_zero_warn(Notice("train.new_discriminators", run=run))
            return
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)["current_model_state"]
        training.discriminators.load_state_dict({
            name.removeprefix("discriminators."): tensor
            for name, tensor in state.items()
            if name.startswith("discriminators.")
        })  # fmt: skip
    except Exception as error:  # what a damaged file makes the reader raise is not to be foreseen
        raise CheckpointError.of("train.no_discriminators", file=checkpoint) from error
