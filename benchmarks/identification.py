"""How often voices' own recordings are named rightly, by the measure that names conversions. Prints a table.

    python benchmarks/identification.py ../shared/corpus/emotiontts [--least 10]

As in `moksori evaluate`, a voice is the mean of Resemblyzer's embeddings of 15 of its training recordings,
and whoever is most alike is named. Here all other recordings of the voice are named so: no conversion to a
voice can be named more surely than the voice itself. `most alike` is the nearest other voice, by the means.
"""

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import torch
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from moksori.corpus import emotiontts
from moksori.evaluation.lines import corpus_lines
from moksori.evaluation.voices import embed
from moksori.metrics.measures import centroid, nearest
from moksori.signal import audio


def main(corpus: Path, least: int = 10) -> None:
    """Name every recording that no mean is made of, of voices with `least` such recordings."""
    torch.set_num_threads(1)
    _, real = corpus_lines(corpus, [], 0, 0)
    heard: dict[str, dict[Path, np.ndarray]] = defaultdict(dict)
    lines = [line for line in emotiontts.read(corpus) if line.audio and not line.problem]
    for line in track([line for line in lines if line.speaker in real], "listening"):
        heard[line.speaker][line.audio] = embed(audio.read(line.audio))
    means = {name: centroid([heard[name][path] for path in v.fit]) for name, v in real.items()}
    table = Table("voice", "recordings", "named rightly", "similarity", "taken for", "most alike")
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
            f"{alike[1]} {alike[0]:.3f}",
        )  # fmt: skip
    Console(width=100).print(table)


if __name__ == "__main__":
    typer.run(main)
