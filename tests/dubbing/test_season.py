"""A season of two small episodes, dubbed in this process."""

import os
import shutil
from datetime import datetime, time

import numpy as np
import openpyxl
import pytest
from openpyxl.styles import Font
from typer.testing import CliRunner

from moksori.cli import app
from moksori.dubbing import season as season_module
from moksori.dubbing.episodes import find_table, read_episodes
from moksori.dubbing.progress import Cancelled
from moksori.dubbing.request import load_job
from moksori.dubbing.season import dub_season, save_summary
from moksori.dubbing.season_folder import SUMMARY
from moksori.dubbing.store import Store
from moksori.errors import ConfigError, OutputError
from moksori.signal.speaker import SourceSpeaker
from tests.dubbing.conftest import InProcess, make_table


def run(folder, **more):
    """What became of the episodes, and the texts that were converted."""
    engines = []

    def engine(setup):
        engines.append(InProcess(setup))
        return engines[-1]

    episodes = read_episodes(find_table(folder))
    asked = {"cast": folder / "cast.toml", "lang": "en"}
    standings = dub_season(episodes, asked, folder / "dubbed", engine, **more)
    assert len(engines) <= 1  # all episodes share the workers
    return standings, sum(len(one.asked) for one in engines)


def actor(folder, name) -> SourceSpeaker:
    store = Store(folder / "dubbed" / name)
    try:
        return store.actors()["성우"][0]
    finally:
        store.close()


def test_an_effort_is_measured_against_other_episodes(season):
    told = {}

    def notify(episode, number, found):
        told[episode.name] = [i.kind for i in found.checked.issues if i.kind == "effort"]

    cast = '[characters."하나"]\nvoice = "lmy"\neffort = 0.5\n'
    (season / "cast.toml").write_text(cast, encoding="utf-8")
    run(season, only_check=True, notify=notify)
    assert told == {"1화": [], "2화": []}
    make_table(season, [("1화", "ep01.xlsx", "ep01", 25)])
    run(season, only_check=True, notify=notify)
    assert told["1화"] == ["effort"]


def test_episodes_share_cast_and_actors_and_resume(season):
    standings, converted = run(season)
    assert [(s.episode.name, s.state, s.converted) for s in standings] == [
        ("1화", "done", 1), ("2화", "done", 1)
    ]  # fmt: skip
    assert converted == 2
    assert all((s.out / "reel.wav").exists() for s in standings)
    first, second = (actor(season, name) for name in ("1화", "2화"))
    assert first == second  # one memory of the actor …
    low = np.log(1.12) / 2  # … between his two ways of speaking
    standings, converted = run(season)
    assert converted == 0 and {s.state for s in standings} == {"done"}
    shutil.rmtree(season / "dubbed")
    make_table(season, [("1화", "ep01.xlsx", "ep01", 25)])
    run(season)
    assert first.mean_log_f0 - actor(season, "1화").mean_log_f0 == pytest.approx(low, abs=0.03)
    make_table(season, [("1화", "ep01.xlsx", "ep01", 25), ("2화", "ep02.xlsx", "ep02", 25)])
    before = actor(season, "1화")
    _, converted = run(season)  # a new episode changes no line of the old
    assert converted == 1 and actor(season, "1화") == actor(season, "2화") == before


def test_a_table_of_other_episodes_alone_changes_no_line_of_the_others(season):
    """What is known of the actors stays, also when the takes that it was measured of are away."""
    rows = [(f"{n}화", f"ep{n:02d}.xlsx", f"ep{n:02d}", 25) for n in (1, 2)]
    make_table(season, rows[:1])
    run(season)
    before = actor(season, "1화")
    make_table(season, rows[1:])
    assert run(season)[1] == 1 and actor(season, "2화") == before
    make_table(season, rows)
    assert run(season)[1] == 0
    shutil.rmtree(season / "dubbed")
    make_table(season, rows[:1])
    run(season)
    make_table(season, rows)
    (season / "ep01").rename(season / "away")  # as where a drive is not mounted
    assert [standing.state for standing in run(season)[0]] == ["error", "done"]
    (season / "away").rename(season / "ep01")
    assert run(season)[1] == 0 and actor(season, "1화") == actor(season, "2화") == before


def test_actors_whose_takes_are_all_new_are_measured_anew(season):
    make_table(season, [("1화", "ep01.xlsx", "ep01", 25)])
    run(season)
    before = actor(season, "1화")
    shutil.copy(season / "ep02" / "0001.wav", season / "ep01" / "0001.wav")
    assert run(season)[1] == 1
    assert abs(actor(season, "1화").mean_log_f0 - before.mean_log_f0) > 0.05


def test_lines_that_are_converted_again_by_the_seasons_actors_are_told(season, monkeypatch):
    make_table(season, [("1화", "ep01.xlsx", "ep01", 25)])
    run(season)
    (season / "dubbed" / ".moksori" / "actors.json").unlink()
    assert [standing.changed for standing in run(season)[0]] == [()]
    (season / "dubbed" / ".moksori" / "actors.json").unlink()
    make_table(season, [(f"{n}화", f"ep{n:02d}.xlsx", f"ep{n:02d}", 25) for n in (1, 2)])
    monkeypatch.setattr(
        "moksori.dubbing.work.engines.LocalEngine", lambda setup, _: InProcess(setup)
    )
    done = CliRunner().invoke(app, ["season", str(season), "--lang", "en"])
    told = " ".join(done.output.split())
    assert "1화: the season knows another usual pitch and effort of 성우" in told
    assert "2화: the season" not in told


def test_a_look_at_a_season_keeps_nothing_of_its_actors(season):
    run(season, only_check=True)
    assert not (season / "dubbed" / ".moksori" / "actors.json").exists()
    run(season)
    assert (season / "dubbed" / ".moksori" / "actors.json").exists()


def test_damaged_means_of_actors_are_told_and_not_measured_anew(season):
    run(season)
    kept = season / "dubbed" / ".moksori" / "actors.json"
    content = kept.read_text("utf-8")
    for damaged in ('{"x":', '{"성우": {}}', "[]"):
        kept.write_text(damaged, "utf-8")
        with pytest.raises(OutputError, match=r"actors\.json: damaged"):
            run(season)
    kept.write_text(content, "utf-8")
    assert run(season)[1] == 0


def test_an_episode_with_faults_keeps_no_other_from_being_dubbed(season):
    (season / "ep01" / "0001.wav").rename(season / "ep01" / "other.wav")
    (season / "broken.xlsx").write_text("no workbook")
    make_table(season, [
        ("1화", "ep01.xlsx", "ep01", 25), ("2화", "ep02.xlsx", "ep02", 25),
        ("3화", "broken.xlsx", "ep02", 25),
        ("4화", "later.xlsx", "ep02", 25), ("5화", "ep02.xlsx", "later", 25),
    ])  # fmt: skip
    standings, _ = run(season, only_check=True)
    assert [s.state for s in standings] == ["faulty", "checked", "error", "error", "error"]
    assert all("later" in standing.why.say("en") for standing in standings[3:])
    assert (standings[0].out / "preflight.xlsx").exists()
    assert "broken.xlsx" in standings[2].why.say("en")
    save_summary(season / "dubbed", standings, "ko", datetime(2026, 1, 1))
    rows = [*openpyxl.load_workbook(season / "dubbed" / SUMMARY).active.iter_rows(values_only=True)]
    assert rows[0][:3] == ("회차", "상태", "대사")
    assert [row[:3] for row in rows[1:4]] == [
        ("1화", "점검에 걸림", 1), ("2화", "점검함", 1), ("3화", "오류", 0)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("headers", "rows", "told"),
    [
        (("회차", "대본"), [("1", "a.xlsx")], ["no column “녹음”"]),
        (("회차", "대본", "녹음", "비고"), [("1", "a", "b", "c")], ["“비고” is not known"]),
        (("회차", "대본", "녹음"), [], ["no episodes"]),
        (("episode", "script", "audio"), [("1", "no.xlsx", "")], ["row 2", "“녹음” is empty"]),
        (
            ("회차", "대본", "녹음"), [("1", "cast.toml", "cast.toml")] * 2,
            ["row 2: the episode “1” is there twice", "row 3"],
        ),
        (
            ("회차", "대본", "녹음"), [("=1+1", "a.srt", "takes"), ("2", "#REF!", "takes")],
            ["Sheet!A2: a formula", "Sheet!B3: #REF!"],
        ),
    ],
    ids=["column missing", "column unknown", "empty", "cells", "twice", "formula"],
)  # fmt: skip
def test_faults_of_the_table_are_told_by_their_place(tmp_path, headers, rows, told):
    (tmp_path / "cast.toml").touch()
    with pytest.raises(ConfigError) as raised:
        read_episodes(make_table(tmp_path, rows, headers))
    for words in told:
        assert words in str(raised.value)
    assert str(tmp_path / "season.xlsx") in raised.value.say("ko")


def test_a_row_that_seems_left_out_is_asked_about(tmp_path):
    table = make_table(tmp_path, [(f"{n}화", "a.srt", "takes", 25) for n in range(1, 5)])
    book = openpyxl.load_workbook(table)
    book.active.row_dimensions[3].hidden = True
    book.active["A5"].font = Font(strike=True)
    book.save(table)
    with pytest.raises(ConfigError, match=r"row 3: hidden.*row 5: hidden") as raised:
        read_episodes(table)
    assert "row 4" not in str(raised.value)


def test_an_episode_that_the_table_s_program_made_a_date_of_is_told(tmp_path):
    """As Excel does with 1-2; a time is a start."""
    names = ("회차", "대본", "녹음", "fps", "시작")
    rows = [(name, "a.srt", "takes", 25, time(1)) for name in (datetime(2026, 1, 2), "1화")]
    table = make_table(tmp_path, rows, names)
    with pytest.raises(ConfigError, match=r"A2: 2026-01-02 .*; format the cell as text") as told:
        read_episodes(table)
    assert "01:00:00" not in str(told.value)


def test_a_csv_serves_too_and_several_tables_are_asked_about(tmp_path):
    with pytest.raises(ConfigError, match=r"write a season\.xlsx"):
        find_table(tmp_path)
    (tmp_path / "a.srt").touch()
    (tmp_path / "takes").mkdir()
    (tmp_path / "season.csv").write_text(
        "episode,script,audio,fps\nep 1/2,a.srt,takes,29.97df\n", encoding="utf-8-sig"
    )
    (episode,) = read_episodes(find_table(tmp_path))
    assert (episode.name, episode.fps, episode.audio) == ("ep 1/2", "29.97df", tmp_path / "takes")
    assert "/" not in episode.folder
    make_table(tmp_path, [])
    with pytest.raises(ConfigError, match="several tables"):
        find_table(tmp_path)


@pytest.mark.skipif(os.sep == "\\", reason="there a backslash is one anyway")
@pytest.mark.parametrize("written", ["takes\\ep01", "takes\\ep01\\", "TAKES/ep01"])
def test_a_folder_is_found_as_windows_writes_it(tmp_path, written):
    (tmp_path / "takes" / "ep01").mkdir(parents=True)
    (episode,) = read_episodes(make_table(tmp_path, [("1화", "a.srt", written, 25)]))
    assert episode.audio == tmp_path / "takes" / "ep01"


def test_the_command_checks_a_season_and_says_so_by_its_exit(season):
    done = CliRunner().invoke(app, ["season", str(season), "--check", "--lang", "en"])
    assert done.exit_code == 0, done.output
    assert "2 episodes checked, 0 with errors" in " ".join(done.output.split())
    assert (season / "dubbed" / SUMMARY).exists()
    (season / "ep02" / "0001.wav").unlink()
    done = CliRunner().invoke(app, ["season", str(season), "--check"])
    assert done.exit_code == 1
    assert "2회를 점검했습니다. 오류가 있는 회차 1개" in " ".join(done.output.split())


def command(folder, *more):
    return CliRunner().invoke(app, ["season", str(folder), "--check", "--lang", "en", *more])


def test_a_season_tells_of_its_episodes_what_dub_tells(season, monkeypatch):
    """Columns and terms; of a state that was damaged, which is restored; of a file that was changed."""
    first, second = (standing.out for standing in run(season)[0])
    (first / "retakes.xlsx").write_bytes(b"notes")
    (first / "reel.wav").unlink()  # so that all is delivered anew
    (second / ".moksori" / "job.sqlite").write_bytes(b"damaged")
    monkeypatch.setattr(
        "moksori.dubbing.work.engines.LocalEngine", lambda setup, _: InProcess(setup)
    )
    done = CliRunner().invoke(app, ["season", str(season), "--lang", "en"])
    assert done.exit_code == 0
    told = " ".join(done.output.split())
    assert told.count("columns read:") == 2 and "research only" in told
    assert "job.damaged.sqlite" in told and actor(season, "2화") == actor(season, "1화")
    assert "retakes (1).xlsx" in told and (first / "retakes (1).xlsx").read_bytes() == b"notes"


def test_a_season_that_was_copied_is_its_own(season):
    """Its episodes' jobs are of the script and recordings that were copied with them."""
    run(season)
    copied = season.with_name(f"{season.name}_copied")
    shutil.copytree(season, copied)
    shutil.rmtree(season)
    job = load_job(copied / "dubbed" / "1화")
    assert (job.script, job.audio) == (copied / "ep01.xlsx", copied / "ep01")
    assert job.cast == copied / "cast.toml"


def test_an_episode_of_a_season_behind_a_link_is_found_from_either_side(season):
    disk = season / "disk" / "dubbed"
    disk.mkdir(parents=True)
    (season / "dubbed").symlink_to(disk)
    run(season)
    run(season)
    assert {load_job(place / "1화").script for place in (disk, season / "dubbed")} == {
        season / "ep01.xlsx"
    }


def test_what_is_not_said_of_a_season_stays_as_each_episode_has_it(season):
    command(season)
    jobs = [season / "dubbed" / name for name in ("1화", "2화")]
    CliRunner().invoke(app, ["dub", "-o", str(jobs[0]), "--check", "--recogniser", "off"])
    command(season, "--watermark", "--columns", "line=대사")
    command(season)
    both = [load_job(job) for job in jobs]
    assert [(job.recogniser, job.watermark, job.columns) for job in both] == [
        ("off", True, {"line": "대사"}), (None, True, {"line": "대사"})
    ]  # fmt: skip
    command(season, "--no-watermark", "--columns", "none", "--recogniser", "bundled")
    both = [load_job(job) for job in jobs]
    assert [(job.recogniser, job.watermark, job.columns) for job in both] == [
        ("bundled", False, None)
    ] * 2


def test_reasons_are_told_though_nothing_could_be_looked_at(season):
    (season / "cast.toml").unlink()
    done = command(season)
    assert done.exit_code == 1 and "cast.toml" in done.output
    assert (season / "dubbed" / SUMMARY).exists()


def test_a_season_that_is_cancelled_at_its_first_look_ends_as_cancelled(season, monkeypatch):
    def cancelled(*_):
        raise Cancelled

    monkeypatch.setattr("moksori.dubbing.season._check", cancelled)
    done = command(season)
    assert done.exit_code == 130 and done.output.count("cancelled") == 2
    shutil.rmtree(season / "dubbed")
    (season / "dubbed").symlink_to(season / "away")  # so that no summary can be kept
    done = command(season)
    assert done.exit_code == 130 and done.output.count("cancelled") == 2
    assert "cannot write it" in done.output


def test_what_became_of_the_episodes_is_shown_though_no_summary_can_be_kept(season, monkeypatch):
    def full(path, *_):
        raise OutputError.of("output.full", path=path)

    monkeypatch.setattr("moksori.dubbing.season_folder.save_table", full)
    done = command(season)
    assert done.output.count("checked") == 2 and isinstance(done.exception, OutputError)


def test_the_table_may_be_renamed_while_the_season_is_at_work(season, monkeypatch):
    check = season_module._check

    def renamed(*asked):
        if (season / "season.xlsx").exists():
            (season / "season.xlsx").rename(season / "edited.xlsx")
        return check(*asked)

    monkeypatch.setattr(season_module, "_check", renamed)
    done = command(season)
    assert done.exit_code == 0, done.output
