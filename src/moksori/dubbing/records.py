"""What a dubbing job is about: a script's line, its take, and what became of it."""

import hashlib
import json
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import soundfile
from pydantic import BaseModel, ConfigDict, Field

from moksori.alignment.alignment import Interval
from moksori.config import Decibels, Seconds, Semitones
from moksori.conversion.consents import UNSAID, Usage
from moksori.conversion.converter import MAX_EFFORT, Converter, Source
from moksori.conversion.room import Floor
from moksori.conversion.slips import Slip
from moksori.conversion.treble import Treble
from moksori.errors import AudioError, MoksoriError
from moksori.messages import Message
from moksori.script.line import Line
from moksori.signal import audio
from moksori.signal.audio import Recording
from moksori.signal.speaker import UNKNOWN, SourceSpeaker
from moksori.weights import DEFAULT_VOCODER

HOME = ".moksori"  # of a job, in its folder
HANDLES: Seconds = 0.25  # of a track, before and after a line
LONGEST: Seconds = 120.0  # memory grows with a line's length, by some 5 MB a second
PER_LINE = (
    "voice",
    "pitch",
    "effort",
    "gain",
)  # of a role, that single lines may have of their own
Status = Literal["converted", "passed", "failed"]
PASSING = "work.passing"  # message of a failure of the moment, which the same command tries again


class PassingError(MoksoriError):
    """Trouble of the moment: a recording that could be read when the job began, and cannot now."""


class Role(BaseModel):
    """How a character's lines are made.

    Attributes:
        voice: they are converted to; needed unless they are passed.
        pitch: semitones above the voice's own register, or below.
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

    @property
    def seconds(self) -> Seconds:
        return self.samples / self.sample_rate


class Change(BaseModel):
    """What a director asks of a single line, against script and cast; what is None stays as they say.

    Attributes:
        text: instead of the script's.
        script_text: the script's when `text` was written; where it has changed since, `text` is left out.
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
    words: tuple[Interval, ...] = ()
    phones: tuple[Interval, ...] = ()
    metrics: dict[str, float] | None = None
    flags: tuple[Flag, ...] = ()
    sounds: tuple[Path, Path] | None = None
    picture: Path | None = None
    speech: tuple[Seconds, Seconds] | None = None
    error: Message | None = None
    embedding: tuple[float, ...] | None = None
    mark: Mark | None = None
    slip: Slip | None = None


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What all takes of a job share."""

    model: Path | None = None  # the bundled one
    vocoder: str = DEFAULT_VOCODER
    packs: Path | None = None
    lexicon: Path | None = None
    spell: bool = False
    floor: Floor = "room"
    treble: Treble = "take"
    recogniser: str | None = None  # the model's own, or else the bundled one
    usage: Usage = UNSAID
    watermark: bool = False  # in what is converted
    device: str = "cpu"  # where workers convert

    def converter(self) -> Converter:
        """The one conversion path."""
        return Converter.from_pretrained(
            self.model, self.vocoder, self.packs, self.recogniser, self.usage, self.device
        )


@dataclass(frozen=True, kw_only=True)
class Task:
    """A take to be worked on, and where what comes of it is kept.

    Attributes:
        take: with its recording.
        key: of all that determines the outcome; names the files.
        store: folder of the files.
        digest: of the take's samples, as they were when the job began.
        speaker: the actor, as far as he is known.
        f0: [T] of the take, as `Converter.source`; None if it was not tracked.
    """

    take: Take
    key: str
    store: Path
    digest: str
    speaker: SourceSpeaker = UNKNOWN
    f0: np.ndarray | None = field(default=None, compare=False)

    @property
    def sounds(self) -> tuple[Path, Path]:
        """Source and result as the report plays them."""
        return sound_of(self.store, self.key, "source"), sound_of(self.store, self.key, "result")

    @property
    def wave(self) -> Path:
        return self.store / f"{self.key}.wav"

    @property
    def picture(self) -> Path:
        return self.store / f"{self.key}.png"

    @property
    def about(self) -> Path:
        return self.store / f"{self.key}.json"

    def read(self) -> Recording:
        """The take's part of its recording.

        Raises:
            PassingError: it cannot be read any more, or has changed, since the job began.
        """
        try:
            recording, digest = read_take(self.take)
        except AudioError as error:
            raise PassingError(error.message) from None
        if digest != self.digest:
            raise PassingError.of("audio.changed", file=self.take.audio)
        return recording

    def exact(self) -> np.ndarray:
        """The take's samples [n, channels] exactly as they are, also what 32-bit floating point cannot hold.

        Raises:
            AudioError: as `moksori.signal.audio.decode`.
        """
        part = (self.take.begin, self.take.samples)
        return audio.decode(self.take.audio, part=part, dtype="float64").samples

    def status(self) -> Status | None:
        """What became of the take, by its files; None if they are not there, or not whole."""
        try:
            about = _about(self.about)
            whole = all(path.stat().st_size for path in self.sounds)
            if "sha256" in about:
                whole = whole and _sha256(self.wave) == about["sha256"]
            else:  # of an older Moksori
                whole = whole and soundfile.info(self.wave).frames == self.take.samples
        except (OSError, ValueError, KeyError, TypeError, soundfile.LibsndfileError):
            return None
        status: Status = about["status"]
        return status if whole else None

    def dubbed(self, error: Message | None = None) -> Dubbed:
        """What became of the take, from its files."""
        if error:
            return Dubbed(take=self.take, status="failed", error=error)
        about = _about(self.about)
        return Dubbed(
            take=self.take, status=about["status"], wave=self.wave, words=about["words"],
            phones=about["phones"],
            metrics=about["metrics"], picture=self.picture if self.picture.exists() else None,
            sounds=self.sounds, speech=tuple(about["speech"]) if about["speech"] else None,
            embedding=tuple(about["embedding"]) if about["embedding"] else None,
            slip=Slip(*about["slip"]) if about.get("slip") else None,
        )  # fmt: skip


def _about(path: Path) -> dict[str, Any]:
    """What a worker wrote of a take, read once while the file stays as it is."""
    about = path.stat()
    return _read_about(path, about.st_size, about.st_mtime_ns, about.st_ino)


@lru_cache(maxsize=1024)
def _read_about(path: Path, *state: int) -> dict[str, Any]:
    about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return about | {
        name: tuple(Interval(*row) for row in about[name]) for name in ("words", "phones")
    }


def _sha256(path: Path) -> str:
    """Of a file, read once while it stays as it is."""
    about = path.stat()
    return _hash_file(path, about.st_size, about.st_mtime_ns, about.st_ino)


@lru_cache(maxsize=4096)
def _hash_file(path: Path, *state: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Heard(NamedTuple):
    """What preflight measured of a take, so that nothing need be measured again."""

    digest: str  # of its samples
    source: Source | None = None  # F0 and energy; None where it is not converted


def sound_of(store: Path, key: str, part: Literal["source", "result"]) -> Path:
    """Where what a page plays of an outcome lies; an older Moksori left MP3 there, which is kept."""
    older = store / f"{key}.{part}.mp3"
    return older if older.exists() else older.with_suffix(".flac")


def read_take(take: Take) -> tuple[Recording, str]:
    """A take's part of its recording, and the digest of its samples.

    Raises:
        AudioError: as `moksori.signal.audio.read`.
    """
    part = (take.begin, take.samples)
    recording = audio.read(take.audio, LONGEST, part, warn=False)  # preflight lists the warnings
    return recording, digest_of(recording)


def digest_of(recording: Recording) -> str:
    """Of a take's samples, and of how they were recorded."""
    about = f"{recording.sample_rate} {recording.subtype} {recording.samples.shape}"
    whole = hashlib.sha256(about.encode())
    whole.update(recording.samples.tobytes())
    return whole.hexdigest()
