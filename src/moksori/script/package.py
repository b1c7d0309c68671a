"""The zip that a workbook or a document is: its parts by name, unpacked safely."""

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from moksori.errors import ScriptError
from moksori.script.tables import one_line

T = TypeVar("T")
ZIP = b"PK"  # an empty or a cut one goes on otherwise
OLE = bytes.fromhex(
    "D0CF11E0A1B11AE1"
)  # .xls, .doc, .hwp, and what Office wraps a protected file in
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
        raise bloated_error(path)


def bloated_error(path: Path) -> ScriptError:
    """Of a file that is far larger unpacked than any script."""
    return ScriptError.of("script.bloated_workbook", file=path)


def unpacked(path: Path, content: bytes, read: Callable[["Parts"], T]) -> T:
    """What `read` makes of a package.

    Raises:
        ScriptError: damaged, or larger than any script when unpacked; or of `read`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            check_sizes(path, archive)
            return read(Parts(archive))
    except ScriptError:
        raise
    except (
        Exception
    ) as error:  # a damaged zip or XML: zipfile, expat and readers raise whatever was met
        why = one_line(str(error)) or type(error).__name__
        kind = path.suffix.lower()
        code = "script.damaged_workbook" if kind.startswith(".xls") else "script.damaged_package"
        raise ScriptError.of(code, file=path, kind=kind, why=why) from None


def local(element: Element) -> str:
    """An element's name, whatever its namespace."""
    return str(element.tag).rpartition("}")[2]


def attribute(element: Element | None, name: str, default: str = "") -> str:
    """An attribute, whatever its namespace."""
    found = () if element is None else element.items()
    return next((value for key, value in found if key.rpartition("}")[2] == name), default)


def kind_of(content: bytes) -> str:
    """The suffix that a package should have by what it holds; "" if it is of no kind that is known."""
    with suppress(Exception), zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = {_bare(entry.filename) for entry in archive.infolist()}
        said = ""
        if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
            said = archive.read("mimetype").decode("ascii", "replace").strip()
        if found := _BY_MIME.get(said.removesuffix("-template")):
            return found
        for suffix, folder in _BY_FOLDER.items():
            if any(name.startswith(folder) for name in names):
                return suffix
    return ""


def check_kind(path: Path, content: bytes, kinds: tuple[str, ...]) -> None:
    """Refuse a package that is something else than its name says.

    Raises:
        ScriptError: naming what it is.
    """
    found = kind_of(content)
    if found and found not in kinds:
        raise ScriptError.of("script.other_kind", file=path, kind=found)


_BY_MIME = {
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/hwp+zip": ".hwpx",
    "application/x-hwp+zip": ".hwpx",
}
_BY_FOLDER = {".docx": "word/", ".xlsx": "xl/", ".pptx": "ppt/", ".hwpx": "contents/section"}


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
