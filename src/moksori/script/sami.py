"""Cues of SAMI (.smi), in which most Korean subtitles are.

pysubs2 reads SAMI too, but guesses how long a cue lasts, mixes languages, and ends in a traceback where a
time is malformed.
"""

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

from moksori.errors import ScriptError
from moksori.files import read_text
from moksori.messages import Message, message
from moksori.script.content import Asked, ScriptContent
from moksori.script.cues import Cue, content_of, entities
from moksori.script.speakers import Speech

_HANGUL = re.compile("[가-힣]")
_KOREAN = re.compile("kr|ko", re.IGNORECASE)
_STRUCK = ("s", "strike", "del")
_LONGEST_DAY = 24 * 60 * 60 * 1000  # ms


class _Sync(NamedTuple):
    row: int
    start: str  # in ms, as it is written
    language: str  # the class of its paragraph
    text: str
    cut: str = ""  # what is struck through


class _Parser(HTMLParser):
    """The paragraphs of all SYNC elements, in their order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.syncs: list[_Sync] = []
        self.before: list[str] = []  # text that stands in no SYNC
        self._skipped = 0  # depth in elements that are not said
        self._struck = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "sync":
            self._skipped = self._struck = 0
            self.syncs.append(_Sync(self.getpos()[0], values.get("start", "").strip(), "", ""))
        elif tag == "p" and self.syncs:
            language = values.get("class", "").strip().casefold()
            last = self.syncs[-1]
            if last.text.strip() and language != last.language:
                self.syncs.append(last._replace(language=language, text="", cut=""))
            else:
                self.syncs[-1] = last._replace(language=language)
        elif tag == "br":
            self.handle_data("\n")
        elif tag in ("style", "title", "head", "rt", "rp"):
            self._skipped += 1
        elif tag in _STRUCK:
            self._struck += 1

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "title", "head", "rt", "rp"):
            self._skipped = max(0, self._skipped - 1)
        elif tag in _STRUCK:
            self._struck = max(0, self._struck - 1)

    def handle_data(self, data: str) -> None:
        if self._skipped:
            return
        if self.syncs and self._struck:
            self.syncs[-1] = self.syncs[-1]._replace(cut=self.syncs[-1].cut + data)
        elif self.syncs:
            self.syncs[-1] = self.syncs[-1]._replace(text=self.syncs[-1].text + data)
        elif data.strip():
            self.before.append(data.strip())


def read_sami(path: Path, asked: Asked) -> ScriptContent:
    """Read the cues of .smi; a `content.Reader`.

    A cue lasts until the next one of its language, which may be blank for that alone; the last has no end.
    Of several languages the Korean one is read, and a warning names the others.

    Raises:
        ScriptError: no SAMI.
    """
    content = read_text(path, ScriptError)
    if not re.search(r"<\s*sync\b", content, re.IGNORECASE):
        raise ScriptError.of("script.no_sami", file=path)
    parser = _Parser()
    parser.feed(re.sub(r"<!--(?!.*?-->)", "", content, flags=re.DOTALL))
    parser.close()
    texts = Counter[str]()
    for sync in parser.syncs:
        texts[sync.language] += bool(sync.text.strip())
    spoken = _language(parser.syncs, texts)
    others = {name: count for name, count in texts.items() if count and name != spoken}
    warnings = list[Message]()
    if others:
        names = ", ".join(f"{name or '—'} ({count})" for name, count in others.items())
        warnings.append(message("script.other_languages", file=path, read=spoken, names=names))
    syncs = [sync for sync in parser.syncs if sync.language == spoken or not sync.text.strip()]
    cues = list[Cue]()
    for i, sync in enumerate(syncs):
        if not sync.text.strip() and not sync.cut.strip():
            continue
        after = [other.start for other in syncs[i + 1 :][:1]]
        faults = () if _time(sync.start) else (_no_time(sync),)
        times = _time(sync.start), _time(after[0]) if after else None
        rows = tuple(entities(sync.text).strip().split("\n"))
        speeches = [Speech("", rows)] if sync.text.strip() else []
        cut = entities(sync.cut)
        cues.append(Cue(sync.row, str(len(cues) + 1), times, speeches, faults, cut=cut))
    return content_of(path, cues, asked.frame_rate, milliseconds=True, warnings=warnings)


def _time(milliseconds: str) -> str:
    """Seconds, as `parse_time` reads them; "" if it is no time."""
    bare = re.fullmatch(r"(\d{1,9})(?:ms)?", milliseconds, re.IGNORECASE)
    if not bare or not bare[1].isascii() or int(bare[1]) >= _LONGEST_DAY:
        return ""
    return f"{int(bare[1]) / 1000:.3f}"


def _no_time(sync: _Sync) -> Message:
    return message("script.no_times", text=sync.start[:80], example="Start=1000")


def _language(syncs: list[_Sync], texts: Counter[str]) -> str:
    """The class whose text is Korean: by its name, or by its letters."""
    named = [name for name in texts if texts[name] and _KOREAN.search(name)]
    hangul = Counter[str]()
    for sync in syncs:
        hangul[sync.language] += len(_HANGUL.findall(sync.text))
    return max(named or texts, key=lambda name: hangul[name], default="")
