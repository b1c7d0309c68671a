"""What is at work: seen on the page with its cancel, whoever began it; closing the page ends nothing."""

import threading

import pytest

from moksori.dubbing import job
from moksori.dubbing.check import check
from moksori.dubbing.request import load_job
from moksori.dubbing.review import Review
from moksori.dubbing.states import line_states
from tests.conftest import DEMO, DEMO_TEXT
from tests.studio.conftest import Warm, go, until

pytestmark = pytest.mark.slow


class Gated(Warm):
    """Gives back the first line, and the others once it may."""

    def __init__(self, setup) -> None:
        super().__init__(setup)
        self.may = threading.Event()

    def map(self, method, tasks):
        for number, outcome in enumerate(super().map(method, tasks)):
            if number:
                assert self.may.wait(240)
            yield outcome


@pytest.fixture
def whole(studio, in_process):
    """The show, wholly cast, with workers that wait."""
    studio.session.save(fps="25")
    studio.session.cast("둘", {"voice": "kih"})
    request = load_job(studio.session.desk.out).request()
    in_process["engine"] = Gated(request.setup)
    until(lambda: studio.session.desk.checked and len(studio.session.desk.checked.takes) == 4)
    return studio


def converted(out) -> int:
    return sum(state.status in ("converted", "passed") for state in line_states(out))


def test_a_work_is_seen_and_cancelled_and_the_page_goes_on_meanwhile(whole, new_page, in_process):
    page, out = new_page(whole), whole.session.desk.out
    page.wait_for_selector(".row >> nth=3")
    page.click("#convert-all")
    page.wait_for_selector(".work[data-kind=convert] .number >> text=/1 . 4/")
    assert "남음" in page.inner_text(".work[data-kind=convert] .number")
    page.click(".row[data-key='0003_하나']")
    page.keyboard.press("h")
    page.wait_for_selector(".row[data-key='0003_하나'] b.hold")
    page.click(".work[data-kind=convert] button")
    in_process["engine"].may.set()
    page.wait_for_selector(".work", state="detached")
    assert 1 <= converted(out) < 4
    assert page.inner_text("#convert-all").startswith("새롭거나 바뀐")
    assert Review(out).marks()["0003_하나"].state == "hold"


def test_what_is_tried_and_cancelled_is_said_to_be_cancelled(whole, new_page, in_process):
    page, other = new_page(whole), new_page(whole)
    page.click(".row[data-key='0001_하나']")
    page.click("details[data-part=audition] summary")
    page.wait_for_selector(".audition .card")
    page.click(".audition-go")
    page.wait_for_selector(".work[data-kind=audition] .number >> text=/1 . 4/")
    go(other, "one")
    other.set_input_files("#one-file", DEMO)
    other.fill(".page textarea", DEMO_TEXT)
    other.check(".page .card[data-voice=kih] input")
    other.click(".page button.main")
    other.click(".work[data-kind=one] button")
    page.click(".work[data-kind=audition] button")
    in_process["engine"].may.set()
    for tried in (other.locator(".page .heard"), page.locator(".audition .heard")):
        tried.get_by_text("취소했습니다").wait_for(timeout=30_000)


def test_closing_the_tab_stops_nothing(whole, new_page, in_process):
    page, out = new_page(whole), whole.session.desk.out
    page.wait_for_selector(".row >> nth=3")
    page.click("#convert-all")
    page.wait_for_selector(".work[data-kind=convert] .number >> text=/1 . 4/")
    page.close()
    in_process["engine"].may.set()
    until(lambda: converted(out) == 4)
    again = new_page(whole)
    until(
        lambda: again.evaluate(
            "document.querySelectorAll('.row .converted, .row .passed').length === 4"
        )
    )


def test_a_job_of_the_terminal_appears_as_it_goes(whole, new_page):
    page, out = new_page(whole), whole.session.desk.out
    page.wait_for_selector(".row >> nth=3")
    page.wait_for_selector(".work", state="detached")
    file = load_job(out)
    request, gated = file.request(), Gated(file.request().setup)

    def dub() -> None:
        job.dub(request, check(request, review=Review(out)), out, lambda: gated)

    command = threading.Thread(target=dub)
    command.start()
    page.wait_for_selector(".work[data-kind=elsewhere] >> text=/1 . 4/")
    gated.may.set()
    command.join()
    page.wait_for_selector(".work", state="detached")
    until(
        lambda: page.evaluate(
            "document.querySelectorAll('.row .converted, .row .passed').length === 4"
        )
    )


def test_a_cast_that_is_edited_while_lines_are_converted_is_read_afterwards(whole, in_process):
    desk = whole.session.desk
    desk.convert(None)
    until(lambda: converted(desk.out) == 1)
    cast = desk.file.cast
    cast.write_text(cast.read_text("utf-8").replace("kih", "pmb"), encoding="utf-8")  # by an editor
    in_process["engine"].may.set()
    until(lambda: {take.role.voice for take in desk.checked.takes} == {"lmy", "pmb"})
