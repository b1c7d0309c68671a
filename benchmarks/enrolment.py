"""What enrolment learns from one minute, two, five: folders to enrol, and lines for `moksori evaluate`.

    python benchmarks/enrolment.py ../shared/corpus/emotiontts OUT [--voice pfb --voice pmc]
    for voice in pfb1 pfb2 pmc1 pmc2; do
      moksori enroll $voice OUT/$voice --consent examples/consent.toml --packs OUT/packs; done
    moksori evaluate OUT/lines.csv -o OUT/report --references OUT/references --packs OUT/packs

pfb and pmc are the two whom the bundled model has never heard; they have two minutes. For more, a model is
needed that was trained without a voice (`own_model.py --without lmy`, and `--model` with both commands).
Lines are learnt in an order drawn once, so that those of one minute are among those of five, and none has the
text of a line that is converted. References are eight lines of theirs that nothing was learnt from, and four
lines of each of 20 other speakers. Nothing of it may be committed.
"""

import csv
import random
from pathlib import Path
from typing import Annotated

import soundfile
import typer

from moksori.corpus import emotiontts
from moksori.corpus.lines import SourceLine

_REFERENCES = 8


def main(
    corpus: Path,
    output: Path,
    voice: Annotated[list[str], typer.Option()] = ["pfb", "pmc"],  # noqa: B006
    minutes: Annotated[list[float], typer.Option()] = [1.0, 2.0],  # noqa: B006
    sources: int = 8,
) -> None:
    """Write the folders and lists."""
    by_speaker: dict[str, list[SourceLine]] = {}
    for line in emotiontts.read(corpus):
        if line.audio and not line.problem:
            by_speaker.setdefault(line.speaker, []).append(line)
    others = [name for name in sorted(by_speaker) if name not in voice]
    tests = [line for name in others for line in by_speaker[name] if line.split == "test"]
    random.Random(0).shuffle(tests)
    heard = [*{line.text: line for line in tests}.values()][:sources]  # each a text of its own
    texts, rows = {line.text for line in heard}, []
    for name in voice:
        lines = [line for line in by_speaker[name] if line.text not in texts]
        random.Random(0).shuffle(lines)
        held, lines = lines[:_REFERENCES], lines[_REFERENCES:]
        _link(held, output / "references" / name)
        for wanted in minutes:
            own = f"{name}{wanted:g}"
            learnt = _first(lines, wanted * 60)
            if _seconds(learnt) < 0.9 * wanted * 60:
                print(f"{own}: left out, {_seconds(learnt) / 60:.1f} minutes are all there is")
                continue
            _link(learnt, output / own)
            _link(held, output / "references" / own)
            rows += [(line.audio, line.text, own, f"{wanted:g} min") for line in heard]
            print(f"{own}: {len(learnt)} lines, {_seconds(learnt) / 60:.1f} minutes")
    for name in others[:20]:
        _link(by_speaker[name][:4], output / "references" / name)
    with (output / "lines.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["recording", "text", "voice", "group"])
        table.writerows((audio.resolve(), *rest) for audio, *rest in rows)


def _first(lines: list[SourceLine], seconds: float) -> list[SourceLine]:
    taken: list[SourceLine] = []
    for line in lines:
        if _seconds(taken) >= seconds:
            break
        taken.append(line)
    return taken


def _seconds(lines: list[SourceLine]) -> float:
    return sum(soundfile.info(line.audio).duration for line in lines)


def _link(lines: list[SourceLine], folder: Path) -> None:
    folder.mkdir(parents=True)
    for line in lines:
        (folder / line.audio.name).symlink_to(line.audio.resolve())
        (folder / f"{line.audio.stem}.txt").write_text(line.text + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
