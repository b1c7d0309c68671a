"""Workers that die, and those of a cluster: the same bytes, and no line lost."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from moksori.dubbing.job import check, dub
from moksori.dubbing.processes import process_pool
from moksori.dubbing.progress import Stage, Watch
from moksori.dubbing.steps import tasks_of_job
from moksori.dubbing.store import Store
from moksori.dubbing.task import Setup
from moksori.dubbing.work import engines
from moksori.dubbing.work import worker as work
from moksori.dubbing.work.cluster import RayEngine
from moksori.dubbing.work.engines import LocalEngine
from tests.dubbing.conftest import InProcess, edit, files, request, run

pytestmark = pytest.mark.slow


def outcomes(out: Path) -> dict[str, bytes]:
    """What workers wrote."""
    return {path.name: path.read_bytes() for path in (out / ".moksori" / "lines").iterdir()}


class DeadlyEngine(LocalEngine):
    """A line that begins with 죽는 ends its worker, as if memory had run out."""

    def _new_pool(self, workers):
        return process_pool(workers, _start_deadly, self.setup)


def _start_deadly(setup):
    real = work.convert_line

    def convert_line(converter, recording, text, *more, **named):
        if text.startswith("죽는"):
            os._exit(9)
        return real(converter, recording, text, *more, **named)

    work.convert_line = convert_line
    engines._start(setup)


def test_a_worker_that_dies_harms_its_own_line_alone(copied):
    """The others' outcomes are the very bytes of one process."""
    edit(copied, "F3", "죽는 밤, 우리가 이 도시를 지킨다. 준비됐어?")
    rows, _ = run(copied, "other", DeadlyEngine(Setup(), 2))
    assert [row.status for row in rows] == ["converted", "failed", "converted", "passed"]
    assert "its worker died" in rows[1].error.say("en")
    here, there = (outcomes(copied / name) for name in ("out", "other"))
    assert {*there} < {*here} and len(there) == 3 * 5 - 1  # a laugh has no picture
    assert all(here[name] == content for name, content in there.items())


def test_what_a_worker_was_writing_when_it_died_does_not_stay(copied):
    store = Store(copied / "out")
    (store.outcomes / ".key.half.wav").write_bytes(b"RIFF")
    store.close()
    assert not [*store.outcomes.glob(".*")]


def test_what_is_left_may_stay_for_the_next_time(tmp_path, monkeypatch):
    """As where a virus scanner holds it, on Windows: the job begins and ends all the same."""
    Store(tmp_path).close()
    (rest := tmp_path / ".moksori" / "lines" / ".key.half.wav").touch()
    (copy := tmp_path / ".moksori" / "job.copy.sqlite").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(type(rest), "unlink", lambda path, **_: (path / "held").stat())
        Store(tmp_path).close()
    assert copy.exists() and rest.exists()
    Store(tmp_path).close()
    assert not rest.exists()


def test_all_workers_are_there_after_one_died_and_the_job_was_cancelled(copied):
    """A page keeps its workers from one work to the next."""
    asked = request(copied)
    checked = check(asked)
    store = Store(copied / "out")
    try:
        tasks = [
            replace(task, take=replace(task.take, line=replace(task.take.line, text="죽는 밤.")))
            for task in tasks_of_job(asked, checked, store)[:2]
        ]
    finally:
        store.close()
    engine = DeadlyEngine(Setup(), 2)
    try:
        outcomes = engine.map("convert", tasks)
        assert next(outcomes).error is not None
        outcomes.close()  # cancelled while the suspects are tried alone
        assert engine._pool._max_workers == 2
    finally:
        engine.close()


def test_workers_of_ray_give_the_same_bytes(copied):
    """As those of this machine do, in the test of one that dies."""
    whole = files(copied / "out")
    run(copied, "other", RayEngine(Setup(), 2))
    assert files(copied / "other") == whole


def test_progress_is_told_and_a_job_can_be_cancelled(show):
    """Cancelled after the first line: it is kept, and the next run converts the others alone."""
    asked, seen = request(show), []
    watch = Watch(seen.append)
    checked = check(asked, watch)
    assert [event[:3] for event in seen] == [(Stage.CHECKING, n, 4) for n in range(5)]
    assert seen[2].left is not None and seen[-1].left == 0

    def stop(event):
        if (event.stage, event.done) == (Stage.CONVERTING, 1):
            watch.cancel.set()

    watch.notify = stop
    engine = InProcess(asked.setup)
    result = dub(asked, checked, show / "out", lambda: engine, watch)
    assert result.cancelled and not result.rows
    assert not (show / "out" / "reel.wav").exists()
    done = len(engine.asked)
    assert done < 4
    assert len(run(show)[1]) == 4 - done
