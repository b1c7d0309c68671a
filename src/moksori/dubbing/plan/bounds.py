"""Where lines lie beyond what holds them: the day that time codes have, the picture, the lines beside."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from moksori.config import Seconds
from moksori.dubbing.plan.issues import Issue
from moksori.dubbing.plan.takes import Found
from moksori.dubbing.plan.track import SAME_TIME, shown_time
from moksori.dubbing.records import Take
from moksori.signal.loudness import PREMIX
from moksori.timecode import FrameRate, format_timecode, to_frames

_PREMIX_START = "01:00:00:00"
_FAR: Seconds = 3600.0  # without a line: more likely a slip in a time code


def within_day(found: Found, origin: Seconds, frame_rate: FrameRate) -> Found:
    """Without the lines that end after the last time code of a day, each of which is an error."""
    beyond = dict[str, Issue]()
    for take in found.recorded:
        if take.start is None:
            continue
        start = origin + take.start
        end = max(to_frames(start + take.seconds, frame_rate), to_frames(start, frame_rate) + 1)
        if end >= frame_rate.frames_a_day:
            values = {
                "end": frame_rate.code(end % frame_rate.frames_a_day),
                "last": frame_rate.code(frame_rate.frames_a_day - 1),
            }
            beyond[take.id] = Issue("error", take.line.place, "after_day", values)
    return replace(
        found,
        recorded=[take for take in found.recorded if take.id not in beyond],
        takes=[take for take in found.takes if take.id not in beyond],
        issues=[*found.issues, *beyond.values()],
    )


def length_issues(
    target: str,
    picture: Seconds | None,
    origin: Seconds,
    frame_rate: FrameRate,
    track: Seconds,
    end: Seconds,
) -> list[Issue]:
    """What of the reel's beginning and end is not as the picture's.

    Args:
        target: name of the reel's loudness, which for a premix says how reels begin and end.
        picture: its length, where it is known.
        origin: of the reel.
        frame_rate: of its time codes.
        track: length of the production track; 0 if there is none.
        end: of the last line, on the reel.
    """
    issues = []
    if picture is not None and end > picture + SAME_TIME:
        notice = {
            "end": shown_time(origin + end, frame_rate),
            "length": shown_time(origin + picture, frame_rate),
        }
        issues.append(Issue("warning", "", "beyond_picture", notice))
    if target == PREMIX:
        if format_timecode(origin, frame_rate).replace(";", ":") != _PREMIX_START:
            notice = {"start": shown_time(origin, frame_rate)}
            issues.append(Issue("warning", "", "premix_start", notice))
        if picture is None and not track:
            issues.append(Issue("warning", "", "premix_length", {}))
    return issues


def far_apart_issues(takes: Sequence[Take], origin: Seconds, frame_rate: FrameRate) -> list[Issue]:
    """Lines an hour or more after the one before, by a slip in a time code or beyond midnight."""
    timed = [(take.start, take.line.place) for take in takes if take.start is not None]
    timed.sort(key=lambda at: at[0])
    issues = []
    for (before, _), (after, place) in pairwise(timed):
        if after - before >= _FAR:
            shown = [shown_time(origin + start, frame_rate) for start in (before, after)]
            values = {
                "before": shown[0],
                "after": shown[1],
                "hours": f"{(after - before) / 3600:.1f}",
            }
            issues.append(Issue("warning", place, "far_apart", values))
    return issues
