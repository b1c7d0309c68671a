"""Sessions of Pro Tools as text (File, Export, Session Info as Text): clips whose names are lines.

The tags in names are those of ptulsconv, which most spotting is done with: `text $QN=101 {Char=하나} [ADR]`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from moksori.config import MAX_CHARACTERS, Seconds
from moksori.errors import ScriptError
from moksori.messages import Message, message
from moksori.script.content import Asked, Fault, ScriptContent, joined
from moksori.script.line import Line, Place
from moksori.script.tables import one_line
from moksori.timecode import FrameRate, parse_time

BEGINS = "SESSION NAME:\t"
_FORMAT = re.compile(r"(\d+(?:\.\d+)?)( Drop)? Frame")
_CODE = re.compile(r"(\d{1,2}[:;]\d\d[:;]\d\d[:;]\d\d)(?:\.(\d\d))?")  # with hundredths of a frame
_MINUTES = re.compile(r"(\d+):(\d\d(?:\.\d+)?)")
_TAG = re.compile(
    r"\[(?P<flag>[A-Za-z]\w*)\]|\$(?P<short>[A-Za-z]\w*)=(?P<word>\S+)|\{(?P<key>[A-Za-z]\w*)=(?P<value>[^}]+)\}"
)
_SPEECH = re.compile(r"[가-힣].*[\s.?!…,~]|[가-힣]+[.?!…~]|\([^)]*[가-힣]")
_NAMED = 20  # clips that a warning names


class Clip(NamedTuple):
    """A clip, or a marker, on the time line.

    Attributes:
        row: of the file.
        track: its name.
        text: of its name, without tags.
        tags: of its name, of its track's name and comments.
        times: start and end; a marker has no end.
        muted: it is.
        mode: @ for the time that it covers, & for more of the one before it, ! for a film, or "".
    """

    row: int
    track: str
    text: str
    tags: dict[str, str]
    times: tuple[Seconds | None, Seconds | None]
    muted: bool = False
    mode: str = ""


@dataclass
class Session:
    """What a session says.

    Attributes:
        frame_rate: of its time code.
        clips: of its tracks, in their order.
        markers: of its time line.
        faults: by the rows of the clips.
    """

    frame_rate: FrameRate
    start: Seconds = 0.0
    sample_rate: float = 48000.0
    clips: list[Clip] = field(default_factory=list)
    markers: list[Clip] = field(default_factory=list)
    faults: dict[int, Message] = field(default_factory=dict)

    def seconds(self, row: int, text: str) -> Seconds | None:
        """A time as the session shows it: time code, or from its start minutes and seconds, or samples."""
        text = text.strip()
        try:
            if found := _CODE.fullmatch(text):
                part = int(found[2] or 0) / 100 / float(self.frame_rate.fps)
                return parse_time(found[1].replace(";", ":"), self.frame_rate) + part
            if found := _MINUTES.fullmatch(text):
                return self.start + int(found[1]) * 60 + float(found[2])
            if text.isdecimal() and len(text) < 13:
                return self.start + int(text) / self.sample_rate
            raise ScriptError.of("script.session_time", text=text[:40])
        except ScriptError as error:
            self.faults[row] = error.message
            return None


def read_session(path: Path, content: str) -> Session:
    """Read a session's text.

    Args:
        path: of the file.
        content: of it.

    Raises:
        ScriptError: no session, or one without a frame rate or a track that is known.
    """
    rows = content.split("\n")
    head = dict(row.split("\t", 1) for row in rows[:12] if ":\t" in row)
    found = _FORMAT.fullmatch(head.get("TIMECODE FORMAT:", "").strip())
    if not found:
        raise ScriptError.of("script.no_session", file=path)
    plain = "ndf" if found[1] in ("29.97", "59.94") else ""
    try:
        rate = FrameRate.parse(found[1] + ("df" if found[2] else plain))
    except ScriptError as error:
        raise ScriptError.of("script.understood", place=path, what=error.message) from None
    session = Session(rate)
    session.start = session.seconds(0, head.get("SESSION START TIMECODE:", "00:00:00:00")) or 0.0
    if (said := head.get("SAMPLE RATE:", "").strip()) and re.fullmatch(r"\d{4,6}(\.\d+)?", said):
        session.sample_rate = float(said)
    track, tags, part = "", dict[str, str](), ""
    for number, row in enumerate(rows, 1):
        name, _, value = row.partition("\t")
        cells = [cell.strip() for cell in row.split("\t")]
        if name == "TRACK NAME:":
            track, tags = _tagged(value)
            part = "track"
        elif name == "COMMENTS:" and part == "track":
            tags = tags | _tagged(value)[1]
        elif row.startswith("M A R K E R S"):
            part = "markers"
        elif re.match(r"[A-Z] [A-Z] ", row):
            part = ""
        elif part == "track" and len(cells) >= 7 and cells[0].isdecimal():
            if cells[0] == "1":  # the other channels of a clip say the same
                session.clips.append(_clip(session, number, track, tags, cells))
        elif part == "markers" and len(cells) >= 5 and cells[0].isdecimal():
            text, own = _tagged(cells[4])
            session.markers.append(
                Clip(number, "", text, own, (session.seconds(number, cells[1]), None))
            )
    return session


def _clip(
    session: Session, row: int, track: str, tags: dict[str, str], cells: Sequence[str]
) -> Clip:
    name = cells[2]
    mode = name[:1] if name[:1] in ("@", "&", "!") else ""
    text, own = _tagged(name[len(mode) :])
    end, start = session.seconds(row, cells[4]), session.seconds(row, cells[3])
    return Clip(row, track, text, tags | own, (start, end), cells[-1] == "Muted", mode)


def _tagged(name: str) -> tuple[str, dict[str, str]]:
    """A name without its tags, and the tags."""
    tags = {}
    for found in _TAG.finditer(name):
        key = found["flag"] or found["short"] or found["key"]
        tags[key] = found["word"] or found["value"] or key
    return one_line(_TAG.sub(" ", name)), tags


def read_pro_tools(path: Path, content: str, asked: Asked) -> ScriptContent:
    """The lines of a session: clips with a cue number (`$QN=`), or where none has one, those that are speech.

    Args:
        path: of the file.
        content: of it.
        asked: what is asked; muted clips are read only with `hidden`.

    Raises:
        ScriptError: as `read_session`; or clips are named as recordings are.
    """
    session = read_session(path, content)
    clips = [clip for clip in _whole(session.clips) if clip.mode == ""]
    spans = [clip for clip in session.clips if clip.mode == "@"]
    numbered = any("QN" in clip.tags for clip in clips)
    spoken = [
        clip for clip in clips if ("QN" in clip.tags if numbered else _SPEECH.search(clip.text))
    ]
    left = [clip for clip in spoken if "OMIT" in clip.tags or (clip.muted and not asked.hidden)]
    kept = sorted(
        (clip for clip in spoken if clip not in left), key=lambda clip: clip.times[0] or 0.0
    )
    others = Counter(clip.track for clip in clips if clip not in spoken)
    if not spoken:
        raise ScriptError.of("script.session_takes", file=path, tracks=_tracks(others))
    if kept and all(clip.row in session.faults for clip in kept):  # as of feet and frames
        raise ScriptError.of("script.understood", place=path, what=session.faults[kept[0].row])
    warnings = list[Message]()
    if asked.frame_rate and asked.frame_rate != session.frame_rate:
        warnings.append(
            message("script.ttml_rate", file=path, said=session.frame_rate, asked=asked.frame_rate)
        )
    if left:
        cites = [
            message(
                "script.cites", where=message("script.line_at", number=one.row), text=one.text[:40]
            )
            for one in left[:_NAMED]
        ]
        warnings.append(message("script.muted", file=path, number=len(left), cites=joined(cites)))
    if others:
        warnings.append(message("script.tracks_passed", file=path, tracks=_tracks(others)))
    lines, faults = list[Line](), list[Fault]()
    for clip in kept:
        lines.append(_line(clip, spans))
        faults += [
            Fault(lines[-1].place, lines[-1].place.message, why) for why in _wrong(session, clip)
        ]
    tracks = Counter(line.character for line in lines)
    understood = message(
        "script.session",
        file=path,
        lines=len(lines),
        rate=session.frame_rate,
        tracks=_tracks(tracks),
    )
    return ScriptContent(lines, warnings, faults, [understood], frame_rate=session.frame_rate)


def _whole(clips: Sequence[Clip]) -> Iterator[Clip]:
    """Clips with those that go on with them (&) joined to them."""
    last: Clip | None = None
    for clip in clips:
        if clip.mode == "&" and last and last.track == clip.track:
            text = f"{last.text} {clip.text}".strip()
            last = last._replace(
                text=text, tags=last.tags | clip.tags, times=(last.times[0], clip.times[1])
            )
            continue
        if last:
            yield last
        last = clip
    if last:
        yield last


def _line(clip: Clip, spans: Sequence[Clip]) -> Line:
    tags = dict[str, str]()
    for span in spans:
        start, (begin, end) = clip.times[0], span.times
        if start is not None and begin is not None and end is not None and begin <= start < end:
            tags |= span.tags
    tags |= clip.tags
    text = one_line(tags.get("Line", clip.text)).strip('"“”').strip()
    return Line(
        Place("line", clip.row), text[:MAX_CHARACTERS], character=tags.get("Char", clip.track),
        actor=tags.get("Actor", ""), no=tags.get("QN", ""), start=clip.times[0], end=clip.times[1],
        scene=tags.get("Sc", ""), note=" / ".join(tags[key] for key in ("Note", "R") if key in tags),
    )  # fmt: skip


def _wrong(session: Session, clip: Clip) -> Iterator[Message]:
    if fault := session.faults.get(clip.row):
        yield fault
    start, end = clip.times
    if start is not None and end is not None and end <= start:
        yield message("script.cue_ends_first", start=f"{start:.3f}", end=f"{end:.3f}")
    if len(clip.text) > MAX_CHARACTERS:
        yield message("script.whole_page", number=len(clip.text))


def _tracks(counts: Counter[str]) -> str:
    return (
        ", ".join(f"{name or '—'} ({number})" for name, number in counts.most_common(_NAMED)) or "—"
    )
