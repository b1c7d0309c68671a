"""A request whose script, cast and recordings have been looked at, before any work."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from moksori.config import Seconds
from moksori.conversion.converter import Converter
from moksori.dubbing.deliver.delivery import check_names
from moksori.dubbing.deliver.issue_list import PREFLIGHT, save_issues
from moksori.dubbing.delivered import digest
from moksori.dubbing.plan.cast import Cast, read_cast
from moksori.dubbing.plan.issues import Issue
from moksori.dubbing.plan.memory import Memory
from moksori.dubbing.plan.naming import times_of_names
from moksori.dubbing.plan.preflight import by_severity, preflight
from moksori.dubbing.plan.speakers import with_speakers
from moksori.dubbing.plan.takes import Found, find_takes, name_lines
from moksori.dubbing.plan.track import (
    about_issues,
    from_origin,
    origin_of,
    rate_issues,
    read_track,
    shown_time,
    start_issues,
)
from moksori.dubbing.progress import Stage, Watch
from moksori.dubbing.records import HOME, Take
from moksori.dubbing.request import Request, remember
from moksori.dubbing.review import Review, left_behind
from moksori.dubbing.store import Store, check_folder
from moksori.dubbing.task import Heard
from moksori.errors import ScriptError
from moksori.messages import Message, message
from moksori.script.content import ScriptContent
from moksori.script.line import Line
from moksori.script.timelines import with_times
from moksori.signal.loudness import PREMIX
from moksori.stepwise import ShowSteps
from moksori.timecode import NTSC_DROP, FrameRate, format_timecode, parse_time, to_frames
from moksori.writing import write_error

_PREMIX_START = "01:00:00:00"
_FAR: Seconds = 3600.0  # without a line: more likely a slip in a time code
_SAME: Seconds = 0.02  # time codes that differ by less are one: half a frame


class Checked(NamedTuple):
    """A request whose script, cast and recordings have been looked at."""

    lines: dict[str, Line]  # all of the episode, by their ids
    takes: list[Take]  # those that can be worked on
    recorded: list[Take]  # of all lines that have a recording, whatever else is wrong with them
    heard: dict[str, Heard]  # what was measured of the takes, by their ids
    issues: list[Issue]
    origin: Seconds
    length: Seconds  # of the reel at least
    frame_rate: FrameRate
    converter: Converter
    content: ScriptContent  # the script, as it was understood
    memory: Memory  # what was measured, for the next check
    cast: Cast

    @property
    def faults(self) -> list[Issue]:
        """The issues that keep lines from being dubbed."""
        return [issue for issue in self.issues if issue.severity == "error"]


def check(
    request: Request,
    watch: Watch | None = None,
    review: Review | None = None,
    memory: Memory | None = None,
) -> Checked:
    """Read script and cast, find the recordings, and look for everything that would go wrong.

    Args:
        request: what is asked.
        watch: is notified of each step, and may cancel.
        review: what a director asks of single lines of the job; nothing by default.
        memory: of earlier checks, so that only what has changed since is read.

    Raises:
        MoksoriError: the script, the cast, the recordings' folder or the model as a whole cannot be used.
        Cancelled: by `watch`.
    """
    watch = watch or Watch()
    check_names(request.without)
    cast = read_cast(request.cast)
    memory = memory or Memory()
    track = read_track(request.audio)
    own = track.ixml.frame_rate if track and request.frame_rate is None else None
    request = replace(request, frame_rate=request.frame_rate or own)
    content = _content(request, memory)
    rate = content.frame_rate or request.frame_rate
    lines = times_of_names(content.lines, request.audio.resolve(), request.pattern, rate)
    if named := sum(a.start != b.start for a, b in zip(lines, content.lines, strict=True)):
        notice = message("takes.by_name", number=named)
        content = replace(content, warnings=[*content.warnings, notice])
    start, picture = (parse_time(x, rate) if x else None for x in (request.start, request.length))
    origin, noticed = origin_of(track, start, lines, rate, content.begin)
    lines = from_origin(lines, origin, rate)
    noticed += [*rate_issues(track, rate, asked=own is None or rate != own), *about_issues(track)]
    spoken = with_speakers(lines, cast, content.faulty)[0]
    to = review.names(dict(zip(name_lines(spoken), spoken, strict=True))) if review else {}
    found = find_takes(
        lines, request.audio.resolve(), cast, origin, request.pattern, request.handles,
        content.faulty, review.changes(to) if review else None, rate, request.channels,
    )  # fmt: skip
    found.issues[:] = start_issues(
        found.issues, found.lines.values(), origin, found.length, rate, content.begin
    )
    converter = memory.converter(request.setup)
    found.issues.extend(Issue("error", at, "script", {"why": why}) for at, _, why in content.faults)
    found.issues.extend(noticed)
    found.issues.extend(Issue("warning", "", "script", {"why": why}) for why in content.warnings)
    behind = left_behind(found.lines, review, to) if review else {}
    found.issues.extend(
        Issue("warning", id, "left_behind", {"text": text}) for id, text in behind.items()
    )
    found = _within_day(found, origin, rate or NTSC_DROP)
    end = max((t.start + t.seconds for t in found.takes if t.start is not None), default=0.0)
    found.issues.extend(_of_length(request, picture, origin, rate or NTSC_DROP, found.length, end))
    found.issues.extend(_far_apart(found.takes, origin, rate or NTSC_DROP))
    steps = partial(watch.steps, Stage.CHECKING)
    if content.question:
        found = _asked(found, content.question)
    else:
        found = _measured(found, request, converter, steps, memory, review)
    length = found.length if picture is None else picture
    return Checked(
        lines=found.lines, takes=found.takes, recorded=found.recorded, heard=found.heard,
        issues=found.issues, origin=origin,
        length=max(length, end), frame_rate=rate or NTSC_DROP,
        converter=converter, content=content, memory=memory, cast=cast,
    )  # fmt: skip


def _asked(found: Found, question: Message) -> Found:
    """Nothing can be worked on before the question is answered; whatever else is known is asked with it."""
    others = [issue for issue in found.issues if issue.kind not in ("no_time", "untimed")]
    issues = [Issue("error", "", "script", {"why": question}), *by_severity(others)]
    return replace(found, takes=[], issues=issues)


def _measured(
    found: Found,
    request: Request,
    converter: Converter,
    progress: ShowSteps,
    memory: Memory,
    review: Review | None,
) -> Found:
    """What is wrong with recordings and texts, by what is known of them from earlier checks of the job."""
    if review:
        memory.recall(review.out / HOME)
    try:
        return preflight(found, request.setup, converter, progress, memory)
    finally:  # also of a check that was cancelled
        if review:
            memory.keep(review.out / HOME)


def restored(out: Path) -> Message | None:
    """See that a folder can be worked in, before a look that takes minutes, and put a damaged state right.

    Returns:
        What was damaged; None if nothing was, or no job has begun.

    Raises:
        OutputError: as `Store`.
    """
    check_folder(out)
    if not (out / HOME).is_dir():
        return None
    store = Store(out)
    store.close()
    return store.restored


def keep_preflight(
    request: Request,
    checked: Checked,
    out: Path,
    asked: Mapping[str, Any] | None = None,
    look: bool = False,
) -> tuple[Path, list[Path]]:
    """Write what was found to OUT/preflight.xlsx, and touch nothing else that is delivered.

    Args:
        request: as `check` was given it.
        checked: what it gave.
        out: the job's folder.
        asked: for by the user this time, as `remember` keeps it.
        look: nothing was asked for but to look; then a job that has begun keeps what it remembers.

    Returns:
        Its path, and where a changed one went, as `Result.kept_aside`.

    Raises:
        OutputError: as `dub`.
    """
    store = Store(out)
    try:
        if texts := [line.text for line in checked.lines.values()]:
            store.check_owner(request.script.resolve(), request.episode or "", texts)
        if asked and not (look and store.about("episode")):
            remember(out, asked)
        new = store.outcomes.parent / PREFLIGHT
        save_issues(new, checked.issues, request.lang, request.date)
        if not (out / PREFLIGHT).exists() or digest(new) != digest(out / PREFLIGHT):
            store.set_about("delivery", "")  # which has another list
        aside = store.reserve({PREFLIGHT: new}, alone=True)
        new.replace(out / PREFLIGHT)
    except OSError as error:
        raise write_error(out, error) from None
    finally:
        store.close()
    return out / PREFLIGHT, aside


def _content(request: Request, memory: Memory) -> ScriptContent:
    content = memory.script(request)
    if request.times and not content.question:
        content = with_times(request.times, content, request.frame_rate)
    episodes = list(dict.fromkeys(line.episode for line in content.lines))
    if len(episodes) > 1:
        names = ", ".join(episodes[:12])
        raise ScriptError.of(
            "script.episodes", file=request.script, number=len(episodes), names=names
        )
    return content


def _within_day(found: Found, origin: Seconds, rate: FrameRate) -> Found:
    """Without the lines that end after the last time code of a day, each of which is an error."""
    beyond = dict[str, Issue]()
    for take in found.recorded:
        if take.start is None:
            continue
        start = origin + take.start
        end = max(to_frames(start + take.seconds, rate), to_frames(start, rate) + 1)
        if end >= rate.frames_a_day:
            values = {
                "end": rate.code(end % rate.frames_a_day),
                "last": rate.code(rate.frames_a_day - 1),
            }
            beyond[take.id] = Issue("error", take.line.place, "after_day", values)
    return replace(
        found,
        recorded=[take for take in found.recorded if take.id not in beyond],
        takes=[take for take in found.takes if take.id not in beyond],
        issues=[*found.issues, *beyond.values()],
    )


def _of_length(
    request: Request,
    picture: Seconds | None,
    origin: Seconds,
    rate: FrameRate,
    track: Seconds,
    end: Seconds,
) -> list[Issue]:
    """What of the reel's beginning and end is not as the picture's.

    Args:
        request: what is asked.
        picture: its length, where it is known.
        origin: of the reel.
        rate: of its time codes.
        track: length of the production track; 0 if there is none.
        end: of the last line, on the reel.
    """
    issues = []
    if picture is not None and end > picture + _SAME:
        notice = {
            "end": shown_time(origin + end, rate),
            "length": shown_time(origin + picture, rate),
        }
        issues.append(Issue("warning", "", "beyond_picture", notice))
    if request.loudness == PREMIX:
        if format_timecode(origin, rate).replace(";", ":") != _PREMIX_START:
            notice = {"start": shown_time(origin, rate)}
            issues.append(Issue("warning", "", "premix_start", notice))
        if picture is None and not track:
            issues.append(Issue("warning", "", "premix_length", {}))
    return issues


def _far_apart(takes: Sequence[Take], origin: Seconds, rate: FrameRate) -> list[Issue]:
    """Lines an hour or more after the one before, by a slip in a time code or beyond midnight."""
    timed = [(take.start, take.line.place) for take in takes if take.start is not None]
    timed.sort(key=lambda at: at[0])
    issues = []
    for (before, _), (after, place) in pairwise(timed):
        if after - before >= _FAR:
            shown = [shown_time(origin + start, rate) for start in (before, after)]
            values = {
                "before": shown[0],
                "after": shown[1],
                "hours": f"{(after - before) / 3600:.1f}",
            }
            issues.append(Issue("warning", place, "far_apart", values))
    return issues
