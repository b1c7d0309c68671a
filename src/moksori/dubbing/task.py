"""A take to be worked on: what determines its outcome, and where what comes of it is kept."""

import hashlib
import json
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import soundfile

from moksori.alignment.alignment import Interval
from moksori.config import Seconds
from moksori.conversion.consents import UNSAID, Usage
from moksori.conversion.converter import Converter, Source
from moksori.conversion.listening import find_recogniser
from moksori.conversion.room import Floor
from moksori.conversion.slips import Slip
from moksori.conversion.treble import Treble
from moksori.dubbing.records import Dubbed, Take
from moksori.errors import AudioError, MoksoriError
from moksori.messages import Message
from moksori.signal import audio
from moksori.signal.audio import Recording
from moksori.signal.speaker import UNKNOWN, SourceSpeaker
from moksori.weights import DEFAULT_VOCODER, MODEL, VOCODERS

LONGEST: Seconds = 120.0  # memory grows with a line's length, by some 5 MB a second
Status = Literal["converted", "passed", "failed"]
TRANSIENT = "work.passing"  # code of a failure that the same command tries again; jobs keep it


class TransientError(MoksoriError):
    """A failure that may not last: a recording that could be read when the job began, and cannot now."""


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

    @property
    def models(self) -> list[Path]:
        """Folders of the models that `converter` loads."""
        model = self.model or MODEL
        found = (
            model,
            VOCODERS.get(self.vocoder, Path(self.vocoder)),
            find_recogniser(model, self.recogniser),
        )
        return [folder for folder in found if folder]

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
        voice: checksum of its voice, likewise.
        speaker: the actor, as far as he is known.
        f0: [T] of the take, as `Converter.source`; None if it was not tracked.
    """

    take: Take
    key: str
    store: Path
    digest: str
    voice: str = ""
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
            TransientError: it cannot be read any more, or has changed, since the job began.
        """
        try:
            recording, digest = read_take(self.take)
        except AudioError as error:
            raise TransientError(error.message) from None
        if digest != self.digest:
            raise TransientError.of("audio.changed", file=self.take.audio)
        return recording

    def exact(self) -> np.ndarray:
        """The take's samples [n, channels] exactly as they are, also what 32-bit floating point cannot hold.

        Raises:
            AudioError: as `moksori.signal.audio.decode`.
        """
        part = (self.take.begin, self.take.samples)
        channel = self.take.channel
        return audio.decode(self.take.audio, part=part, dtype="float64", channel=channel).samples

    def status(self) -> Status | None:
        """What became of the take, by its files; None if they are not there, or not whole."""
        try:
            about = _about(self.about)
            pictures = [self.picture] if self.picture.exists() else []
            whole = all(path.stat().st_size for path in (*self.sounds, *pictures))
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
    # Preflight lists the warnings.
    recording = audio.read(take.audio, LONGEST, part, channel=take.channel, warn=False)
    return recording, digest_of(recording)


def digest_of(recording: Recording) -> str:
    """Of a take's samples, and of how they were recorded."""
    about = f"{recording.sample_rate} {recording.subtype} {recording.samples.shape}"
    whole = hashlib.sha256(about.encode())
    whole.update(recording.samples.tobytes())
    return whole.hexdigest()
