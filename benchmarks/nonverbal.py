"""Lists sounds without words for `moksori evaluate`, and real recordings of the voices to compare with.

    python benchmarks/nonverbal.py NONVERBAL CORPUS OUT --voice lmy --voice kih
    moksori evaluate OUT/lines.csv -o OUT/report --references OUT/references

Each recording of the `test` split of NONVERBAL/splits.csv (file, set, split), to the voices in turn. Its
group is its label, the part of its name before the first underscore, or its set.
"""

import csv
from pathlib import Path
from typing import Annotated

import typer

from moksori.corpus import emotiontts
from moksori.errors import CorpusError
from moksori.files import read_csv

_REAL = 20  # recordings of a voice


def main(
    nonverbal: Path,
    corpus: Path,
    out: Path,
    voice: Annotated[list[str], typer.Option()],
    every: Annotated[int, typer.Option(help="Only every n-th recording.")] = 1,
) -> None:
    """Write OUT/lines.csv and OUT/references."""
    out.mkdir(parents=True, exist_ok=True)
    names = sorted(
        row["file"]
        for row in read_csv(nonverbal / "splits.csv", CorpusError)
        if row["split"] == "test"
    )
    with (out / "lines.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["recording", "text", "voice", "group"])
        for i, name in enumerate(names[::every]):
            label = (
                Path(name).name.split("_")[0] if "_" in Path(name).name else Path(name).parent.name
            )
            recording = (nonverbal / name).resolve()
            writer.writerow([recording, f"({label})", voice[i % len(voice)], label])
    for line in emotiontts.read(corpus):
        home = out / "references" / line.speaker
        if line.split != "train" or line.audio is None:
            continue
        home.mkdir(parents=True, exist_ok=True)
        link = home / line.audio.name
        if len([*home.iterdir()]) < _REAL and not link.exists():
            link.symlink_to(line.audio.resolve())


if __name__ == "__main__":
    typer.run(main)
