"""Take the pictures of docs/studio.md: every screen of Studio, at desktop and phone width.

    python scripts/screens.py docs/images

Needs Chromium (CHROMIUM names it, if it is not `chromium`), playwright, and a Korean font. The job is the
scene that comes with Moksori, whose lines and sounds are all synthetic; it lies in a temporary folder. A
picture that looks as before is not written.
"""

import csv
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import typer
from PIL import Image
from playwright.sync_api import Page, Playwright, sync_playwright

from moksori.dubbing.request import load_job
from moksori.studio.folders import CAST, demo_job, demo_source

_DESKTOP, _PHONE = {"width": 1280, "height": 800}, {"width": 375, "height": 720}
_GAP = 10  # pixels between phones
_COLOURS = 96
_WAIT = 900_000  # ms, on a busy machine
_ALIKE = 0.2  # mean difference of pixels, of 255, that no one sees
_SCREENS = ("start", "cast", "check", "lines", "reel", "one")


def main(images: Path) -> None:
    """Write studio-NAME.png of each screen, and studio-phone.png, studio-phone-2.png."""
    with tempfile.TemporaryDirectory() as home:
        root = Path(home)
        _faulty(demo_job(root), root / "점검")
        own = {**os.environ, "XDG_DATA_HOME": str(root / "data")}  # and nobody's voices
        command = [
            sys.executable,
            "-m",
            "moksori",
            "studio",
            "--root",
            home,
            "--no-browser",
            "--port",
            "7598",
        ]
        with (
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=own) as studio,
            sync_playwright() as driver,
        ):
            try:
                _pictures(studio, driver, images)
            finally:  # else an error waits for a Studio that does not end
                studio.terminate()


def _pictures(studio: "subprocess.Popen[str]", driver: Playwright, images: Path) -> None:
    assert studio.stdout is not None
    link = re.search(r"http://\S+", studio.stdout.readline())
    assert link, "Studio says no link"
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
    page = browser.new_page(viewport=_DESKTOP, bypass_csp=True)  # to wait for functions
    page.set_default_timeout(_WAIT)
    page.goto(link[0])
    _work(page)
    phones: dict[str, Image.Image] = {}
    for name in _SCREENS:
        page.set_viewport_size(_DESKTOP)
        _show(page, name)
        _keep(images / f"studio-{name}.png", _picture(page))
        page.set_viewport_size(_PHONE)
        if name == "lines":
            phones["line"] = _picture(page)
            page.click(".close")
        phones[name] = _picture(page)
    page.set_viewport_size({"width": 1280, "height": 1250})
    _enrol(page)
    _keep(images / "studio-enrol.png", _picture(page))
    _keep(
        images / "studio-phone.png",
        _beside([phones[n] for n in ("lines", "line", "cast", "reel")]),
    )
    _keep(
        images / "studio-phone-2.png",
        _beside([phones[n] for n in ("start", "check", "one")]),
    )


def _faulty(demo: Path, folder: Path) -> None:
    """The same scene with something to fix: names of recordings, a voice."""
    shutil.copytree(demo, folder)
    load_job(folder).merged({"pattern": None}).save(folder)
    cast = (folder / CAST).read_text(encoding="utf-8")
    (folder / CAST).write_text(
        re.sub(r"(해설.*\n)voice = .*", r'\1voice = ""', cast), encoding="utf-8"
    )


def _work(page: Page) -> None:
    """What a director does first: everything converted, some marks, a delivery."""
    page.click("#demo")
    page.click("#convert-all:not([disabled])")
    page.wait_for_function("document.querySelectorAll('.row .converted').length === 5")
    for number, key in ((0, "o"), (1, "r"), (2, "h")):
        page.click(f".row >> nth={number}")
        page.keyboard.press(key)
        page.wait_for_selector(f".row >> nth={number} >> .state b:not(.none)")
    page.click(".row >> nth=1")
    page.keyboard.press("n")
    page.keyboard.type("끝을 더 올려서")
    page.keyboard.press("Enter")
    page.wait_for_selector(".row .note")
    page.click("#tabs a[data-name=reel]")
    page.click("#export")
    page.wait_for_selector(".stems li")


def _show(page: Page, name: str) -> None:
    """A screen as a director would see it in the middle of work."""
    job = "점검" if name == "check" else "demo"
    if page.inner_text("#job") != job:
        page.click("#tabs a[data-name=start]")
        page.click(f".jobs button >> text={job}")
        page.wait_for_function(f"document.getElementById('job').textContent === '{job}'")
        page.wait_for_function("!document.querySelector('.work')")
    page.click(f"#tabs a[data-name={name}]")
    if name == "start":
        page.wait_for_selector(".preview table")
    if name == "cast":
        page.click(".hear >> nth=0")
        page.check(".audition .card[data-voice=ava] input")
        page.click(".audition-go")
        page.wait_for_selector(".heard li[data-voice=ava]")
    if name == "check":
        page.wait_for_selector(".proposal")
    if name == "lines":
        page.click(".row >> nth=0")
        page.wait_for_selector(".words button")
        page.wait_for_timeout(1500)  # the waves are drawn
    if name == "one":
        page.wait_for_selector(".card")


def _enrol(page: Page) -> None:
    """The form of an enrolment, filled in."""
    page.click("#tabs a[data-name=cast]")
    page.click("#enrol > summary")
    page.set_input_files("#enrol-files", sorted(demo_source().glob("00*.flac")))
    for name, value in (
        ("name", "hong"), ("who", "홍길동"), ("contact", "hong@example.com"), ("until", "2027-12-31"),
        ("purpose", "애니메이션 「달 토끼」 1~12화 더빙"), ("titles", "달 토끼"),
    ):  # fmt: skip
        page.fill(f"#enrol [name={name}]", value)
    page.check("#enrol [name=uses][value=commercial]")
    with (demo_source() / "demo.csv").open(encoding="utf-8") as file:
        texts = {f"{int(r['번호']):03d}_{r['배역']}": r["대사"] for r in csv.DictReader(file)}
    for take in page.locator(".takes li").all():
        name = take.locator(".name").inner_text().split(".")[0]
        take.locator("input").fill(texts.get(name, ""))
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")


def _picture(page: Page) -> Image.Image:
    page.wait_for_function("!document.querySelector('#toasts p')")
    page.wait_for_timeout(300)
    place = Path(tempfile.gettempdir()) / "moksori-screen.png"
    page.screenshot(path=place)
    return Image.open(place).convert("RGB").copy()


def _beside(pictures: list[Image.Image]) -> Image.Image:
    width = sum(one.width for one in pictures) + _GAP * (len(pictures) - 1)
    whole, left = Image.new("RGB", (width, pictures[0].height), "white"), 0
    for one in pictures:
        whole.paste(one, (left, 0))
        left += one.width + _GAP
    return whole


def _keep(path: Path, picture: Image.Image) -> None:
    if path.exists():
        before = Image.open(path).convert("RGB")
        if before.size == picture.size:
            apart = np.abs(np.asarray(before, float) - np.asarray(picture, float)).mean()
            if apart < _ALIKE:
                return
    picture.quantize(_COLOURS).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    typer.run(main)
