"""`moksori dub`: what it is asked, what it remembers and what it answers."""

from dataclasses import replace

import openpyxl
import pytest

from moksori.dubbing.check import keep_preflight
from moksori.dubbing.job import check, dub
from moksori.dubbing.request import JobFile, load_job, remember
from moksori.dubbing.store import Store
from moksori.dubbing.work.engines import LocalEngine
from moksori.errors import ConfigError
from tests.dubbing.conftest import InProcess, files, request, run

pytestmark = pytest.mark.slow


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


def test_a_device_that_is_not_there_is_told_before_anything_is_touched(show):
    run(show)
    before = files(show / "out")
    asked = request(show)
    wrong = replace(asked, setup=replace(asked.setup, device="cuda:7"))
    with pytest.raises(ConfigError, match="cuda:7"):
        dub(wrong, check(wrong), show / "out", lambda: LocalEngine(wrong.setup, 1))
    assert files(show / "out") == before
