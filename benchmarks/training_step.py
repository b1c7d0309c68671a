"""Seconds of a core that a training step of the conversion model takes. Prints a table.

    python benchmarks/training_step.py DATA [--config configs/conversion.toml] [--rounds 6]

Forward, backward and AdamW, one thread, in the precision that a training here has (bf16 where the processor
has it), on the first six batches of DATA (`moksori prepare`). Of each batch the least of all rounds counts.
To compare two commits run it in turn from both (PYTHONPATH=OTHER/src).
"""

import time
from pathlib import Path

import torch
import typer
from rich.console import Console
from rich.table import Table

from moksori.config import TrainConfig, load_config
from moksori.corpus.batches import LineData, read_speakers, training_voices
from moksori.models.conversion import Batch, ConversionModel
from moksori.processor import multiplies_bfloat16
from moksori.text import SYMBOLS
from moksori.training.conversion import ConversionTraining

_BATCHES = 6


def main(data: Path, config: Path = Path("configs/conversion.toml"), rounds: int = 6) -> None:
    """Print the table."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    wanted = load_config(config, TrainConfig)
    names = training_voices(read_speakers(data, wanted.audio)["speakers"])
    lines = LineData(data, names, wanted.audio, wanted.data, wanted.seed)
    stream = iter(lines.train_dataloader())
    batches = [next(stream) for _ in range(_BATCHES)]
    model = ConversionModel.build(wanted.model, wanted.audio, len(SYMBOLS), len(names))
    training = ConversionTraining(model, wanted)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4)
    fast = multiplies_bfloat16()

    def step(batch: Batch) -> float:
        begun = time.process_time()
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=fast):
            loss = training._losses(batch, None)[1]["total"]
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return time.process_time() - begun

    for batch in batches:
        step(batch)
    least = [
        min(times)
        for times in zip(*([step(b) for b in batches] for _ in range(rounds)), strict=True)
    ]
    table = Table("lines", "frames", "seconds")
    for batch, seconds in zip(batches, least, strict=True):
        table.add_row(str(len(batch.mel)), str(int(batch.mel_lengths.sum())), f"{seconds:.3f}")
    table.add_row("mean", "", f"{sum(least) / _BATCHES:.3f}")
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
