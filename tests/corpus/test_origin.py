"""A second source does not silently take the place of the first in a prepared corpus."""

import shutil
from pathlib import Path

import pytest
import soundfile
from typer.testing import CliRunner

from moksori.cli import app
from moksori.corpus.origin import check_origin, note_origin
from moksori.corpus.readers import read_script_corpus
from moksori.errors import CorpusError
from tests.conftest import voiced_wave


def episode(folder: Path, *names: str) -> Path:
    """A script, and a recording for each of its lines."""
    takes = folder / "takes"
    takes.mkdir(parents=True)
    rows = ["파일,성우,대사"]
    for number, name in enumerate(names):
        wave = voiced_wave(1.2, seed=len(folder.name) + number)
        soundfile.write(takes / f"{name}.wav", wave, 22050)
        rows.append(f"{name},김,{'가나다라'[number]} 같이 가자.")
    (folder / "script.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def read(folder: Path, takes: Path | None = None):
    source = [folder / "script.csv", takes or folder / "takes"]
    lines = read_script_corpus(*source)
    return {line.id: line.audio for line in lines if not line.problem}, source


@pytest.fixture
def first(tmp_path) -> Path:
    """An episode, noted as prepared."""
    folder = episode(tmp_path / "one", "0001", "0002")
    lines, source = read(folder)
    (tmp_path / "dest").mkdir()
    note_origin(lines, source, tmp_path / "dest")
    return folder


@pytest.mark.parametrize(
    ("names", "left"), [(("0003",), 2), (("0001",), 2), (("0001", "0002"), 2)], ids=str
)
def test_another_episode_is_refused(first, tmp_path, names, left):
    """Also one whose recordings have the same names."""
    lines, source = read(episode(tmp_path / "second", *names))
    with pytest.raises(CorpusError) as error:
        check_origin(lines, source, tmp_path / "dest")
    assert f"{left} lines of {first / 'script.csv'} would leave it" in error.value.say("en")
    assert f"대사 {left}개가" in error.value.say("ko")


def test_another_script_of_the_same_folder_is_refused(first, tmp_path):
    script = tmp_path / "other.csv"
    script.write_text("파일,성우,대사\n0001,김,가 같이 가자.\n", encoding="utf-8")
    lines = {"0001": first / "takes" / "0001.wav"}
    with pytest.raises(CorpusError, match="1 lines of"):
        check_origin(lines, [script, first / "takes"], tmp_path / "dest")


def test_the_same_source_may_lose_lines_move_and_be_joined_by_others(first, tmp_path):
    dest = tmp_path / "dest"
    whole = episode(tmp_path / "whole", "0003")
    for take in (first / "takes").iterdir():
        shutil.copy(take, whole / "takes")
    with (whole / "script.csv").open("a", encoding="utf-8") as file:
        file.write("0001,김,가 같이 가자.\n0002,김,고친 말이야.\n")
    check_origin(*read(whole), dest)  # one table with copies of all
    script = first / "script.csv"
    script.write_text("파일,성우,대사\n0001,김,가 같이 가자.\n", encoding="utf-8")
    check_origin(*read(first), dest)
    first.rename(tmp_path / "moved")
    check_origin(*read(tmp_path / "moved"), dest)
    (dest / "origin.json").write_text("{}")
    check_origin(*read(whole), dest)


@pytest.mark.slow
def test_the_command_refuses_before_any_work(tmp_path):
    dest = tmp_path / "dest"
    for name in ("a", "b"):
        soundfile.write(tmp_path / f"{name}.wav", voiced_wave(1.2), 22050)
        (tmp_path / f"{name}.txt").write_text(f"{name}.wav|같이 가자.|김\n", encoding="utf-8")

    def prepare(name: str) -> BaseException | None:
        asked = ["prepare", "metadata", str(tmp_path / f"{name}.txt"), str(dest)]
        return CliRunner().invoke(app, [*asked, "--licence", "ours"]).exception

    assert prepare("a") is None
    journal = (dest / "journal.jsonl").read_bytes()
    assert "would leave it" in str(prepare("b"))
    assert (dest / "journal.jsonl").read_bytes() == journal
    assert prepare("a") is None


@pytest.mark.slow
def test_other_lists_of_recordings_are_refused_too(tmp_path):
    dest, lists = tmp_path / "dest", [tmp_path / f"{name}.csv" for name in "ab"]
    for path in lists:
        rows = ["file,set,split"]
        for number in range(2):
            soundfile.write(tmp_path / f"{path.stem}{number}.wav", voiced_wave(1.2), 22050)
            rows.append(f"{path.stem}{number}.wav,x,train")
        path.write_text("\n".join(rows))

    def prepare(*lists: Path) -> BaseException | None:
        asked = ["prepare", "recordings", *map(str, lists), str(dest), "--licence", "x=CC0 1.0"]
        return CliRunner().invoke(app, asked).exception

    assert prepare(lists[0]) is None
    kept = (dest / "recordings.jsonl").read_bytes()
    error = prepare(lists[1])
    assert "2 recordings of" in error.say("en") and "녹음 2개가" in error.say("ko")
    assert (dest / "recordings.jsonl").read_bytes() == kept
    assert prepare(*lists) is None


@pytest.mark.slow
def test_lines_and_recordings_do_not_mix(tmp_path):
    soundfile.write(tmp_path / "a.wav", voiced_wave(1.2), 22050)
    (tmp_path / "a.txt").write_text("a.wav|같이 가자.|김\n", encoding="utf-8")
    (tmp_path / "a.csv").write_text("file,set,split\na.wav,x,train\n")

    def prepare(dest: str, kind: str, name: str, licence: str) -> BaseException | None:
        asked = ["prepare", kind, str(tmp_path / name), str(tmp_path / dest), "--licence", licence]
        return CliRunner().invoke(app, asked).exception

    lines, recordings = ("metadata", "a.txt", "ours"), ("recordings", "a.csv", "x=CC0 1.0")
    for dest, own, other, message in (
        ("lines", lines, recordings, "prepared lines with their texts"),
        ("recordings", recordings, lines, "prepared recordings without texts"),
    ):
        assert prepare(dest, *own) is None
        assert message in prepare(dest, *other).say("en")
        assert prepare(dest, *own) is None
