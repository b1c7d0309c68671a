"""What every training shares: optimizer, trainer, resuming, the export of the best weights."""

import logging
import math
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Literal

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
from torch import nn

from moksori.config import OptimizerConfig, Precision, RunConfig
from moksori.conversion.card import AnyCard, load_training
from moksori.conversion.checkpoint import save_model
from moksori.errors import CheckpointError, ConfigError
from moksori.models.aligner import diagonal_prior
from moksori.processor import multiplies_bfloat16
from moksori.stepwise import ShowSteps
from moksori.training.begun import keep_config
from moksori.writing import alone_in


class Training(pl.LightningModule):
    """A model in training: AdamW, linear warm-up, then the decay that the config names."""

    bar: tuple[str, ...] = ()  # losses that the progress bar shows
    keep_newest = False  # whether the newest weights are the model, and not those of the least loss

    def __init__(self, model: nn.Module, config: RunConfig) -> None:
        super().__init__()
        self.model, self.config = model, config

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """As the class says."""
        c = self.config.optimizer
        optimizer = torch.optim.AdamW(
            self.parameters(), c.learning_rate, betas=(0.9, 0.98), weight_decay=c.weight_decay
        )

        def scale(step: int) -> float:
            warm = min(1.0, (step + 1) / max(1, c.warmup_steps))
            return warm * decay(c, step)

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, scale)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_train_batch_start(self, batch: object, batch_idx: int) -> None:
        """Each step draws its dropout from a seed of its own, so that a resumed run repeats it."""
        torch.manual_seed((self.config.seed << 40) + (self.global_rank << 32) + self.global_step)

    def frames(self, batch: Any) -> float:
        """How many frames of `batch` a step learns from."""
        return float(batch.mel_lengths.sum())

    def log_losses(self, stage: str, losses: dict[str, torch.Tensor], size: int) -> None:
        """Log scalars of a batch of `size` lines; those of a validation are the mean of all processes."""
        for name, value in losses.items():
            self.log(
                f"{stage}/{name}", value, prog_bar=name in self.bar, batch_size=size,
                sync_dist=stage == "valid",
            )  # fmt: skip

    def log_prior(
        self, phone_lengths: torch.Tensor, mel_lengths: torch.Tensor
    ) -> torch.Tensor | None:
        """The diagonal prior of the parallel aligner [B, T, N], while it has not faded."""
        c = self.config.optimizer
        strength = max(0.0, 1 - self.global_step / c.prior_steps) if c.prior_steps else 0.0
        if strength == 0:
            return None
        return strength * diagonal_prior(phone_lengths, mel_lengths, c.prior_sigma)


def decay(config: OptimizerConfig, step: int) -> float:
    """What the learning rate is multiplied by at `step`.

    The exponential one is that of Cotatron's authors: level, then down to `decay_rate` at the last step.
    """
    c = config
    if c.decay == "cosine":
        return 0.5 * (1 + math.cos(math.pi * min(1.0, step / c.steps)))
    progress = (step - c.decay_start) / max(1, c.steps - c.decay_start)
    result: float = c.decay_rate ** min(1.0, max(0.0, progress))
    return result


def mel_l1(output: torch.Tensor, target: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference of log-mels [B, T, n_mels] over the frames of `mask` [B, T] only."""
    return mean_of_frames((output.float() - target).abs().mean(-1), mask)


def mel_mse(output: torch.Tensor, target: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean squared difference; as `mel_l1`."""
    return mean_of_frames((output.float() - target).square().mean(-1), mask)


def mean_of_frames(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean of `values` [B, T] over the frames of `mask` [B, T]."""
    return (values * mask).sum() / mask.sum()


class ExportModel(Callback):
    """Writes the averaged weights to `RUN/model` with each checkpoint that is the best so far.

    With each checkpoint at all, where the training asks for it. Must stand after `EMAWeightAveraging`, which
    puts the averaged weights into the checkpoint. A training whose loss is not finite ends before anything
    is replaced.
    """

    def __init__(self, folder: Path, card: AnyCard, measure: str) -> None:
        self.folder, self.card, self.best = folder, card, math.inf
        self.measure = measure  # of the validation, the less the better
        if kept := self.training():  # a resumed run must not replace a better model
            self.best = kept[f"valid_{measure}"]

    def training(self) -> dict[str, int | float]:
        """What `save` was given last, by the run that is resumed; nothing if it is not resumed."""
        there = (self.folder / "model.json").exists()
        return load_training(self.folder, self.card) if there else {}

    def on_save_checkpoint(
        self, trainer: pl.Trainer, module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        loss = float(trainer.callback_metrics.get(f"valid/{self.measure}", math.nan))
        assert isinstance(module, Training)
        if not math.isfinite(loss):
            raise ConfigError.of(
                "train.diverged",
                run=self.folder.parent,
                measure=f"valid/{self.measure}",
                loss=str(loss),
            )
        if not trainer.is_global_zero or (loss >= self.best and not module.keep_newest):
            return
        self.best = loss
        weights = {
            name.removeprefix("model."): tensor
            for name, tensor in checkpoint["state_dict"].items()
            if name.startswith("model.")  # and not a discriminator's
        }
        self.save(weights, {"steps": trainer.global_step, f"valid_{self.measure}": loss})

    def save(self, weights: dict[str, torch.Tensor], training: dict[str, int | float]) -> None:
        """Write what is to be kept of the best weights so far."""
        save_model(self.folder, weights, self.card.model_copy(update={"training": training}))


class _Steps(Callback):
    """A training's steps as an iteration that somebody wraps, to show it or to end it."""

    def __init__(self, progress: ShowSteps) -> None:
        self._progress = progress
        self._steps: Iterator[Any] = iter(())

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        left = range(trainer.global_step, int(trainer.estimated_stepping_batches))
        self._steps = iter(self._progress(left, len(left)))
        next(self._steps, None)

    def on_train_batch_end(self, *_: object) -> None:
        next(self._steps, None)


def _precision(wanted: Precision) -> Literal["32-true", "bf16-mixed"]:
    """`auto`: bf16 on a GPU and on a processor that multiplies faster in it, else 32 bits."""
    if wanted != "auto":
        return wanted
    fast = torch.cuda.is_available() or multiplies_bfloat16()
    return "bf16-mixed" if fast else "32-true"


def fit(
    module: Training,
    data: pl.LightningDataModule,
    run: Path,
    card: AnyCard,
    measure: str,
    callbacks: Sequence[Callback] = (),
    base: str = "",
    fast_dev_run: bool = False,
    export: Callable[[Path, AnyCard, str], ExportModel] = ExportModel,
    progress: ShowSteps | None = None,
) -> Path:
    """Train, or resume an interrupted run; the folder of the best model.

    Runs on the CPU, on one GPU, or on several (under torchrun) without another word. `run` gets
    `config.json`, `last.ckpt` after each epoch, TensorBoard's events, and `model/`.

    Args:
        module: the model in training.
        data: its lines.
        run: folder of this run; the same again to resume.
        card: what `model.json` will say.
        measure: of the validation, the less the better; it chooses the weights that are kept.
        callbacks: more of them, Lightning's.
        base: checksum of the model that this one uses; a resumed run must use the same.
        export: makes what writes the best weights to `RUN/model`.
        progress: wraps the steps that are left and is given their number, in place of Lightning's bar.
        fast_dev_run: only see that one step of each kind works; nothing is written but the folder.

    Raises:
        ConfigError: `run` holds a training with another config, on another model, with other speakers or
            terms, of an older Moksori whose checkpoints this one cannot read, or something else; or the
            training diverges.
        CheckpointError: `last.ckpt` is damaged.
        OutputError: another training is at work in `run`.
    """
    config = module.config
    with alone_in(run) if _is_first() and not fast_dev_run else nullcontext():
        if not fast_dev_run:
            keep_config(config, run, base, card)
        logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
        for noise in (
            "Checkpoint directory",
            ".*LeafSpec",
            "The first cut drawn",
            "Your 'buffer_size'",
            "We have exceeded the max_duration",  # a line longer than a batch is one of its own
            "invalid value encountered in logaddexp",  # of a training that diverges, which is reported
            "Found .* module.s. in eval mode",  # a frozen Cotatron
        ):
            warnings.filterwarnings("ignore", noise)  # each is as it should be here
        trainer = pl.Trainer(
            max_epochs=config.optimizer.steps // config.optimizer.epoch_steps,
            limit_train_batches=config.optimizer.epoch_steps,
            precision=_precision(config.precision),
            **_processes(),
            gradient_clip_val=config.optimizer.gradient_clip,
            use_distributed_sampler=False,  # Lhotse's samplers part the lines among processes
            log_every_n_steps=min(config.log_every, config.optimizer.epoch_steps),
            logger=TensorBoardLogger(run, name=None, version="events"),
            num_sanity_val_steps=0,
            callbacks=[
                EMAWeightAveraging(decay=config.optimizer.average_decay),
                ModelCheckpoint(
                    run, filename="last", save_on_train_epoch_end=True, enable_version_counter=False
                ),
                export(run / "model", card, measure),
                LearningRateMonitor("step"),
                _Steps(progress) if progress else RichProgressBar(),
                *callbacks,
            ],
            enable_progress_bar=progress is None,
            enable_model_summary=False,
            fast_dev_run=fast_dev_run,
        )  # fmt: skip
        last = run / "last.ckpt"
        _check_checkpoint(last)
        trainer.fit(module, data, ckpt_path=str(last) if last.exists() else None, weights_only=True)
        return run / "model"


def _check_checkpoint(path: Path) -> None:
    """See that a training's checkpoint can be read, if there is one.

    Raises:
        CheckpointError: it is damaged.
    """
    try:
        if path.exists():
            torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what a damaged file makes the reader raise is not to be foreseen
        raise CheckpointError.of("train.damaged", file=path) from error


def _processes() -> dict[str, Any]:
    """The trainer's part of a run that torchrun started; elsewhere it takes what devices there are."""
    world, local = (int(os.environ.get(name, "1")) for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"))
    return {"strategy": "ddp", "devices": local, "num_nodes": world // local} if world > 1 else {}


def _is_first() -> bool:
    """Whether this is the first of a training's processes, which holds its folder for all."""
    ranks = ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID")  # of torchrun, Lightning, Slurm
    return all(os.environ.get(name, "0") == "0" for name in ranks)
