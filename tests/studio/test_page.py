"""The director's loop in a real browser, on a small job of synthetic takes."""

import re

import openpyxl
import pytest
import soundfile

from moksori.dubbing.records import Mark
from moksori.dubbing.request import load_job
from moksori.dubbing.review import Review
from moksori.dubbing.states import line_states
from tests.conftest import DEMO, DEMO_TEXT
from tests.studio.conftest import go, until

pytestmark = pytest.mark.slow


def test_the_director_s_loop(studio, new_page, in_process):
    page, job = new_page(studio), studio.session.desk.out
    # Start: what the folder holds was found; time codes in frames need a rate.
    page.wait_for_selector(".preview form.settings")
    page.wait_for_selector(".preview .bad >> text=01:00:09:20")
    page.select_option("select[name=fps]", "25")
    page.click("form.settings button.main")
    page.wait_for_selector(".preview table")
    assert DEMO_TEXT in page.inner_text(".preview table")
    # Check: the voice that is missing is asked for; cast: it is chosen after an audition.
    go(page, "check")
    page.wait_for_selector(".group.error >> text=둘")
    page.click(".group.error a[href='#cast']")
    page.wait_for_selector(".role.missing")
    page.click(".role.missing .hear")
    for voice in ("kih", "pmb"):
        page.check(f".audition .card[data-voice={voice}] input")
    page.click(".audition-go")
    page.click(".heard li[data-voice=kih] .use", timeout=240_000)
    page.wait_for_selector(".role.missing", state="detached")
    assert (
        '"둘"' in (cast := load_job(job).cast.read_text(encoding="utf-8"))
        and 'voice = "kih"' in cast
    )
    until(lambda: len(studio.session.desk.checked.takes) == 4)
    # Lines: convert everything; what the audition made is used.
    go(page, "lines")
    until(lambda: page.evaluate("document.querySelectorAll('.row').length === 4"))
    in_process["engine"].asked.clear()
    page.click("#convert-all")
    until(
        lambda: page.evaluate(
            "document.querySelectorAll('.row .waiting, .row .begun').length === 0"
        )
    )
    assert len(in_process["engine"].asked) == 3
    # Hear source and result on one playhead.
    page.click(".row[data-key='0001_하나']")
    page.wait_for_selector(".words button")
    page.keyboard.press("2")
    until(lambda: page.evaluate("parseFloat(document.querySelector('.time').textContent) > 0.15"))
    page.keyboard.press("x")
    until(lambda: page.evaluate("parseFloat(document.querySelector('.time').textContent) > 0.3"))
    assert page.get_attribute(".choice >> nth=0", "aria-pressed") == "true"
    page.keyboard.press("Space")
    # Mark, with a note; the next by keys.
    page.keyboard.press("o")
    page.wait_for_selector(".row[data-key='0001_하나'] b.ok")
    page.keyboard.press("j")
    page.keyboard.press("r")
    page.wait_for_selector(".row[data-key='0002_둘'] b.retake")
    page.keyboard.press("n")
    page.keyboard.type("더 크게")
    page.keyboard.press("Enter")
    review = Review(job)
    until(lambda: review.marks().get("0002_둘", Mark()).note == "더 크게")
    assert review.marks()["0001_하나"].state == "ok"
    # Change a line's pitch and effort, and convert it alone; it is heard, its OK no longer holds.
    page.click(".row[data-key='0001_하나']")
    page.wait_for_selector(".words button")
    in_process["engine"].asked.clear()
    page.fill(".panel input[aria-label='높낮이(반음)']", "3")
    page.fill(".panel input[aria-label='힘(0–1.5)']", "0.5")
    page.evaluate("document.querySelector('.time').textContent = '0'")
    page.click("#convert-one")
    page.wait_for_selector(
        ".row[data-key='0001_하나'] .state >> text=OK 뒤에 바뀜", timeout=180_000
    )
    assert len(in_process["engine"].asked) == 1
    until(lambda: page.evaluate("parseFloat(document.querySelector('.time').textContent) > 0.1"))
    asked = review.changes()["0001_하나"]
    assert (asked.pitch, asked.effort, asked.gain) == (3, 0.5, None)
    # Compare with what it was, and return to it.
    page.click("details[data-part=versions] summary")
    page.wait_for_selector(".versions li >> nth=1")
    page.click(".versions li:not(.current) >> text=이 버전으로")
    page.wait_for_selector(".row[data-key='0001_하나'] b.ok")
    assert len(in_process["engine"].asked) == 1
    # A new take from a file.
    page.click(".row[data-key='0002_둘']")
    page.click("details[data-part=take] summary")
    page.set_input_files("#take", DEMO)
    page.wait_for_selector(".row[data-key='0002_둘'] .waiting")
    page.click("#convert-one")
    page.wait_for_selector(".row[data-key='0002_둘'] .converted", timeout=180_000)
    assert soundfile.info(job / "takes" / "0002_둘" / "1.wav").frames == soundfile.info(DEMO).frames
    # Export, and what comes of it.
    go(page, "reel")
    page.click("#export")
    page.wait_for_selector(".delivered a >> text=report.html", timeout=240_000)
    listed = openpyxl.load_workbook(job / "retakes.xlsx").worksheets[0]
    cells = [[*row] for row in listed.iter_rows(values_only=True)]
    row = next(row for row in cells if "더 크게" in row)
    assert "재녹음" in row and "01:00:10:10" in row and "01:00:14:20" in row
    assert {state.status for state in line_states(job)} <= {"converted", "passed"}
    page.wait_for_selector(".stems li >> nth=1")
    with page.expect_popup() as opened:
        page.click(".delivered a >> text=report.html")
    opened.value.wait_for_selector("nav:not([hidden]) output >> text=4")  # its script runs
    assert "더 크게" in page.inner_text(".retakes")
    opened.value.click("a[href='stems']")  # a folder, whose files the page lists
    opened.value.wait_for_selector(".stems li >> nth=1")


def test_two_tabs_show_one_truth_and_the_terminal_s_work_is_seen(studio, new_page):
    from typer.testing import CliRunner

    from moksori.cli import app

    studio.session.save(fps="25")
    first, second = new_page(studio), new_page(studio, 375, 720)
    for page in (first, second):
        page.wait_for_selector(".row >> nth=3")
    first.click(".row[data-key='0001_하나']")
    first.keyboard.press("h")
    second.wait_for_selector(".row[data-key='0001_하나'] b.hold")
    second.click(".row[data-key='0001_하나']")
    second.fill(".panel > input", "음악과 함께")
    second.keyboard.press("Enter")
    first.wait_for_selector(".row[data-key='0001_하나'] .note >> text=음악과 함께")
    out = str(studio.session.desk.out)
    done = CliRunner().invoke(app, ["mark", out, "0003_하나", "retake"])
    assert done.exit_code == 0, done.output
    second.click(".close")
    for page in (first, second):
        page.wait_for_selector(".row[data-key='0003_하나'] b.retake")


def test_every_screen_fits_a_phone_and_speaks_english(studio, new_page):
    studio.session.save(fps="25")
    page = new_page(studio, 375, 720)
    page.wait_for_selector(".row >> nth=3")
    page.click("#lang")
    page.wait_for_selector("#tabs >> text=Cast")
    for name in ("start", "cast", "check", "lines", "reel", "one"):
        go(page, name)
        page.wait_for_timeout(300)
        wide = page.evaluate("document.documentElement.scrollWidth")
        heading = page.text_content("#screen h1")
        assert heading and page.title().startswith(
            page.text_content(f"#tabs a[data-name={name}] span")
        )
        assert wide <= 375, name
        left = page.evaluate(
            "[...document.querySelectorAll('#screen *, #tabs *')].filter(e => !e.children.length "
            "&& !e.closest('[lang=ko], table, .issues, .role, .row, option, .preview p')"
            "&& /[가-힣]/.test(e.textContent)).map(e => e.textContent)"
        )
        names = re.compile("하나|둘|1화")
        assert not [text for text in left if re.search("[가-힣]", names.sub("", text))], name
    go(page, "lines")
    page.click(".row >> nth=0")
    page.wait_for_selector(".panel .marks")
    assert page.evaluate("document.querySelector('.panel').scrollWidth") <= 375


def test_a_laugh_alone_has_no_figure_of_a_text(studio, new_page):
    page = new_page(studio)
    go(page, "one")
    page.set_input_files("#one-file", DEMO)
    page.fill(".page textarea", "(웃음)")
    page.check(".page .card[data-voice=kih] input")
    page.click(".page button.main")
    page.wait_for_selector(".heard li[data-voice=kih] small >> text=글 없이 변환했으니")


def test_a_take_by_the_microphone(studio, new_page):
    studio.session.save(fps="25")
    page = new_page(studio)
    page.click(".row >> nth=0")
    page.click("details[data-part=take] summary")
    page.click("#record")
    page.wait_for_selector("#record.recording")
    page.wait_for_timeout(800)
    page.click("#record")
    made = studio.session.desk.out / "takes" / "0001_하나" / "1.wav"
    until(lambda: studio.session.desk.review.changes().get("0001_하나"))
    about = soundfile.info(made)
    assert about.subtype == "PCM_24" and about.duration > 0.5


def test_the_playhead_is_moved_by_keys_and_told_in_words(studio, new_page):
    studio.session.save(fps="25")
    page = new_page(studio)
    page.click(".row >> nth=0")
    slider = page.locator(".wave.heard[role=slider]")
    until(lambda: float(slider.get_attribute("aria-valuemax")) > 4)
    assert page.locator(".wave[tabindex='0']").count() == 1
    empty = page.locator(".wave[role=slider] >> nth=1")
    assert (empty.get_attribute("aria-valuetext"), empty.get_attribute("aria-disabled")) == (
        "아직 없습니다", "true",
    )  # fmt: skip
    slider.focus()
    longest = float(slider.get_attribute("aria-valuemax"))
    steps = {
        "ArrowRight": 0.5, "ArrowUp": 1.0, "PageUp": 3.0, "ArrowLeft": 2.5, "PageDown": 0.5,
        "ArrowDown": 0.0, "End": longest - 0.5, "Home": 0.0,
    }  # fmt: skip
    for key, at in steps.items():
        page.keyboard.press(key)
        assert float(slider.get_attribute("aria-valuenow")) == pytest.approx(at, abs=0.02), key
        shown = f"{longest:.1f}초 가운데 {float(slider.get_attribute('aria-valuenow')):.1f}초"
        assert slider.get_attribute("aria-valuetext") == shown
    assert page.get_attribute(".row >> nth=0", "aria-selected") == "true"  # no other line
    page.keyboard.press("Space")
    page.wait_for_selector(".play[aria-label='멈춤']")
    page.keyboard.press("Space")
    page.wait_for_selector(".play[aria-label='재생']")
    page.keyboard.press("j")
    page.wait_for_selector(".row[aria-selected=true][data-key='0002_둘']")


def test_no_two_controls_of_a_screen_sound_the_same(studio, new_page, in_process):
    """What a screen reader says of one tells what it is for, not only what is to be done."""
    studio.session.save(fps="25")
    page = new_page(studio)
    page.wait_for_selector(".row >> nth=3")
    names = """[...document.querySelectorAll('main :is(button, input, select, textarea)')]
        .filter((control) => control.checkVisibility())
        .map((control) => `${control.tagName} ${control.type} ` + (control.getAttribute('aria-label')
            ?? (control.labels?.[0] ?? control).textContent).trim())"""
    for screen in ("start", "cast", "check", "reel", "one"):
        go(page, screen)
        page.wait_for_timeout(300)
        if screen == "cast":
            page.wait_for_selector(".role >> nth=1")
        said = page.evaluate(names)
        assert sorted(said) == sorted(set(said)), screen
    go(page, "lines")
    page.click(".row >> nth=0")
    for voice in ("lmy", "kih"):
        page.select_option(".panel select", voice)
        page.click("#convert-one")
        page.wait_for_selector(f".versions li.current >> text={voice}", state="attached")
    page.click("details[data-part=versions] summary")
    back = [
        each.get_attribute("aria-label") for each in page.query_selector_all(".versions button")
    ]
    assert len(back) == 5 and any(said.startswith("이 버전으로: 20") for said in back)


def test_the_reel_s_settings_are_gone_through_by_keys(studio, new_page):
    """An arrow chooses at once: the field stays, and the next arrow goes on from it."""
    studio.session.save(fps="25")
    page, desk = new_page(studio), studio.session.desk
    go(page, "reel")
    page.focus(".settings select >> nth=0")
    for name in ("netflix", "premix"):
        page.keyboard.press("ArrowDown")
        until(lambda name=name: desk.file.loudness == name)
        page.wait_for_timeout(500)  # the page is told
    page.click(".settings summary")
    page.focus(".parts input[value=edl]")
    for _ in range(2):
        page.keyboard.press("Space")
        page.keyboard.press("Tab")
    until(lambda: {"edl", "otio"} <= set(desk.file.without))
    # What the other window chooses is shown as soon as the keys are elsewhere.
    studio.session.save(loudness="ebu")
    page.focus("#export")
    until(lambda: page.input_value(".settings select >> nth=0") == "ebu")


def test_waves_and_playhead_are_seen_by_day_and_by_night(studio, new_page):
    """At least 3 to 1 to what is behind them (WCAG 2.2, 1.4.11)."""

    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.05 + 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    studio.session.save(fps="25")
    page = new_page(studio)
    page.click(".row >> nth=0")
    names = ("wave-source", "played-source", "wave-result", "played-result", "red", "grey-soft")
    colours = f"""{[*names]}.map((name) =>
        getComputedStyle(document.documentElement).getPropertyValue(`--${{name}}`).trim())"""
    drawn = """(([_, g, b]) => `#${[_, g, b].map((x) => (+x).toString(16).padStart(2, "0")).join("")}`)(
        getComputedStyle(document.querySelector(".wave > div").shadowRoot.querySelector("[part=cursor]"))
        .backgroundColor.match(/[0-9]+/g))"""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        *found, behind = page.evaluate(colours)
        for name, colour in zip(names, found, strict=False):
            light_of = sorted((light(colour), light(behind)))
            assert light_of[1] / light_of[0] >= 3, (scheme, name)
        until(lambda red=found[-1]: page.evaluate(drawn) == red)


def test_a_line_that_lies_over_the_list_has_the_keys_to_itself(studio, new_page):
    """On a phone, or at twice the size: what is below it is neither tabbed to nor read out."""
    studio.session.save(fps="25")
    page = new_page(studio, 640, 400)
    page.wait_for_selector(".row >> nth=3")
    page.focus(".row >> nth=1")
    page.keyboard.press("Enter")
    page.wait_for_selector(".panel .words", state="attached")
    within = "document.querySelector('.panel').contains(document.activeElement)"
    assert page.evaluate(within)
    page.focus(".panel .step >> nth=0")
    page.keyboard.press("Shift+Tab")
    hidden = "getComputedStyle(document.activeElement).visibility !== 'visible'"
    under = "document.activeElement.matches('#top *, #works *, .list *')"
    assert not page.evaluate(hidden) and not page.evaluate(under)
    page.evaluate("document.body.classList.add('lost')")
    at = page.locator("#lost").bounding_box()
    assert page.evaluate(f"document.elementFromPoint(9, {at['y'] + 3}).id") == "lost"
    page.evaluate("document.body.classList.remove('lost')")
    page.keyboard.press("j")
    page.wait_for_selector(".panel .head >> text=3 · 하나")
    page.keyboard.press("Escape")
    until(lambda: page.evaluate("document.activeElement.dataset.key") == "0003_하나")


def test_a_voice_that_is_gone_is_named_where_another_is_chosen(studio, new_page):
    studio.session.save(fps="25")
    studio.session.cast("둘", {"voice": "없는이"})
    page = new_page(studio)
    go(page, "cast")
    page.wait_for_selector(".role[data-key='둘'] select")
    until(lambda: page.input_value(".role[data-key='둘'] select") == "없는이")
    go(page, "check")
    page.wait_for_selector(".issues >> text=“없는이”: 없는 목소리입니다. “캐스팅”에서 고르세요")
    go(page, "lines")
    page.click(".row[data-key='0002_둘']")
    page.wait_for_selector(".panel .fields option >> nth=3", state="attached")
    assert page.input_value(".panel select") == "없는이"
    page.keyboard.press("k")
    page.wait_for_selector(".panel .head >> text=1 · 하나")
    until(lambda: page.input_value(".panel select") == "lmy")
    assert not page.query_selector(".panel option[value=없는이]")


def test_a_long_note_leaves_the_list_a_list(studio, new_page):
    studio.session.save(fps="25")
    page = new_page(studio)
    page.click(".row >> nth=0")
    page.fill(".panel > input", note := "바람 소리가 큽니다. " * 300)
    page.keyboard.press("Enter")
    row = page.locator(".row >> nth=0")
    row.locator(".note").wait_for()
    assert row.bounding_box()["height"] < 200
    assert row.locator(".note").get_attribute("title") == note[:4000]
