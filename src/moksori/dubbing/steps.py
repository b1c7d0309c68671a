"""The steps that a job's verbs (job.py) share: what is to be worked on, the work, and what became of it."""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from moksori.dubbing.check import Checked
from moksori.dubbing.deliver.provenance import JobLedger
from moksori.dubbing.processes import return_memory
from moksori.dubbing.progress import Stage, Watch
from moksori.dubbing.records import HOME, Dubbed, Role, Take
from moksori.dubbing.request import Request
from moksori.dubbing.review import Review
from moksori.dubbing.store import Store
from moksori.dubbing.task import Task
from moksori.dubbing.work.tasks import actors_of, keep_actors, tasks_of
from moksori.errors import ConfigError, OutputError
from moksori.messages import Message, joined, message

if TYPE_CHECKING:
    from moksori.dubbing.work.engines import Engine


def voices_of(checked: Checked) -> set[str]:
    """The voices that a job converts to."""
    return {take.role.voice for take in checked.takes if not take.role.as_recorded}


def keep_lines(
    store: Store, tasks: Sequence[Task], faulty: Sequence[Dubbed], checked: Checked
) -> None:
    """Keep which lines there are, so that what is said of them can follow them."""
    store.keep_lines(tasks, faulty)
    Review(store.out).follow(checked.lines)


def left_out(request: Request, checked: Checked) -> list[Dubbed]:
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
    return joined(found or [message("work.no_reason")])


def of_ids(takes: Sequence[Take], ids: Collection[str]) -> list[Take]:
    """The takes of these lines.

    Raises:
        ConfigError: there is no such line, or it cannot be worked on.
    """
    found = [take for take in takes if take.id in ids]
    if missing := [id for id in ids if id not in {take.id for take in found}]:
        raise ConfigError.of("dub.no_line", line=missing[0])
    return found


def tasks_of_job(
    request: Request, checked: Checked, store: Store, takes: Sequence[Take] | None = None
) -> list[Task]:
    """Of all takes, or of these; what is known of the actors is of all in either case."""
    checked.memory.keep(store.out / HOME)
    actors = actors_of(
        request.mean_f0,
        checked.takes,
        checked.heard,
        store.actors(),
        checked.converter,
        checked.cast.mean_f0,
    )
    wanted = checked.takes if takes is None else takes
    return tasks_of(request.setup, checked.converter, wanted, checked.heard, actors, store)


def converted(
    tasks: Sequence[Task],
    store: Store,
    engine: Callable[[], "Engine"],
    watch: Watch,
    checked: Checked,
) -> list[Dubbed]:
    """These tasks worked on now, also those that failed before."""
    work(store.waiting(tasks, retry_failed=True), tasks, store, engine, watch, checked)
    return reviewed(outcomes(tasks, store), store)


def outcomes(tasks: Sequence[Task], store: Store) -> list[Dubbed]:
    """What became of tasks; it is kept as a version of each line."""
    errors = store.errors()
    Review(store.out).keep_versions(task for task in tasks if task.key not in errors)
    return [task.dubbed(errors.get(task.key)) for task in tasks]


def reviewed(rows: Sequence[Dubbed], store: Store) -> list[Dubbed]:
    """The same rows with what the director said of them."""
    marks = Review(store.out).marks()
    return [replace(row, mark=marks.get(row.take.id)) for row in rows]


def work(
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
    taken = [task.take for task in waiting]
    keep_actors(taken, checked.takes, checked.heard, store, checked.converter)
    if not waiting:
        return
    return_memory()  # what the check has freed
    workers = engine()
    try:
        with closing(workers.map("convert", begun())) as found:
            for outcome in watch.steps(Stage.CONVERTING, found, len(waiting)):
                if outcome.of_folder and outcome.error:
                    raise OutputError(outcome.error)
                store.finish(outcome.task, outcome.value or "failed", outcome.error)
                ledger.note(outcome.task, outcome.value or "failed", outcome.error)
    finally:
        workers.close()
        return_memory()
