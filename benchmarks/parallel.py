"""Lists test lines that a target has recorded too, for `moksori evaluate` to judge beside the target's own.

    python benchmarks/parallel.py DATA pairs.csv --voice lmy --voice kih --voice ava
    moksori evaluate pairs.csv -o OUT

DATA: a corpus that `moksori prepare` wrote. Texts that a speaker has said more than once are left out, since
they differ in how they are acted.
"""

import csv
from collections import defaultdict
from pathlib import Path
from typing import Annotated

import typer
from lhotse import CutSet


def main(data: Path, pairs: Path, voice: Annotated[list[str], typer.Option()]) -> None:
    """Write one row for each test line and each of the voices that has said its text too."""
    said: dict[str, dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for cut in CutSet.from_file(data / "cuts_test.jsonl.gz").with_recording_path_prefix(
        data.resolve()
    ):
        line = cut.supervisions[0]
        said[line.text][line.speaker].append(Path(cut.recording.sources[0].source))
    with pairs.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["recording", "text", "voice", "own", "group"])
        rows = 0
        for text, takes in said.items():
            once = {speaker: paths[0] for speaker, paths in takes.items() if len(paths) == 1}
            for speaker in once:
                for target in (name for name in voice if name in once and name != speaker):
                    table.writerow([once[speaker], text, target, once[target], "parallel"])
                    rows += 1
    print(f"{rows} lines of {pairs}")


if __name__ == "__main__":
    typer.run(main)
