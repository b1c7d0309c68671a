"""What lies in a season's folder: each episode's job in one of its own, and the summary."""

import os
import unicodedata

import openpyxl
import pytest
from typer.testing import CliRunner

from moksori.cli import app
from moksori.dubbing.episodes import read_episodes
from moksori.dubbing.season_folder import SUMMARY
from moksori.errors import ConfigError
from moksori.studio.folders import jobs_below
from moksori.studio.session import Session
from tests.dubbing.conftest import files, make_table
from tests.dubbing.test_season import command, run


def outcome(folder, rows):
    """What became of the episodes of a table, by their names."""
    make_table(folder, rows)
    return {standing.episode.name: standing for standing in run(folder)[0]}


def row(name, number):
    """Of a table."""
    return name, f"ep{number:02d}.xlsx", f"ep{number:02d}", 25


LONG = "나의 아주 길고 긴 주말 연속극 제목 한국어 더빙판 무삭제 확장판"


@pytest.mark.parametrize(
    "names", [("1화!", "1화?"), (f"{LONG} 1화", f"{LONG} 2화"), ("Ep", "eP")],
    ids=["signs", "long", "case"],
)  # fmt: skip
def test_no_episode_is_put_into_the_folder_of_one_that_left_the_table(season, names):
    first, second = outcome(season, [row(names[0], 1), row(names[1], 2)]).values()
    assert first.out.name.casefold() != second.out.name.casefold()
    before = {path: path.read_bytes() for path in first.out.rglob("*.wav")}
    (alone,) = outcome(season, [row(names[1], 2)]).values()
    assert (alone.out, alone.state) == (second.out, "done")
    make_table(season, [row(names[1], 2), row(names[0], 1)])
    assert run(season)[1] == 0
    assert before == {path: path.read_bytes() for path in first.out.rglob("*.wav")}


def test_an_episode_stays_in_its_folder_when_another_of_a_like_name_comes(season):
    (first,) = outcome(season, [row("1화!", 1)]).values()
    assert first.out.name == "1화_"
    both = outcome(season, [row("1화?", 2), row("1화!", 1)])
    assert both["1화!"].out == first.out != both["1화?"].out
    assert {standing.state for standing in both.values()} == {"done"}


def test_a_folder_that_holds_another_episode_is_refused_by_both_names(season):
    (first,) = outcome(season, [row("1화!", 1)]).values()
    reel = (first.out / "reel.wav").read_bytes()
    (other,) = outcome(season, [row("1화?", 1)]).values()  # of the same script
    assert (other.out, other.state) == (first.out, "error")
    assert "1화!" in other.why.say("ko") and "1화?" in other.why.say("en")
    assert (first.out / "reel.wav").read_bytes() == reel


def test_an_episode_of_another_show_by_the_same_name_changes_nothing_in_the_folder(season):
    """Whatever was asked: it would resume as the other's, by a list of the other's issues."""
    (first,) = outcome(season, [row("1화", 1)]).values()
    place = season / "ep02.xlsx"
    book = openpyxl.load_workbook(place)
    book.active["E2"] = "오늘 낮, 우리가 이 마을을 지킨다. 준비됐어?"
    book.save(place)
    make_table(season, [row("1화", 2)])
    before = files(season / "dubbed")
    for wrong in (False, True):
        if wrong:
            (season / "ep02" / "0001.wav").rename(season / "ep02" / "other.wav")
        for only_check in (True, False):
            ((other,), _) = run(season, only_check=only_check)
            assert (other.out, other.state) == (first.out, "error")
            assert "only 0 of 1 lines in common" in other.why.say("en")
            assert files(season / "dubbed") == before


def test_a_name_is_one_however_its_hangul_is_composed(tmp_path):
    (tmp_path / "ep01.xlsx").touch()
    table = make_table(
        tmp_path, [row(name, 1) for name in ("1화", unicodedata.normalize("NFD", "1화"))]
    )
    with pytest.raises(ConfigError, match="there twice"):
        read_episodes(table)


def test_a_summary_that_somebody_has_changed_is_kept(season):
    place = season / "dubbed" / SUMMARY
    command(season)
    first = place.read_bytes()
    os.utime(place, (1, 1))  # as after copying
    (season / "ep02" / "0001.wav").unlink()
    assert "summary (1)" not in command(season).output
    assert place.read_bytes() != first
    place.write_bytes(b"notes")
    done = command(season)
    aside = place.with_stem("summary (1)")
    assert aside.read_bytes() == b"notes" and f"{aside}: a file that you had changed" in done.output
    assert openpyxl.load_workbook(place).active.max_row == 3
    aside.unlink()
    command(season)
    assert not aside.exists()


def test_episodes_that_the_table_does_not_name_are_told(season):
    """The summary no longer has them: of two tables with one folder, or where rows were deleted."""
    assert "this table does not name" not in command(season).output
    make_table(season, [row("3화", 1)])
    told = " ".join(command(season).output.split())
    assert "2 more episodes, which this table does not name (1화, 2화)" in told


def test_a_season_is_put_over_no_file_and_no_job_of_others(season, dubbed):
    place = season / "other"
    place.mkdir()
    (place / SUMMARY).write_bytes(b"notes")
    done = command(season, "-o", str(place))
    assert "not this job's" in str(done.exception)
    assert [*place.iterdir()] == [place / SUMMARY]
    job = dubbed[0] / "out"
    before = sorted(job.iterdir())
    done = command(season, "-o", str(job))
    assert "single job" in str(done.exception) and before == sorted(job.iterdir())


def test_a_seasons_folder_is_no_job(season):
    """A job begun in it would keep the season from being dubbed."""
    out = season / "dubbed"
    assert command(season, "--check").exit_code == 0
    before = sorted(out.rglob("*"))
    script = [str(season / "ep01.xlsx"), "--audio", str(season / "ep01")]
    for more in ([], [*script, "--cast", str(season / "cast.toml"), "--check"]):
        done = CliRunner().invoke(app, ["dub", *more, "-o", str(out), "--lang", "en"])
        assert "is a season's folder" in str(done.exception)
    session = Session(season, workers=1)
    session.open_folder(out)
    assert session.desk is None and session.root == out
    assert jobs_below(season) == [] and set(jobs_below(out)) == {"1화", "2화"}
    session.close()
    assert before == sorted(out.rglob("*"))
    (out / ".moksori" / "job.sqlite").touch()  # as an older Moksori began one
    assert command(season, "--check").exit_code == 0


def test_a_place_that_can_be_no_folder_is_told_before_any_work(season, tmp_path, monkeypatch):
    checks = []
    monkeypatch.setattr("moksori.dubbing.season._check", lambda *asked: checks.append(asked))
    file = tmp_path / "file"
    file.touch()
    for place in (file, file / "dubbed"):
        done = command(season, "-o", str(place))
        assert str(done.exception) == f"{file}: is a file; name a folder"
    link = tmp_path / "linked" / ".moksori"
    link.parent.mkdir()
    link.symlink_to(tmp_path)
    done = command(season, "-o", str(link.parent))
    assert str(done.exception).startswith(f"{link}: is a link")
    monkeypatch.setattr("os.access", lambda path, mode: not mode & os.W_OK)
    done = command(season)
    assert str(done.exception).startswith(f"{season}: cannot write it, it is read-only")
    assert not checks
