"""A dubbing job from script and recordings to the delivery: what the command and the page both call.

check     look through script, cast and recordings, convert nothing (check.py)
dub       convert what has changed, deliver everything; the same call resumes a job that was cut
again     convert single lines again, deliver nothing
audition  one line in several voices, kept so that the job reuses it
standing  where each line stands, with what it has become so far; works on nothing
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial, reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from moksori.conversion.parts import said_of_use
from moksori.dubbing.check import Checked, check
from moksori.dubbing.deliver.delivery import deliver, delivered_lines
from moksori.dubbing.deliver.provenance import JobLedger, Proof
from moksori.dubbing.deliver.spec import DeliverySpec
from moksori.dubbing.processes import return_memory
from moksori.dubbing.progress import Cancelled, Stage, Watch
from moksori.dubbing.records import HOME, Dubbed, Role, Take
from moksori.dubbing.request import Request, remember
from moksori.dubbing.review import Review
from moksori.dubbing.store import Store
from moksori.dubbing.task import Task
from moksori.dubbing.work.flags import flag
from moksori.dubbing.work.tasks import actors_of, keep_actors, tasks_of
from moksori.errors import ConfigError, OutputError
from moksori.messages import Message, message
from moksori.signal.loudness import TARGETS

if TYPE_CHECKING:
    from moksori.dubbing.work.engines import Engine

__all__ = ["Checked", "Result", "again", "audition", "check", "dub", "standing", "voices_of"]
MOST_VOICES = 4  # of an audition


class Result(NamedTuple):
    """What became of a job."""

    rows: list[Dubbed]  # every line of the episode; of a cancelled job none
    new: int  # of them, worked on now, or other than in the last delivery; the others stayed as they were
    kept_aside: list[Path]  # where files went that somebody had changed since the last delivery
    cancelled: bool = False
    notices: tuple[Message, ...] = ()  # what else the user should know
    left_out: int = 0  # of the lines, since the check found them faulty

    @property
    def stayed(self) -> int:
        """How many of the lines are as they were."""
        return len(self.rows) - self.new - self.left_out


def dub(
    request: Request,
    checked: Checked,
    out: Path,
    engine: Callable[[], "Engine"],
    watch: Watch | None = None,
    *,
    retry_failed: bool = False,
    asked: Mapping[str, Any] | None = None,
) -> Result:
    """Convert what has changed since the last time, and deliver everything.

    Args:
        request: as `check` was given it.
        checked: what it gave; its takes are worked on.
        out: the job's folder.
        engine: makes the workers; only called if there is work.
        watch: is notified of each step, and may cancel.
        retry_failed: try lines again that failed before, though nothing has changed.
        asked: for by the user this time, as `remember` keeps it before any work, so that it can be resumed.

    Raises:
        OutputError: the folder is not the job's, or cannot be written to.
    """
    watch = watch or Watch()
    store = Store(out)
    try:
        texts = [line.text for line in checked.lines.values()]
        store.belongs_to(request.script.resolve(), request.episode or "", texts)
        if asked:
            remember(out, asked)
        proof = Proof(out, checked.converter, checked.heard, request.c2pa, request.setup.watermark)
        tasks = _tasks(request, checked, store)
        left_out = _left_out(request, checked)
        _plan(store, tasks, left_out, checked)
        waiting = store.waiting(tasks, retry_failed)
        _work(waiting, tasks, store, engine, watch, checked)
        rows = _outcomes(tasks, store)
        keys, before = {task.key for task in waiting}, {*delivered_lines(out).values()}
        new = sum(
            task.key in keys or (row.wave is not None and row.wave.name not in before)
            for task, row in zip(tasks, rows, strict=True)
        )
        rows = _reviewed(rows + left_out, store)
        places = {id: i for i, id in enumerate(checked.lines)}
        rows = flag(sorted(rows, key=lambda row: places[row.take.id]))
        steps = partial(watch.steps, Stage.DELIVERING)
        aside = deliver(rows, checked.issues, _spec(request, checked), store, steps, proof)
        notices = (store.restored,) if store.restored else ()
        return Result(rows, new, aside, notices=notices, left_out=len(left_out))
    except Cancelled:
        return Result([], 0, [], cancelled=True)
    finally:
        store.close()


def again(
    request: Request,
    checked: Checked,
    out: Path,
    engine: Callable[[], "Engine"],
    ids: Collection[str],
    watch: Watch | None = None,
) -> list[Dubbed]:
    """Convert single lines now, also those that failed before; what is delivered stays as it is.

    Args:
        request: as `check` was given it.
        checked: what it gave.
        out: the job's folder.
        engine: makes the workers.
        ids: of the lines, as `checked.takes` has them.
        watch: is notified of each step, and may cancel.

    Returns:
        What became of these lines.

    Raises:
        ConfigError: there is no such line, or it cannot be worked on.
        OutputError: as `dub`.
        Cancelled: by `watch`.
    """
    wanted, watch = {take.id for take in _of_ids(checked.takes, ids)}, watch or Watch()
    store = Store(out)
    try:
        tasks = _tasks(request, checked, store)
        _plan(store, tasks, _left_out(request, checked), checked)
        tasks = [task for task in tasks if task.take.id in wanted]
        return _converted(tasks, store, engine, watch, checked)
    finally:
        store.close()


def audition(
    request: Request,
    checked: Checked,
    out: Path,
    engine: Callable[[], "Engine"],
    id: str,
    voices: Sequence[str],
    watch: Watch | None = None,
) -> dict[str, Dubbed]:
    """One line in several voices, exactly as the job would convert it; kept, so that the job reuses it.

    Args:
        request: as `check` was given it.
        checked: what it gave.
        out: the job's folder.
        engine: makes the workers.
        id: of the line.
        voices: at most `MOST_VOICES`.
        watch: is notified of each step, and may cancel.

    Returns:
        What became of the line, by voice.

    Raises:
        ConfigError: no such line, or too many voices.
        VoiceError: no such voice.
        OutputError: as `dub`.
        Cancelled: by `watch`.
    """
    if not 0 < len(voices) <= MOST_VOICES:
        raise ConfigError.of("audition.voices", most=MOST_VOICES, given=len(voices))
    for voice in voices:
        checked.converter.voice(voice)
    (take,) = _of_ids(checked.takes, [id])
    role = take.role.model_copy(update={"as_recorded": False})
    takes = [
        replace(take, role=role.model_copy(update={"voice": voice}))
        for voice in dict.fromkeys(voices)
    ]
    if checked.heard[id].source is None:  # it was to be passed
        raise ConfigError.of("audition.as_recorded", place=take.line.place.message)
    store = Store(out)
    try:
        tasks = _tasks(request, checked, store, takes)
        rows = _converted(tasks, store, engine, watch or Watch(), checked)
        return {row.take.role.voice: row for row in rows}
    finally:
        store.close()


def standing(request: Request, checked: Checked, out: Path) -> dict[str, Dubbed | None]:
    """Where each line stands, flagged and marked; nothing is worked on.

    Args:
        request: as `check` was given it.
        checked: what it gave.
        out: the job's folder.

    Returns:
        What each line has become, by its id in the script's order; None if it waits to be converted.

    Raises:
        OutputError: as `dub`.
    """
    store = Store(out)
    try:
        tasks, left_out = _tasks(request, checked, store), _left_out(request, checked)
        _plan(store, tasks, left_out, checked)
        waiting = {task.key for task in store.waiting(tasks, retry_failed=False)}
        done = [task for task in tasks if task.key not in waiting]
        rows = {row.take.id: row for row in _reviewed(_outcomes(done, store) + left_out, store)}
    finally:
        store.close()
    flagged = flag([rows[id] for id in checked.lines if id in rows])
    return dict.fromkeys(checked.lines) | {row.take.id: row for row in flagged}


def voices_of(checked: Checked) -> set[str]:
    """The voices that a job converts to."""
    return {take.role.voice for take in checked.takes if not take.role.as_recorded}


def _plan(
    store: Store, tasks: Sequence[Task], left_out: Sequence[Dubbed], checked: Checked
) -> None:
    """Keep which lines there are, so that what is said of them can follow them."""
    store.plan(tasks, left_out)
    Review(store.out).follow(checked.lines)


def _left_out(request: Request, checked: Checked) -> list[Dubbed]:
    """The lines that cannot be worked on, with what is wrong with them."""
    ready = {take.id for take in checked.takes}
    recorded = {take.id: take for take in checked.recorded}
    return [
        Dubbed(
            take=recorded.get(id) or Take(
                id=id, line=line, audio=request.audio, begin=0, samples=0, sample_rate=1, start=None,
                role=Role(),
            ),
            status="failed",
            error=faults_of(checked, id),
        )
        for id, line in checked.lines.items()
        if id not in ready
    ]  # fmt: skip


def faults_of(checked: Checked, id: str) -> Message:
    """What keeps a line from being worked on."""
    place = checked.lines[id].place
    own = [issue for issue in checked.faults if issue.place == place]
    of_script = [issue for issue in checked.faults if isinstance(issue.place, str)]
    found = [message(f"issue.{issue.kind}", **issue.values) for issue in own or of_script[:1]]
    return reduce(_both, found or [message("work.no_reason")])


def _both(first: Message, second: Message) -> Message:
    return message("both", first=first, second=second)


def _of_ids(takes: Sequence[Take], ids: Collection[str]) -> list[Take]:
    found = [take for take in takes if take.id in ids]
    if missing := [id for id in ids if id not in {take.id for take in found}]:
        raise ConfigError.of("dub.no_line", line=missing[0])
    return found


def _tasks(
    request: Request, checked: Checked, store: Store, takes: Sequence[Take] | None = None
) -> list[Task]:
    """Of all takes, or of these; what is known of the actors is of all in either case."""
    checked.memory.keep(store.out / HOME)
    actors = actors_of(
        request.mean_f0,
        checked.takes,
        checked.heard,
        store,
        checked.converter,
        checked.cast.mean_f0,
    )
    wanted = checked.takes if takes is None else takes
    return tasks_of(request.setup, checked.converter, wanted, checked.heard, actors, store)


def _converted(
    tasks: Sequence[Task],
    store: Store,
    engine: Callable[[], "Engine"],
    watch: Watch,
    checked: Checked,
) -> list[Dubbed]:
    """These tasks worked on now, also those that failed before."""
    _work(store.waiting(tasks, retry_failed=True), tasks, store, engine, watch, checked)
    return _reviewed(_outcomes(tasks, store), store)


def _outcomes(tasks: Sequence[Task], store: Store) -> list[Dubbed]:
    """What became of tasks; it is kept as a version of each line."""
    errors = store.errors()
    Review(store.out).keep_versions(task for task in tasks if task.key not in errors)
    return [task.dubbed(errors.get(task.key)) for task in tasks]


def _reviewed(rows: Sequence[Dubbed], store: Store) -> list[Dubbed]:
    """The same rows with what the director said of them."""
    marks = Review(store.out).marks()
    return [replace(row, mark=marks.get(row.take.id)) for row in rows]


def _work(
    waiting: Sequence[Task],
    tasks: Sequence[Task],
    store: Store,
    engine: Callable[[], "Engine"],
    watch: Watch,
    checked: Checked,
) -> None:
    """Convert what is waiting; workers take seconds to begin, so none do if nothing is.

    Raises:
        OutputError: the job's folder cannot be written to; what was done so far is kept.
    """

    def begun() -> Iterable[Task]:
        for task in waiting:
            watch.check()
            store.begin(task)
            yield task

    ledger, left = JobLedger(store.out, checked.converter), {task.key for task in waiting}
    ledger.complete(task for task in tasks if task.key not in left)
    if not waiting:
        return
    taken = [task.take for task in waiting]
    keep_actors(taken, checked.takes, checked.heard, store, checked.converter)
    return_memory()  # what the check has freed
    workers = engine()
    try:
        with closing(workers.map("convert", begun())) as outcomes:
            for outcome in watch.steps(Stage.CONVERTING, outcomes, len(waiting)):
                if outcome.of_folder and outcome.error:
                    raise OutputError(outcome.error)
                store.finish(outcome.task, outcome.value or "failed", outcome.error)
                ledger.note(outcome.task, outcome.value or "failed", outcome.error)
    finally:
        workers.close()
        return_memory()


def _spec(request: Request, checked: Checked) -> DeliverySpec:
    return DeliverySpec(
        title=request.script.stem + (f" {request.episode}" if request.episode else ""),
        date=request.date,
        script=request.script.name,
        start_timecode=checked.origin,
        length=checked.length,
        frame_rate=checked.frame_rate,
        sample_rate=request.sample_rate,
        loudness=TARGETS[request.loudness],
        stems=request.stems,
        lang=request.lang,
        language=checked.converter.front_end.code,
        original_language=request.original_language,
        proof=("c2pa",) * request.c2pa + ("watermark",) * request.setup.watermark,
        terms=tuple(said_of_use(checked.converter, voices_of(checked))),
        without=request.without,
    )
