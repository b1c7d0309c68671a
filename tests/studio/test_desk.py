"""What the page can hear of a line that is still being worked on."""

from types import SimpleNamespace

from moksori.dubbing.request import load_job
from moksori.dubbing.task import Setup
from moksori.dubbing.work.engines import LocalEngine, Outcome
from moksori.messages import message
from moksori.studio.answers import on_page
from moksori.studio.app import Api, Asked
from moksori.studio.desk import Desk
from moksori.studio.kept_engine import KeptEngine
from moksori.studio.session import Session
from moksori.studio.view import job_view, work_view
from moksori.studio.works import Work


def test_a_line_in_hand_is_heard_as_soon_as_its_sound_is_there(tmp_path, monkeypatch):
    desk, heard = Desk(tmp_path, None, None, lambda: None), []

    def work(self, method, tasks):
        """A worker that has written the sound, and measures."""
        for task in tasks:
            heard.append(desk.sounding())
            task.sounds[1].write_bytes(b"mp3")
            heard.append(desk.sounding())
            yield Outcome(task, "converted")

    monkeypatch.setattr(LocalEngine, "map", work)
    engine = KeptEngine(Setup(), 1)
    desk._engine = Setup(), engine
    tasks = [
        SimpleNamespace(
            take=SimpleNamespace(id=id), key=f"{id}{id}", sounds=(None, tmp_path / f"{id}.mp3")
        )
        for id in ("a", "b")
    ]
    assert [outcome.task for outcome in engine.map("convert", tasks)] == tasks
    assert heard == [{}, {"a": "aa"}, {}, {"b": "bb"}]
    assert desk.sounding() == {} and engine.in_hand == {}
    engine.end()


def test_workers_may_end_while_lines_are_listened_for(tmp_path, monkeypatch):
    class Ending(Desk):
        """Its workers are ended by another thread as soon as they were looked at."""

    desk = Ending(tmp_path, None, None, lambda: None)
    engines = [(Setup(), SimpleNamespace(in_hand={})), None]
    monkeypatch.setattr(Ending, "_engine", property(lambda self: engines.pop(0)), raising=False)
    assert desk.sounding() == {}


def test_the_page_says_whose_channel_is_which(tmp_path):
    session = Session(tmp_path, workers=1)
    try:
        session.open_folder(tmp_path / "job")
        asked = {"하나": "2", "": "mix"}
        Api(session).settings(Asked(values={"channels": asked}))
        assert load_job(tmp_path / "job").channels == asked
        assert job_view(session.the_desk(), "ko")["settings"]["channels"] == asked
        Api(session).settings(Asked(values={"channels": None}))
        assert load_job(tmp_path / "job").channels is None
    finally:
        session.close()


def test_why_a_work_failed_is_said_by_the_page_s_fields_and_not_by_options():
    failed = Work(number=1, kind="export", about={}, do=lambda watch: None)
    failed.state, failed.error = "failed", message("reel.midnight", path="reel.wav")
    assert (
        "“Start”" in work_view(failed, "en")["error"]
        and "“시작”" in work_view(failed, "ko")["error"]
    )


def test_what_is_wrong_with_a_reading_or_a_number_is_said_by_the_page_s_names():
    row = message("lexicon.row", file="/a/lexicon.tsv", row=3)
    said = on_page(message("lexicon.hangul", place=row, reading="abc")).say("ko")
    assert said.startswith("작품 사전의 3번째 줄: ")
    value = message("toml.value", key="characters.하나.effort", what="?", given=9)
    assert "“힘(0–1.5)”" in on_page(message("file.invalid", file="a", why=value)).say("ko")
