"""A dubbing job from script and recordings to the delivery; the same call goes on with a job that was cut."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from moksori import audio
from moksori.config import Seconds
from moksori.converter import Converter
from moksori.dubbing.audit import audit, save_audit
from moksori.dubbing.casting import read_cast
from moksori.dubbing.deliver import Order, deliver
from moksori.dubbing.findings import Finding, Language
from moksori.dubbing.flags import flag
from moksori.dubbing.lines import Dubbed, Line, Take
from moksori.dubbing.long_lines import LONGEST
from moksori.dubbing.recordings import HANDLES, find_takes
from moksori.dubbing.script import read_script
from moksori.dubbing.state import State
from moksori.dubbing.timecodes import FrameRate
from moksori.dubbing.work import Setup, Task
from moksori.errors import ScriptError
from moksori.voices import find_target

if TYPE_CHECKING:
    from moksori.dubbing.engines import Engine

_FORMAT = 1  # raised when a take would be made otherwise than before
_HOUR: Seconds = 3600.0
Progress = Callable[[str], Callable[[Iterable, int], Iterable]]


@dataclass(frozen=True)
class Request:
    """What a user asks for.

    Attributes:
        script: of the episode.
        audio: a folder with a file a line, or one production track.
        cast: who speaks whom.
        setup: model, vocoder, lexicon.
        rate: of the script's time codes, and of what is handed over.
        origin: time code at which reel and track begin; the first line's hour, if that is not the first.
        episode: the only one to be dubbed, of a script with several.
        columns: of the script's table, where its headers are unusual.
        pattern: of the recordings' names.
        handles: seconds of a track before and after each line.
        register: whether lines are put at the voice's mean by their actor's mean, or each by its own.
        sample_rate: of reel and stems.
        loudness: target of the reel.
        lang: of report, retakes and audit.
    """

    script: Path
    audio: Path
    cast: Path
    setup: Setup = field(default_factory=Setup)
    rate: FrameRate | None = None
    origin: Seconds | None = None
    episode: str | None = None
    columns: Mapping[str, str] | None = None
    pattern: str | None = None
    handles: Seconds = HANDLES
    register: Literal["actor", "line"] = "actor"
    sample_rate: int = 48000
    loudness: str = "korea"
    lang: Language = "ko"

    @property
    def date(self) -> datetime:
        """The script's, so that the same job gives the same bytes on any day."""
        when = datetime.fromtimestamp(int(self.script.stat().st_mtime), UTC)
        return when.replace(tzinfo=None)


class Checked(NamedTuple):
    """A request whose script, cast and recordings have been looked at."""

    takes: list[Take]
    findings: list[Finding]
    origin: Seconds
    length: Seconds  # of the reel at least
    rate: FrameRate
    converter: Converter

    @property
    def faults(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity == "error"]


def check(request: Request, progress: Progress) -> Checked:
    """Read script and cast, find the recordings, and look for everything that would go wrong.

    Raises:
        MoksoriError: the script, the cast, the recordings' folder or the model as a whole cannot be used.
    """
    cast = read_cast(request.cast)
    lines = _lines(request)
    origin = _origin(lines) if request.origin is None else request.origin
    found = find_takes(
        lines, request.audio.resolve(), cast, origin, request.pattern, request.handles
    )
    converter = request.setup.converter()
    found = audit(found, request.setup, converter, progress("checking"))
    ends = [take.start + take.seconds for take in found.takes if take.start is not None]
    length = max([found.length, *ends], default=0.0)
    rate = request.rate or FrameRate.parse("29.97df")
    return Checked(found.takes, found.findings, origin, length, rate, converter)


def dub(
    request: Request,
    checked: Checked,
    out: Path,
    engine: Callable[[], "Engine"],
    progress: Progress,
    retry_failed: bool = False,
) -> list[Dubbed]:
    """Convert what has changed since the last time, and hand everything over.

    Args:
        request: as `check` was given it.
        checked: what it gave; its takes are worked on.
        out: the job's folder.
        engine: makes the workers; only called if there is work.
        progress: a progress bar by its title.
        retry_failed: try lines again that failed before, though nothing has changed.

    Raises:
        OutputError: the folder is not the job's, or cannot be written to.
    """
    state = State(out)
    try:
        takes = list(checked.takes)
        digests = [_digest(take) for take in progress("reading")(takes, len(takes))]
        workers = _Lazy(engine)
        try:
            registers = _registers(request, takes, digests, state, workers, progress)
            tasks = _tasks(request, checked, takes, digests, registers, state)
            state.plan(tasks)
            _work(tasks, state, workers, progress, retry_failed)
        finally:
            workers.close()
        errors = state.errors()
        rows = flag([task.dubbed(errors.get(task.key, "")) for task in tasks])
        order = _order(request, checked)
        deliver(rows, checked.findings, order, state, progress("handing over"))
        return rows
    finally:
        state.close()


def keep_audit(request: Request, checked: Checked, out: Path) -> Path:
    """Write what was found to OUT/audit.xlsx, without any work; its path.

    Raises:
        OutputError: as `dub`.
    """
    state = State(out)
    try:
        state.claim(["audit.xlsx"])
        save_audit(out / "audit.xlsx", checked.findings, request.lang, request.date)
    finally:
        state.close()
    return out / "audit.xlsx"


def _lines(request: Request) -> list[Line]:
    lines = read_script(
        request.script, columns=request.columns, rate=request.rate, episode=request.episode
    )
    episodes = list(dict.fromkeys(line.episode for line in lines))
    if len(episodes) > 1:
        raise ScriptError(
            f"{request.script}: holds {len(episodes)} episodes; choose one with --episode "
            f"({', '.join(episodes[:12])})"
        )
    return lines


def _origin(lines: Sequence[Line]) -> Seconds:
    """The hour of the first line: reels begin at 01:00:00:00 as often as at 00:00:00:00."""
    starts = [line.start for line in lines if line.start is not None]
    return min(starts, default=0.0) // _HOUR * _HOUR


class _Lazy:
    """An engine that is made when first used: workers take seconds to begin."""

    def __init__(self, make: Callable[[], "Engine"]) -> None:
        self._make = make
        self._engine: Engine | None = None

    def map(self, method: str, tasks: Iterable[Task]) -> Iterator:
        self._engine = self._engine or self._make()
        return self._engine.map(method, tasks)

    def close(self) -> None:
        if self._engine:
            self._engine.close()


def _registers(
    request: Request,
    takes: Sequence[Take],
    digests: Sequence[str],
    state: State,
    engine: _Lazy,
    progress: Progress,
) -> dict[str, float | None]:
    """Of each actor, the mean over all takes; of those measured before, as it was then."""
    if request.register == "line":
        return {}
    known, measured = state.registers(), state.measured()
    new: dict[str, list[str]] = {}
    wanted: dict[str, Task] = {}
    for take, digest in zip(takes, digests, strict=True):
        if (name := _actor(take)) and name not in known and not take.role.as_recorded:
            new.setdefault(name, []).append(digest)
            if digest not in measured:
                wanted[digest] = Task(take, digest, state.store)
    if wanted:
        outcomes = engine.map("register", wanted.values())
        for outcome in progress("measuring actors")(outcomes, len(wanted)):
            measured[outcome.task.key] = outcome.value
            state.keep_measured(outcome.task.key, outcome.value)
    found = {}
    for name, own in new.items():
        parts = [part for digest in own if (part := measured[digest])]
        frames = sum(count for _, count in parts)
        mean = sum(mean * count for mean, count in parts) / frames if frames else None
        found[name] = None if mean is None else round(mean, 5)
    state.keep_registers(found)
    return known | found


def _actor(take: Take) -> str:
    """Whose register counts: the actor's, or the character's where no actor is named."""
    return take.line.actor or take.line.character


def _tasks(
    request: Request,
    checked: Checked,
    takes: Sequence[Take],
    digests: Sequence[str],
    registers: Mapping[str, float | None],
    state: State,
) -> list[Task]:
    """Takes with the names of their outcomes, which tell all that these depend on."""
    converter, setup = checked.converter, request.setup
    words = hashlib.sha256(setup.lexicon.read_bytes()).hexdigest() if setup.lexicon else ""
    shared = [
        _FORMAT, converter.card.sha256, converter.vocoder_card.sha256, setup.spell, words,
    ]  # fmt: skip
    voices = {take.role.voice for take in takes if not take.role.as_recorded}
    own = {name: _own_weights(converter, name) for name in voices}
    tasks = []
    for take, digest in zip(takes, digests, strict=True):
        register = registers.get(_actor(take))
        told = [
            *shared, digest, take.line.text, take.role.model_dump(), own.get(take.role.voice, ""), register,
        ]  # fmt: skip
        key = hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]
        tasks.append(Task(take, key, state.store.resolve(), register))
    return tasks


def _own_weights(converter: Converter, voice: str) -> str:
    """Of an enrolled voice, which may be enrolled anew by the same name."""
    whole = hashlib.sha256()
    for name, weight in sorted(find_target(voice, converter.card, converter.packs).weights.items()):
        whole.update(name.encode() + weight.numpy().tobytes())
    return whole.hexdigest()


def _digest(take: Take) -> str:
    """Of the samples of a take: cutting a track anew elsewhere changes nothing for this line."""
    recording = audio.read(take.audio, LONGEST, (take.begin, take.samples))
    whole = hashlib.sha256(
        f"{recording.rate} {recording.subtype} {recording.samples.shape}".encode()
    )
    whole.update(recording.samples.tobytes())
    return whole.hexdigest()


def _work(
    tasks: Sequence[Task], state: State, engine: _Lazy, progress: Progress, retry_failed: bool
) -> None:
    waiting = state.waiting(tasks, retry_failed)

    def begun() -> Iterator[Task]:
        for task in waiting:
            state.begin(task)
            yield task

    if waiting:
        outcomes = engine.map("convert", begun())
        for outcome in progress("converting")(outcomes, len(waiting)):
            state.finish(outcome.task, outcome.value or "failed", outcome.error)


def _order(request: Request, checked: Checked) -> Order:
    card = checked.converter.card
    title = request.script.stem + (f" {request.episode}" if request.episode else "")
    return Order(
        title, request.script.name, request.date, checked.rate, checked.origin, checked.length,
        request.sample_rate, request.loudness, request.lang,
        f"{card.sha256[:12]}; {card.licence}",
    )  # fmt: skip
