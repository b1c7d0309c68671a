"""How surely the watermark is found again, and what it costs. Prints the tables of docs/provenance.md.

    python benchmarks/watermark.py ../shared/corpus/emotiontts [--lines 24] [--judged 24]

Lines of the test split are converted at 48 kHz, marked, and then spoiled; false alarms are counted on the
same lines unmarked. “Mixed” adds another sound below the line: white noise, or another speaker's line.
ViSQOL (audio mode, 48 kHz; `pip install visqol-python`) and DNSMOS judge marked against unmarked; LSD is
of log power spectra (2048 samples, every 512).
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile
import typer
from rich.console import Console
from rich.table import Table

from moksori.conversion.converter import Converter
from moksori.corpus import emotiontts
from moksori.errors import MoksoriError
from moksori.provenance.watermark import FOUND, confidence, mark
from moksori.signal import audio

RATE = 48000


def main(
    corpus: Path,
    lines: Annotated[int, typer.Option()] = 24,
    judged: Annotated[int, typer.Option(help="Of so many of them quality is judged.")] = 24,
) -> None:
    """Mark, spoil, seek, judge."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    costs: dict[str, list[float]] = defaultdict(list)
    waves = [*_converted(corpus, lines)]
    for number, wave in enumerate(waves):
        marked = mark(wave[:, None], RATE)[:, 0]
        other = np.resize(waves[number - 1], len(wave))
        noise = np.random.default_rng(number).standard_normal(len(wave))
        for name, spoil in {
            "as it is": lambda x: x,
            "MP3, 128 kbit/s": _mp3,
            "mixed with white noise, −6 dB": lambda x, n=noise: _mixed(x, n, -6),
            "mixed with another's speech, −6 dB": lambda x, n=other: _mixed(x, n, -6),
            "mixed with another's speech, −12 dB": lambda x, n=other: _mixed(x, n, -12),
            "resampled to 22.05 kHz": lambda x: audio.resample(x, RATE, 22050),
            "12 dB softer, 16 bits": lambda x: np.rint(x / 4 * 32767) / 32767,
        }.items():
            rate = 22050 if "resampled" in name else RATE
            found[name].append((confidence(spoil(marked), rate), confidence(spoil(wave), rate)))
        costs["marked − unmarked, dB"].append(
            10 * np.log10(((marked - wave) ** 2).sum() / (wave**2).sum())
        )
        costs["LSD, dB"].append(_lsd(wave, marked))
        if number < judged:
            _judge(wave, marked, costs)
    table = Table("", "found", "false alarms", "confidence, least", "unmarked, most")
    for name, pairs in found.items():
        own, none = np.array(pairs).T
        table.add_row(name, f"{(own >= FOUND).mean():.0%}", f"{(none >= FOUND).mean():.0%}",
                      f"{own.min():.2f}", f"{none.max():.2f}")  # fmt: skip
    console = Console()
    console.print(table)
    for name, values in costs.items():
        console.print(
            f"{name}: {np.mean(values):.3f} (from {min(values):.3f} to {max(values):.3f})"
        )


def _converted(corpus: Path, number: int) -> Iterator[np.ndarray]:
    converter = Converter.from_pretrained()
    rows = [row for row in emotiontts.read(corpus) if row.split == "test" and not row.problem]
    voices, done = ("lmy", "kih", "ava", "pmb"), 0
    for row in rows[:: max(1, len(rows) // (number + 4))]:
        recording = audio.read(row.audio)
        samples = audio.resample(recording.mono, recording.sample_rate, RATE)[:, None]
        take = replace(recording, samples=samples, sample_rate=RATE)
        try:
            result = converter.convert(take, row.text, voices[done % len(voices)])
        except MoksoriError:
            continue
        yield result.samples[:, 0].astype(np.float64)
        done += 1
        if done == number:
            return


def _mp3(wave: np.ndarray) -> np.ndarray:
    content = BytesIO()
    level = (320 - 128) / (320 - 32)  # how libsndfile counts constant bit rates
    soundfile.write(
        content, wave, RATE, format="MP3", bitrate_mode="CONSTANT", compression_level=level
    )
    content.seek(0)
    return soundfile.read(content)[0]


def _mixed(wave: np.ndarray, other: np.ndarray, level: float) -> np.ndarray:
    return wave + other * np.sqrt((wave**2).mean() / (other**2).mean()) * 10 ** (level / 20)


def _lsd(one: np.ndarray, other: np.ndarray) -> float:
    def log_power(wave: np.ndarray) -> np.ndarray:
        frames = np.lib.stride_tricks.sliding_window_view(wave, 2048)[::512] * np.hanning(2048)
        return 10 * np.log10(np.abs(np.fft.rfft(frames)) ** 2 + 1e-8)

    return float(np.sqrt(((log_power(one) - log_power(other)) ** 2).mean(1)).mean())


def _judge(wave: np.ndarray, marked: np.ndarray, costs: dict[str, list[float]]) -> None:
    from visqol import VisqolApi

    from moksori.metrics.models import dnsmos

    judge = VisqolApi()
    judge.create(mode="audio")
    costs["ViSQOL, audio mode"].append(judge.measure_from_arrays(wave, marked, RATE).moslqo)
    costs["DNSMOS, change"].append(dnsmos(marked, RATE).overall - dnsmos(wave, RATE).overall)


if __name__ == "__main__":
    typer.run(main)
