"""The script as it was recorded, as W3C DAPT (TTML2): who says what, and when each word is said."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from moksori.alignment.alignment import Interval
from moksori.config import Seconds
from moksori.dubbing.deliver.spec import DeliverySpec
from moksori.dubbing.deliver.spoken import spoken
from moksori.dubbing.records import Dubbed
from moksori.timecode import to_frames
from moksori.writing import atomic_write

_PROFILE = "http://www.w3.org/ns/ttml/profile/dapt1.0/content"
_NAMESPACES = {
    "xmlns": "http://www.w3.org/ns/ttml",
    "xmlns:ttm": "http://www.w3.org/ns/ttml#metadata",
    "xmlns:ttp": "http://www.w3.org/ns/ttml#parameter",
    "xmlns:daptm": "http://www.w3.org/ns/ttml/profile/dapt#metadata",
    "xmlns:moksori": "urn:moksori:metadata",
}
_ON_SCREEN = {  # what directions say of where the speaker is
    "ON": {"on", "온"},
    "OFF": {"off", "os", "oc", "vo", "오프", "화면밖", "화면밖에서"},
    "ON_OFF": {"onoff"},
    "OFF_ON": {"offon"},
}
_BRACKETED = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Event(NamedTuple):
    """A line as it was said.

    Attributes:
        id: of the line.
        character: who says it; may be empty.
        actor: who recorded it; may be empty.
        voice: it was converted to; empty if it stays as recorded.
        directions: how it is said.
        text: what is said, as the script writes it.
        words: when each is said, on the reel; empty if that is not known.
        begin: when the speech begins on the reel.
        end: when it is over.
    """

    id: str
    character: str
    actor: str
    voice: str
    directions: str
    text: str
    words: tuple[Interval, ...]
    begin: Seconds
    end: Seconds

    @classmethod
    def of(cls, row: Dubbed, start: Seconds, origin: Seconds) -> "Event":
        """A dubbed line that lies at `start` of the reel, whose time code is `origin`."""
        take, line = row.take, row.take.line
        words = tuple(Interval(w.label, w.begin + start, w.end + start) for w in row.words)
        voice = take.role.voice if row.status == "converted" else ""
        return cls(
            take.id, line.character, line.actor, voice, line.directions, line.text, words,
            *spoken(row, start, origin),
        )  # fmt: skip


def write_dapt(path: Path, events: Iterable[Event], spec: DeliverySpec) -> None:
    """Write an as-recorded dubbing script.

    Times are frames of the spec's rate from the reel's first, whose time code is `daptOriginTimecode`. A word
    has its own span where the script's words are as many as those said; else the line has one.

    Args:
        path: the .xml.
        events: in any order.
        spec: of the delivery.

    Raises:
        ScriptError: the reel begins behind the last time code of a day.
        OutputError: the place cannot be written to.
    """
    events = sorted(events, key=lambda event: (event.begin, event.id))
    rate = spec.frame_rate
    characters = {name: f"character_{n}" for n, name in enumerate(_names(events, "character"), 1)}
    actors = {name: f"actor_{n}" for n, name in enumerate(_names(events, "actor"), 1)}
    about = _NAMESPACES | {
        "xml:lang": spec.language,
        "ttp:contentProfiles": _PROFILE,
        "ttp:timeBase": "media",
        "ttp:frameRate": str(rate.nominal),
        "ttp:frameRateMultiplier": "1000 1001" if rate.ntsc else "1 1",
        "daptm:scriptRepresents": "audio.dialogue",
        "daptm:scriptType": "asRecorded",
    }
    if spec.original_language:
        about["daptm:langSrc"] = spec.original_language
    rows = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        "<tt" + "".join(f"\n    {key}={_attribute(value)}" for key, value in about.items()) + ">",
        "  <head>",
        "    <metadata>",
        f"      <ttm:title>{_text(spec.title)}</ttm:title>",
        "      <daptm:daptOriginTimecode>"
        f"{spec.timecode(0.0).replace(';', ':')}</daptm:daptOriginTimecode>",
        *_agents(events, characters, actors),
        "    </metadata>",
        "  </head>",
        "  <body>",
        "    <div>",
        *(row for event in events for row in _event(event, characters, spec)),
        "    </div>",
        "  </body>",
        "</tt>",
        "",
    ]
    atomic_write(path, "\n".join(rows))


def _names(events: Sequence[Event], kind: str) -> list[str]:
    return [name for name in dict.fromkeys(getattr(event, kind) for event in events) if name]


def _agents(
    events: Sequence[Event], characters: dict[str, str], actors: dict[str, str]
) -> list[str]:
    """Actors, and the characters with the actors that recorded them."""
    rows = []
    for name, id in actors.items():
        rows += [
            f'      <ttm:agent type="person" xml:id="{id}">',
            f'        <ttm:name type="full">{_text(name)}</ttm:name>',
            "      </ttm:agent>",
        ]
    for name, id in characters.items():
        own = dict.fromkeys(event.actor for event in events if event.character == name)
        rows += [
            f'      <ttm:agent type="character" xml:id="{id}">',
            f'        <ttm:name type="alias">{_text(name)}</ttm:name>',
            *(f'        <ttm:actor agent="{actors[actor]}"/>' for actor in own if actor),
            "      </ttm:agent>",
        ]
    return rows


def _event(event: Event, characters: dict[str, str], spec: DeliverySpec) -> list[str]:
    begin, end = _frames(event.begin, event.end, spec)
    about = {
        "xml:id": "line_" + re.sub(r"[^\w-]", "_", event.id),
        "begin": f"{begin}f",
        "end": f"{end}f",
        "daptm:represents": "audio.dialogue",
    }
    if event.character:
        about["ttm:agent"] = characters[event.character]
    if screen := _on_screen(event.directions):
        about["daptm:onScreen"] = screen
    rows = ["      <div" + "".join(f" {key}={_attribute(v)}" for key, v in about.items()) + ">"]
    if event.voice:
        rows.append(
            f"        <metadata><moksori:voice>{_text(event.voice)}</moksori:voice></metadata>"
        )
    if event.directions:
        rows.append(f"        <ttm:desc>{_text(event.directions)}</ttm:desc>")
    return [*rows, f"        <p>{_spans(event, begin, spec)}</p>", "      </div>"]


def _spans(event: Event, begin: int, spec: DeliverySpec) -> str:
    """The words, each with its frames from the line's beginning, or the text as a whole."""
    written = _written(event.text)
    if len(written) != len(event.words):
        return f"<span>{_text(' '.join(event.text.split()))}</span>"
    spans = []
    for text, word in zip(written, event.words, strict=True):
        first, last = (n - begin for n in _frames(word.begin, word.end, spec))
        spans.append(f'<span begin="{first}f" end="{last}f">{_text(text)}</span>')
    return " ".join(spans)


def _written(text: str) -> list[str]:
    """The script's words, each with its punctuation: a dash alone is no word."""
    words: list[str] = []
    for part in text.split():
        if words and not re.search(r"\w", part):
            words[-1] += f" {part}"
        else:
            words.append(part)
    return words


def _frames(begin: Seconds, end: Seconds, spec: DeliverySpec) -> tuple[int, int]:
    """The nearest frames, counted from the reel's first; at least one."""
    first, start, stop = (
        to_frames(spec.start_timecode + time, spec.frame_rate) for time in (0.0, begin, end)
    )
    return start - first, max(start + 1, stop) - first


def _on_screen(directions: str) -> str:
    """Whether the speaker is seen, if directions say so, alone or in brackets: ON_OFF, (O.S.), (V.O.)."""
    parts = [directions, *_BRACKETED.findall(directions)]
    said = {re.sub(r"[\W_]", "", part).casefold() for part in parts}
    found = [value for value, words in _ON_SCREEN.items() if words & said]
    return found[0] if len(found) == 1 else ""


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("", text))


def _attribute(text: str) -> str:
    return quoteattr(_NOT_XML.sub("", text))
