"""Visemes by frame: what is said is seen, and the files hold what was found."""

import csv
import json
from fractions import Fraction

import numpy as np
import pytest

from moksori.alignment.alignment import Interval
from moksori.dubbing.deliver.visemes import save_visemes, visemes_by_frame
from moksori.text.visemes import _SHAPES as SHAPES
from moksori.text.visemes_by_weight import ARKIT, BLENDSHAPES, OCULUS, weighted_visemes
from moksori.timecode import NTSC_DROP, FrameRate

PHONES = [  # 밥 후와, with a pause
    Interval("ㅂ", 0.30, 0.36), Interval("ㅏ", 0.36, 0.50), Interval("ㅂ", 0.50, 0.58),
    Interval("ㅎ", 0.90, 0.96), Interval("ㅜ", 0.96, 1.10), Interval("ㅘ", 1.10, 1.40),
]  # fmt: skip


def strongest(found, fps=25):
    names = [OCULUS[i] for i in found.oculus.argmax(axis=1)]
    return {name: [n for n, other in enumerate(names) if other == name] for name in names}


def test_what_is_said_is_seen_when_it_is_said():
    found = visemes_by_frame(PHONES, 2.0, FrameRate(25))
    assert found.oculus.shape == (50, 15) and found.arkit.shape == (50, len(BLENDSHAPES))
    np.testing.assert_allclose(found.oculus.sum(axis=1), 1, atol=1e-9)
    assert found.oculus.min() >= 0 and found.arkit.max() <= 1
    frames = strongest(found)
    assert frames["PP"] == [7, 8, 12, 13, 14] or set(frames["PP"]) <= {7, 8, 12, 13, 14}
    assert {9, 10, 11} <= set(frames["aa"]) and 33 in frames["aa"]
    assert {23, 25, 26} <= set(frames["ou"])  # ㅎ looks like the vowel after it; the glide of ㅘ
    assert {0, 3, 18, 40, 49} <= set(frames["sil"])
    jaw = found.arkit[:, BLENDSHAPES.index("jawOpen")]
    assert jaw[10] > 0.4 and jaw[0] == jaw[49] == 0
    assert found.arkit[25, BLENDSHAPES.index("mouthPucker")] > 0.5


def test_closed_lips_are_seen_however_short():
    """A closure of 20 ms between two frames of 24 a second."""
    for offset in np.linspace(0, 0.1, 11):
        phones = [
            Interval("ㅏ", 0.2, 0.5 + offset), Interval("ㅂ", 0.5 + offset, 0.52 + offset),
            Interval("ㅏ", 0.52 + offset, 0.9),
        ]  # fmt: skip
        found = visemes_by_frame(phones, 1.2, FrameRate(24))
        assert found.oculus[:, OCULUS.index("PP")].max() > 0.9
        np.testing.assert_allclose(found.oculus.sum(axis=1), 1, atol=1e-9)


def test_nothing_said_is_silence():
    found = visemes_by_frame([], 1.0, NTSC_DROP)
    assert found.oculus.shape == (30, 15)
    assert (found.oculus[:, 0] == 1).all() and not found.arkit.any()


def test_every_phone_has_a_look_and_nothing_else_has():
    """Those that have a shape for Rhubarb."""
    for label in SHAPES:
        for after in ("", "ㅏ", "ㅘ", "ㄱ"):
            for weights in weighted_visemes(label, after):
                assert sum(weights.values()) == pytest.approx(1) and set(weights) <= set(OCULUS)
    assert set(ARKIT) == set(OCULUS) and len(SHAPES) == 40
    assert weighted_visemes("ㅎ", "ㅜ") == weighted_visemes("ㅜ", "")
    for other in (" ", ".", "a", "ᄀ"):
        with pytest.raises(ValueError, match="not a phone"):
            weighted_visemes(other, "")


def test_the_files_hold_what_was_found(tmp_path):
    found = visemes_by_frame(PHONES, 2.0, NTSC_DROP)
    paths = save_visemes(
        tmp_path, "0001_하나", found, "../lines/0001_하나.wav", "01:00:05;00", NTSC_DROP
    )
    assert [path.name for path in paths] == ["0001_하나.json", "0001_하나.csv"]
    read = json.loads(paths[0].read_text(encoding="utf-8"))
    assert read["names"] == {"oculus": [*OCULUS], "arkit": [*BLENDSHAPES]}
    assert Fraction(read["frame_rate"]) == NTSC_DROP.fps
    assert (read["frames"], read["start"], read["sound"]) == (
        60,
        "01:00:05;00",
        "../lines/0001_하나.wav",
    )
    for key, table in (("oculus", found.oculus), ("arkit", found.arkit)):
        np.testing.assert_allclose(read[key], table, atol=0.0051)
    rows = [*csv.DictReader(paths[1].open(encoding="utf-8"))]
    assert len(rows) == 60
    assert float(rows[30]["time (s)"]) == pytest.approx(30 * 1001 / 30000, abs=5e-4)
    assert rows[10]["viseme"] == OCULUS[int(found.oculus[10].argmax())]
    assert float(rows[12]["jawOpen"]) == pytest.approx(
        found.arkit[12, BLENDSHAPES.index("jawOpen")], abs=0.0051
    )
