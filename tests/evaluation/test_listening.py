"""The listening page holds what it should, and what listeners answer is counted right."""

import csv
import json
import re

import numpy as np
import pytest
from typer.testing import CliRunner

from moksori.cli import app, console
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


def test_a_listener_answers_every_question_offline_and_the_answers_are_counted(
    evaluations, tmp_path, chromium, monkeypatch
):
    page = tmp_path / "page.html"
    write_page(trials(evaluations, 12), page, "시험", "ko")
    context = chromium.new_context(offline=True, accept_downloads=True)
    tab = context.new_page()
    faults: list[str] = []
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.goto(page.as_uri())
    tab.fill("#listener", "=김")
    tab.click("button")
    asked = 0
    while not tab.query_selector("#save"):
        assert tab.is_disabled("button")  # until all is answered
        assert not {"before", "after"} & set(tab.inner_text("main").split())
        for sound in tab.query_selector_all("audio"):
            assert sound.evaluate("async a => { await a.play(); return a.duration; }") == 1.0
        for field in tab.query_selector_all("fieldset"):
            field.query_selector("input").check()
        tab.click("button")
        asked += 1
    assert asked == 2 + 2 * 3  # a pair a line, and every sound alone
    with tab.expect_download() as download:
        tab.click("#save")
    download.value.save_as(tmp_path / "answers.csv")
    context.close()
    assert faults == []
    found = {
        (v.question, v.systems): (v.answers, v.value.value)
        for v in verdicts([tmp_path / "answers.csv"])
    }
    assert {key: value for key, value in found.items() if key[0] == "mos"} == {
        ("mos", (system,)): (2, 1.0) for system in ("after", "before", "recording")
    }
    assert {found[question, ("after", "before")][0] for question in ("natural", "acting")} == {2}
    monkeypatch.setattr(console, "language", "ko")
    said = CliRunner().invoke(app, ["listen", str(tmp_path / "answers.csv")]).output
    assert "더 자연스러운 쪽" in said and "성우의 녹음" in said and "natural" not in said
