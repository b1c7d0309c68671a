"""Vocoders above 8 kHz, and conversions through them. Prints the tables of docs/figures.md.

    python benchmarks/wideband.py WIDEBAND CORPUS fast wide [--files 12] [--lines 12] [--visqol 4]

WIDEBAND: a folder with `splits.csv` (file, set, split) of recordings to 20 kHz. CORPUS: the Korean corpus in
its original layout. Only `test` splits are used. Of copies, a recording to mel and F0 and back to a wave, as
predicted and at the recording's own treble (*from the take*):

LSD     log-spectral distance from 10 to 20 kHz (as AP-BWE, arXiv 2401.06387): windows of 2,048 samples, log10
        of power, root of the mean square over bins, mean over the frames within 50 dB of the loudest
        A vocoder that is told a voice's usual levels above the mel is told those of up to 12 other recordings
        of the same person, as a voice's card has them.
level   error of the long-term level by third of an octave from 8 to 20 kHz, dB: mean absolute of each
        recording's, and absolute of their mean
ViSQOL  audio mode, 48 kHz, against the recording (pip install visqol-python)

Of RAVDESS's actors, converted to lmy and kih with their sentences written as Korean says them: how often the
*actor* is named from the treble alone, as its levels by kHz over those from 6 to 8 kHz; chance is one in 20.
Of conversions of corpus lines to lmy and kih: DNSMOS, the time with one thread, and by how many dB their
levels from 8 to 9, 9 to 10 and 10 to 10.7 kHz, over those from 6 to 8, are above those of the voice's own
recordings, which the corpus holds that far: the mean over both voices, and that of the unconverted lines.
"""

import csv
import time
from collections import defaultdict
from functools import cache
from itertools import pairwise
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
from moksori.conversion.treble import from_take
from moksori.corpus import emotiontts
from moksori.corpus.lines import SourceLine
from moksori.metrics.models import dnsmos, speaker_embedding
from moksori.models.vocoder import Vocoder
from moksori.signal import audio, features, levels, pitch
from moksori.signal.audio import Recording
from moksori.signal.band import real_band
from moksori.signal.treble import EDGES, TrebleLevels, treble_levels, usual_levels
from moksori.weights import MODEL, VOCODERS

RATE = 44100
_N_FFT, _HOP = 2048, 512
_BANDS = (8000, 10000, 12500, 16000, 20000)  # Hz, centres of thirds of an octave
_SETS = ("ravdess", "kathleen", "nathalie")
_SENTENCES = {"01": "키즈 아 토킹 바이 더 도어", "02": "독스 아 시팅 바이 더 도어"}


def main(
    wideband: Path,
    corpus: Path,
    vocoders: list[str],
    files: Annotated[int, typer.Option(help="Recordings of each set.")] = 12,
    lines: Annotated[int, typer.Option(help="Corpus lines, each to two voices.")] = 12,
    visqol: Annotated[int, typer.Option(help="Recordings of each set for ViSQOL.")] = 0,
) -> None:
    """Copy recordings with each vocoder, and convert lines through it."""
    torch.set_num_threads(1)
    loaded = {name: load_vocoder(VOCODERS.get(name, Path(name)))[0] for name in vocoders}
    console = Console(stderr=True)
    rows: dict[tuple[str, str], list[tuple[float, ...]]] = defaultdict(list)
    judged: dict[tuple[str, str], int] = defaultdict(int)
    scores: dict[tuple[str, str], list[float]] = defaultdict(list)
    for group, path in track(_recordings(wideband, files), "copying", console=console):
        original, usual = _read(path), usual_levels(map(_levels, _others(wideband, group, path)))
        for name, vocoder in loaded.items():
            for how, copied in copies(vocoder, original, usual).items():
                key = f"{name}, {how}"
                found = (lsd(original, copied), *level_errors(original, copied))
                rows[key, group].append(found)
                if group == "ravdess" and int(path.stem.split("-")[-1]) % 2:
                    rows[key, "… men alone"].append(found)
                if judged[key, group] < visqol:
                    judged[key, group] += 1
                    scores[key, group].append(_visqol(original, copied))
    table = Table(
        "vocoder", "recordings", "number", "LSD", "level, each", "mean", "by band", "ViSQOL"
    )
    for (name, group), values in rows.items():
        errors = np.array([value[1:] for value in values])
        bands = errors.mean(0)
        table.add_row(
            name, group, str(len(values)), f"{np.mean([value[0] for value in values]):.2f}",
            f"{np.abs(errors).mean():.1f}", f"{np.abs(bands).mean():.1f}",
            " ".join(f"{x:+.1f}" for x in bands),
            f"{np.mean(scores[name, group]):.2f}" if scores[name, group] else "",
        )  # fmt: skip
    Console(width=120).print(table)
    Console(width=100).print(_named(wideband, console))
    if lines:
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
    return wave * levels.gain_to(wave, RATE, -23.0)


def _others(wideband: Path, group: str, path: Path) -> list[Path]:
    """Up to 12 other recordings of the person in `path`."""
    actor = path.stem.split("-")[-1] if group == "ravdess" else ""
    found = []
    with (wideband / "splits.csv").open(encoding="utf-8-sig", newline="") as table:
        for row in csv.DictReader(table):
            other = wideband / row["file"]
            if row["set"] == group and other != path and other.stem.endswith(actor):
                found.append(other)
    return found[:: max(1, len(found) // 12)][:12]


@cache
def _levels(path: Path) -> TrebleLevels | None:
    return treble_levels(_read(path), RATE)


def copies(vocoder: Vocoder, wave: np.ndarray, usual: TrebleLevels | None) -> dict[str, np.ndarray]:
    """A recording [n] at 44.1 kHz through mel and F0 and back, as long and at the same rate."""
    config, rate = vocoder.audio, vocoder.sample_rate
    narrow = audio.resample(wave, RATE, config.sample_rate).astype(np.float32)
    mel = features.log_mel(narrow, config)
    f0 = torch.from_numpy(pitch.f0(narrow, config))[: len(mel)]
    with torch.inference_mode():
        told = torch.tensor([usual or (torch.nan,) * 3])
        made = {"predicted": vocoder(mel[None], f0[None], told)[0].numpy()}
    if vocoder.band > 12000:
        size = len(made["predicted"])
        take = np.pad(audio.resample(wave, RATE, rate), (0, size))[:size]
        made["from the take"] = from_take(
            made["predicted"],
            take,
            rate,
            low=config.fmax,
            high=min(vocoder.band, real_band(wave, RATE)),
            f0=f0,
            take_f0=f0,
        )
    resampled = {how: audio.resample(copied, rate, RATE) for how, copied in made.items()}
    return {
        how: np.pad(copied, (0, max(0, len(wave) - len(copied))))[: len(wave)]
        for how, copied in resampled.items()
    }


def _visqol(real: np.ndarray, copied: np.ndarray) -> float:
    """MOS-LQO in audio mode."""
    from visqol import VisqolApi

    api = VisqolApi()
    api.create(mode="audio")
    waves = [audio.resample(wave, RATE, 48000).astype(np.float64) for wave in (real, copied)]
    return float(api.measure_from_arrays(*waves, 48000).moslqo)


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


def level_errors(real: np.ndarray, copied: np.ndarray) -> list[float]:
    """By how many dB a copy is too loud, by third of an octave; the last ends at 20 kHz."""
    hertz = np.fft.rfftfreq(_N_FFT, 1 / RATE)
    levels = []
    for wave in (real, copied):
        power = _power(wave).mean(0)
        levels.append([
            10 * np.log10(power[(hertz >= c / 2 ** (1 / 6)) & (hertz <= min(c * 2 ** (1 / 6), 20000))].mean())
            for c in _BANDS
        ])  # fmt: skip
    return [float(x) for x in np.subtract(levels[1], levels[0])]


def _treble(wave: np.ndarray) -> np.ndarray:
    """Levels by kHz from 8 to 20 over those from 6 to 8, dB, [12]."""
    hertz, power = np.fft.rfftfreq(_N_FFT, 1 / RATE), _power(wave).mean(0)
    edges = [6000, *range(8000, 21000, 1000)]
    level = [
        10 * np.log10(power[(hertz >= a) & (hertz < b)].mean() + 1e-12) for a, b in pairwise(edges)
    ]
    return np.array(level[1:]) - level[0]


def _named(wideband: Path, console: Console) -> Table:
    """How often the nearest of 20 actors by treble is the one who spoke."""
    by_actor: dict[str, list[Path]] = defaultdict(list)
    with (wideband / "splits.csv").open(encoding="utf-8-sig", newline="") as table:
        for row in csv.DictReader(table):
            if row["set"] == "ravdess":
                path = wideband / row["file"]
                by_actor[path.stem.split("-")[-1]].append(path)
    converter = Converter.from_pretrained()
    known, asked, similar = {}, defaultdict(list), defaultdict(list)
    for actor, paths in track(by_actor.items(), "naming actors", console=console):
        known[actor] = np.mean([_treble(_read(path)) for path in paths[2:8]], axis=0)
        wave, own = _read(paths[0]), paths[0].stem.split("-")
        asked["recordings"].append((actor, _treble(wave)))
        take = Recording(wave[:, None].astype(np.float32) / 4, RATE, "PCM_16")
        for how in ("take", "predict"):
            for voice in ("lmy", "kih"):
                made = converter.convert(take, _SENTENCES[own[4]], voice, treble=how).samples[:, 0]
                asked[how].append((actor, _treble(made)))
                similar[how].append(speaker_embedding(made, RATE) @ speaker_embedding(wave, RATE))
    result = Table("treble", "number", "actor named", "similarity to the actor")
    for how, each in asked.items():
        right = [
            min(known, key=lambda name: np.abs(known[name] - found).mean()) == actor
            for actor, found in each
        ]
        near = f"{np.mean(similar[how]):.3f}" if similar[how] else ""
        result.add_row(how, str(len(right)), f"{np.mean(right):.0%}", near)
    return result


def spoken(corpus: Path, split: str, speaker: str = "") -> list[SourceLine]:
    """The lines of a split with a recording, of one speaker or of all."""
    return [
        line
        for line in emotiontts.read(corpus)
        if line.split == split and not line.problem and speaker in ("", line.speaker)
    ]


def _conversions(corpus: Path, vocoders: dict[str, Vocoder], lines: int, console: Console) -> Table:
    test = spoken(corpus, "test")
    chosen = test[:: max(1, len(test) // lines)][:lines]
    table = Table(
        "vocoder", "conversions", "DNSMOS", "time, of the line's length", "8 to 10.7 kHz, dB off"
    )
    model, card = load_conversion(MODEL)
    own = {
        voice: np.mean(
            [_upper(_read(line.audio)) for line in spoken(corpus, "train", voice)[:24]], 0
        )
        for voice in ("lmy", "kih")
    }
    unconverted = np.mean([_upper(_read(line.audio)) for line in chosen], 0)
    apart = [unconverted - level for level in own.values()]
    table.add_row("unconverted", str(len(chosen)), "", "", _signed(np.mean(apart, 0)))
    for name, vocoder in vocoders.items():
        vocoder_card = load_vocoder(VOCODERS.get(name, Path(name)))[1]
        converter = Converter(model=model, card=card, vocoder=vocoder, vocoder_card=vocoder_card)
        scores, apart, taken, length = [], list[np.ndarray](), 0.0, 0.0
        for line in track(chosen, f"converting, {name}", console=console):
            for voice in ("lmy", "kih"):
                began = time.perf_counter()
                made = converter.convert(line.audio, line.text, voice, treble="predict")
                taken += time.perf_counter() - began
                wave = audio.resample(made.samples[:, 0], made.sample_rate, RATE)
                apart.append(_upper(wave) - own[voice])
                length += len(made.samples) / made.sample_rate
                scores.append(dnsmos(made.samples[:, 0], made.sample_rate).overall)
        table.add_row(
            name, str(len(scores)), f"{np.mean(scores):.3f}", f"{taken / length:.3f}",
            _signed(np.mean(apart, 0)),
        )  # fmt: skip
    return table


def _upper(wave: np.ndarray) -> np.ndarray:
    """Levels from 8 to 9, 9 to 10 and 10 to 10.7 kHz over that from 6 to 8 kHz, dB, [3]."""
    hertz, power = np.fft.rfftfreq(_N_FFT, 1 / RATE), _power(wave).mean(0)
    edges = pairwise((6000, *EDGES))
    level = [10 * np.log10(power[(hertz >= a) & (hertz < b)].mean()) for a, b in edges]
    return np.array(level[1:]) - level[0]


def _signed(levels: np.ndarray) -> str:
    return " ".join(f"{x:+.1f}" for x in levels)


if __name__ == "__main__":
    typer.run(main)
