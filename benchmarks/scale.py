r"""How a job's time grows, and what many machines would do for a catalogue. For docs/scale.md.

    python benchmarks/scale.py measure /tmp/scale --corpus ../shared/corpus/emotiontts \
        --lines 100,300,1000,3000 --workers 1,2 --plot scale.png
    python benchmarks/stages.py EPISODE --json stages.json
    python benchmarks/scale.py simulate stages.json --episodes 10000 --machines 1,10,100

`measure` makes an episode of each size, dubs it with each number of workers, and prints the table of seconds
and memory (an idle machine is needed). `simulate` takes the CPU seconds that stages.py has measured, and
computes how long a catalogue takes in two ways: every machine with episodes of its own (`moksori season` on
each), and one job that spreads its lines over all machines (`--engine ray`). What takes most of the time is
named.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from dub import dub_timed
from rich.console import Console
from rich.table import Table

app = typer.Typer()
_NUMBERS = "numbers, parted by commas"
# Which of the stages of stages.py the job's own process works on: on all cores before, on one core after.
_BEFORE = ("script and text", "read takes, digest", "F0 of takes", "cut and level speech", "mel")
_AFTER = ("reel and stems", "other deliverables", "store")
_ONCE = ("imports", "load models")  # of each process
_ALL, _MINUTES = 283, 28 / 283  # lines of the corpus's ten actors, and minutes of reel for each


class Episode(NamedTuple):
    """CPU seconds of an episode's parts, and what travels to other machines and back."""

    before: float
    convert: float
    after: float
    once: float
    megabytes: float


@app.command()
def measure(
    folder: Path,
    corpus: Annotated[Path, typer.Option()],
    lines: Annotated[str, typer.Option(help=_NUMBERS)] = "100,300,1000",
    workers: Annotated[str, typer.Option(help=_NUMBERS)] = "1,2",
    plot: Annotated[Path | None, typer.Option(help="Draw seconds against lines.")] = None,
) -> None:
    """Dub episodes of several sizes and print seconds, lines an hour and peak memory."""
    here, rows = Path(__file__).parent, []
    for count in _numbers(lines):
        episode = folder / str(count)
        if not (episode / "track.wav").exists():
            # The corpus has 283 lines of the ten actors: beyond that they come again.
            made = [
                sys.executable,
                here / "episode.py",
                corpus,
                episode,
                "--lines",
                min(count, 1000),
            ]
            again = ["--minutes", count * _MINUTES] if count > _ALL else []
            subprocess.run([*map(str, [*made, *again])], check=True)
        for number in _numbers(workers):
            rows.append((count, number, dub_timed(episode, "script.ass", "track.wav", number)))
            shutil.rmtree(episode / "timed")
    table = Table(
        "lines", "workers", "seconds", "lines an hour", "peak MB, all", "peak MB, one process"
    )
    for asked, number, taken in rows:
        table.add_row(
            f"{taken.lines} ({asked})", str(number), f"{taken.seconds:.0f}",
            f"{taken.lines / taken.seconds * 3600:.0f}", f"{taken.peak / 1e6:.0f}",
            f"{taken.largest / 1e6:.0f}",
        )  # fmt: skip
    Console(width=100).print(table)
    if plot:
        _plot(plot, rows)


@app.command()
def simulate(
    stages: Path,
    episodes: int = 10000,
    machines: Annotated[str, typer.Option(help=_NUMBERS)] = "1,10,100",
    cores: Annotated[int, typer.Option(help="Of each machine.")] = 2,
    lines: Annotated[int, typer.Option(help="Of an episode.")] = 283,
    network: Annotated[
        float, typer.Option(help="Megabytes a second, to and from one machine.")
    ] = 110.0,
) -> None:
    """Print days for a catalogue, by machines and by how the work is parted, with the bottleneck."""
    one = _episode(json.loads(stages.read_text()), lines)
    table = Table("machines", "parted by", "days", "episodes an hour", "bottleneck", "its share")
    for count in _numbers(machines):
        for way, (seconds, parts) in {
            "episode": _by_episode(one, count, cores),
            "line, one job at a time": _by_line(one, count, cores, network),
        }.items():
            most = max(parts, key=lambda name: parts[name])
            days = episodes * seconds / 86400
            table.add_row(
                str(count), way, f"{days:.1f}", f"{3600 / seconds:.0f}", most,
                f"{parts[most] / sum(parts.values()):.0%}",
            )  # fmt: skip
    Console(width=110).print(table)


def _by_episode(one: Episode, machines: int, cores: int) -> tuple[float, dict[str, float]]:
    """Seconds an episode where each machine has its own, and how they are made up."""
    parts = {
        "checking": one.before / cores / machines,
        "converting": one.convert / cores / machines,
        "delivering, on one core": one.after / machines,
    }
    return sum(parts.values()), parts


def _by_line(
    one: Episode, machines: int, cores: int, network: float
) -> tuple[float, dict[str, float]]:
    """The same where one machine checks, sends, collects and delivers, and all convert."""
    convert = one.convert / cores / machines
    travel = one.megabytes / network * (machines - 1) / machines
    parts = {
        "checking": one.before / cores,
        "converting": convert if convert >= travel else 0.0,
        "the first machine's network": travel if travel > convert else 0.0,
        "delivering, on one core": one.after,
    }
    return sum(parts.values()), parts


def _episode(measured: dict, lines: int) -> Episode:
    """Of so many lines, from what stages.py measured."""
    times = lines / measured["lines"]
    seconds = measured["seconds"]
    own = {name: sum(seconds.get(stage, 0.0) for stage in stages)
           for name, stages in (("before", _BEFORE), ("after", _AFTER), ("once", _ONCE))}  # fmt: skip
    convert = sum(seconds.values()) - sum(own.values())
    speech = measured["speech"] * times
    return Episode(
        own["before"] * times, convert * times, own["after"] * times, own["once"],
        speech * 48000 * (4 + 3) / 1e6,  # samples in 32 bits there, in 24 bits back
    )  # fmt: skip


def _plot(path: Path, rows: list[tuple]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for number in sorted({row[1] for row in rows}):
        mine = [(taken.lines, taken.seconds) for _, own, taken in rows if own == number]
        axes.plot(*zip(*mine, strict=True), marker="o", label=f"workers: {number}")
    axes.set(xlabel="lines", ylabel="seconds", xlim=0, ylim=0)
    axes.legend()
    figure.savefig(path)


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


if __name__ == "__main__":
    app()
