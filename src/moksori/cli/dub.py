"""`moksori dub`: a script and its recordings in, every line in its character's voice out."""

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table
from rich.text import Text

from moksori.cli.console import err, out, print_aside, print_use, set_language, watching
from moksori.cli.job_folder import follow_language, print_pruned, print_status
from moksori.cli.options import (
    C2paOption,
    ColumnsOption,
    DeviceOption,
    EngineOption,
    EpisodeOption,
    FloorOption,
    FpsOption,
    HiddenOption,
    LangOption,
    LexiconOption,
    ModelOption,
    PacksOption,
    PurposeOption,
    RecogniserOption,
    RetryFailedOption,
    ScriptArgument,
    SkipFaultyOption,
    SpellOption,
    TitleOption,
    TrebleOption,
    VocoderOption,
    WatermarkOption,
    WorkersOption,
    is_given,
    left_out,
)
from moksori.cli.script import channel_pairs, column_pairs, print_understood
from moksori.errors import ConfigError
from moksori.messages import Lang, say
from moksori.weights import DEFAULT_VOCODER

if TYPE_CHECKING:
    from moksori.dubbing.job import Checked, Result
    from moksori.dubbing.request import Request
    from moksori.dubbing.work.engines import Engine

_SHOWN = 40  # issues on the screen; the .xlsx has all
_SHOWN_PLACES = 3  # of each


def dub(
    context: typer.Context,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help="The job's folder; naming it alone resumes the job."),
    ],
    script: Annotated[Path | None, ScriptArgument] = None,
    audio: Annotated[
        Path | None,
        typer.Option(
            "--audio",
            help="A folder with one recording per line, or one production track, which is cut by time codes.",
        ),
    ] = None,
    cast: Annotated[
        Path | None,
        typer.Option(
            "--cast",
            help="Which voice each character has; `moksori cast SCRIPT` writes a first one.",
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Only look for what would go wrong, and list it in preflight.xlsx; convert nothing.",
        ),
    ] = False,
    status: Annotated[
        bool, typer.Option("--status", help="Only show where the lines of the job stand.")
    ] = False,
    prune: Annotated[
        bool,
        typer.Option(
            help="Only make room: remove from OUT/.moksori what neither a line of the script, as it was last "
            "dubbed, nor its history, nor a mark or a change refers to; says what and how much."
        ),
    ] = False,
    retry_failed: RetryFailedOption = False,
    skip_faulty: SkipFaultyOption = False,
    fps: FpsOption = None,
    start: Annotated[
        str | None,
        typer.Option(
            help="Time code at which reel and track begin; by default the track's own time reference, else "
            "the hour of the first line."
        ),
    ] = None,
    times: Annotated[
        Path | None,
        typer.Option(
            help="Where the lines are, if the script does not say: an .edl (with --fps), an .otio, a .txt of "
            "Pro Tools, or subtitles. Their clips, markers or cues need the name of a line's recording, its "
            "number or its text."
        ),
    ] = None,
    episode: EpisodeOption = None,
    columns: ColumnsOption = None,
    hidden: HiddenOption = False,
    pattern: Annotated[
        str | None,
        typer.Option(
            help="How the recordings are named, if the script has no column of files: '{no:04d}.wav', "
            "'{episode}/{character}_{no}'."
        ),
    ] = None,
    handles: Annotated[
        float, typer.Option(min=0, help="Seconds of a track taken before and after each line.")
    ] = 0.25,
    channels: Annotated[
        list[str] | None,
        typer.Option(
            "--channels",
            metavar="NAME=CHANNEL",
            help="Whose channel is which, on a track with a channel a character: --channels 하나=1 "
            "--channels 두나=2, by number or by name; by default by the names in the track's iXML. mix: all "
            "channels together. none: forget what was said before.",
        ),
    ] = None,
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
        Literal["korea", "netflix", "premix", "ebu", "none"],
        typer.Option(
            help="Loudness of the reel: korea, -24 LKFS; netflix, -27 LKFS; premix, as recorded and at most "
            "-6 dBTP, with the time code in the names; ebu, -23 LUFS; none, as recorded."
        ),
    ] = "korea",
    length: Annotated[
        str | None,
        typer.Option(
            help="How long the picture is, and so the reel: 00:22:30:00; by default as long as the "
            "production track, or until the last line."
        ),
    ] = None,
    stems: Annotated[
        Literal["parts", "full"],
        typer.Option(
            help="parts: a file for each stretch of a character's lines, with its time code in its name and "
            "as time reference, so that silence takes no room; full: a file a character, as long as the reel."
        ),
    ] = "parts",
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--without",
            metavar="NAME",
            help="Leave out a deliverable: lines, reel, edl, otio, reaper, aaf, markers, dapt, subtitles, "
            "timings, words, mouth, visemes, issues, retakes, report or single. May be given several times; "
            "none: write all again.",
        ),
    ] = None,
    original_language: Annotated[
        str,
        typer.Option(
            help="Which language is dubbed from, for the DAPT script: en, ja, zh-Hant; left out if not given."
        ),
    ] = "",
    lang: LangOption = "ko",
    engine: EngineOption = "local",
    workers: WorkersOption = None,
    model: ModelOption = None,
    vocoder: VocoderOption = DEFAULT_VOCODER,
    packs: PacksOption = None,
    floor: FloorOption = "room",
    treble: TrebleOption = "take",
    lexicon: LexiconOption = None,
    spell: SpellOption = False,
    recogniser: RecogniserOption = None,
    purpose: PurposeOption = None,
    title: TitleOption = None,
    c2pa: C2paOption = False,
    watermark: WatermarkOption = False,
    device: DeviceOption = "cpu",
) -> None:
    """Dub an episode: every line in its character's voice, in its place, and what to record again.

    Checks everything first. Can be stopped at any moment: `moksori dub -o OUT` alone resumes, since
    OUT/job.toml remembers the options. After a change of the script, the cast, a recording or the model only
    what changed is converted again.

    Exit code 0: all is well; 1: done, but lines failed; 2: something has to be fixed first, be it the options
    or what the check finds, with --check too; 130: stopped.

    Example: moksori cast ep01.xlsx -o cast.toml
             moksori dub ep01.xlsx --audio takes/ --cast cast.toml -o ep01/
    """
    if status or prune:
        lang = follow_language(output, lang if is_given(context, "lang") else None)
        return print_status(output, lang) if status else print_pruned(output, lang)
    from moksori.dubbing import job as jobs
    from moksori.dubbing.check import keep_preflight, restored
    from moksori.dubbing.request import load_job
    from moksori.dubbing.review import Review

    given = {key: value for key, value in context.params.items() if is_given(context, key)}
    names = ("script", "times", "audio", "cast", "fps", "start", "episode", "pattern", "handles",
             "loudness", "length", "stems", "lang", "original_language", "model", "vocoder", "packs",
             "lexicon", "spell", "floor", "treble", "hidden", "recogniser", "purpose", "title", "c2pa",
             "watermark", "device")  # fmt: skip
    asked = {name: given[name] for name in names if name in given}
    if "register" in given:
        asked["mean_f0"] = register
    if "rate" in given:
        asked["sample_rate"] = rate
    if "columns" in given:
        asked["columns"] = column_pairs(columns)
    if "channels" in given:
        asked["channels"] = channel_pairs(channels)
    if "without" in given:
        asked["without"] = left_out(without)
    file = load_job(output).merged(asked)
    set_language(file.lang)
    lang = file.lang
    if damaged := restored(output):
        err.print(damaged.say(lang), style="yellow", markup=False)
    request = file.request()
    watch, interrupted = watching()
    with interrupted:
        checked = jobs.check(request, watch, Review(output))
        print_understood(checked.content)
        _print_issues(checked, request)
        if check or (checked.faults and not skip_faulty):
            path, aside = keep_preflight(request, checked, output, asked, look=check)
            print_aside(aside, lang)
            if not check:
                raise ConfigError.of("cli.faults", faults=len(checked.faults), path=path)
            out.print(say("cli.preflight", lang, path=path), markup=False)
            raise typer.Exit(2 if checked.faults else 0)  # as without --check
        if not checked.takes:
            raise ConfigError.of("dub.none_ready", file=file.script)
        print_use(checked.converter, jobs.voices_of(checked), lang)
        result = jobs.dub(
            request, checked, output, lambda: _engine(engine, request, workers, len(checked.takes)),
            watch, retry_failed=retry_failed, asked=asked,
        )  # fmt: skip
    if result.cancelled:
        err.print(say("cli.cancelled", lang, out=output), style="yellow", markup=False)
        raise typer.Exit(130)
    print_aside(result.kept_aside, lang)
    _print_rows(result, output, lang)
    raise typer.Exit(1 if any(row.status == "failed" for row in result.rows) else 0)


def _engine(name: str, request: "Request", workers: int | None, lines: int) -> "Engine":
    from moksori.dubbing.work.cluster import RayEngine
    from moksori.dubbing.work.engines import LocalEngine

    if name == "ray":
        return RayEngine(request.setup, workers)
    return LocalEngine(request.setup, min(workers or os.cpu_count() or 1, lines))


def _print_issues(checked: "Checked", request: "Request") -> None:
    from moksori.dubbing.plan.issues import entries
    from moksori.timecode import format_timecode

    where = format_timecode(checked.origin, checked.frame_rate)
    ready = say("cli.ready", request.lang, lines=len(checked.takes), start=where)
    out.print(ready, markup=False)
    if not checked.issues:
        return
    table = Table("", say("cli.place", request.lang), say("cli.issue", request.lang))
    styles = {"error": "red", "warning": "yellow", "note": "dim"}
    alike = entries(checked.issues)
    for entry in alike[:_SHOWN]:  # a Text's brackets are no markup
        issue, where = entry.issue, entry.say_places(request.lang, _SHOWN_PLACES)
        table.add_row(
            issue.say_severity(request.lang), Text(where), Text(issue.say(request.lang)),
            style=styles[issue.severity],
        )  # fmt: skip
    err.print(table)
    if len(alike) > _SHOWN:
        err.print(say("cli.more", request.lang, more=len(alike) - _SHOWN), markup=False)


def _print_rows(result: "Result", output: Path, lang: "Lang") -> None:
    from moksori.dubbing.deliver.retakes import to_look_at

    rows = result.rows
    for row in rows:
        if row.status == "failed":
            why = row.error.say(lang) if row.error else ""
            err.print(f"{row.take.line.place.say(lang)}: {why}", style="red", markup=False)
    counts = Counter(row.status for row in rows)
    summary = say(
        "cli.done", lang, out=output, new=result.new, stayed=result.stayed,
        converted=counts["converted"], passed=counts["passed"], failed=counts["failed"],
        look=sum(map(to_look_at, rows)),
    )  # fmt: skip
    out.print(summary, markup=False)
