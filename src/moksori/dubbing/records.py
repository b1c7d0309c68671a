"""What a dubbing job is about: a script's line, its take, its role, and what became of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from moksori.config import MAX_EFFORT, Decibels, Seconds, Semitones
from moksori.messages import Message
from moksori.script.line import Line

if TYPE_CHECKING:
    from moksori.alignment.alignment import Interval
    from moksori.conversion.slips import Slip

HOME = ".moksori"  # of a job, in its folder
ACTORS, SUMMARY_MARKS = "actors.json", "summary.marks"  # of a season, in that of its folder
ACTORS_LOCK = "actors.lock"
HANDLES: Seconds = 0.25  # of a track, before and after a line
PER_LINE = (
    "voice",
    "pitch",
    "effort",
    "gain",
)  # of a role, that single lines may have of their own


def is_season(folder: Path) -> bool:
    """Whether a folder is a season's, whose jobs are in folders of their own."""
    return any((folder / HOME / name).exists() for name in (ACTORS, SUMMARY_MARKS))


class Role(BaseModel):
    """How a character's lines are made.

    Attributes:
        voice: they are converted to; needed unless they are passed.
        pitch: semitones above the voice's own mean F0, or below.
        effort: how much of the actor's vocal effort is kept: 1 as it is, 0 none, up to 1.5 exaggerated.
        gain: dB added to the recording's level.
        as_recorded: `pass` in the file: the lines stay as recorded.
        nonverbal: laughs, cries and screams: `convert` gives them the character's voice; `match` only where
            they are mostly voiced, as speech is; `leave` leaves them exactly as recorded. What `convert` and
            `match` do not convert, such as breaths, gets the gain.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    voice: str = ""
    pitch: Semitones = Field(default=0.0, ge=-12, le=12)
    effort: float = Field(default=1.0, ge=0, le=MAX_EFFORT)
    gain: Decibels = Field(default=0.0, ge=-40, le=40)
    as_recorded: bool = Field(default=False, alias="pass")
    nonverbal: Literal["convert", "match", "leave"] = "convert"


@dataclass(frozen=True, kw_only=True)
class Take:
    """A line with its recording, its role, and its place on the reel.

    Attributes:
        id: of the job's files, unique: 0012_하나.
        line: of the script.
        audio: the recording, or the production track that it is cut from.
        begin: sample of `audio` that it begins at.
        samples: how many there are of it.
        sample_rate: of `audio`, Hz.
        start: where its first sample lies on the reel; None if the script has no times.
        role: its voice, and how it is converted.
        cut: whether it is cut from a track, with handles.
        channel: the only one of `audio` that is taken, counted from 0; None for all.
    """

    id: str
    line: Line
    audio: Path
    begin: int
    samples: int
    sample_rate: int
    start: Seconds | None
    role: Role
    cut: bool = False
    channel: int | None = None

    @property
    def seconds(self) -> Seconds:
        return self.samples / self.sample_rate


class Change(BaseModel):
    """What a director asks of a single line, against script and cast; what is None stays as they say.

    Attributes:
        text: instead of the script's.
        script_text: the script's when it was asked; where it has changed since, `text` is left out.
        voice: instead of the role's, as `pitch`, `effort` and `gain`.
        take: another recording of the line.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str | None = None
    script_text: str | None = None
    voice: str | None = None
    pitch: Semitones | None = Field(default=None, ge=-12, le=12)
    effort: float | None = Field(default=None, ge=0, le=MAX_EFFORT)
    gain: Decibels | None = Field(default=None, ge=-40, le=40)
    take: Path | None = None


class Mark(NamedTuple):
    """What a director said of a line."""

    state: Literal["", "ok", "retake", "hold"] = ""  # "" if it was not looked at yet
    note: str = ""
    key: str = ""  # of the outcome that was heard
    text: str = ""  # of the line


class Flag(NamedTuple):
    """Something of a line that a person should look at; `flags.reason` puts it in words."""

    kind: str  # confidence, word, clipped …; see flags.py
    severity: float  # how much a retake is needed, 0 (good to know) to 1 (cannot be used)
    value: float | None = None  # what was measured
    detail: Message | None = None  # what else there is to say of it


@dataclass(frozen=True, kw_only=True)
class Dubbed:
    """A take and what became of it.

    Attributes:
        take: that it was.
        status: `converted`; `passed`, spoken by the recording itself; or `failed`.
        wave: the job's file, of as many samples, channels and the rate that the take has; None if failed.
        words: when each is said, from the wave's beginning.
        phones: as `Alignment.phone_intervals`, likewise.
        metrics: what was measured, by name; see work/metrics.py.
        flags: the most severe first.
        sounds: source and result as a page plays them; None if failed.
        picture: both spectrograms and the alignment as a PNG, spanning `speech`; None where not aligned.
        speech: where the speech begins and ends in the wave.
        error: why it failed.
        embedding: [256] of the conversion's voice, where it was measured.
        mark: what the director said of the line, if anything.
        slip: the word that was likeliest said otherwise; None where no words were sought.
    """

    take: Take
    status: Literal["converted", "passed", "failed"]
    wave: Path | None = None
    words: tuple["Interval", ...] = ()
    phones: tuple["Interval", ...] = ()
    metrics: dict[str, float] | None = None
    flags: tuple[Flag, ...] = ()
    sounds: tuple[Path, Path] | None = None
    picture: Path | None = None
    speech: tuple[Seconds, Seconds] | None = None
    error: Message | None = None
    embedding: tuple[float, ...] | None = None
    mark: Mark | None = None
    slip: "Slip | None" = None
