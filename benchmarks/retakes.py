"""How many spoiled lines the flags catch. Prints the table of docs/figures.md.

    python benchmarks/retakes.py ../shared/corpus/emotiontts [--half set|report] [--kind …] [--no-whisper]

Every line of the test split, as it is and spoiled in each of several ways, is judged as a dubbing job judges
it; `slips.csv` has the words for one-word slips. Half of the texts (by their hash) set the thresholds of
`dubbing/work/flags.py` and `conversion/slips.py`; the other half is reported.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from moksori.conversion.converter import Converter
from moksori.conversion.slips import Transcribe, whisper, worst_slip
from moksori.corpus import emotiontts
from moksori.corpus.lines import SourceLine
from moksori.dubbing.deliver.retakes import LOOK_AT, to_look_at
from moksori.dubbing.records import Dubbed, Role, Take
from moksori.dubbing.work import metrics as figures
from moksori.dubbing.work.flags import flag
from moksori.dubbing.work.long_lines import Part
from moksori.errors import CorpusError, TextError
from moksori.files import read_csv
from moksori.script.line import Line, Place
from moksori.signal import audio
from moksori.signal.audio import Recording

RIGHT, SLIP = "as it is", "one word of the text another"


def main(
    corpus: Path,
    half: Annotated[str, typer.Option(help="set, report or both")] = "report",
    kind: Annotated[
        list[str] | None, typer.Option(help="Only these ways of spoiling; by default all.")
    ] = None,
    use_whisper: Annotated[bool, typer.Option("--whisper/--no-whisper")] = True,
    raw: Annotated[Path | None, typer.Option(help="Also write all figures there.")] = None,
    model: Annotated[Path | None, typer.Option()] = None,
) -> None:
    """Spoil test lines, judge them, print what is caught."""
    chance = np.random.default_rng(0)
    lines = [line for line in emotiontts.read(corpus) if line.split == "test" and not line.problem]
    if half != "both":
        lines = [line for line in lines if _half(line.text) == half]
    texts = sorted({line.text for line in lines})
    changed = _slips(lines)
    converter = Converter.from_pretrained(model)
    caught: dict[str, list[bool]] = defaultdict(list)
    kinds: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    measured = []
    for line in track(lines, "judging", console=Console(stderr=True)):
        recording = audio.read(line.audio)
        ways = [*_spoiled(converter, recording, line.text, texts, chance)]
        ways += [(SLIP, recording, text) for text in changed[line.id, line.speaker]]
        asked: dict[int, Transcribe | None] = {}  # whisper hears a recording once
        for name, heard, text in ways:
            if kind and name not in (RIGHT, *kind):
                continue
            if use_whisper and id(heard) not in asked:
                ask = whisper(heard)
                asked[id(heard)] = ask and cache(ask)
            row = _judged(converter, heard, text, asked.get(id(heard)))
            caught[name].append(to_look_at(row))
            for found in row.flags:
                kinds[name][found.kind] += found.severity >= LOOK_AT
            said = row.slip and row.slip._asdict()
            about = {
                "kind": name,
                "id": line.id,
                "text": text,
                "listed": to_look_at(row),
                "slip": said,
            }
            measured.append({**about, **(row.metrics or {})})
    table = Table("the line", "number", "flagged", "by")
    for name, found in caught.items():
        by = ", ".join(
            f"{k} {n / len(found):.0%}"
            for k, n in sorted(kinds[name].items(), key=lambda x: -x[1])
            if n
        )
        table.add_row(name, str(len(found)), f"{np.mean(found):.1%}", by)
    Console(width=110).print(table)
    if raw:
        raw.write_text(json.dumps(measured, ensure_ascii=False))
    false = np.mean(caught.pop(RIGHT))
    recall = np.mean([np.mean(found) for found in caught.values()])
    for share in (0.5, 0.1):
        precision = share * recall / (share * recall + (1 - share) * false)
        print(f"{share:.0%} of the lines spoiled: precision {precision:.1%}, recall {recall:.1%}")


def _slips(lines: list[SourceLine]) -> dict[tuple[str, str], list[str]]:
    """By id and speaker, texts with one word changed; those of a text go round among its speakers."""
    rows = read_csv(Path(__file__).with_name("slips.csv"), CorpusError)
    pairs = [(row["said"], row["written"]) for row in rows]
    speakers: dict[str, list[SourceLine]] = defaultdict(list)
    for line in lines:
        speakers[line.text].append(line)
    changed: dict[tuple[str, str], list[str]] = defaultdict(list)
    for text, own in speakers.items():
        for k, (said, written) in enumerate(pair for pair in pairs if pair[0] in text):
            line = own[k % len(own)]
            changed[line.id, line.speaker].append(text.replace(said, written, 1))
    return changed


def _half(text: str) -> str:
    return "set" if hashlib.sha256(text.encode()).digest()[0] % 2 else "report"


def _spoiled(
    converter: Converter,
    recording: Recording,
    text: str,
    texts: list[str],
    chance: np.random.Generator,
) -> Iterator[tuple[str, Recording, str]]:
    """The line as it is and in each way that a line goes wrong."""
    yield RIGHT, recording, text
    others = [other for other in texts if other != text]
    near = sorted(others, key=lambda other: (abs(len(other) - len(text)), other))
    yield "wrong text, of like length", recording, near[0]
    yield "two lines swapped", recording, others[int(chance.integers(len(others)))]
    words = text.split()
    if len(words) >= 4:
        k = int(chance.integers(1, len(words) - 1))
        new = chance.choice(near[5].split()).strip(".,?!")
        yield "a word not said", *_without_word(converter, recording, text, chance), text
        yield "a word not written", recording, " ".join(words[:k] + words[k + 1 :])
        yield "another word said", recording, " ".join([*words[:k], new, *words[k + 1 :]])
        yield "end not written", recording, " ".join(words[:-2])
        cut = recording.samples[: round(0.7 * len(recording.samples))]
        yield "recording cut off", _like(recording, cut), text
    power = np.sqrt((recording.mono**2).mean())
    for snr in (20, 10):
        noise = chance.standard_normal(recording.samples.shape) * power * 10 ** (-snr / 20)
        yield f"noise, {snr} dB below", _like(recording, recording.samples + noise), text
    for times in (2, 4):
        peak = np.abs(recording.samples).max() / times
        clipped = np.clip(recording.samples, -peak, peak) / peak * 0.99
        yield f"clipped at 1/{times} of the peak", _like(recording, clipped), text


def _without_word(
    converter: Converter, recording: Recording, text: str, chance: np.random.Generator
) -> tuple[Recording]:
    """A recording with one inner word cut out."""
    words = converter.align(recording, text).alignment.word_intervals()
    word = words[int(chance.integers(1, len(words) - 1))]
    begin, end = (round(time * recording.sample_rate) for time in (word.begin, word.end))
    kept = np.concatenate([recording.samples[:begin], recording.samples[end:]])
    return (_like(recording, kept),)


def _like(recording: Recording, samples: np.ndarray) -> Recording:
    return Recording(samples.astype(np.float32), recording.sample_rate, recording.subtype)


def _judged(
    converter: Converter, recording: Recording, text: str, transcribe: Transcribe | None
) -> Dubbed:
    """What a job would say of a line, but for what only its conversion tells."""
    take = Take(
        id="x", line=Line(Place("row", 1), text), audio=Path(), begin=0,
        samples=len(recording.samples), sample_rate=recording.sample_rate, start=None, role=Role(),
    )  # fmt: skip
    try:
        aligned = converter.align(recording, text)
    except TextError as error:
        return flag([Dubbed(take=take, status="failed", error=error.message)])[0]
    measured = figures.of_recording(recording)
    measured |= figures.of_parts([Part(aligned.alignment, aligned.mel, np.zeros(0))])
    parts = [(aligned.mel, aligned.alignment)]
    slip = worst_slip(parts, converter.listener, converter.front_end, transcribe)
    return flag([Dubbed(take=take, status="converted", metrics=measured, slip=slip)])[0]


if __name__ == "__main__":
    typer.run(main)
