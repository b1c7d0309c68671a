"""Does the confidence tell right texts from wrong ones? Prints the table of docs/figures.md.

    python benchmarks/confidence.py ../shared/corpus/emotiontts [--model RUN/model]

Every line of the test split is aligned with its own text and with three other test lines' texts of the
nearest length, the hardest to tell. Texts that the pace refuses count as caught.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from moksori.conversion.converter import MIN_CONFIDENCE, Converter
from moksori.corpus import emotiontts
from moksori.errors import TextError
from moksori.signal import audio
from moksori.signal.features import frames_to_seconds
from moksori.text.pace import pace


def main(corpus: Path, model: Annotated[Path | None, typer.Option()] = None) -> None:
    """Align test lines with right and wrong texts; print how well the confidence parts them."""
    everything = emotiontts.read(corpus)
    trained = {line.speaker for line in everything if line.split == "train"}
    lines = [line for line in everything if line.split == "test" and not line.problem]
    converter = Converter.from_pretrained(model)
    right: dict[str, list[float]] = {"seen": [], "unseen": []}
    wrong, refused, paces = [], 0, []
    for line in track(lines, "aligning", console=Console(stderr=True)):
        recording = audio.read(line.audio)
        aligned = converter.align(recording, line.text).alignment
        right["seen" if line.speaker in trained else "unseen"].append(aligned.confidence)
        length = frames_to_seconds(len(aligned.weights), converter.card.audio)
        paces.append(pace(aligned.phones, length))
        others = sorted(
            {other.text for other in lines} - {line.text},
            key=lambda t: (abs(len(t) - len(line.text)), t),
        )
        for text in others[:3]:
            try:
                wrong.append(converter.align(recording, text).alignment.confidence)
            except TextError:
                refused += 1
    table = Table("texts", "number", "least", "5%", "median", "95%", "most")
    for name, values in (*right.items(), ("wrong", wrong)):
        quantiles = np.quantile(values, [0, 0.05, 0.5, 0.95, 1])
        table.add_row(name, str(len(values)), *(f"{q:.2f}" for q in quantiles))
    Console(width=90).print(table)
    print("phones a second, right texts: least {:.1f}, median {:.1f}, most {:.1f}".format(
        *np.quantile(paces, [0, 0.5, 1])))  # fmt: skip
    own = right["seen"] + right["unseen"]
    for threshold in (
        MIN_CONFIDENCE - 0.1,
        MIN_CONFIDENCE - 0.05,
        MIN_CONFIDENCE,
        MIN_CONFIDENCE + 0.05,
        MIN_CONFIDENCE + 0.1,
    ):
        caught = (np.sum(np.array(wrong) < threshold) + refused) / (len(wrong) + refused)
        mistaken = np.mean(np.array(own) < threshold)
        print(
            f"below {threshold:.2f}: {caught:.1%} of the wrong texts, {mistaken:.1%} of the right ones"
        )


if __name__ == "__main__":
    typer.run(main)
