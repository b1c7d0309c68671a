"""Usage errors are said in Korean to those who read Korean, and are Typer's own in English."""

import os
import sys
import warnings

import pytest

from moksori.cli import console, main


@pytest.fixture
def said(capsys, monkeypatch):
    """What a faulty command prints to stderr."""

    def run(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["moksori", *arguments])
        with pytest.raises(SystemExit) as stop:
            main()
        assert stop.value.code == 2
        return capsys.readouterr().err

    monkeypatch.setattr("moksori.cli.without_compiler", lambda: None)  # other tests may need it
    monkeypatch.setattr(console, "language", "en")  # what `main` changes, put back
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    monkeypatch.setenv("MOKSORI_LANG", "ko")
    return run


@pytest.mark.parametrize(
    ("arguments", "usage", "fault"),
    [
        ("text --chek", "text [OPTIONS] [line]", "“--chek”: 없는 옵션입니다. 비슷한 것: --check"),
        ("text -q", "text [OPTIONS] [line]", "“-q”: 없는 옵션입니다"),
        ("txt", "[OPTIONS] COMMAND [ARGS]...", "“txt”: 없는 명령입니다. 비슷한 것: text"),
        ("train zzz", "train [OPTIONS] COMMAND [ARGS]...", "“zzz”: 없는 명령입니다"),
        ("dub", "dub [OPTIONS] [script]", "-o / --output: 꼭 적어야 하는데 빠졌습니다"),
        ("align", "align [OPTIONS] {IN}", "IN: 꼭 적어야 하는데 빠졌습니다"),
        ("text a b c", "text [OPTIONS] [line]", "알 수 없는 값이 더 있습니다: b c. 빈칸이"),
        ("dub -o", "", "-o: 옵션 뒤에 값을 적어야 합니다"),
        ("text --check=3", "", "--check: 값을 받지 않는 옵션입니다"),
        ("dub -o j --handles x", "dub [OPTIONS] [script]", "“--handles”: 숫자여야 합니다 (받은 값: 'x')"),
        ("dub -o j --workers 0", "dub [OPTIONS] [script]", "“--workers”: 1 이상이어야 합니다 (받은 값: '0')"),
        ("dub -o j --loudness kbs", "dub [OPTIONS] [script]",
         "“--loudness”: korea, netflix, premix, ebu, none 가운데 하나여야 합니다 (받은 값: 'kbs')"),
    ],
)  # fmt: skip
def test_a_usage_error_is_said_in_korean(said, arguments, usage, fault):
    rows = said(*arguments.split()).splitlines()
    assert rows[-1].startswith(f"오류: {fault}")
    if usage:
        assert rows[0].startswith("사용법: ") and rows[0].endswith(f"moksori {usage}")
        assert rows[1].startswith("도움말(영어): ") and rows[1].endswith(" --help")


def test_a_file_that_one_may_not_read_is_told_in_korean(said, tmp_path, monkeypatch):
    (tmp_path / "1화.xlsx").touch()
    monkeypatch.setattr(os, "access", lambda *_: False)
    rows = said("cast", str(tmp_path / "1화.xlsx")).splitlines()
    assert rows[-1] == f"오류: {tmp_path / '1화.xlsx'}: 읽을 수 없습니다 (권한이 없습니다)"


def test_the_option_asks_for_korean_also_where_the_command_line_cannot_be_read(said, monkeypatch):
    monkeypatch.setenv("MOKSORI_LANG", "en")
    assert "없는 옵션입니다" in said("text", "--chek", "--lang", "ko")
    assert "없는 옵션입니다" in said("text", "--lang=ko", "--chek")
    monkeypatch.setenv("MOKSORI_LANG", "ko")
    assert "No such option: --chek" in said("text", "--chek", "--lang", "en")


@pytest.mark.parametrize(
    "arguments",
    ["--lang ko train zzz", "--lang=ko train zzz", "train --lang ko zzz", "train zzz --lang ko"],
)
def test_the_language_may_be_asked_for_before_the_command(said, monkeypatch, arguments):
    monkeypatch.setenv("MOKSORI_LANG", "en")
    assert "오류: “zzz”: 없는 명령입니다" in said(*arguments.split())


def test_of_several_languages_the_command_s_counts_and_none_but_ours_is_taken(said, tmp_path):
    script = str(tmp_path / "none.srt")
    assert "no such file" in said("--lang", "ko", "cast", script, "--lang", "en")
    told = said("--lang", "fr", "cast", script)
    assert "--lang" in told and "fr" in told and "ko" in told
    assert said("--lang", "ko") == ""  # helps, as without it


def test_a_text_that_looks_like_the_option_stays_a_text():
    arguments = ["moksori", "text", "--", "--lang", "ko"]
    console.take_language(arguments)
    assert arguments == ["moksori", "text", "--", "--lang", "ko"]


def test_help_that_stands_for_an_error_is_printed_once(said):
    assert said("train") == ""
