"""Cotatron's attention beside the parallel aligner, on the test split. Prints the table of docs/figures.md.

    python benchmarks/aligners.py ../shared/corpus/emotiontts RUN/model

RUN/model: a Cotatron that `moksori train cotatron` made. Each test line is aligned with its own text by the
attention (teacher-forced; as the decoder attends, and in the text's order) and by the Cotatron's parallel
aligner. Orderly: no frame's likeliest phone comes before the last frame's, among spoken phones; to a phone:
by no more than one. Apart: how far its phones begin from where the parallel aligner has them.
"""

from pathlib import Path

import numpy as np
import torch
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from moksori.alignment.alignment import Alignment
from moksori.config import AlignerName
from moksori.conversion.checkpoint import load_cotatron
from moksori.conversion.converter import Converter
from moksori.corpus import emotiontts
from moksori.signal.features import frames_to_seconds
from moksori.text import ids
from moksori.text.symbols import SILENT_SYMBOLS

_PARTS = ("confidence", "sharpness", "diagonality", "coverage")
_ALIGNERS: dict[str, tuple[AlignerName, bool]] = {  # whose, and whether in order
    "attention": ("attention", False),
    "attention, in order": ("attention", True),
    "parallel, in order": ("parallel", True),
}


def main(corpus: Path, model: Path) -> None:
    """Align every test line both ways; print measures and how far apart the boundaries are."""
    everything = emotiontts.read(corpus)
    trained = {line.speaker for line in everything if line.split == "train"}
    lines = [line for line in everything if line.split == "test" and not line.problem]
    cotatron, card = load_cotatron(model)
    converter = Converter.from_pretrained()  # for its cutting and levelling of recordings
    found: dict[tuple[str, str], list] = {}
    back: dict[tuple[str, str], list[int]] = {}
    apart: dict[tuple[str, str], list[float]] = {}
    for line in track(lines, "aligning", console=Console(stderr=True)):
        heard = converter.align(line.audio, line.text)
        phones, mel = heard.alignment.phones, torch.from_numpy(heard.mel)[None]
        numbers = torch.tensor([ids(phones)])
        lengths = torch.tensor([len(phones)]), torch.tensor([mel.shape[1]])
        frame = frames_to_seconds(1, card.audio)
        group = "seen" if line.speaker in trained else "unseen"
        made = {}
        with torch.inference_mode():
            for name, (aligner, cotatron.in_order) in _ALIGNERS.items():
                aligned = cotatron.align(numbers, lengths[0], mel, lengths[1], aligner=aligner)
                posterior = aligned.log_alignment[0].exp().numpy()
                made[name] = Alignment(
                    weights=aligned.alignment[0].numpy(),
                    posterior=posterior,
                    phones=phones,
                    frame=frame,
                )
                measures = made[name].measures()
                sharpness = float(made[name].weights.max(1).mean())  # of A, not of the posterior
                found.setdefault((name, group), []).append(measures._replace(sharpness=sharpness))
                back.setdefault((name, group), []).append(furthest_back(made[name]))
        for name, alignment in made.items():
            distance = alignment.boundary_difference(made["parallel, in order"])
            apart.setdefault((name, group), []).append(1000 * distance)
    table = Table(
        "aligner", "speakers", "lines", "confidence", "sharpness", "diagonality", "coverage",
        "orderly", "to a phone", "apart, ms",
    )  # fmt: skip
    for (name, group), measures in sorted(found.items()):
        steps = np.array(back[name, group])
        table.add_row(
            name, group, str(len(measures)),
            *(f"{np.mean([getattr(m, part) for m in measures]):.2f}" for part in _PARTS),
            f"{(steps == 0).mean():.0%}", f"{(steps <= 1).mean():.0%}",
            f"{np.mean(apart[name, group]):.0f}",
        )  # fmt: skip
    Console(width=120).print(table)
    print(f"trained for {card.training['steps']} steps")


def furthest_back(alignment: Alignment) -> int:
    """By how many spoken phones the likeliest phone goes back at most from a frame to the next."""
    spoken = np.cumsum([phone not in SILENT_SYMBOLS for phone in alignment.phones])
    return int(-np.diff(spoken[alignment.weights.argmax(1)]).min(initial=0))


if __name__ == "__main__":
    typer.run(main)
