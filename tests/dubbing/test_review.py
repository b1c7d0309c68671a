"""What a director says of lines is kept, works on the job, and comes back in what is delivered."""

import shutil
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
import soundfile
from typer.testing import CliRunner

from moksori.cli import app
from moksori.dubbing.check import check
from moksori.dubbing.job import again, dub, standing
from moksori.dubbing.new_takes import new_take
from moksori.dubbing.plan.cast import Cast
from moksori.dubbing.plan.takes import find_takes
from moksori.dubbing.records import Change, Mark, Role, Take
from moksori.dubbing.request import JobFile
from moksori.dubbing.review import Review
from moksori.dubbing.states import line_states
from moksori.dubbing.store import Store
from moksori.dubbing.task import Task
from moksori.errors import ConfigError, OutputError
from moksori.script.line import Line, Place
from tests.conftest import DEMO_TEXT, no_relpath, voiced_wave
from tests.dubbing.conftest import InProcess, edit
from tests.dubbing.test_job import request


def job_file(show) -> JobFile:
    """What `request` asks, as job.toml remembers it."""
    return JobFile(
        script=show / "script.xlsx", audio=show / "takes", cast=show / "cast.toml", fps="25"
    )


def line(out, id: str):
    """Where a line stands."""
    return next(row for row in line_states(out) if row.id == id)


CAST = Cast(characters={"하나": Role(voice="lmy", pitch=1.0)})


@pytest.fixture
def job(tmp_path):
    """A job's folder with nothing in it yet."""
    Store(tmp_path / "out").close()
    return tmp_path / "out"


def test_marks_and_changes_are_kept_also_while_the_job_is_at_work(job):
    busy = Store(job)
    review = Review(job)
    review.mark("0001_하나", "안녕?", state="retake", key="abc")
    review.mark("0001_하나", "안녕?", note="더 크게")
    with new_take(job, "0001_하나", ".wav") as take:
        pass
    review.ask("0001_하나", "안녕?", {"text": "안녕!", "pitch": 2.0, "take": take})
    busy.close()
    elsewhere = Review(job)
    assert elsewhere.marks() == {"0001_하나": Mark("retake", "더 크게", "abc", "안녕?")}
    assert elsewhere.changes()["0001_하나"].take == take == job / "takes/0001_하나/1.wav"
    for blank in ("", " ", "안녕?"):  # the text alone is the script's again
        elsewhere.ask("0001_하나", "안녕?", {"text": "안녕!"})
        asked = elsewhere.ask("0001_하나", "안녕?", {"text": blank})
        assert (asked.text, asked.pitch) == (None, 2.0)
    moved = shutil.move(job, job.parent / "moved")
    assert Review(moved).changes()["0001_하나"].take == moved / "takes/0001_하나/1.wav"
    Review(moved).drop("0001_하나")
    assert Review(moved).changes() == Review(moved).marks() == {}


def test_a_folder_without_a_job_has_nothing_and_takes_nothing(tmp_path):
    review = Review(tmp_path / "none")
    assert (review.marks(), review.changes(), review.versions("1")) == ({}, {}, [])
    with pytest.raises(OutputError, match="no job in this folder"):
        review.mark("1", "안녕?", state="ok")
    assert not (tmp_path / "none").exists()


def test_a_change_goes_over_script_and_cast_and_is_left_out_where_the_script_changed(tmp_path):
    takes = tmp_path / "takes"
    takes.mkdir()
    for name in ("1", "2", "3", "new"):
        soundfile.write(takes / f"{name}.wav", voiced_wave(1.0), 22050)
    new = (takes / "new.wav").rename(tmp_path / "new.wav")
    lines = [Line(Place("row", n), "안녕?", character="하나", no=str(n)) for n in (1, 2, 3)]
    changes = {
        "0001_하나": Change(text="안녕!", script_text="안녕?", voice="kih", gain=-3.0),
        "0002_하나": Change(text="잘 가!", script_text="잘 있어?", pitch=0.0),
        "0003_하나": Change(take=new),
    }
    found = find_takes(lines, takes, CAST, changes=changes)
    first, second, third = found.takes
    assert first.line.text == "안녕!" and first.role == Role(voice="kih", pitch=1.0, gain=-3.0)
    assert second.line.text == "안녕?" and second.role == Role(voice="lmy", pitch=0.0)
    assert third.audio == new and third.role == CAST.characters["하나"]
    assert [issue.kind for issue in found.issues] == ["script_changed"]
    track = tmp_path / "track.wav"
    soundfile.write(track, voiced_wave(9.0), 22050)
    timed = [replace(line, start=float(i), end=i + 0.9) for i, line in enumerate(lines)]
    found = find_takes(timed, track, CAST, changes=changes)
    assert [(take.audio, take.cut) for take in found.takes] == [
        (track, True), (track, True), (new, False),
    ]  # fmt: skip
    assert found.takes[2].start == 2.0


def test_a_version_knows_its_take_however_the_job_s_folder_is_named(job, monkeypatch):
    """From the folder beside it, and by a link."""
    monkeypatch.chdir(job.parent)
    (job.parent / "link").symlink_to(job)
    for out in (Path("out"), Path("link"), job.parent / "link"):
        with new_take(out, "0001_하나", ".wav") as path:
            said = Line(Place("row", 1), "안녕?", character="하나")
            brought = Take(
                id="0001_하나", line=said, audio=path, begin=0, samples=1, sample_rate=22050, start=0.0,
                role=Role(voice="lmy"),
            )  # fmt: skip
        Review(out).keep_versions([Task(take=brought, key=path.stem, digest="", store=job)])
    kept = [version.audio for version in Review(job).versions("0001_하나")]
    assert kept == [f"takes/0001_하나/{number}.wav" for number in (1, 2, 3)]


@pytest.mark.slow
def test_versions_and_marks_come_back(show):
    asked, out = request(show), show / "out"
    review, inner = Review(out), InProcess(asked.setup)
    dub(asked, check(asked, review=review), out, lambda: inner)
    id = "0001_하나"
    first = review.versions(id)
    assert [version.voice for version in first] == ["lmy"]
    review.ask(id, line(out, id).script_text, {"voice": "kih"})
    checked = check(asked, review=review)
    before = standing(asked, checked, out)
    assert before[id] is None
    assert [row.status for row in [*before.values()][1:3]] == ["converted", "converted"]
    assert before["0004_둘"] is not None
    (row,) = again(asked, checked, out, lambda: inner, [id])
    assert standing(asked, checked, out)[id].wave == row.wave
    assert [version.voice for version in review.versions(id)] == ["lmy", "kih"]
    marked = CliRunner().invoke(app, ["mark", str(out), id, "hold", "--note", "다시 듣기"])
    assert marked.exit_code == 0, marked.output
    assert review.marks() == {id: Mark("hold", "다시 듣기", row.wave.stem, row.take.line.text)}
    assert CliRunner().invoke(app, ["mark", str(out), "0099", "ok"]).exit_code != 0
    review.mark("0009_없음", "없어진 대사", state="ok")
    review.ask(id, line(out, id).script_text, {"voice": None})  # back to the first version
    inner.asked.clear()
    checked = check(asked, review=review)
    assert [i.place for i in checked.issues if i.kind == "left_behind"] == ["0009_없음"]
    rows = dub(asked, checked, out, lambda: inner).rows
    assert inner.asked == [] and rows[0].wave.stem == first[0].key
    (listed, *_) = openpyxl.load_workbook(out / "retakes.xlsx").worksheets
    cells = [*listed.iter_rows(values_only=True)]
    held = next(row for row in cells[1:] if row[1] == 1)
    assert "다시 듣기" in held and "보류" in held and "01:00:05:10" in held


def test_a_check_with_memory_reads_only_what_has_changed(show, monkeypatch):
    from moksori.dubbing.plan import memory as memories

    read, real = [], memories.read_take
    monkeypatch.setattr(memories, "read_take", lambda take: (read.append(take.id), real(take))[1])
    asked, memory = request(show), memories.Memory()
    first = check(asked, memory=memory)
    assert len(read) == 4
    soundfile.write(show / "takes" / "0002.wav", voiced_wave(3.0), 22050, "PCM_24")
    read.clear()
    second = check(asked, memory=memory)
    assert read == ["0002_둘"]
    assert second.converter is first.converter
    plain = check(asked)
    assert second.issues == plain.issues and second.heard.keys() == plain.heard.keys()
    assert all(second.heard[id].digest == plain.heard[id].digest for id in plain.heard)


@pytest.mark.parametrize("another_drive", [False, True])
def test_what_was_measured_is_kept_for_the_next_process(show, monkeypatch, another_drive):
    from moksori.dubbing.plan import memory as memories

    read, real = [], memories.read_take
    monkeypatch.setattr(memories, "read_take", lambda take: (read.append(take.id), real(take))[1])
    if another_drive:  # the recordings, on Windows
        monkeypatch.setattr("os.path.relpath", no_relpath)
    asked, out = request(show), show / "out"
    Store(out).close()
    first = check(asked, review=Review(out))
    assert len(read) == 4
    read.clear()
    again = check(asked, review=Review(out))
    assert read == [] and again.issues == first.issues
    for id, (digest, source) in first.heard.items():
        assert again.heard[id].digest == digest
        assert (again.heard[id].source is None) == (source is None)
        if source:
            assert (again.heard[id].source.f0 == source.f0).all()
            assert again.heard[id].source.energy == source.energy
    soundfile.write(show / "takes" / "0002.wav", voiced_wave(3.0), 22050, "PCM_24")
    assert check(asked, review=Review(out)).heard["0002_둘"].digest != first.heard["0002_둘"].digest
    assert read == ["0002_둘"]
    (out / ".moksori" / memories.HEARD).write_bytes(b"no database" * 100)
    for times in (4, 4, 0):  # damaged, made anew, used
        read.clear()
        assert check(asked, review=Review(out)).heard.keys() == first.heard.keys()
        assert len(read) == times


def test_a_line_s_own_changes_by_command(show, monkeypatch):
    from moksori.dubbing.work import engines

    asked, out, inner = request(show), show / "out", InProcess(request(show).setup)
    monkeypatch.setattr(engines, "LocalEngine", lambda setup, workers: inner)
    dub(
        asked,
        check(asked),
        out,
        lambda: inner,
        asked=job_file(show).model_dump(exclude_defaults=True),
    )
    before = line(out, "0001_하나").key

    def run(*given: str):
        return CliRunner().invoke(app, ["change", str(out), "0001_하나", *given])

    assert run().output.strip() == "0001_하나: –"
    done = run("--text", f"{DEMO_TEXT} 그래요.", "--pitch", "2", "--effort", "0.5", "--gain", "-3")
    assert done.exit_code == 0, done.output
    assert "effort 0.5" in done.output
    shown = " ".join(run("--lang", "ko").output.split())
    assert shown == f"0001_하나: 글 “{DEMO_TEXT} 그래요.”, 높낮이 +2.0, 힘 0.5, 음량 -3.0 dB"
    change = Review(out).changes()["0001_하나"]
    assert (change.pitch, change.effort, change.gain) == (2, 0.5, -3)
    assert change.script_text == line(out, "0001_하나").text
    done = run("--voice", "kih", "--take", str(show / "takes" / "0002.wav"), "--convert")
    assert done.exit_code == 0, done.output
    made = check(asked, review=Review(out))
    take = next(take for take in made.takes if take.id == "0001_하나")
    assert (take.line.text, take.role.voice, take.role.effort) == (
        f"{DEMO_TEXT} 그래요.",
        "kih",
        0.5,
    )
    assert take.audio == out / "takes/0001_하나/1.wav" and line(out, "0001_하나").key != before
    assert line(out, "0001_하나").status == "converted"
    assert Review(out).versions("0001_하나")[-1].effort == 0.5
    assert run("--as-script").output.strip() == "0001_하나: –"
    assert Review(out).changes() == {}
    for wrong in (["--pitch", "30"], ["--voice", "nobody"], ["--take", str(show / "script.xlsx")]):
        assert run(*wrong).exit_code != 0
    unknown = CliRunner().invoke(app, ["change", str(out), "9999_없음", "--pitch", "1"])
    assert unknown.exit_code != 0 and Review(out).changes() == {}
    # The job last saw another text; what is asked now stands against the script's all the same.
    assert line(out, "0001_하나").text != line(out, "0001_하나").script_text == DEMO_TEXT
    assert run("--text", f"{DEMO_TEXT} 정말.").exit_code == 0
    made = check(asked, review=Review(out))
    assert made.lines["0001_하나"].text == f"{DEMO_TEXT} 정말."
    assert not [issue for issue in made.issues if issue.kind == "script_changed"]


def test_a_change_that_cannot_be_converted_says_why(show):
    asked, out = request(show), show / "out"
    given = job_file(show).model_dump(exclude_defaults=True)
    dub(asked, check(asked), out, lambda: InProcess(asked.setup), asked=given)
    said = ["change", str(out), "0001_하나", "--text", "hello xyzzy", "--convert"]
    done = CliRunner().invoke(app, said)
    assert isinstance(done.exception, ConfigError)
    assert "xyzzy" in done.exception.say("ko") and "--as-script" in done.exception.say("ko")
    nothing = CliRunner().invoke(app, ["mark", str(show), "0001_하나", "ok"])
    assert "no job in this folder" in str(nothing.exception)


def test_what_has_no_result_to_hear_is_not_marked_ok(show):
    asked, out = request(show), show / "out"
    dub(asked, check(asked), out, lambda: InProcess(asked.setup))
    with closing(sqlite3.connect(out / ".moksori" / "job.sqlite")) as state, state:
        state.execute("DELETE FROM work")  # as before its first run
    done = CliRunner().invoke(app, ["mark", str(out), "1", "ok"])
    assert "no result to hear" in str(done.exception)
    assert CliRunner().invoke(app, ["mark", str(out), "1", "hold"]).exit_code == 0


def test_a_line_that_is_renumbered_meanwhile_is_the_one_that_is_converted(show, monkeypatch):
    from moksori.dubbing.work import engines

    asked, out, inner = request(show), show / "out", InProcess(request(show).setup)
    monkeypatch.setattr(engines, "LocalEngine", lambda setup, workers: inner)
    given = job_file(show).model_dump(exclude_defaults=True)
    dub(asked, check(asked), out, lambda: inner, asked=given)
    edit(show, "A2", 11)
    said = ["change", str(out), "0001_하나", "--pitch", "3", "--convert"]
    done = CliRunner().invoke(app, said)
    assert done.exit_code == 0, done.output
    assert "0011_하나: " in " ".join(done.output.split())
    assert Review(out).changes()["0011_하나"].pitch == 3
    assert line(out, "0011_하나").status == "converted"


def test_a_line_is_named_by_its_number_and_found_where_it_is_now(show, monkeypatch):
    """`--status` shows the job's ids; a script that was numbered anew since has others."""
    from moksori.dubbing.work import engines

    asked, out, inner = request(show), show / "out", InProcess(request(show).setup)
    monkeypatch.setattr(engines, "LocalEngine", lambda setup, workers: inner)
    given = job_file(show).model_dump(exclude_defaults=True)
    dub(asked, check(asked), out, lambda: inner, asked=given)

    def run(*said):
        return CliRunner().invoke(app, [*said])

    assert run("mark", str(out), "1", "hold").output.startswith("0001_하나: on hold")
    assert run("mark", str(out), "1", "Hold").exit_code == 0  # as the page and the lists write it
    for said, shown in (("재녹음", "재녹음"), ("보류", "보류"), ("해제", "미확인"), ("ok", "OK")):
        done = run("mark", str(out), "1", said, "--lang", "ko")
        assert done.output == f"0001_하나: {shown}\n"
    assert Review(out).marks()["0001_하나"].state == "ok"
    assert run("change", str(out), "01", "--pitch", "2").exit_code == 0
    assert Review(out).changes()["0001_하나"].pitch == 2
    assert run("mark", str(out), "99", "ok").exit_code != 0
    edit(show, "A2", 11)
    heard = run("audition", str(out), "1", "kih", "-o", str(show / "heard"))
    assert heard.exit_code == 0, heard.output
    assert [path.name for path in (show / "heard").glob("*.wav")] == ["0011_하나_kih.wav"]
    book = openpyxl.load_workbook(show / "script.xlsx")  # a row that the job has not seen yet
    book.active.append([7, "01:01:05:10", "01:01:09:20", "하나", "성우1", DEMO_TEXT, "0001"])
    book.save(show / "script.xlsx")
    assert run("audition", str(out), "7", "kih").exit_code == 0
    fresh = show / "fresh"
    fresh.mkdir()
    job_file(show).save(fresh)
    for voice in ("kih", "ava"):  # of a job that was never dubbed
        assert run("audition", str(fresh), "0002_둘", voice).exit_code == 0


def test_what_two_say_of_a_line_at_once_is_all_kept(job):
    id, times = "0001_하나", 20
    ready = threading.Barrier(4)

    def say(*said: dict[str, object]) -> None:
        own = Review(job)
        for i in range(times):
            ready.wait(10)
            if "state" in said[i % 2] or "note" in said[i % 2]:
                own.mark(id, "안녕?", **said[i % 2])
            else:
                own.ask(id, "안녕?", said[i % 2])

    with ThreadPoolExecutor(4) as pool:
        works = [
            pool.submit(say, {"state": "hold"}, {"state": "retake"}),
            pool.submit(say, {"note": "다시"}, {"note": "더 크게"}),
            pool.submit(say, {"pitch": 1.0}, {"pitch": 2.0}),
            pool.submit(say, {"gain": -1.0}, {"gain": -2.0}),
        ]
        for work in works:
            work.result()
    assert Review(job).marks()[id][:2] == ("retake", "더 크게")
    assert Review(job).changes()[id] == Change(script_text="안녕?", pitch=2.0, gain=-2.0)


def test_what_was_not_seen_when_it_was_written_over_is_kept_and_told(job):
    id, first, second = "0001_하나", Review(job), Review(job)
    first.mark(id, "안녕?", {"note": "", "state": ""}, note="너무 큽니다", state="hold")
    with pytest.raises(OutputError, match="on hold"):
        second.mark(id, "안녕?", {"state": ""}, state="retake")
    for state in ("hold", "retake"):  # the same is no news; what was seen is replaced
        assert second.mark(id, "안녕?", {"state": "hold"}, state=state).state == state
    kept = second.mark(id, "안녕?", {"note": ""}, note="숨소리")
    assert kept.note == "너무 큽니다 / 숨소리"
    assert second.mark(id, "안녕?", {"note": "너무 큽니다"}, note="").note == kept.note
    assert first.mark(id, "안녕?", {"note": kept.note}, note="").note == ""
    assert second.mark(id, "안녕?", {"note": kept.note}, note="새로").note == "새로"


def test_lines_of_an_older_moksori_had_no_script_text(job):
    import sqlite3

    with sqlite3.connect(job / ".moksori" / "job.sqlite") as database:
        database.execute("ALTER TABLE lines DROP COLUMN script_text")
        database.execute(
            "INSERT INTO lines VALUES ('a', 0, '[\"row\", 2, \"\"]', '하나', '안녕', 'k')"
        )
    assert line(job, "a").script_text == "안녕"
    Store(job).close()
    assert line(job, "a").script_text == "안녕"


def test_versions_of_an_older_moksori_had_no_effort(job):
    import sqlite3

    with sqlite3.connect(job / ".moksori" / "job.sqlite") as database:
        database.execute("CREATE TABLE marks (id, state, note, key, text)")
        database.execute("CREATE TABLE changes (id, value)")
        database.execute(
            "CREATE TABLE versions (number INTEGER PRIMARY KEY, id, key, at, text, voice, pitch, gain, audio)"
        )
        database.execute(
            "INSERT INTO versions VALUES (1, 'a', 'k', 't', '안녕', 'lmy', 0, 0, 'a.wav')"
        )
    assert Review(job).versions("a")[0].effort == 1
