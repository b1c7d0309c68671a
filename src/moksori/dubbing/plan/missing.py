"""Recordings that are not found: what is there instead, and the pattern of names that would find it."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from moksori.dubbing.plan.alike import Alike
from moksori.dubbing.plan.folder import RecordingFolder
from moksori.dubbing.plan.issues import Issue
from moksori.errors import ConfigError
from moksori.script.line import Line

_SHOWN = 3  # names in a message
_TRIED = 50  # lines that patterns are made from
_EVENT = re.compile(r"line_\d{4}")  # how a job's dapt.xml names its lines
_WORDS = ("character", "actor", "scene", "episode")


def explained(
    missing: Sequence[tuple[Line, Issue]],
    files: RecordingFolder,
    name_of: Callable[[str, Line], str],
) -> list[Issue]:
    """The same issues, those of recordings that are not there with what is.

    Args:
        missing: lines without a recording, and why.
        files: of the recordings.
        name_of: the file's name that a pattern gives for a line.
    """
    if not missing:
        return []
    there = _There(files)
    near = {
        id(line): names
        for line, issue in missing
        if issue.kind == "no_audio" and (names := there.near(str(issue.values["file"])))
    }
    unnamed = [line for line, _ in missing if id(line) in near and not line.file]
    pattern = _pattern(unnamed, files, name_of)
    notice = []
    for line, issue in missing:
        if issue.kind == "no_audio" and not line.file and _EVENT.match(line.no):
            issue = issue._replace(kind="no_audio_dapt", values={})
        elif issue.kind == "no_audio" and id(line) in near:
            names = near[id(line)]
            values = {**issue.values, "names": ", ".join(names[:_SHOWN])}
            if all(not files.is_read(name) for name in names):
                issue = issue._replace(kind="no_audio_kind", values=values)
            elif pattern and not line.file and _finds(pattern, line, files, name_of):
                values["pattern"] = pattern
                issue = issue._replace(kind="no_audio_pattern", values=values)
            else:
                issue = issue._replace(kind="no_audio_near", values=values)
        notice.append(issue)
    return notice


class _There:
    """The names of all files of a folder, as lines are compared with them."""

    def __init__(self, files: RecordingFolder) -> None:
        self._kinds = files.kinds
        self._places: dict[str, int] = {}  # of the names, in the folder's order
        self._by_key: dict[str, list[str]] = {}
        self._by_number: dict[int, list[str]] = {}
        keys = []
        for name in (*files.names, *files.others):
            key = _key(Path(name).stem)
            keys.append(key)
            self._places[name] = len(self._places)
            self._by_key.setdefault(key, []).append(name)
            for number in _numbers(key):
                self._by_number.setdefault(number, []).append(name)
        self._alike = Alike(keys)

    def near(self, wanted: str) -> list[str]:
        """Those that may be meant: of the same name or number, or of a similar name, but for numbers."""
        stem = Path(wanted.replace("\\", "/")).name
        bare = _key(Path(stem).stem if Path(stem).suffix.lower() in self._kinds else stem)
        if bare in self._by_key:
            return self._by_key[bare]
        if bare.isdecimal():
            return self._by_number.get(int(bare), [])
        close = {*self._alike.closest(bare, _SHOWN, cutoff=0.75)}
        names = (name for key in close for name in self._by_key[key])
        return sorted(names, key=self._places.__getitem__)


def _pattern(
    lines: Sequence[Line], files: RecordingFolder, name_of: Callable[[str, Line], str]
) -> str | None:
    """The pattern that finds the most of these lines' recordings, each its own; None if it is not half."""
    by_number: dict[int, list[str]] = {}
    for name in files.names:
        for number in _numbers(_key(name)):
            by_number.setdefault(number, []).append(name)
    candidates: Counter[str] = Counter()
    for line in lines[:_TRIED]:
        if line.no.isdecimal():
            for name in by_number.get(int(line.no), [])[:_TRIED]:
                candidates.update(_patterns(name, line))
    best, most = None, max(2, len(lines) / 2)
    for pattern, _ in candidates.most_common(_TRIED):
        found = [path for line in lines if (path := _finds(pattern, line, files, name_of))]
        if len({*found}) == len(found) >= most:
            best, most = pattern, len(found) + 1
    return best


def _patterns(name: str, line: Line) -> set[str]:
    """The patterns by which a line has the recording of that name."""
    text = unicodedata.normalize("NFC", name)
    text = text[: -len(Path(text).suffix)].replace("{", "{{").replace("}", "}}")
    for word in _WORDS:
        value = unicodedata.normalize("NFC", getattr(line, word))
        if value and not value.isdecimal():
            text = text.replace(value, f"{{{word}}}", 1)
    found = set()
    for match in re.finditer(r"[0-9]+", text):
        if int(match[0]) == int(line.no):
            spelled = {f"{{no:0{len(match[0])}d}}"} if len(match[0]) > 1 else {"{no}"}
            if not match[0].startswith("0"):
                spelled.add("{no}")
            found |= {text[: match.start()] + no + text[match.end() :] for no in spelled}
    return found


def _finds(
    pattern: str, line: Line, files: RecordingFolder, name_of: Callable[[str, Line], str]
) -> Path | None:
    try:
        found = files.find(name_of(pattern, line))
    except ConfigError:  # a field that this line has not
        return None
    return found if isinstance(found, Path) else None


def _numbers(key: str) -> set[int]:
    return {int(number) for number in re.findall(r"[0-9]{1,9}", key)}


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
