"""The job's folder among people: looked at, copied, linked, damaged, full, read-only, used twice."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from moksori.cli import app
from moksori.dubbing.check import check, keep_preflight
from moksori.dubbing.database import Database, sqlite_errors
from moksori.dubbing.job import dub
from moksori.dubbing.request import JobFile, load_job
from moksori.dubbing.states import line_states
from moksori.dubbing.store import Store
from moksori.errors import OutputError
from tests.dubbing.conftest import InProcess, edit, files, request, run, sound

pytestmark = pytest.mark.slow


def times(out: Path) -> dict[str, int]:
    """When each delivered file was written."""
    return {
        path.relative_to(out).as_posix(): path.stat().st_mtime_ns
        for path in out.rglob("*")
        if path.is_file() and ".moksori" not in path.parts
    }


def touched(out: Path) -> None:
    """As after copying, unzipping or syncing: the same contents, other times."""
    for number, path in enumerate(sorted(out.rglob("*"))):
        os.utime(path, (1_600_000_000 + number, 1_600_000_000 + number))


def look(show: Path, job: JobFile | None = None):
    asked = job.request() if job else request(show)
    given = job.model_dump(exclude_defaults=True) if job else None
    return keep_preflight(asked, check(asked), show / "out", given, look=True)


def test_a_look_at_a_copied_folder_touches_no_delivered_file(copied):
    touched(copied / "out")
    before, when = files(copied / "out"), times(copied / "out")
    _, aside = look(copied)
    assert aside == []
    assert files(copied / "out") == before
    after = times(copied / "out")
    assert {path for path in when if when[path] != after[path]} <= {"preflight.xlsx"}


def test_a_copied_folder_is_delivered_anew_without_setting_anything_aside(copied):
    touched(copied / "out")
    assert run(copied)[1] == []
    before = files(copied / "out")
    edit(copied, "A2", 9)  # another name for a line's files
    touched(copied / "out")
    assert run(copied)[1] == []
    after = files(copied / "out")
    assert not [path for path in after if "(1)" in path]
    assert sound(after["lines/0009_하나.wav"]) == sound(before["lines/0001_하나.wav"])
    assert "lines/0001_하나.wav" not in after


def test_a_look_keeps_what_somebody_wrote_into_other_files(copied):
    note = copied / "out" / "retakes.xlsx"
    note.write_bytes(b"the director's notes")
    _, aside = look(copied)
    assert aside == []
    assert note.read_bytes() == b"the director's notes"


def test_a_look_does_not_change_what_a_begun_job_remembers(copied):
    job = JobFile(
        script=copied / "script.xlsx", audio=copied / "takes", cast=copied / "cast.toml", fps="25"
    )
    look(copied, job)  # of a job that was begun without `job.toml`, through the library
    assert load_job(copied / "out") == JobFile()
    fresh = copied / "fresh"
    given = job.model_dump(exclude_defaults=True)
    keep_preflight(job.request(), check(job.request()), fresh, given, look=True)
    assert load_job(fresh) == job
    assert {path.name for path in fresh.iterdir()} == {".moksori", "job.toml", "preflight.xlsx"}


def test_a_look_with_another_list_is_followed_by_the_delivery_s_own(copied):
    before = files(copied / "out")
    shutil.copy(copied / "takes" / "0001.wav", copied / "takes" / "extra.wav")
    look(copied)
    assert files(copied / "out") != before
    (copied / "takes" / "extra.wav").unlink()
    assert run(copied)[1] == []
    assert files(copied / "out") == before


def test_the_state_of_an_older_moksori_is_understood(copied):
    """Its marks have no digest: a file of the same time is the job's, any other is kept aside."""
    database = sqlite3.connect(copied / "out" / ".moksori" / "job.sqlite")
    with database:
        for path, marks in database.execute("SELECT * FROM files").fetchall():
            old = ":".join(marks.split()[-1].split(":")[:2])
            database.execute("UPDATE files SET marks = ? WHERE path = ?", (old, path))
    database.close()
    os.utime(copied / "out" / "reel.edl", (1, 1))
    edit(copied, "F5", "(큰 웃음)")
    asked = request(copied)
    result = dub(asked, check(asked), copied / "out", lambda: InProcess(asked.setup))
    # The laugh's new text is in the list of cuts, so that its old one cannot be told from a note.
    assert [path.name for path in result.kept_aside] == ["reel (1).edl"]


@pytest.mark.parametrize("name", ["lines", "stems", "timings", "mouth"])
def test_a_link_instead_of_a_folder_is_not_followed(copied, tmp_path, name):
    elsewhere = tmp_path / "elsewhere"
    shutil.move(copied / "out" / name, elsewhere)
    (copied / "out" / name).symlink_to(elsewhere)
    before = files(elsewhere)
    edit(copied, "A2", 9)
    with pytest.raises(OutputError, match=f"{name}: is a link to another place"):
        run(copied)
    assert files(elsewhere) == before


@pytest.mark.parametrize("name", [".moksori", ".moksori/lines", ".moksori/lock"])
def test_the_job_s_own_state_is_no_link_either(copied, tmp_path, name):
    place, elsewhere = copied / "out" / name, tmp_path / "elsewhere"
    shutil.move(place, elsewhere)
    place.symlink_to(elsewhere)
    with pytest.raises(OutputError, match="is a link to another place"):
        run(copied)


def damage(path: Path) -> None:
    """Overwrite pages in the middle, as a bad sector does; the header stays."""
    content = bytearray(path.read_bytes())
    for begin in range(4096, len(content), 4096):
        content[begin : begin + 64] = bytes([0xA5]) * 64
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("SQLITE_BUSY", "다른 프로그램이 쓰고 있습니다"),
        ("SQLITE_IOERR_WRITE", "디스크에서 읽거나 쓸 수 없습니다"),
    ],
)
def test_what_sqlite_says_of_a_network_drive_is_told_in_korean(tmp_path, name, why):
    fault = sqlite3.OperationalError("disk I/O error")
    fault.sqlite_errorname = name
    with pytest.raises(OutputError) as error, sqlite_errors(tmp_path):
        raise fault
    assert f"({why})" in error.value.say("ko")


def test_damaged_pages_are_restored_from_the_copy(copied):
    before = files(copied / "out")
    state = copied / "out" / ".moksori" / "job.sqlite"
    damage(state)
    with pytest.raises(OutputError, match="damaged; `moksori dub -o JOB --check` restores"):
        line_states(copied / "out")
    asked = request(copied)
    engine = InProcess(asked.setup)
    result = dub(asked, check(asked), copied / "out", lambda: engine)
    (notice,) = result.notices
    assert "restored from its copy" in notice.say("en")
    assert (engine.asked, result.kept_aside) == ([], [])
    assert files(copied / "out") == before
    assert [line.status for line in line_states(copied / "out")][:3] == ["converted"] * 3
    edit(copied, "A2", 9)  # the job still knows which files are its own
    assert run(copied)[1] == []
    assert "lines/0001_하나.wav" not in files(copied / "out")


def test_a_state_that_is_lost_with_its_copy_costs_no_conversion(copied):
    before, home = files(copied / "out"), copied / "out" / ".moksori"
    (home / "job.copy.sqlite").unlink()
    (home / "job.sqlite").write_bytes(b"no database" * 100)
    asked = request(copied)
    engine = InProcess(asked.setup)
    result = dub(asked, check(asked), copied / "out", lambda: engine)
    assert "a new one was started" in result.notices[0].say("en")
    assert (engine.asked, result.kept_aside) == ([], [])
    assert files(copied / "out") == before
    assert (home / "job.damaged.sqlite").read_bytes() == b"no database" * 100
    assert [line.status for line in line_states(copied / "out")][:3] == ["converted"] * 3


@pytest.mark.parametrize(
    ("end", "spoil"),
    [
        (".wav", lambda content: content[:-500]),
        (".wav", lambda content: content[:5000] + bytes([content[5000] ^ 64]) + content[5001:]),
        (".wav", lambda content: b""),
        (".json", lambda content: content[:-500]),
        (".json", lambda content: b""),
        (".result.flac", lambda content: b""),
    ],
    ids=["cut wave", "flipped bit", "empty wave", "cut state", "empty state", "empty sound"],
)
def test_an_outcome_that_is_not_whole_is_made_again(copied, end, spoil):
    before = files(copied / "out")
    path = sorted((copied / "out" / ".moksori" / "lines").glob(f"*{end}"))[0]
    path.write_bytes(spoil(path.read_bytes()))
    assert len(run(copied)[1]) == 1
    assert files(copied / "out") == before


def test_a_job_that_is_refused_lets_go_of_the_folder(copied):
    database = sqlite3.connect(copied / "out" / ".moksori" / "job.sqlite")
    with database:
        database.execute("UPDATE about SET value = '99' WHERE name = 'format'")
    database.close()
    for _ in range(2):
        with pytest.raises(OutputError, match="newer Moksori"):
            Store(copied / "out")


def test_a_job_that_cannot_begin_lets_go_of_its_state(tmp_path, monkeypatch):
    closed, close = [], Database.close
    monkeypatch.setattr(Database, "close", lambda self: (closed.append(self), close(self)))
    monkeypatch.setattr(Store, "set_about", lambda *_: (tmp_path / "none").stat())
    with pytest.raises(FileNotFoundError):
        Store(tmp_path)
    assert len(closed) == 1


def test_faults_of_the_state_s_file_are_said_in_words(tmp_path):
    database = Database(tmp_path / "a.sqlite", "CREATE TABLE IF NOT EXISTS a (x TEXT)")
    with (
        pytest.raises(OutputError, match="the disk is full; free some space"),
        database.write() as c,
    ):
        c.execute("PRAGMA max_page_count = 3")
        for _ in range(100):
            c.execute("INSERT INTO a VALUES (?)", ("x" * 5000,))
    database.close()
    (tmp_path / "a.sqlite").chmod(0o444)
    readable = sqlite3.connect(f"file:{tmp_path / 'a.sqlite'}?mode=ro", uri=True)
    database = Database.__new__(Database)
    database.path, database._connection = tmp_path / "a.sqlite", readable
    with pytest.raises(OutputError, match="read-only or not yours"), database.write() as c:
        c.execute("INSERT INTO a VALUES ('x')")


def mounted(script: str, *args: object) -> subprocess.CompletedProcess[str]:
    """Run Python with the rights to mount, in a file system name space of its own."""
    allowed = subprocess.run(["unshare", "-rm", "true"], capture_output=True)
    if allowed.returncode:
        pytest.skip("this machine lets nobody mount (unshare -rm)")
    return subprocess.run(
        ["unshare", "-rm", sys.executable, "-c", script, *map(str, args)],
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip


FULL = """
import subprocess, sys
from pathlib import Path
from moksori.errors import OutputError
from tests.dubbing.conftest import files, run
show, whole = Path(sys.argv[1]), Path(sys.argv[2])
out = show / "small"
out.mkdir()
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", out], check=True)
told, converted, size = [], [], 256
while size < 65536:
    try:
        converted += run(show, "small")[1]
        break
    except OutputError as error:
        words = str(error)
        assert "\\n" not in words and ("disk is full" in words or "MB are free" in words), words
        told.append(str(error))
    size = size * 9 // 4
    subprocess.run(["mount", "-o", f"remount,size={size}k", out], check=True)
assert files(out) == files(whole)
assert run(show, "small")[1] == []
print(len(told), len(set(told)))
"""


def test_a_full_disk_at_any_moment_is_one_line_and_the_job_resumes(copied):
    """A disk of 256 kB that grows each time: it is full at one step after the other."""
    ran = mounted(FULL, copied, copied / "out")
    assert ran.returncode == 0, ran.stderr[-2000:]
    times_full, kinds = map(int, ran.stdout.split())
    assert times_full > 4 and kinds > 2


READ_ONLY = """
import io, subprocess, sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from moksori.cli import main
show = Path(sys.argv[1])
subprocess.run(["mount", "--bind", show / "out", show / "out"], check=True)
subprocess.run(["mount", "-o", "remount,bind,ro", show / "out"], check=True)
for more in (["--check"], [], ["--status"]):
    sys.argv = ["moksori", "dub", str(show / "script.xlsx"), "--audio", str(show / "takes"),
                "--cast", str(show / "cast.toml"), "--fps", "25", "-o", str(show / "out"), "--lang", "en",
                *more]
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()) as said:
        try:
            main()
        except SystemExit as stop:
            code = stop.code
    print(code, len(said.getvalue().splitlines()) < 4, "read-only or not yours" in said.getvalue())
"""


def test_a_read_only_folder_is_one_line_and_its_status_is_shown(copied):
    edit(copied, "A2", 9)
    ran = mounted(READ_ONLY, copied)
    assert ran.stdout.splitlines() == ["2 True True", "2 True True", "0 True False"], ran.stderr


def test_what_was_said_outlives_a_copy_of_an_older_moksori(tmp_path):
    """The copy's tables lack columns that the damaged file has: its rows are the newer all the same."""
    path = tmp_path / "job.sqlite"
    old = "CREATE TABLE IF NOT EXISTS marks (id TEXT PRIMARY KEY, state TEXT NOT NULL);"
    database = Database(path, old)
    with database.write() as connection:
        connection.execute("INSERT INTO marks VALUES ('1', 'ok'), ('2', 'hold')")
    database.save_copy()
    with database.write() as connection:
        connection.execute("ALTER TABLE marks ADD COLUMN note TEXT NOT NULL DEFAULT ''")
        connection.execute("INSERT OR REPLACE INTO marks VALUES ('1', 'retake', '더 크게')")
        connection.execute("CREATE TABLE filler (x TEXT)")
        connection.executemany("INSERT INTO filler VALUES (?)", [("x" * 1000,)] * 20)
    database.close()
    content = path.read_bytes()
    path.write_bytes(content[:-4096] + bytes([0xA5]) * 4096)
    again = Database(path, old)
    assert again.restored is not None
    rows = again.read("SELECT id, state, note FROM marks ORDER BY id")
    assert rows == [("1", "retake", "더 크게"), ("2", "hold", "")]
    again.close()


def test_what_was_asked_for_by_name_is_taken_back_by_none(show):
    """`--without`, `--columns` and `--channels` are remembered with the job."""
    out = show / "out"
    asked = ["dub", show / "script.xlsx", "--audio", show / "takes", "--cast", show / "cast.toml"]
    asked += ["--fps", "25", "-o", out, "--check"]

    def job(option="", *values):
        options = [word for value in values for word in (option, value)]
        done = CliRunner().invoke(app, [*map(str, asked), *options])
        assert done.exit_code == 0, done.output
        return load_job(out)

    assert job("--without", "reel", "single").without == ("reel", "single")
    assert job().without == ("reel", "single")
    assert job("--without", "none").without == ()
    assert job("--columns", "note=-", "scene=-").columns == {"note": "-", "scene": "-"}
    assert job().columns is not None
    assert job("--columns", "none").columns is None
    assert job("--channels", "mix").channels
    assert job("--channels", "none").channels is None
