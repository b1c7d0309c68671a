"""Vocoders above 8 kHz, and conversions through them. Prints the tables of docs/figures.md.

    python benchmarks/wideband.py WIDEBAND CORPUS fast clean [RUN/model …] [--files 12] [--lines 12]

WIDEBAND: a folder with `splits.csv` (file, set, split) of recordings to 20 kHz. CORPUS: the Korean corpus in
its original layout. Only `test` splits are used. Of copies, a recording to mel and F0 and back to a wave:

LSD    log-spectral distance from 10 to 20 kHz (as AP-BWE, arXiv 2401.06387): windows of 2,048 samples, log10
       of power, root of the mean square over bins, mean over the frames within 50 dB of the loudest
level  mean absolute error of the long-term level by third of an octave from 8 to 20 kHz, dB

Of conversions of corpus lines to lmy and kih: DNSMOS, and the time with one thread.
"""

import csv
import time
from collections import defaultdict
from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile
import torch
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from moksori.conversion.checkpoint import load_conversion, load_vocoder
from moksori.conversion.converter import Converter
from moksori.corpus import emotiontts
from moksori.metrics.models import dnsmos
from moksori.models.vocoder import Vocoder
from moksori.signal import audio, features, pitch
from moksori.weights import MODEL, VOCODERS

RATE = 44100
_N_FFT, _HOP = 2048, 512
_BANDS = (8000, 10000, 12500, 16000, 20000)  # Hz, centres of thirds of an octave
_SETS = ("ravdess", "kathleen", "nathalie")


def main(
    wideband: Path,
    corpus: Path,
    vocoders: list[str],
    files: Annotated[int, typer.Option(help="Recordings of each set.")] = 12,
    lines: Annotated[int, typer.Option(help="Corpus lines, each to two voices.")] = 12,
) -> None:
    """Copy recordings with each vocoder, and convert lines through it."""
    torch.set_num_threads(1)
    loaded = {name: load_vocoder(VOCODERS.get(name, Path(name)))[0] for name in vocoders}
    console = Console(stderr=True)
    rows: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for group, path in track(_recordings(wideband, files), "copying", console=console):
        original = _read(path)
        for name, vocoder in loaded.items():
            copied = copy(vocoder, original)
            found = (lsd(original, copied), level_error(original, copied))
            rows[name, group].append(found)
            if group.startswith("ravdess") and int(path.stem.split("-")[-1]) % 2:
                rows[name, "men alone"].append(found)
    table = Table("vocoder", "recordings", "number", "LSD 10-20 kHz", "level off by, dB")
    for (name, group), values in rows.items():
        means = np.mean(values, axis=0)
        table.add_row(name, group, str(len(values)), *(f"{mean:.2f}" for mean in means))
    Console(width=100).print(table)
    Console(width=100).print(_conversions(corpus, loaded, lines, console))


def _recordings(wideband: Path, files: int) -> list[tuple[str, Path]]:
    by_set: dict[str, list[Path]] = defaultdict(list)
    with (wideband / "splits.csv").open(encoding="utf-8-sig", newline="") as table:
        for row in csv.DictReader(table):
            if row["split"] == "test" and row["set"] in _SETS:
                by_set[row["set"]].append(wideband / row["file"])
    return [(n, p) for n in _SETS for p in by_set[n][:: max(1, len(by_set[n]) // files)][:files]]


def _read(path: Path) -> np.ndarray:
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    wave = audio.resample(samples.mean(1), rate, RATE)
    return wave * audio.gain_to(wave, RATE, -23.0)


def copy(vocoder: Vocoder, wave: np.ndarray) -> np.ndarray:
    """A recording [n] at 44.1 kHz through mel and F0 and back, as long and at the same rate."""
    config = vocoder.audio
    narrow = audio.resample(wave, RATE, config.sample_rate).astype(np.float32)
    mel = features.log_mel(narrow, config)
    f0 = torch.from_numpy(pitch.f0(narrow, config))[: len(mel)]
    with torch.inference_mode():
        made = vocoder(mel[None], f0[None])[0].numpy()
    made = audio.resample(made, vocoder.sample_rate, RATE)
    return np.pad(made, (0, max(0, len(wave) - len(made))))[: len(wave)]


def _power(wave: np.ndarray) -> np.ndarray:
    frames = np.lib.stride_tricks.sliding_window_view(wave, _N_FFT)[::_HOP]
    return np.abs(np.fft.rfft(frames * np.hanning(_N_FFT), axis=1)) ** 2 / _N_FFT


def lsd(real: np.ndarray, copied: np.ndarray, low: float = 10000, high: float = 20000) -> float:
    """Log-spectral distance of two waves [n] at 44.1 kHz between two frequencies."""
    hertz = np.fft.rfftfreq(_N_FFT, 1 / RATE)
    band = (hertz >= low) & (hertz <= high)
    a, b = _power(real), _power(copied)
    loud = 10 * np.log10(a.sum(1) + 1e-12)
    kept = loud > loud.max() - 50
    difference = np.log10(a[kept][:, band] + 1e-8) - np.log10(b[kept][:, band] + 1e-8)
    return float(np.sqrt((difference**2).mean(1)).mean())


def level_error(real: np.ndarray, copied: np.ndarray) -> float:
    """Mean absolute error of the long-term level by third of an octave, dB; the last ends at 20 kHz."""
    hertz = np.fft.rfftfreq(_N_FFT, 1 / RATE)
    levels = []
    for wave in (real, copied):
        power = _power(wave).mean(0)
        levels.append([
            10 * np.log10(power[(hertz >= c / 2 ** (1 / 6)) & (hertz <= min(c * 2 ** (1 / 6), 20000))].mean())
            for c in _BANDS
        ])  # fmt: skip
    return float(np.abs(np.subtract(*levels)).mean())


def _conversions(corpus: Path, vocoders: dict[str, Vocoder], lines: int, console: Console) -> Table:
    test = [line for line in emotiontts.read(corpus) if line.split == "test" and not line.problem]
    chosen = test[:: max(1, len(test) // lines)][:lines]
    table = Table("vocoder", "conversions", "DNSMOS", "time, of the line's length")
    model, card = load_conversion(MODEL)
    for name, vocoder in vocoders.items():
        vocoder_card = load_vocoder(VOCODERS.get(name, Path(name)))[1]
        converter = Converter(model=model, card=card, vocoder=vocoder, vocoder_card=vocoder_card)
        scores, taken, length = [], 0.0, 0.0
        for line in track(chosen, f"converting, {name}", console=console):
            for voice in ("lmy", "kih"):
                began = time.perf_counter()
                made = converter.convert(line.audio, line.text, voice)
                taken += time.perf_counter() - began
                length += len(made.samples) / made.sample_rate
                scores.append(dnsmos(made.samples[:, 0], made.sample_rate).overall)
        table.add_row(name, str(len(scores)), f"{np.mean(scores):.3f}", f"{taken / length:.3f}")
    return table


if __name__ == "__main__":
    typer.run(main)
