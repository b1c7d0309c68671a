"""A dubbing job from script and recordings to the delivery; the same call goes on with a job that was cut."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from moksori.config import Seconds
from moksori.conversion.converter import Converter
from moksori.dubbing.deliver.delivery import deliver
from moksori.dubbing.deliver.issue_list import save_issues
from moksori.dubbing.deliver.spec import DeliverySpec
from moksori.dubbing.plan.cast import read_cast
from moksori.dubbing.plan.issues import Issue
from moksori.dubbing.plan.preflight import preflight
from moksori.dubbing.plan.takes import HANDLES, find_takes
from moksori.dubbing.records import Dubbed, Role, Setup, Take, Task, read_take
from moksori.dubbing.store import Store
from moksori.dubbing.work.flags import flag
from moksori.dubbing.work.tasks import Progress, actor_means, tasks_of
from moksori.errors import ScriptError
from moksori.messages import Lang, Message, message
from moksori.script.content import ScriptContent
from moksori.script.line import Line, Place
from moksori.script.script import read_script
from moksori.signal.loudness import TARGETS
from moksori.timecode import NTSC_DROP, FrameRate, format_timecode, parse_time

if TYPE_CHECKING:
    from moksori.dubbing.work.engines import Engine

_HOUR: Seconds = 3600.0
_EARLIEST = 315_619_200  # 1980-01-02: zip files, and so .xlsx, know no earlier day


@dataclass(frozen=True)
class Request:
    """What a user asks for.

    Attributes:
        script: of the episode.
        audio: a folder with a file a line, or one production track.
        cast: who speaks whom.
        setup: model, vocoder, lexicon.
        frame_rate: of the script's time codes, and of what is handed over.
        origin: time code at which reel and track begin; the first line's hour, if that is not the first.
        episode: the only one to be dubbed, of a script with several.
        columns: of the script's table, where its headers are unusual.
        pattern: of the recordings' names.
        handles: seconds of a track before and after each line.
        register: whether lines are put at the voice's mean by their actor's mean, or each by its own.
        sample_rate: of reel and stems.
        loudness: target of the reel.
        lang: of report, retakes and preflight.
    """

    script: Path
    audio: Path
    cast: Path
    setup: Setup = field(default_factory=Setup)
    frame_rate: FrameRate | None = None
    origin: Seconds | None = None
    episode: str | None = None
    columns: Mapping[str, str] | None = None
    pattern: str | None = None
    handles: Seconds = HANDLES
    register: Literal["actor", "line"] = "actor"
    sample_rate: int = 48000
    loudness: str = "korea"
    lang: Lang = "ko"

    @property
    def date(self) -> datetime:
        """The script's, so that the same job gives the same bytes on any day."""
        seconds = max(int(self.script.stat().st_mtime), _EARLIEST)
        return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


class Checked(NamedTuple):
    """A request whose script, cast and recordings have been looked at."""

    lines: dict[str, Line]  # all of the episode, by their ids
    takes: list[Take]  # those that can be worked on
    issues: list[Issue]
    origin: Seconds
    length: Seconds  # of the reel at least
    frame_rate: FrameRate
    converter: Converter

    @property
    def faults(self) -> list[Issue]:
        return [issue for issue in self.issues if issue.severity == "error"]


def check(request: Request, progress: Progress) -> Checked:
    """Read script and cast, find the recordings, and look for everything that would go wrong.

    Raises:
        MoksoriError: the script, the cast, the recordings' folder or the model as a whole cannot be used.
    """
    cast = read_cast(request.cast)
    content = _content(request)
    lines = content.lines
    origin = _origin(lines, request.frame_rate) if request.origin is None else request.origin
    found = find_takes(
        lines, request.audio.resolve(), cast, origin, request.pattern, request.handles
    )
    converter = request.setup.converter()
    found.issues.extend(Issue("warning", "", "script", {"why": why}) for why in content.warnings)
    found = preflight(found, request.setup, converter, progress("checking"))
    ends = [take.start + take.seconds for take in found.takes if take.start is not None]
    length = max([found.length, *ends], default=0.0)
    rate = request.frame_rate or NTSC_DROP
    return Checked(found.lines, found.takes, found.issues, origin, length, rate, converter)


def dub(
    request: Request,
    checked: Checked,
    out: Path,
    engine: Callable[[], "Engine"],
    progress: Progress,
    retry_failed: bool = False,
) -> tuple[list[Dubbed], list[Path]]:
    """Convert what has changed since the last time, and hand everything over.

    Args:
        request: as `check` was given it.
        checked: what it gave; its takes are worked on.
        out: the job's folder.
        engine: makes the workers; only called if there is work.
        progress: a progress bar by its title.
        retry_failed: try lines again that failed before, though nothing has changed.

    Returns:
        What became of every line of the episode, and where changed files went, as `deliver`.

    Raises:
        OutputError: the folder is not the job's, or cannot be written to.
    """
    state = Store(out)
    try:
        takes = checked.takes
        episode = request.script.name + (f", {request.episode}" if request.episode else "")
        state.belongs_to(episode, [line.text for line in checked.lines.values()])
        digests = [read_take(take)[1] for take in progress("reading")(takes, len(takes))]
        workers = _Lazy(engine)
        try:
            registers = actor_means(request.register, takes, digests, state, workers, progress)
            tasks = tasks_of(request.setup, checked.converter, takes, digests, registers, state)
            left_out = _left_out(request, checked)
            state.plan(tasks, left_out)
            _work(tasks, state, workers, progress, retry_failed)
        finally:
            workers.close()
        errors = state.errors()
        rows = [task.dubbed(errors.get(task.key)) for task in tasks] + left_out
        places = {id: i for i, id in enumerate(checked.lines)}
        rows = flag(sorted(rows, key=lambda row: places[row.take.id]))
        spec = _spec(request, checked)
        aside = deliver(rows, checked.issues, spec, state, progress("delivering"))
        return rows, aside
    finally:
        state.close()


def keep_preflight(request: Request, checked: Checked, out: Path) -> tuple[Path, list[Path]]:
    """Write what was found to OUT/preflight.xlsx, without any work.

    Returns:
        Its path, and where changed files went, as `deliver`.

    Raises:
        OutputError: as `dub`.
    """
    state = Store(out)
    try:
        new = state.store.parent / "preflight.xlsx"
        save_issues(new, checked.issues, request.lang, request.date)
        aside = state.reserve({"preflight.xlsx": new})
        new.replace(out / "preflight.xlsx")
    finally:
        state.close()
    return out / "preflight.xlsx", aside


def _content(request: Request) -> ScriptContent:
    content = read_script(
        request.script,
        columns=request.columns,
        frame_rate=request.frame_rate,
        episode=request.episode,
    )
    episodes = list(dict.fromkeys(line.episode for line in content.lines))
    if len(episodes) > 1:
        raise ScriptError(
            f"{request.script}: holds {len(episodes)} episodes; choose one with --episode "
            f"({', '.join(episodes[:12])})"
        )
    return content


def _origin(lines: Sequence[Line], frame_rate: FrameRate | None) -> Seconds:
    """The hour of the first line: reels begin at 01:00:00:00 as often as at 00:00:00:00.

    By time codes, whose hours are not the clock's where a frame lasts 1001/30000 s.
    """
    starts = [line.start for line in lines if line.start is not None]
    first = min(starts, default=0.0)
    if frame_rate is None:
        return first // _HOUR * _HOUR
    hour = format_timecode(first, frame_rate)[:2]
    return parse_time(f"{hour}:00:00:00", frame_rate)


def _left_out(request: Request, checked: Checked) -> list[Dubbed]:
    """The lines that cannot be worked on, with what is wrong with them."""
    ready = {take.id for take in checked.takes}
    faults: dict[Place | str, list[Message]] = {}
    for issue in checked.faults:
        faults.setdefault(issue.place, []).append(message(f"issue.{issue.kind}", **issue.values))
    return [
        Dubbed(
            Take(id, line, request.audio, 0, 0, 1, None, Role()), "failed",
            error=reduce(_both, faults.get(line.place, [message("work.no_reason")])),
        )
        for id, line in checked.lines.items()
        if id not in ready
    ]  # fmt: skip


def _both(first: Message, second: Message) -> Message:
    return message("both", first=first, second=second)


class _Lazy:
    """An engine that is made when first used: workers take seconds to begin."""

    def __init__(self, make: Callable[[], "Engine"]) -> None:
        self._make = make
        self._engine: Engine | None = None

    def map(self, method: str, tasks: Iterable[Task]) -> Iterator:
        self._engine = self._engine or self._make()
        return self._engine.map(method, tasks)

    def close(self) -> None:
        if self._engine:
            self._engine.close()


def _work(
    tasks: Sequence[Task], state: Store, engine: _Lazy, progress: Progress, retry_failed: bool
) -> None:
    waiting = state.waiting(tasks, retry_failed)

    def begun() -> Iterator[Task]:
        for task in waiting:
            state.begin(task)
            yield task

    if waiting:
        outcomes = engine.map("convert", begun())
        for outcome in progress("converting")(outcomes, len(waiting)):
            state.finish(outcome.task, outcome.value or "failed", outcome.error)


def _spec(request: Request, checked: Checked) -> DeliverySpec:
    card = checked.converter.card
    return DeliverySpec(
        title=request.script.stem + (f" {request.episode}" if request.episode else ""),
        date=request.date,
        script=request.script.name,
        start_timecode=checked.origin,
        length=checked.length,
        frame_rate=checked.frame_rate,
        sample_rate=request.sample_rate,
        loudness=TARGETS[request.loudness],
        lang=request.lang,
        model=f"{card.sha256[:12]}; {card.licence}",
    )
