"""Training of the conversion model on real lines, source and target being the same speaker."""

import json
import logging
import math
import os
import warnings
from pathlib import Path
from typing import Literal

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import (
    Callback,
    EMAWeightAveraging,
    LearningRateMonitor,
    ModelCheckpoint,
    RichProgressBar,
)  # fmt: skip
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities.types import OptimizerLRScheduler

from moksori.alignment import Alignment
from moksori.checkpoint import ConversionCard, Voice, load_card, save_model
from moksori.config import Precision, TrainConfig
from moksori.corpus.batches import LineData, read_speakers, training_voices
from moksori.errors import ConfigError
from moksori.models.aligner import diagonal_prior, forward_sum_loss
from moksori.models.conversion import Batch, ConversionModel, Converted
from moksori.models.layers import length_mask
from moksori.plots import draw_conversion
from moksori.text import SYMBOLS


def mel_l1(output: torch.Tensor, target: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference of log-mels [B, T, n_mels] over the frames of `mask` [B, T] only."""
    difference = (output - target).abs().mean(-1)
    return (difference * mask).sum() / mask.sum()


class ConversionTraining(pl.LightningModule):
    """L1 on the mel and the aligner's forward-sum loss."""

    def __init__(self, model: ConversionModel, config: TrainConfig) -> None:
        super().__init__()
        self.model, self.config = model, config

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """AdamW; linear warm-up, then a cosine down to zero at the last step."""
        c = self.config.optimizer
        optimizer = torch.optim.AdamW(
            self.model.parameters(), c.learning_rate, betas=(0.9, 0.98), weight_decay=c.weight_decay
        )

        def scale(step: int) -> float:
            warm = min(1.0, (step + 1) / max(1, c.warmup_steps))
            return warm * 0.5 * (1 + math.cos(math.pi * min(1.0, step / c.steps)))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, scale)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def training_step(self, batch: Batch, _: int) -> torch.Tensor:
        c = self.config.optimizer
        # Each step draws its dropout from a seed of its own, so that a resumed run repeats it.
        torch.manual_seed((self.config.seed << 40) + (self.global_rank << 32) + self.global_step)
        strength = max(0.0, 1 - self.global_step / c.prior_steps) if c.prior_steps else 0.0
        prior = None
        if strength > 0:
            prior = strength * diagonal_prior(batch.phone_lengths, batch.mel_lengths, c.prior_sigma)
        losses = self._losses(batch, prior)[1]
        self._log("train", losses, len(batch.voice))
        self.log("train/frames", float(batch.mel_lengths.sum()), batch_size=1)
        return losses["total"]

    def validation_step(self, batch: Batch, index: int) -> None:
        converted, losses = self._losses(batch, None)
        self._log("valid", losses, len(batch.voice))
        if index == 0 and isinstance(self.logger, TensorBoardLogger):
            self._draw(batch, converted, self.logger)

    def _losses(
        self, batch: Batch, prior: torch.Tensor | None
    ) -> tuple[Converted, dict[str, torch.Tensor]]:
        converted = self.model(batch, prior)
        mask = length_mask(batch.mel_lengths, batch.mel.shape[1])
        l1 = mel_l1(converted.mel, batch.mel, mask)
        forward_sum = forward_sum_loss(
            converted.log_alignment, batch.phone_lengths, batch.mel_lengths
        )
        free = converted.log_alignment.detach().exp()
        sharpness = free.max(-1).values
        confidence = (free * converted.alignment).sum(-1)
        return converted, {
            "total": l1 + self.config.optimizer.aligner_weight * forward_sum,
            "mel_l1": l1,
            "forward_sum": forward_sum,
            "sharpness": (sharpness * mask).sum() / mask.sum(),  # mean of row maxima
            "confidence": (confidence * mask).sum() / mask.sum(),  # as Alignment.confidence
        }

    def _log(self, stage: str, losses: dict[str, torch.Tensor], size: int) -> None:
        for name, value in losses.items():
            bar = name in ("mel_l1", "confidence")
            self.log(
                f"{stage}/{name}", value, prog_bar=bar, batch_size=size, sync_dist=stage == "valid"
            )

    def _draw(self, batch: Batch, converted: Converted, logger: TensorBoardLogger) -> None:
        """The first validation line: its mel, its alignment, the mel made of it."""
        t, n = int(batch.mel_lengths[0]), int(batch.phone_lengths[0])
        figure = draw_conversion(
            batch.mel[0, :t].cpu().numpy(),
            Alignment(
                converted.alignment[0, :t, :n].cpu().numpy(),
                converted.log_alignment[0, :t, :n].exp().cpu().numpy(),
                [SYMBOLS[i] for i in batch.phones[0, :n].tolist()],
            ),
            converted.mel[0, :t].cpu().numpy(),
            self.config.audio,
        )
        logger.experiment.add_figure("valid/line", figure, self.global_step)


class ExportModel(Callback):
    """Writes the averaged weights to `RUN/model` with each checkpoint that is the best so far.

    Must stand after `EMAWeightAveraging`, which puts the averaged weights into the checkpoint.
    """

    def __init__(self, folder: Path, card: ConversionCard) -> None:
        self.folder, self.card, self.best = folder, card, math.inf
        if (folder / "model.json").exists():  # a resumed run must not replace a better model
            self.best = load_card(folder).training["valid_mel_l1"]

    def on_save_checkpoint(
        self, trainer: pl.Trainer, module: pl.LightningModule, checkpoint: dict
    ) -> None:
        loss = float(trainer.callback_metrics.get("valid/mel_l1", math.inf))
        if loss >= self.best or not trainer.is_global_zero:
            return
        self.best = loss
        training = {"steps": trainer.global_step, "valid_mel_l1": loss}
        weights = {
            name.removeprefix("model."): tensor for name, tensor in checkpoint["state_dict"].items()
        }
        save_model(self.folder, weights, self.card.model_copy(update={"training": training}))


def _precision(wanted: Precision) -> Literal["32-true", "bf16-mixed"]:
    """`auto`: bf16 on a GPU and on a processor with bf16 matrix instructions, else 32 bits."""
    if wanted != "auto":
        return wanted
    fast = torch.cuda.is_available() or torch.cpu._is_avx512_bf16_supported()
    return "bf16-mixed" if fast else "32-true"


def train_conversion(config: TrainConfig, data: Path, run: Path) -> Path:
    """Train, or go on with a training that was cut; returns the folder of the best model.

    Runs on the CPU, on one GPU, or on several (under torchrun) without another word. `run` gets
    `config.json`, `last.ckpt` after each epoch, TensorBoard's events, and `model/`.

    Args:
        config: of the whole run.
        data: a corpus that `moksori prepare` wrote.
        run: folder of this run; the same again to resume.

    Raises:
        CorpusError: `data` is not a prepared corpus, or one for other audio settings.
        ConfigError: `run` holds a training with another config.
    """
    corpus = read_speakers(data, config.audio)
    names = training_voices(corpus["speakers"])
    _keep_config(config, run)
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    for noise in (
        "Checkpoint directory",
        ".*LeafSpec",
        "The first cut drawn",
        "Your 'buffer_size'",
    ):
        warnings.filterwarnings("ignore", noise)  # each is as it should be here
    pl.seed_everything(config.seed, verbose=False)
    model = ConversionModel.build(config.model, config.audio, len(SYMBOLS), len(names))
    voices = [_voice(name, corpus["speakers"][name], corpus["licence"]) for name in names]
    card = ConversionCard(
        licence=corpus["licence"], audio=config.audio, symbols=SYMBOLS, model=config.model,
        voices=voices,
    )  # fmt: skip
    trainer = pl.Trainer(
        max_epochs=config.optimizer.steps // config.optimizer.epoch_steps,
        limit_train_batches=config.optimizer.epoch_steps,
        precision=_precision(config.precision),
        **_processes(),
        gradient_clip_val=config.optimizer.gradient_clip,
        use_distributed_sampler=False,  # Lhotse's samplers part the lines among processes
        log_every_n_steps=config.log_every,
        logger=TensorBoardLogger(run, name=None, version="events"),
        num_sanity_val_steps=0,
        callbacks=[
            EMAWeightAveraging(decay=config.optimizer.average_decay),
            ModelCheckpoint(
                run, filename="last", save_on_train_epoch_end=True, enable_version_counter=False
            ),
            ExportModel(run / "model", card),
            LearningRateMonitor("step"),
            RichProgressBar(),
        ],
        enable_model_summary=False,
    )  # fmt: skip
    last = run / "last.ckpt"
    trainer.fit(
        ConversionTraining(model, config),
        LineData(data, names, config.audio, config.data, config.seed),
        ckpt_path=str(last) if last.exists() else None,
        weights_only=True,
    )
    return run / "model"


def _processes() -> dict:
    """The trainer's part of a run that torchrun started; elsewhere it takes what devices there are."""
    world, local = (int(os.environ.get(name, "1")) for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"))
    return {"strategy": "ddp", "devices": local, "num_nodes": world // local} if world > 1 else {}


def _keep_config(config: TrainConfig, run: Path) -> None:
    path, text = run / "config.json", config.model_dump_json(indent=1)
    if path.exists():
        if json.loads(path.read_text()) != json.loads(text):
            raise ConfigError(f"{run}: holds a training with another config; choose another folder")
        return
    run.mkdir(parents=True, exist_ok=True)
    temporary = run / f".config.{os.getpid()}"  # several processes may come here at once
    temporary.write_text(text)
    temporary.replace(path)


def _voice(name: str, entry: dict, licence: str) -> Voice:
    return Voice(
        name=name, sex=entry["sex"], minutes=round(entry["seconds"]["train"] / 60, 1),
        licence=licence, log_f0_mean=entry["log_f0_mean"],
    )  # fmt: skip
