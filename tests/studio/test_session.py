"""What a running Studio holds outlives what goes wrong on the disk."""

import errno
import shutil
import time
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from moksori.dubbing.new_takes import new_take
from moksori.dubbing.plan.cast import Cast
from moksori.dubbing.records import Role, Take
from moksori.dubbing.store import Store
from moksori.dubbing.task import Setup, Task
from moksori.errors import ConfigError, OutputError
from moksori.script.line import Line, Place
from moksori.studio.desk import Desk
from moksori.studio.folders import demo_job, new_job
from moksori.studio.session import Session
from moksori.studio.works import Works
from tests.conftest import DEMO
from tests.studio.conftest import until


@pytest.fixture
def session(tmp_path):
    """With a job, in a folder that is a link, as each is below /tmp on a Mac."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "root").symlink_to(tmp_path / "disk")
    session = Session(tmp_path / "root", workers=1)
    session.open_folder(tmp_path / "root" / "job")
    yield session
    session.close()


def test_an_earlier_version_comes_back_with_the_take_that_was_brought(session):
    desk, line = session.the_desk(), Line(Place("row", 1), "안녕?", character="하나")
    Store(desk.out).close()
    with new_take(desk.out, "1", ".wav") as brought:
        take = Take(
            id="1", line=line, audio=brought, begin=0, samples=1, sample_rate=22050, start=0.0,
            role=Role(voice="lmy"),
        )  # fmt: skip
    desk.review.keep_versions([Task(take=take, key="k", digest="", store=desk.out)])
    desk.checked = SimpleNamespace(lines={"1": line})
    session.go_back("1", "k")
    assert desk.review.changes()["1"].take == brought


def test_a_version_that_stayed_as_recorded_comes_back_by_the_cast_alone(session):
    """A line cannot ask it; nothing came of it, and what was asked of the line was gone."""
    desk, line = session.the_desk(), Line(Place("row", 1), "안녕?", character="하나")
    Store(desk.out).close()
    take = Take(
        id="1", line=line, audio=desk.out / "1.wav", begin=0, samples=1, sample_rate=22050, start=0.0,
        role=Role.model_validate({"pass": True}),
    )  # fmt: skip
    desk.review.keep_versions([Task(take=take, key="k", digest="", store=desk.out)])
    desk.review.ask("1", line.script_text, {"voice": "kih", "pitch": 2})
    cast = Cast.model_validate({"characters": {"하나": {"voice": "lmy"}}})
    desk.checked = SimpleNamespace(lines={"1": line}, cast=cast)
    with pytest.raises(ConfigError, match="As recorded"):
        session.go_back("1", "k")
    assert desk.review.changes()["1"].pitch == 2
    cast.characters["하나"] = Role.model_validate({"pass": True})
    session.go_back("1", "k")
    assert desk.review.changes()["1"].voice is None


def test_no_line_is_ok_before_there_is_anything_to_hear(session):
    """Such an OK was not seen, and the first conversion was said to have changed since."""
    desk, line = session.the_desk(), Line(Place("row", 1), "안녕?", character="하나")
    Store(desk.out).close()
    desk.checked = SimpleNamespace(lines={"1": line}, takes=[])
    with pytest.raises(ConfigError):
        session.mark("1", "ok", None)
    assert not desk.review.marks()
    session.mark("1", "retake", "더 크게")
    session.mark("1", "ok", None, "0" * 32)  # of what the page has just played
    assert desk.review.marks()["1"].state == "ok"


def test_a_job_that_cannot_be_opened_leaves_the_open_one_at_work(session, tmp_path):
    (broken := tmp_path / "root" / "broken").mkdir()
    (broken / "job.toml").write_text("fps = ", encoding="utf-8")
    desk = session.the_desk()
    with pytest.raises(ConfigError):
        session.open(broken)
    assert session.desk is desk
    desk._workers_of(SimpleNamespace(setup=Setup())).end()  # it still has workers


def test_a_place_where_no_job_can_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")  # as a home that is read-only
    for make in (demo_job, lambda root: new_job(root, "1화")):
        with pytest.raises(OutputError):
            make(tmp_path / "file" / "root")


def test_the_disk_is_looked_at_again_after_a_drive_was_away(session, monkeypatch):
    looks = []

    def look(self):
        looks.append(self)
        if len(looks) == 1:
            raise OSError(errno.EIO, "away")

    monkeypatch.setattr(Desk, "look", look)
    until(lambda: len(looks) > 1, 20)


def test_a_work_has_a_number_that_no_earlier_server_gave():
    began = time.time_ns() // 10**6
    works = Works(lambda: None)
    first, second = (works.add("check", lambda watch: None).number for _ in range(2))
    works.close()
    assert began <= first < second < 2**53  # as far as a browser counts


def test_a_single_sound_without_words_is_converted_as_by_the_command(session):
    """Dots alone are rather a text that is missing."""
    shutil.copy(DEMO, place := session.singles.folder / "1.wav")
    work, dots = (session.singles.convert(place, text, ["kih"]) for text in ("(웃음)", "…"))
    until(lambda: not work.active and not dots.active)
    assert (dots.state, dots.error.code) == ("failed", "text.no_speech")
    assert work.result == {"kih": {"file": "1.kih.wav", "confidence": None}}
    wave = soundfile.read(session.singles.folder / "1.kih.wav")[0]
    wanted = Setup().converter().convert(place, None, "kih").samples[:, 0]
    np.testing.assert_allclose(wave, wanted, atol=2**-14)
