"""Are the words kept, is it the target's voice? Prints the table of docs/figures.md.

    python benchmarks/quality.py ../shared/corpus/emotiontts [--model RUN/model]

Lines of the corpus's test split, never trained on, are converted to each voice, by `Converter` as a
user would call it, from the original files. CER is whisper-base's; similarity is Resemblyzer's cosine
to the mean of the target's training lines.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from moksori import audio, features
from moksori.converter import Converter
from moksori.corpus import emotiontts
from moksori.corpus.lines import SourceLine
from moksori.evaluation.listeners import Recogniser, speaker_embedding, whisper_base
from moksori.evaluation.metrics import Melody, centroid, character_errors, melody
from moksori.pitch import f0 as pitch_of


def choose(lines: list[SourceLine], trained: set[str], unseen: int, seen: int) -> list[SourceLine]:
    """Test lines spread evenly: `unseen` of speakers without training lines, `seen` of the others."""
    test = [line for line in lines if line.split == "test" and not line.problem]
    chosen = []
    for count, group in (
        (unseen, [line for line in test if line.speaker not in trained]),
        (seen, [line for line in test if line.speaker in trained]),
    ):
        by_speaker: dict[str, list[SourceLine]] = {}
        for line in group:
            by_speaker.setdefault(line.speaker, []).append(line)
        order = sorted(by_speaker, key=lambda name: (-len(by_speaker[name]), name))
        turn = [
            by_speaker[name][i]
            for i in range(max(map(len, by_speaker.values())))
            for name in order
            if i < len(by_speaker[name])
        ]
        chosen += turn[:count]
    return chosen


def main(
    corpus: Path,
    model: Annotated[Path | None, typer.Option()] = None,
    voice: Annotated[list[str], typer.Option()] = ["lmy", "kih"],  # noqa: B006
    unseen: int = 8,
    seen: int = 8,
    recogniser: Annotated[Path, typer.Option(help="Where whisper-base is put together.")] = Path(
        "data/whisper-base"
    ),
    keep: Annotated[
        Path | None, typer.Option(help="Keep the converted lines in this folder.")
    ] = None,
    texts: Annotated[bool, typer.Option(help="Print what was heard.")] = False,
) -> None:
    """Convert test lines to each voice and print CER and similarity beside their ceilings."""
    lines = emotiontts.read(corpus)
    trained = {line.speaker for line in lines if line.split == "train"}
    sources = choose(lines, trained, unseen, seen)
    converter, ears = Converter.from_pretrained(model), Recogniser(whisper_base(recogniser))

    def embed(line: SourceLine) -> np.ndarray:
        recording = audio.read(line.audio)
        return speaker_embedding(recording.mono, recording.rate)

    def pitch(wave: np.ndarray, rate: int) -> np.ndarray:
        settings = converter.card.audio
        return pitch_of(audio.resample(wave, rate, settings.sample_rate), settings)

    def copy(recording: audio.Recording) -> tuple[np.ndarray, int]:
        settings = converter.card.audio
        wave = audio.resample(recording.mono, recording.rate, settings.sample_rate)
        with torch.inference_mode():
            mel = features.log_mel(wave, settings)
            return converter.vocoder(mel[None])[0].numpy(), settings.sample_rate

    targets, rows = {}, []
    for name in voice:
        own = [line for line in lines if line.speaker == name]
        real = [embed(line) for line in own if line.split == "train"][:40]
        targets[name] = centroid(real)
        ceiling = np.mean([targets[name] @ embed(line) for line in own if line.split == "test"])
        rows.append((f"real {name}", "", None, ceiling, None))
    results, melodies = [], []
    for line in track(sources, "converting", console=Console(stderr=True)):
        kind = "seen" if line.speaker in trained else "unseen"
        recording = audio.read(line.audio)
        heard = ears.transcribe(recording.mono, recording.rate)
        melody_before = pitch(recording.mono, recording.rate)
        melodies.append((f"{kind}, vocoder's copy", melody(melody_before, pitch(*copy(recording)))))
        errors = character_errors(line.text, heard)
        own = embed(line)
        results += [(kind, line.speaker, "recording", *errors, own @ targets[v], v) for v in voice]
        for name in voice:
            out = converter.convert(recording, line.text, name)
            wave = out.samples[:, 0]
            heard_out = ears.transcribe(wave, out.rate)
            errors = character_errors(line.text, heard_out)
            similarity = speaker_embedding(wave, out.rate) @ targets[name]
            results.append((kind, line.speaker, "converted", *errors, similarity, name))
            melodies.append((kind, melody(melody_before, pitch(wave, out.rate))))
            if texts:
                print(f"{line.id}→{name} {errors[0]}/{errors[1]} {out.alignment.confidence:.2f}\n"
                      f"  said   {line.text}\n  heard  {heard}\n  conv.  {heard_out}")  # fmt: skip
            if keep:
                keep.mkdir(parents=True, exist_ok=True)
                out.save(keep / f"{line.id}_{name}.wav")
    _print(results, rows, voice, sources)
    _print_melodies(melodies)


def _print(results: list, rows: list, voices: list[str], sources: list[SourceLine]) -> None:
    speakers = {line.speaker for line in sources}
    print(f"{len(sources)} test lines of {len(speakers)} speakers: {', '.join(sorted(speakers))}")
    table = Table(
        "source",
        "to",
        "CER recordings",
        "CER converted",
        "sim. source",
        "sim. converted",
        "sim. real",
    )
    ceilings = {row[0].removeprefix("real "): row[3] for row in rows}
    for kind in ("unseen", "seen"):
        for name in [*voices, "all"]:
            chosen = [r for r in results if r[0] == kind and name in (r[6], "all")]
            if not chosen:
                continue
            figures = {}
            for stage in ("recording", "converted"):
                part = [r for r in chosen if r[2] == stage]
                cer = sum(r[3] for r in part) / sum(r[4] for r in part)
                figures[stage] = cer, np.mean([r[5] for r in part])
            ceiling = np.mean([ceilings[v] for v in ([name] if name != "all" else voices)])
            (real_cer, real_sim), (cer, sim) = figures["recording"], figures["converted"]
            table.add_row(
                kind,
                name,
                f"{real_cer:.1%}",
                f"{cer:.1%}",
                f"{real_sim:.3f}",
                f"{sim:.3f}",
                f"{ceiling:.3f}",
            )
    Console(width=120).print(table)


def _print_melodies(melodies: list[tuple[str, Melody]]) -> None:
    table = Table("source", "lines", "F0 correlation", "F0 slips", "voicing error")
    for kind in sorted({which for which, _ in melodies}, reverse=True):
        if chosen := [values for which, values in melodies if which == kind]:
            correlation, slips, voicing = np.mean(chosen, axis=0)
            table.add_row(
                kind, str(len(chosen)), f"{correlation:.3f}", f"{slips:.1%}", f"{voicing:.1%}"
            )
    Console(width=120).print(table)


if __name__ == "__main__":
    typer.run(main)
