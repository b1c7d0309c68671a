"""A folder of recordings, in which lines find theirs by name."""

import re
import unicodedata
from pathlib import Path

from moksori.dubbing.plan.issues import Issue
from moksori.dubbing.records import HOME
from moksori.errors import ConfigError
from moksori.signal.decoders import SUFFIXES


class RecordingFolder:
    """The recordings below a folder, found by name with or without its ending, in any form of Hangul."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        jobs = {home.parent for home in folder.rglob(HOME)}  # what was made is no recording
        self.paths = sorted(
            path
            for path in folder.rglob("*")
            if path.suffix.lower() in SUFFIXES
            and not path.is_dir()
            and not any(part.startswith(".") for part in path.relative_to(folder).parts)
            and jobs.isdisjoint(path.parents)
        )
        if not self.paths:
            raise ConfigError(f"{folder}: no recordings in it ({', '.join(SUFFIXES)})")
        self.index: dict[str, list[Path]] = {}
        for path in self.paths:
            inner = path.relative_to(folder).as_posix()
            bare = inner[: -len(path.suffix)]
            for key in {inner, bare, path.name, path.stem}:
                self.index.setdefault(_key(key), []).append(path)

    def find(self, name: str) -> Path | Issue:
        """The file of that name, or why there is none."""
        wanted = name.strip().replace("\\", "/")
        if wanted.startswith("/") or ".." in wanted.split("/") or re.match(r"^[A-Za-z]:", wanted):
            return Issue("error", "", "outside", {"file": name})
        found = self.index.get(_key(wanted.removeprefix("./")), [])
        if len(found) > 1:
            names = ", ".join(str(path.relative_to(self.folder)) for path in found[:3])
            return Issue("error", "", "several_files", {"file": name, "names": names})
        if not found:
            return Issue("error", "", "no_audio", {"file": name})
        if not found[0].resolve().is_relative_to(self.folder.resolve()):
            return Issue("error", "", "outside", {"file": name})
        return found[0]


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
