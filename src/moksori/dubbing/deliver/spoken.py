"""When a line is said, for whatever shows its text."""

from moksori.config import Seconds
from moksori.dubbing.records import Dubbed


def spoken(row: Dubbed, start: Seconds, origin: Seconds) -> tuple[Seconds, Seconds]:
    """When a line is said on the reel: from its first word to its last.

    Without words known it is the speech that was measured, else the script's times within the take, else
    all of the take.

    Args:
        row: the line.
        start: where its wave begins on the reel.
        origin: time code of the reel's first sample.
    """
    take, line = row.take, row.take.line
    if row.words:
        return start + row.words[0].begin, start + row.words[-1].end
    if row.speech:
        return start + row.speech[0], start + row.speech[1]
    first, last = start, start + take.seconds
    begin = first if line.start is None else max(first, line.start - origin)
    end = last if line.end is None else min(last, line.end - origin)
    return (begin, end) if begin < end else (first, last)
