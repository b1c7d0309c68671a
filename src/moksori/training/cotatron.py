"""Training of Cotatron: the text, the past and the speaker make the mel again (arXiv 2005.03295)."""

from collections.abc import Sequence
from pathlib import Path

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import TensorBoardLogger
from torch import nn

from moksori.alignment.alignment import Alignment, silences
from moksori.alignment.plots import draw_conversion
from moksori.config import AudioConfig, CotatronTrainConfig
from moksori.conversion.card import CotatronCard, is_cotatron
from moksori.conversion.checkpoint import load_conversion, load_cotatron
from moksori.conversion.terms import Terms
from moksori.corpus.batches import LineData, read_speakers, training_voices
from moksori.errors import ConfigError
from moksori.models.aligner import forward_sum_loss
from moksori.models.conversion import Batch
from moksori.models.cotatron import Cotatron, CotatronOutput
from moksori.models.layers import length_mask
from moksori.text import SYMBOLS
from moksori.training.begun import joined_terms
from moksori.training.common import Training, fit, mean_of_frames, mel_mse
from moksori.training.watch import Watch, symbol_labels


class CotatronTraining(Training):
    """MSE before and after the post-net, speaker NLL, forward-sum, and guidance of the attention."""

    model: Cotatron
    config: CotatronTrainConfig
    bar = ("mse_after", "attention_sharpness")

    def training_step(self, batch: Batch, _: int) -> torch.Tensor:
        prior = self.log_prior(batch.phone_lengths, batch.mel_lengths)
        losses = self._losses(batch, prior, self.config.losses.teacher_forcing)[1]
        self.log_losses("train", losses, len(batch.voice))
        return losses["total"]

    def validation_step(self, batch: Batch, index: int) -> None:
        out, losses = self._losses(batch, None, 1.0)
        self.log_losses("valid", losses, len(batch.voice))
        if index == 0 and isinstance(self.logger, TensorBoardLogger):
            self._draw(batch, out, self.logger)

    def _losses(
        self, batch: Batch, prior: torch.Tensor | None, teacher_forcing: float
    ) -> tuple[CotatronOutput, dict[str, torch.Tensor]]:
        c = self.config.losses
        out = self.model(
            batch.phones, batch.phone_lengths, batch.mel, batch.mel_lengths, teacher_forcing, prior
        )
        mask = length_mask(batch.mel_lengths, batch.mel.shape[1])
        before = mel_mse(out.decoded.mel_before, batch.mel, mask)
        after = mel_mse(out.decoded.mel_after, batch.mel, mask)
        nll = torch.nn.functional.nll_loss(out.log_speaker, batch.voice)
        total = before + after + c.speaker * nll
        attention = out.decoded.alignment.detach()
        losses = {
            "mse_before": before,
            "mse_after": after,
            "speaker_nll": nll,
            "speaker_accuracy": (out.log_speaker.argmax(-1) == batch.voice).float().mean(),
            "attention_sharpness": mean_of_frames(attention.max(-1).values, mask),
            "monotone": _monotone(attention, mask),
        }
        if out.parallel:
            _, log_alignment, ordered = out.parallel
            forward_sum = forward_sum_loss(log_alignment, batch.phone_lengths, batch.mel_lengths)
            guidance = attention_guidance(out.decoded.alignment, ordered, mask)
            total = total + c.forward_sum * forward_sum + self._guidance_weight() * guidance
            sharpness = log_alignment.detach().exp().max(-1).values
            losses |= {
                "forward_sum": forward_sum,
                "guidance": guidance.detach(),
                "aligner_sharpness": mean_of_frames(sharpness, mask),
                "agreement": mean_of_frames((attention * ordered).sum(-1), mask),
            }
        return out, losses | {"total": total}

    def _guidance_weight(self) -> float:
        c = self.config.losses
        fade = 1 - self.global_step / c.guidance_steps if c.guidance_steps else 1.0
        return c.guidance * max(0.0, fade)

    def _draw(self, batch: Batch, out: CotatronOutput, logger: TensorBoardLogger) -> None:
        """The first validation line: its mel, its alignments, the mel before and after the post-net."""
        t, n = int(batch.mel_lengths[0]), int(batch.phone_lengths[0])
        phones = [SYMBOLS[i] for i in batch.phones[0, :n].tolist()]

        def draw(
            name: str, weights: torch.Tensor, posterior: torch.Tensor, mel: torch.Tensor
        ) -> None:
            ordered, by_itself = (a[0, :t, :n].float().cpu().numpy() for a in (weights, posterior))
            source, converted = (m[0, :t].float().cpu().numpy() for m in (batch.mel, mel))
            alignment = Alignment(weights=ordered, posterior=by_itself, phones=phones)
            figure = draw_conversion(source, alignment, converted, self.config.audio)
            logger.experiment.add_figure(f"valid/{name}", figure, self.global_step)

        decoded, attention = out.decoded, out.decoded.alignment
        draw("attention, after the post-net", attention, attention, decoded.mel_after)
        if out.parallel:
            _, log_alignment, ordered = out.parallel
            name = "parallel aligner, before the post-net"
            draw(name, ordered, log_alignment.exp(), decoded.mel_before)


def attention_guidance(
    attention: torch.Tensor, target: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """Cross-entropy of the attention [B, T, N] to the parallel aligner's alignment [B, T, N]."""
    return mean_of_frames(-(target * attention.float().clamp(min=1e-6).log()).sum(-1), mask)


def _monotone(attention: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Share of the lines whose likeliest phone never goes back."""
    places = attention.argmax(-1)
    back = (places[:, 1:] < places[:, :-1]) & mask[:, 1:]
    return (~back.any(1)).float().mean()


def train_cotatron(
    config: CotatronTrainConfig,
    data: Path,
    run: Path,
    start: Path | None = None,
    fast_dev_run: bool = False,
    callbacks: Sequence[Callback] = (),
) -> Path:
    """Train Cotatron; see `fit`.

    Args:
        config: of the whole run.
        data: a corpus that `moksori prepare` wrote.
        run: folder of this run; the same again to resume.
        start: what a new run begins with: a conversion model's text encoder and parallel aligner, so
            that the guidance is right from the first step; or the whole of a Cotatron.
        fast_dev_run: as `fit`.
        callbacks: more of them, Lightning's.

    Raises:
        CheckpointError: `start` is no model.
        CorpusError: `data` is not a prepared corpus, or one for other audio settings; or all lines of a
            speaker are too long.
        ConfigError: `run` holds a training with another config, or `start` has other sizes.
    """
    corpus = read_speakers(data, config.audio)
    names = training_voices(corpus["speakers"])
    pl.seed_everything(config.seed, verbose=False)
    model = Cotatron.build(config.model, config.audio, len(SYMBOLS), len(names))
    model.silences = silences(SYMBOLS)
    terms = [Terms.of_corpus(corpus)]
    if start is not None:
        terms.append(_begin(model, names, config.audio, start))
    card = CotatronCard(
        **vars(joined_terms(terms)), audio=config.audio, symbols=SYMBOLS, model=config.model,
        speakers=names,
    )  # fmt: skip
    lines = LineData(data, names, config.audio, config.data, config.seed)
    lines.check()
    watch = [Watch({"symbols": (model.text_encoder.embedding, symbol_labels())})]
    training = CotatronTraining(model, config)
    return fit(
        training, lines, run, card, "mse_after", [*watch, *callbacks], fast_dev_run=fast_dev_run
    )


def _begin(model: Cotatron, speakers: list[str], audio: AudioConfig, start: Path) -> Terms:
    """Take over what `start` has learnt; its terms.

    Raises:
        ConfigError: its parts have other sizes, it hears other mels, or it is a Cotatron of other
            speakers.
    """
    parts: list[tuple[nn.Module, nn.Module]]
    if is_cotatron(start):
        cotatron, card = load_cotatron(start)
        if card.speakers != speakers:
            raise ConfigError.of("train.other_speakers", folder=start)
        parts, heard, terms = [(model, cotatron)], card.audio, Terms.of_card(card)
    else:
        trained, known = load_conversion(start)
        aligner, heard, terms = trained.text_aligner, known.audio, Terms.of_card(known)
        parts = [(model.text_encoder, aligner.text_encoder)]
        if model.aligner and aligner.aligner:
            parts.append((model.aligner, aligner.aligner))
    if not heard.same_mels(audio):
        raise ConfigError.of("train.other_audio", folder=start)
    try:
        for part, of_trained in parts:
            part.load_state_dict(of_trained.state_dict())
    except RuntimeError:
        raise ConfigError.of("train.other_parts", folder=start) from None
    return terms
