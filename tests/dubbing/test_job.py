"""Whole jobs on a small show of synthetic takes; on real recordings where the corpus is."""

import csv
import errno
import json
import os
import shutil
import sqlite3
from collections import Counter
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import openpyxl
import opentimelineio
import pytest
import soundfile
import torch
from wavinfo import WavInfoReader

from moksori.dubbing.check import keep_preflight
from moksori.dubbing.deliver.retakes import to_look_at
from moksori.dubbing.job import _tasks, again, audition, check, dub, standing
from moksori.dubbing.processes import process_pool
from moksori.dubbing.progress import Stage, Watch
from moksori.dubbing.records import Dubbed, Role, Take
from moksori.dubbing.request import JobFile, Request, load_job, remember
from moksori.dubbing.states import line_states
from moksori.dubbing.store import Store
from moksori.dubbing.task import Setup
from moksori.dubbing.work import engines
from moksori.dubbing.work import worker as work
from moksori.dubbing.work.cluster import RayEngine
from moksori.dubbing.work.engines import LocalEngine
from moksori.errors import ConfigError, OutputError, VoiceError
from moksori.script.line import Line, Place
from moksori.signal.pitch import mean_log_f0 as mean_of
from moksori.timecode import FrameRate, format_timecode, parse_time
from tests.conftest import DEMO_TEXT
from tests.dubbing.conftest import CAST, InProcess, edit, files, request, run

pytestmark = pytest.mark.slow


def test_every_line_is_in_its_voice_and_as_long_as_its_recording(dubbed):
    show, rows, asked = dubbed
    assert [row.status for row in rows] == ["converted", "converted", "converted", "passed"]
    assert len(asked) == 4
    for row in rows:
        made = soundfile.info(show / "out" / "lines" / f"{row.take.id}.wav")
        source = soundfile.info(row.take.audio)
        assert (made.frames, made.samplerate, made.subtype) == (
            source.frames, source.samplerate, "PCM_24",
        )  # fmt: skip
    laugh, source = (soundfile.read(p)[0] for p in (rows[3].wave, rows[3].take.audio))
    np.testing.assert_array_equal(laugh, source)


def test_lines_lie_on_the_reel_to_the_sample(dubbed):
    """The stems are the lines at their time codes, silence elsewhere."""
    import soxr

    show, rows, _ = dubbed
    reel, rate = soundfile.read(show / "out" / "reel.wav")
    assert rate == 48000
    start = WavInfoReader(str(show / "out" / "reel.wav")).bext.time_reference
    assert start == 3600 * 48000
    expected = np.zeros_like(reel)
    for row in rows:
        place = round((row.take.line.start - 3600) * 48000)
        assert place == round((int(row.take.line.no) * 5 + 10 / 25) * 48000)
        wave, own = soundfile.read(row.wave)
        wave = soxr.resample(wave, own, 48000, quality="VHQ")
        expected[place : place + len(wave)] += wave
    gain = (reel @ expected) / (expected @ expected)
    np.testing.assert_allclose(reel, gain * expected, atol=2**-22)
    timeline = opentimelineio.adapters.read_from_file(str(show / "out" / "reel.otio"))
    for track in timeline.tracks:
        for clip in track.find_clips():
            (row,) = [
                row for row in rows if row.take.id in unquote(clip.media_reference.target_url)
            ]
            begin = clip.range_in_parent().start_time
            assert begin.value == round(row.take.start * 48000)


def test_all_is_handed_over(dubbed):
    show, rows, _ = dubbed
    made = files(show / "out")
    ids = [row.take.id for row in rows]
    assert {*made} == {
        "preflight.xlsx", "reel.edl", "reel.otio", "session.rpp", "session.aaf", "dapt.xml",
        "reel.wav", "report.html", "retakes.xlsx",
        "subtitles.ass", "subtitles.srt", "subtitles.vtt", "words.csv",
        "stems/하나_01.00.05.10.wav", "stems/둘_01.00.10.10.wav",
        *(f"lines/{id}.wav" for id in ids), *(f"timings/{id}.TextGrid" for id in ids[:3]),
        *(("markers.txt", "markers.csv") if any(map(to_look_at, rows)) else ()),
        *(f"visemes/{id}.{kind}" for id in ids for kind in ("json", "csv")),
        *(f"mouth/{id}.{kind}" for id in ids for kind in ("tsv", "json", "xml", "dat")),
        "report.single.html", *(f"report/{id}.{kind}.flac" for id in ids for kind in ("source", "result")),
        *(f"report/{id}.png" for id in ids[:3]),
    }  # fmt: skip
    words = [*csv.DictReader((show / "out" / "words.csv").open(encoding="utf-8-sig"))]
    assert len(words) == 3 * len(DEMO_TEXT.split())
    mouth = json.loads(made[f"mouth/{ids[0]}.json"])
    assert mouth["mouthCues"][-1]["end"] == pytest.approx(rows[0].take.seconds, abs=0.02)
    assert [state.status for state in line_states(show / "out")] == [row.status for row in rows]


def test_the_same_again_does_nothing(dubbed):
    show, _, _ = dubbed
    before = {path: path.stat().st_mtime_ns for path in (show / "out").rglob("*.*")}
    assert run(show)[1] == []
    after = {path: path.stat().st_mtime_ns for path in (show / "out").rglob("*.*")}
    unlike = {path.name for path in before if before[path] != after.get(path)}
    assert unlike <= {"job.sqlite", "job.copy.sqlite", "heard.sqlite", ".moksori"}


def test_an_edited_line_alone_is_converted_again(copied):
    text = "오늘 밤, 우리가 이 마을을 지킨다. 다 됐어?"
    edit(copied, "F3", text)
    edit(copied, "D5", "하나")  # the laugh changes its character: another role, so passed anew
    _, asked = run(copied)
    assert asked == [text, "(웃음)"]
    assert {path for path in files(copied / "out") if path.startswith("stems/둘")} == {
        "stems/둘_01.00.10.10.wav"  # the part of the laugh has gone
    }
    assert "lines/0004_둘.wav" not in files(copied / "out")  # its name has changed


def test_a_changed_role_converts_its_character_alone(copied):
    (copied / "cast.toml").write_text(CAST.replace("kih", "pmb"), encoding="utf-8")
    assert len(run(copied)[1]) == 2  # row 3, and the laugh


def test_what_is_passed_is_the_recording_to_the_last_bit(copied):
    """A laugh in each format, all in one job."""
    noise = 0.1 * np.random.default_rng(0).standard_normal((22050, 2))
    subtypes = ("PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")
    for row, subtype in enumerate(subtypes, 5):  # the first in place of the show's own
        soundfile.write(copied / "takes" / f"{row - 1:04d}.wav", noise, 44100, subtype)
        cells = (row - 1, f"01:01:{row:02d}:00", None, "둘", "성우0", "(웃음)", f"{row - 1:04d}")
        for column, value in zip("ABCDEFG", cells, strict=True):
            edit(copied, f"{column}{row}", value)
    rows, asked = run(copied)
    assert asked == ["(웃음)"] * 5
    for number, (row, subtype) in enumerate(zip(rows[3:], subtypes, strict=True), 4):
        made = copied / "out" / "lines" / f"{number:04d}_둘.wav"
        (heard, rate), (source, _) = (
            soundfile.read(path, dtype="float64")
            for path in (made, copied / "takes" / f"{number:04d}.wav")
        )
        assert (row.status, rate) == ("passed", 44100)
        np.testing.assert_array_equal(heard, source, err_msg=subtype)
        assert soundfile.info(made).subtype == subtype


def test_a_changed_recording_converts_its_line_alone(copied):
    path = copied / "takes" / "0001.wav"
    samples, rate = soundfile.read(path)
    soundfile.write(path, samples[:-100], rate, "PCM_24")
    _, asked = run(copied)
    assert len(asked) == 1
    assert soundfile.info(copied / "out" / "lines" / "0001_하나.wav").frames == len(samples) - 100


def test_renumbered_and_moved_lines_are_not_converted_again(copied):
    before = soundfile.read(copied / "out" / "reel.wav")[0]
    edit(copied, "A2", 9)
    edit(copied, "B2", "01:00:00:00")
    rows, asked = run(copied)
    assert asked == []
    assert (rows[0].take.id, rows[0].take.start) == ("0009_하나", 0.0)
    after = soundfile.read(copied / "out" / "reel.wav")[0]
    assert np.abs(after[:48000]).max() > 0.01 > np.abs(before[:48000]).max()


def test_a_deleted_outcome_is_made_anew_and_a_delivered_file_comes_back(copied):
    before = files(copied / "out")
    next((copied / "out" / ".moksori" / "lines").glob("*.json")).unlink()
    (copied / "out" / "reel.edl").unlink()
    assert len(run(copied)[1]) == 1
    assert files(copied / "out") == before


def test_a_line_that_fails_does_not_stop_the_others(copied, monkeypatch):
    edit(copied, "F2", "가나다라 마바사")
    real = work.convert_line

    def broken(converter, recording, text, *more, **named):
        if text.startswith("가나다라"):
            raise ZeroDivisionError("half a line")
        return real(converter, recording, text, *more, **named)

    monkeypatch.setattr(work, "convert_line", broken)
    rows, asked = run(copied)
    assert (rows[0].status, len(asked)) == ("failed", 1)
    assert "unexpected ZeroDivisionError: half a line" in rows[0].error.say("en")
    assert [row.status for row in rows[1:]] == ["converted", "converted", "passed"]
    assert run(copied)[1] == []  # nothing has changed, so it is not tried again
    monkeypatch.setattr(work, "convert_line", real)
    asked_for = request(copied)
    checked = check(asked_for)
    rows, *_ = dub(
        asked_for, checked, copied / "out", lambda: InProcess(asked_for.setup),
        retry_failed=True,
    )  # fmt: skip
    assert rows[0].status == "converted"
    book = openpyxl.load_workbook(copied / "out" / "retakes.xlsx")
    assert book.active.max_row >= 1


def test_a_job_that_was_cut_anywhere_goes_on(copied, tmp_path):
    """Cut after each step of the state in turn; the outcome is the same bytes, no line is lost."""
    whole = files(copied / "out")
    shutil.rmtree(copied / "out")

    class Cut(Exception):
        pass

    class Failing(InProcess):
        def __init__(self, setup, limit):
            super().__init__(setup)
            self.limit = limit

        def map(self, method, tasks):
            for i, outcome in enumerate(super().map(method, tasks)):
                if method == "convert" and i == self.limit:
                    raise Cut  # the work is done, but nobody was told
                yield outcome

    converted = 0
    for limit in (0, 1, 0):
        asked = request(copied)
        engine = Failing(asked.setup, limit)
        with pytest.raises(Cut):
            dub(asked, check(asked), copied / "out", lambda e=engine: e)
        converted += sum(method == "convert" for method, _ in engine.asked)
    converted += len(run(copied)[1])
    assert converted <= 4 + 3  # a line in hand each time
    assert files(copied / "out") == whole


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
        store.belongs_to(one, "", [row.take.line.text for row in rows])
        store.plan([], rows)
        for script, episode in ((two, ""), (one.with_name("2화.xlsx"), ""), (one, "2화")):
            with pytest.raises(OutputError, match="only 1 of 20 lines in common"):
                store.belongs_to(script, episode, second)
        store.belongs_to(one, "", ["다 고쳐 쓴 대사"])
        store.belongs_to(two, "", [*first[:9], *(f"고친 대사 {n}" for n in range(20))])
        store.set_about("episode", one.name)  # as an older Moksori kept it
        store.belongs_to(one, "", second)
    finally:
        store.close()


@pytest.mark.parametrize(
    ("fps", "first"),
    [("23.976", "01:00:00:00"), ("29.97df", "01:00:00;00"), ("29.97df", "10:00:05;12"),
     ("29.97", "01:00:01:00"),
     ("25", "01:59:59:24")],
)  # fmt: skip
def test_the_reel_begins_at_the_time_code_s_hour(show, fps, first):
    """Not at the clock's: an hour of 23.976 frames a second lasts 3603.6 s."""
    rate = FrameRate.parse(fps)
    for row in range(2, 6):
        edit(show, f"B{row}", first)
        edit(show, f"C{row}", None)
    checked = check(replace(request(show), frame_rate=rate))
    assert format_timecode(checked.origin, rate)[:8] == f"{first[:2]}:00:00"
    start = parse_time(first, rate) - checked.origin
    assert [take.start for take in checked.takes] == [pytest.approx(max(start, 0))] * 4
    assert 0 <= start < 3604


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
            for task in _tasks(asked, checked, store)[:2]
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


def test_workers_of_ray_give_the_same_bytes(copied):
    """As those of this machine do, in the test of one that dies."""
    whole = files(copied / "out")
    run(copied, "other", RayEngine(Setup(), 2))
    assert files(copied / "other") == whole


def test_a_look_fixes_nothing_of_an_actor(show):
    """What he usually is is measured of all that is there when his first line is converted."""
    asked, out = request(show), show / "out"
    out.mkdir()
    standing(asked, check(asked), out)
    store = Store(out)
    assert store.actors() == {}
    store.close()
    dub(asked, check(asked), out, lambda: InProcess(asked.setup))
    store = Store(out)
    assert {*store.actors()} == {
        take.line.actor or take.line.character for take in check(asked).takes
    }
    store.close()


def test_one_actor_s_higher_line_stays_higher(show):
    """By the actor's register; by the line's own, every line is put at the voice's mean."""
    from moksori.conversion.converter import Converter

    converter = Converter.from_pretrained()
    wave, rate = soundfile.read(show / "takes" / "0001.wav", dtype="float32")
    soundfile.write(
        show / "takes" / "0003.wav", wave, round(rate * 1.19), "PCM_24"
    )  # 3 semitones up
    edit(show, "E4", "성우1")
    edit(show, "E2", "성우1")
    apart = {}
    for register in ("actor", "line"):
        asked = request(show, mean_f0=register)
        engine = InProcess(asked.setup)
        rows = again(
            asked, check(asked), show / "out", lambda e=engine: e, ["0001_하나", "0003_하나"]
        )
        means = [mean_of(torch.from_numpy(converter.source(row.wave).f0)) for row in rows]
        apart[register] = 12 / np.log(2) * (means[1] - means[0])
    assert apart["actor"] == pytest.approx(3, abs=0.7)
    assert apart["line"] == pytest.approx(0, abs=0.7)


def test_the_command_line_from_cast_to_delivery(show):
    """As a user would: a first cast, its voices filled in, the check, the job, its status."""
    from typer.testing import CliRunner

    from moksori.cli import app

    def moksori(*args):
        return CliRunner().invoke(app, [*map(str, args)], env={"COLUMNS": "200"})

    job = [
        "dub", show / "script.xlsx", "--audio", show / "takes", "--cast", show / "new.toml", "--fps", "25",
        "-o", show / "out", "--lang", "en", "--loudness", "ebu",
    ]  # fmt: skip
    assert (
        moksori("cast", show / "script.xlsx", "-o", show / "new.toml", "--fps", "25").exit_code == 0
    )
    again = moksori("cast", show / "script.xlsx", "-o", show / "new.toml", "--fps", "25")
    assert "has all characters" in again.output
    unfilled = moksori(*job, "--check")
    assert unfilled.exit_code == 2
    assert "no voice is chosen for “하나”" in unfilled.output
    refused = moksori(*job)
    assert refused.exit_code == 1
    assert "4 faults, all in" in str(refused.exception)
    cast = (show / "new.toml").read_text(encoding="utf-8")
    filled = cast.replace('voice = ""', 'voice = "lmy"\nnonverbal = "leave"')
    (show / "new.toml").write_text(filled, encoding="utf-8")
    assert moksori(*job, "--check").exit_code == 0
    (show / "takes" / "0001.wav").unlink()
    (show / "out" / "preflight.xlsx").write_text("mine")
    looked = moksori(*job, "--check").output
    assert "no recording “0001”" in looked
    assert "preflight (1).xlsx" in looked  # kept, and told
    assert (show / "out" / "preflight (1).xlsx").read_text() == "mine"
    made = moksori(*job, "--skip-faulty", "--workers", "1")
    assert made.exit_code == 1
    assert "2 converted, 1 as recorded, 1 failed" in made.output
    (first, *_), *_ = openpyxl.load_workbook(show / "out" / "retakes.xlsx").active.iter_rows(
        min_row=2
    )
    assert first.value == 1  # what has no recording is the first to be recorded
    shown = moksori("dub", "--status", "-o", show / "out")  # in the job's language
    assert "Converted 2, As recorded 1, Failed 1" in shown.output
    assert "no recording “0001”" in shown.output
    assert (show / "out" / "report.html").exists()


def test_arguments_that_cannot_be_are_told(show):
    from typer.testing import CliRunner

    from moksori.cli import app

    job = ["dub", show / "script.xlsx", "--audio", show / "takes", "--cast", show / "cast.toml", "-o",
           show / "out"]  # fmt: skip
    for more, message in (
        (["--fps", "26"], "not a frame rate"),
        (["--fps", "25", "--start", "soon"], "soon"),
        (["--fps", "25", "--columns", "배역"], "write KEY=HEADER"),
        (["--fps", "25", "--columns", "hero=배역"], "hero"),
        (["--fps", "25", "--episode", "2화"], "2화"),
        (["--fps", "25", "--model", "nowhere"], "nowhere"),
        (["--fps", "25", "--vocoder", "nowhere"], "no vocoder “nowhere”"),
        (["--fps", "25", "--lexicon", "nowhere.tsv"], "nowhere.tsv"),
        (["--status"], "no job here"),
        ([], "--fps"),  # the script counts frames
    ):
        result = CliRunner().invoke(app, [*map(str, job), *more], env={"COLUMNS": "200"})
        assert result.exit_code != 0
        assert message in f"{result.output} {result.exception}", (
            more,
            result.output,
            result.exception,
        )


def test_an_episode_of_real_recordings(shared, tmp_path):
    """A script and a track of the corpus, as benchmarks/episode.py makes them, from each form of script."""
    import subprocess
    import sys

    maker = Path(__file__).parents[2] / "benchmarks" / "episode.py"
    corpus = shared / "corpus" / "emotiontts"
    subprocess.run(
        [sys.executable, maker, corpus, tmp_path / "ep", "--lines", "10"],
        check=True,
        capture_output=True,
    )
    ep = tmp_path / "ep"
    made, texts = {}, []
    for script, audio in (
        ("script.xlsx", "takes"),
        ("script.srt", "track.wav"),
        ("script.ass", "track.wav"),
    ):
        asked = Request(
            script=ep / script,
            audio=ep / audio,
            cast=ep / "cast.toml",
            frame_rate=FrameRate.parse("29.97df"),
        )
        checked, out = check(asked), tmp_path / script
        assert not checked.faults
        texts.append([take.line.text for take in checked.takes])
        engine = InProcess(asked.setup)
        if script == "script.xlsx":
            rows = dub(asked, checked, out, lambda e=engine: e).rows
        else:  # some of the lines, and the one that is to be passed
            ids = [take.id for take in checked.takes[:4] + checked.takes[9:]]
            rows = again(asked, checked, out, lambda e=engine: e, ids)
        assert [row.status for row in rows] == ["converted"] * (len(rows) - 1) + ["passed"]
        assert np.median([row.metrics["confidence"] for row in rows[:-1]]) > 0.6
        made[script] = rows
    assert len(made["script.xlsx"]) == 10 and len(made["script.ass"]) == 5
    assert texts[0] == texts[1] == texts[2]
    # The track's cuts have handles, so that the same speech lies elsewhere in the wave, not on the reel.
    apart = [
        row.take.start + word.begin - cut.take.start - other.begin
        for row, cut in zip(made["script.xlsx"][:4], made["script.ass"][:4], strict=True)
        for word, other in zip(row.words, cut.words, strict=True)
    ]
    assert np.mean(np.abs(apart)) < 0.02


def test_the_job_remembers_what_it_was_asked(show):
    """`-o OUT` alone resumes; a new option is remembered; paths near the folder are relative to it."""
    job = JobFile(
        script=show / "script.xlsx", audio=show / "takes", cast=show / "cast.toml", fps="25",
        without=("mouth",), lang="en",
    )  # fmt: skip
    (show / "out").mkdir()
    job.save(show / "out")
    written = (show / "out" / "job.toml").read_text(encoding="utf-8")
    assert 'script = "../script.xlsx"' in written
    again = load_job(show / "out")
    assert again == job
    changed = again.merged({"loudness": "ebu"})
    assert (changed.loudness, changed.without, changed.fps) == ("ebu", ("mouth",), "25")
    (show / "out" / "job.toml").write_text("loudness = 'loud'", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"job\.toml: “loudness”"):
        load_job(show / "out")
    with pytest.raises(ConfigError, match="name the script"):
        JobFile().request()


def test_a_job_that_was_cut_remembers_what_it_was_asked(show):
    """Written before any work, by a check too."""

    class Cut(InProcess):
        def map(self, method, tasks):
            raise KeyboardInterrupt

    job = JobFile(
        script=show / "script.xlsx", audio=show / "takes", cast=show / "cast.toml", fps="25"
    )
    asked = job.request()
    given = job.model_dump(exclude_defaults=True)
    keep_preflight(asked, check(asked), show / "looked", given)
    with pytest.raises(KeyboardInterrupt):
        dub(asked, check(asked), show / "out", lambda: Cut(asked.setup), asked=given)
    assert load_job(show / "out") == load_job(show / "looked") == job


def test_what_is_asked_for_is_put_beside_what_others_have_asked_for_meanwhile(show):
    """A command that has looked for minutes does not bring back the settings of when it began."""
    out = show / "out"
    Store(out).close()
    remember(out, {"script": show / "script.xlsx", "fps": "25"})
    remember(out, {"loudness": "netflix"})
    assert remember(out, {"fps": "24"}).loudness == "netflix"
    asked = request(show)
    given = {"audio": show / "takes", "cast": show / "cast.toml", "fps": "25"}
    checked = check(asked)
    remember(out, {"title": "달 토끼"})
    dub(asked, checked, out, lambda: InProcess(asked.setup), asked=given)
    file = load_job(out)
    assert (file.title, file.loudness, file.fps) == ("달 토끼", "netflix", "25")
    assert file.audio == show / "takes"


def test_a_faulty_line_is_listed_with_its_recording_and_did_not_stay(show):
    (show / "takes" / "0003.wav").unlink()
    soundfile.write(show / "takes" / "0003.wav", np.zeros(44100), 44100)
    book = openpyxl.load_workbook(show / "script.xlsx")
    for row in book.active.iter_rows(min_row=2, min_col=7, max_col=7):
        row[0].value = None  # the recordings are found by their names
    book.save(show / "script.xlsx")
    asked, out = replace(request(show), pattern="{no:04d}.wav"), show / "out"
    result = dub(asked, check(asked), out, lambda: InProcess(asked.setup))
    assert (result.new, result.stayed, result.left_out) == (3, 0, 1)
    sheet = openpyxl.load_workbook(out / "retakes.xlsx").worksheets[0]
    head, *rows = sheet.iter_rows(values_only=True)
    files = {row[head.index("번호")]: row[head.index("파일")] for row in rows}
    assert files[3] == "0003.wav"
    assert dub(asked, check(asked), out, lambda: InProcess(asked.setup)).stayed == 3


def test_a_device_that_is_not_there_is_told_before_anything_is_touched(show):
    run(show)
    before = files(show / "out")
    asked = request(show)
    wrong = replace(asked, setup=replace(asked.setup, device="cuda:7"))
    with pytest.raises(ConfigError, match="cuda:7"):
        dub(wrong, check(wrong), show / "out", lambda: LocalEngine(wrong.setup, 1))
    assert files(show / "out") == before


def test_a_recording_that_may_not_be_read_is_one_line_s_fault(show, monkeypatch):
    real = Path.open

    def closed(path, *args, **kwargs):
        if path.name == "0002.wav":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", closed)
    checked = check(request(show))
    (fault,) = checked.faults
    assert "권한이 없습니다" in fault.say("ko") and len(checked.takes) == 3


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


def test_an_audition_is_kept_for_the_job(show):
    """A line in three voices; cast in one of them, the job need not convert it."""
    asked = request(show)
    checked = check(asked)
    id, engine = checked.takes[0].id, InProcess(asked.setup)
    heard = audition(asked, checked, show / "out", lambda: engine, id, ["kih", "ava", "pmb"])
    assert [*heard] == ["kih", "ava", "pmb"]
    waves = [soundfile.read(row.wave)[0] for row in heard.values()]
    assert not np.allclose(waves[0], waves[1])
    cast = (show / "cast.toml").read_text(encoding="utf-8")
    (show / "cast.toml").write_text(cast.replace('"lmy"', '"ava"'), encoding="utf-8")
    rows, converted = run(show)
    assert len(converted) == 3  # of four
    np.testing.assert_array_equal(soundfile.read(rows[0].wave)[0], waves[1])
    with pytest.raises(ConfigError, match="1 to 4 voices"):
        audition(asked, checked, show / "out", lambda: engine, id, list("abcde"))
    with pytest.raises(VoiceError, match="no voice “nobody”"):
        audition(asked, checked, show / "out", lambda: engine, id, ["nobody"])
    laugh = checked.takes[3].id
    with pytest.raises(ConfigError, match="is not converted"):
        audition(asked, checked, show / "out", lambda: engine, laugh, ["kih"])


def test_one_line_can_be_converted_again_alone(copied):
    asked = request(copied)
    edit(copied, "F2", "오늘 밤, 우리가 이 마을을 지킨다. 다 됐어?")
    checked = check(asked)
    engine, before = InProcess(asked.setup), files(copied / "out")
    (row,) = again(asked, checked, copied / "out", lambda: engine, [checked.takes[0].id])
    assert (row.status, len(engine.asked)) == ("converted", 1)
    assert files(copied / "out") == before  # nothing is delivered yet
    assert run(copied)[1] == []
    with pytest.raises(ConfigError, match="no line “x”"):
        again(asked, checked, copied / "out", lambda: engine, ["x"])


def test_a_take_is_decoded_twice_and_its_f0_tracked_once(show, monkeypatch):
    """Decoded once to be looked at and once to be converted; the conversion's F0 is tracked too."""
    from moksori.conversion import converter
    from moksori.dubbing import task
    from moksori.signal import audio

    reads, tracks = [], []
    read, track = audio.read, converter.f0_of

    def counted_read(path, *more, **named):
        reads.append(Path(path).name)
        return read(path, *more, **named)

    def counted_track(wave, config):
        tracks.append(len(wave))
        return track(wave, config)

    monkeypatch.setattr(task.audio, "read", counted_read)
    monkeypatch.setattr(converter, "f0_of", counted_track)
    run(show)
    assert Counter(reads) == dict.fromkeys((f"{n:04d}.wav" for n in range(1, 5)), 2)
    assert len(tracks) == 3  # the laugh is passed
