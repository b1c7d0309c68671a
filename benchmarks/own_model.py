"""A studio's script and takes, made of the corpus: to train a model of one's own, as docs/own-model.md says.

    python benchmarks/own_model.py ../shared/corpus/emotiontts STUDIO --minutes 10 [--speakers 10]

STUDIO/script.xlsx     파일, 성우, 대사: training lines of the speakers with the most recordings
STUDIO/takes/          their recordings, as links

The speakers share the minutes as evenly as their recordings allow. Who is left out (`--without lmy`) can be
enrolled afterwards, as a voice that the model has never heard. Nothing of it may be committed.
"""

from pathlib import Path
from typing import Annotated

import openpyxl
import soundfile
import typer

from moksori.corpus import emotiontts
from moksori.corpus.lines import SourceLine


def main(
    corpus: Path,
    studio: Path,
    minutes: float = 60.0,
    speakers: int = 10,
    without: Annotated[list[str], typer.Option()] = [],  # noqa: B006
) -> None:
    """Write a script and its takes."""
    lines: dict[str, list[tuple[SourceLine, float]]] = {}
    for line in emotiontts.read(corpus):
        if line.audio and not line.problem and line.split == "train":
            length = soundfile.info(line.audio).duration / 60
            lines.setdefault(line.speaker, []).append((line, length))
    have = {name: sum(length for _, length in found) for name, found in lines.items()}
    if unknown := sorted(set(without) - set(have)):
        raise typer.BadParameter(
            f"no speaker {unknown[0]} in {corpus}; there are {', '.join(have)}"
        )
    actors = sorted(set(have) - set(without), key=lambda name: (-have[name], name))[:speakers]
    share = _even_share([have[name] for name in actors], minutes)
    (studio / "takes").mkdir(parents=True)
    book = openpyxl.Workbook()
    book.active.append(["파일", "성우", "대사"])
    for name in actors:
        taken = 0.0
        for line, length in lines[name]:
            if taken >= share:
                break
            taken += length
            (studio / "takes" / line.audio.name).symlink_to(line.audio.resolve())
            book.active.append([line.audio.name, name, line.text])
        print(f"{name}: {taken:.1f} of {have[name]:.1f} minutes")
    book.save(studio / "script.xlsx")


def _even_share(have: list[float], wanted: float) -> float:
    """The most that anyone gives, so that all together give `wanted`, or all that there is."""
    left = wanted
    for done, most in enumerate(sorted(have)):
        share = left / (len(have) - done)
        if most >= share:
            return share
        left -= most
    return max(have)


if __name__ == "__main__":
    typer.run(main)
