"""Vocoders' plain copies of recordings. Prints the table of docs/figures.md.

    python benchmarks/vocoders.py DATA [wide] [fast] [RUN/model] … [--lines 24]

DATA: a corpus that `moksori prepare` wrote; lines of its test split go to mel and F0 and back to a wave.
DNSMOS is the mean; STFT is the multi-resolution STFT loss (windows of 256 to 2,048 samples); mel is
the mean absolute difference of log-mels; filled is by how many dB a copy is too loud where the recording
falls silent for some milliseconds, in a stop's closure or between a low voice's pulses; time is of the line's
length.
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
from scipy.ndimage import gaussian_filter1d
from scipy.signal import butter, sosfiltfilt

from moksori.conversion.checkpoint import load_vocoder
from moksori.metrics.models import dnsmos
from moksori.signal import features
from moksori.signal.audio import resample
from moksori.training.discriminators import stft_loss
from moksori.weights import VOCODERS

_WINDOWS = (256, 512, 1024, 2048)  # samples; not a training's, so that figures stay comparable
_BANDS = ((60, 1000), (1000, 3000), (3000, 8000))  # Hz


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
                copy = vocoder(mel[None], f0[None])[0].numpy()
            taken = (time.perf_counter() - began) / cut.duration
            rate = cut.sampling_rate
            copy = resample(copy, vocoder.sample_rate, rate)[: len(wave)]
            original = wave[: len(copy)]
            pair = (torch.from_numpy(x.astype(np.float32))[None] for x in (copy, original))
            band = torch.tensor([rate / 2])
            rows[name].append((
                dnsmos(copy, rate).overall,
                float(stft_loss(*pair, _WINDOWS, band, rate)),
                float((features.log_mel(copy, card.audio) - mel[: len(copy) // 256]).abs().mean()),
                filled(copy, original, rate),
                taken,
            ))  # fmt: skip
    table = Table("vocoder", "DNSMOS", "STFT", "mel", "filled, dB", "time", "weights, millions")
    table.add_row("recordings", f"{np.mean(real):.3f}")
    for name, values in rows.items():
        size = sum(weight.numel() for weight in loaded[name][0].parameters()) / 1e6
        means = np.nanmean(values, axis=0)
        table.add_row(name, *(f"{mean:.3f}" for mean in means), f"{size:.1f}")
    Console(width=100).print(table)


def filled(copy: np.ndarray, real: np.ndarray, rate: int) -> float:
    """Mean excess of `copy` [n] in dB where `real` [n] is over 4 dB below its level around, by band."""
    excesses = []
    for band in _BANDS:
        sections = butter(4, band, "bandpass", fs=rate, output="sos")
        energy = sosfiltfilt(sections, real) ** 2
        near = _level(energy, 0.003 * rate)
        gaps = _level(energy, 0.016 * rate) - near > 4
        if gaps.any():
            made = _level(sosfiltfilt(sections, copy) ** 2, 0.003 * rate)
            excesses.append((made - near)[gaps].mean())
    return float(np.mean(excesses)) if excesses else float("nan")


def _level(energy: np.ndarray, samples: float) -> np.ndarray:
    return 10 * np.log10(gaussian_filter1d(energy, samples) + 1e-8)


if __name__ == "__main__":
    typer.run(main)
