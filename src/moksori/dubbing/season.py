"""A season: many episodes, each a job of its own, with one cast, one lexicon and one memory of the actors.

How an actor usually speaks is measured over the takes of all episodes, once, and kept in OUT/.moksori, so
that a line said louder or higher than usual is so in every episode, and a new one changes none of the old.
"""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from moksori.dubbing.actors import give_actors, season_actors
from moksori.dubbing.check import Checked, check, keep_preflight, restored, with_effort_notes
from moksori.dubbing.deliver.retakes import to_look_at
from moksori.dubbing.deliver.sheets import Cell, Sheet
from moksori.dubbing.episodes import Episode
from moksori.dubbing.job import dub
from moksori.dubbing.plan.memory import Memory
from moksori.dubbing.progress import Cancelled, Watch
from moksori.dubbing.request import Request, load_job
from moksori.dubbing.review import Review
from moksori.dubbing.season_folder import (
    check_name,
    check_season,
    job_folder,
    keep_name,
    put_summary,
)
from moksori.dubbing.store import check_folder
from moksori.dubbing.task import Setup, Task
from moksori.dubbing.work.engines import Engine, Outcome
from moksori.errors import MoksoriError
from moksori.messages import Lang, Message, message, say
from moksori.signal.speaker import SourceSpeaker

State = Literal["done", "checked", "faulty", "error", "cancelled"]
_COLUMNS = {  # code of the header: width
    "episode": 16, "state": 14, "lines": 10, "converted": 10, "passed": 12, "failed": 10, "look": 12,
    "folder": 30, "why": 80,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What became of an episode.

    Attributes:
        episode: of the table.
        out: the folder of its job.
        state: `done`; `checked` where nothing else was asked; `faulty` where the check found faults, which
            its preflight.xlsx lists; `error` where it could not even be checked; `cancelled`.
        lines: of its script.
        converted: of them.
        passed: of them, as recorded.
        failed: of them, with those that the job continued without.
        look: at how many a person should look.
        why: what is wrong, if something is.
        kept_aside: where files went that somebody had changed since the last delivery.
        changed: the actors whose lines were converted again, since the season knows them otherwise than the
            job did.
    """

    episode: Episode
    out: Path
    state: State
    lines: int = 0
    converted: int = 0
    passed: int = 0
    failed: int = 0
    look: int = 0
    why: Message | None = None
    kept_aside: tuple[Path, ...] = ()
    changed: tuple[str, ...] = ()

    def cells(self, lang: Lang) -> list[Cell]:
        """A row of the summary."""
        state = say(f"season.state.{self.state}", lang)
        return [
            self.episode.name, state, self.lines, self.converted, self.passed, self.failed, self.look,
            str(self.out), self.why.say(lang) if self.why else "",
        ]  # fmt: skip


class CheckedEpisode(NamedTuple):
    """An episode whose script and recordings have been checked."""

    asked: Mapping[str, Any]  # by the names of `JobFile`
    request: Request
    checked: Checked
    restored: Message | None  # what of its job's state was damaged and put right


def dub_season(
    episodes: Sequence[Episode],
    asked: Mapping[str, Any],
    out: Path,
    engine: Callable[[Setup], Engine],
    watch: Watch | None = None,
    *,
    only_check: bool = False,
    skip_faulty: bool = False,
    retry_failed: bool = False,
    notify: Callable[[Episode, int, CheckedEpisode], None] = lambda episode, number, found: None,
) -> list[Standing]:
    """Check all episodes, then dub each whose script and recordings are as they should be.

    An episode that cannot be dubbed keeps none of the others from it. The same call resumes.

    Args:
        episodes: of the table.
        asked: what all jobs have in common, as `JobFile` has it: cast, lexicon, loudness …
        out: a folder for each episode's job is made in it.
        engine: makes the workers, which all jobs share; only called if there is work.
        watch: is notified of each step, and may cancel.
        only_check: convert nothing.
        skip_faulty: continue without the lines that the check finds faulty.
        retry_failed: as `job.dub`.
        notify: called before each episode is dubbed, with its number from 1 and what the check gave.

    Raises:
        OutputError: as `check_season`; the disk is full.
    """
    check_season(out)
    watch, memory = watch or Watch(), Memory()
    checked_episodes, standings = dict[Episode, CheckedEpisode](), dict[Episode, Standing]()
    workers = _Shared(engine)
    folders = {episode: job_folder(out, episode) for episode in episodes}
    try:
        for episode, folder in folders.items():
            try:
                checked_episodes[episode] = _check(episode, asked, folder, watch, memory)
            except MoksoriError as error:
                standings[episode] = Standing(
                    episode=episode, out=folder, state="error", why=error.message
                )
        checked = {episode.name: one.checked for episode, one in checked_episodes.items()}
        actors = season_actors(checked, out, keep=not only_check)
        for number, (episode, folder) in enumerate(folders.items(), 1):
            if one := checked_episodes.get(episode):
                one = one._replace(checked=with_effort_notes(one.checked, actors))
                notify(episode, number, one)
                standings[episode] = _dub(
                    episode, one, folder, actors, workers, watch,
                    only_check=only_check, skip_faulty=skip_faulty, retry_failed=retry_failed,
                )  # fmt: skip
    except Cancelled:
        pass
    finally:
        workers.end()
    for episode, folder in folders.items():
        cancelled = Standing(episode=episode, out=folder, state="cancelled")
        standings.setdefault(episode, cancelled)
    return [standings[episode] for episode in episodes]


def save_summary(
    out: Path, standings: Sequence[Standing], lang: Lang, date: datetime
) -> list[Path]:
    """Write what became of all episodes to an .xlsx in the season's folder.

    Returns:
        As `put_summary`.

    Raises:
        OutputError: as `put_summary`.
    """
    sheet = Sheet(
        title=say("season.title", lang), headers=headers(lang),
        rows=[standing.cells(lang) for standing in standings], widths=[*_COLUMNS.values()],
    )  # fmt: skip
    return put_summary(out, sheet, date)


def headers(lang: Lang) -> list[str]:
    """Of the summary's columns."""
    return [say(f"season.column.{name}", lang) for name in _COLUMNS]


def _check(
    episode: Episode, asked: Mapping[str, Any], out: Path, watch: Watch, memory: Memory
) -> CheckedEpisode:
    check_folder(out)
    check_name(out, episode)
    damaged = restored(out)
    own = {
        **asked, "script": episode.script, "audio": episode.audio, "fps": episode.fps or None,
        "start": episode.start or None, "episode": episode.sheet or None,
    }  # fmt: skip
    request = load_job(out).merged(own).request()
    return CheckedEpisode(own, request, check(request, watch, Review(out), memory), damaged)


def _dub(
    episode: Episode,
    found: CheckedEpisode,
    out: Path,
    actors: Mapping[str, tuple[SourceSpeaker, set[str]]],
    workers: "_Shared",
    watch: Watch,
    *,
    only_check: bool,
    skip_faulty: bool,
    retry_failed: bool,
) -> Standing:
    asked, request, checked, _ = found
    lines, faults = len(checked.lines), len(checked.faults)
    try:
        keep_name(out, episode)
        if only_check or (faults and not skip_faulty) or not checked.takes:
            path, aside = keep_preflight(request, checked, out, asked, look=only_check)
            why = message("cli.faults", faults=faults, path=path) if faults else None
            return Standing(
                episode=episode, out=out, state="faulty" if faults or not lines else "checked",
                lines=lines, why=why, kept_aside=(*aside,),
            )  # fmt: skip
        changed = give_actors(checked, out, actors)
        result = dub(
            request, checked, out, lambda: workers.of(request.setup), watch,
            retry_failed=retry_failed, asked=asked,
        )  # fmt: skip
    except MoksoriError as error:
        return Standing(episode=episode, out=out, state="error", lines=lines, why=error.message)
    if result.cancelled:
        raise Cancelled
    status = [row.status for row in result.rows]
    return Standing(
        episode=episode, out=out, state="done", lines=lines, converted=status.count("converted"),
        passed=status.count("passed"), failed=status.count("failed"),
        look=sum(map(to_look_at, result.rows)),
        why=next((row.error for row in result.rows if row.error), None),
        kept_aside=(*result.kept_aside,), changed=(*changed,),
    )  # fmt: skip


class _Shared:
    """Workers that outlive a job, since loading the models takes longer than many a line."""

    def __init__(self, make: Callable[[Setup], Engine]) -> None:
        self._make, self._setup = make, Setup()
        self._engine: Engine | None = None

    def of(self, setup: Setup) -> Engine:
        """Workers of this setup."""
        if self._engine is None or setup != self._setup:
            self.end()
            self._engine, self._setup = self._make(setup), setup
        return self

    def map(self, method: str, tasks: Iterable[Task]) -> Generator[Outcome, None, None]:
        """As `Engine.map`."""
        assert self._engine is not None
        return self._engine.map(method, tasks)

    def close(self) -> None:
        """Nothing: the next job needs them."""

    def end(self) -> None:
        """End them."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None
