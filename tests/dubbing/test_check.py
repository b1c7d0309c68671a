"""What is known of a request before any work."""

import struct

import numpy as np
import pytest
import soundfile

from moksori.dubbing.check import check
from moksori.dubbing.request import JobFile, Request
from moksori.errors import ConfigError
from moksori.timecode import FrameRate
from tests.conftest import DEMO
from tests.dubbing.conftest import request


@pytest.fixture
def track(show):
    """The show as one production track of 25 s, its first line five seconds in by time codes from 0:59:55."""
    wave, rate = soundfile.read(DEMO, dtype="float32")
    whole = np.zeros(30 * rate, np.float32)
    for second in (10, 15, 20, 25):
        whole[second * rate : second * rate + len(wave)] = wave[: 30 * rate - second * rate]
    soundfile.write(show / "track.wav", whole, rate, "PCM_16")

    def stamped(seconds):
        content = (show / "track.wav").read_bytes()
        bext = struct.pack("<256s32s32s10s8sQH64s190s", *[b""] * 5, seconds * rate, 1, b"", b"")
        whole = content[:12] + b"bext" + struct.pack("<I", 602) + bext + content[12:]
        path = show / f"track_{seconds}.wav"
        path.write_bytes(whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:])
        return path

    return stamped


@pytest.mark.parametrize(
    ("stamp", "asked", "origin", "kinds"),
    [
        (3595, None, 3595, {"stamp"}),  # by the track's own time reference
        (3595, 3600.0, 3600, {"stamp_differs"}),  # asked for otherwise
        (3595, 3595.0, 3595, set()),
        (0, None, 3600, {"stamp_unset"}),  # as programs write that do not know
        (0, 3600.0, 3600, set()),
    ],
)
def test_a_track_begins_at_its_time_reference(show, track, stamp, asked, origin, kinds):
    found = check(Request(
        script=show / "script.xlsx", audio=track(stamp), cast=show / "cast.toml",
        frame_rate=FrameRate.parse("25"), origin=asked,
    ))  # fmt: skip
    assert found.origin == origin
    assert {issue.kind for issue in found.issues if issue.kind.startswith("stamp")} == kinds
    take = found.takes[0]
    assert take.begin == round((take.line.start - 0.25 - origin) * take.sample_rate)


@pytest.mark.parametrize(
    ("asked", "kinds", "length"),
    [
        ({"length": 60.0}, set(), 60.0),
        ({"length": 20.0}, {"beyond_picture"}, None),
        ({"loudness": "premix"}, {"premix_length"}, None),
        ({"loudness": "premix", "length": 60.0}, set(), 60.0),
        ({"loudness": "premix", "length": 90.0, "origin": 3595.0}, {"premix_start"}, 90.0),
    ],
)
def test_the_reel_is_as_long_as_the_picture(show, asked, kinds, length):
    """Beyond the picture nothing is cut off."""
    found = check(request(show, **asked))
    assert {i.kind for i in found.issues if i.kind.startswith(("premix", "beyond"))} == kinds
    ends = max(take.start + take.seconds for take in found.takes)
    assert found.length == (ends if length is None else length)


def test_a_production_track_is_as_long_as_the_picture(show, track):
    asked = request(show, audio=track(3600), loudness="premix")
    found = check(asked)
    assert found.length == 30.0
    assert not [issue for issue in found.issues if issue.kind.startswith("premix")]


def test_a_premix_has_its_own_rate():
    job = JobFile(script="s.xlsx", audio="a", cast="c.toml", loudness="premix", sample_rate=44100)
    with pytest.raises(ConfigError, match="48000"):
        job.request()
    assert (
        job.merged({"sample_rate": 48000, "length": "00:00:30:12", "fps": "24"}).request().length
        == 30.5
    )
