"""Vocoders' plain copies of recordings. Prints the table of docs/figures.md.

    python benchmarks/vocoders.py DATA [fast] [hifigan] [RUN/model] … [--lines 24]

DATA: a corpus that `moksori prepare` wrote; lines of its test split go to mel and F0 and back to a wave.
DNSMOS is the mean; spectral is the multi-resolution STFT loss that the fast vocoder is trained with; mel is
the mean absolute difference of log-mels; time is of the line's length.
"""

import time
from pathlib import Path

import numpy as np
import torch
import typer
from lhotse import CutSet
from rich.console import Console
from rich.progress import track
from rich.table import Table

from moksori import features
from moksori.checkpoint import load_vocoder
from moksori.config import VocoderLosses
from moksori.evaluation.listeners import dnsmos
from moksori.training.discriminators import spectral_loss
from moksori.weights import VOCODERS


def main(data: Path, vocoders: list[str], lines: int = 24, threads: int = 2) -> None:
    """Copy each line with each vocoder."""
    torch.set_num_threads(threads)
    cuts = [*(CutSet.from_file(data / "cuts_test.jsonl.gz") or ())]
    chosen = CutSet.from_cuts(cuts[:: len(cuts) // lines][:lines])
    loaded = {name: load_vocoder(VOCODERS.get(name, Path(name))) for name in vocoders}
    rows: dict[str, list[tuple[float, ...]]] = {name: [] for name in loaded}
    real = []
    console = Console(stderr=True)
    for cut in track([*chosen.with_recording_path_prefix(data)], "copying", console=console):
        cut.f0 = cut.f0.with_path_prefix(data)
        wave = cut.load_audio()[0]
        real.append(dnsmos(wave, cut.sampling_rate).overall)
        for name, (vocoder, card) in loaded.items():
            mel = features.log_mel(wave, card.audio)
            f0 = torch.from_numpy(cut.load_f0())[: len(mel)]
            began = time.perf_counter()
            with torch.inference_mode():
                copy = vocoder(mel[None], f0[None])
            taken = (time.perf_counter() - began) / cut.duration
            original = torch.from_numpy(wave[: copy.shape[1]])[None]
            rows[name].append((
                dnsmos(copy[0].numpy(), cut.sampling_rate).overall,
                float(spectral_loss(copy, original, VocoderLosses().windows)),
                float((features.log_mel(copy[0].numpy(), card.audio) - mel).abs().mean()),
                taken,
            ))  # fmt: skip
    table = Table("vocoder", "DNSMOS", "spectral", "mel", "time", "weights, millions")
    table.add_row("recordings", f"{np.mean(real):.3f}")
    for name, values in rows.items():
        size = sum(weight.numel() for weight in loaded[name][0].parameters()) / 1e6
        means = np.mean(values, axis=0)
        table.add_row(name, *(f"{mean:.3f}" for mean in means), f"{size:.1f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    typer.run(main)
