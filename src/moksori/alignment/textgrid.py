"""Alignments as Praat's TextGrid, with a tier of words and one of phones."""

from collections.abc import Sequence
from pathlib import Path

from praatio.data_classes.interval_tier import IntervalTier
from praatio.data_classes.textgrid import Textgrid

from moksori.alignment.alignment import Interval
from moksori.config import Seconds
from moksori.writing import write_error


def save_textgrid(
    path: Path, words: Sequence[Interval], phones: Sequence[Interval], length: Seconds
) -> None:
    """Write when words and phones are said.

    Args:
        path: the .TextGrid.
        words: as `Alignment.word_intervals`.
        phones: as `Alignment.phone_intervals`.
        length: of the whole recording, which the tiers span.

    Raises:
        OutputError: the place cannot be written to.
    """
    grid = Textgrid(0, length)
    for name, intervals in (("words", words), ("phones", phones)):
        grid.addTier(IntervalTier(name, _within(intervals, length), 0, length))
    try:
        grid.save(str(path), format="long_textgrid", includeBlankSpaces=True)
    except OSError as error:
        raise write_error(path, error) from None


def _within(intervals: Sequence[Interval], length: Seconds) -> list[tuple[float, float, str]]:
    """The last frame may reach a little beyond the recording's end."""
    return [
        (interval.begin, min(interval.end, length), interval.label)
        for interval in intervals
        if interval.begin < length
    ]
