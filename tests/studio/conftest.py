"""A Studio in this process, with a browser where there is one."""

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from moksori.studio.app import create_app
from moksori.studio.desk import Desk
from moksori.studio.guard import LOCAL, Access
from moksori.studio.session import Session
from tests.dubbing.conftest import InProcess, show  # noqa: F401


class Warm(InProcess):
    """The same, as the page keeps it between works."""

    def warm(self) -> None:
        """Nothing is to begin."""


class Running:
    """A Studio that listens.

    Args:
        root: its jobs.
        folder: opened, as the command does.
        password: asked of whoever has no link.
    """

    def __init__(self, root: Path, folder: Path | None = None, password: str | None = None) -> None:
        self.session = Session(root, workers=1)
        if folder is not None:
            self.session.open_folder(folder)
        config = uvicorn.Config(
            "", host=LOCAL, port=0, log_level="error", timeout_graceful_shutdown=1
        )
        socket = config.bind_socket()
        self.access = Access(port=socket.getsockname()[1], password=password)
        config.app = create_app(self.session, self.access)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, args=([socket],), daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.02)

    def close(self) -> None:
        """End it."""
        self.session.leave()
        self.server.should_exit = True
        self.thread.join(20)


@pytest.fixture
def in_process(monkeypatch) -> dict[str, InProcess]:
    """Lets lines be converted in this process, and remembers which."""
    kept: dict[str, InProcess] = {}

    def workers(self, request):
        return kept.get("engine") or kept.setdefault("engine", Warm(request.setup))

    monkeypatch.setattr(Desk, "_workers_of", workers)
    return kept


@pytest.fixture
def new_page(chromium) -> Iterator:
    """Opens pages, and holds that none of them had an error, but for answers that a test expects to miss."""
    faults, contexts = [], []

    def open_page(
        studio: Running, width: int = 1280, height: int = 800, path: str = "", missing: str = "\0"
    ):
        context = chromium.new_context(
            viewport={"width": width, "height": height}, permissions=["microphone"]
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(120_000)  # on a busy machine
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "console",
            lambda m: (
                faults.append(m.text)
                if m.type == "error" and missing not in m.location.get("url", "")
                else None
            ),
        )
        page.on(
            "request",
            lambda r: (
                faults.append(r.url)
                if LOCAL not in r.url and not r.url.startswith(("data:", "blob:"))
                else None
            ),
        )
        page.goto(studio.access.link)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not faults


@pytest.fixture
def studio(show, in_process):  # noqa: F811
    """The show, opened as a folder with a script and recordings; one character has no voice yet."""
    folder = show / "1화"
    folder.mkdir()
    for name in ("script.xlsx", "takes"):
        shutil.move(show / name, folder / name)
    (folder / "cast.toml").write_text('[characters."하나"]\nvoice = "lmy"\n', encoding="utf-8")
    running = Running(show, folder)
    yield running
    running.close()


def until(true, seconds: float = 240.0):
    """Wait for what another thread does."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


def go(page, name: str) -> None:
    page.click(f"#tabs a[data-name={name}]")
