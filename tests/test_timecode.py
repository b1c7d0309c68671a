import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moksori.errors import ScriptError
from moksori.timecode import (
    FrameRate,
    format_timecode,
    from_frames,
    parse_time,
    to_frames,
)

RATES = ("23.976", "24", "25", "29.97", "29.97df", "30", "50", "59.94", "59.94df", "60")


@pytest.mark.parametrize(
    ("text", "told", "fps"),
    [
        ("23.976", "23.976", 24000 / 1001),
        ("23.98 fps", "23.976", 24000 / 1001),
        ("24", "24", 24),
        ("29.97", "29.97", 30000 / 1001),
        ("29.97ndf", "29.97", 30000 / 1001),
        ("29.97 DF", "29.97df", 30000 / 1001),
        ("59.94-df", "59.94df", 60000 / 1001),
        ("30000/1001", "29.97", 30000 / 1001),
        ("２５", "25", 25),
    ],
)
def test_rates_are_read_as_users_write_them(text, told, fps):
    rate = FrameRate.parse(text)
    assert (str(rate), float(rate.fps)) == (told, fps)
    assert FrameRate.parse(str(rate)) == rate


@pytest.mark.parametrize(
    "text", ["", "df", "ndf", "24df", "25df", "30df", "23.976df", "12", "29.97dfdf"]
)
def test_what_is_no_rate_is_told(text):
    with pytest.raises(ScriptError, match=r"give --fps 23\.976, 24, 25"):
        FrameRate.parse(text)


@pytest.mark.parametrize(
    ("frame", "code", "rate"),
    [
        (1799, "00:00:59;29", "29.97df"),
        (1800, "00:01:00;02", "29.97df"),
        (17981, "00:09:59;29", "29.97df"),
        (17982, "00:10:00;00", "29.97df"),
        (107892, "01:00:00;00", "29.97df"),
        (2589407, "23:59:59;29", "29.97df"),
        (3600, "00:01:00;04", "59.94df"),
        (215784, "01:00:00;00", "59.94df"),
        (108000, "01:00:00:00", "29.97"),
        (86400, "01:00:00:00", "23.976"),
        (90000, "01:00:00:00", "25"),
        (2159, "00:00:35:59", "60"),
    ],
)
def test_known_time_codes(frame, code, rate):
    """SMPTE ST 12-1: two numbers of a minute are left out, four at 60, but not of the tenth."""
    rate = FrameRate.parse(rate)
    assert to_frames(parse_time(code, rate), rate) == frame
    assert format_timecode(from_frames(frame, rate), rate) == code


@pytest.mark.parametrize(
    ("code", "rate", "seconds"),
    [
        ("01:00:00:00", "23.976", 3603.6),
        ("01:00:00:00", "29.97ndf", 3603.6),
        ("01:00:00;00", "29.97df", 107892 * 1001 / 30000),  # 3599.9964
        ("01:00:00:00", "29.97df", 107892 * 1001 / 30000),  # the rate says it too
        ("01;00;00;00", "29.97df", 107892 * 1001 / 30000),  # Premiere
        ("01:00:00:00", "24", 3600),
        ("00:00:01:12", "24", 1.5),
        ("1:2:3:4", "25", 3723.16),
        ("００：００：０１：１２", "24", 1.5),
        ("0:00:05", None, 5),
        ("00:00:05.250", None, 5.25),
        ("01:02:03,456", None, 3723.456),
        ("02:03.5", None, 123.5),
        (" 0:05 ", None, 5),
        ("12.5", None, 12.5),
        ("0", None, 0),
        ("0:00:05", "23.976", 5),  # a clock's
    ],
)
def test_times_are_seconds_of_the_clock(code, rate, seconds):
    rate = rate and FrameRate.parse(rate)
    assert parse_time(code, rate) == pytest.approx(seconds, abs=1e-9)


@given(st.sampled_from(RATES), st.floats(0, 1, exclude_max=True))
def test_a_time_code_gives_back_its_frame(name, share):
    rate = FrameRate.parse(name)
    frame = int(share * rate.frames_a_day)
    code = format_timecode(from_frames(frame, rate), rate)
    assert (";" in code) == rate.drop
    assert to_frames(parse_time(code, rate), rate) == frame


@given(st.sampled_from(RATES), st.floats(0, 86000))
def test_the_nearest_frame_is_within_half_of_one(name, seconds):
    rate = FrameRate.parse(name)
    assert abs(from_frames(to_frames(seconds, rate), rate) - seconds) <= 0.5 / rate.fps + 1e-9


@given(st.sampled_from(RATES), st.integers(0, 2_000_000))
def test_another_library_agrees(name, frame):
    opentime = pytest.importorskip("opentimelineio.opentime")
    rate = FrameRate.parse(name)
    theirs = opentime.to_timecode(
        opentime.RationalTime(frame, float(rate.fps)), float(rate.fps), rate.drop
    )
    assert format_timecode(from_frames(frame, rate), rate) == theirs


@given(st.integers(0, 86_399_999))
def test_a_clock_s_time_is_what_python_takes_it_for(milliseconds):
    time = datetime.datetime.min + datetime.timedelta(milliseconds=milliseconds)
    text = time.time().isoformat("milliseconds")
    assert parse_time(text) == parse_time(text.replace(".", ",")) == milliseconds / 1000


@pytest.mark.parametrize(
    ("text", "rate", "message"),
    [
        ("00:00:05:12", None, "counts frames.*--fps 23.976"),
        ("00:00:05;12", None, "counts frames.*--fps 29.97df"),
        ("00:00:05;12", "25", "drop frame, but the frame rate is 25; give --fps 29.97df"),
        ("00:00:05;12", "29.97", "drop frame, but the frame rate is 29.97; give --fps 29.97df"),
        ("00:00:05:24", "24", r"no frame 24 at 24: they end at 23; is --fps right"),
        ("00:00:05:30", "29.97", "no frame 30 at 29.97"),
        ("00:00:05:100", "60", "no frame 100"),
        ("00:01:00;00", "29.97df", "29.97df leaves this frame number out; is --fps right"),
        ("00:01:00:01", "29.97df", "leaves this frame number out"),
        ("00:11:00;03", "59.94df", "leaves this frame number out"),
        ("00:60:00:00", "24", "60 minutes, but they end at 59; write it as"),
        ("00:00:60:00", "24", "60 seconds, but they end at 59"),
        ("24:00:00:00", "24", "not within a day; .* beyond midnight"),
        ("75:10", None, "75 minutes"),
        ("0:00:61", None, "61 seconds"),
        ("-00:00:01:00", "24", "before zero"),
        ("-1.5", None, "before zero"),
        ("1:2:3:4:5", "24", "not a time; write 00:01:02:03 and give --fps"),
        ("1분 5초", None, "not a time"),
        ("12,5", None, "not a time"),
        ("", None, "not a time"),
        ("미정", None, "not a time"),
        ("90000", None, "not within a day; write it as"),
    ],
)
def test_what_is_no_time_is_named_with_its_fix(text, rate, message):
    with pytest.raises(ScriptError, match=message) as error:
        parse_time(text, rate and FrameRate.parse(rate))
    assert f"“{text}”" in str(error.value)


@pytest.mark.parametrize("seconds", [-1, 86400])
def test_a_reel_beyond_the_day_has_no_time_code(seconds):
    with pytest.raises(ScriptError, match="move the reel's start"):
        format_timecode(seconds, FrameRate.parse("25"))


@given(st.sampled_from(RATES), st.integers(0, 24 * 60 * 60 * 60))
def test_every_frame_of_the_day_has_its_own_code(name, frame):
    """There and back, for all rates; and the next frame has the next code."""
    rate = FrameRate.parse(name)
    frame %= rate.frames_a_day
    code = rate.code(frame)
    assert rate.count(code.replace(";", ":")) == frame
    assert (";" in code) == rate.drop
    if frame + 1 < rate.frames_a_day:
        assert rate.code(frame + 1) > code
