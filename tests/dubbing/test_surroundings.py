"""What a job meets on other machines: recordings that come and go, odd terminals, no home, no temp folder."""

import io
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from moksori.cli import console
from moksori.dubbing.check import check
from moksori.dubbing.job import dub
from moksori.errors import OutputError, VoiceError
from tests.conftest import DEMO, DEMO_TEXT
from tests.dubbing.conftest import InProcess, files, request, run
from tests.dubbing.test_folders import mounted

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


def test_a_line_that_failed_for_a_consent_is_converted_once_the_consent_holds(show):
    """As where it was revoked while the job was at work, and another was given since."""
    asked, out = request(show), show / "out"
    inner = InProcess(asked.setup)
    target = inner.worker.converter.target

    def revoked(name):
        if name == "lmy":
            raise VoiceError.of("voice.revoked", voice=name, on="2026-12-01", contact="-")
        return target(name)

    inner.worker.converter.target = revoked
    rows = dub(asked, check(asked), out, lambda: inner).rows
    assert [row.status for row in rows] == ["failed", "converted", "failed", "passed"]
    again = InProcess(asked.setup)
    rows = dub(asked, check(asked), out, lambda: again).rows
    assert [row.status for row in rows] == ["converted", "converted", "converted", "passed"]
    assert len(again.asked) == 2


def test_a_recording_that_vanishes_fails_for_the_moment_and_comes_back(copied):
    """The message says that the same command tries it again, and it does, without --retry-failed."""
    whole = files(copied / "out")
    shutil.rmtree(copied / "out")
    asked = request(copied)
    checked = check(asked)
    away = copied / "takes" / "0001.wav"
    away.rename(copied / "0001.wav")
    rows = dub(asked, checked, copied / "out", lambda: InProcess(asked.setup)).rows
    assert [row.status for row in rows[:3]] == ["failed", "converted", "converted"]
    assert "(the same command tries this line again)" in rows[0].error.say("en")
    assert "같은 명령을 다시 실행하면" in rows[0].error.say("ko")
    (copied / "0001.wav").rename(away)
    assert len(run(copied)[1]) == 1
    assert files(copied / "out") == whole


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), MemoryError()])
def test_trouble_of_the_machine_is_tried_again(copied, monkeypatch, error):
    from moksori.dubbing.work import worker as work

    shutil.rmtree(copied / "out")
    real = work.convert_line

    def broken(*more, **named):
        raise error

    monkeypatch.setattr(work, "convert_line", broken)
    rows, _ = run(copied)
    assert [row.status for row in rows[:3]] == ["failed"] * 3
    monkeypatch.setattr(work, "convert_line", real)
    assert [row.status for row in run(copied)[0][:3]] == ["converted"] * 3


def test_a_folder_that_cannot_be_written_to_ends_the_job_at_once(copied, monkeypatch):
    """Not line by line, each converted for nothing; what was done before is kept."""
    from moksori.dubbing.work import worker as work

    shutil.rmtree(copied / "out")
    real, written = work._write_wave, []

    def full(path, *more):
        if len(written) == 1:
            raise OutputError.of("output.full", path=path)
        written.append(path)
        real(path, *more)

    monkeypatch.setattr(work, "_write_wave", full)
    with pytest.raises(OutputError, match="the disk is full"):
        run(copied)
    monkeypatch.setattr(work, "_write_wave", real)
    assert len(run(copied)[1]) == 3


@pytest.mark.parametrize("year", [1901, 2200])
def test_a_script_of_any_date_is_delivered(copied, year):
    seconds = (year - 1970) * 31_556_952
    os.utime(copied / "script.xlsx", (seconds, seconds))
    assert run(copied)[1] == []
    assert files(copied / "out")["reel.wav"][:4] == b"RIFF"


def test_without_a_temporary_folder_a_job_runs(copied, monkeypatch):
    whole = files(copied / "out")
    shutil.rmtree(copied / "out")

    def none():
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_get_default_tempdir", none)
    run(copied)
    assert files(copied / "out") == whole


BOTH = """
import sys
from moksori.cli import main
for asked in ([sys.argv[1]], [sys.argv[2], "--lang", "ko"]):
    sys.argv = ["moksori", "dub", "--status", "-o", *asked]
    try:
        main()
    except SystemExit as stop:
        print(stop.code or 0, flush=True)
"""


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "cp1252"},
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    ],
    ids=["ascii", "cp1252", "C"],
)
def test_a_terminal_without_hangul_shows_codes(dubbed, env):
    """A job's status and an error, in one process."""
    ran = subprocess.run(
        [sys.executable, "-c", BOTH, dubbed[0] / "out", dubbed[0] / "없음"],
        env={**os.environ, "COLUMNS": "200", **env}, capture_output=True, timeout=300,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "하나".encode("unicode_escape") in ran.stdout
    codes = [row for row in ran.stdout.splitlines() if row.isdigit()]
    assert codes == [b"0", b"2"]
    assert b"Traceback" not in ran.stderr and len(ran.stderr.splitlines()) == 1


def test_without_home_or_an_entry_of_one_s_own_voices_are_listed():
    """As in a container that runs under a number which nobody has."""
    nobody = ["unshare", "-U", "--map-user=12345", "--map-group=12345"]
    if subprocess.run([*nobody, "true"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody change his number (unshare -U)")
    env = {
        key: value for key, value in os.environ.items() if key not in ("HOME", "USER", "LOGNAME")
    }
    ran = subprocess.run(
        [*nobody, sys.executable, "-m", "moksori", "voices"], env=env, capture_output=True, text=True,
        timeout=300,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-500:]
    assert "lmy" in ran.stdout


READ_ONLY = """
import os, subprocess, sys
for place in sys.argv[1:3]:
    subprocess.run(["mount", "--bind", place, place], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", place], check=True)
ran = subprocess.run([sys.executable, "-m", "moksori", "convert", *sys.argv[3:]],
                     env={**os.environ, "HOME": "/proc/none"}, capture_output=True, text=True)
print(ran.returncode, "Traceback" in ran.stderr, ran.stderr[-300:])
"""


def test_a_package_that_is_installed_read_only_converts(tmp_path):
    """And nobody has a home, so that no library can keep anything."""
    out = tmp_path / "a.wav"
    ran = mounted(
        READ_ONLY, ROOT, sys.prefix, DEMO, "--text", DEMO_TEXT, "--voice", "kih", "-o", out
    )
    assert ran.stdout.startswith("0 False"), ran.stdout + ran.stderr
    assert out.exists()


def test_no_name_moves_the_cursor(monkeypatch):
    """Control characters and marks of direction in a file's name reach no terminal; ours do."""
    shown = io.StringIO()
    page = console._Console(
        file=shown, force_terminal=True, color_system="standard", soft_wrap=True, highlight=False
    )
    page.print("\x1b[2J\x07a\u202eb\x9bc.wav", style="red", markup=False)
    text = shown.getvalue()
    assert "\\x1b[2Ja\\u202eb\\x9bc.wav" in text  # a bell rich leaves out by itself
    assert "\x1b[31m" in text  # our own red
