"""What the headers of studios' tables mean, however they are written; `headers.toml` has the names."""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple, cast

Kind = Literal["", "korean", "foreign", "draft", "final"]
_TABLE = tomllib.loads((files("moksori") / "script" / "headers.toml").read_text(encoding="utf-8"))
Unit = Literal["", "seconds", "milliseconds", "frames"]
COLUMNS = tuple(_TABLE["columns"])
"""The keys of all columns that are read, as fields of a line."""
_AFTER = ("이름", "names", "name", "명", "번호", "number", "no", "열", "란", "칸")
_BRACKETS = re.compile(r"[(\[{<「『【〔〈《]([^)\]}>」』】〕〉》]*)[)\]}>」』】〕〉》]")
_NUMBERED = re.compile(r"(?:\d+차|v\d+|ver\d+)?(.+?)(?:\d+차|v\d+|ver\d+)?")
_PARTS = re.compile(r"[/|,·:;\n\r]+")


class Meaning(NamedTuple):
    """What a header says of its column."""

    key: str  # one of `COLUMNS`
    weak: bool = False  # only where nothing better is there
    kind: Kind = ""  # of a column of lines
    unit: Unit = ""  # of a column of times that are plain numbers


def fold(header: str) -> str:
    """A header without what writers vary: case, spaces, marks, invisible characters, a Mac's jamo."""
    composed = unicodedata.normalize("NFKC", header).casefold()
    kept = re.sub(r"[\W_]+", "", "".join(c for c in composed if unicodedata.category(c) != "Cf"))
    return kept or ("#" if "#" in composed else "")


@cache
def meaning(header: str) -> Meaning | None:
    """What a header says; None if it says nothing known.

    As a whole, then without its brackets, then each of its parts (“대사/Dialogue”), then what is in brackets.
    """
    text = unicodedata.normalize("NFKC", header)
    bare, inside = _BRACKETS.sub(" ", text), _BRACKETS.findall(text)
    kinds = [kind for part in inside if (kind := _language(fold(part))) is not None]
    whole = _named(fold(text)) or _in_unit(fold(text))
    for part in (bare, *_PARTS.split(bare), *inside):
        if whole:
            break
        whole = _named(fold(part))
    if whole and whole.key in ("start", "end"):
        units = [unit for unit, words in _units() for part in inside if fold(part) in words]
        return whole._replace(unit=units[0]) if units else whole
    if whole and whole.key == "line" and not whole.kind and kinds and kinds[0]:
        whole = whole._replace(kind=kinds[0])
    return whole


def _units() -> Iterable[tuple[Unit, list[str]]]:
    return cast(Mapping[Unit, list[str]], _TABLE["units"]).items()


def _in_unit(name: str) -> Meaning | None:
    """A column of times with its unit behind: start_ms, 시작초."""
    for unit, words in _units():
        for word in words:
            rest = _named(name.removesuffix(word)) if name.endswith(word) and word != "s" else None
            if rest and rest.key in ("start", "end"):
                return rest._replace(unit=unit)
    return None


def is_other(header: str) -> bool:
    """Whether a header says that its column is none of a line's: 길이, 대사 길이, recording date."""
    name, others = fold(_BRACKETS.sub(" ", header)), tuple(_TABLE["others"]["names"])
    return name.startswith(others) or name.endswith(others)


def _language(name: str) -> Kind | None:
    """The kind that a word says by itself: 한글, final; None if it says none."""
    return next((kind for kind, words in _TABLE["kinds"].items() if name in words), None)


@cache
def _names() -> dict[str, Meaning]:
    """Meanings by folded name."""
    return {
        name: Meaning(key, kind == "weak")
        for key, kinds in _TABLE["columns"].items()
        for kind, names in kinds.items()
        for name in names
    }


def _named(name: str) -> Meaning | None:
    if not name:
        return None
    if found := _names().get(name):
        return found
    for after in _AFTER:  # 캐릭터명, actor name, scene no
        if (found := _names().get(name.removesuffix(after))) and name.endswith(after):
            return found if found.key in ("character", "actor", "file", "scene", "no") else None
    for key in ("start", "end"):
        for edge in _TABLE["times"][key]:
            if {name.removeprefix(edge), name.removesuffix(edge)} & {*_TABLE["times"]["words"]}:
                return Meaning(key)
    if (kind := _language(name)) is not None:
        return Meaning("line", True, kind)
    return _of_kind(name)


@cache
def _of_kind(name: str) -> Meaning | None:
    """A column of lines of a kind: 대사한글, english dialogue, 최종대사, 2차 번역."""
    numbered = _NUMBERED.fullmatch(name)
    if numbered and numbered[1] != name:
        found = _names().get(numbered[1]) or _of_kind(numbered[1])
        return found._replace(kind="draft") if found and found.key == "line" else None
    for kind, words in _TABLE["kinds"].items():
        for word in words:
            for rest in (name.removeprefix(word), name.removesuffix(word)):
                if rest == name or not rest:
                    continue
                found = _names().get(rest) or _of_kind(rest)
                if found and found.key == "line":
                    return found._replace(kind=found.kind or kind)
    return None
