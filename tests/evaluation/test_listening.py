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


# As a listener plays a sound, sixteen times as fast; its length.
HEAR = """async a => {
  a.playbackRate = 16;
  const ended = new Promise(done => a.addEventListener("ended", done));
  await a.play();
  await ended;
  return a.duration;
}"""


@pytest.fixture
def tab(evaluations, tmp_path, chromium):
    """The page in a browser without a network; no script of it may fail."""
    page = tmp_path / "page.html"
    write_page(trials(evaluations, 12), page, "시험", "ko")
    context = chromium.new_context(offline=True, accept_downloads=True)
    tab = context.new_page()
    faults: list[str] = []
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.goto(page.as_uri())
    yield tab
    context.close()
    assert faults == []


def hear(tab):
    """Hear all sounds of a screen."""
    for sound in tab.query_selector_all("audio"):
        assert sound.evaluate(HEAR) == 1.0


def choose(tab, place):
    """Answer all questions of a screen by their choice at that place."""
    for field in tab.query_selector_all("fieldset"):
        field.query_selector_all("input")[place].check()


def chosen(tab):
    """What is chosen on a screen, by question."""
    return {
        radio.get_attribute("name"): radio.input_value()
        for radio in tab.query_selector_all("input:checked")
    }


def saved(tab, path):
    """What the page's file says."""
    with tab.expect_download() as download:
        tab.click("#save")
    download.value.save_as(path)
    return verdicts([path])


def test_a_listener_answers_every_question_offline_and_the_answers_are_counted(
    tab, tmp_path, monkeypatch
):
    tab.fill("#listener", "=김")
    tab.click("#start")
    asked = 0
    while not tab.query_selector("#save"):
        assert not {"before", "after"} & set(tab.inner_text("main").split())
        choose(tab, 0)
        for sound in tab.query_selector_all("audio"):
            assert tab.is_disabled("#next")  # until all is heard
            assert sound.evaluate(HEAR) == 1.0
        tab.click("#next")
        asked += 1
    assert asked == 2 + 2 * 3  # a pair a line, and every sound alone
    found = {
        (v.question, v.systems): (v.answers, v.value.value) for v in saved(tab, tmp_path / "a.csv")
    }
    assert {key: value for key, value in found.items() if key[0] == "mos"} == {
        ("mos", (system,)): (2, 1.0) for system in ("after", "before", "recording")
    }
    assert {found[question, ("after", "before")][0] for question in ("natural", "acting")} == {2}
    monkeypatch.setattr(console, "language", "ko")
    said = CliRunner().invoke(app, ["listen", str(tmp_path / "a.csv")]).output
    assert "더 자연스러운 쪽" in said and "성우의 녹음" in said and "natural" not in said


def test_a_listener_goes_back_and_changes_an_answer(tab, tmp_path):
    tab.click("#start")
    assert tab.is_disabled("#back")
    hear(tab)
    assert tab.is_disabled("#next")  # until all is answered
    while not tab.query_selector("#save"):
        hear(tab)
        choose(tab, 2)
        tab.click("#next")
    tab.click("#back")
    assert chosen(tab) == {"mos": "3"} and tab.is_enabled("#next")  # heard and answered before
    choose(tab, 4)
    for _ in range(7):
        tab.click("#back")
    assert chosen(tab) == {"natural": "second", "acting": "second"}
    while not tab.query_selector("#save"):
        tab.click("#next")
    scores = [v for v in saved(tab, tmp_path / "a.csv") if v.part == "mos"]
    assert sum(v.value.value * v.answers for v in scores) == 5 * 3 + 5


def test_answers_outlive_the_tab_until_they_are_cleared(tab, tmp_path, evaluations):
    assert not tab.query_selector("#restored")
    tab.fill("#listener", "김")
    tab.click("#start")
    hear(tab)
    choose(tab, 2)
    tab.click("#next")
    hear(tab)
    choose(tab, 0)
    asked, tasks = tab.inner_text("main"), "JSON.parse(Object.values(localStorage)[0]).tasks"
    order = tab.evaluate(tasks)
    again = tab.context.new_page()  # as after the tab was closed
    again.goto(tab.url)
    tab.close()
    assert "되살렸습니다(질문 화면 8개 가운데 2개)" in again.inner_text("#restored")
    assert again.input_value("#listener") == "김"
    again.click("#start")
    assert again.inner_text("main") == asked and again.evaluate(tasks) == order
    assert chosen(again) == {"natural": "first", "acting": "first"} and again.is_enabled("#next")
    other = tmp_path / "other.html"
    write_page(trials(evaluations, 1), other, "test", "en")
    again.goto(other.as_uri())
    assert not again.query_selector("#restored")  # another page's answers are its own
    again.goto((tmp_path / "page.html").as_uri())
    again.on("dialog", lambda question: question.accept())
    again.click("#clear")
    assert not again.query_selector("#restored") and again.input_value("#listener") == ""
    again.reload()
    assert not again.query_selector("#restored")


def test_a_browser_that_keeps_nothing_says_so(tab):
    """As some do of files, or in a private window."""
    deny = "Object.defineProperty(window, 'localStorage', { get() { throw new Error('denied'); } })"
    tab.add_init_script(deny)
    tab.reload()
    tab.click("#start")
    assert "간직하지 못합니다" in tab.inner_text("#unkept")
