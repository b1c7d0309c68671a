"""A worker's order: what is heard comes before what is measured of it."""

import pytest

from moksori.dubbing.task import sound_of
from moksori.dubbing.work import worker
from tests.dubbing.conftest import run, show  # noqa: F401

pytestmark = pytest.mark.slow


def test_a_line_can_be_heard_before_it_is_measured(show, monkeypatch):  # noqa: F811
    seen, real = [], worker.draw_line

    def look(path, *rest):
        sounds = [sound_of(path.parent, path.stem, part) for part in ("source", "result")]
        there = [sound.exists() for sound in (path.with_suffix(".wav"), *sounds)]
        seen.append((all(there), path.with_suffix(".json").exists()))
        real(path, *rest)

    monkeypatch.setattr(worker, "draw_line", look)
    run(show)
    assert seen == [(True, False)] * 3
