"""Kill a dubbing job at random moments: is anything lost, done twice, or different.

    python benchmarks/episode.py ../shared/corpus/emotiontts EPISODE
    python benchmarks/kill.py EPISODE [--kills 50]

The job is run whole once. Then it is killed (SIGKILL to all its processes) again and again, and gone on
with by the same command; each time that it ends, what it handed over is compared, byte by byte, and it
begins in a new folder.
"""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import typer

WORKERS = 2


def main(episode: Path, kills: int = 50, seed: int = 1) -> None:
    """Print how often the job was killed, in which phase, and what came of it."""
    chance = random.Random(seed)
    reference, out = episode / "uninterrupted", episode / "killed"
    for folder in (reference, out):
        shutil.rmtree(folder, ignore_errors=True)
    began = time.perf_counter()
    subprocess.run(_command(episode, reference), check=True, capture_output=True)
    whole = time.perf_counter() - began
    done, rounds, lines, tries, phases = 0, 0, 0, 0, {}
    while done < kills:
        job = subprocess.Popen(
            _command(episode, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        try:
            job.wait(chance.uniform(0.5, 0.6 * whole))
        except subprocess.TimeoutExpired:
            os.killpg(job.pid, signal.SIGKILL)
            job.wait()
            done += 1
            phase = _phase(out)
            phases[phase] = phases.get(phase, 0) + 1
            continue
        rounds, (n, t) = rounds + 1, _compare(reference, out)
        lines, tries = lines + n, tries + t
        shutil.rmtree(out)
    subprocess.run(_command(episode, out), check=True, capture_output=True)
    rounds, (n, t) = rounds + 1, _compare(reference, out)
    lines, tries = lines + n, tries + t
    told = ", ".join(f"{count} {phase}" for phase, count in sorted(phases.items()))
    print(f"killed {done} times ({told}); {rounds} jobs ended, each with the same bytes")
    most = done * WORKERS
    print(
        f"{lines} lines were worked on {tries} times: {tries - lines} beyond once, at most {most}"
    )
    if tries - lines > done * WORKERS:
        sys.exit("error: lines were done twice")


def _command(episode: Path, out: Path) -> list[str]:
    return [
        sys.executable, "-m", "moksori", "dub", str(episode / "script.xlsx"), "--audio",
        str(episode / "takes"), "--cast", str(episode / "cast.toml"), "--fps", "29.97df", "-o", str(out),
        "--workers", str(WORKERS),
    ]  # fmt: skip


def _phase(out: Path) -> str:
    """What the job was at when it was killed."""
    if not (out / ".moksori" / "job.sqlite").exists():
        return "before work"
    if (out / ".moksori" / "delivery").exists():
        return "handing over"
    rows = _query(out, "SELECT count(*) FROM work")
    if rows and rows[0][0]:
        return "converting"
    return "measuring"


def _query(out: Path, query: str) -> list:
    database = sqlite3.connect(out / ".moksori" / "job.sqlite")
    try:
        return database.execute(query).fetchall()
    except sqlite3.OperationalError:  # killed before its tables were there
        return []
    finally:
        database.close()


def _compare(reference: Path, out: Path) -> tuple[int, int]:
    """Lines and tries of a job that has ended as the reference did."""
    first, second = (
        {
            path.relative_to(folder): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and path.name not in ("job.sqlite", "lock")
        }
        for folder in (reference, out)
    )
    if first.keys() != second.keys():
        sys.exit(f"error: other files: {sorted(map(str, first.keys() ^ second.keys()))[:5]}")
    if unlike := [str(path) for path in first if first[path] != second[path]]:
        sys.exit(f"error: other bytes: {unlike[:5]}")
    (row,) = _query(
        out, "SELECT count(*), sum(tries) FROM work WHERE status IN ('converted', 'passed')"
    )
    return row


if __name__ == "__main__":
    typer.run(main)
