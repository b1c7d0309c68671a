"""Whose a job's folder is, and which of its files are the job's."""

import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from moksori.dubbing.job import check, dub
from moksori.dubbing.records import Dubbed, Role, Take
from moksori.dubbing.states import line_states
from moksori.dubbing.store import Store
from moksori.errors import OutputError
from moksori.script.line import Line, Place
from tests.dubbing.conftest import InProcess, edit, files, request, run

pytestmark = pytest.mark.slow


def test_other_people_s_files_are_never_touched(copied, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="holds other files"):
        run(copied, tmp_path / "full")
    mine = copied / "out" / "lines" / "0009_하나.wav"
    mine.write_text("mine")
    edit(copied, "A2", 9)
    with pytest.raises(OutputError, match="is not this job's; move it away"):
        run(copied)
    assert mine.read_text() == "mine"


def test_a_changed_deliverable_is_kept_aside(copied):
    note = copied / "out" / "retakes.xlsx"
    book = openpyxl.load_workbook(note)
    book.active["A1"] = "감독 메모"
    book.save(note)
    (copied / "out" / "reel.edl").write_text("mine")
    edit(copied, "F5", "(큰 웃음)")
    asked = request(copied)
    checked = check(asked)
    aside = dub(asked, checked, copied / "out", lambda: InProcess(asked.setup)).kept_aside
    assert [path.name for path in aside] == ["reel (1).edl", "retakes (1).xlsx"]
    assert openpyxl.load_workbook(aside[1]).active["A1"].value == "감독 메모"
    assert openpyxl.load_workbook(note).active["A1"].value != "감독 메모"
    assert (copied / "out" / "reel (1).edl").read_text() == "mine"


def test_another_episode_s_folder_is_refused_a_new_version_s_is_not(copied):
    shutil.copy(copied / "script.xlsx", copied / "ep01_v2.xlsx")
    asked = replace(request(copied), script=copied / "ep01_v2.xlsx")
    engine = InProcess(asked.setup)
    dub(asked, check(asked), copied / "out", lambda: engine)
    assert engine.asked == []
    book = openpyxl.load_workbook(copied / "ep01_v2.xlsx")
    for row in (2, 3, 4, 5):
        book.active.cell(row, 6, "오늘 낮, 우리가 이 마을을 지킨다. 준비됐어?")
    book.save(copied / "ep02.xlsx")
    asked = replace(request(copied), script=copied / "ep02.xlsx")
    before = files(copied / "out")
    with pytest.raises(OutputError, match="only 0 of 1 lines in common; choose another folder"):
        dub(asked, check(asked), copied / "out", lambda: engine)
    assert files(copied / "out") == before


def test_a_short_line_that_episodes_share_does_not_make_them_one(tmp_path):
    """Every episode has its 네, and the first one's delivery would be deleted."""
    first = [f"첫 화의 {n}번째 대사" for n in range(29)]
    take = Take(
        id="", line=Line(Place("row", 1), ""), audio=tmp_path, begin=0, samples=0, sample_rate=1,
        start=None, role=Role(),
    )  # fmt: skip
    rows = [
        Dubbed(take=replace(take, id=text, line=replace(take.line, text=text)), status="failed")
        for text in [*first, "네."]
    ]
    store = Store(tmp_path / "out")
    try:
        one, two = (
            Path("/1화/대본.xlsx"),
            Path("/2화/대본.xlsx"),
        )  # a show's scripts often have one name
        second = [*(f"둘째 화 {n}" for n in range(19)), "네."]
        store.set_owner(one, "", [row.take.line.text for row in rows])
        store.keep_lines([], rows)
        for script, episode in ((two, ""), (one.with_name("2화.xlsx"), ""), (one, "2화")):
            with pytest.raises(OutputError, match="only 1 of 20 lines in common"):
                store.set_owner(script, episode, second)
        store.set_owner(one, "", ["다 고쳐 쓴 대사"])
        store.set_owner(two, "", [*first[:9], *(f"고친 대사 {n}" for n in range(20))])
        store.set_about("episode", one.name)  # as an older Moksori kept it
        store.set_owner(one, "", second)
    finally:
        store.close()


def test_two_jobs_do_not_work_in_one_folder(copied):

    state = Store(copied / "out")
    with pytest.raises(OutputError, match="another job is at work here"):
        run(copied)
    state.close()
    assert run(copied)[1] == []


def test_a_folder_without_a_job_has_no_status(tmp_path):
    with pytest.raises(OutputError, match="no job here"):
        line_states(tmp_path)


def test_a_state_of_a_newer_moksori_is_refused(copied):
    database = sqlite3.connect(copied / "out" / ".moksori" / "job.sqlite")
    with database:
        database.execute("UPDATE about SET value = '99' WHERE name = 'format'")
    database.close()
    with pytest.raises(OutputError, match="newer Moksori"):
        run(copied)
