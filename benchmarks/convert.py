"""Seconds by stage for one line, and peak memory. Prints the table of docs/figures.md.

    python benchmarks/convert.py RECORDING --text "…" [--threads 2] [--runs 5] [--vocoder fast]

The recording is looped or cut to `--seconds`; the text likewise, by phones, which the stages' cost
depends on, not on their sense.
"""

import resource
import statistics
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from rich.console import Console
from rich.table import Table

from moksori.conversion.converter import Converter
from moksori.signal import audio
from moksori.weights import DEFAULT_VOCODER


def main(
    recording: Annotated[Path, typer.Argument()] = Path("examples/demo.wav"),
    text: Annotated[
        str | None, typer.Option(help="By default the .txt beside the recording.")
    ] = None,
    seconds: float = 5.0,
    threads: int = 2,
    runs: int = 5,
    model: Annotated[Path | None, typer.Option()] = None,
    vocoder: str = DEFAULT_VOCODER,
) -> None:
    """Convert the same line `runs` times after one warm-up and print the medians."""
    torch.set_num_threads(threads)
    began = time.perf_counter()
    converter = Converter.from_pretrained(model, vocoder)
    loading = time.perf_counter() - began
    line = audio.read(recording)
    text = text or recording.with_suffix(".txt").read_text(encoding="utf-8").strip()
    wave, count = line.samples, round(seconds * line.sample_rate)
    repeats = -(-count // len(wave))
    text = " ".join([text] * max(1, round(count / len(wave))))
    looped = audio.Recording(np.tile(wave, (repeats, 1))[:count], line.sample_rate, line.subtype)
    stages: dict[str, list[float]] = {}
    for run in range(runs + 1):
        result = converter.convert(looped, text, converter.card.voices[0].name)
        for stage, spent in result.seconds_by_stage.items() if run else ():
            stages.setdefault(stage, []).append(spent)
    table = Table("stage", "seconds", "of the line's length")
    medians = {stage: statistics.median(spent) for stage, spent in stages.items()}
    for stage, spent in [*medians.items(), ("all", sum(medians.values()))]:
        table.add_row(stage, f"{spent:.3f}", f"{spent / seconds:.3f}")
    print(
        f"a line of {seconds:g} s, {threads} threads, median of {runs}; loading took {loading:.2f} s"
    )
    Console(width=80).print(table)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    typer.run(main)
