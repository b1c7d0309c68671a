"""`moksori evaluate`: how good conversions are, in figures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from moksori.cli import console
from moksori.cli.console import err, out, print_licence, progress
from moksori.cli.options import (
    DeviceOption,
    LangOption,
    ModelOption,
    PacksOption,
    PurposeOption,
    TitleOption,
    VocoderOption,
)
from moksori.errors import ConfigError
from moksori.extras import extra
from moksori.messages import say
from moksori.weights import DEFAULT_VOCODER

if TYPE_CHECKING:
    from moksori.evaluation.report import Summary


def evaluate(
    source: Annotated[
        Path,
        typer.Argument(
            help="A .csv with the columns recording, text, voice (and own, group, actor); or the corpus "
            "“Emotion TTS open DB”, whose test split is taken."
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder of the report; name it again to resume.")
    ],
    voice: Annotated[
        list[str] | None,
        typer.Option(
            help="Of a corpus: a voice to convert to; several times for several. lmy and kih by default."
        ),
    ] = None,
    unseen: Annotated[
        int,
        typer.Option(
            min=0, help="Of a corpus: how many lines of speakers that no training has heard."
        ),
    ] = 24,
    seen: Annotated[
        int, typer.Option(min=0, help="Of a corpus: how many lines of the other speakers.")
    ] = 24,
    references: Annotated[
        Path | None,
        typer.Option(
            help="For a .csv: folders VOICE with real recordings, to compare voices with."
        ),
    ] = None,
    asr: Annotated[
        str,
        typer.Option(
            help="The speech recognition (ASR) that counts character errors: faster-whisper's, by a model's "
            "name or folder; “base” needs no download."
        ),
    ] = "base",
    model: ModelOption = None,
    vocoder: VocoderOption = DEFAULT_VOCODER,
    packs: PacksOption = None,
    purpose: PurposeOption = None,
    title: TitleOption = None,
    device: DeviceOption = "cpu",
    lang: LangOption = None,
) -> None:
    """Convert lines and judge them: words, voice, sound and melody, beside real recordings.

    Writes results.csv (a row a line), summary.json, and index.html with players and plots. Each figure
    has its bootstrap 95% interval and is shown beside its ceiling (real recordings, or the vocoder's plain
    copy) and its floor (the unconverted source). Killed, the same command resumes.

    Example: moksori evaluate lines.csv -o report --references voices/
    """
    with extra("eval"):
        import faster_whisper  # noqa: F401
        import resemblyzer  # noqa: F401
    from moksori.conversion.consents import Usage
    from moksori.conversion.converter import Converter
    from moksori.evaluation import job, lines
    from moksori.evaluation.judge import Judge
    from moksori.evaluation.report import summarise, write_report
    from moksori.evaluation.voices import Voices
    from moksori.metrics.models import WhisperASR, whisper_base

    if source.is_dir():
        wanted, real = lines.corpus_lines(source, voice or ["lmy", "kih"], unseen, seen)
    else:
        if voice:
            raise ConfigError.of("evaluate.voice", file=source)
        wanted = lines.read_list(source)
        real = lines.read_voices(references) if references else {}
    usage = Usage(purpose, title or "")
    converter = Converter.from_pretrained(model, vocoder, packs, usage=usage, device=device)
    targets = sorted({line.voice for line in wanted})
    for licence in {
        converter.voice(name).licence for name in targets
    }:  # unknown ones are reported now
        print_licence(licence)
    run = job.describe(converter, asr, targets, real)
    job.begin(run, output)
    voices = Voices(real, output / "voices.npz")
    voices.embed(progress(say("evaluate.embedding", console.language)))
    whisper = WhisperASR(whisper_base(output / "whisper-base") if asr == "base" else asr)
    (output / "audio").mkdir(exist_ok=True)
    rows = job.evaluate(
        wanted, Judge(converter, whisper, voices, output / "audio", wanted),
        run, output, progress(say("evaluate.judging", console.language)), console.language,
    )  # fmt: skip
    figures = summarise(rows, voices)
    page = write_report(rows, figures, output, source.name, console.language)
    _print_figures(figures)
    problems = [row for row in rows if row["problem"]]
    for row in problems:
        what = say(
            "evaluate.problem",
            console.language,
            id=row["id"],
            voice=row["voice"],
            why=row["problem"],
        )
        err.print(what, style="red", markup=False)
    judged = len(rows) - len(problems)
    done = say("evaluate.done", console.language, judged=judged, lines=len(rows), page=page)
    out.print(done, markup=False)


def _print_figures(figures: list["Summary"]) -> None:
    from moksori.evaluation.report import say_group

    lang = console.language
    heads = ("figure", "group", "converted", "interval", "ceiling", "source")
    table = Table(*(say(f"evaluate.head.{head}", lang) for head in heads))
    for f in figures:
        around = f"{f.written(f.low)} – {f.written(f.high)}" if f.low == f.low else ""
        ceiling = f"{f.written(f.ceiling)} {f.say_of(lang)}".strip()
        group = say_group(f.group, lang)
        table.add_row(f.say(lang), group, f.written(f.value), around, ceiling, f.written(f.floor))
    out.print(table)
