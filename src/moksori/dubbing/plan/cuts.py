"""What of a production track each line is."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from moksori.config import Seconds
from moksori.script.line import Line


def cut_by_channel(
    lines: Sequence[Line],
    channels: Sequence[int | None],
    origin: Seconds,
    length: Seconds,
    handles: Seconds,
) -> list[tuple[Seconds, Seconds]]:
    """As `cut`, where only lines of the same channel are neighbours.

    A line without an end lasts until any other begins, to the sample: it has no handles.
    """
    if len(set(channels)) <= 1:
        return cut(lines, origin, length, handles)
    spans = cut(lines, origin, length, 0.0)
    ended = [
        replace(line, end=end + origin) if line.end is None else line
        for line, (_, end) in zip(lines, spans, strict=True)
    ]
    for channel in set(channels):
        places = [i for i, other in enumerate(channels) if other == channel]
        own = cut([ended[i] for i in places], origin, length, handles)
        for i, span in zip(places, own, strict=True):
            spans[i] = spans[i] if lines[i].end is None else span
    return spans


def cut(
    lines: Sequence[Line], origin: Seconds, length: Seconds, handles: Seconds
) -> list[tuple[Seconds, Seconds]]:
    """What of a track each line is, from the track's beginning.

    Handles end half-way to the next line, so that no one's speech is in two cuts; where lines overlap
    there is none. A line without an end lasts until the next begins.
    """
    starts = np.array([(line.start or 0.0) - origin for line in lines])
    order = np.append(np.unique(starts), length)
    following = order[np.searchsorted(order[:-1], starts, side="right")]
    ends = np.array([
        after if line.end is None else line.end - origin
        for line, after in zip(lines, following.tolist(), strict=True)
    ])  # fmt: skip
    # Until when somebody who began earlier speaks, and when somebody begins who ends later.
    by_start, by_end = np.argsort(starts), np.argsort(ends)
    ended = np.append(-np.inf, np.maximum.accumulate(ends[by_start]))
    begun = np.append(np.minimum.accumulate(starts[by_end][::-1])[::-1], np.inf)
    before = np.minimum(ended[np.searchsorted(starts[by_start], starts)], starts)
    later = np.maximum(begun[np.searchsorted(ends[by_end], ends, side="right")], ends)
    left = np.maximum(starts - handles, (before + starts) / 2)
    right = np.minimum(ends + handles, (later + ends) / 2)
    # A line that lies beyond the track is reported, a handle is only cut short.
    left = np.where(starts < 0, left, np.maximum(left, 0.0))
    right = np.maximum(ends, np.minimum(right, length))
    return [*zip(left.tolist(), right.tolist(), strict=True)]
