"""A dubbing job from script and recordings to the delivery: what the command and the page both call.

check     look through script, cast and recordings, convert nothing (check.py)
dub       convert what has changed, deliver everything; the same call resumes a job that was cut
again     convert single lines again, deliver nothing
audition  one line in several voices, kept so that the job reuses it
standing  where each line stands, with what it has become so far; works on nothing
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from moksori.conversion.parts import said_of_use
from moksori.dubbing.check import Checked, check
from moksori.dubbing.deliver.delivery import deliver, delivered_lines
from moksori.dubbing.deliver.provenance import Proof
from moksori.dubbing.deliver.spec import DeliverySpec
from moksori.dubbing.progress import Cancelled, Stage, Watch
from moksori.dubbing.records import Dubbed
from moksori.dubbing.request import Request, remember
from moksori.dubbing.steps import (
    converted,
    keep_lines,
    left_out,
    of_ids,
    outcomes,
    reviewed,
    tasks_of_job,
    voices_of,
    work,
)
from moksori.dubbing.store import Store
from moksori.dubbing.work.flags import flag
from moksori.errors import ConfigError
from moksori.messages import Message
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
        store.set_owner(request.script.resolve(), request.episode or "", texts)
        if asked:
            remember(out, asked)
        proof = Proof(out, checked.converter, checked.heard, request.c2pa, request.setup.watermark)
        tasks = tasks_of_job(request, checked, store)
        faulty = left_out(request, checked)
        keep_lines(store, tasks, faulty, checked)
        waiting = store.waiting(tasks, retry_failed)
        work(waiting, tasks, store, engine, watch, checked)
        rows = outcomes(tasks, store)
        keys, before = {task.key for task in waiting}, {*delivered_lines(out).values()}
        new = sum(
            task.key in keys or (row.wave is not None and row.wave.name not in before)
            for task, row in zip(tasks, rows, strict=True)
        )
        rows = reviewed(rows + faulty, store)
        places = {id: i for i, id in enumerate(checked.lines)}
        rows = flag(sorted(rows, key=lambda row: places[row.take.id]))
        steps = partial(watch.steps, Stage.DELIVERING)
        aside = deliver(rows, checked.issues, _spec(request, checked), store, steps, proof)
        notices = (store.restored,) if store.restored else ()
        return Result(rows, new, aside, notices=notices, left_out=len(faulty))
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
    wanted, watch = {take.id for take in of_ids(checked.takes, ids)}, watch or Watch()
    store = Store(out)
    try:
        tasks = tasks_of_job(request, checked, store)
        keep_lines(store, tasks, left_out(request, checked), checked)
        tasks = [task for task in tasks if task.take.id in wanted]
        return converted(tasks, store, engine, watch, checked)
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
    (take,) = of_ids(checked.takes, [id])
    role = take.role.model_copy(update={"as_recorded": False})
    takes = [
        replace(take, role=role.model_copy(update={"voice": voice}))
        for voice in dict.fromkeys(voices)
    ]
    if checked.heard[id].source is None:  # it was to be passed
        raise ConfigError.of("audition.as_recorded", place=take.line.place.message)
    store = Store(out)
    try:
        tasks = tasks_of_job(request, checked, store, takes)
        rows = converted(tasks, store, engine, watch or Watch(), checked)
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
        tasks, faulty = tasks_of_job(request, checked, store), left_out(request, checked)
        keep_lines(store, tasks, faulty, checked)
        waiting = {task.key for task in store.waiting(tasks, retry_failed=False)}
        done = [task for task in tasks if task.key not in waiting]
        rows = {row.take.id: row for row in reviewed(outcomes(done, store) + faulty, store)}
    finally:
        store.close()
    flagged = flag([rows[id] for id in checked.lines if id in rows])
    return dict.fromkeys(checked.lines) | {row.take.id: row for row in flagged}


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
