"""What is typed on the page is asked of the line and the job that it was typed for, and is never lost."""

import pytest

from moksori.dubbing.new_takes import TAKES
from moksori.dubbing.plan.cast import read_cast
from moksori.dubbing.records import Mark
from moksori.dubbing.request import load_job, remember
from moksori.dubbing.review import Review
from moksori.errors import OutputError
from tests.conftest import DEMO_TEXT
from tests.studio.conftest import go, until

pytestmark = pytest.mark.slow
FIRST, SECOND = "0001_하나", "0002_둘"
PITCH, GAIN = ".panel input[aria-label='높낮이(반음)']", ".panel input[aria-label='음량(dB)']"


@pytest.fixture
def lines(studio, new_page):
    """The screen of lines, with the first one in the panel, and what is said of them."""
    studio.session.save(fps="25")
    page = new_page(studio, missing="/api/")
    page.wait_for_selector(".row >> nth=3")
    page.click(f".row[data-key='{FIRST}']")
    page.wait_for_selector(".panel .fields option >> nth=3", state="attached")
    return page, Review(studio.session.desk.out)


def asked(review: Review, id: str = FIRST) -> dict[str, object]:
    """Of a line, by the names of `Change`."""
    change = review.changes().get(id)
    return change.model_dump(exclude_none=True, exclude={"script_text"}) if change else {}


def test_a_value_that_is_taken_back_is_taken_back(lines, in_process):
    page, review = lines
    page.fill(PITCH, "2")
    page.keyboard.press("Tab")
    until(lambda: asked(review) == {"pitch": 2.0})
    page.fill(PITCH, "0")
    page.keyboard.press("Tab")
    until(lambda: asked(review).get("pitch") == 0)
    page.fill(".panel textarea", "다른 말이에요.")
    page.keyboard.press("Tab")
    until(lambda: asked(review).get("text") == "다른 말이에요.")
    page.fill(".panel textarea", "")
    page.click("#convert-one")  # the field has lost the focus a moment before
    until(lambda: "text" not in asked(review))
    assert page.input_value(".panel textarea") == DEMO_TEXT
    page.fill(PITCH, "3")
    page.click(".panel .buttons button >> nth=1")  # as the script and the cast say
    until(lambda: asked(review) == {})
    page.wait_for_timeout(600)
    assert asked(review) == {} and float(page.input_value(PITCH)) == 0


def test_what_is_being_typed_is_kept_when_the_screen_or_the_page_goes(lines):
    page, review = lines
    page.fill(".panel textarea", "화면을 바꿔요.")
    page.keyboard.press("Alt+2")
    until(lambda: asked(review).get("text") == "화면을 바꿔요.")
    go(page, "lines")
    page.click(f".row[data-key='{SECOND}']")
    page.focus(".panel input[aria-label='메모']")
    page.keyboard.type("크게")
    page.fill(GAIN, "-2")
    page.fill(".panel textarea", "창을 닫아요.")
    page.goto("about:blank")
    until(lambda: asked(review, SECOND).keys() == {"text", "gain"})
    until(lambda: review.marks().get(SECOND, Mark()).note == "크게")


def test_what_is_said_while_the_server_is_away_is_sent_in_its_order_when_it_is_back(lines):
    page, review = lines
    page.route("**/api/mark", lambda route: route.abort())
    page.keyboard.press("n")
    page.keyboard.type("한 번 더")
    page.keyboard.press("Enter")
    page.keyboard.press("r")
    page.keyboard.press("h")
    page.wait_for_selector("#toasts >> text=연결되지 않습니다")
    assert page.input_value(".panel input[aria-label='메모']") == "한 번 더"
    assert not review.marks()
    page.unroute("**/api/mark")
    until(lambda: review.marks().get(FIRST, Mark())[:2] == ("hold", "한 번 더"))


def test_what_two_write_of_a_line_at_once_is_kept_and_the_second_is_told(lines, studio, new_page):
    page, review = lines
    other = new_page(studio, missing="/api/")
    other.click(f".row[data-key='{FIRST}']")
    other.wait_for_selector(".panel .fields option >> nth=3", state="attached")
    note = ".panel input[aria-label='메모']"
    page.focus(note)
    page.keyboard.type("너무 큽니다")
    other.fill(note, "숨소리가 빠졌습니다")
    other.keyboard.press("Enter")
    until(lambda: review.marks().get(FIRST, Mark()).note == "숨소리가 빠졌습니다")
    page.wait_for_selector(".row .note >> text=숨소리가 빠졌습니다")
    page.keyboard.press("Enter")
    page.wait_for_selector("#toasts >> text=두 메모를 나란히")
    assert review.marks()[FIRST].note == "숨소리가 빠졌습니다 / 너무 큽니다"
    until(lambda: page.input_value(note) == "숨소리가 빠졌습니다 / 너무 큽니다")
    page.focus(note)  # what one person writes twice is not told
    page.keyboard.press("End")
    page.keyboard.type("!")
    page.keyboard.press("Tab")
    page.focus(note)
    page.keyboard.type("?")
    page.keyboard.press("Enter")
    until(lambda: review.marks()[FIRST].note.endswith("큽니다!?"))
    assert page.locator("#toasts p").count() == 1
    # A mark: the page's list is older than what the other says.
    page.route("**/api/state", lambda route: route.abort())
    other.click(".row >> nth=0")
    other.keyboard.press("h")
    until(lambda: review.marks()[FIRST].state == "hold")
    page.keyboard.press("r")
    page.wait_for_selector("#toasts >> text=다른 사람이 “보류”로 판정해")
    assert review.marks()[FIRST].state == "hold"
    page.unroute("**/api/state")
    studio.session.changed()
    page.wait_for_selector(f".row[data-key='{FIRST}'] b.hold")
    page.keyboard.press("r")
    until(lambda: review.marks()[FIRST].state == "retake")


def test_what_a_field_cuts_is_told(lines):
    page, review = lines
    page.fill(".panel input[aria-label='메모']", "가" * 5000)
    page.keyboard.press("Tab")
    until(lambda: len(review.marks().get(FIRST, Mark()).note) == 5000)
    page.focus(".panel input[aria-label='메모']")
    page.keyboard.insert_text("나" * 6000)  # as pasted
    page.wait_for_selector("#toasts >> text=10000자까지만")


def test_nothing_is_said_of_the_same_line_of_another_job(lines, studio, show, new_page):
    session, first = studio.session, studio.session.desk.out
    other = show / "1화" / "다른 화"
    other.mkdir()
    session.open_folder(other)
    session.save(script=show / "1화" / "script.xlsx", audio=show / "1화" / "takes", fps="25")
    until(lambda: session.desk.checked and len(session.desk.checked.lines) == 4)
    session.root = other.parent
    # A page that has not seen it yet, as a tab in the background.
    stale = new_page(studio, missing="/api/")
    stale.wait_for_selector("#tabs a >> nth=3")
    ask = """async ([name, asked]) => (await fetch(`/api/${name}`, {method: "POST",
        headers: {"content-type": "application/json"}, body: JSON.stringify(asked)})).json()"""
    for name, values in (
        ("mark", {"state": "ok"}), ("change", {"values": {"pitch": 2}}), ("forget", {}),
        ("convert", {"values": {"gain": 1}}), ("settings", {"values": {"fps": "24"}}),
    ):  # fmt: skip
        answer = stale.evaluate(ask, [name, {"job": first.name, "id": FIRST, **values}])
        assert "다른 화" in answer["error"], name
    bring = """async (job) => (await fetch(`/api/lines/0001_하나/take?name=a.wav&job=${job}`,
        {method: "PUT", body: "RIFF"})).json()"""
    assert "다른 화" in stale.evaluate(bring, first.name)["error"]
    review = Review(other)
    assert not review.marks() and not review.changes() and not (other / TAKES).exists()
    assert load_job(other).fps == "25"


def test_the_cast_s_fields_stay_while_the_answer_of_the_one_before_comes(studio, new_page):
    studio.session.save(fps="25")
    page = new_page(studio)
    go(page, "cast")
    pitch, gain = ("input[aria-label='높낮이(반음) 하나']", "input[aria-label='음량(dB) 하나']")
    page.wait_for_selector(pitch)
    page.fill(pitch, "2")
    page.keyboard.press("Tab")
    page.focus(gain)
    page.keyboard.press("Control+A")
    page.keyboard.type("-1")
    until(lambda: read_cast(studio.session.desk.file.cast).characters["하나"].pitch == 2)
    page.wait_for_timeout(500)
    page.keyboard.type("2")
    page.keyboard.press("Tab")
    until(lambda: read_cast(studio.session.desk.file.cast).characters["하나"].gain == -12)


def test_a_number_that_is_cleared_asks_nothing_and_is_shown_again(lines, studio):
    """An effort that was cleared was none at all, for every line of the character."""
    page, review = lines
    page.fill(PITCH, "")
    page.keyboard.press("Tab")
    page.wait_for_function("field => document.querySelector(field).value === '0'", arg=PITCH)
    assert not asked(review)
    go(page, "cast")
    effort, gain = (f"input[aria-label='{name} 하나']" for name in ("힘(0–1.5)", "음량(dB)"))
    page.fill(effort, "")
    page.keyboard.press("Tab")
    page.fill(gain, "50")
    page.keyboard.press("Tab")
    page.wait_for_selector("#toasts >> text=음량(dB)")  # as the page names it
    page.fill(gain, "")
    page.keyboard.press("Tab")
    assert page.input_value(effort) == "1" and page.input_value(gain) == "0"
    role = read_cast(studio.session.desk.file.cast).characters["하나"]
    assert (role.effort, role.gain) == (1, 0)


def test_a_character_s_laughs_are_converted_or_stay_as_the_cast_says(studio, new_page):
    studio.session.save(fps="25")
    page, path = new_page(studio), studio.session.desk.file.cast
    go(page, "cast")
    field = page.get_by_label("웃음·비명 하나")
    until(lambda: field.input_value() == "convert")
    field.select_option(label="녹음 그대로")
    until(lambda: read_cast(path).characters["하나"].nonverbal == "leave")
    studio.session.cast("하나", {"nonverbal": "match"})  # as on another page
    until(lambda: field.input_value() == "match")
    assert "또렷한 것만" in field.inner_text()


def test_settings_change_what_was_changed_alone(studio, new_page):
    session = studio.session
    session.save(fps="25")
    page = new_page(studio)
    go(page, "start")
    page.wait_for_selector(".preview form.settings")
    page.fill(".preview input[name=title]", "달 토끼")
    remember(session.desk.out, {"fps": "24", "purpose": "research"})  # as a command does
    page.click(".preview button.main")
    until(lambda: load_job(session.desk.out).title == "달 토끼")
    file = load_job(session.desk.out)
    assert (file.fps, file.purpose) == ("24", "research")


def test_what_is_refused_is_not_taken_for_asked(lines):
    page, review = lines
    page.fill(PITCH, "20")
    page.keyboard.press("Tab")
    page.wait_for_selector("#toasts .bad >> nth=0")
    page.keyboard.press("Escape")
    with page.expect_response("**/api/convert") as answer:
        page.keyboard.press("c")
    assert answer.value.status == 400 and not asked(review)
    assert float(page.input_value(PITCH)) == 20


def test_what_is_said_while_studio_is_started_again_is_sent_to_the_new_one(lines):
    page, review = lines
    page.route("**/api/mark", lambda route: route.fulfill(status=401, body=""))
    page.keyboard.press("r")
    page.wait_for_selector("#toasts >> text=연결되지 않습니다")
    page.unroute("**/api/mark")  # its link was opened in this browser
    until(lambda: review.marks().get(FIRST, Mark()).state == "retake")


def test_the_first_click_after_typing_counts(studio, new_page):
    studio.session.save(fps="25")
    page = new_page(studio)
    go(page, "cast")
    page.fill("input[aria-label='높낮이(반음) 하나']", "2")
    page.keyboard.press("Tab")
    page.wait_for_timeout(500)  # the answer is there, and the row is to be made anew
    page.click(".role[data-key='하나'] .hear", delay=150)
    page.wait_for_selector(".role[data-key='하나'] .audition .card")


def test_the_word_in_hand_is_typed_on_while_the_line_changes(lines):
    page, review = lines
    page.click(".panel summary >> text=읽는 법")
    page.focus(".panel form.reading input[name=word]")
    page.keyboard.type("더")
    review.mark(FIRST, DEMO_TEXT, note="밖에서")  # as a command does
    page.wait_for_selector(f".row[data-key='{FIRST}'] small.note")
    page.wait_for_timeout(500)
    page.keyboard.type("oh")
    assert page.input_value(".panel form.reading input[name=word]") == "더oh"
    assert review.marks()[FIRST].state == ""


def test_a_recording_outlives_the_screen_and_the_microphone_does_not(lines):
    page, review = lines
    page.evaluate("""() => {
        const media = navigator.mediaDevices, real = media.getUserMedia.bind(media);
        window.tracks = [];
        media.getUserMedia = async (asked) => {
            const found = await real(asked);
            window.tracks.push(...found.getTracks());
            return found;
        };
    }""")
    page.click(".panel summary >> text=새 녹음")
    page.dblclick("#record")  # begun, and ended at once
    page.wait_for_selector("#record:not(.recording)")
    page.wait_for_timeout(1000)
    page.click("#record")
    page.wait_for_selector("#record.recording")
    page.wait_for_timeout(1500)
    page.keyboard.press("Alt+2")
    until(lambda: "take" in asked(review))
    until(lambda: page.evaluate("tracks.every((track) => track.readyState === 'ended')"))


def test_a_single_line_s_result_waits_for_whoever_comes_back(lines, show):
    page, _review = lines
    go(page, "one")
    page.set_input_files("#one-file", show / "1화" / "takes" / "0001.wav")
    page.fill("textarea[aria-label]", DEMO_TEXT)
    page.check(".cards .card >> nth=0 >> input")
    page.click("form .main")
    go(page, "start")
    until(lambda: page.evaluate("document.querySelectorAll('.work').length") == 0)
    page.wait_for_timeout(3000)
    go(page, "one")
    page.wait_for_selector("ul.heard li[data-voice] a")


def test_what_is_recorded_is_the_line_s_that_it_was_begun_for(lines, studio):
    page, review = lines
    page.click(".panel summary >> text=새 녹음")
    page.click("#record")
    page.wait_for_selector("#record.recording")
    page.wait_for_timeout(1500)
    page.keyboard.press("j")
    page.wait_for_selector(".panel .head >> text=2 · 둘")
    until(lambda: "take" in asked(review))
    assert (studio.session.desk.out / TAKES / FIRST / "1.wav").stat().st_size > 10_000
    assert "take" not in asked(review, SECOND)


def test_takes_that_are_brought_at_once_are_files_of_their_own(studio, new_page):
    studio.session.save(fps="25")
    page, review = new_page(studio), Review(studio.session.desk.out)
    page.wait_for_selector(".row >> nth=3")
    page.evaluate(
        """async () => {
            const place = "/api/lines/0001_하나", body = await (await fetch(`${place}/source`)).blob();
            const bring = (name) => fetch(`${place}/take?name=${name}.wav`, {method: "PUT", body});
            await Promise.all(["a", "b", "c"].map(bring)); }"""
    )
    found = [*(studio.session.desk.out / TAKES / FIRST).iterdir()]
    assert sorted(path.name for path in found) == ["1.wav", "2.wav", "3.wav"]
    assert all(path.stat().st_size > 10_000 for path in found)
    assert "take" in asked(review)


def test_what_is_refused_is_shown_as_it_still_is(studio, new_page, monkeypatch):
    def refused(*asked, **values):
        raise OutputError.of("output.full", path="cast.toml")

    studio.session.save(fps="25")
    page = new_page(studio, missing="/api/")
    go(page, "cast")
    voice, gain, laughs, box = (
        page.locator(f".role[data-key='하나'] {what}")
        for what in (
            "select >> nth=0", "input[aria-label='음량(dB) 하나']",
            "select[aria-label='웃음·비명 하나']", "input[type=checkbox]",
        )
    )  # fmt: skip
    until(lambda: voice.input_value() == "lmy")
    monkeypatch.setattr(studio.session, "cast", refused)
    voice.select_option("kih")
    until(lambda: voice.input_value() == "lmy")
    laughs.select_option("leave")
    until(lambda: laughs.input_value() == "convert")
    with page.expect_response("**/api/**"):
        box.click()  # and no `check`, which finds fault where the refusal comes at once
    until(lambda: not box.is_checked())
    gain.fill("-3")
    gain.press("Tab")
    until(lambda: gain.input_value() == "0")
    assert "다시 하세요" in page.inner_text("#toasts")
    go(page, "reel")
    monkeypatch.setattr(studio.session, "save", refused)
    loudness = page.locator(".settings select >> nth=0")
    loudness.select_option("ebu")
    until(lambda: loudness.input_value() == "korea")
