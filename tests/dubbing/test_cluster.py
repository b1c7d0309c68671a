"""Many machines: what travels to them, and one that dies in the middle."""

import pickle
import shutil
import tempfile
from dataclasses import replace
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from moksori.conversion.consents import packs_folder
from moksori.dubbing.records import Role, Take
from moksori.dubbing.task import TRANSIENT, Setup, Task, TransientError, read_take
from moksori.dubbing.work.carried import (
    CarriedTask,
    CarriedWorker,
    carried,
    folder_of,
    keep,
    packed,
    unpacked,
)
from moksori.dubbing.work.engines import Outcome, call, transient
from moksori.messages import message
from moksori.script.line import Line, Place
from moksori.weights import VOCODERS
from tests.conftest import DEMO, DEMO_TEXT


def task_of(folder, subtype, role=Role(**{"pass": True})) -> Task:
    chance = np.random.default_rng(0)
    wave = 0.1 + 0.2 * chance.standard_normal((4000, 2)).clip(-2, 2)
    soundfile.write(folder / "track.wav", wave, 8000, subtype)
    take = Take(
        id="1", line=Line(Place("row", 1), "안녕?"), audio=folder / "track.wav", begin=500, samples=3000,
        sample_rate=8000, start=None, role=role, cut=True,
    )  # fmt: skip
    return Task(take=take, key="k" * 32, store=folder / "lines", digest=read_take(take)[1])


def spoken_task(folder) -> Task:
    """A line that is converted."""
    shutil.copy(DEMO, folder / "spoken.wav")
    about = soundfile.info(DEMO)
    take = Take(
        id="2", line=Line(Place("row", 2), DEMO_TEXT), audio=folder / "spoken.wav", begin=0,
        samples=about.frames, sample_rate=about.samplerate, start=None, role=Role(voice="kih"),
    )  # fmt: skip
    return Task(take=take, key="s" * 32, store=folder / "lines", digest=read_take(take)[1])


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_a_take_travels_exactly_and_without_its_path(tmp_path, subtype):
    task = task_of(tmp_path, subtype)
    sent = pickle.loads(pickle.dumps(carried(task)))
    here, there = task.read(), sent.read()
    assert (here.sample_rate, here.subtype) == (there.sample_rate, there.subtype)
    np.testing.assert_array_equal(here.samples, there.samples)  # its offset is gone in both
    exact = task.exact()
    assert exact.dtype == sent.exact().dtype == np.float64
    np.testing.assert_array_equal(exact, sent.exact())
    assert not sent.take.audio.exists() and not sent.store.is_absolute()


def test_a_recording_that_has_changed_is_not_sent(tmp_path):
    task = task_of(tmp_path, "PCM_16")
    soundfile.write(task.take.audio, np.full((4000, 2), 0.3), 8000, "PCM_16")
    with pytest.raises(TransientError):
        carried(task)


def test_an_outcome_comes_back_as_a_worker_here_would_write_it(tmp_path):
    from moksori.dubbing.work.worker import Worker

    task = task_of(tmp_path, "DOUBLE")
    task.store.mkdir()
    assert Worker(Setup()).convert(task) == "passed"
    here = {path.name: path.read_bytes() for path in task.store.iterdir()}
    for path in task.store.iterdir():
        path.unlink()
    outcome, made = CarriedWorker(Setup(), {}).call("convert", carried(task))
    assert (outcome.value, outcome.error) == ("passed", None)
    keep(task, made)
    assert {path.name: path.read_bytes() for path in task.store.iterdir()} == here
    assert task.status() == "passed"


def test_on_the_jobs_machine_nothing_travels(tmp_path):
    from moksori.dubbing.work.worker import Worker

    task, worker = task_of(tmp_path, "PCM_24"), CarriedWorker(Setup(), {})
    task.store.mkdir()
    assert Worker(Setup()).convert(task) == "passed"
    alone = contents(task.store)
    for path in task.store.iterdir():
        path.unlink()
    assert worker.shares(folder_of(task.store))
    outcome, files = worker.call("convert", task)
    assert (outcome.value, outcome.task, files) == ("passed", None, None)
    assert contents(task.store) == alone


def test_a_worker_leaves_no_folder_behind(tmp_path, monkeypatch):
    """Ray ends workers without a word to Python."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    (tmp_path / "show.tsv").write_text("하나\t둘\n", encoding="utf-8")
    worker = CarriedWorker(*packed(Setup(lexicon=tmp_path / "show.tsv")))
    assert len([*(tmp_path / "tmp").iterdir()]) == 1
    worker.close()
    worker = CarriedWorker(Setup(), {})
    assert not [*(tmp_path / "tmp").iterdir()]  # nothing has to lie there yet
    worker.call("convert", carried(task_of(tmp_path, "PCM_16")))
    assert [*(tmp_path / "tmp").iterdir()]
    worker.close()
    worker.close()
    assert not [*(tmp_path / "tmp").iterdir()]


def test_a_folder_of_another_machine_is_not_taken_for_the_jobs(tmp_path):
    worker, here = CarriedWorker(Setup(), {}), folder_of(tmp_path)
    (tmp_path / "mounted").mkdir()
    assert not worker.shares(here._replace(machine="another"))
    assert not worker.shares(here._replace(path=tmp_path / "mounted"))  # where that lies elsewhere
    assert not worker.shares(here._replace(path=tmp_path / "none"))


def test_the_folders_of_a_setup_travel(tmp_path):
    (tmp_path / "show.tsv").write_text("하나\t둘\n", encoding="utf-8")
    setup = Setup(lexicon=tmp_path / "show.tsv", vocoder=str(VOCODERS["fast"]), packs=tmp_path)
    there = unpacked(*packed(setup), tmp_path / "there")
    assert there.lexicon.read_bytes() == (tmp_path / "show.tsv").read_bytes()
    assert there.lexicon.is_relative_to(tmp_path / "there") and there.model is None
    for path in VOCODERS["fast"].iterdir():
        copy = tmp_path / "there" / "vocoder" / path.name
        assert str(copy.parent) == there.vocoder and copy.read_bytes() == path.read_bytes()


def test_the_voices_of_the_job_s_user_travel_and_no_machine_uses_its_own(tmp_path, monkeypatch):
    """Also where the job has none, and where the machine has another by the same name."""
    alone = packed(Setup())
    packs_folder().mkdir(parents=True)
    (packs_folder() / "hong.safetensors").write_bytes(b"here")
    (packs_folder() / "revoked.jsonl").write_bytes(b"")
    sent = packed(Setup())
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "another machine"))
    packs_folder().mkdir(parents=True)
    (packs_folder() / "hong.safetensors").write_bytes(b"there")
    packs = unpacked(*sent, tmp_path / "worker").packs
    assert (packs / "hong.safetensors").read_bytes() == b"here"
    assert (packs / "revoked.jsonl").exists()
    packs = unpacked(*alone, tmp_path / "other").packs
    assert packs.is_relative_to(tmp_path) and not [*packs.iterdir()]


def test_a_voice_that_is_not_the_job_s_converts_nothing(tmp_path):
    """As where it was enrolled anew when the job had begun."""
    from moksori.dubbing.work.worker import Worker

    worker, task = Worker(Setup()), task_of(tmp_path, "PCM_16", Role(voice="lmy"))
    other = replace(task, voice="0" * 64)
    outcome = call(worker, "convert", other)
    assert outcome.error.code == TRANSIENT and "is not the voice" in outcome.error.say("en")
    assert not task.store.exists()
    same = replace(task, voice=worker.converter.target("lmy").checksum)
    task.store.mkdir()
    assert "voice" not in str(call(worker, "convert", same).error)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed")
@pytest.mark.parametrize("apart", [False, True], ids=["one machine", "machines apart"])
def test_a_machine_that_dies_costs_no_line_and_no_byte(tmp_path, monkeypatch, apart):
    """Three raylets, one without cores; one of the others is killed once the first line is there.

    Two lines are converted by the model, which whoever has the first line has next.
    """
    from moksori.dubbing.work import cluster as engines
    from moksori.dubbing.work.worker import Worker

    if apart:
        elsewhere = lambda path: folder_of(path)._replace(machine="another")  # noqa: E731
        monkeypatch.setattr(engines, "folder_of", elsewhere)

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    from ray.cluster_utils import Cluster

    from moksori.dubbing.work.cluster import RayEngine

    passed, spoken = task_of(tmp_path, "PCM_24"), spoken_task(tmp_path)
    tasks = [
        replace(spoken if number in (1, 2) else passed, key=f"{number:032d}")
        for number in range(12)
    ]
    alone, together = tmp_path / "alone", tmp_path / "together"
    for folder in (alone, together):
        folder.mkdir()
    for task in tasks:
        Worker(Setup()).convert(replace(task, store=alone))
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
        monkeypatch.setenv("RAY_ADDRESS", cluster.address)
        engine = RayEngine(Setup())
        outcomes = []
        try:
            for outcome in engine.map("convert", [replace(task, store=together) for task in tasks]):
                if not outcomes:
                    cluster.remove_node(nodes[0], allow_graceful=False)
                outcomes.append(outcome)
        finally:  # before the cluster, which keeps what is connected to it
            engine.close()
            engines._ending.join()
    finally:
        cluster.shutdown()
    assert sorted(outcome.task.key for outcome in outcomes) == [task.key for task in tasks]
    assert {outcome.error for outcome in outcomes} == {None}
    converted = sorted(o.task.key for o in outcomes if o.value == "converted")
    assert converted == [task.key for task in tasks[1:3]]
    assert contents(together) == contents(alone)  # but for what the dead had half written


class Actor(SimpleNamespace):
    __hash__ = object.__hash__


class FakeRay:
    """Ray as `RayEngine` uses it: actors work on their calls in turn; one line kills whoever has it."""

    class exceptions:  # as Ray's
        class RayError(Exception): ...

        class RayActorError(RayError): ...

        class RayTaskError(RayError): ...

    def __init__(self, deadly="", at_hand=False, blind=""):
        self.deadly, self.at_hand, self.blind = deadly, at_hand, blind
        self.begun, self.refs, self.missed, self.sent, self.closed = 0, {}, [], [], []

    def cluster_resources(self):
        return {"CPU": 2}

    def put(self, value):
        return value

    def shutdown(self):
        self.ended = True

    def remote(self, **_):
        return lambda kind: SimpleNamespace(remote=lambda *_: self.actor())

    def actor(self):
        self.begun += 1
        state = {"dead": False}

        def call(method, task):
            assert actor not in self.missed, "it is known to be dead"
            state["dead"] |= task.key == self.deadly
            self.sent.append(task)
            made = Outcome(task, "converted")
            if task.key == self.blind and not isinstance(task, CarriedTask):
                made = Outcome(task, error=transient(message("plain", text="no such file")))
            return self.ref(None if state["dead"] else (made, None), actor)

        actor = Actor(
            ready=SimpleNamespace(remote=lambda: self.ref(True, actor)),
            shares=SimpleNamespace(remote=lambda folder: self.ref(self.at_hand, actor)),
            close=SimpleNamespace(remote=lambda: self.ref(self.closed.append(actor), actor)),
            call=SimpleNamespace(remote=call),
        )
        return actor

    def ref(self, value, actor):
        self.refs[len(self.refs)] = value, actor
        return len(self.refs) - 1

    def wait(self, refs, num_returns, timeout):
        deaths_first = min(refs, key=lambda ref: (self.refs[ref][0] is not None, ref))
        return [deaths_first], []  # so that a death may be missed before the line that was done

    def get(self, ref):
        value, actor = self.refs[ref]
        if value is None:
            self.missed.append(actor)
            raise self.exceptions.RayActorError
        return value


@pytest.mark.parametrize("deadly", ["0", "1", "4", "8"])
def test_a_line_that_kills_its_worker_harms_none_that_waits_behind_it(
    tmp_path, monkeypatch, deadly
):
    from moksori.dubbing.work import cluster

    first = task_of(tmp_path, "PCM_24", Role(**{"pass": True}))
    tasks = [replace(first, key=str(number)) for number in range(9)]
    first.store.mkdir()
    ray = FakeRay(deadly)
    monkeypatch.setattr(cluster, "_begin", lambda workers: ray)
    outcomes = [*cluster.RayEngine(Setup()).map("convert", tasks)]
    assert sorted(outcome.task.key for outcome in outcomes) == [task.key for task in tasks]
    assert [outcome.task.key for outcome in outcomes if outcome.error] == [deadly]
    # One for each that it killed; a try does not count if the line before it was done but not yet asked for.
    assert 2 + 3 <= ray.begun <= 2 + 2 * 3


def test_a_take_that_a_worker_here_cannot_read_is_carried_after_all(tmp_path, monkeypatch):
    """The job's folder may be at hand where the folder of the recordings is not."""
    from moksori.dubbing.work import cluster

    first = task_of(tmp_path, "PCM_24", Role(**{"pass": True}))
    first.store.mkdir()
    tasks = [replace(first, key=str(number)) for number in range(4)]
    ray = FakeRay(at_hand=True, blind="2")
    monkeypatch.setattr(cluster, "_begin", lambda workers: ray)
    engine = cluster.RayEngine(Setup())
    outcomes = [*engine.map("convert", tasks)]
    engine.close()
    cluster._ending.join()
    assert len(ray.closed) == ray.begun and ray.ended
    assert sorted((outcome.task.key, outcome.value) for outcome in outcomes) == [
        (task.key, "converted") for task in tasks
    ]
    assert [task.key for task in ray.sent if isinstance(task, CarriedTask)] == ["2"]
    assert sorted(task.key for task in ray.sent) == ["0", "1", "2", "2", "3"]


def contents(folder):
    paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    return {path.name: path.read_bytes() for path in paths}
