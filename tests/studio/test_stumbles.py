"""What stood in a director's way, kept from coming back: a first visit, changes of several lines, keys."""

import threading
import time

import numpy as np
import openpyxl
import pytest
import soundfile

from moksori.dubbing.records import Change, Mark
from moksori.dubbing.review import Review
from tests.conftest import DEMO_TEXT
from tests.studio.conftest import Running, go, until

pytestmark = pytest.mark.slow


def test_what_is_asked_of_several_lines_is_kept_and_converted_at_once(studio, new_page, in_process):
    studio.session.save(fps="25")
    studio.session.cast("둘", {"voice": "kih"})
    page, review = new_page(studio), Review(studio.session.desk.out)
    page.wait_for_selector(".row >> nth=3")
    page.focus(".row[data-key='0001_하나']")
    page.keyboard.press("Enter")
    page.wait_for_selector(".panel .fields option >> nth=3", state="attached")
    page.fill(".panel input[aria-label='높낮이(반음)']", "2")
    page.click(".panel button[aria-label='다음']")
    until(lambda: "0001_하나" in review.changes())
    page.wait_for_selector(".panel .head >> text=2 · 둘")
    page.keyboard.press("n")
    page.keyboard.type("다시")
    page.keyboard.press("Enter")
    page.keyboard.press("h")  # the note no longer has the keys
    page.wait_for_selector(".row[data-key='0002_둘'] b.hold")
    page.fill(".panel textarea", "")
    page.fill(".panel input[aria-label='음량(dB)']", "-3")
    page.keyboard.press("Tab")
    until(lambda: "0002_둘" in review.changes())
    changes = review.changes()
    assert (changes["0001_하나"].pitch, changes["0002_둘"].gain) == (2, -3)
    assert changes["0002_둘"].text is None and review.marks()["0002_둘"].note == "다시"
    assert page.input_value(".panel textarea") == DEMO_TEXT
    page.click("#convert-all")
    until(
        lambda: page.evaluate(
            "document.querySelectorAll('.row .converted, .row .passed').length === 4"
        )
    )
    roles = {take.id: take.role for take in studio.session.desk.checked.takes}
    assert (roles["0001_하나"].pitch, roles["0002_둘"].gain, roles["0003_하나"].pitch) == (2, -3, 0)
    # A mark takes the line out of what is shown; the next is the one after it, not the first.
    page.select_option("#show", "unseen")
    page.click(".row[data-key='0003_하나']")
    page.keyboard.press("o")
    page.wait_for_selector(".row[data-key='0003_하나']", state="detached")
    page.keyboard.press("j")
    page.wait_for_selector(".panel .head >> text=4 · 둘")


def test_a_character_who_is_renamed_in_the_script_hides_no_line(studio, new_page):
    studio.session.save(fps="25")
    page = new_page(studio)
    page.wait_for_selector(".row >> nth=3")
    page.select_option("select[aria-label='배역']", "둘")
    page.wait_for_function("() => document.querySelectorAll('.row').length === 2")
    script = studio.session.desk.file.script
    book = openpyxl.load_workbook(script)
    for row in (3, 5):
        book.active.cell(row, 4).value = "셋"
    book.save(script)
    page.wait_for_selector(".row .who >> text=셋")
    assert page.locator(".row").count() == 4
    assert page.input_value("select[aria-label='배역']") == ""


def test_what_is_said_at_once_and_on_leaving_is_kept_in_its_order(studio, new_page, in_process):
    studio.session.save(fps="25")
    page, review = new_page(studio), Review(studio.session.desk.out)
    page.wait_for_selector(".row >> nth=3")
    real, slow = studio.session.mark, threading.Event()

    def mark(*asked):
        if not slow.is_set():  # the first that comes
            slow.set()
            time.sleep(0.5)
        real(*asked)

    studio.session.mark = mark
    page.click(".row[data-key='0001_하나']")
    for key in ("r", "u", "h"):
        page.keyboard.press(key)
    until(lambda: review.marks().get("0001_하나", Mark()).state == "hold")
    page.wait_for_timeout(200)
    assert review.marks()["0001_하나"].state == "hold"
    page.keyboard.press("n")
    page.keyboard.type("더 크게")
    page.fill(".panel input[aria-label='음량(dB)']", "-3")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    page.keyboard.type("!")
    page.goto("about:blank")
    until(lambda: review.marks()["0001_하나"].note == "더 크게!")
    until(lambda: review.changes().get("0001_하나", Change()).gain == -3)


@pytest.fixture
def empty(show, in_process):
    """A Studio without any job."""
    running = Running(show / "root")
    yield running
    running.close()


def test_a_first_visit_from_a_name_to_lines_with_recordings(show, empty, new_page):
    """Recordings are named by another pattern, which is proposed; the page says what is next."""
    for take in (show / "takes").iterdir():
        take.rename(
            take.with_name(f"{int(take.stem):03d}_{'하나' if int(take.stem) % 2 else '둘'}.wav")
        )
    script = openpyxl.load_workbook(show / "script.xlsx")
    script.active.delete_cols(7)
    script.save(show / "script.xlsx")
    page = new_page(empty)
    page.wait_for_selector("#tabs a >> nth=5")
    assert page.locator("#tabs a[href]").count() == 2  # what needs a job is passed by keys too
    page.fill(".new input", "2화")
    page.keyboard.press("Enter")
    page.wait_for_selector("h2 >> text=2화")
    page.set_input_files("input[data-kind=script]", show / "script.xlsx")
    page.wait_for_selector(".drop.there >> text=script.xlsx")
    page.wait_for_selector(".preview .note")
    assert str(empty.session.root) not in page.inner_text("main")  # files by their names
    page.set_input_files("input[data-kind=recording]", sorted((show / "takes").iterdir()))
    page.wait_for_selector("#toasts .good >> text=4")
    page.wait_for_selector(".drop.there >> text=넣은 녹음")
    page.select_option(".preview select[name=fps]", "25")
    page.evaluate("document.activeElement.blur()")
    shown = page.query_selector(".preview table")
    empty.session.save(title="달 토끼")  # the form is made again: what is not saved yet stays in it
    page.wait_for_function("table => !table.isConnected", arg=shown)
    assert page.input_value(".preview select[name=fps]") == "25"
    assert page.input_value(".preview input[name=title]") == "달 토끼"
    page.click(".preview form.settings button.main")
    page.click(".next a[href='#cast']")
    for who, voice in (("하나", "lmy"), ("둘", "kih")):
        page.select_option(f"select[aria-label='목소리 {who}']", voice)
        page.wait_for_selector(f".role:not(.missing)[data-key='{who}']")
    page.click(".next a[href='#check']")
    page.click(".proposal >> nth=0")
    page.click(".next a[href='#lines']")
    page.wait_for_selector(".row >> nth=3")
    assert len(empty.session.desk.checked.takes) == 4


def test_a_press_outlives_what_is_drawn_meanwhile(studio, new_page):
    """A link that is drawn anew between the two halves of a click would never be followed."""
    page = new_page(studio)
    page.click("#tabs a[href='#start']")
    page.hover(".next a")
    wanted = page.get_attribute(".next a", "href")
    page.mouse.down()
    with page.expect_response("**/api/state") as answered:
        studio.session.changed()
    answered.value.finished()
    page.evaluate("new Promise((done) => setTimeout(done, 300))")
    page.mouse.up()
    page.wait_for_function("hash => location.hash === hash", arg=wanted)


def test_a_press_that_takes_the_focus_from_a_role_is_followed(studio, new_page):
    """Leaving a role draws the cast anew, and the way on with it: not while it is pressed."""
    studio.session.save(fps="25")
    studio.session.cast("둘", {"voice": "kih"})
    page = new_page(studio)
    go(page, "cast")
    page.focus(".role[data-key='둘'] select")
    page.hover(".next a")
    wanted = page.get_attribute(".next a", "href")
    page.mouse.down()
    page.evaluate("new Promise((done) => setTimeout(done, 300))")
    page.mouse.up()
    page.wait_for_function("hash => location.hash === hash", arg=wanted)


def test_a_press_whose_end_is_never_seen_does_not_keep_the_page_from_being_drawn(studio, new_page):
    page = new_page(studio)
    page.evaluate("window.dispatchEvent(new PointerEvent('pointerdown'))")
    page.evaluate("location.hash = 'cast'")
    page.wait_for_selector(".role")
    page.evaluate("location.hash = 'lines'")
    page.wait_for_selector(".row >> nth=3")


def test_folders_are_dropped_with_what_is_in_them(studio, new_page):
    page = new_page(studio)
    names = page.evaluate("""async () => {
      const { filesOf } = await import("/static/dropped.js");
      const file = (name) => ({ name, isFile: true, file: (done) => done({ name }) });
      const folder = (name, ...inner) => ({ name, isFile: false, createReader: () => {
        const parts = [inner.slice(0, 1), inner.slice(1), []];
        return { readEntries: (done) => done(parts.shift()) };
      } });
      const inner = [file("1.wav"), folder("b", file("2.wav")), file(".DS_Store")];
      const dropped = [folder("takes", ...inner), file("3.wav")];
      const items = dropped.map((entry) => ({ webkitGetAsEntry: () => entry }));
      return (await filesOf({ items, files: [] })).map((found) => found.name);
    }""")
    assert names == ["1.wav", "2.wav", "3.wav"]


def test_a_job_that_cannot_be_checked_any_more_says_so_on_every_screen(show, studio, new_page):
    studio.session.save(fps="25")
    studio.session.cast("둘", {"voice": "kih"})
    page = new_page(studio)
    page.wait_for_selector(".row >> nth=3")
    until(lambda: len(studio.session.desk.checked.takes) == 4)
    (show / "1화" / "takes").rename(show / "away")
    page.wait_for_selector("#tabs a[data-name=check] b >> text=1")


def test_what_is_no_recording_is_told_by_its_own_name(studio, new_page):
    studio.session.save(fps="25")
    page = new_page(studio, missing="/api/")
    page.click(".row >> nth=0")
    no_sound = {"name": "새 녹음.wav", "mimeType": "audio/wav", "buffer": b"no sound"}
    page.set_input_files("#take", no_sound)
    page.wait_for_selector("#toasts >> text=새 녹음.wav")


def test_a_length_that_is_no_time_is_told_where_it_was_typed(studio, new_page):
    studio.session.save(fps="25")
    page = new_page(studio)
    go(page, "reel")
    page.fill("input[placeholder='00:22:30:00']", "스물두 분")
    page.keyboard.press("Tab")
    page.wait_for_selector(".page > p .bad >> text=스물두 분")


def test_columns_that_are_told_stay_open_to_be_corrected(studio, new_page):
    studio.session.save(fps="25")
    page = new_page(studio)
    go(page, "start")
    page.click(".preview form.settings summary")
    page.fill(".preview input[name='column.line']", "없는 열")
    page.click(".preview form.settings button.main")
    page.wait_for_selector(".preview .bad >> text=열 이름 알려 주기")
    assert page.is_visible(".preview input[name='column.line']")


def test_a_screen_that_is_asked_for_before_anything_is_known_is_shown_then(studio, new_page):
    page = new_page(studio, missing="/api/")
    page.wait_for_selector("#tabs a >> nth=3")
    page.route("**/api/state", lambda route: (time.sleep(0.5), route.continue_()))
    page.reload()
    page.evaluate("location.hash = 'one'")
    page.wait_for_selector("#one-file", state="attached")
    page.unroute_all(behavior="wait")


DROP = """([selector, name]) => {
  const files = new DataTransfer();
  files.items.add(new File(["x"], name));
  return ["dragover", "drop"].map((kind) => !document.querySelector(selector).dispatchEvent(
    new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: files })));
}"""


def test_a_file_that_is_dropped_takes_its_field_or_nothing_and_never_the_page_s_place(
    studio, new_page
):
    page = new_page(studio)
    page.wait_for_selector("#tabs a >> nth=3")
    for screen in ("start", "lines", "one"):
        go(page, screen)
        assert page.evaluate(DROP, ["#screen", "a.wav"]) == [True, True], screen
    page.wait_for_selector("#one-file", state="attached")
    assert page.evaluate(DROP, [".drop", "a.zip"]) == [True, True]
    page.wait_for_selector("#toasts >> text=a.zip")
    page.evaluate(DROP, [".drop", "a.wav"])
    page.wait_for_selector(".drop >> text=✓ a.wav")
    go(page, "cast")
    page.click("#enrol summary")
    page.click("#enrol fieldset details summary")
    page.wait_for_selector("#enrol-spoken", state="attached")
    page.evaluate(DROP, ["#enrol fieldset details .drop", "말.wav"])
    page.wait_for_selector("#enrol fieldset details .drop >> text=✓ 말.wav")


def test_a_line_that_cannot_be_read_is_heard_where_its_fault_is(studio, new_page):
    studio.session.save(fps="25")
    until(lambda: studio.session.desk.checked and studio.session.desk.checked.takes)
    studio.session.change("0001_하나", {"text": "Ωμέγα"})
    page = new_page(studio)
    page.wait_for_selector(".row .faulty >> nth=0")
    go(page, "check")
    fault = page.locator(".group.error li >> text=Ω")
    with page.expect_response(lambda r: "/0001_" in r.url and r.url.endswith("/source")) as heard:
        fault.locator("xpath=ancestor-or-self::li").locator(".listen").click()
    assert heard.value.ok and heard.value.headers["content-type"] == "audio/flac"


def test_a_line_that_the_check_stops_shows_what_its_character_has(studio, new_page):
    """A voice that was to be chosen anew, and numbers that were not kept, for all that the page said."""
    studio.session.save(fps="25")
    studio.session.cast("하나", {"gain": -3})
    until(lambda: studio.session.desk.checked and studio.session.desk.checked.takes)
    studio.session.change("0001_하나", {"text": "Ωμέγα", "pitch": 2})
    page = new_page(studio)
    page.wait_for_selector(".row[data-key='0001_하나'] .faulty")
    assert page.inner_text(".row[data-key='0001_하나'] .who small") == "lmy"
    page.click(".row[data-key='0001_하나']")
    page.wait_for_selector(".panel .fields option >> nth=3", state="attached")
    shown = [page.input_value(f".panel .fields label:nth-child({n}) > *") for n in (1, 2, 3)]
    assert shown == ["lmy", "2", "-3"]


def test_a_channel_that_the_track_lacks_is_corrected_where_it_is_said(show, studio, new_page):
    track = show / "1화" / "poly.wav"
    soundfile.write(track, 0.1 * np.random.default_rng(0).standard_normal((16000 * 30, 3)), 16000)
    studio.session.save(fps="25", start="01:00:00:00", audio=track, channels={"하나": "9"})
    page = new_page(studio)
    page.wait_for_selector("#tabs a[data-name=check]")
    go(page, "check")
    said = page.locator("p.bad").get_by_text("“9”: 트랙에 없는 채널입니다")
    said.wait_for()
    assert "--" not in said.inner_text()
    page.fill("input[name=channels]", "mix")
    page.click("form.settings button.main")
    until(lambda: studio.session.desk.checked and len(studio.session.desk.checked.recorded) == 4)
