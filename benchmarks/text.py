"""Is the front end right, and fast? Prints the tables of docs/figures.md.

    python benchmarks/text.py ../shared/cases ../shared/corpus/emotiontts

Right: the cases of both tables, and the corpus's scripts against what its actors said. Fast: every text of
the corpus on one core, in a process of its own; what it prints must not depend on the hash seed.
"""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from moksori.corpus import emotiontts
from moksori.errors import TextError
from moksori.text import normalize, pronounce, read
from moksori.text.syllables import decompose


def main(cases: Path, corpus: Path) -> None:
    """Read the cases and the corpus; print how many are right, and how fast."""
    lines = emotiontts.read(corpus)
    right = Table("reading", "right", "of", "share")
    for name, (hits, total) in (
        ("pronunciation.tsv", _pronunciation(cases / "pronunciation.tsv")),
        ("normalization.tsv", _normalization(cases / "normalization.tsv")),
        ("script as its actor said it", _scripts(lines, offered=False)),
        ("… or as the doubts offer", _scripts(lines, offered=True)),
    ):
        right.add_row(name, str(hits), str(total), f"{hits / total:.1%}")
    Console(width=90).print(right)
    texts = sorted({line.text for line in lines if line.text})
    fast = Table("seed", "lines/s", "peak MB", "import s", "digest")
    for seed in ("0", "1", "12345"):
        fast.add_row(seed, *_measured(texts, seed))
    Console(width=90).print(fast)
    print(f"{len(texts)} texts of {sum(map(len, texts)) / len(texts):.0f} characters, 3 times")


def _hangul(text: str) -> str:
    return "".join(re.findall("[가-힣]", text))


def _sounds(spoken: str) -> str:
    """Letters that sound, so that the borders of syllables and words do not matter."""
    syllables = [syllable for syllable in decompose(spoken) if syllable]
    return "".join(o.replace("ㅇ", "") + v + c.strip() for o, v, c in syllables)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def _pronunciation(path: Path) -> tuple[int, int]:
    rows = _rows(path)
    hits = [
        _sounds(pronounce(row["text"])) in map(_sounds, row["pronunciation"].split("|"))
        for row in rows
    ]
    return sum(hits), len(rows)


def _normalization(path: Path) -> tuple[int, int]:
    hits = 0
    rows = _rows(path)
    for row in rows:
        try:
            found = _hangul(normalize(row["text"]))
        except TextError:
            hits += row["expected"].startswith("<ERROR")
        else:
            hits += found in map(_hangul, row["expected"].split("|"))
    return hits, len(rows)


def _scripts(lines: list[emotiontts.SourceLine], offered: bool) -> tuple[int, int]:
    """Lines whose script and transcript differ or hold digits or Latin."""
    differing = [
        line
        for line in lines
        if line.script
        and (_hangul(line.script) != _hangul(line.text) or re.search("[0-9A-Za-z%]", line.script))
    ]
    hits = 0
    for line in differing:
        try:
            reading = read(line.script)
        except TextError:
            continue
        said = {_hangul(reading.normalized)}
        for doubt in reading.doubts if offered else ():
            if doubt.other:
                said |= {s.replace(_hangul(doubt.reading), _hangul(doubt.other), 1) for s in said}
        hits += _hangul(line.text) in said
    return hits, len(differing)


def _measured(texts: list[str], seed: str) -> tuple[str, ...]:
    done = subprocess.run(
        [sys.executable, "-c", _ALONE], input="\n".join(texts), text=True, check=True,
        capture_output=True, env=os.environ | {"PYTHONHASHSEED": seed},
    )  # fmt: skip
    return tuple(done.stdout.split())


_ALONE = """
import hashlib, resource, sys, time
started = time.perf_counter()
from moksori.text import pronounce
imported = time.perf_counter() - started
rows = sys.stdin.read().splitlines()
pronounce(rows[0])  # loads the dictionaries
started = time.perf_counter()
spoken = [pronounce(row) for _ in range(3) for row in rows]
speed = len(spoken) / (time.perf_counter() - started)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
digest = hashlib.sha256(" ".join(spoken).encode()).hexdigest()[:12]
print(f"{speed:.0f} {peak:.0f} {imported:.3f} {digest}")
"""

if __name__ == "__main__":
    typer.run(main)
