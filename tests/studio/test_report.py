"""The report in a real browser: fits a phone, opens at once however long, and plays what lies beside it."""

from dataclasses import replace

import pytest

from moksori.alignment.alignment import Interval
from moksori.dubbing.deliver.report import write_report
from moksori.dubbing.records import Flag, Mark
from moksori.script.line import Place
from tests.dubbing.deliver.test_report import make, spec, summary  # noqa: F401
from tests.studio.conftest import until

pytestmark = pytest.mark.slow
LINES = 400


@pytest.fixture
def long_report(make, tmp_path):  # noqa: F811
    """Of 400 lines, with marks and long words, its sounds beside it."""
    words = tuple(Interval("무궁화꽃이피었습니다", i / 4, i / 4 + 0.2) for i in range(4))
    row = make(
        no="1", character="이름이아주긴배역", actor="성우", flags=(Flag("confidence", 1.0, 0.1),),
        words=words, speech=(0.0, 1.0), metrics={"confidence": 0.1}, start=3600.0, end=3601.0,
    )  # fmt: skip
    rows = []
    for i in range(1, LINES + 1):
        line = replace(
            row.take.line, place=Place("row", i), no=str(i), text="우리가이도시를지킨다" * 8
        )
        take = replace(row.take, id=f"{i:04d}_하나", line=line)
        rows.append(replace(row, take=take, mark=Mark("retake", f"메모 {i}")))
    write_report(tmp_path / "report.html", rows, summary(lines=LINES), spec("ko"), single=False)
    return tmp_path / "report.html"


def test_a_long_report_fits_a_phone_and_fetches_sounds_on_demand(chromium, long_report):
    context = chromium.new_context(viewport={"width": 375, "height": 720})
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(long_report.as_uri())
    assert long_report.stat().st_size < 8000 * LINES
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert page.locator("article").count() == LINES
    assert not [url for url in asked if url.endswith(".flac")]
    first = page.locator("article").first
    assert "01:00:00;00 – 01:00:01;00" in first.inner_text() and "메모 1" in first.inner_text()
    first.locator("audio.result").evaluate("player => player.play()")
    until(lambda: first.locator("audio.result").evaluate("player => player.currentTime > 0.1"))
    assert [url for url in asked if url.endswith(".flac")]
    context.close()
