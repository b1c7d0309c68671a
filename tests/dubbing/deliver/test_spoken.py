"""Subtitles and the recorded script say when a line is said, not when its cut begins and ends."""

import re
from datetime import datetime
from pathlib import Path

import pytest

from moksori.alignment.alignment import Interval
from moksori.dubbing.deliver.deliverables import DELIVERABLES
from moksori.dubbing.deliver.material import Material
from moksori.dubbing.deliver.spec import DeliverySpec
from moksori.dubbing.records import Dubbed, Role, Take
from moksori.script.line import Line, Place
from moksori.timecode import FrameRate

SPEC = DeliverySpec(
    title="시험", date=datetime(2024, 5, 6), start_timecode=3600.0, frame_rate=FrameRate(25)
)
WORDS = (Interval("다", 0.6, 0.8), Interval("괜찮아", 0.9, 1.4))


def passed(start=3610.0, end=3612.0, words=(), speech=None) -> Dubbed:
    """A line that stays as recorded: a cut with half a second before and after the script's times."""
    line = Line(Place("row", 1), "다 괜찮아", character="하나", start=start, end=end)
    take = Take(
        id="0001_하나", line=line, audio=Path("a.wav"), begin=0, samples=72000, sample_rate=24000,
        start=9.5, role=Role.model_validate({"pass": True}), cut=True,
    )  # fmt: skip
    return Dubbed(take=take, status="passed", wave=Path("b.wav"), words=words, speech=speech)


@pytest.mark.parametrize(
    ("row", "begin", "end"),
    [
        (passed(words=WORDS, speech=(0.56, 1.6)), "10.100", "10.900"),
        (passed(speech=(0.56, 2.2)), "10.060", "11.700"),
        (passed(), "10.000", "12.000"),
        (passed(start=3608.0, end=3614.0), "09.500", "12.500"),  # no more than the take has
        (passed(end=None), "10.000", "12.500"),
        (passed(start=None, end=None), "09.500", "12.500"),
        (passed(start=3650.0, end=3652.0), "09.500", "12.500"),  # elsewhere: the recording is right
    ],
)
def test_a_line_is_shown_while_it_is_said(tmp_path, row, begin, end):
    material = Material(rows=[row], issues=[], spec=SPEC, out=tmp_path)
    write = {item.name: item.write for item in DELIVERABLES}
    write["subtitles"](material, tmp_path)
    write["dapt"](material, tmp_path)
    shown = (tmp_path / "subtitles.vtt").read_text(encoding="utf-8")
    assert re.findall(r"(\d\d\.\d+) --> \S*?(\d\d\.\d+)(?= |$)", shown, re.MULTILINE) == [
        (begin, end)
    ]
    script = (tmp_path / "dapt.xml").read_text(encoding="utf-8")
    (frames,) = re.findall(r'<div [^>]*begin="(\d+)f"[^>]*end="(\d+)f"', script)
    assert [int(n) for n in frames] == pytest.approx([float(begin) * 25, float(end) * 25], abs=0.6)
