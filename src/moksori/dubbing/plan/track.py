"""What a production track says of itself (`bext`, iXML): when it begins, how it counts frames, what it is."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from moksori.config import Seconds
from moksori.dubbing.plan.issues import Issue
from moksori.messages import Message, message
from moksori.script.content import joined
from moksori.script.line import Line
from moksori.signal.decoders import Header, inspect
from moksori.signal.ixml import Ixml, read_ixml
from moksori.timecode import NTSC_DROP, FrameRate, format_timecode, parse_time, to_frames

_HOUR: Seconds = 3600.0
SAME_TIME: Seconds = 0.02  # time codes that differ by less are one: half a frame
_OUTSIDE = ("off_track", "before_start")  # kinds of issues


class Track(NamedTuple):
    """A production track, unread."""

    header: Header
    ixml: Ixml

    @property
    def bext(self) -> Seconds | None:
        """Its time reference; None if it has none."""
        reference = self.header.time_reference
        return None if reference is None else reference / self.header.sample_rate


def read_track(path: Path) -> Track | None:
    """What a track says; None of a folder, or of what is not there.

    Raises:
        AudioError: as `inspect`.
    """
    if not path.is_file():
        return None
    return Track(inspect(path), read_ixml(path) or Ixml())


def rate_issues(track: Track | None, used: FrameRate | None, asked: bool) -> list[Issue]:
    """What there is to say of a track's frame rate.

    Args:
        track: whose iXML may state it.
        used: that the script's frames are counted at.
        asked: whether it was given by others than the track.
    """
    own = track.ixml.frame_rate if track else None
    if own is None or used is None:
        return []
    if not asked:
        return [Issue("note", "", "track_rate", {"rate": str(own)})]
    same = (own.nominal, own.ntsc) == (used.nominal, used.ntsc)
    if same and (own.drop == used.drop or own.open or used.open):
        return []
    return [Issue("warning", "", "track_rate_differs", {"track": str(own), "rate": str(used)})]


def origin_of(
    track: Track | None,
    asked: Seconds | None,
    lines: Sequence[Line],
    frame_rate: FrameRate | None,
    media: Seconds | None = None,
) -> tuple[Seconds, list[Issue]]:
    """The time code at which reel and track begin, and what there is to say of it.

    It is asked for, or else the track's time reference (`bext`, or else iXML's), or else where the script
    says that its `media` begin, or else the hour of the first line. A reference of 0 is what programs write
    that do not know the time.
    """
    starts = [line.start for line in lines if line.start is not None]
    hour = _hour(starts, frame_rate) if media is None else media
    bext, ixml = (track.bext, track.ixml.begin) if track else (None, None)
    if bext is None and ixml is None:
        return (hour if asked is None else asked), []
    by, stamp = ("bext", bext or 0.0) if bext or not ixml else ("iXML", ixml)
    said = {"by": by, "stamp": shown_time(stamp, frame_rate)}
    issues = []
    if bext and ixml and abs(bext - ixml) >= SAME_TIME:
        notice = {"bext": shown_time(bext, frame_rate), "ixml": shown_time(ixml, frame_rate)}
        issues.append(Issue("warning", "", "stamps_differ", notice))
    if asked is not None:
        if stamp and abs(stamp - asked) >= SAME_TIME:
            notice = said | {"start": shown_time(asked, frame_rate)}
            issues.append(Issue("warning", "", "stamp_differs", notice))
        return asked, issues
    if not stamp:
        notice = said | {"start": shown_time(hour, frame_rate)}
        return hour, [Issue("warning", "", "stamp_unset", notice)] if hour else []
    return stamp, [*issues, Issue("note", "", "stamp", said)]


def from_origin(lines: Sequence[Line], origin: Seconds, frame_rate: FrameRate | None) -> list[Line]:
    """The lines; those that begin less than half a frame before the reel begin with it.

    The same time code is another fraction of a second in samples, in milliseconds and in frames.
    """
    rate = frame_rate or NTSC_DROP
    first = to_frames(origin, rate)

    def early(line: Line) -> bool:
        if line.start is None or not line.start < origin < (line.end or math.inf):
            return False
        return to_frames(line.start, rate) == first

    return [replace(line, start=origin) if early(line) else line for line in lines]


def start_issues(
    issues: Iterable[Issue],
    lines: Iterable[Line],
    origin: Seconds,
    length: Seconds,
    frame_rate: FrameRate | None,
    media: Seconds | None = None,
) -> list[Issue]:
    """The issues; where most lines lie outside, but would not from another start, with that.

    It is where the script says that its `media` begin, or else the hour of the first line; and it is taken by
    nobody but the user, as two hours may both hold all lines.

    Args:
        issues: found in looking for the lines' takes.
        lines: of the script.
        origin: of the reel.
        length: of the track; 0 if there is none.
        frame_rate: of the time codes.
        media: where the script's begin, if it says so.
    """
    issues = [*issues]
    spans = [(line.start, line.end or line.start) for line in lines if line.start is not None]
    starts, last = [start for start, _ in spans], max((end for _, end in spans), default=0.0)
    outside = {issue.place for issue in issues if issue.kind in _OUTSIDE}
    rate = frame_rate or NTSC_DROP
    if 2 * len(outside) <= len(spans) or to_frames(last, rate) >= rate.frames_a_day:
        return issues
    start = _hour(starts, frame_rate) if media is None else media
    inside = sum(not length or end - start <= length for _, end in spans)
    if start == origin or 2 * inside <= len(spans):
        return issues
    times = {"origin": origin, "start": start, "first": min(starts), "last": last}
    values = {name: shown_time(time, frame_rate) for name, time in times.items()}
    return [
        issue._replace(kind="other_start", values=values) if issue.kind in _OUTSIDE else issue
        for issue in issues
    ]


def about_issues(track: Track | None) -> list[Issue]:
    """What a track says of itself that nothing follows from: project, scene, take and note."""
    if track is None:
        return []
    own = track.ixml
    fields = {
        "track.project": own.project, "track.scene": own.scene, "track.take": own.take,
        "track.note": own.note,
    }  # fmt: skip
    said: list[Message] = [message(code, text=text) for code, text in fields.items() if text]
    return [Issue("note", "", "track_says", {"said": joined(said, "script.and")})] if said else []


def shown_time(seconds: Seconds, frame_rate: FrameRate | None) -> str:
    """A time as people read it: a time code, or a clock's where frames have no rate."""
    if frame_rate:
        return format_timecode(seconds, frame_rate)
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes // 60):02d}:{int(minutes % 60):02d}:{rest:06.3f}"


def _hour(starts: Sequence[Seconds], frame_rate: FrameRate | None) -> Seconds:
    """The hour that the first line starts in: reels begin at 01:00:00:00 as often as at 00:00:00:00.

    By time codes, whose hours are not the clock's where a frame lasts 1001/30000 s.
    """
    first = min(starts, default=0.0)
    if frame_rate is None:
        return first // _HOUR * _HOUR
    hour = format_timecode(first, frame_rate)[:2]
    return parse_time(f"{hour}:00:00:00", frame_rate)
