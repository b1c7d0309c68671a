"""What enrolment learns from one minute and from two: folders to enrol, and lines for `moksori evaluate`.

    python benchmarks/enrolment.py ../shared/corpus/emotiontts OUT
    for voice in pfb1 pfb2 pmc1 pmc2; do
      moksori enroll $voice OUT/$voice --consent examples/consent.toml --packs OUT/packs; done
    moksori evaluate OUT/lines.csv -o OUT/report --references OUT/references --packs OUT/packs

pfb and pmc are the two whom the bundled model has never heard. References are six lines of theirs that
nothing was learnt from, and four lines of each of 20 other speakers. Nothing of it may be committed.
"""

import csv
from pathlib import Path
from typing import Annotated

import soundfile
import typer

from moksori.corpus import emotiontts
from moksori.corpus.lines import SourceLine

_REFERENCES = 6


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
    rows = []
    for name in voice:
        lines = by_speaker[name]
        _link(lines[-_REFERENCES:], output / "references" / name)
        for wanted in minutes:
            own = f"{name}{wanted:g}"
            learnt = _first(lines[:-_REFERENCES], wanted * 60)
            _link(learnt, output / own)
            _link(lines[-_REFERENCES:], output / "references" / own)
            tests = [line for n in others for line in by_speaker[n] if line.split == "test"]
            spread = {line.speaker: line for line in tests}  # one line of each speaker
            for line in [*spread.values()][:: max(1, len(spread) // sources)][:sources]:
                rows.append((line.audio, line.text, own, f"{wanted:g} min"))
            print(f"{own}: {len(learnt)} lines")
    for name in others[:20]:
        _link(by_speaker[name][:4], output / "references" / name)
    with (output / "lines.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["recording", "text", "voice", "group"])
        table.writerows((audio.resolve(), *rest) for audio, *rest in rows)


def _first(lines: list[SourceLine], seconds: float) -> list[SourceLine]:
    taken, total = [], 0.0
    for line in lines:
        if total >= seconds:
            break
        taken.append(line)
        total += soundfile.info(line.audio).duration
    return taken


def _link(lines: list[SourceLine], folder: Path) -> None:
    folder.mkdir(parents=True)
    for line in lines:
        (folder / line.audio.name).symlink_to(line.audio.resolve())
        (folder / f"{line.audio.stem}.txt").write_text(line.text + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
