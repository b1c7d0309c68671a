"""What is shown while a command works."""

from pathlib import Path

import pytest
import typer
from rich.table import Table

from moksori.cli import console
from moksori.cli.console import resumable, watching
from moksori.errors import Notice
from moksori.messages import message, say
from moksori.signal.audio import RecordingWarning


def test_ctrl_c_in_a_check_is_one_line(capsys):
    watch, interrupted = watching()
    with pytest.raises(typer.Exit) as ended, interrupted:
        watch.cancel.set()
        watch.check()
    assert ended.value.exit_code == 130
    said = capsys.readouterr().err
    assert "stopped" in said or "멈추었습니다" in said


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), SystemExit(1)])
def test_ctrl_c_in_a_training_says_how_it_goes_on(monkeypatch, capsys, stop):
    """Lightning makes an exit of it, and told nothing."""
    monkeypatch.setattr(console, "language", "ko")
    with pytest.raises(typer.Exit) as ended, resumable():
        raise stop
    assert ended.value.exit_code == 130
    assert "같은 명령을 다시 실행하면 이어서 합니다" in capsys.readouterr().err


def test_a_notice_of_a_training_is_in_the_user_s_language(monkeypatch, capsys):
    monkeypatch.setattr(console, "language", "ko")
    console.show_warning(Notice("train.new_discriminators", run="runs/a"), Notice, "x.py", 1)
    assert "경고: runs/a: 판별기의 창이나 크기가" in capsys.readouterr().err
    console.show_warning("slow", UserWarning, "lib.py", 7)
    assert "경고: lib.py:7: slow" in capsys.readouterr().err


def test_a_recording_s_warning_is_in_the_user_s_language(monkeypatch, capsys):
    monkeypatch.setattr(console, "language", "ko")
    warning = RecordingWarning(Path("x.wav"), message("work.none_left"))
    console.show_warning(warning, RecordingWarning, "x.py", 1)
    assert "x.wav: 일할 수 있는 컴퓨터가 남지 않았습니다" in capsys.readouterr().err


def test_of_a_changed_list_of_retakes_it_is_said_that_its_marks_do_not_count(capsys):
    console.print_aside([Path("out/retakes (1).xlsx")], "ko")
    assert "작업에 들어가지 않습니다: `moksori mark`" in " ".join(capsys.readouterr().err.split())
    console.print_aside([Path("out/reel (1).edl")], "ko")
    assert "moksori mark" not in capsys.readouterr().err


@pytest.mark.parametrize("width", range(30, 100, 7))
def test_a_table_loses_no_letter_of_hangul(monkeypatch, capsys, width):
    text = say("issue.no_audio_dapt", "ko") + " 가나다라마바사아자차카타파하" * 3
    monkeypatch.setattr(console.out, "_width", width)
    table = Table("위치")
    table.add_row(text)
    console.out.print(table)
    rows = [row.strip("│ ") for row in capsys.readouterr().out.splitlines() if row[:1] == "│"]
    assert "".join(rows).replace(" ", "") == text.replace(" ", "")


def test_a_name_that_looks_like_markup_is_shown_as_it_is(capsys):
    """Of an episode, a voice or a show, in a table too."""
    table = Table("[ep01]", "consent")
    table.add_row("[/b] 2화", "[red]달 토끼")
    for place in (console.out, console.err):
        place.print(table)
    printed = capsys.readouterr()
    for said in (printed.out, printed.err):
        assert all(name in said for name in ("[ep01]", "[/b] 2화", "[red]달 토끼"))
