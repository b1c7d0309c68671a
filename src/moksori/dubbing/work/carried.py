"""What travels to a machine that shares no folder with this one, and what comes back.

there   a setup's own folders as their files; a take's samples, exactly as its recording holds them
back    the files of its outcome, by what follows the key in their names

On the job's own machine nothing need travel: a worker there reads recordings and writes outcomes itself.
"""

import os
import platform
import tempfile
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from moksori.conversion.consents import packs_folder
from moksori.dubbing.task import LONGEST, Setup, Task, TransientError, digest_of
from moksori.dubbing.work.engines import Outcome, call
from moksori.dubbing.work.worker import Worker
from moksori.errors import AudioError
from moksori.signal import audio
from moksori.signal.audio import Recording
from moksori.writing import atomic_write, without_sync

_WIDE = ("PCM_32", "DOUBLE")  # what 32-bit floating point does not hold
_PLACES = (
    "model",
    "vocoder",
    "packs",
    "lexicon",
    "recogniser",
)  # of a setup, which may be files or folders
Files = dict[str, bytes]  # by their names
_BOOT = Path("/proc/sys/kernel/random/boot_id")  # Linux's: which machine, since when


class Folder(NamedTuple):
    """A folder, and what tells it from one of the same name on another machine."""

    path: Path
    machine: str
    device: int
    inode: int


def folder_of(path: Path) -> Folder:
    """What a folder is known by.

    Raises:
        OSError: it is not there.
    """
    about = path.stat()
    machine = _BOOT.read_text() if _BOOT.is_file() else platform.node()
    return Folder(path, machine, about.st_dev, about.st_ino)


@dataclass(frozen=True, kw_only=True)
class CarriedTask(Task):
    """A task with the samples of its take.

    Attributes:
        raw: the take's part of its recording, in 64 bits where 32 do not hold it.
    """

    raw: Recording

    def read(self) -> Recording:
        """As `Task.read`."""
        samples = self.raw.samples.astype(np.float32, copy=False)
        return audio.without_offset(replace(self.raw, samples=samples))

    def exact(self) -> np.ndarray:
        """As `Task.exact`."""
        return self.raw.samples.astype(np.float64)


def carried(task: Task) -> CarriedTask:
    """A task with the samples of its take, which are as they were when the job began.

    Raises:
        TransientError: as `Task.read`.
    """
    take = task.take
    try:
        part = (take.begin, take.samples)
        read = partial(audio.decode, take.audio, LONGEST, part, channel=take.channel, warn=False)
        raw = read()
        if raw.subtype in _WIDE:
            raw = read("float64")
    except AudioError as error:
        raise TransientError(error.message) from None
    own = {field.name: getattr(task, field.name) for field in fields(Task)}
    own |= {"take": replace(take, audio=Path(take.audio.name)), "store": Path()}  # not there
    made = CarriedTask(**own, raw=raw)
    if digest_of(made.read()) != task.digest:
        raise TransientError.of("audio.changed", file=take.audio)
    return made


def packed(setup: Setup) -> tuple[Setup, dict[str, Files]]:
    """A setup, and the files that it names by its fields; of a single file, an empty name is there too.

    Enrolled voices go along in any case, also where there are none: another machine may have others.
    """
    files: dict[str, Files] = {"packs": {}}
    for name in _PLACES:
        value = getattr(setup, name) or (packs_folder() if name == "packs" else None)
        place = Path(value) if value else None
        if place is not None and place.is_file():
            files[name] = {place.name: place.read_bytes(), "": b""}
        elif place is not None and place.is_dir():
            found = (path for path in sorted(place.rglob("*")) if path.is_file())
            files[name] = {path.relative_to(place).as_posix(): path.read_bytes() for path in found}
    return setup, files


def unpacked(setup: Setup, files: dict[str, Files], home: Path) -> Setup:
    """The setup again, its files in a folder of this machine."""
    places: dict[str, Any] = {}
    for name, contents in files.items():
        place = home / name
        place.mkdir(parents=True)
        for path, content in contents.items():
            if path:
                (place / path).parent.mkdir(parents=True, exist_ok=True)
                (place / path).write_bytes(content)
        if "" in contents:
            place /= next(path for path in contents if path)
        places[name] = str(place) if name in ("vocoder", "recogniser") else place
    return replace(setup, **places)


class CarriedWorker:
    """A worker of a cluster, on the job's own machine or on one that shares no folder with it."""

    def __init__(self, setup: Setup, files: dict[str, Files]) -> None:
        self._home: tempfile.TemporaryDirectory[str] | None = None
        self._worker = Worker(unpacked(setup, files, self._folder()) if files else setup)

    def _folder(self) -> Path:
        """A folder of its own, made when something has to lie there."""
        self._home = self._home or tempfile.TemporaryDirectory(prefix="moksori-")
        return Path(self._home.name)

    def close(self) -> None:
        """Delete its folder: whoever ends workers may not let them do so themselves."""
        if self._home:
            self._home.cleanup()
            self._home = None

    def ready(self) -> bool:
        """Load the models."""
        return bool(self._worker.converter)

    def shares(self, folder: Folder) -> bool:
        """Whether it can write to the very folder, so that its tasks need not be carried."""
        try:
            return folder_of(folder.path) == folder and os.access(folder.path, os.W_OK | os.X_OK)
        except OSError:
            return False

    def call(self, method: str, task: Task) -> tuple[Outcome, Files | None]:
        """As `engines.call`, with the files of a carried task's outcome; its task is left out."""
        if not isinstance(task, CarriedTask):
            return call(self._worker, method, task)._replace(task=None), None  # type: ignore[arg-type]
        store = self._folder() / "lines"
        store.mkdir(exist_ok=True)
        outcome = call(self._worker, method, replace(task, store=store))
        paths = sorted(store.iterdir())
        files = {path.name.removeprefix(task.key): path.read_bytes() for path in paths}
        for path in paths:
            path.unlink()
        return outcome._replace(task=None), files  # type: ignore[arg-type]  # it is known there


def keep(task: Task, files: Files) -> None:
    """Write an outcome's files where the job expects them; that which says that it is whole is the last.

    Raises:
        OutputError: they cannot be written.
    """
    with without_sync():  # as a worker of this machine writes them
        for name in sorted(files, key=lambda name: name == ".json"):
            atomic_write(task.store / f"{task.key}{name}", files[name])
