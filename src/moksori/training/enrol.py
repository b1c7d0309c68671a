"""Enrolment: a new row of the voice table from a few minutes of recordings; all else stays as it is."""

from collections.abc import Callable, Iterable
from pathlib import Path

import lightning.pytorch as pl
import torch
from torch import nn

from moksori.checkpoint import ConversionCard, Voice, load_conversion
from moksori.config import DataConfig, OptimizerConfig, Seconds, TrainConfig
from moksori.corpus.batches import LineData
from moksori.corpus.lines import SourceLine
from moksori.corpus.prepare import prepare
from moksori.errors import CorpusError, VoiceError
from moksori.models.conversion import Batch, ConversionModel
from moksori.models.layers import length_mask
from moksori.training.common import fit, mel_l1
from moksori.training.conversion import ConversionTraining
from moksori.voices import Consent, VoicePack, pack_path, save_pack

MIN_SECONDS: Seconds = 30.0  # of speech; the issue of one minute and two is in docs/figures.md
_VALID_SHARE = 0.1  # of the texts, to choose the weights by
_DATA = DataConfig(batch_seconds=30.0, buckets=2)
_OPTIMIZER = OptimizerConfig(
    steps=300, epoch_steps=25, learning_rate=2e-2, warmup_steps=10, weight_decay=0.0,
    average_decay=0.9, prior_steps=0,
)  # fmt: skip


def enroll(
    name: str,
    lines: list[SourceLine],
    consent: Consent,
    model: Path,
    work: Path,
    packs: Path,
    optimizer: OptimizerConfig = _OPTIMIZER,
    progress: Callable[[Iterable, int], Iterable] = lambda steps, total: steps,
) -> tuple[Path, dict]:
    """Learn a voice and save its pack.

    Args:
        name: of the voice.
        lines: its recordings and their texts.
        consent: of the person.
        model: folder of the conversion model whose table it extends.
        work: for prepared audio and checkpoints; the same again to go on.
        packs: folder of the packs.
        optimizer: how long and how fast.
        progress: as `prepare`.

    Returns:
        The pack's file, and the report of `prepare`.

    Raises:
        VoiceError: a name that the model has already, or that is no file name.
        CorpusError: less than half a minute of usable speech.
        CheckpointError: `model` is no conversion model.
    """
    path = pack_path(packs, name)
    trained, card = load_conversion(model)
    if name in {voice.name for voice in card.voices}:
        raise VoiceError(f"the model has a voice “{name}” already; choose another name")
    report = prepare(
        lines, work / "corpus", "", card.audio, _VALID_SHARE, progress=progress
    )  # fmt: skip
    if set(report["speakers"]) - {name}:
        raise CorpusError(f"{work}: holds the enrolment of another voice; choose another folder")
    entry = report["speakers"].get(name, {"seconds": {}})
    usable = sum(entry["seconds"].values())
    if usable < MIN_SECONDS or "valid" not in entry["seconds"]:
        problems = "; ".join(line["problem"] for line in report["rejected"][:3])
        raise CorpusError(
            f"only {usable:.0f} s of usable speech in {len(lines)} lines, at least {MIN_SECONDS:g} s "
            f"of two texts are needed{': ' + problems if problems else ''}"
        )
    voice = Voice(
        name=name, sex=entry["sex"], minutes=round(usable / 60, 1),
        licence=f"{card.licence}; and by consent of {consent.who}", log_f0_mean=entry["log_f0_mean"],
    )  # fmt: skip
    row = _learn(trained, card, voice, work, optimizer)
    save_pack(path, row, VoicePack(voice=voice, consent=consent, model=card.sha256))
    return path, report


def _learn(
    model: ConversionModel,
    card: ConversionCard,
    voice: Voice,
    work: Path,
    optimizer: OptimizerConfig,
) -> torch.Tensor:
    """The row [voice_dim] that makes the voice's own lines again best."""
    config = TrainConfig(
        audio=card.audio, optimizer=optimizer, data=_DATA, model=card.model, speak_every=0
    )
    pl.seed_everything(config.seed, verbose=False)
    lines = LineData(work / "corpus", [voice.name], config.audio, config.data, config.seed)
    model.requires_grad_(False)
    model.freeze()
    rows = model.voices.weight
    model.voices = nn.Embedding.from_pretrained(nearest_row(model, rows, lines), freeze=False)
    alone = card.model_copy(update={"voices": [voice]})
    folder = fit(
        ConversionTraining(model, config), lines, work / "run", alone, "mel_l1", base=card.sha256
    )
    return load_conversion(folder)[0].voices.weight[0]


@torch.no_grad()
def nearest_row(model: ConversionModel, rows: torch.Tensor, lines: LineData) -> torch.Tensor:
    """Of `rows` [V, voice_dim], the one [1, voice_dim] that makes the validation lines again best."""
    model.eval()
    loss = torch.zeros(len(rows))
    for batch in lines.val_dataloader():
        mask = length_mask(batch.mel_lengths, batch.mel.shape[1])
        for number, row in enumerate(rows):
            model.voices = nn.Embedding.from_pretrained(row[None])
            loss[number] += mel_l1(model(Batch(*batch)).mel, batch.mel, mask)
    return rows[loss.argmin()][None].clone()
