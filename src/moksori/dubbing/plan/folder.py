"""A folder of recordings, in which lines find theirs by name."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from moksori.config import Seconds
from moksori.dubbing.plan.issues import Issue
from moksori.dubbing.records import HOME
from moksori.errors import ConfigError, ScriptError, reason_of
from moksori.listed import existing, file_key
from moksori.messages import Message, Value, message
from moksori.script.line import Line
from moksori.signal.decoders import SUFFIXES, is_recording
from moksori.timecode import FrameRate, format_timecode, parse_time

_TIME_CODE = re.compile(r"(?<![\d.])\d\d\.\d\d\.\d\d[.;]\d\d(?!\.?\d)")
_DIGITS = re.compile(r"\D")


class RecordingFolder:
    """The recordings below a folder, found by name with or without its ending, in any form of Hangul.

    Attributes:
        paths: of the recordings.
        names: the same, from the folder on.
        others: names of the other files, which are not read.
        passed: why folders in it were not looked into, by their names.
        kinds: endings of files that are read.
    """

    kinds = tuple(SUFFIXES)

    def __init__(self, folder: Path) -> None:
        self.folder, self._whole = folder, folder.resolve()
        self.passed: dict[str, Message] = {}
        there = sorted(self._files())
        self.paths = [path for path in there if self.is_read(path.name)]
        self.names = [self._name(path) for path in self.paths]
        self.others = [self._name(path) for path in there if not self.is_read(path.name)]
        if not self.paths and self.passed:
            name, why = next(iter(self.passed.items()))
            raise ConfigError.of("folder.only_passed", folder=folder, name=name, why=why)
        if not self.paths:
            raise ConfigError.of(
                "folder.no_recordings", folder=folder, kinds=", ".join(SUFFIXES),
                there=_shown(self.others),
            )  # fmt: skip
        self.timed: dict[str, list[Path]] = {}  # by the digits of the time code in the name
        for path in self.paths:
            if code := _TIME_CODE.search(path.stem):
                self.timed.setdefault(_DIGITS.sub("", code[0]), []).append(path)
        self.index: dict[str, list[Path]] = {}
        for path in self.paths:
            inner = self._name(path)
            bare = inner[: -len(path.suffix)]
            for key in {inner, bare, path.name, path.stem}:
                self.index.setdefault(file_key(key), []).append(path)

    def _files(self) -> Iterator[Path]:
        """All files that are not hidden; what a job made is no recording."""

        def closed(fault: OSError) -> None:
            self.passed[self._name(Path(fault.filename))] = reason_of(fault)

        for place, folders, names in os.walk(self.folder, onerror=closed):
            if HOME in folders:
                folders.clear()
                continue
            folders[:] = [name for name in folders if not name.startswith(".")]
            yield from (Path(place, name) for name in names if not name.startswith("."))
            for path in (Path(place, name) for name in folders):  # links are not followed
                if path.is_symlink() and not path.resolve().is_relative_to(self._whole):
                    self.passed[self._name(path)] = message("folder.link")

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def is_read(self, name: str) -> bool:
        """Whether a file of that name is taken for a recording, by its ending."""
        return Path(name).suffix.lower() in self.kinds

    def find(self, name: str) -> Path | Issue:
        """The file of that name, or why there is none."""
        wanted = name.strip().replace("\\", "/")
        if _leads_out(wanted):
            return Issue("error", "", "outside", {"file": name})
        found = self.index.get(file_key(wanted.removeprefix("./")), [])
        if len(found) > 1:
            names = ", ".join(map(self._name, found[:3]))
            return Issue("error", "", "several_files", {"file": name, "names": names})
        if not found:
            return Issue("error", "", "no_audio", {"file": name})
        if not found[0].resolve().is_relative_to(self._whole):
            return Issue("error", "", "outside", {"file": name})
        return found[0]

    def at(self, line: Line, frame_rate: FrameRate | None) -> Path | Issue | None:
        """The file whose name has the time code that a line begins at; None if no name has.

        Of several characters' files at one time it is that with the line's character in its name.
        """
        if line.start is None or not self.timed:
            return None
        if frame_rate is None:
            return Issue(
                "error", "", "name_needs_fps", {"file": next(iter(self.timed.values()))[0].name}
            )
        found = self.timed.get(_DIGITS.sub("", format_timecode(line.start, frame_rate)), [])
        if len(found) > 1 and line.character:
            found = [path for path in found if file_key(line.character) in file_key(path.name)]
        if len(found) > 1:
            names = ", ".join(map(self._name, found[:3]))
            code = format_timecode(line.start, frame_rate)
            return Issue("error", "", "several_files", {"file": code, "names": names})
        return found[0] if found else None


def time_in_name(path: Path, frame_rate: FrameRate) -> Seconds | None:
    """When a recording begins by the time code in its name (01.00.10.12); None if it has none."""
    found = _TIME_CODE.search(path.stem)
    try:
        return parse_time(found[0].replace(".", ":"), frame_rate) if found else None
    except ScriptError:  # a number of another kind: 99.99.99.99
        return None


class Beside:
    """The recordings that a script names by a path from the folder of a production track.

    Args:
        track: the track; lines that name it are cut from it.
    """

    def __init__(self, track: Path) -> None:
        self.track = track
        self._known: dict[Path, list[Path]] = {}

    def find(self, name: str) -> Path | Issue:
        """The file of that name, also the track itself, or why there is none."""
        wanted = name.strip().replace("\\", "/").removeprefix("./")
        if _leads_out(wanted):
            return Issue("error", "", "outside", {"file": name})
        *above, last = wanted.split("/")
        key = file_key(last)
        found = [
            path
            for path in self._recordings(existing(self.track.parent.joinpath(*above)))
            if key in (file_key(path.name), file_key(path.stem))
        ]
        if len(found) > 1:
            names = ", ".join(path.name for path in found[:3])
            return Issue("error", "", "several_files", {"file": name, "names": names})
        if not found:
            values: dict[str, Value] = {"file": name, "track": self.track.name}
            return Issue("warning", "", "not_beside", values)
        if not found[0].resolve().is_relative_to(self.track.parent.resolve()):
            return Issue("error", "", "outside", {"file": name})
        return found[0]

    def _recordings(self, folder: Path) -> list[Path]:
        if folder not in self._known:
            there = sorted(folder.iterdir()) if folder.is_dir() else []
            self._known[folder] = [path for path in there if is_recording(path)]
        return self._known[folder]


def _leads_out(name: str) -> bool:
    """Whether a name, its slashes made /, cannot be of a file below the folder that it is written for."""
    return name.startswith("/") or ".." in name.split("/") or bool(re.match("[A-Za-z]:", name))


def _shown(names: list[str]) -> str:
    """The first of many names."""
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "") if names else "—"
