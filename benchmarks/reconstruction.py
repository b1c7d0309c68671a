"""How well conversion models make the test lines of their own voices again. Prints a table.

    python benchmarks/reconstruction.py data/emotiontts RUN/model RUN/model …

Mean absolute difference of log-mels over the frames of the `test` split, each line with its own text, its
own F0 and its own voice; lines over 15 s, and of speakers that a model has no voice for, are left out.
"""

from pathlib import Path

import torch
import typer
from rich.console import Console
from rich.table import Table

from moksori.config import DataConfig
from moksori.conversion.checkpoint import load_conversion
from moksori.corpus.batches import LineData
from moksori.models.layers import length_mask


def main(data: Path, models: list[Path]) -> None:
    """Make every test line again with each model."""
    table = Table("model", "aligner", "prosody", "decoder", "steps", "lines", "L1", "confidence")
    for folder in models:
        model, card = load_conversion(folder)
        names = [voice.name for voice in card.voices]
        lines = LineData(data, names, card.audio, DataConfig(), seed=1)
        l1 = sure = frames = count = 0.0
        with torch.inference_mode():
            for batch in lines.test_dataloader():
                made = model(batch)
                mask = length_mask(batch.mel_lengths, batch.mel.shape[1])
                agreed = (made.alignment * made.log_alignment.exp()).sum(-1)
                l1 += float(((made.mel - batch.mel).abs().mean(-1) * mask).sum())
                sure += float((agreed * mask).sum())
                frames, count = frames + float(mask.sum()), count + len(batch.voice)
        table.add_row(
            str(folder), card.model.aligner, card.model.prosody, card.model.decoder,
            str(card.training.get("steps", "")), f"{count:.0f}", f"{l1 / frames:.4f}", f"{sure / frames:.3f}",
        )  # fmt: skip
    Console(width=120).print(table)


if __name__ == "__main__":
    typer.run(main)
