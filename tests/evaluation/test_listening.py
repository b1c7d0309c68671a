"""The listening page holds what it should, and what listeners answer is counted right."""

import csv
import json
import re

import numpy as np
import pytest

from moksori.errors import CorpusError
from moksori.evaluation.job import COLUMNS as RESULTS
from moksori.evaluation.listening import COLUMNS, trials, verdicts, write_page
from moksori.signal import audio


@pytest.fixture
def evaluations(tmp_path):
    """Two evaluations of three lines, one of which the second could not convert."""
    rate = 16000
    wave = 0.1 * np.sin(2 * np.pi * 220 * np.arange(rate) / rate)
    audio.write(tmp_path / "take.wav", wave, rate)
    folders = {}
    for name in ("before", "after"):
        folder = folders[name] = tmp_path / name
        (folder / "audio").mkdir(parents=True)
        with (folder / "results.csv").open("w", encoding="utf-8-sig", newline="") as file:
            rows = csv.DictWriter(file, RESULTS)
            rows.writeheader()
            for i in range(3):
                audio.write(folder / "audio" / f"{i}.flac", wave, rate)
                rows.writerow(
                    dict.fromkeys(RESULTS, "") | {
                        "id": str(i), "voice": "lmy", "text": "<b>안녕</b>",
                        "recording": str(tmp_path / "take.wav"), "converted": f"audio/{i}.flac",
                        "problem": "too long" if (name, i) == ("after", 2) else "",
                    }
                )  # fmt: skip
    return folders


def test_a_page_holds_the_lines_that_all_have_and_no_name_beside_a_sound(evaluations, tmp_path):
    found = trials(evaluations, 12)
    assert [trial.id for trial in found] == ["0", "1"]
    page = tmp_path / "page.html"
    write_page(found, page, "시험", "ko")
    text = page.read_text(encoding="utf-8")
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.S)[1])
    assert data["systems"] == ["before", "after", "recording"]
    assert [len(trial["sounds"]) for trial in data["trials"]] == [3, 3]
    assert all(s.startswith("data:audio/flac;base64,") for t in data["trials"] for s in t["sounds"])
    assert "<b>" not in text.split("<script", 1)[1]  # a line's text is no markup
    assert "http" not in text  # nothing comes from a network


def answers(path, rows):
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return path


def test_answers_are_counted_by_system_and_not_by_side(tmp_path):
    path = answers(
        tmp_path / "a.csv",
        [
            ("kim", "ab", "natural", "0", "lmy", "before", "after", "second"),
            ("kim", "ab", "natural", "1", "lmy", "after", "before", "first"),
            ("kim", "ab", "natural", "2", "lmy", "after", "before", "same"),
            ("kim", "mos", "mos", "0", "lmy", "after", "", "4"),
            ("kim", "mos", "mos", "1", "lmy", "after", "", "5"),
        ],
    )
    mos, preferred = verdicts([path])
    assert (mos.systems, mos.answers, mos.value.value) == (("after",), 2, 4.5)
    assert preferred.systems == ("after", "before")
    assert preferred.value.value == pytest.approx(2.5 / 3)


@pytest.mark.parametrize("answer", ["6", "left", ""])
def test_what_is_no_answer_is_named_with_its_line(tmp_path, answer):
    path = answers(tmp_path / "a.csv", [("kim", "mos", "mos", "0", "lmy", "after", "", answer)])
    with pytest.raises(CorpusError, match="line 2"):
        verdicts([path])


def test_folders_without_an_evaluation_are_named(tmp_path):
    with pytest.raises(CorpusError, match="moksori evaluate"):
        trials({"a": tmp_path}, 12)


def test_no_evaluation_is_called_as_the_recordings_are(evaluations):
    with pytest.raises(CorpusError, match="choose another name"):
        trials({"recording": evaluations["before"]}, 12)
