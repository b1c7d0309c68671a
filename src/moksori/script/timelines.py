"""Times for a script that has none: from an EDL, an OTIO timeline, a session of Pro Tools, or subtitles."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from moksori.config import Seconds
from moksori.errors import ScriptError
from moksori.files import read_text
from moksori.messages import Message, message
from moksori.script.content import Asked, ScriptContent, joined
from moksori.script.line import Line
from moksori.script.names import visible
from moksori.script.pro_tools import BEGINS, read_session
from moksori.script.script import READERS
from moksori.script.tables import one_line
from moksori.timecode import RATES, FrameRate, parse_time

if TYPE_CHECKING:
    import opentimelineio as otio

_NAMED = 8  # entries that a message names
_LOCATOR = re.compile(r"\*\s*LOC:\s*(\d\d[:;]\d\d[:;]\d\d[:;]\d\d)\s+(\S+)\s*(.*)")
_CODE = r"\d\d[:;]\d\d[:;]\d\d[:;]\d\d"
_EVENT = re.compile(
    rf"\d+\s+(?:(?P<reel>\S+)\s+)?\S+\s+\S+(?:\s+\d{{1,3}})?\s+{_CODE}\s+{_CODE}"
    rf"\s+(?P<start>{_CODE})\s+(?P<end>{_CODE})"
)
_CLIP = re.compile(r"\*\s*(?:FROM|TO) CLIP NAME:\s*(.*)")
_BLACK = ("BL", "BLACK")
_TAKE = re.compile(
    r"(?:[._-]\d{1,2})?(?:\.[LR])?$"
)  # what Pro Tools puts behind the name of a clip
_FIRST = re.compile(r"#?\d*(?=[\s_.-]|$)|\S*")  # of a name: 0012 of 0012_하나
_KEYS = "file, no, text"


class Entry(NamedTuple):
    """A clip or a marker: its name, and when it is."""

    name: str
    start: Seconds
    end: Seconds | None = None
    number: str = ""


Timeline = tuple[list[Entry], FrameRate | None]


def with_times(path: Path, content: ScriptContent, asked: FrameRate | None) -> ScriptContent:
    """A script whose lines without times have those of a timeline's entries of their name.

    An entry is a line's by the name of its recording, by its number, or by its text, each only where one
    entry alone, and one line alone, have it. Nothing is matched by its order.

    Args:
        path: .edl, .otio, .txt of Pro Tools, or subtitles.
        content: of the script.
        asked: the frame rate that the user gave; an EDL does not say it.

    Raises:
        ScriptError: a file that cannot be read, without entries, or none of them of a line's name.
    """
    entries, rate = _read(path, asked)
    entries = [*dict.fromkeys(entries)]  # a clip's picture and its sound
    if not entries:
        raise ScriptError.of("times.no_entries", file=path)
    open_ = [line for line in content.lines if line.start is None]
    found = _matched(open_, entries)
    if open_ and not found:
        names, texts = _names(entry.name for entry in entries), _names(line.text for line in open_)
        raise ScriptError.of("times.no_match", file=path, keys=_KEYS, names=names, lines=texts)
    lines, without = list[Line](), list[Line]()
    at = {id(line): position for position, line in enumerate(open_)}
    for line in content.lines:
        position = at.get(id(line))
        entry = found.get(position) if position is not None else None
        if entry:
            line = replace(line, start=entry.start, end=line.end or entry.end)
        elif position is not None:
            without.append(line)
        lines.append(line)
    notice = [message("times.taken", file=path, number=len(found), entries=len(entries))]
    if kept := len(content.lines) - len(open_):
        notice.append(message("times.kept", file=path, number=kept))
    if without:
        notice.append(
            message("times.without", file=path, number=len(without), lines=_places(without))
        )
    if content.frame_rate and rate and rate != content.frame_rate:
        notice.append(message("times.other_rate", file=path, said=rate, script=content.frame_rate))
    return replace(
        content, lines=lines, understood=[*content.understood, *notice],
        frame_rate=content.frame_rate or rate,
    )  # fmt: skip


def _matched(lines: Sequence[Line], entries: Sequence[Entry]) -> dict[int, Entry]:
    """The entries of lines, by the lines' positions."""
    keys: list[tuple[Callable[[Line], str], Callable[[Entry], Iterable[str]]]] = [
        (
            lambda line: _stem(line.file),
            lambda entry: {_stem(entry.name), _stem(_TAKE.sub("", entry.name))},
        ),
        (
            lambda line: _number(line.no),
            lambda entry: {_number(entry.number), _number(_first(entry.name))},
        ),
        (lambda line: _text(line.text), lambda entry: {_text(entry.name)}),
    ]  # fmt: skip
    found, taken = dict[int, Entry](), set[int]()
    for of_line, of_entry in keys:
        theirs: dict[str, set[int]] = defaultdict(set)
        ours: dict[str, list[int]] = defaultdict(list)
        for n, entry in enumerate(entries):
            for key in of_entry(entry) if n not in taken else ():
                theirs[key].add(n)
        for n, line in enumerate(lines):
            if n not in found:
                ours[of_line(line)].append(n)
        for key, positions in ours.items():
            if key and len(positions) == 1 and len(theirs.get(key, ())) == 1:
                (n,) = theirs[key]
                found[positions[0]] = entries[n]
                taken.add(n)
    return found


def _first(name: str) -> str:
    found = _FIRST.match(name)
    return found[0] if found else ""


def _stem(name: str) -> str:
    return re.sub(r"\.\w{1,5}$", "", name.replace("\\", "/").rpartition("/")[2]).casefold()


def _number(text: str) -> str:
    """A number without what it is set off by: #0012. is 12."""
    bare = text.strip().strip("#.):")
    return (
        bare.lstrip("0") or bare
        if bare.isdecimal()
        else (bare.casefold() if re.search(r"\d", bare) else "")
    )


def _text(text: str) -> str:
    return re.sub(r"\W", "", re.sub(r"\([^()]*\)", "", visible(text))).casefold()


def _read(path: Path, asked: FrameRate | None) -> Timeline:
    kind = path.suffix.lower()
    if kind == ".edl":
        return _edl(path, asked)
    if kind == ".otio":
        return _otio(path)
    if kind == ".txt" and (content := read_text(path, ScriptError)).startswith(BEGINS):
        session = read_session(path, content)
        entries = [
            Entry(one_line(clip.text), clip.times[0], clip.times[1], clip.tags.get("QN", ""))
            for clip in [*session.clips, *session.markers] if clip.times[0] is not None and not clip.mode
        ]  # fmt: skip
        return entries, session.frame_rate
    if kind not in READERS or kind == ".txt":
        known = ", ".join((".edl", ".otio", ".txt (Pro Tools)", ".srt", ".xlsx"))
        raise ScriptError.of("times.kind", file=path, known=known)
    script = READERS[kind](
        path, Asked(columns={}, only=("no", "start", "end", "file"), frame_rate=asked)
    )
    if script.question:
        raise ScriptError(joined(script.notices(path)))
    return [
        Entry(line.file or line.text, line.start, line.end, "" if line.place.kind == "cue" else line.no)
        for line in script.lines if line.start is not None
    ], script.frame_rate  # fmt: skip


def _edl(path: Path, asked: FrameRate | None) -> Timeline:
    """Clips and locators of a CMX 3600, by their times in the record.

    pycmx wants the columns of the standard to the character, and gives no times where a program sets others.
    """
    rows = read_text(path, ScriptError).split("\n")
    drop = any(re.match(r"FCM:\s*DROP", row) for row in rows)
    if drop and asked and asked.ntsc and not asked.drop:
        raise ScriptError.of("times.drop", file=path, asked=asked)

    def seconds(number: int, text: str) -> Seconds:
        if asked is None:
            raise ScriptError.of("times.fps", file=path, text=text)
        try:
            return parse_time(text if asked.drop else text.replace(";", ":"), asked)
        except ScriptError as error:
            place = message("script.line_at", number=number)
            raise ScriptError.of(
                "script.fault", file=path, where=place, why=error.message
            ) from None

    entries = list[Entry]()
    for number, row in enumerate(rows, 1):
        row = row.strip()
        if found := _EVENT.fullmatch(row):
            start, end = seconds(number, found["start"]), seconds(number, found["end"])
            entries.append(Entry(found["reel"] or "", start, end))
        elif found := _LOCATOR.fullmatch(row):
            entries.append(Entry(one_line(found[3]), seconds(number, found[1])))
        elif (found := _CLIP.fullmatch(row)) and entries:
            at = next(
                (n for n in range(len(entries) - 1, -1, -1) if entries[n].end is not None), None
            )
            if at is not None:
                entries[at] = entries[at]._replace(name=one_line(found[1]))
        elif row[:3].isdecimal():
            place = message("script.line_at", number=number)
            raise ScriptError.of(
                "times.damaged", file=path, why=message("script.cites", where=place, text=row[:60])
            )
    return [
        one
        for one in entries
        if one.end is None or (one.end > one.start and one.name not in _BLACK)
    ], asked


def _otio(path: Path) -> Timeline:
    """Clips and markers of an OpenTimelineIO, where they are on the whole timeline."""
    import opentimelineio as otio

    read_text(path, ScriptError)  # its own errors name the file
    try:
        timeline = otio.adapters.read_from_file(str(path))
        if not isinstance(timeline, otio.schema.Timeline):
            raise ValueError(f"a {type(timeline).__name__}, no timeline")
        entries = [*_entries(timeline)]
        own = timeline.metadata.get("moksori", {}).get("frame_rate")  # with its drop frame
    except Exception as error:  # of a damaged file OpenTimelineIO raises whatever it met
        why = one_line(str(error))[:120] or type(error).__name__
        raise ScriptError.of("times.damaged", file=path, why=why) from None
    if own in RATES.split(", "):
        return entries, FrameRate.parse(own)
    start = timeline.global_start_time
    return entries, _rate(start.rate) if start else None


def _entries(timeline: "otio.schema.Timeline") -> Iterator[Entry]:
    start = timeline.global_start_time.to_seconds() if timeline.global_start_time else 0.0
    for track in timeline.tracks:
        for marker in track.markers:
            range = marker.marked_range
            yield Entry(one_line(marker.name), start + range.start_time.to_seconds())
        for clip in track.find_clips():
            range = clip.transformed_time_range(clip.trimmed_range(), timeline.tracks)
            begin = start + range.start_time.to_seconds()
            yield Entry(one_line(clip.name), begin, begin + range.duration.to_seconds())
            for marker in clip.markers:
                at = clip.transformed_time(marker.marked_range.start_time, timeline.tracks)
                yield Entry(one_line(marker.name), start + at.to_seconds())
    for marker in timeline.tracks.markers:
        yield Entry(one_line(marker.name), start + marker.marked_range.start_time.to_seconds())


def _rate(rate: float) -> FrameRate | None:
    for name in ("23.976", "24", "25", "29.97", "30", "50", "59.94", "60"):
        known = FrameRate.parse(name)
        if abs(float(known.fps) - rate) < 0.01:
            return known
    return None


def _names(names: Iterable[str]) -> str:
    shown = [name[:24] for name in names if name]
    return ", ".join(f"“{name}”" for name in shown[:_NAMED]) + ", …" * (len(shown) > _NAMED) or "—"


def _places(lines: Sequence[Line]) -> Message:
    named = [
        message("script.cites", where=line.place.message, text=line.text[:24])
        for line in lines[:_NAMED]
    ]
    if (more := len(lines) - _NAMED) > 0:
        named.append(message("script.more_faults", number=more))
    return joined(named)
