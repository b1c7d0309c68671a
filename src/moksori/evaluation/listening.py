"""A blind listening test in one HTML file, and what its listeners' answers say.

The page holds the sounds of one or several evaluations of the same lines. It asks which of two sounds better
(A/B) and how natural each one sounds (MOS, 1 to 5, after ITU-T P.800), in an order of its own for each
listener, without saying which system made what, and only goes on once each sound was heard. It works without
a network, keeps the answers in the browser until they are cleared, and gives them as a CSV.
"""

import base64
import csv
import hashlib
import io
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from jinja2 import Environment

from moksori.errors import CorpusError
from moksori.evaluation.job import read_results
from moksori.evaluation.judge import Row
from moksori.files import read_csv
from moksori.messages import Lang
from moksori.metrics.measures import Interval, interval
from moksori.signal import audio, levels
from moksori.writing import atomic_write

RECORDING = "recording"  # the system that is no system: the actor's own sound
COLUMNS = ("listener", "part", "question", "id", "voice", "first", "second", "answer")


class Trial(NamedTuple):
    """A line in a voice, as each system converted it."""

    id: str
    voice: str
    text: str
    recording: Path
    sounds: dict[str, Path]  # by system


def trials(evaluations: Mapping[str, Path], most: int) -> list[Trial]:
    """The lines that all evaluations have converted, evenly over the list.

    Args:
        evaluations: folder of `moksori evaluate`, by the system's name.
        most: lines at most.

    Raises:
        CorpusError: a folder without an evaluation; evaluations without a line in common; one whose name
            is that of the recordings.
    """
    if RECORDING in evaluations:
        raise CorpusError.of("listen.reserved", name=RECORDING)
    rows: dict[str, dict[tuple[str, str], Row]] = {}
    for name, folder in evaluations.items():
        found = [row for row in read_results(folder / "results.csv") if not row["problem"]]
        if not found:
            raise CorpusError.of("listen.no_evaluation", folder=folder)
        rows[name] = {(row["id"], row["voice"]): row for row in found}
    first = next(iter(rows.values()))
    common = [key for key in first if all(key in other for other in rows.values())]
    if not common:
        raise CorpusError.of(
            "listen.none_common", folders=", ".join(map(str, evaluations.values()))
        )
    places = np.linspace(0, len(common) - 1, min(most, len(common))).round().astype(int)
    return [
        Trial(
            id=key[0], voice=key[1], text=first[key]["text"],
            recording=Path(first[key]["recording"]),
            sounds={name: evaluations[name] / rows[name][key]["converted"] for name in rows},
        )
        for key in (common[i] for i in places)
    ]  # fmt: skip


def write_page(found: Sequence[Trial], path: Path, title: str, lang: Lang) -> None:
    """Write the page, sounds and all; about 200 kB a sound.

    Raises:
        AudioError: a sound that cannot be read.
    """
    systems = [*found[0].sounds, RECORDING]
    content = [
        {
            "id": trial.id, "voice": trial.voice, "text": trial.text,
            "sounds": [_sound(trial.sounds[s]) if s in trial.sounds else _sound(trial.recording)
                       for s in systems],
        }
        for trial in found
    ]  # fmt: skip
    text = files("moksori.evaluation").joinpath("listening.html.j2").read_text(encoding="utf-8")
    key = hashlib.sha256(json.dumps([systems, content]).encode()).hexdigest()[:16]  # of its answers
    data = json.dumps({"key": key, "systems": systems, "trials": content, "columns": COLUMNS})
    page = Environment(autoescape=True).from_string(text)
    atomic_write(path, page.render(title=title, lang=lang, data=data.replace("<", "\\u003c")))


def _sound(path: Path) -> str:
    """A sound as a data address: FLAC, one channel, as loud as all others."""
    recording = audio.read(path)
    wave = recording.mono * levels.gain_to(recording.mono, recording.sample_rate, -23.0)
    content = io.BytesIO()
    wave = levels.fit_peak(wave)[0]
    soundfile.write(content, wave, recording.sample_rate, format="FLAC", subtype="PCM_16")
    return "data:audio/flac;base64," + base64.b64encode(content.getvalue()).decode()


class Verdict(NamedTuple):
    """What the listeners say of a system, or of one against another."""

    part: str  # ab or mos
    question: str
    systems: tuple[str, ...]  # one, or the preferred and the other
    answers: int
    value: Interval  # mean score, or share that prefers the first; of ties half


def verdicts(answers: Sequence[Path]) -> list[Verdict]:
    """Read the listeners' CSVs.

    Raises:
        CorpusError: a file that is none of the page's.
    """
    scores: dict[tuple[str, str], list[float]] = defaultdict(list)
    preferred: dict[tuple[str, tuple[str, ...]], list[float]] = defaultdict(list)
    for path in answers:
        rows = read_csv(path, CorpusError)
        if missing := set(COLUMNS) - set(rows.fieldnames or ()):
            raise CorpusError.of("listen.no_column", file=path, name=sorted(missing)[0])
        for row in rows:
            _count(row, path, rows, scores, preferred)
    found = [
        Verdict("mos", question, (system,), len(values), _mean(values))
        for (question, system), values in sorted(scores.items())
    ]
    return found + [
        Verdict("ab", question, pair, len(values), _mean(values))
        for (question, pair), values in sorted(preferred.items())
    ]


def _count(
    row: dict[str, str], path: Path, rows: "csv.DictReader[str]",
    scores: dict[tuple[str, str], list[float]],
    preferred: dict[tuple[str, tuple[str, ...]], list[float]],
) -> None:  # fmt: skip
    pair = tuple(sorted((row["first"], row["second"])))
    sides = {row["first"]: "first", row["second"]: "second"}
    if row["part"] == "mos" and row["answer"] in {*"12345"}:
        scores[row["question"], row["first"]].append(float(row["answer"]))
    elif row["part"] == "ab" and row["answer"] in ("first", "second", "same"):
        won = 0.5 if row["answer"] == "same" else float(sides[pair[0]] == row["answer"])
        preferred[row["question"], pair].append(won)
    else:
        raise CorpusError.of("listen.no_answer", file=path, row=rows.line_num, answer=row["answer"])


def _mean(values: list[float]) -> Interval:
    return interval(np.array(values)[:, None], lambda table: float(table.mean()))
