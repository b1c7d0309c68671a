"""How surely the watermark is found again, and what it costs. Prints the tables of docs/provenance.md.

    python benchmarks/watermark.py ../shared/corpus/emotiontts [--nonverbal ../shared/nonverbal]
        [--lines 24] [--strength 1 --strength 1.25]

Lines of the test split are converted at 48 kHz, marked, and then spoiled; false alarms are counted on the
same lines unmarked. “Mixed” adds another sound below the line: white noise; noise with the spectrum of the
take's own quietest quarter of a second; another speaker's line; laughs and cries of the nonverbal set.
ViSQOL (audio mode, 48 kHz; `pip install visqol-python`) and DNSMOS judge marked against unmarked; LSD is
of log power spectra (2048 samples, every 512).
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
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
from moksori.provenance.watermark import FOUND, STRENGTH, confidence, mark
from moksori.signal import audio

RATE = 48000


def main(
    corpus: Path,
    nonverbal: Annotated[Path | None, typer.Option(help="Folder of laughs and cries.")] = None,
    lines: Annotated[int, typer.Option()] = 24,
    strength: Annotated[list[float] | None, typer.Option(help="Of the mark, dB.")] = None,
) -> None:
    """Mark, spoil, seek, judge."""
    strength = strength or [STRENGTH]
    found: dict[str, dict[float, list[float]]] = defaultdict(lambda: defaultdict(list))
    costs: dict[str, dict[float, list[float]]] = defaultdict(lambda: defaultdict(list))
    made = [*_converted(corpus, lines)]
    cries = _cries(nonverbal, lines) if nonverbal else []
    for number, (wave, take) in enumerate(made):
        spoils = dict(_spoils(number, wave, take, made[number - 1][0], cries))
        for amount in (0.0, *strength):
            marked = mark(wave[:, None], RATE, amount)[:, 0] if amount else wave
            for name, spoil in spoils.items():
                rate = 22050 if "resampled" in name else RATE
                found[name][amount].append(confidence(spoil(marked), rate))
            if amount:
                _judge(wave, marked, costs, amount)
    console = Console(width=140)
    table = Table(
        "", *(f"{amount:g}: found, least" for amount in strength), "unmarked: found, most"
    )
    for name, by in found.items():
        cells = [f"{_share(by[amount])}, {min(by[amount]):.2f}" for amount in strength]
        table.add_row(name, *cells, f"{_share(by[0.0])}, {max(by[0.0]):.2f}")
    for name, by in costs.items():
        cells = [f"{np.mean(v):.3f} ({min(v):.3f} to {max(v):.3f})" for v in by.values()]
        table.add_row(name, *cells, "")
    console.print(table)


def _share(values: list[float]) -> str:
    return f"{sum(value >= FOUND for value in values)}/{len(values)}"


def _spoils(
    number: int, wave: np.ndarray, take: np.ndarray, before: np.ndarray, cries: list[np.ndarray]
) -> Iterator[tuple[str, Callable[[np.ndarray], np.ndarray]]]:
    """What is done to a line, by its name."""
    size, chance = len(wave), np.random.default_rng(number)
    white, other = chance.standard_normal(size), np.resize(before, size)
    yield "as it is", lambda x: x
    yield "MP3, 128 kbit/s", _mp3
    yield "resampled to 22.05 kHz", lambda x: audio.resample(x, RATE, 22050)
    yield "12 dB softer, 16 bits", lambda x: np.rint(x / 4 * 32767) / 32767
    yield "another's speech, −6 dB", lambda x: _mixed(x, other, -6)
    if cries:
        yield "laughs and cries, −6 dB", lambda x: _mixed(x, np.resize(cries[number], size), -6)
    room = _like(take, size, chance)
    for level in (-20, -6):
        yield (
            f"noise of the room, {level} dB".replace("-", "−"),
            partial(_mixed, other=room, level=level),
        )
    for level in (-20, -6):
        yield (
            f"white noise, {level} dB".replace("-", "−"),
            partial(_mixed, other=white, level=level),
        )


def _like(take: np.ndarray, size: int, chance: np.random.Generator) -> np.ndarray:
    """Noise [size] with the spectrum of the quietest quarter of a second of a take."""
    window = RATE // 4
    starts = range(0, len(take) - window, window // 4)
    begin = min(starts, key=lambda at: float((take[at : at + window] ** 2).mean()))
    quiet = np.abs(np.fft.rfft(take[begin : begin + window] * np.hanning(window)))
    spectrum = np.fft.rfft(chance.standard_normal(size))
    at = np.linspace(0, len(quiet) - 1, len(spectrum))
    return np.fft.irfft(spectrum * np.interp(at, np.arange(len(quiet)), quiet), size)


def _cries(folder: Path, number: int) -> list[np.ndarray]:
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".wav", ".flac", ".mp3"))
    chosen = [audio.decode(path) for path in paths[:: max(1, len(paths) // number)][:number]]
    return [audio.resample(one.mono, one.sample_rate, RATE).astype(np.float64) for one in chosen]


def _converted(corpus: Path, number: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Lines, and the takes that they come from."""
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
        yield result.samples[:, 0].astype(np.float64), samples[:, 0].astype(np.float64)
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


def _judge(
    wave: np.ndarray, marked: np.ndarray, costs: dict[str, dict[float, list[float]]], amount: float
) -> None:
    from visqol import VisqolApi

    from moksori.metrics.models import dnsmos

    judge = VisqolApi()
    judge.create(mode="audio")
    change = dnsmos(marked, RATE).overall - dnsmos(wave, RATE).overall
    costs["DNSMOS, change"][amount].append(change)
    costs["ViSQOL, audio mode"][amount].append(judge.measure_from_arrays(wave, marked, RATE).moslqo)
    costs["LSD, dB"][amount].append(_lsd(wave, marked))
    level = 10 * np.log10(((marked - wave) ** 2).sum() / (wave**2).sum())
    costs["marked − unmarked, dB"][amount].append(level)


if __name__ == "__main__":
    typer.run(main)
