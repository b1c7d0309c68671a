"""What a dubbing job is about: a script's line, its take, and what became of it."""

import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from moksori.alignment import Interval
from moksori.config import Seconds
from moksori.dubbing.casting import Role


@dataclass(frozen=True)
class Line:
    """One line of a script, as its writer gave it.

    Attributes:
        place: where it stands, as its readers count: row 12, cue 3, line 7.
        text: what is said.
        actor: who recorded it.
        character: who says it.
        file: of its recording.
        no: its number, as written.
        start: time code of its beginning.
        end: time code of its end.
        episode: it belongs to; the sheet's name where sheets are episodes.
        scene: it belongs to.
        directions: how it is said.
        note: of the writer's.
    """

    place: str
    text: str
    actor: str = ""
    character: str = ""
    file: str = ""
    no: str = ""
    start: Seconds | None = None
    end: Seconds | None = None
    episode: str = ""
    scene: str = ""
    directions: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        """Compose names as Macs decompose them, so that 하나 is 하나."""
        for name in ("character", "actor"):
            composed = unicodedata.normalize("NFC", getattr(self, name))
            object.__setattr__(self, name, composed)


@dataclass(frozen=True)
class Take:
    """A line with its recording, its role, and its place on the reel.

    Attributes:
        id: of the job's files, unique: 0012_하나.
        line: of the script.
        audio: the recording, or the production track that it is cut from.
        begin: sample of `audio` that it begins at.
        samples: how many there are of it.
        rate: of `audio`.
        start: where its first sample lies on the reel; None if the script has no times.
        role: who speaks it, and how.
        cut: whether it is cut from a track, with handles.
    """

    id: str
    line: Line
    audio: Path
    begin: int
    samples: int
    rate: int
    start: Seconds | None
    role: Role
    cut: bool = False

    @property
    def seconds(self) -> Seconds:
        return self.samples / self.rate


class Flag(NamedTuple):
    """Something of a line that a person should look at; `words.reason` says it in words."""

    kind: str  # confidence, word, clipped …; see flags.py
    need: float  # how much a retake is needed, 0 (good to know) to 1 (cannot be used)
    value: float | None = None  # what was measured


@dataclass(frozen=True)
class Dubbed:
    """A take and what became of it.

    Attributes:
        take: that it was.
        status: `converted`; `passed`, spoken by the recording itself; or `failed`.
        wave: the job's file, of as many samples, channels and the rate that the take has; None if failed.
        words: when each is said, from the wave's beginning.
        phones: as `Alignment.phone_intervals`, likewise.
        figures: what was measured, by name; see figures.py.
        flags: the most needed first.
        picture: the alignment as a PNG, time across, phones up, spanning `speech`; None where not aligned.
        speech: where the speech begins and ends in the wave.
        error: why it failed, in one line.
        who: embedding [256] of the conversion's voice, where it was measured.
    """

    take: Take
    status: Literal["converted", "passed", "failed"]
    wave: Path | None = None
    words: tuple[Interval, ...] = ()
    phones: tuple[Interval, ...] = ()
    figures: dict[str, float] | None = None
    flags: tuple[Flag, ...] = ()
    picture: Path | None = None
    speech: tuple[Seconds, Seconds] | None = None
    error: str = ""
    who: tuple[float, ...] | None = None
