"""The page and the report of a long job: first paint, memory, and a line from the click to its sound.

    python benchmarks/episode.py ../shared/corpus/emotiontts EPISODE --lines 400 --minutes 30
    python benchmarks/studio.py EPISODE [--busy 1]

Prints the table of docs/figures.md. Needs Chromium (CHROMIUM names it, if it is not `chromium`) and
playwright, as the page's tests do. The job is made in EPISODE/studio and converted by `moksori dub` the first
time, which takes minutes and is not measured; the lines' own pitch, which is changed, is changed back.
"""

import contextlib
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import openpyxl
import typer
from dub import _family, _own_bytes
from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console
from rich.table import Table

_HEAD = 3  # rows of the script's table above its lines
_TIMES = 5  # that a page is opened
_WAIT = 600_000  # ms, on a busy machine
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000"
_WATCH = """
const play = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () {
  this.addEventListener("playing", () => { window.sounded ??= performance.now(); }, { once: true });
  return play.call(this);
};
const seen = () => {
  const lines = document.querySelectorAll(".row, article").length;
  if (lines >= LINES) requestAnimationFrame(() => { window.filled = performance.now(); });
  else requestAnimationFrame(seen);
};
requestAnimationFrame(seen);
"""


def main(
    episode: Path,
    lines: int = 400,
    clicks: Annotated[int, typer.Option(help="How many lines are converted one by one.")] = 10,
    busy: Annotated[
        int, typer.Option(help="Processes that compute all the time beside what is measured.")
    ] = 0,
) -> None:
    """Open a job of so many lines in Studio and in the report, and print what that took."""
    home = _make(episode, lines)
    table = Table("what", "median", "most")
    with contextlib.ExitStack() as stack:
        for _ in range(busy):
            other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            stack.callback(other.kill)
        browser = stack.enter_context(_browser())
        began = time.perf_counter()
        studio, link = stack.enter_context(_studio(home / "job"))
        page = _open(browser, link, lines)
        opened = time.perf_counter() - began
        table.add_row("from the command to all lines on the page, s", f"{opened:.1f}", "")
        _add(table, "page: first contentful paint, s", _paints(page, lines))
        _add(table, "page: all lines there, s", _fills(page, lines))
        page.wait_for_function("!document.querySelector('.work')", timeout=_WAIT)
        _add(table, "a line from the click to its sound, s", _sounds(page, clicks))
        _add(table, "a line in four voices, from the click, s", [_audition(page)])
        heap = page.evaluate("performance.memory.usedJSHeapSize") / 1e6
        sizes = [_own_bytes(pid) / 1e6 for pid in _family(studio.pid)]
        table.add_row("memory of Studio itself, MB", f"{sizes[0]:.0f}", "")
        table.add_row(
            f"memory of its {len(sizes) - 1} other processes, MB", f"{sum(sizes[1:]):.0f}", ""
        )
        table.add_row("memory of the page (JavaScript), MB", f"{heap:.0f}", "")
        _add_report(table, browser, home / "job", lines)
    Console(width=100).print(table)


def _make(episode: Path, lines: int) -> Path:
    """A job of the episode's first lines, converted and delivered."""
    home = episode / "studio"
    takes = home / "takes"
    takes.mkdir(parents=True, exist_ok=True)
    book = openpyxl.load_workbook(episode / "script.xlsx")
    sheet = book.active
    sheet.delete_rows(_HEAD + lines + 1, sheet.max_row)
    if sheet.max_row < _HEAD + lines:
        sys.exit(f"error: {episode} has only {sheet.max_row - _HEAD} lines")
    if not (home / "script.xlsx").exists():
        book.save(home / "script.xlsx")
        shutil.copy(episode / "cast.toml", home / "cast.toml")
        for path in sorted((episode / "takes").iterdir())[:lines]:
            os.link(path, takes / path.name)
    subprocess.run(
        [sys.executable, "-m", "moksori", "dub", home / "script.xlsx", "--audio", takes,
         "--cast", home / "cast.toml", "--fps", "29.97df", "-o", home / "job"],
        check=True,
    )  # fmt: skip
    return home


@contextlib.contextmanager
def _browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        path = os.environ.get("CHROMIUM") or shutil.which("chromium")
        flags = [
            "--no-sandbox",
            "--disable-gpu",
            "--autoplay-policy=no-user-gesture-required",
            "--enable-precise-memory-info",
        ]
        yield driver.chromium.launch(executable_path=path, args=flags)


@contextlib.contextmanager
def _studio(job: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A Studio of its own process, and its link."""
    command = [
        sys.executable,
        "-m",
        "moksori",
        "studio",
        str(job),
        "--no-browser",
        "--port",
        "7599",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        link = re.search(r"http://\S+", process.stdout.readline())
        assert link, "Studio says no link"
        try:
            yield process, link[0]
        finally:
            process.terminate()


def _open(browser: Browser, link: str, lines: int) -> Page:
    page = browser.new_page(
        viewport={"width": 1280, "height": 800}, bypass_csp=True
    )  # to wait for functions
    page.set_default_timeout(_WAIT)
    page.add_init_script(_WATCH.replace("LINES", str(lines)))
    page.goto(link)
    page.wait_for_function("window.filled")
    return page


def _paints(page: Page, lines: int) -> list[float]:
    found = []
    for _ in range(_TIMES):
        page.reload()
        page.wait_for_function("window.filled")
        found.append(page.evaluate(_PAINT))
    return found


def _fills(page: Page, lines: int) -> list[float]:
    found = []
    for _ in range(_TIMES):
        page.reload()
        page.wait_for_function("window.filled")
        found.append(page.evaluate("window.filled / 1000"))
    return found


def _sounds(page: Page, clicks: int) -> list[float]:
    """Each with another pitch than it had, as a director would; changed back in the end."""
    found = []
    for number in range(clicks):
        page.click(f".row:has(small.converted) >> nth={7 + 11 * number}")
        page.wait_for_selector(".panel .words button")
        found.append(_convert(page, "1.5"))
        page.wait_for_function("!document.querySelector('.work')")
        page.evaluate("window.sounded = null")
        page.click(".panel .buttons button >> nth=1")
        page.wait_for_function("!document.querySelector('.work')")
    return found


def _convert(page: Page, pitch: str) -> float:
    page.fill(".panel .fields input >> nth=0", pitch)
    page.evaluate(
        "window.sounded = null; window.clicked = performance.now();"
        "document.getElementById('convert-one').click()"
    )
    page.wait_for_function("window.sounded")
    seconds: float = page.evaluate("(window.sounded - window.clicked) / 1000")
    return seconds


def _audition(page: Page) -> float:
    page.click(".row:has(small.converted) >> nth=5")
    page.click("details[data-part=audition] summary")
    page.wait_for_selector(".audition .card")
    began = time.perf_counter()
    page.click(".audition-go")
    page.wait_for_selector(".heard li[data-voice] >> nth=3")
    return time.perf_counter() - began


def _add_report(table: Table, browser: Browser, job: Path, lines: int) -> None:
    for name in ("report.html", "report.single.html"):
        path = job / name
        if not path.exists():
            continue
        paints, fills, sounds = zip(
            *(_look(browser, path, lines) for _ in range(_TIMES)), strict=True
        )
        size = f"{path.stat().st_size / 1e6:.1f} MB"
        _add(table, f"{name} ({size}): first contentful paint, s", [*paints])
        _add(table, f"{name}: all lines there, s; sounds fetched: {max(sounds)}", [*fills])


def _look(browser: Browser, path: Path, lines: int) -> tuple[float, float, int]:
    """First paint and all lines of a report, seconds; sounds that were fetched."""
    page, asked = browser.new_page(viewport={"width": 1280, "height": 800}), list[str]()
    page.add_init_script(_WATCH.replace("LINES", str(lines)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri(), timeout=_WAIT)
    page.wait_for_function("window.filled", timeout=_WAIT)
    paint: float = page.evaluate(_PAINT)
    filled: float = page.evaluate("window.filled / 1000")
    page.close()
    return paint, filled, sum(url.endswith((".mp3", ".flac")) for url in asked)


def _add(table: Table, what: str, seconds: list[Any]) -> None:
    most = f"{max(seconds):.2f}" if len(seconds) > 1 else ""
    table.add_row(what, f"{statistics.median(seconds):.2f}", most)
    print(what, *(f"{value:.2f}" for value in seconds), file=sys.stderr, flush=True)


if __name__ == "__main__":
    typer.run(main)
