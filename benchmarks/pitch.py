"""Which F0 tracker holds still? Prints the table of docs/figures.md.

    python benchmarks/pitch.py ../shared/corpus/emotiontts [--lines 24]

Each tracker analyses test lines and the vocoder's plain copy of them, made with the tracker's own F0, so
that its contour is the copy's: its results for the two should not differ. Harvest, which Moksori does not
use, needs: pip install pyworld "setuptools<81"
"""

import time
from pathlib import Path

import numpy as np
import pyworld
import torch
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from moksori.config import AudioConfig
from moksori.conversion.checkpoint import load_vocoder
from moksori.corpus import emotiontts
from moksori.metrics.measures import compare_f0
from moksori.signal import audio, features
from moksori.signal.pitch import f0
from moksori.weights import VOCODERS


def main(corpus: Path, lines: int = 24) -> None:
    """Track each line and its copy with each tracker."""
    vocoder, card = load_vocoder(VOCODERS["fast"])
    test = [line for line in emotiontts.read(corpus) if line.split == "test" and not line.problem]
    trackers = {"harvest": harvest, "swift": f0}
    found: dict[str, list[tuple[float, ...]]] = {name: [] for name in trackers}
    for line in track(
        test[:: len(test) // lines][:lines], "tracking", console=Console(stderr=True)
    ):
        recording = audio.read(line.audio)
        wave = audio.resample(recording.mono, recording.sample_rate, card.audio.sample_rate)
        mel = features.log_mel(wave, card.audio)
        for name, rows in found.items():
            started = time.perf_counter()
            track_of_wave = trackers[name](wave, card.audio)
            taken = (time.perf_counter() - started) / recording.seconds
            own = torch.from_numpy(track_of_wave)[: len(mel)]
            with torch.inference_mode():
                copy = vocoder(mel[None, : len(own)], own[None])[0].numpy()
            compared = compare_f0(track_of_wave, trackers[name](copy, card.audio))
            rows.append((taken, (track_of_wave > 0).mean(), compared.voicing_error,
                         compared.octave_errors, compared.correlation))  # fmt: skip
    table = Table(
        "tracker",
        "lines",
        "time of length",
        "voiced",
        "voicing differs",
        "octave errors",
        "correlation",
    )
    for name, rows in found.items():
        mean = np.median(rows, axis=0)[0], *np.mean(rows, axis=0)[1:]
        table.add_row(
            name, str(len(rows)), f"{mean[0]:.3f}", *(f"{value:.1%}" for value in mean[1:4]),
            f"{mean[4]:.3f}",
        )  # fmt: skip
    Console(width=100).print(table)


def harvest(wave: np.ndarray, audio: AudioConfig) -> np.ndarray:
    """F0 as `moksori.signal.pitch.f0`, by WORLD's Harvest refined by StoneMask (Morise 2017)."""
    # A mel frame's middle lies half a hop after its first sample; so begin there.
    signal = np.asarray(wave[audio.hop_length // 2 :], dtype=np.float64)
    period = 1000 * audio.hop_length / audio.sample_rate  # ms
    found, times = pyworld.harvest(
        signal, audio.sample_rate, audio.f0_min, audio.f0_max, frame_period=period
    )
    found = pyworld.stonemask(signal, found, times, audio.sample_rate)
    frames = len(wave) // audio.hop_length
    return np.pad(found, (0, max(0, frames - len(found))))[:frames].astype(np.float32)


if __name__ == "__main__":
    typer.run(main)
