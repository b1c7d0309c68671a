"""Time and memory of a dubbing job. Prints the table of docs/figures.md.

    python benchmarks/episode.py ../shared/corpus/emotiontts EPISODE --lines 312
    python benchmarks/dub.py EPISODE [--script script.ass --audio track.wav]

Memory is what all processes of the job have of their own (proportional set size), sampled twice a second.
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, NamedTuple

import soundfile
import typer
from rich.console import Console
from rich.table import Table


def main(
    episode: Path,
    script: str = "script.ass",
    audio: str = "track.wav",
    workers: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """Dub an episode into EPISODE/timed and print what it took."""
    taken = dub_timed(episode, script, audio, workers)
    table = Table(
        "lines", "reel, min", "seconds", "lines an hour", "peak MB, all", "peak MB, one process"
    )
    table.add_row(
        str(taken.lines), f"{taken.reel / 60:.1f}", f"{taken.seconds:.0f}",
        f"{taken.lines / taken.seconds * 3600:.0f}", f"{taken.peak / 1e6:.0f}",
        f"{taken.largest / 1e6:.0f}",
    )  # fmt: skip
    Console(width=100).print(table)


class Taken(NamedTuple):
    """What a job took."""

    lines: int
    reel: float  # seconds
    seconds: float
    peak: int  # bytes, of all processes
    largest: int  # of one


def dub_timed(episode: Path, script: str, audio: str, workers: int) -> Taken:
    """Dub an episode into EPISODE/timed."""
    out = episode / "timed"
    shutil.rmtree(out, ignore_errors=True)
    began = time.perf_counter()
    job = subprocess.Popen([
        sys.executable, "-m", "moksori", "dub", str(episode / script), "--audio", str(episode / audio),
        "--cast", str(episode / "cast.toml"), "--fps", "29.97df", "-o", str(out), "--workers", str(workers),
    ])  # fmt: skip
    peak = largest = 0
    while job.poll() is None:
        sizes = [_own_bytes(pid) for pid in _family(job.pid)]
        peak, largest = max(peak, sum(sizes)), max([largest, *sizes])
        time.sleep(0.5)
    if job.returncode:
        sys.exit("error: the job failed")
    seconds = time.perf_counter() - began
    reel = soundfile.info(out / "reel.wav").duration
    return Taken(len([*(out / "lines").iterdir()]), reel, seconds, peak, largest)


def _family(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):  # of each thread
        for child in children.read_text().split():
            found += _family(int(child))
    return found


def _own_bytes(pid: int) -> int:
    try:
        for row in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if row.startswith("Pss:"):
                return int(row.split()[1]) * 1024
    except OSError:  # it has ended meanwhile
        pass
    return 0


if __name__ == "__main__":
    typer.run(main)
