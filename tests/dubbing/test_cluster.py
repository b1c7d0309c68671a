"""Many machines: what travels to them, and one that dies in the middle."""

import pickle
from dataclasses import replace
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from moksori.dubbing.records import Role, Take
from moksori.dubbing.task import PassingError, Setup, Task, read_take
from moksori.dubbing.work.carried import CarriedWorker, carried, keep, packed, unpacked
from moksori.dubbing.work.engines import Outcome
from moksori.script.line import Line, Place
from moksori.weights import VOCODERS


def task_of(folder, subtype, role=Role(**{"pass": True})) -> Task:
    chance = np.random.default_rng(0)
    wave = 0.1 + 0.2 * chance.standard_normal((4000, 2)).clip(-2, 2)
    soundfile.write(folder / "track.wav", wave, 8000, subtype)
    take = Take(
        id="1", line=Line(Place("row", 1), "안녕?"), audio=folder / "track.wav", begin=500, samples=3000,
        sample_rate=8000, start=None, role=role, cut=True,
    )  # fmt: skip
    return Task(take=take, key="k" * 32, store=folder / "lines", digest=read_take(take)[1])


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
    with pytest.raises(PassingError):
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


def test_the_folders_of_a_setup_travel(tmp_path):
    (tmp_path / "show.tsv").write_text("하나\t둘\n", encoding="utf-8")
    setup = Setup(lexicon=tmp_path / "show.tsv", vocoder=str(VOCODERS["fast"]), packs=tmp_path)
    there = unpacked(*packed(setup), tmp_path / "there")
    assert there.lexicon.read_bytes() == (tmp_path / "show.tsv").read_bytes()
    assert there.lexicon.is_relative_to(tmp_path / "there") and there.model is None
    for path in VOCODERS["fast"].iterdir():
        copy = tmp_path / "there" / "vocoder" / path.name
        assert str(copy.parent) == there.vocoder and copy.read_bytes() == path.read_bytes()


@pytest.mark.slow
@pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed")
def test_a_machine_that_dies_costs_no_line_and_no_byte(tmp_path, monkeypatch):
    """Three raylets, one without cores; one of the others is killed once the first line is there."""
    from moksori.dubbing.work.worker import Worker

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    from ray.cluster_utils import Cluster

    from moksori.dubbing.work.cluster import RayEngine

    first = task_of(tmp_path, "PCM_24", Role(**{"pass": True}))
    tasks = [replace(first, key=f"{number:032d}") for number in range(12)]
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
        for outcome in engine.map("convert", [replace(task, store=together) for task in tasks]):
            if not outcomes:
                cluster.remove_node(nodes[0], allow_graceful=False)
            outcomes.append(outcome)
        engine.close()
    finally:
        cluster.shutdown()
    assert sorted(outcome.task.key for outcome in outcomes) == [task.key for task in tasks]
    assert {(outcome.value, outcome.error) for outcome in outcomes} == {("passed", None)}
    assert contents(together) == contents(alone)


class Actor(SimpleNamespace):
    __hash__ = object.__hash__


class FakeRay:
    """Ray as `RayEngine` uses it: actors work on their calls in turn; one line kills whoever has it."""

    class exceptions:  # as Ray's
        class RayError(Exception): ...

        class RayActorError(RayError): ...

        class RayTaskError(RayError): ...

    def __init__(self, deadly):
        self.deadly, self.begun, self.refs, self.missed = deadly, 0, {}, []

    def cluster_resources(self):
        return {"CPU": 2}

    def put(self, value):
        return value

    def shutdown(self):
        pass

    def remote(self, **_):
        return lambda kind: SimpleNamespace(remote=lambda *_: self.actor())

    def actor(self):
        self.begun += 1
        state = {"dead": False}

        def call(method, task):
            assert actor not in self.missed, "it is known to be dead"
            state["dead"] |= task.key == self.deadly
            return self.ref(None if state["dead"] else (Outcome(task, "converted"), {}), actor)

        actor = Actor(
            ready=SimpleNamespace(remote=lambda: self.ref(True, actor)),
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
    ray = FakeRay(deadly)
    monkeypatch.setattr(cluster, "_begin", lambda workers: ray)
    monkeypatch.setattr(cluster, "carried", lambda task: task)
    monkeypatch.setattr(cluster, "keep", lambda task, files: None)
    outcomes = [*cluster.RayEngine(Setup()).map("convert", tasks)]
    assert sorted(outcome.task.key for outcome in outcomes) == [task.key for task in tasks]
    assert [outcome.task.key for outcome in outcomes if outcome.error] == [deadly]
    # One for each that it killed; a try does not count if the line before it was done but not yet asked for.
    assert 2 + 3 <= ray.begun <= 2 + 2 * 3


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
