"""Times as scripts write them: SMPTE time codes with and without drop frame, clocks, and seconds."""

import math
import re
import unicodedata
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Self

from opentimelineio import opentime

from moksori.config import Seconds
from moksori.errors import ScriptError
from moksori.messages import message

_NTSC = {24: "23.976", 30: "29.97", 60: "59.94"}  # by the frames that a second counts
_NOMINAL = {
    "23.976": (24, True), "23.98": (24, True), "24000/1001": (24, True), "24": (24, False),
    "25": (25, False), "29.97": (30, True), "30000/1001": (30, True), "30": (30, False),
    "50": (50, False), "59.94": (60, True), "60000/1001": (60, True), "60": (60, False),
}  # fmt: skip
RATES = "23.976, 24, 25, 29.97, 29.97df, 30, 50, 59.94, 59.94df, 60"
_FRAMES = re.compile(r"(\d{1,2})([:;.,])(\d{1,2})([:;.,])(\d{1,2})([:;.,])(\d{1,3})")
_CLOCK = re.compile(r"(?:(\d{1,2}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d+))?")
_OPEN = re.compile(r"\d{1,2}:\d{1,2}:\d{1,2}[.,](\d\d)")  # frames or hundredths
_PLAIN = re.compile(r"\d+(?:\.\d+)?")
_DAY = 24 * 60 * 60


@dataclass(frozen=True)
class FrameRate:
    """How frames are counted, and how long one is.

    Attributes:
        nominal: frames that a second of the time code counts.
        ntsc: a frame is longer by 1.001, so that the time code lags behind the clock.
        drop: numbers are left out of the count, so that it keeps up with the clock nevertheless.
        open: whether frames are dropped was not said, so that the separators of a script decide.
    """

    nominal: int
    ntsc: bool = False
    drop: bool = False
    open: bool = field(default=False, compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a rate as users write it: 23.976, 24, 25, 29.97, 29.97df, 29.97ndf, 30.

        29.97 and 59.94 alone are without drop frame, but `open`.

        Raises:
            ScriptError: no such rate, or drop frame where there is none.
        """
        bare = re.sub(r"[\s_-]|fps", "", unicodedata.normalize("NFKC", text).lower())
        name = bare.removesuffix("df").removesuffix("n")
        if name not in _NOMINAL or bare not in (name, name + "df", name + "ndf"):
            raise ScriptError.of("time.no_rate", text=text, rates=RATES)
        nominal, ntsc = _NOMINAL[name]
        can_drop = ntsc and nominal % 30 == 0
        drop = bare == name + "df"
        if drop and not can_drop:
            raise ScriptError.of("time.no_drop", text=text, rates=RATES)
        return cls(nominal, ntsc, drop, can_drop and bare == name)

    @property
    def fps(self) -> Fraction:
        """Frames a second, exactly."""
        return Fraction(self.nominal * 1000, 1001) if self.ntsc else Fraction(self.nominal)

    @property
    def frames_a_day(self) -> int:
        """How many time codes there are."""
        return self.count(f"23:59:59:{self.nominal - 1:02}") + 1

    @property
    def _rate(self) -> float:
        """Of OpenTimelineIO's count: without drop frame it counts nominal frames, however long they are."""
        return float(self.fps if self.drop else self.nominal)

    def count(self, code: str) -> int:
        """Frames before a time code, HH:MM:SS:FF; of a number that is left out, those before the next."""
        written = f"{code[:-3]};{code[-2:]}" if self.drop else code
        result: int = round(opentime.from_timecode(written, self._rate).value)
        return result

    def code(self, frame: int) -> str:
        """Time code of a frame, counted from 0."""
        time = opentime.RationalTime(frame, self._rate)
        return str(opentime.to_timecode(time, self._rate, self.drop))

    def __str__(self) -> str:
        return (_NTSC[self.nominal] if self.ntsc else str(self.nominal)) + "df" * self.drop


NTSC_DROP = FrameRate(30, ntsc=True, drop=True)  # 29.97 frames a second, broadcast's


@dataclass(frozen=True)
class Notation:
    """How a script writes its times.

    Attributes:
        frame_rate: of its frames; None if it counts none, or nobody said.
        point_frames: two digits after a point (01:00:01.12) are frames, not hundredths of a second.
        asked: frames are counted, but how long they are has to be asked first.
    """

    frame_rate: FrameRate | None = None
    point_frames: bool = False
    asked: bool = False

    def seconds(self, text: str) -> Seconds | None:
        """The time that a text says; None if it has to be asked first.

        Raises:
            ScriptError: as `parse_time`.
        """
        if self.asked and (frame_of(text) or hundredths_of(text)) is not None:
            return None
        return parse_time(text, self.frame_rate, self.point_frames)


def _bare(text: str) -> str:
    """A Korean keyboard has wide digits, colons and full stops."""
    return unicodedata.normalize("NFKC", text).strip()


def frame_of(text: str) -> tuple[int, bool] | None:
    """The frame that a time code counts, and whether a semicolon stands before it; None if it counts none."""
    bare = _bare(text)
    found = _FRAMES.fullmatch(bare)
    if not found or _CLOCK.fullmatch(bare):
        return None
    return int(found[7]), found[6] == ";"


def hundredths_of(text: str) -> int | None:
    """The two digits after the point of a clock in hours: hundredths of a second, or frames."""
    found = _OPEN.fullmatch(_bare(text))
    return int(found[1]) if found else None


def parse_time(
    text: str, frame_rate: FrameRate | None = None, point_frames: bool = False
) -> Seconds:
    """Read a time.

    Args:
        text: `HH:MM:SS:FF`, with drop frame also `HH:MM:SS;FF`, with points also `HH.MM.SS.FF`;
            `HH:MM:SS`, `MM:SS`, each also with a fraction after a point or a comma; or seconds, `12.5`.
        frame_rate: of the frames; needed if `text` counts any.
        point_frames: `HH:MM:SS.FF` counts frames too.

    Returns:
        Seconds of the clock: at NTSC's rates the time code's own are longer.

    Raises:
        ScriptError: no time, one that does not exist, or frames without a rate.
    """
    bare = _bare(text)
    if bare.startswith(("-", "−")):
        raise ScriptError.of("time.negative", text=text)
    clock = _CLOCK.fullmatch(bare)
    if clock and not (point_frames and _OPEN.fullmatch(bare)):
        hour, minutes, seconds, fraction = clock.groups()
        check_clock(text, int(hour or 0), int(minutes), int(seconds))
        whole = int(hour or 0) * 3600 + int(minutes) * 60 + int(seconds)
        return float(f"{whole}.{fraction or 0}")
    if found := _FRAMES.fullmatch(bare):
        hours, _, minutes, _, seconds, mark, frame = found.groups()
        check_clock(text, int(hours), int(minutes), int(seconds))
        return _framed(text, f"{hours}:{minutes}:{seconds}", mark == ";", int(frame), frame_rate)
    if not _PLAIN.fullmatch(bare):
        raise ScriptError.of("time.none", text=text)
    if len(bare.partition(".")[0].lstrip("0")) > 5 or float(bare) >= _DAY:
        raise ScriptError.of("time.beyond_day", text=text)
    return float(bare)


def check_clock(text: str, hours: int, minutes: int, seconds: int) -> None:
    """Look whether a clock shows such hours, minutes and seconds.

    Raises:
        ScriptError: it does not.
    """
    for name, value in (("minutes", minutes), ("seconds", seconds)):
        if value >= 60:
            unit = message(f"time.{name}")
            raise ScriptError.of("time.clock", text=text, value=value, unit=unit)
    if hours >= 24:
        raise ScriptError.of("time.beyond_day", text=text)


def _framed(
    text: str, clock: str, semicolon: bool, frame: int, frame_rate: FrameRate | None
) -> Seconds:
    if frame_rate is None:
        example = "29.97df" if semicolon else "23.976"
        raise ScriptError.of("time.frames", text=text, example=example)
    if semicolon and not frame_rate.drop:
        raise ScriptError.of("time.semicolon", text=text, rate=frame_rate)
    if frame >= frame_rate.nominal:
        last = frame_rate.nominal - 1
        raise ScriptError.of("time.no_frame", text=text, frame=frame, rate=frame_rate, last=last)
    hours, minutes, seconds = (int(part) for part in clock.split(":"))
    written = f"{hours:02}:{minutes:02}:{seconds:02}:{frame:02}"
    return from_frames(count_of(text, written, frame_rate), frame_rate)


def count_of(text: str, code: str, frame_rate: FrameRate) -> int:
    """Frames before a time code.

    Args:
        text: as it is written, for the message.
        code: of it, HH:MM:SS:FF, with a frame that a second has.
        frame_rate: of the frames.

    Raises:
        ScriptError: drop frame leaves its number out.
    """
    count = frame_rate.count(code)
    if frame_rate.code(count)[-2:] != code[-2:]:
        raise ScriptError.of("time.dropped", text=text, rate=frame_rate)
    return count


def from_frames(frames: int, frame_rate: FrameRate) -> Seconds:
    """When a frame begins, frames counted from 0."""
    return float(frames / frame_rate.fps)


def to_frames(seconds: Seconds, frame_rate: FrameRate) -> int:
    """The frame that begins nearest, frames counted from 0."""
    return math.floor(Fraction(seconds) * frame_rate.fps + Fraction(1, 2))


def format_timecode(seconds: Seconds, frame_rate: FrameRate) -> str:
    """The time code of the nearest frame: `HH:MM:SS:FF`, or with drop frame `HH:MM:SS;FF`.

    Raises:
        ScriptError: before zero, or after the day that time codes have.
    """
    frames = to_frames(seconds, frame_rate)
    if not 0 <= frames < frame_rate.frames_a_day:
        raise ScriptError.of("time.no_code", seconds=seconds, rate=frame_rate)
    return frame_rate.code(frames)
