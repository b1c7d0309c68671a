"""Where each line's recording is: a file a line, or a production track cut by time codes."""

import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from moksori.config import Seconds
from moksori.dubbing.plan.cast import Cast
from moksori.dubbing.plan.changes import change_role, change_texts
from moksori.dubbing.plan.channels import Channels
from moksori.dubbing.plan.cuts import cut_by_channel
from moksori.dubbing.plan.folder import Beside, RecordingFolder
from moksori.dubbing.plan.issues import Issue
from moksori.dubbing.plan.missing import explained
from moksori.dubbing.plan.naming import by_pattern, file_of
from moksori.dubbing.plan.speakers import near_message, with_speakers
from moksori.dubbing.plan.track import read_track
from moksori.dubbing.records import HANDLES, Change, Role, Take
from moksori.dubbing.task import Heard
from moksori.errors import AudioError, ConfigError
from moksori.files import safe_name
from moksori.messages import Value, message
from moksori.script.groups import several
from moksori.script.line import Line, Place
from moksori.signal.decoders import inspect
from moksori.timecode import FrameRate


@dataclass(frozen=True)
class Found:
    """Lines with their takes, and what was noticed on the way.

    Attributes:
        recorded: of the lines that have a recording, in the script's order; without a voice where there is
            no role.
        takes: those that have a voice or are as recorded.
        issues: about the others, and about recordings that no line names.
        lines: all of them, by the names of their files.
        length: of the production track; 0 for a file a line.
        heard: what preflight measured of the takes, by their ids.
    """

    recorded: list[Take]
    takes: list[Take]
    issues: list[Issue]
    lines: dict[str, Line]
    length: Seconds = 0.0
    heard: dict[str, Heard] = field(default_factory=dict)


def find_takes(
    lines: Sequence[Line],
    audio: Path,
    cast: Cast,
    origin: Seconds = 0.0,
    pattern: str | None = None,
    handles: Seconds = HANDLES,
    faulty: Collection[Place] = (),
    changes: Mapping[str, Change] | None = None,
    frame_rate: FrameRate | None = None,
    channels: Mapping[str, str] | None = None,
) -> Found:
    """Give each line its recording, its role and its place.

    Args:
        lines: of one episode; on a track one without times is an issue.
        audio: a folder with a file a line, or one production track.
        cast: the voice of each character.
        origin: time code at which the reel, and the track, begin.
        pattern: of the files' names, such as `{no:04d}.wav`, if the script has no column of files.
        handles: how much more of the track is taken before and after each line, but never more than half
            of the way to its neighbour.
        faulty: lines that the script's reader found faulty; they get no take.
        changes: what is asked of single lines, by their ids.
        frame_rate: of the time codes that names of files have.
        channels: of a production track, by character or actor, as `Channels` is asked.

    Raises:
        ConfigError: `audio` is not there or holds no recordings, a pattern with unknown fields, or a channel
            that the track does not have.
        AudioError: the track cannot be read.
    """
    lines, notice, conflicting = with_speakers(lines, cast, faulty)
    repeated = _repeated_numbers(lines)
    faulty = {*faulty, *conflicting, *repeated}
    ids, changes = name_lines(lines), changes or {}
    lines, stale = change_texts(lines, ids, changes)
    if not audio.exists():
        raise ConfigError.of("takes.no_audio", path=audio)
    if audio.is_dir():
        found = _from_folder(lines, ids, audio, cast, origin, pattern, faulty, changes, frame_rate)
        if channels:
            found.issues.append(Issue("warning", "", "channels_of_folder", {}))
    else:
        sound = [
            (line, id) for line, id in zip(lines, ids, strict=True) if line.place not in faulty
        ]
        found = _from_track(
            [line for line, _ in sound],
            [id for _, id in sound],
            audio,
            cast,
            origin,
            handles,
            changes,
            channels,
        )
    ready = [take for take in found.recorded if take.role.voice or take.role.as_recorded]
    found = replace(found, takes=ready, lines=dict(zip(ids, lines, strict=True)))
    found.issues.extend([*repeated.values(), *stale, *notice])
    return found


def name_lines(lines: Sequence[Line]) -> list[str]:
    """Unique names of files, by number and character: 0012_하나; of a number's second line 0012_15_하나."""
    every = all(line.no for line in lines)
    ids, numbers = [], set[str]()
    for position, line in enumerate(lines, 1):
        no = line.no if every else str(position)
        stem = f"{int(no):04d}" if no.isdecimal() else no
        stem += f"_{position}" if no in numbers else ""
        numbers.add(no)
        ids.append(safe_name(f"{stem}_{line.character}" if line.character else stem))
    if len({unicodedata.normalize("NFC", id).casefold() for id in ids}) < len(ids):
        ids = [f"{position:04d}_{id}" for position, id in enumerate(ids, 1)]
    return ids


def _repeated_numbers(lines: Sequence[Line]) -> dict[Place, Issue]:
    """An issue for each line, by its place, whose number another has too: which is whose is unknown."""
    numbers = Counter(line.no for line in lines if line.no)
    return {
        line.place: Issue(
            "error", line.place, "repeated_number", {"no": line.no, "number": numbers[line.no]}
        )
        for line in lines
        if numbers[line.no] > 1
    }


def _from_folder(
    lines: list[Line],
    ids: list[str],
    folder: Path,
    cast: Cast,
    origin: Seconds,
    pattern: str | None,
    faulty: Collection[Place],
    changes: Mapping[str, Change],
    frame_rate: FrameRate | None,
) -> Found:
    files = RecordingFolder(folder)
    takes, issues, used = [], list[Issue](), set[Path]()
    missing: list[tuple[Line, Issue]] = []
    for line, id in zip(lines, ids, strict=True):
        path, change = file_of(line, pattern, files, frame_rate), changes.get(id)
        if change and change.take:
            used.update([path] if isinstance(path, Path) else ())
            path = change.take
        if line.place in faulty:
            used.update([path] if isinstance(path, Path) else ())
            continue
        if isinstance(path, Issue):
            missing.append((line, path._replace(place=line.place)))
            continue
        if path in used:
            issues.append(Issue("warning", line.place, "used_twice", {"file": path.name}))
        used.add(path)
        takes += _whole(line, id, path, origin, _role(line, cast, issues, change), issues)
    issues[:0] = explained(missing, files, by_pattern)
    issues += [
        Issue("warning", name, "folder_passed", {"why": why}) for name, why in files.passed.items()
    ]
    issues += [
        Issue("warning", str(path.relative_to(folder)), "unused", {})
        for path in files.paths
        if path not in used
    ]
    return Found(takes, takes, issues, dict(zip(ids, lines, strict=True)))


def _whole(
    line: Line, id: str, path: Path, origin: Seconds, role: Role, issues: list[Issue]
) -> list[Take]:
    """The take that is a whole file; none if something is wrong with it."""
    try:
        header = inspect(path)
    except AudioError as error:
        issues.append(Issue("error", line.place, "unreadable", {"why": error.message}))
        return []
    if header.warning:
        issues.append(Issue("warning", line.place, "header", {"why": header.warning}))
    start = None if line.start is None else line.start - origin
    if start is not None and start < 0:
        issues.append(Issue("error", line.place, "before_start", {"by": f"{-start:.2f}"}))
        return []
    take = Take(
        id=id, line=line, audio=path, begin=0, samples=header.frames,
        sample_rate=header.sample_rate, start=start, role=role,
    )  # fmt: skip
    return [take]


def _from_track(
    lines: list[Line],
    ids: list[str],
    track: Path,
    cast: Cast,
    origin: Seconds,
    handles: Seconds,
    changes: Mapping[str, Change],
    asked: Mapping[str, str] | None,
) -> Found:
    header, says = inspect(track), read_track(track)
    length, sample_rate = header.frames, header.sample_rate
    whose = Channels(header.channels, says.ixml.channels if says else (), lines, asked)
    timed = [(line, id) for line, id in zip(lines, ids, strict=True) if line.start is not None]
    channels = [whose.of(line) for line, _ in timed]
    known = [None if isinstance(channel, Issue) else channel for channel in channels]
    spans = cut_by_channel(
        [line for line, _ in timed], known, origin, length / sample_rate, handles
    )
    takes = list[Take]()
    issues = [
        Issue("error", line.place, "no_time", {"track": track.name})
        for line in lines
        if line.start is None
    ]
    if header.warning:
        issues.append(Issue("warning", "", "header", {"why": header.warning}))
    issues += whose.issues()
    beside = Beside(track)
    for (line, id), span, channel in zip(timed, spans, channels, strict=True):
        begin, end = round(span[0] * sample_rate), round(span[1] * sample_rate)
        change = changes.get(id)
        own = change.take if change and change.take else _own_file(line, beside, issues)
        if own is None:
            continue
        if own != track:
            takes += _whole(line, id, own, origin, _role(line, cast, issues, change), issues)
            continue
        if begin < 0 or end > length or end <= begin:
            where = f"{span[0]:.2f} – {span[1]:.2f} s; 0 – {length / sample_rate:.2f} s"
            issues.append(Issue("error", line.place, "off_track", {"where": where}))
            continue
        if isinstance(channel, Issue):
            issues.append(channel)
            continue
        takes.append(Take(
            id=id, line=line, audio=track, begin=begin, samples=end - begin, sample_rate=sample_rate,
            start=begin / sample_rate, role=_role(line, cast, issues, change), cut=True, channel=channel,
        ))  # fmt: skip
    return Found(takes, takes, issues, dict(zip(ids, lines, strict=True)), length / sample_rate)


def _own_file(line: Line, beside: Beside, issues: list[Issue]) -> Path | None:
    """A line's recording on a track: the file that the script names, or the track; None if in doubt."""
    found = beside.find(line.file) if line.file else beside.track
    if isinstance(found, Path):
        return found
    issues.append(found._replace(place=line.place))
    return None if found.severity == "error" else beside.track


def _role(line: Line, cast: Cast, issues: list[Issue], change: Change | None) -> Role:
    """A line's role, without a voice where it has none, which is an issue then; as is a gain not used."""
    name = line.character or message("character.none")
    role = change_role(cast.role(line.character), change)
    if change is None and (names := several(line.character, cast.characters)):
        values: dict[str, Value] = {"character": line.character, "names": ", ".join(names)}
        if not cast.default or len(names) == 1 or any(part in cast.characters for part in names):
            issues.append(Issue("error", line.place, "several_characters", values))
            return Role()
        issues.append(Issue("warning", line.place, "several_by_default", values))
    if role is None:
        near = near_message(line.character, cast)
        issues.append(Issue("error", line.place, "no_role", {"character": name, "near": near}))
    elif not role.voice and not role.as_recorded:
        issues.append(Issue("error", line.place, "no_voice", {"character": name}))
    elif role.as_recorded and role.gain:
        kind = "pass_gain" if change is None or change.gain is None else "pass_gain_asked"
        unused: dict[str, Value] = {"character": name, "gain": f"{role.gain:+g}"}
        issues.append(Issue("warning", line.place, kind, unused))
    return role or Role()
