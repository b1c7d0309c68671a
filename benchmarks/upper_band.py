"""Conversions above 8 kHz beside the voice's own recordings of the same text. For docs/experiments.md.

    python benchmarks/upper_band.py CORPUS wide [VOCODER …] [--pairs 48]

CORPUS: the Korean corpus in its original layout, which holds its voices to 10.8 kHz; `test` lines whose text
two speakers of the model have recorded. One is converted to the other, as predicted (`--treble predict`), and
both are warped onto each other in time by their MFCC below 8 kHz. Over frames within 39 dB of the loudest:

distance   mean absolute difference of eight mel bands from 8 to 10.8 kHz, dB
by itself  the same, each over the mean of the eight bands below 8 kHz
level      by how many dB 8 to 9, 9 to 10 and 10 to 10.7 kHz over 6 to 8 kHz are above the recording's, over
           the whole line: the mean, and in parentheses the mean absolute
"""

from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import librosa
import numpy as np
import torch
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from moksori.config import AudioConfig
from moksori.conversion.converter import Converter
from moksori.corpus import emotiontts
from moksori.corpus.lines import SourceLine
from moksori.signal import audio, features
from moksori.signal.levels import gain_to
from moksori.signal.treble import EDGES

_RATE, _FINE = 22050, 44100  # Hz; of the mels, and where levels are measured
_BANDS, _ABOVE = 80, 8  # of the model's mel, and as many more as reach 10.8 kHz, as far apart
_QUIET = 4.5  # nepers below the loudest frame
_DB = 20 / np.log(10)


def main(
    corpus: Path,
    vocoders: list[str],
    pairs: Annotated[int, typer.Option(help="Lines, each to one voice.")] = 48,
) -> None:
    """Convert lines through each vocoder and compare them with the voice's own."""
    torch.set_num_threads(1)
    converters = {name: Converter.from_pretrained(None, name) for name in vocoders}
    chosen = parallel(corpus, {voice.name for voice in converters[vocoders[0]].card.voices}, pairs)
    found = defaultdict(list)
    for source, target in track(chosen, "converting", console=Console(stderr=True)):
        assert source.audio is not None and target.audio is not None
        own = audio.read(target.audio)
        real = mel(own.mono, own.sample_rate)
        path = None
        for name, converter in converters.items():
            made = converter.convert(
                source.audio, source.text, target.speaker, treble="predict", floor="silence"
            )
            wave, rate = made.samples[:, 0], made.sample_rate
            ours = mel(wave, rate)
            if path is None:
                path = warped(ours, real)
            apart = (ours[path[:, 0]] - real[path[:, 1]]) * _DB
            above = apart[:, _BANDS : _BANDS + _ABOVE]
            below = apart[:, _BANDS - _ABOVE : _BANDS].mean(1, keepdims=True)
            off = levels(wave, rate) - levels(own.mono, own.sample_rate)
            found[name].append([np.abs(above).mean(), np.abs(above - below).mean(), *off])
    table = Table("vocoder", "conversions", "distance, dB", "by itself, dB", "level, dB")
    for name, rows in found.items():
        values = np.array(rows)
        off = values[:, 2:]
        signed = zip(off.mean(0), np.abs(off).mean(0), strict=True)
        table.add_row(
            name, str(len(rows)), *(f"{x:.2f}" for x in values[:, :2].mean(0)),
            " ".join(f"{mean:+.1f} ({each:.1f})" for mean, each in signed),
        )  # fmt: skip
    Console(width=120).print(table)


def parallel(corpus: Path, voices: set[str], count: int) -> list[tuple[SourceLine, SourceLine]]:
    """Lines of `test`, and the same text by the next speaker who has it."""
    by_text: dict[str, dict[str, SourceLine]] = defaultdict(dict)
    for line in emotiontts.read(corpus):
        if line.split == "test" and not line.problem and line.speaker in voices:
            by_text[line.text].setdefault(line.speaker, line)
    pairs = []
    for lines in by_text.values():
        own = [lines[name] for name in sorted(lines)]
        pairs += zip(own, [*own[1:], own[0]], strict=True) if len(own) > 1 else []
    return pairs[:: max(1, len(pairs) // count)][:count]


def mel(wave: np.ndarray, rate: int) -> np.ndarray:
    """Log-mel [T, 88], natural log: the model's 80 bands and 8 above them, at its level."""
    config = AudioConfig()
    step = float(features._hz_to_mel(np.array([config.fmax]))[0]) / (_BANDS + 1)
    top = float(features._mel_to_hz(np.array([step * (_BANDS + _ABOVE + 1)]))[0])
    wider = config.model_copy(update={"n_mels": _BANDS + _ABOVE, "fmax": top})
    wave = audio.resample(wave, rate, _RATE).astype(np.float32)
    return features.log_mel(wave * np.float32(gain_to(wave, _RATE, config.loudness)), wider).numpy()


def warped(ours: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Frames [n, 2] of both that belong together, where the recording is loud enough."""
    heard = [librosa.feature.mfcc(S=one[:, :_BANDS].T * _DB, n_mfcc=20)[1:] for one in (ours, real)]
    _, path = librosa.sequence.dtw(*heard, metric="euclidean")
    loud = np.logaddexp.reduce(real, axis=1)
    result: np.ndarray = path[loud[path[:, 1]] > loud.max() - _QUIET]
    return result


def levels(wave: np.ndarray, rate: int) -> np.ndarray:
    """Of 8 to 9, 9 to 10 and 10 to 10.7 kHz over 6 to 8 kHz, dB, [3]."""
    fine = audio.resample(wave, rate, _FINE)
    frames = np.lib.stride_tricks.sliding_window_view(fine, 2048)[::512]
    power = (np.abs(np.fft.rfft(frames * np.hanning(2048), axis=1)) ** 2).mean(0)
    hertz = np.fft.rfftfreq(2048, 1 / _FINE)
    each = [
        10 * np.log10(power[(hertz >= low) & (hertz < high)].mean() + 1e-12)
        for low, high in pairwise((6000, *EDGES))
    ]
    return np.array(each[1:]) - each[0]


if __name__ == "__main__":
    typer.run(main)
