"""Scripts in DAPT (W3C Dubbing and Audio description Profiles of TTML2), and other TTML, to lines.

ttconv reads TTML to regions on the screen; who speaks, in which language, is not of its model.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element

from moksori.config import Seconds
from moksori.errors import ScriptError
from moksori.messages import Message, message
from moksori.script.columns import NOT_READ
from moksori.script.content import Asked, ScriptContent, joined
from moksori.script.cues import Cue, content_of
from moksori.script.package import attribute
from moksori.script.speakers import Speech
from moksori.script.tables import one_line
from moksori.script.ttml import Event, Names, Walk, read_root
from moksori.script.ttml_times import clock_of, counts_frames
from moksori.timecode import FrameRate, parse_time

_HANGUL = re.compile("[가-힣]")
_NAMED = 20  # events that a warning names
_ORIGIN = "{*}head/{*}metadata/{*}daptOriginTimecode"


def read_dapt(path: Path, asked: Asked) -> ScriptContent:
    """Read the events of .dapt, .ttml, .dfxp or .xml; a `content.Reader`.

    A line is a `p` of one language. Of several languages the one is read that `--columns line=LANG` names, or
    else the only one that is Korean; where that is not one, it is asked. Of a script of dialogue what is
    seen, not said, is left out and reported. Times are time codes, from the document's `daptOriginTimecode`.

    Raises:
        ScriptError: no TTML, or the language has to be asked.
    """
    root = read_root(path)
    try:
        clock = clock_of(root, asked.frame_rate)
    except ScriptError as error:
        raise ScriptError.of("script.understood", place=path, what=error.message) from None
    events = [*Walk(root, clock, asked.hidden).events()]
    language, notice = _language(path, events, asked)
    chosen = [event for event in events if _name(event, events) == language]
    chosen, warnings = _said(path, chosen)
    chosen = _numbered([part for event in chosen for part in event.apart()])
    warnings += _marks(path, chosen)
    if (
        asked.frame_rate
        and clock.frame_rate
        and clock.frame_rate != asked.frame_rate
        and counts_frames(root)
    ):
        warnings.append(message(
            "script.ttml_rate", file=path, said=clock.frame_rate, asked=asked.frame_rate))  # fmt: skip
    elif clock.frame_rate is None and (text := counts_frames(root)):
        warnings.append(message("script.ttml_no_rate", file=path, text=text, rate=clock.fps))
    begin, noticed = None, list[Message]()
    if clock.smpte is None:  # whose times are time codes already
        begin, noticed = _begin(path, root, clock.frame_rate or FrameRate(30))
    warnings += noticed
    names = Names(root)
    content = content_of(
        path, [_cue(event, names) for event in chosen], None, milliseconds=True, warnings=warnings
    )
    by_number = dict(enumerate(chosen, 1))
    lines = [
        replace(
            line, start=_after(begin, line.start), end=_after(begin, line.end),
            actor=names.actors.get(line.character, ""), scene=event.scene,
            directions="" if event.on_screen in ("", "ON") else event.on_screen,
            note=" / ".join(event.notes), file="",
        )
        for line in content.lines if (event := by_number[int(line.place.number)])
    ]  # fmt: skip
    understood = [_understood(path, root, chosen, notice)] if chosen else []
    if begin is not None:
        understood.append(message("script.dapt_begin", file=path, first=_origin(root)))
    return replace(
        content, lines=lines, understood=understood, frame_rate=clock.frame_rate, begin=begin
    )


def _origin(root: Element) -> str:
    """The time code of the document's time 0, as it is written; "" if it says none."""
    return (root.findtext(_ORIGIN) or "").strip()


def _begin(
    path: Path, root: Element, frame_rate: FrameRate
) -> tuple[Seconds | None, list[Message]]:
    """When the document's time 0 is, by its time code, and that it cannot be read."""
    if not (code := _origin(root)):
        return None, []
    try:
        return parse_time(code, frame_rate), []
    except ScriptError as error:
        return None, [message("script.dapt_no_begin", file=path, why=error.message)]


def _after(begin: Seconds | None, time: Seconds | None) -> Seconds | None:
    return time if time is None or begin is None else begin + time


def _name(event: Event, events: Sequence[Event]) -> str:
    """What a text's language is called: ko; where some are translated and some not, ko/en and ko/ko."""
    sources = {one.source for one in events if one.language == event.language}
    return (
        event.language
        if len(sources) == 1
        else f"{event.language}/{event.source or event.language}"
    )


def _language(path: Path, events: Sequence[Event], asked: Asked) -> tuple[str, Message | None]:
    """The language that is read, and which are not.

    Raises:
        ScriptError: it has to be asked, or there is none of that name.
    """
    counts = Counter(_name(event, events) for event in events if event.texts)
    hangul = Counter[str]()
    for event in events:
        hangul[_name(event, events)] += any(
            _HANGUL.search("".join(text.rows)) for text in event.texts
        )
    named = joined(
        [_counted(name, events, counts[name]) for name in counts] or [message("script.none")],
        "script.and",
    )
    wanted = asked.columns.get("line")
    if wanted:
        found = [name for name in counts if name.casefold() == wanted.casefold()]
        if wanted == NOT_READ or not found:
            raise ScriptError.of("script.no_language", file=path, name=wanted, languages=named)
        chosen = found[0]
    elif len(counts) < 2:
        chosen = next(iter(counts), events[0].language if events else "")
    else:
        korean = [name for name in counts if 2 * hangul[name] >= counts[name]]
        if len(korean) != 1:
            raise ScriptError.of(
                "script.which_language", file=path, languages=named, example=next(iter(counts))
            )
        chosen = korean[0]
    others = [_counted(name, events, counts[name]) for name in counts if name != chosen]
    return chosen, joined(others, "script.and") if others else None


def _counted(name: str, events: Sequence[Event], number: int) -> Message:
    one = next(event for event in events if _name(event, events) == name)
    source = one.source
    code = "script.language_from" if source else "script.language"
    return message(code, name=name or "—", number=number, **({"source": source} if source else {}))


def _said(path: Path, events: list[Event]) -> tuple[list[Event], list[Message]]:
    """The events that are said, and that others are left out, if there are both."""
    seen = [event for event in events if event.represents.startswith("visual")]
    sounds = [event for event in events if event.represents.startswith("audio.nonDialogue")]
    left = [*seen, *sounds]
    if len(left) == len(events):
        return events, []
    kept = [event for event in events if event not in left]
    notice = [message(code, file=path, number=len(found), cites=_cited(found))
            for code, found in (("script.seen", seen), ("script.sounds", sounds)) if found]  # fmt: skip
    return kept, notice


def _numbered(events: Sequence[Event]) -> list[Event]:
    """Events with ids of their own: where one holds several texts, d1-1, d1-2."""
    counts, seen = Counter(event.id for event in events), Counter[str]()
    named = []
    for event in events:
        seen[event.id] += 1
        several = event.id and counts[event.id] > 1
        named.append(replace(event, id=f"{event.id}-{seen[event.id]}") if several else event)
    return named


def _cited(events: Sequence[Event]) -> Message:
    cites = [message("script.cites", where=event.id or event.number,
                     text=one_line(" ".join(row for text in event.texts for row in text.rows))[:40])
             for event in events[:_NAMED]]  # fmt: skip
    if (more := len(events) - _NAMED) > 0:
        cites.append(message("script.more_faults", number=more))
    return joined(cites)


def _marks(path: Path, events: Sequence[Event]) -> list[Message]:
    """What was left out within texts."""
    notice = []
    for code, name in (("script.cut", "cut"), ("script.hidden_text", "hidden")):
        cites = [message("script.cites", where=event.id or event.number, text=text[:40])
                 for event in events if (text := one_line(getattr(event, name)))]  # fmt: skip
        if cites:
            notice.append(message(code, place=path, cells=joined(cites[:_NAMED])))
    return notice


def _cue(event: Event, names: Names) -> Cue:
    """An event as a cue of subtitles; its times in seconds."""
    texts = [
        Speech(names.of(text.agent), tuple("".join(text.rows).split("\n"))) for text in event.texts
    ]
    times = event.span.begin, event.span.end
    start, end = ("" if time is None else f"{float(time):.9f}" for time in times)
    speeches = texts or [Speech("", ())]
    where = message("script.event", id=event.id or event.number)
    return Cue(
        event.number, event.id or str(event.number), (start, end), speeches, event.faults, where=where
    )  # fmt: skip


def _understood(
    path: Path, root: Element, events: Sequence[Event], others: Message | None
) -> Message:
    one = events[0]
    read = _counted(_name(one, events), events, len(events))
    kind = attribute(root, "scriptType") or "TTML"
    return message(
        "script.read_language",
        file=path,
        kind=kind,
        read=read,
        others=others or message("script.none"),
    )
