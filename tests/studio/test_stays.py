"""What a page keeps or takes up again: its place among the lines, the server, what it says of a delivery."""

import threading

import pytest
import soundfile

from moksori.dubbing.progress import Progress, Stage
from moksori.studio.guard import LOCAL
from tests.conftest import DEMO
from tests.studio.conftest import Running, go

pytestmark = pytest.mark.slow


@pytest.fixture
def page(studio, new_page, in_process):
    studio.session.save(fps="25")
    studio.session.cast("둘", {"voice": "kih"})
    shown = new_page(studio)
    shown.wait_for_selector(".row >> nth=3")
    return shown


def is_open(page) -> bool:
    return page.evaluate("document.body.classList.contains('panel-open')")


def test_the_lines_are_found_as_they_were_left(page):
    page.click(".row[data-key='0002_둘']")
    page.select_option("#show", "unseen")
    go(page, "check")
    page.wait_for_selector("h1 >> text=점검")
    go(page, "lines")
    page.wait_for_selector(".panel .head >> text=2 · 둘")
    assert page.input_value("#show") == "unseen" and is_open(page)
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.dataset.key") == "0002_둘"  # where one was
    go(page, "check")
    go(page, "lines")
    page.wait_for_selector(".row >> nth=3")
    assert not is_open(page) and page.is_hidden(".panel")


AT_TOP = """() => {
  const edge = Math.max(...["#top", ".tools"].map((part) =>
    document.querySelector(part).getBoundingClientRect().bottom));
  return [...document.querySelectorAll(".row")].find((row) =>
    row.getBoundingClientRect().bottom > edge + 2).dataset.key;
}"""


@pytest.mark.parametrize("size", [(1280, 800), (360, 740)])
def test_a_place_far_down_is_found_again(studio, new_page, tmp_path, size):
    """Rows that were never shown have heights that are guessed."""
    rows = "".join(f"{n},하나,{'여러 줄에 걸친 긴 대사입니다. ' * 6}\n" for n in range(1, 301))
    (tmp_path / "long.csv").write_text(f"번호,배역,대사\n{rows}", encoding="utf-8")
    studio.session.save(script=tmp_path / "long.csv")
    page = new_page(studio, *size)
    go(page, "lines")
    page.wait_for_selector(".row >> nth=299", state="attached")
    for _ in range(30):  # as somebody who scrolls
        page.evaluate(
            "for (const it of [window, document.querySelector('.rows')]) it.scrollBy(0, 300)"
        )
        page.wait_for_timeout(30)
    page.wait_for_timeout(300)
    before = page.evaluate(AT_TOP)
    go(page, "check")
    page.wait_for_selector("h1 >> text=점검")
    go(page, "lines")
    page.wait_for_selector(".row >> nth=299", state="attached")
    page.wait_for_timeout(500)
    assert page.evaluate(AT_TOP) == before != "0001_하나"


def test_the_way_back_closes_a_line(page):
    page.click(".row[data-key='0001_하나']")
    page.wait_for_selector(".panel .head >> text=1 · 하나")
    page.keyboard.press("j")
    page.wait_for_selector(".panel .head >> text=2 · 둘")
    page.go_back()
    page.wait_for_selector(".panel", state="hidden")
    assert not is_open(page) and page.is_visible(".row[data-key='0001_하나']")
    page.go_forward()
    page.wait_for_selector(".panel .head >> text=2 · 둘")


def test_one_row_is_reached_by_tab(page):
    reached = "[...document.querySelectorAll('.row[tabindex=\"0\"]')].map((row) => row.dataset.key)"
    assert page.evaluate(reached) == ["0001_하나"]
    page.click(".row[data-key='0003_하나']")
    assert page.evaluate(reached) == ["0003_하나"]


def test_a_page_that_is_refused_takes_up_again(studio, new_page):
    """As after Studio has begun anew, until its new link is opened in this browser."""
    refused = []

    def answer(route):
        refused.append(route)
        if len(refused) < 3:
            route.fulfill(status=401, body="no")
        else:
            route.continue_()

    studio.session.save(fps="25")
    page = new_page(studio, missing="/api/events")
    page.wait_for_selector(".row >> nth=3")
    page.route("**/api/events", answer)
    page.reload()
    page.wait_for_selector("[role=alert] >> text=연결이 끊겼습니다")
    page.wait_for_selector("body:not(.lost) .row >> nth=3")
    assert len(refused) == 3
    studio.session.mark("0002_둘", "hold", None)
    page.wait_for_selector(".row[data-key='0002_둘'] b.hold")


def test_whoever_is_about_to_cancel_a_work_by_keys_stays_there_while_it_goes_on(studio, page):
    """And a screen reader says that it goes on, not each line of it."""
    done, end = iter(range(1, 100)), threading.Event()

    def work(watch):
        while not end.wait(0.05):
            watch.check()
            watch.notify(Progress(Stage.CONVERTING, next(done), 100, 1.0))

    studio.session.works.add("convert", work, ids=[])
    page.wait_for_selector(".work button")
    page.focus(".work button")
    shown = page.inner_text(".work .number")
    page.wait_for_function(
        "shown => document.querySelector('.work .number').textContent !== shown", arg=shown
    )
    assert page.evaluate("document.activeElement.matches('.work button')")
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")  # all fits below
    heard = "[...document.querySelectorAll('[role=status], [aria-live], output')].map((e) => e.textContent)"
    assert "변환: 진행 중" in page.evaluate(heard)
    assert not [said for said in page.evaluate(heard) if "/ 100" in said]
    page.keyboard.press("Enter")
    try:
        page.wait_for_selector(".work", state="detached")
    finally:
        end.set()


def test_a_short_check_moves_nothing_and_a_long_one_is_shown(studio, page):
    page.evaluate("""() => { window.rows = 0; new MutationObserver((changes) => {
      for (const change of changes) window.rows += change.addedNodes.length;
    }).observe(document.getElementById("works"), { childList: true }); }""")
    end = threading.Event()
    for work in (lambda watch: end.wait(0.4), lambda watch: end.wait(60)):
        with page.expect_response("**/api/state"):
            studio.session.works.add("check", work, quiet=True)
        page.wait_for_timeout(700)
        assert page.evaluate("window.rows") == 0
    page.wait_for_selector(".work[data-kind=check]")
    end.set()
    page.wait_for_selector(".work", state="detached")


def test_a_delivery_says_when_lines_have_changed_since(studio, page):
    go(page, "reel")
    page.click("#export")
    page.wait_for_selector(".delivered a >> text=report.html", timeout=240_000)
    assert page.inner_text("#outdated") == ""
    studio.session.change("0002_둘", {"pitch": 2})
    page.wait_for_selector("#outdated >> text=1줄")
    page.click("#export")
    page.wait_for_function("() => !document.getElementById('outdated').textContent")


def test_a_line_that_was_heard_to_its_end_can_be_heard_again(page):
    """The source goes along with the result, and is not lost where that ends."""
    page.click(".row[data-key='0001_하나']")
    page.wait_for_selector(".panel .head >> text=1 · 하나")
    page.click("#convert-one")
    page.wait_for_selector(".row[data-key='0001_하나'] .converted", timeout=240_000)
    page.wait_for_function("() => document.querySelectorAll('.wave > div').length === 2")
    length = soundfile.info(DEMO).duration
    page.wait_for_function(
        "least => Number(document.querySelector('.transport .time').textContent) > least",
        arg=length - 0.1,
    )
    page.evaluate("new Promise((done) => setTimeout(done, 1000))")
    assert page.locator(".wave small").count() == 0
    page.keyboard.press("1")
    page.wait_for_function(
        "most => { const at = Number(document.querySelector('.transport .time').textContent);"
        " return at > 0.2 && at < most; }",
        arg=length / 2,
    )


def test_a_browser_without_the_link_logs_in_by_the_password(tmp_path, new_page):
    running = Running(tmp_path, password="달빛")
    page = new_page(running, missing="/")  # it is refused until then
    page.context.clear_cookies()
    page.goto(f"http://{LOCAL}:{running.access.port}/")
    for password in ("햇빛", "달빛"):
        page.fill("input[name=password]", password)
        page.keyboard.press("Enter")
        page.wait_for_selector(
            "[role=alert] >> text=비밀번호가 다릅니다" if password == "햇빛" else "#tabs"
        )
    page.wait_for_selector("h1 >> text=작업 열기")
    page.close()
    running.close()


def test_of_several_scripts_one_is_chosen(show, new_page, in_process):
    """As of an episode that was exported in three formats; nothing is chosen for the director."""
    (show / "script.csv").write_bytes(b"x")
    (show / "track.wav").write_bytes((show / "takes" / "0001.wav").read_bytes())
    running = Running(show, show)
    page = new_page(running)
    page.wait_for_selector(".proposals >> text=대본이 여럿")
    page.click(".proposal >> text=script.xlsx")
    page.wait_for_selector(".drop.there >> text=script.xlsx")
    assert running.session.desk.file.script == show / "script.xlsx"
    page.close()  # before its server goes
    running.close()
