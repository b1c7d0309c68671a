"""Times of TTML (Timed Text Markup Language 2, sections 7.2 and 12), and of elements in elements."""

import re
from fractions import Fraction
from math import ceil
from typing import NamedTuple
from xml.etree.ElementTree import Element

from moksori.errors import ScriptError
from moksori.script.package import attribute
from moksori.timecode import FrameRate, check_clock, count_of, from_frames

_CLOCK = re.compile(r"(\d{2,}):(\d\d):(\d\d)(?:\.(\d+)|:(\d{2,})(?:\.(\d+))?)?")
_OFFSET = re.compile(r"(\d+(?:\.\d+)?)(h|m|s|ms|f|t)")
_DROPS = {"dropNTSC": True, "nonDrop": False}
_LONGEST = 12  # digits of a number


class Span(NamedTuple):
    """When an element is active, in seconds from the beginning of the media; None: not said."""

    begin: Fraction | None = None
    end: Fraction | None = None


class Clock(NamedTuple):
    """How a document counts.

    Attributes:
        fps: frames a second.
        sub_frames: of a frame.
        ticks: a second.
        smpte: of time codes (`ttp:timeBase="smpte"`), whose hours are not the clock's at NTSC's rates.
        frame_rate: as the document or the user says; None if nobody does, and the format says 30.
    """

    fps: Fraction
    sub_frames: int
    ticks: Fraction
    smpte: FrameRate | None
    frame_rate: FrameRate | None

    def seconds(self, text: str) -> Fraction:
        """The time that an expression says.

        Raises:
            ScriptError: none, one that does not exist, or one by the clock on the wall.
        """
        bare = text.strip()
        if bare.startswith("wallclock"):
            raise ScriptError.of("script.ttml_wallclock", text=bare[:40])
        if any(len(digits) > _LONGEST for digits in re.findall(r"\d+", bare)):
            raise ScriptError.of("script.ttml_time", text=bare[:40])
        if found := _OFFSET.fullmatch(bare):
            unit = {"h": Fraction(3600), "m": Fraction(60), "s": Fraction(1), "ms": Fraction(1, 1000),
                    "f": 1 / self.fps, "t": 1 / self.ticks}[found[2]]  # fmt: skip
            return Fraction(found[1]) * unit
        found = _CLOCK.fullmatch(bare)
        if not found:
            raise ScriptError.of("script.ttml_time", text=bare[:40])
        hours, minutes, seconds, part, frames, sub = found.groups()
        check_clock(bare, int(hours) if self.smpte else 0, int(minutes), int(seconds))
        whole = Fraction(int(hours) * 3600 + int(minutes) * 60 + int(seconds))
        if frames is None and self.smpte is None:
            return whole + Fraction(f"0.{part or 0}")
        frame = Fraction(int(frames or 0)) + Fraction(int(sub or 0), self.sub_frames)
        rate = self.smpte or self.frame_rate or float(self.fps)
        if frame >= (last := self.smpte.nominal if self.smpte else ceil(self.fps)):
            raise ScriptError.of(
                "time.no_frame", text=bare, frame=int(frame), rate=rate, last=last - 1
            )
        if self.smpte:
            count = count_of(bare, f"{hours}:{minutes}:{seconds}:{int(frame):02}", self.smpte)
            late = Fraction(f"0.{part or 0}") + (frame - int(frame)) / self.fps
            return Fraction(from_frames(count, self.smpte)) + late
        return whole + frame / self.fps

    def span(self, element: Element, parent: Span, after: Fraction | None = None) -> Span:
        """When an element is active.

        Args:
            element: with begin, dur and end, all from where its parent begins.
            parent: of it.
            after: where the element before it ends, in a parent whose children follow each other (`seq`).

        Raises:
            ScriptError: as `seconds`.
        """
        origin = after if after is not None else parent.begin
        texts = {name: attribute(element, name) for name in ("begin", "dur", "end")}
        times = {name: self.seconds(text) for name, text in texts.items() if text}
        if not times:
            return parent if after is None else Span(after, parent.end)
        base = origin or Fraction(0)
        begin = base + times.get("begin", Fraction(0))
        ends = [base + times["end"]] if "end" in times else []
        ends += [begin + times["dur"]] if "dur" in times else []
        ends += [parent.end] if parent.end is not None else []
        return Span(begin, min(ends, default=None))


def clock_of(root: Element, asked: FrameRate | None) -> Clock:
    """How a document counts, by its `ttp:` parameters, else as the user says, else as the format does.

    Raises:
        ScriptError: a parameter that is none, or times by the clock on the wall.
    """
    base = attribute(root, "timeBase", "media")
    if base not in ("media", "smpte"):
        raise ScriptError.of("script.ttml_parameter", name="ttp:timeBase", value=base)
    written = attribute(root, "frameRate")
    nominal = _count("ttp:frameRate", written or (str(asked.nominal) if asked else "30"))
    multiplier = attribute(root, "frameRateMultiplier")
    parts = re.fullmatch(r"(\d{1,6})[\s:]+(\d{1,6})|()", multiplier.strip())
    if not parts or (parts[2] and not int(parts[2])):
        raise ScriptError.of(
            "script.ttml_parameter", name="ttp:frameRateMultiplier", value=multiplier[:40]
        )
    fps = Fraction(nominal) * (Fraction(int(parts[1]), int(parts[2])) if parts[1] else 1)
    if not written and asked:
        fps = asked.fps
    sub_frames = _count("ttp:subFrameRate", attribute(root, "subFrameRate", "1"))
    ticks, usual = attribute(root, "tickRate"), fps * sub_frames if written else Fraction(1)
    rate = asked
    if written:
        drop = _DROPS.get(attribute(root, "dropMode", "nonDrop"), False)
        rate = _named(nominal, fps, drop)
        if base == "media" and asked and rate and _alike(asked, rate):
            rate = asked  # a clock's times cannot say whether time codes drop frames
    if base == "smpte" and rate is None:
        rate = FrameRate(30)
    return Clock(
        fps=fps,
        sub_frames=sub_frames,
        ticks=Fraction(_count("ttp:tickRate", ticks)) if ticks else usual,
        smpte=rate if base == "smpte" else None,
        frame_rate=rate,
    )  # fmt: skip


def counts_frames(root: Element) -> str:
    """The first time of a document that counts frames; "" if none does."""
    for element in root.iter():
        for name in ("begin", "end", "dur"):
            text = attribute(element, name).strip()
            found = _CLOCK.fullmatch(text)
            if (found and found[5]) or re.fullmatch(r"[\d.]+f", text):
                return text
    return ""


def _count(name: str, text: str) -> int:
    if not text.strip().isdecimal() or len(text.strip()) > _LONGEST or not int(text):
        raise ScriptError.of("script.ttml_parameter", name=name, value=text[:40])
    return int(text)


def _alike(one: FrameRate, other: FrameRate) -> bool:
    return (one.nominal, one.ntsc) == (other.nominal, other.ntsc)


def _named(nominal: int, fps: Fraction, drop: bool) -> FrameRate | None:
    """The rate as time codes know it; None for one that they do not."""
    ntsc = fps == Fraction(nominal * 1000, 1001)
    if nominal not in (24, 25, 30, 50, 60) or not (ntsc or fps == nominal):
        return None
    if ntsc and nominal not in (24, 30, 60):
        return None
    return FrameRate(nominal, ntsc=ntsc, drop=drop and ntsc and nominal % 30 == 0)
