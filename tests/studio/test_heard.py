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
