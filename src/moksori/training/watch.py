"""What TensorBoard shows beside the losses: gradient norm, frames a second, embeddings, converted lines."""

import time

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import TensorBoardLogger
from torch import nn
from torch.nn.utils import get_total_norm

from moksori.alignment.alignment import phone_label
from moksori.conversion.card import Voice
from moksori.models.conversion import Batch, ConversionModel
from moksori.models.vocoder import Vocoder
from moksori.signal.pitch import shift_f0
from moksori.text import SYMBOLS
from moksori.training.common import Training


class Watch(Callback):
    """The norm of the gradient before it is clipped, the speed, and at the end the embeddings.

    Args:
        tables: of the projector: a name, the embedding, a label for each row.
    """

    def __init__(self, tables: dict[str, tuple[nn.Embedding, list[str]]]) -> None:
        self.tables, self.last = tables, 0.0

    def on_train_epoch_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.last = time.perf_counter()  # the time of validation and checkpoint is not training's

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, module: pl.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        grads = [p.grad for p in module.parameters() if p.grad is not None]
        module.log("train/gradient_norm", get_total_norm(grads))

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: object, batch: Batch, _: int
    ) -> None:
        assert isinstance(module, Training)
        now = time.perf_counter()
        frames = module.frames(batch) * trainer.world_size  # others' batches are as long
        speed = frames / (now - self.last)
        module.log("train/frames_per_second", speed, batch_size=1)
        self.last = now

    def on_train_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if isinstance(trainer.logger, TensorBoardLogger) and trainer.is_global_zero:
            for tag, (table, labels) in self.tables.items():
                trainer.logger.experiment.add_embedding(
                    table.weight.detach().float().cpu(), labels, tag=tag,
                    global_step=trainer.global_step,
                )  # fmt: skip


def symbol_labels() -> list[str]:
    """The symbols, as the projector shows them; a coda with a line before it."""
    return [("-" if "\u11a8" <= s <= "\u11ff" else "") + phone_label(s) for s in SYMBOLS]


class LogSamples(Callback):
    """Logs a validation line as audio: vocoded, reconstructed, and converted to another voice.

    Args:
        model: in training.
        vocoder: of the mels.
        voices: the rows of the voice table.
        every: validations between two hearings.
    """

    def __init__(
        self, model: ConversionModel, vocoder: Vocoder, voices: list[Voice], every: int
    ) -> None:
        self.model, self.vocoder, self.voices = model, vocoder, voices
        self.every = every

    def on_validation_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: object, batch: Batch,
        index: int, dataloader_idx: int = 0,
    ) -> None:  # fmt: skip
        logger, due = trainer.logger, trainer.current_epoch % self.every == 0
        if index or not (due and trainer.is_global_zero and isinstance(logger, TensorBoardLogger)):
            return
        t, n, row = int(batch.mel_lengths[0]), int(batch.phone_lengths[0]), int(batch.voice[0])
        other = (row + 1) % len(self.voices)
        f0 = shift_f0(batch.f0[0, :t], self.voices[other].log_f0_mean)
        own = Batch(
            phones=batch.phones[:1, :n], phone_lengths=batch.phone_lengths[:1],
            mel=batch.mel[:1, :t], mel_lengths=batch.mel_lengths[:1],
            f0=batch.f0[:1, :t], voice=batch.voice[:1],
        )  # fmt: skip
        changed = own._replace(f0=f0[None], voice=torch.full_like(own.voice, other))
        name = self.voices[other].name
        for tag, mel, contour in (
            (f"{self.voices[row].name} recorded", own.mel, own.f0),
            (f"{self.voices[row].name} reconstructed", self.model(own).mel, own.f0),
            (f"{self.voices[row].name} as {name}", self.model(changed).mel, changed.f0),
        ):
            wave = self.vocoder(mel.float().cpu(), contour.cpu())[0]
            logger.experiment.add_audio(
                f"valid/{tag}", wave, trainer.global_step, sample_rate=self.vocoder.sample_rate
            )
