"""The zip that a workbook is: its parts by name, unpacked safely."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from moksori.errors import ScriptError

_MAX_UNPACKED = 300_000_000  # bytes
_MAX_RATIO = 200  # of an entry larger than a megabyte


def check_sizes(path: Path, archive: zipfile.ZipFile) -> None:
    """Refuse what is far larger unpacked; an entry that lies about its size is read only up to it."""
    entries = archive.infolist()
    bloated = any(
        entry.file_size > 1_000_000 and entry.file_size > _MAX_RATIO * max(1, entry.compress_size)
        for entry in entries
    )
    if bloated or sum(entry.file_size for entry in entries) > _MAX_UNPACKED:
        raise ScriptError.of("script.bloated_workbook", file=path)


class Parts:
    """The parts of a package by their names, however the zip spells them."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.names = {_bare(entry.filename): entry for entry in archive.infolist()}

    def events(self, name: str) -> Iterator[Element]:
        """Each element of a part as it ends."""
        with self.archive.open(self.names[_bare(name)]) as source:
            for _, element in ElementTree.iterparse(source):
                yield element

    def root(self, name: str) -> Element:
        """A part, whole; of one that is not there, an empty element."""
        if _bare(name) not in self.names:
            return Element("none")
        with self.archive.open(self.names[_bare(name)]) as source:
            return ElementTree.parse(source).getroot()

    def related(self, name: str) -> dict[str, tuple[str, str]]:
        """What a part refers to: kind and name, by id."""
        folder, _, file = name.rpartition("/")
        found = {}
        for one in self.root(f"{folder}/_rels/{file}.rels"):
            if one.get("TargetMode") != "External":
                kind = one.get("Type", "").rpartition("/")[2]
                found[one.get("Id", "")] = kind, _joined(folder, one.get("Target", ""))
        return found

    def of_kind(self, name: str, kind: str) -> list[str]:
        """Names of the parts of a kind that a part refers to."""
        return [target for found, target in self.related(name).values() if found == kind]


def _bare(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").casefold()


def _joined(folder: str, target: str) -> str:
    """A target as a part's name: absolute, or from the folder of the part that names it."""
    steps: list[str] = [] if target.startswith("/") else folder.split("/")
    for step in target.replace("\\", "/").split("/"):
        if step == "..":
            steps = steps[:-1]
        elif step not in ("", "."):
            steps.append(step)
    return "/".join(filter(None, steps))
