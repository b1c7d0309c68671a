"""Training of the fast vocoder: recordings again from their mels and F0."""

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
from moksori.conversion.checkpoint import SourceFilterCard, load_conversion, load_vocoder
from moksori.corpus.batches import read_speakers, training_voices
from moksori.corpus.waves import WaveBatch, WaveData
from moksori.errors import CheckpointError, ConfigError
from moksori.models.vocoder.source_filter import SourceFilter
from moksori.training.common import Training, fit, joined
from moksori.training.discriminators import (
    Critics,
    critics_loss,
    deceiving_loss,
    matching_loss,
    spectral_loss,
)
from moksori.training.watch import Watch


class VocoderTraining(Training):
    """Multi-resolution STFT loss and, from a step on, critics that learn along."""

    model: SourceFilter
    config: VocoderTrainConfig
    bar = ("spectral", "matching")
    keep_newest = True  # critics raise the spectral loss, and the quality

    def __init__(self, model: SourceFilter, config: VocoderTrainConfig) -> None:
        super().__init__(model, config)
        self.critics = Critics(config.losses.critic_windows, config.losses.critic_channels)

    def frames(self, batch: WaveBatch) -> float:
        return float(batch.mel_lengths.clamp(max=self.config.segment_frames).sum())

    def training_step(self, batch: WaveBatch, _: int) -> torch.Tensor:
        c = self.config.losses
        mel, f0, wave = self._segments(batch)
        made = self.model(mel, f0)
        losses = {"spectral": spectral_loss(made, wave, c.windows)}
        total = c.spectral * losses["spectral"]
        if self.global_step >= c.adversarial_from and (c.adversarial or c.matching):
            losses |= self._compete(made, wave)
            # Each side's gradients reach its own weights alone, so one step moves both.
            total = (
                total + c.adversarial * losses["adversarial"] + c.matching * losses["matching"]
                + losses["critics"]
            )  # fmt: skip
        else:
            total = total + 0 * sum(p.sum() for p in self.critics.parameters())  # for DDP
        self.log_losses("train", losses | {"total": total}, len(mel))
        return total

    def _compete(self, made: torch.Tensor, wave: torch.Tensor) -> dict[str, torch.Tensor]:
        real, other = self.critics(wave), self.critics(made.detach())
        still = {name: p.detach() for name, p in self.critics.named_parameters()}
        judged = functional_call(self.critics, still, made)
        return {
            "critics": critics_loss(real, other),
            "adversarial": deceiving_loss(judged),
            "matching": matching_loss(real, judged),
        }

    def _segments(self, batch: WaveBatch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """A random part of each line: mel [B, S, n_mels], F0 [B, S] and wave [B, S * hop_length]."""
        hop = self.model.audio.hop_length
        size = min(self.config.segment_frames, int(batch.mel_lengths.min()))  # no padding
        room = batch.mel_lengths - size
        starts = (torch.rand(len(room), device=room.device) * (room + 1)).long()
        frames = starts[:, None] + torch.arange(size, device=room.device)
        samples = (starts * hop)[:, None] + torch.arange(size * hop, device=room.device)
        mel = batch.mel
        if batch.remade is not None:
            coins = torch.rand(len(mel), 1, 1, device=mel.device) < self.config.remade_share
            mel = torch.where(coins, batch.remade, mel)
        rows = torch.arange(len(mel), device=room.device)[:, None]
        return mel[rows, frames], batch.f0[rows, frames], batch.wave[rows, samples]

    def validation_step(self, batch: WaveBatch, index: int) -> None:
        heard = {"": batch.mel} | ({"_remade": batch.remade} if batch.remade is not None else {})
        windows, hop = self.config.losses.windows, self.model.audio.hop_length
        losses: dict[str, list[torch.Tensor]] = {}
        for row, frames in enumerate(batch.mel_lengths.tolist()):  # padding must not count
            wave = batch.wave[row : row + 1, : frames * hop]
            for name, mel in heard.items():
                made = self.model(mel[row : row + 1, :frames], batch.f0[row : row + 1, :frames])
                loss = spectral_loss(made, wave, windows)
                losses.setdefault(f"spectral{name}", []).append(loss)
                if index == row == 0:
                    self._listen(f"made{name}", made)
            if index == row == 0:
                self._listen("recorded", wave)
        means = {name: torch.stack(parts).mean() for name, parts in losses.items()}
        means["total"] = torch.stack([*means.values()]).mean()
        self.log_losses("valid", means, len(batch.mel))

    def _listen(self, name: str, wave: torch.Tensor) -> None:
        if isinstance(self.logger, TensorBoardLogger):
            self.logger.experiment.add_audio(
                f"valid/{name}", wave[0].float(), self.global_step,
                sample_rate=self.model.audio.sample_rate,
            )  # fmt: skip


def train_vocoder(
    config: VocoderTrainConfig,
    data: Path,
    run: Path,
    model: Path | None = None,
    start: Path | None = None,
    fast_dev_run: bool = False,
    callbacks: Sequence[Callback] = (),
) -> Path:
    """Train the fast vocoder; see `fit`.

    Args:
        config: of the whole run.
        data: a corpus that `moksori prepare` wrote.
        run: folder of this run; the same again to resume.
        model: a conversion model; it makes the lines again in their own voices, and the vocoder learns
            from those mels too (GTA: ground-truth aligned, Tacotron 2, section 3.2.2).
        start: a fast vocoder whose weights a new run begins with. From a run's `model` folder the critics
            go on too, if they are of the same windows and sizes.
        fast_dev_run: as `fit`.
        callbacks: more of them, Lightning's.

    Raises:
        CheckpointError: `model` is no conversion model, `start` no vocoder, or its run is damaged.
        CorpusError: `data` is not a prepared corpus, or one for other audio settings.
        ConfigError: `run` holds a training with another config or model, `model` knows other voices
            or mels than the corpus, or `start` has other sizes than the config's.
    """
    corpus = read_speakers(data, config.audio)
    names = training_voices(corpus["speakers"])
    pl.seed_everything(config.seed, verbose=False)
    licences, base, converter = [corpus["licence"]], "", None
    if model:
        converter, known = load_conversion(model)
        if [voice.name for voice in known.voices] != names or known.audio != config.audio:
            raise ConfigError(f"{model}: was trained on other voices or audio settings than {data}")
        licences.append(known.licence)
        base = known.sha256
    vocoder = SourceFilter(config.model, config.audio)
    if start:
        trained, known_vocoder = load_vocoder(start)
        same = known_vocoder.model == config.model
        if not (same and known_vocoder.audio.same_mels(config.audio)):
            raise ConfigError(f"{start}: no fast vocoder of the config's sizes and audio settings")
        licences.append(known_vocoder.licence)
        vocoder.load_state_dict(trained.state_dict())
    card = SourceFilterCard(licence=joined(licences), audio=config.audio, model=config.model)
    lines = WaveData(data, names, config.audio, config.data, config.seed, converter)
    training = VocoderTraining(vocoder, config)
    if start:
        _take_critics(training, start.resolve().parent)
    return fit(training, lines, run, card, "total", [Watch({}), *callbacks], base, fast_dev_run)


def _take_critics(training: VocoderTraining, run: Path) -> None:
    """Go on with the critics of a run, if `run` is one, and they hear through the same windows.

    Begun anew they cost some hundred steps until they know what they judge. They are as they were last, not
    averaged, since a critic is to know the newest tricks.

    Raises:
        CheckpointError: `run` cannot be read.
    """
    config, checkpoint = run / "config.json", run / "last.ckpt"
    if not (config.is_file() and checkpoint.is_file()):
        return
    keys = ("critic_windows", "critic_channels")
    try:
        losses = VocoderLosses.model_validate(json.loads(config.read_text())["losses"])
        if any(getattr(losses, key) != getattr(training.config.losses, key) for key in keys):
            rank_zero_warn(f"{run}: its critics are of other windows or sizes; critics begin anew")
            return
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)["current_model_state"]
        training.critics.load_state_dict({
            name.removeprefix("critics."): tensor
            for name, tensor in state.items()
            if name.startswith("critics.")
        })  # fmt: skip
    except Exception as error:  # what a damaged file makes the reader raise is not to be foreseen
        raise CheckpointError(
            f"{checkpoint}: no vocoder's run, or damaged; move it away, and critics begin anew"
        ) from error
