"""`moksori dub`: a script and its recordings in, every line in its character's voice out."""

import logging
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table
from rich.text import Text

from moksori.cli.cast import (
    ColumnsOption,
    EpisodeOption,
    FpsOption,
    ScriptArgument,
    column_pairs,
)
from moksori.cli.console import err, out, progress
from moksori.cli.convert import ModelOption, PacksOption, VocoderOption, print_licence
from moksori.cli.text import LexiconOption, SpellOption
from moksori.errors import ConfigError
from moksori.weights import DEFAULT_VOCODER

if TYPE_CHECKING:
    from moksori.dubbing.job import Checked, Request
    from moksori.dubbing.records import Dubbed
    from moksori.dubbing.work.engines import Engine
    from moksori.messages import Lang

_SHOWN = 40  # issues on the screen; the .xlsx has all


def dub(
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The job's folder; name it again to go on.")
    ],
    script: Annotated[Path | None, ScriptArgument] = None,
    audio: Annotated[
        Path | None,
        typer.Option(
            "--audio",
            help="A folder with a recording a line, or one production track that is cut by time codes.",
        ),
    ] = None,
    cast: Annotated[
        Path | None,
        typer.Option("--cast", help="Who speaks whom; `moksori cast SCRIPT` writes a first one."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only look for what would go wrong; convert nothing.")
    ] = False,
    status: Annotated[
        bool, typer.Option("--status", help="Only show where the lines of the job stand.")
    ] = False,
    retry_failed: Annotated[
        bool,
        typer.Option("--retry-failed", help="Try again what failed, though nothing has changed."),
    ] = False,
    skip_faulty: Annotated[
        bool,
        typer.Option("--skip-faulty", help="Go on without the lines that the check finds faulty."),
    ] = False,
    fps: FpsOption = None,
    start: Annotated[
        str | None,
        typer.Option(
            help="Time code at which reel and track begin; the hour of the first line by default."
        ),
    ] = None,
    episode: EpisodeOption = None,
    columns: ColumnsOption = None,
    pattern: Annotated[
        str | None,
        typer.Option(
            help="How the recordings are called, if the script has no column of files: '{no:04d}.wav', "
            "'{episode}/{character}_{no}'."
        ),
    ] = None,
    handles: Annotated[
        float, typer.Option(min=0, help="Seconds of a track taken before and after each line.")
    ] = 0.25,
    register: Annotated[
        Literal["actor", "line"],
        typer.Option(
            help="actor: a line said higher than its actor's usual stays higher; line: each line is put at "
            "the voice's usual height."
        ),
    ] = "actor",
    rate: Annotated[
        int, typer.Option(min=8000, max=192000, help="Samples a second of reel and stems.")
    ] = 48000,
    loudness: Annotated[
        Literal["korea", "netflix", "ebu", "none"],
        typer.Option(help="Loudness of the reel: -24 LKFS, -27 LKFS, -23 LUFS, or as it is."),
    ] = "korea",
    lang: Annotated[
        Literal["ko", "en"], typer.Option(help="Language of report, retakes and check.")
    ] = "ko",
    engine: Annotated[
        Literal["local", "ray"],
        typer.Option(help="Where lines are converted: on this machine, or on a Ray cluster."),
    ] = "local",
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="How many lines at a time; as many as there are cores."),
    ] = None,
    model: ModelOption = None,
    vocoder: VocoderOption = DEFAULT_VOCODER,
    packs: PacksOption = None,
    lexicon: LexiconOption = None,
    spell: SpellOption = False,
) -> None:
    """Dub an episode: every line in its character's voice, in its place, and what to record again.

    Looks through everything first. Can be killed at any moment: the same command goes on. After a change
    of the script, the cast, a recording or the model only what changed is converted again.

    Example: moksori cast ep01.xlsx -o cast.toml
             moksori dub ep01.xlsx --audio takes/ --cast cast.toml -o ep01/
    """
    if status:
        return _print_status(output)
    if not (script and audio and cast):
        raise ConfigError("name the script, its recordings (--audio) and who speaks whom (--cast)")
    from moksori.dubbing import job as jobs
    from moksori.dubbing.records import Setup
    from moksori.messages import say
    from moksori.timecode import FrameRate, parse_time

    logging.basicConfig(format="%(message)s")
    frames = FrameRate.parse(fps) if fps else None
    request = jobs.Request(
        script, audio, cast, Setup(_absolute(model), _vocoder(vocoder), _absolute(packs), _absolute(lexicon),
        spell), frames, parse_time(start, frames) if start else None, episode, column_pairs(columns), pattern,
        handles, register, rate, loudness, lang,
    )  # fmt: skip
    checked = jobs.check(request, progress)
    _print_findings(checked, request)
    if check or (checked.faults and not skip_faulty):
        path, aside = jobs.keep_preflight(request, checked, output)
        _print_aside(aside, lang)
        if not check:
            raise ConfigError(say("cli.faults", lang, faults=len(checked.faults), path=path))
        out.print(say("cli.preflight", lang, path=path), markup=False)
        raise typer.Exit(1 if checked.faults else 0)
    if not checked.takes:
        raise ConfigError(f"{script}: none of its lines can be dubbed; see the issues above")
    print_licence(checked.converter.card.licence)
    rows, aside = jobs.dub(
        request, checked, output, lambda: _engine(engine, request, workers, len(checked.takes)),
        progress, retry_failed,
    )  # fmt: skip
    _print_aside(aside, lang)
    _print_rows(rows, output, lang)
    raise typer.Exit(1 if any(row.status == "failed" for row in rows) else 0)


def _absolute(path: Path | None) -> Path | None:
    """For workers, which may begin elsewhere."""
    return path and path.absolute()


def _vocoder(name: str) -> str:
    return str(Path(name).absolute()) if Path(name).is_dir() else name


def _engine(name: str, request: "Request", workers: int | None, lines: int) -> "Engine":
    from moksori.dubbing.work.engines import LocalEngine, RayEngine

    if name == "ray":
        return RayEngine(request.setup, workers)
    return LocalEngine(request.setup, min(workers or os.cpu_count() or 1, lines))


def _print_findings(checked: "Checked", request: "Request") -> None:
    from moksori.messages import say
    from moksori.timecode import format_timecode

    where = format_timecode(checked.origin, checked.frame_rate)
    ready = say("cli.ready", request.lang, lines=len(checked.takes), start=where)
    out.print(ready, markup=False)
    if not checked.issues:
        return
    table = Table("", say("cli.place", request.lang), say("cli.issue", request.lang))
    colours = {"error": "red", "warning": "yellow", "note": "dim"}
    alike: dict[tuple, list[str]] = {}  # the same of many lines is one row here
    for found in checked.issues:
        where = found.say_place(request.lang)
        alike.setdefault(
            (found.severity, found.say_severity(request.lang), found.say(request.lang)), []
        ).append(where)
    for (severity, rank, told), places in [*alike.items()][:_SHOWN]:
        where = places[0] if len(places) == 1 else f"{places[0]} + {len(places) - 1}"
        table.add_row(
            rank, Text(where), Text(told), style=colours[severity]
        )  # brackets are no markup
    err.print(table)
    if len(alike) > _SHOWN:
        err.print(say("cli.more", request.lang, more=len(alike) - _SHOWN), markup=False)


def _print_aside(paths: list[Path], lang: "Lang") -> None:
    from moksori.messages import say

    for path in paths:
        err.print(say("cli.aside", lang, path=path), style="yellow", markup=False)


def _print_rows(rows: "list[Dubbed]", output: Path, lang: "Lang") -> None:
    from moksori.dubbing.deliver.retakes import to_look_at
    from moksori.messages import say

    for row in rows:
        if row.status == "failed":
            why = row.error.say(lang) if row.error else ""
            err.print(f"{row.take.line.place.say(lang)}: {why}", style="red", markup=False)
    counts = Counter(row.status for row in rows)
    told = say(
        "cli.done", lang, out=output, converted=counts["converted"], passed=counts["passed"],
        failed=counts["failed"], look=sum(map(to_look_at, rows)),
    )  # fmt: skip
    out.print(told, markup=False)


def _print_status(output: Path) -> None:
    from moksori.dubbing.store import line_states

    states = line_states(output)
    table = Table("line", "place", "character", "status", "tries", "text or error")
    for line in states:
        told = Text(line.error.say("en") if line.error else line.text)
        character = Text(line.character)
        table.add_row(line.id, str(line.place), character, line.status, str(line.tries), told)
    out.print(table)
    counts = Counter(line.status for line in states)
    out.print(", ".join(f"{count} {name}" for name, count in counts.items()), markup=False)
