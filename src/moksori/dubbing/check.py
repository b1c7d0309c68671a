"""A request whose script, cast and recordings have been looked at, before any work."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from moksori.config import Seconds
from moksori.conversion.converter import Converter
from moksori.conversion.effort import other_frames
from moksori.dubbing.deliver.delivery import check_names
from moksori.dubbing.deliver.issue_list import PREFLIGHT, save_issues
from moksori.dubbing.delivered import digest
from moksori.dubbing.plan.bounds import far_apart_issues, length_issues, within_day
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
    start_issues,
)
from moksori.dubbing.progress import Stage, Watch
from moksori.dubbing.records import HOME, Take
from moksori.dubbing.request import Request, remember
from moksori.dubbing.review import Review, left_behind
from moksori.dubbing.states import known_actors
from moksori.dubbing.store import Store, check_folder
from moksori.dubbing.task import Heard
from moksori.dubbing.work.tasks import actor_of, actors_of
from moksori.errors import ScriptError
from moksori.messages import Message, Value, message
from moksori.script.content import ScriptContent
from moksori.script.line import Line
from moksori.script.timelines import with_times
from moksori.signal.speaker import UNKNOWN, SourceSpeaker
from moksori.stepwise import ShowSteps
from moksori.timecode import NTSC_DROP, FrameRate, parse_time
from moksori.writing import write_error


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
    watch, memory = watch or Watch(), memory or Memory()
    check_names(request.without)
    cast = read_cast(request.cast)
    track = read_track(request.audio)
    stated_rate = track.ixml.frame_rate if track and request.frame_rate is None else None
    request = replace(request, frame_rate=request.frame_rate or stated_rate)
    content = _with_named_times(_content(request, memory), request)
    script_rate = content.frame_rate or request.frame_rate  # None: the script counts no frames
    frame_rate = script_rate or NTSC_DROP
    start, picture = (
        parse_time(time, script_rate) if time else None for time in (request.start, request.length)
    )
    origin, of_track = origin_of(track, start, content.lines, script_rate, content.begin)
    lines = from_origin(content.lines, origin, script_rate)
    is_asked = stated_rate is None or script_rate != stated_rate
    of_track += [*rate_issues(track, script_rate, asked=is_asked), *about_issues(track)]
    new_ids = _new_ids(lines, cast, content, review) if review else {}
    found = find_takes(
        lines, request.audio.resolve(), cast, origin, request.pattern, request.handles,
        content.faulty, review.changes(new_ids) if review else None, script_rate, request.channels,
    )  # fmt: skip
    converter = memory.converter(request.setup)
    issues = start_issues(
        found.issues, found.lines.values(), origin, found.length, script_rate, content.begin
    )
    issues += [Issue("error", at, "script", {"why": why}) for at, _, why in content.faults]
    issues += of_track
    issues += [Issue("warning", "", "script", {"why": why}) for why in content.warnings]
    gone = left_behind(found.lines, review, new_ids) if review else {}
    issues += [Issue("warning", id, "left_behind", {"text": text}) for id, text in gone.items()]
    found = within_day(replace(found, issues=issues), origin, frame_rate)
    end = max((t.start + t.seconds for t in found.takes if t.start is not None), default=0.0)
    found.issues.extend(
        length_issues(request.loudness, picture, origin, frame_rate, found.length, end)
    )
    found.issues.extend(far_apart_issues(found.takes, origin, frame_rate))
    if content.question:
        found = _asked(found, content.question)
    else:
        steps = partial(watch.steps, Stage.CHECKING)
        found = _measured(found, request, converter, steps, memory, review)
    checked = Checked(
        lines=found.lines, takes=found.takes, recorded=found.recorded, heard=found.heard,
        issues=found.issues, origin=origin,
        length=max(found.length if picture is None else picture, end), frame_rate=frame_rate,
        converter=converter, content=content, memory=memory, cast=cast,
    )  # fmt: skip
    return with_effort_notes(checked, known_actors(review.out) if review else {})


def with_effort_notes(
    checked: Checked, before: Mapping[str, tuple[SourceSpeaker, set[str]]]
) -> Checked:
    """Note the lines whose `effort` does nothing, as nothing else is known of the actor.

    Args:
        checked: what `check` gives; other such notes are replaced.
        before: what was measured of the actors before, as `Store.actors`; of a season's in all its episodes.
    """
    issues = [issue for issue in checked.issues if issue.kind != "effort"]
    is_wordless = checked.converter.front_end.is_wordless
    asked = [
        take for take in checked.takes
        if take.role.effort != 1 and not take.role.as_recorded
        and not (take.role.nonverbal == "leave" and is_wordless(take.line.text))
    ]  # fmt: skip
    if not asked:
        return checked._replace(issues=issues)
    actors = actors_of("actor", checked.takes, checked.heard, before, checked.converter)
    for take in asked:
        usual, source = actors.get(actor_of(take), UNKNOWN).energy, checked.heard[take.id].source
        if usual is None or (source and not other_frames(source.energy, usual)):
            values: dict[str, Value] = {"effort": f"{take.role.effort:g}"}
            issues.append(Issue("note", take.line.place, "effort", values))
    return checked._replace(issues=issues)


def _new_ids(
    lines: Sequence[Line], cast: Cast, content: ScriptContent, review: Review
) -> dict[str, str]:
    """As `Review.names`, of lines as `find_takes` will name them."""
    spoken = with_speakers(lines, cast, content.faulty)[0]
    return review.names(dict(zip(name_lines(spoken), spoken, strict=True)))


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
    """The script, with the times of a timeline."""
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


def _with_named_times(content: ScriptContent, request: Request) -> ScriptContent:
    """The script, lines without a time at the time code in their recording's name."""
    rate = content.frame_rate or request.frame_rate
    lines = times_of_names(content.lines, request.audio.resolve(), request.pattern, rate)
    named = sum(a.start != b.start for a, b in zip(lines, content.lines, strict=True))
    notice = [message("takes.by_name", number=named)] if named else []
    return replace(content, lines=lines, warnings=[*content.warnings, *notice])
