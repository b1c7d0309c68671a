"""Lines of one actor that were passed and that were converted lie on the same floor."""

import numpy as np
import openpyxl
import pytest
import soundfile

from tests.dubbing.conftest import make_show, run

LINES = ("pfb00001", "pfb00007", "pfb00016", "pfb00027")  # the last one is passed


def floor(path):
    """Level of the quietest tenth of the frames of 10 ms, dB."""
    wave, rate = soundfile.read(path, always_2d=True)
    size = rate // 100
    frames = wave[: len(wave) // size * size].mean(1).reshape(-1, size)
    level = 10 * np.log10((frames**2).mean(1) + 1e-20)
    return np.sort(level)[: max(1, len(level) // 10)].mean()


def show_of(takes, tmp_path):
    """The synthetic show with other takes in it: an actor's real lines, and one that is passed."""
    show = make_show(tmp_path)
    book = openpyxl.load_workbook(show / "script.xlsx")
    for row, (audio, text) in enumerate(takes, 2):
        wave, rate = soundfile.read(audio)
        soundfile.write(show / "takes" / f"{row - 1:04d}.wav", wave, rate, "PCM_16")
        book.active.cell(row, 4, "하나")
        book.active.cell(row, 5, "성우1")
        book.active.cell(row, 6, text)
    book.save(show / "script.xlsx")
    cast = '[characters."하나"]\nvoice = "lmy"\nnonverbal = "leave"\n'  # so that one is passed
    (show / "cast.toml").write_text(cast, encoding="utf-8")
    return show


@pytest.mark.slow
def test_passed_and_converted_lines_of_an_actor_have_one_floor(shared, tmp_path):
    """Real recordings of one studio and actor: within 3 dB, each by its own take and among them."""
    folder = next((shared / "corpus" / "emotiontts").rglob("pfb00001.flac")).parent
    texts = {
        name: (folder.parent / "transcript" / f"{name}.txt").read_text("utf-8-sig").strip()
        for name in LINES[:-1]
    } | {LINES[-1]: "(한숨)"}
    show = show_of([(folder / f"{name}.flac", texts[name]) for name in LINES], tmp_path)
    rows, _ = run(show)
    assert [row.status for row in rows] == ["converted"] * 3 + ["passed"]
    floors = [floor(row.wave) for row in rows]
    for row, level in zip(rows, floors, strict=True):
        assert level == pytest.approx(floor(row.take.audio), abs=3)
    assert np.mean(floors[:-1]) == pytest.approx(floors[-1], abs=3)
