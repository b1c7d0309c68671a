"""What is heard on the page: one sound at a time."""

import pytest

from tests.studio.conftest import until

pytestmark = pytest.mark.slow

LISTEN = ".audition p .listen span"


@pytest.fixture
def panel(studio, new_page):
    """A page with a line whose audition is open."""
    studio.session.save(fps="25")
    page = new_page(studio, missing="/source?")
    page.click(".row[data-key='0001_하나']")
    page.click("details[data-part=audition] summary")
    page.wait_for_selector(LISTEN)
    return page


def test_the_player_and_a_single_sound_silence_each_other(panel):
    panel.click(LISTEN)
    assert panel.inner_text(LISTEN) == "❚❚"
    panel.click(".player .play")
    assert panel.inner_text(".player .play") == "❚❚" and panel.inner_text(LISTEN) == "▶"
    panel.click(LISTEN)
    assert panel.inner_text(".player .play") == "▶" and panel.inner_text(LISTEN) == "❚❚"


def test_a_sound_that_could_not_be_played_is_asked_for_again(panel):
    panel.route("**/source?*", lambda route: route.abort())
    panel.click(LISTEN)
    until(lambda: panel.inner_text(LISTEN) == "▶")
    panel.unroute("**/source?*")
    with panel.expect_response("**/source?*") as heard:
        panel.click(LISTEN)
    assert heard.value.ok


def test_a_click_at_the_end_of_a_wave_is_heard(panel):
    panel.wait_for_function(
        "() => document.querySelector('.player .wave > div')?.shadowRoot?.querySelector('canvas')"
    )
    box = panel.locator(".player .wave >> nth=0").bounding_box()
    panel.mouse.click(box["x"] + box["width"] - 2, box["y"] + 20)
    panel.wait_for_timeout(500)  # until the browser has found the place
    assert 4 < float(panel.inner_text(".player .time")) < 4.8  # of 5.28 s
    panel.click(".player .play")
    until(lambda: panel.inner_text(".player .play") == "▶", 20)  # it has come to its end
