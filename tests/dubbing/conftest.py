"""A small show to dub: synthetic takes of one spoken line, a script and a cast."""

import io
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import openpyxl
import pytest
import soundfile
import soxr

from moksori.dubbing.job import check, dub
from moksori.dubbing.request import Request
from moksori.dubbing.task import Setup, Task
from moksori.dubbing.work.engines import Outcome, call
from moksori.dubbing.work.worker import Worker
from moksori.timecode import FrameRate
from tests.conftest import DEMO, DEMO_TEXT

RATE = 22050  # of a season's takes
CAST = """
[characters."하나"]
voice = "lmy"
[characters."둘"]
voice = "kih"
pitch = 1.0
nonverbal = "leave"
"""


class InProcess:
    """An engine without processes, that remembers what it was asked."""

    def __init__(self, setup: Setup) -> None:
        self.worker, self.asked = Worker(setup), []

    def map(self, method: str, tasks: Iterable[Task]) -> Iterator[Outcome]:
        for task in tasks:
            self.asked.append((method, task.take.line.text))
            yield call(self.worker, method, task)

    def close(self) -> None:
        pass


@pytest.fixture
def show(tmp_path) -> Path:
    """As `make_show`."""
    return make_show(tmp_path)


def make_show(tmp_path: Path) -> Path:
    """`script.xlsx`, `takes/`, `cast.toml`: three lines and a laugh, 25 fps from 01:00:00:00."""
    wave, rate = soundfile.read(DEMO, dtype="float32")
    takes = tmp_path / "takes"
    takes.mkdir()
    book = openpyxl.Workbook()
    book.active.append(["번호", "시작", "끝", "배역", "성우", "대사", "파일"])
    chance = np.random.default_rng(0)
    for number, (character, text) in enumerate(
        [("하나", DEMO_TEXT), ("둘", DEMO_TEXT), ("하나", DEMO_TEXT), ("둘", "(웃음)")], 1
    ):
        quieter = wave * (1 - 0.1 * number) + 1e-4 * chance.standard_normal(len(wave))
        soundfile.write(takes / f"{number:04d}.wav", quieter, rate, "PCM_24")
        second = 5 * number
        book.active.append([number, f"01:00:{second:02d}:10", f"01:00:{second + 4:02d}:20", character,
                            f"성우{number % 2}", text, f"{number:04d}"])  # fmt: skip
    book.save(tmp_path / "script.xlsx")
    (tmp_path / "cast.toml").write_text(CAST, encoding="utf-8")
    return tmp_path


def request(show: Path, **more) -> Request:
    asked = {"audio": show / "takes", "frame_rate": FrameRate.parse("25")} | more
    return Request(script=show / "script.xlsx", cast=show / "cast.toml", **asked)


def run(show: Path, out: str = "out", engine=None, **more):
    """Rows, and what an engine in this process was asked to convert."""
    asked = request(show, **more)
    checked = check(asked)
    inner = InProcess(asked.setup)
    rows = dub(asked, checked, show / out, lambda: engine or inner).rows
    return rows, [text for method, text in inner.asked if method == "convert"]


def sound(wav: bytes) -> tuple[int, bytes]:
    """What is heard of a file, without what it says of itself, such as the date of its script."""
    samples, rate = soundfile.read(io.BytesIO(wav), dtype="int32")
    return rate, samples.tobytes()


def files(out: Path) -> dict[str, bytes]:
    """All that was delivered."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and ".moksori" not in path.parts
    }


@pytest.fixture(scope="session")
def dubbed(tmp_path_factory):
    """The show, dubbed once; read only."""
    show = make_show(tmp_path_factory.mktemp("show"))
    rows, asked = run(show)
    return show, rows, asked


@pytest.fixture
def copied(dubbed, tmp_path):
    """A show of one's own, as dubbed."""
    shutil.copytree(dubbed[0], tmp_path / "show")
    return tmp_path / "show"


def edit(show: Path, cell: str, value) -> None:
    book = openpyxl.load_workbook(show / "script.xlsx")
    book.active[cell] = value
    book.save(show / "script.xlsx")


def make_episode(folder, name, faster):
    """A line of the same actor; his F0 is higher where it is faster."""
    wave = soxr.resample(soundfile.read(DEMO, dtype="float32")[0], RATE * faster, RATE)
    (folder / name).mkdir(parents=True)
    soundfile.write(folder / name / "0001.wav", wave, RATE, "PCM_24")
    book = openpyxl.Workbook()
    book.active.append(["번호", "시작", "배역", "성우", "대사", "파일"])
    book.active.append([1, "01:00:05:10", "하나", "성우", DEMO_TEXT, "0001"])
    book.save(folder / f"{name}.xlsx")


def make_table(folder, rows, headers=("회차", "대본", "녹음", "fps")):
    book = openpyxl.Workbook()
    for row in (headers, *rows):
        book.active.append(row)
    book.save(folder / "season.xlsx")
    return folder / "season.xlsx"


@pytest.fixture
def season(tmp_path):
    for name, faster in (("ep01", 1.0), ("ep02", 1.12)):
        make_episode(tmp_path, name, faster)
    (tmp_path / "cast.toml").write_text(CAST, encoding="utf-8")
    make_table(tmp_path, [("1화", "ep01.xlsx", "ep01", 25), ("2화", "EP02.xlsx", "ep02/", 25.0)])
    return tmp_path
