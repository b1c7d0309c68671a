"""Alignments as Praat's TextGrid, with a tier of words and one of phones."""

from pathlib import Path

from praatio.data_classes.interval_tier import IntervalTier
from praatio.data_classes.textgrid import Textgrid

from moksori.alignment import Alignment, Interval
from moksori.config import Seconds
from moksori.errors import OutputError


def save_textgrid(path: Path, alignment: Alignment, length: Seconds) -> None:
    """Write an alignment.

    Args:
        path: the .TextGrid.
        alignment: of a line.
        length: of the whole recording, which the tiers span.

    Raises:
        OutputError: the place cannot be written to.
    """
    grid = Textgrid(0, length)
    for name, intervals in (
        ("words", alignment.word_intervals()),
        ("phones", alignment.phone_intervals()),
    ):
        grid.addTier(IntervalTier(name, _within(intervals, length), 0, length))
    try:
        grid.save(str(path), format="long_textgrid", includeBlankSpaces=True)
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}") from None


def _within(intervals: list[Interval], length: Seconds) -> list[tuple[float, float, str]]:
    """The last frame may reach a little beyond the recording's end."""
    return [
        (interval.begin, min(interval.end, length), interval.label)
        for interval in intervals
        if interval.begin < length
    ]
