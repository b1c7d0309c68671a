"""What a job is asked for, and `job.toml`, which remembers it in the job's folder.

The page and the command both fill a `JobFile`; `moksori dub -o OUT` alone reads OUT/job.toml again.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import tomlkit
from filelock import FileLock
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from moksori.config import Seconds
from moksori.conversion.consents import Purpose, Usage
from moksori.conversion.listening import BUNDLED, OFF
from moksori.conversion.room import Floor
from moksori.conversion.treble import Treble
from moksori.dubbing.records import HANDLES, HOME, is_season
from moksori.dubbing.task import Setup
from moksori.errors import ConfigError, OutputError
from moksori.files import explain, load_toml, near
from moksori.listed import existing
from moksori.messages import Lang, message, readable
from moksori.signal.loudness import PREMIX, PREMIX_RATE
from moksori.timecode import FrameRate
from moksori.weights import DEFAULT_VOCODER, VOCODERS
from moksori.writing import atomic_write, write_error

JOB = "job.toml"
_EARLIEST = 315_619_200  # 1980-01-02: zip files, and so .xlsx, know no earlier day
_PATHS = ("script", "times", "audio", "cast", "model", "packs", "lexicon")
_HEAD = (
    "moksori dub이 이 작업에서 받은 것입니다. `moksori dub -o 이폴더`만으로 이어서 합니다.",
    "What this job was asked for; `moksori dub -o THIS_FOLDER` alone resumes it.",
)


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a job is asked for, read and checked.

    Attributes:
        script: of the episode.
        audio: a folder with a file a line, or one production track.
        cast: the voice of each character.
        setup: model, vocoder, lexicon.
        frame_rate: of the script's time codes, and of what is delivered.
        start: time code at which reel and track begin, as it is written, in the script's frames; the
            first line's hour, if that is not the first.
        episode: the only one to be dubbed, of a script with several.
        times: a timeline with the times of lines that have none in the script.
        columns: of the script's table, where its headers are unusual.
        hidden: whether hidden rows, and a hidden column of lines, are read too.
        pattern: of the recordings' names.
        handles: seconds of a track before and after each line.
        channels: of a track, by character or actor, where its iXML does not name them.
        mean_f0: whether lines are put at the voice's mean F0 by their actor's mean, or each by its own.
        sample_rate: of reel and stems, Hz.
        loudness: name of the reel's target.
        length: of the picture, and so of the reel, written as `start`;
            None for that of the production track or the lines.
        stems: as `DeliverySpec.stems`.
        lang: of report, retakes and issues.
        original_language: that is dubbed from; empty if nobody said.
        without: names of deliverables that are left out.
        c2pa: whether delivered WAVs get a signed manifest.
    """

    script: Path
    audio: Path
    cast: Path
    setup: Setup = field(default_factory=Setup)
    frame_rate: FrameRate | None = None
    start: str | None = None
    episode: str | None = None
    times: Path | None = None
    columns: Mapping[str, str] | None = None
    hidden: bool = False
    pattern: str | None = None
    handles: Seconds = HANDLES
    channels: Mapping[str, str] | None = None
    mean_f0: Literal["actor", "line"] = "actor"
    sample_rate: int = 48000
    loudness: str = "korea"
    length: str | None = None
    stems: Literal["parts", "full"] = "parts"
    lang: Lang = "ko"
    original_language: str = ""
    without: tuple[str, ...] = ()
    c2pa: bool = False

    @property
    def date(self) -> datetime:
        """The script's, so that the same job gives the same bytes on any day."""
        return date_of(self.script)


def date_of(path: Path) -> datetime:
    """When a file was changed, as tables can hold it."""
    seconds = max(int(path.stat().st_mtime), _EARLIEST)
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


class JobFile(BaseModel):
    """A job as a user writes it: the options of `moksori dub`, and the keys of `job.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    script: Path | None = None
    times: Path | None = None
    audio: Path | None = None
    cast: Path | None = None
    fps: str | None = None
    start: str | None = None
    episode: str | None = None
    columns: dict[str, str] | None = None
    hidden: bool = False
    pattern: str | None = None
    handles: Seconds = Field(default=HANDLES, ge=0)
    channels: dict[str, str] | None = None
    mean_f0: Literal["actor", "line"] = "actor"
    sample_rate: int = Field(default=48000, ge=8000, le=192000)
    loudness: Literal["korea", "netflix", "premix", "ebu", "none"] = "korea"
    length: str | None = None
    stems: Literal["parts", "full"] = "parts"
    lang: Lang = "ko"
    original_language: str = Field(default="", pattern=r"^([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$")
    without: tuple[str, ...] = ()
    model: Path | None = None
    vocoder: str = DEFAULT_VOCODER
    packs: Path | None = None
    lexicon: Path | None = None
    spell: bool = False
    floor: Floor = "room"
    treble: Treble = "take"
    recogniser: str | None = None
    purpose: Purpose | None = None
    title: str | None = None
    c2pa: bool = False
    watermark: bool = False
    device: str = "cpu"

    def merged(self, given: Mapping[str, Any]) -> "JobFile":
        """With the values that are given anew; the others stay.

        Raises:
            ConfigError: an impossible value.
        """
        try:
            return type(self).model_validate(self.model_dump() | dict(given))
        except ValidationError as error:
            raise ConfigError(explain(error)) from None

    def request(self) -> Request:
        """Read and check what can be without the files.

        Raises:
            ConfigError: script, recordings or cast are not named.
            ScriptError: a frame rate that is none.
        """
        if not (self.script and self.audio and self.cast):
            raise ConfigError.of("dub.unnamed")
        if self.loudness == PREMIX and self.sample_rate != PREMIX_RATE:
            raise ConfigError.of("dub.premix_rate", rate=self.sample_rate)
        frame_rate = FrameRate.parse(self.fps) if self.fps else None
        folder = Path(self.vocoder)
        known = self.vocoder in VOCODERS or not folder.is_dir()
        hears = self.recogniser
        if hears not in (None, OFF, BUNDLED) and Path(hears).is_dir():
            hears = str(Path(hears).absolute())
        return Request(
            script=self.script, audio=self.audio, cast=self.cast,
            setup=Setup(
                model=_absolute(self.model), packs=_absolute(self.packs), spell=self.spell,
                floor=self.floor, treble=self.treble, device=self.device,
                vocoder=self.vocoder if known else str(folder.absolute()),
                lexicon=_absolute(self.lexicon), recogniser=hears,
                usage=Usage(self.purpose, self.title or ""), watermark=self.watermark,
            ),
            frame_rate=frame_rate,
            start=self.start or None,
            episode=self.episode, times=self.times, columns=self.columns, hidden=self.hidden,
            pattern=self.pattern, handles=self.handles, channels=self.channels, mean_f0=self.mean_f0,
            sample_rate=self.sample_rate,
            loudness=self.loudness, stems=self.stems, lang=self.lang, without=self.without,
            original_language=self.original_language,
            length=self.length or None,
            c2pa=self.c2pa,
        )  # fmt: skip

    def save(self, out: Path) -> None:
        """Write OUT/job.toml; paths near the folder relative to it, so that both may be moved together.

        Of an episode of a season also those near the season's folder, if that lies where it seems to.

        Raises:
            OutputError: the folder cannot be written to.
        """
        document = tomlkit.document()
        for row in _HEAD:
            document.add(tomlkit.comment(row))
        season = out.absolute().parent
        above = 2 if is_season(season) and not season.is_symlink() else 1
        for key, value in self.model_dump(exclude_none=True, exclude_defaults=True).items():
            document.add(key, readable(near(value, out, above)) if key in _PATHS else value)
        content = tomlkit.dumps(document)
        path = out / JOB
        if not path.exists() or path.read_bytes() != content.encode():
            atomic_write(path, content)


def load_job(out: Path) -> JobFile:
    """What the job in a folder was asked for; empty if there is none.

    Raises:
        ConfigError: its job.toml has an unknown key or an impossible value.
    """
    if not (out / JOB).exists():
        return JobFile()
    job = load_toml(out / JOB, JobFile, hint=message("dub.anew"))
    places = {
        key: existing(Path(os.path.normpath(out / value)))
        for key in _PATHS
        if (value := getattr(job, key)) is not None
    }
    return job.model_copy(update=places)


def remember(out: Path, asked: Mapping[str, Any]) -> JobFile:
    """Put what is asked for now into OUT/job.toml, beside whatever else it holds by now.

    Args:
        out: the job's folder.
        asked: by the names of `JobFile`; the others stay as they are in the file.

    Returns:
        All that the job is asked for.

    Raises:
        ConfigError: as `load_job`, or an impossible value.
        OutputError: the folder cannot be written to.
    """
    if not out.is_dir():
        raise OutputError.of("output.no_folder", path=out)
    try:
        with FileLock(out / HOME / "job.lock"):
            file = load_job(out).merged(asked)
            file.save(out)
    except OSError as error:
        raise write_error(out, error) from None
    return file


def _absolute(path: Path | None) -> Path | None:
    """For workers, which may begin elsewhere."""
    return path and path.absolute()
