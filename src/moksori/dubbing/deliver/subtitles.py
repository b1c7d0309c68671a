"""Subtitles of what was dubbed, timed to when it is said."""

import re
from collections.abc import Callable, Iterable
from html import escape, unescape
from pathlib import Path
from typing import NamedTuple

from moksori.config import Seconds
from moksori.errors import OutputError
from moksori.script.cues import ENTITY
from moksori.writing import atomic_write

SHORTEST: Seconds = 0.2  # of a cue
# What a format, or a reader of it, takes for its own marks, and has no escape for, is written as its
# full-width twin.
_BRACES = str.maketrans("{}", "｛｝")  # of style overrides
_OVERRIDE = re.compile(r"\{(?=\\)")  # players of SubRip take {\an8}, but not {웃음}
_BREAKS = re.compile(r"\\(?=[Nnh])")  # \N, \n and \h
_TAG = re.compile(r"<(?= */? *[a-zA-Z][^>]*>)")
_TIME = re.compile(r"\d:\d\d?[.,]\d")  # two on a line would begin a cue
_NUMBER_LINE = re.compile(r"\n(?=\d+(?:\n|$))")  # would be the next cue's number
_OPTIONS: dict[str, dict[str, bool]] = {
    ".srt": {"keep_ssa_tags": True},  # or {웃음} is left out
    ".vtt": {"keep_ssa_tags": True},
    ".ass": {},
}
_HOURS = {".srt": 100, ".vtt": 100, ".ass": 10}  # from which on times cannot be written


class Cue(NamedTuple):
    """A subtitle."""

    start: Seconds
    end: Seconds
    text: str
    character: str = ""


def formats(cues: Iterable[Cue]) -> list[str]:
    """The suffixes of the formats that can hold the times of cues: an .ass has none from ten hours on."""
    end = max((stop for _, stop, _ in _timed(cues)), default=0)
    return [kind for kind, hours in _HOURS.items() if end < hours * 3_600_000]


def write_subtitles(path: Path, cues: Iterable[Cue]) -> None:
    r"""Write cues, by their start, as the suffix says: .srt, .vtt or .ass.

    A cue ends where its character's next one begins and lasts at least `SHORTEST`; only where two of
    one character begin within that time does the second begin later than given. Cues of different
    characters may overlap.

    Texts keep their line breaks. Empty lines and white space at the ends of lines are left out, as the
    formats end a cue there. What would vanish on the screen or when read again is written with ｛ ｝ ＼
    ＜ ＞ ： ＆, namely `\N`, in ASS and SubRip entities such as `&lt;`, in ASS `{…}`, in SubRip `{\…}`,
    `<tag>` and `-->`, and in SubRip and WebVTT two times on a line. WebVTT has escapes for < > and &.

    Raises:
        OutputError: another suffix, a time that the format cannot hold, or the place cannot be written
            to.
    """
    import pysubs2

    kind = path.suffix.lower()
    if kind not in _TEXTS:
        raise OutputError.of("output.ending", path=path, kinds=", ".join(_TEXTS))
    subtitles = pysubs2.SSAFile()
    for start, end, cue in _timed(cues):
        if end >= _HOURS[kind] * 3_600_000:
            raise OutputError.of("output.hours", path=path, kind=kind, hours=_HOURS[kind])
        name = _plain(" ".join(cue.character.split()))
        text = _TEXTS[kind](_plain(cue.text), name).replace("\n", "\\N")
        field = name.replace(",", "，") if kind == ".ass" else ""
        subtitles.append(pysubs2.SSAEvent(start, end, text, name=field))
    atomic_write(path, subtitles.to_string(kind[1:], **_OPTIONS[kind]))


def _timed(cues: Iterable[Cue]) -> list[tuple[int, int, Cue]]:
    """When each cue is shown, in ms, by its start."""
    shortest = round(SHORTEST * 1000)
    timed: list[tuple[int, int, Cue]] = []
    latest: dict[str, int] = {}  # by character, where in `timed`
    for cue in sorted(cues, key=lambda cue: cue.start):
        start = round(cue.start * 1000)
        end = max(round(cue.end * 1000), start + shortest)
        if cue.character in latest:
            i = latest[cue.character]
            begin, stop, before = timed[i]
            stop = min(stop, max(start, begin + shortest))
            timed[i] = begin, stop, before
            start = max(start, stop)
            end = max(end, start + shortest)
        latest[cue.character] = len(timed)
        timed.append((start, end, cue))
    return sorted(timed, key=lambda item: item[0])


def _plain(text: str) -> str:
    """Lines that are not empty, without the breaks that readers of every format look for."""
    lines = [line.strip() for line in text.splitlines()]
    return _BREAKS.sub("＼", "\n".join(line for line in lines if line))


def _no_entities(text: str) -> str:
    """What readers would take for another sign, such as &lt;, with a full-width &."""
    return ENTITY.sub(
        lambda found: found[0] if unescape(found[0]) == found[0] else f"＆{found[0][1:]}", text
    )


def _no_cue_inside(text: str) -> str:
    """Nothing in it looks like another cue's number or times."""
    lines = _NUMBER_LINE.sub(" ", text).split("\n")
    return "\n".join(
        line.replace(":", "：") if len(_TIME.findall(line)) > 1 else line for line in lines
    )


def _subrip(text: str, character: str) -> str:
    text = _TAG.sub("＜", _no_cue_inside(text)).replace("-->", "--＞")
    return _OVERRIDE.sub("｛", _no_entities(text))


def _webvtt(text: str, character: str) -> str:
    text = escape(_no_cue_inside(text), quote=False)
    return f"<v {escape(character, quote=False)}>{text}" if character else text


def _substation(text: str, character: str) -> str:
    return _no_entities(text).translate(_BRACES)


_TEXTS: dict[str, Callable[[str, str], str]] = {
    ".srt": _subrip,
    ".vtt": _webvtt,
    ".ass": _substation,
}
