"""A small show to dub: synthetic takes of one spoken line, a script and a cast."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import openpyxl
import pytest
import soundfile

from moksori.dubbing.records import Setup, Task
from moksori.dubbing.work.engines import Outcome, call
from moksori.dubbing.work.worker import Worker
from tests.conftest import DEMO, DEMO_TEXT

CAST = """
[characters."하나"]
voice = "lmy"
[characters."둘"]
voice = "kih"
pitch = 1.0
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
