"""What the measures say of voices' own recordings, the ceiling of conversions. Prints a table.

    python benchmarks/recordings.py ../shared/corpus/emotiontts [--least 10] [--judge]

Named: as in `moksori evaluate`, a voice is the mean of Resemblyzer's embeddings of 15 of its training
recordings, and whoever is most alike is named; here all other recordings of the voice are named so. `most
alike` is the nearest other voice, by the means. With `--judge` (half an hour on a core; needs faster-whisper)
also the CER of whisper-base, beside that of the same texts said by others, and DNSMOS.
"""

from collections import Counter, defaultdict
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import torch
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from moksori.corpus import emotiontts
from moksori.corpus.lines import SourceLine
from moksori.evaluation.lines import corpus_lines
from moksori.evaluation.voices import embed
from moksori.metrics.measures import centroid, character_errors, nearest
from moksori.metrics.models import WhisperASR, dnsmos, whisper_base
from moksori.signal import audio

_MOST = 45  # recordings of a voice that are judged


class Judged(NamedTuple):
    """A recording, and what is heard in it."""

    text: str
    errors: int
    letters: int
    dnsmos: float


def main(corpus: Path, least: int = 10, judge: bool = False) -> None:
    """Measure every recording that no mean is made of, of voices with `least` such recordings."""
    torch.set_num_threads(1)
    _, real = corpus_lines(corpus, [], 0, 0)
    heard: dict[str, dict[Path, np.ndarray]] = defaultdict(dict)
    lines = [line for line in emotiontts.read(corpus) if line.audio and not line.problem]
    lines = [line for line in lines if line.speaker in real]
    for line in track(lines, "listening"):
        heard[line.speaker][line.audio] = embed(audio.read(line.audio))
    means = {name: centroid([heard[name][path] for path in v.fit]) for name, v in real.items()}
    judged = _judge(lines) if judge else {}
    table = Table("voice", "recordings", "named rightly", "similarity", "taken for", "most alike",
                  *(("CER", "same texts by others", "DNSMOS") if judge else ()))  # fmt: skip
    for name, own in sorted(heard.items(), key=lambda item: -len(item[1])):
        others = [who for path, who in own.items() if path not in real[name].fit]
        if len(others) < least:
            continue
        named = Counter(nearest(who, means) for who in others)
        right = named.pop(name, 0) / len(others)
        wrong = ", ".join(f"{other} {count}" for other, count in named.most_common(3))
        alike = max((float(means[name] @ means[other]), other) for other in means if other != name)
        table.add_row(
            name, str(len(others)), f"{right:.0%}",
            f"{np.mean([means[name] @ who for who in others]):.3f}", wrong,
            f"{alike[1]} {alike[0]:.3f}", *(_said(name, judged) if judge else ()),
        )  # fmt: skip
    Console(width=120).print(table)


def _judge(lines: list[SourceLine]) -> dict[str, list[Judged]]:
    """At most `_MOST` recordings of each voice, by its name."""
    with TemporaryDirectory() as folder:
        asr = WhisperASR(whisper_base(Path(folder)), 1)
    judged: dict[str, list[Judged]] = defaultdict(list)
    for line in track(Random(0).sample(lines, len(lines)), "judging"):
        if len(judged[line.speaker]) < _MOST:
            take = audio.read(line.audio)
            said = asr.transcribe(take.mono, take.sample_rate)
            errors = character_errors(line.text, said)
            sound = dnsmos(take.mono, take.sample_rate).overall
            judged[line.speaker].append(Judged(line.text, *errors, sound))
    return judged


def _said(name: str, judged: dict[str, list[Judged]]) -> tuple[str, str, str]:
    """A voice's CER, that of the texts that others said too, by it and by them, and its DNSMOS."""
    own = judged[name]
    others: dict[str, list[float]] = defaultdict(list)
    for other, rows in judged.items():
        for row in rows if other != name else ():
            others[row.text].append(row.errors / row.letters)
    shared = [row for row in own if row.text in others]
    letters = sum(row.letters for row in shared)
    theirs = sum(np.mean(others[row.text]) * row.letters for row in shared)
    ours = sum(row.errors for row in shared)
    beside = f"{theirs / letters:.1%} ({ours / letters:.1%} of {len(shared)})" if letters else ""
    return (
        f"{sum(row.errors for row in own) / sum(row.letters for row in own):.1%}", beside,
        f"{np.mean([row.dnsmos for row in own]):.3f}",
    )  # fmt: skip


if __name__ == "__main__":
    typer.run(main)
