"""The dubbed lines on the reel, for editors: CMX 3600 EDL, OpenTimelineIO and a table of words."""

import csv
import io
import itertools
import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import quote

from moksori.config import Seconds
from moksori.dubbing.deliver.clips import Clip, lanes, tracks
from moksori.dubbing.deliver.spec import DeliverySpec
from moksori.formulas import no_formula
from moksori.timecode import format_timecode, from_frames, to_frames
from moksori.writing import atomic_write

CMX_CHANNELS = 4
_WORD_COLUMNS = (
    "id", "character", "word", "start (s)", "end (s)", "timecode in", "timecode out",
)  # fmt: skip


class Word(NamedTuple):
    """When a word is said."""

    id: str  # of its line
    character: str
    word: str
    start: Seconds  # on the reel, from its beginning
    end: Seconds


def write_edl(path: Path, clips: Iterable[Clip], spec: DeliverySpec) -> None:
    """Write a CMX 3600 edit decision list of audio events, by their start.

    The format knows frames only: both ends of an event lie on the nearest frame, and it has one at
    least. Every wave is its own reel, named by the number that its id begins with; its source times are
    those of the record, as its time reference (`bext`) says. What overlaps goes to further channels, A,
    A2, A3, A4; the format has no more, so that a fifth at once is listed on A5 with a comment that says
    so.

    Args:
        path: the .edl.
        clips: with samples of the spec's rate.
        spec: of the delivery.

    Raises:
        ScriptError: an event behind the last time code of a day.
        OutputError: the place cannot be written to.
    """
    clips = sorted(clips, key=lambda clip: clip.start)
    frame_rate = spec.frame_rate

    def frame(sample: int) -> int:
        return to_frames(spec.start_timecode + sample / spec.sample_rate, frame_rate)

    spans = [
        (begin, max(begin + 1, frame(clip.start + clip.samples)))
        for clip in clips
        for begin in [frame(clip.start)]
    ]
    channels = lanes(spans)
    rows = [
        f"TITLE: {_on_a_line(spec.title)}",
        f"FCM: {'DROP FRAME' if frame_rate.drop else 'NON-DROP FRAME'}",
    ]
    events = zip(clips, spans, channels, _reels(clips), strict=True)
    for number, (clip, (begin, end), channel, reel) in enumerate(events, 1):
        codes = [format_timecode(from_frames(n, frame_rate), frame_rate) for n in (begin, end)]
        name = f"A{channel + 1}" if channel else "A"
        rows += [
            "",
            f"{number:03}  {reel:8} {name:5} C        {' '.join([*codes, *codes])}",
            f"* FROM CLIP NAME: {_on_a_line(PurePosixPath(clip.wave).name)}",
            f"* COMMENT: {_on_a_line(': '.join(filter(None, (clip.character, clip.text))))}",
        ]
        if channel >= CMX_CHANNELS:
            rows.append(f"* COMMENT: {channel + 1} LINES AT ONCE; CMX 3600 HAS FOUR CHANNELS ONLY")
    atomic_write(path, "\n".join([*rows, ""]))


def write_otio(path: Path, clips: Iterable[Clip], spec: DeliverySpec) -> None:
    """Write an OpenTimelineIO timeline, exact to the sample.

    Each character has an audio track, in the order in which they first speak; where lines of one
    overlap, the later ones are on a second track of it, and so on. The timeline begins with a frame, the
    one that the reel begins in, by the spec's frame rate: only frames have time codes. All other times are
    samples of the spec's rate, since programs cut parts of frames off, clip by clip. A wave's own begin at
    its time reference (`bext`), as programs read it from the file. Waves are named relative to the
    timeline's folder.

    Args:
        path: the .otio.
        clips: with samples of the spec's rate.
        spec: of the delivery.

    Raises:
        OutputError: the place cannot be written to.
    """
    import opentimelineio as otio

    def time(samples: int) -> otio.opentime.RationalTime:
        return otio.opentime.RationalTime(samples, spec.sample_rate)

    def span(start: int, samples: int) -> otio.opentime.TimeRange:
        return otio.opentime.TimeRange(time(start), time(samples))

    origin, (frame, lead) = spec.sample(spec.start_timecode), spec.first_frame
    begin = otio.opentime.RationalTime(frame, float(spec.frame_rate.fps))
    counted = {"moksori": {"frame_rate": str(spec.frame_rate)}}  # also whether frames are dropped
    timeline = otio.schema.Timeline(spec.title, global_start_time=begin, metadata=counted)
    for lane in tracks(clips):
        track = otio.schema.Track(
            lane.name,
            kind=otio.schema.TrackKind.Audio,
            metadata={"moksori": {"character": lane.character}},
        )
        now = 0
        for clip in lane.clips:
            start = lead + clip.start
            if start > now:
                track.append(otio.schema.Gap(source_range=span(0, start - now)))
            whole = span(origin + clip.start, clip.samples)
            wave = otio.schema.ExternalReference(quote(clip.wave), whole)
            about = {"id": clip.id, "text": clip.text, "character": clip.character}
            track.append(otio.schema.Clip(clip.id, wave, whole, metadata={"moksori": about}))
            now = start + clip.samples
        timeline.tracks.append(track)
    atomic_write(path, timeline.to_json_string(indent=4) + "\n")


def write_words(path: Path, words: Iterable[Word], spec: DeliverySpec) -> None:
    """Write when each word is said on the reel, as a CSV that Excel opens; no name in it is a formula.

    Args:
        path: the .csv.
        words: in the order of the rows.
        spec: of the delivery; time codes are of the nearest frame.

    Raises:
        ScriptError: a word behind the last time code of a day.
        OutputError: the place cannot be written to.
    """
    content = io.StringIO(newline="")
    table = csv.writer(content)
    table.writerow(_WORD_COLUMNS)
    for word in words:
        times = (word.start, word.end)
        codes = map(spec.timecode, times)
        names = map(no_formula, word[:3])
        table.writerow([*names, *(f"{time:.3f}" for time in times), *codes])
    atomic_write(path, content.getvalue().encode("utf-8-sig"))


def _reels(clips: Sequence[Clip]) -> list[str]:
    """Names of at most eight letters and digits, no two alike."""
    numbers = [m[0] if (m := re.match(r"[0-9]{1,8}(?![0-9])", c.id)) else "" for c in clips]
    given = set(numbers)
    others = (name for n in itertools.count(1) if (name := f"L{n:04}") not in given)
    seen = {""}
    reels = []
    for number in numbers:
        reels.append(next(others) if number in seen else number)
        seen.add(number)
    return reels


def _on_a_line(text: str) -> str:
    return " ".join(text.split())
