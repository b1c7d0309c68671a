"""Is the actor's vocal effort kept? Prints a table of docs/figures.md.

    python benchmarks/effort.py CORPUS                        # the bundled model
    python benchmarks/effort.py CORPUS --model RUN/model --effort 0 --effort 1 --effort 1.5 --plot out.png

Lines of the test split, of actors who act: the two whom no training has heard (`unseen`) and those of the
emotional sets (`seen`). What is known of an actor comes from all of his recordings, as in a dubbing job.
Correlation and ratio of spreads are of the lines' differences from their actor's mean (`metrics.effort`);
similarity is Resemblyzer's to the mean of 15 training lines of the target, against the source's own.
"""

from collections import defaultdict
from pathlib import Path
from typing import Annotated

import matplotlib.pyplot as plt
import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from moksori.conversion.converter import Converter
from moksori.corpus import emotiontts
from moksori.metrics.effort import effort, followed
from moksori.metrics.measures import centroid
from moksori.metrics.models import speaker_embedding
from moksori.signal import audio
from moksori.signal.pitch import swift

_MEASURES = ("alpha_ratio", "hammarberg", "hnr")


def main(
    corpus: Path,
    model: Annotated[Path | None, typer.Option(help="Instead of the bundled one.")] = None,
    vocoder: str = "wide",
    voice: Annotated[list[str], typer.Option(help="Targets.")] = ["lmy", "kih"],  # noqa: B006
    factor: Annotated[list[float], typer.Option("--effort", help="As `--effort`.")] = [1.0],  # noqa: B006
    most: Annotated[int, typer.Option(help="Lines of an actor.")] = 16,
    plot: Annotated[
        Path | None, typer.Option(help="Of effort against voice, to this .png.")
    ] = None,
) -> None:
    """Convert and measure."""
    converter = Converter.from_pretrained(model, vocoder)
    settings = converter.card.audio
    by_speaker = defaultdict(lambda: defaultdict(list))
    for line in emotiontts.read(corpus):
        if line.audio:
            by_speaker[line.speaker][line.split].append(line)
    actors = {
        name: ("seen" if splits["train"] else "unseen")
        for name, splits in by_speaker.items()
        if len(splits["test"]) > 2 and (not splits["train"] or name[:2] in ("em", "ne"))
    }
    targets = {
        name: centroid([_who(audio.read(x.audio)) for x in by_speaker[name]["train"][:15]])
        for name in voice
    }

    def measure(wave: np.ndarray, sample_rate: int) -> list[float]:
        _, hertz, voiced = swift(wave, sample_rate, settings.f0_min, settings.f0_max)
        return [*effort(wave, sample_rate, np.where(voiced, hertz, 0.0))]

    rows = []  # actor, group, voice, factor, source's measures, conversion's, both similarities
    for name, group in track(actors.items(), "actors", console=Console(stderr=True)):
        lines = by_speaker[name]["test"]
        takes = [line.audio for line in (*by_speaker[name]["train"], *lines)]
        speaker = converter.speaker(map(converter.source, takes))
        for line in lines[:most]:
            recording = audio.read(line.audio)
            source = measure(recording.mono, recording.sample_rate)
            who = _who(recording)
            for target in voice:
                for much in factor:
                    made = converter.convert(
                        recording, line.text, target, effort=much, speaker=speaker
                    )
                    wave = made.samples[:, 0]
                    heard = speaker_embedding(wave, made.sample_rate) @ targets[target]
                    rows.append(
                        (name, group, target, much, source, measure(wave, made.sample_rate),
                         float(heard), float(who @ targets[target]))
                    )  # fmt: skip
    table = Table("effort", "actors", "lines", *_MEASURES, "similarity", "source's")
    points = []
    for much in factor:
        for group in ("unseen", "seen"):
            own = [row for row in rows if row[3] == much and row[1] == group]
            keys = [f"{row[0]} {row[2]}" for row in own]
            cells = []
            for i in range(len(_MEASURES)):
                source, made = (np.array([row[k][i] for row in own]) for k in (4, 5))
                kept = followed(source, made, keys)
                cells.append(f"{kept.correlation:.2f}, {kept.spread:.2f}")
                if i == 0:
                    points.append((group, much, kept, np.mean([row[6] for row in own])))
            voices = [f"{np.mean([row[k] for row in own]):.3f}" for k in (6, 7)]
            table.add_row(f"{much:g}", group, str(len(own)), *cells, *voices)
    Console(width=140).print(table)
    if plot:
        _draw(points, plot)


def _who(recording: audio.Recording) -> np.ndarray:
    return speaker_embedding(recording.mono, recording.sample_rate)


def _draw(points: list[tuple], path: Path) -> None:
    figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
    for group in ("unseen", "seen"):
        own = [p for p in points if p[0] == group]
        spreads, voices = [p[2].spread for p in own], [p[3] for p in own]
        axis.plot(spreads, voices, marker="o", label=f"{group} actors")
        for _, much, kept, voice in own:
            axis.annotate(f"{much:g}", (kept.spread, voice), (4, 4), textcoords="offset points")
    axis.set(
        xlabel="spread of the alpha ratio, of the source's", ylabel="similarity to the target",
        title="--effort: the actor's effort against the target's voice",
    )  # fmt: skip
    axis.legend()
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    typer.run(main)
