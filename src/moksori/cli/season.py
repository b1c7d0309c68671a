"""`moksori season`: many episodes with one cast, one lexicon and one memory of the actors."""

import os
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from moksori.cli.console import err, out, print_aside, print_use, set_language, watching
from moksori.cli.options import (
    C2paOption,
    ColumnsOption,
    DeviceOption,
    EngineOption,
    FloorOption,
    HiddenOption,
    LangOption,
    LexiconOption,
    ModelOption,
    PacksOption,
    PurposeOption,
    RecogniserOption,
    RetryFailedOption,
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
from moksori.cli.script import column_pairs, print_understood
from moksori.errors import MoksoriError, OutputError
from moksori.messages import Lang, say
from moksori.weights import DEFAULT_VOCODER

if TYPE_CHECKING:
    from moksori.dubbing.episodes import Episode
    from moksori.dubbing.season import CheckedEpisode, Standing
    from moksori.dubbing.task import Setup
    from moksori.dubbing.work.engines import Engine

_LEXICON = "lexicon.tsv"
_SHOWN = 7  # columns on the screen; summary.xlsx has all
_NAMED = 12  # other episodes


def season(
    context: typer.Context,
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER",
            help="Holds season.xlsx or season.csv, a row an episode with the columns 회차, 대본, 녹음 and, "
            "where needed, fps, 시작, 시트 (or episode, script, audio, fps, start, sheet); beside it "
            "cast.toml, and lexicon.tsv if there is one. Or the table itself.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="A folder for each episode's job in it; FOLDER/dubbed by default.",
        ),
    ] = None,
    cast: Annotated[
        Path | None, typer.Option("--cast", help="Of all episodes; FOLDER/cast.toml by default.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only look for what would go wrong; convert nothing.")
    ] = False,
    retry_failed: RetryFailedOption = False,
    skip_faulty: SkipFaultyOption = False,
    loudness: Annotated[
        Literal["korea", "netflix", "ebu", "none"],
        typer.Option(help="Loudness of the reels, as for `moksori dub`."),
    ] = "korea",
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--without", metavar="NAME", help="Leave out a deliverable, as `moksori dub`."
        ),
    ] = None,
    columns: ColumnsOption = None,
    hidden: HiddenOption = False,
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
    """Dub a season: many episodes, each as `moksori dub` does, with one cast and one lexicon.

    How each actor usually speaks is measured over all episodes. An episode with faults does not stop
    the others; summary.xlsx says what became of each. Can be stopped at any moment: the same command
    resumes. Each episode's folder is a job, for `moksori dub -o` and `moksori studio`.

    Example: moksori season show/ --check
             moksori season show/
    """
    said: Lang = lang or "ko"
    set_language(said)
    from moksori.dubbing.episodes import find_table, read_episodes
    from moksori.dubbing.job import voices_of
    from moksori.dubbing.request import date_of
    from moksori.dubbing.season import dub_season, save_summary
    from moksori.dubbing.season_folder import SUMMARY, others
    from moksori.dubbing.work.cluster import RayEngine
    from moksori.dubbing.work.engines import LocalEngine

    table = find_table(folder)
    date = date_of(table)  # before it is changed, or renamed
    episodes = read_episodes(table)
    place = output or table.parent / "dubbed"
    beside = table.parent / _LEXICON
    asked: dict[str, object] = {
        "cast": cast or table.parent / "cast.toml", "loudness": loudness, "lang": said, "model": model,
        "vocoder": vocoder, "packs": packs, "floor": floor, "treble": treble, "spell": spell,
        "purpose": purpose, "title": title, "device": device, "without": left_out(without),
        "lexicon": lexicon or (beside if beside.is_file() else None),
    }  # fmt: skip
    own = {  # of each episode's job, where nothing is said of it here
        "columns": column_pairs(columns), "hidden": hidden, "recogniser": recogniser, "c2pa": c2pa,
        "watermark": watermark,
    }  # fmt: skip
    asked |= {name: value for name, value in own.items() if is_given(context, name)}
    watch, interrupted = watching()

    def begin(setup: "Setup") -> "Engine":
        if engine == "ray":
            return RayEngine(setup, workers)
        return LocalEngine(setup, workers or os.cpu_count() or 1)

    terms = set[str]()  # that were said before

    def show(episode: "Episode", number: int, found: "CheckedEpisode") -> None:
        working = say("season.working", said, number=number, all=len(episodes), name=episode.name)
        err.print(working, markup=False)
        if found.restored:
            err.print(found.restored.say(said), style="yellow", markup=False)
        print_understood(found.checked.content)
        if not check:
            with suppress(MoksoriError):  # the episode's own job tells it
                print_use(found.checked.converter, voices_of(found.checked), said, terms)

    with interrupted:
        standings = dub_season(
            episodes, asked, place, begin, watch, only_check=check, skip_faulty=skip_faulty,
            retry_failed=retry_failed, notify=show,
        )  # fmt: skip
    _print_standings(standings, said)
    for standing in standings:
        print_aside(standing.kept_aside, said)
        if standing.changed:
            name, actors = standing.episode.name, ", ".join(standing.changed)
            changed = say("season.changed", said, name=name, actors=actors)
            err.print(changed, style="yellow", markup=False)
    if rest := others(place, episodes):
        names = ", ".join(rest[:_NAMED]) + " …" * (len(rest) > _NAMED)
        notice = say("season.others", said, folder=place, number=len(rest), names=names)
        err.print(notice, style="yellow", markup=False)
    is_cancelled = any(standing.state == "cancelled" for standing in standings)
    states, path = Counter(standing.state for standing in standings), place / SUMMARY
    try:
        print_aside(save_summary(place, standings, said, date), said)
    except OutputError as error:
        if not is_cancelled:
            raise
        err.print(error.say(said), style="red", markup=False)
    else:
        if check:
            seen = len(standings) - states["cancelled"]
            faulty = seen - states["checked"]
            total = say("season.summary_checked", said, seen=seen, faulty=faulty, path=path)
        else:
            done = states["done"]
            total = say("season.summary", said, done=done, all=len(standings), path=path)
        out.print(total, markup=False)
    if is_cancelled:
        raise typer.Exit(130)
    good = ("checked",) if check else ("done",)
    raise typer.Exit(1 if any(s.state not in good or s.failed for s in standings) else 0)


def _print_standings(standings: "Sequence[Standing]", lang: Lang) -> None:
    from moksori.dubbing.season import headers

    shown = Table(*headers(lang)[:_SHOWN])
    for standing in standings:
        shown.add_row(*map(str, standing.cells(lang)[:_SHOWN]))
    out.print(shown)
    for standing in standings:
        if standing.why:
            why = f"{standing.episode.name}: {standing.why.say(lang)}"
            err.print(why, style="red", markup=False)
