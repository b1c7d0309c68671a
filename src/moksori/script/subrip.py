"""Cues of SubRip (SRT) and WebVTT. Nothing of the file is dropped: what is no cue has a fault of its own.

pysubs2 takes notes, names of cues and malformed times for something else and says nothing, and knows no
frames, so that it is not used here.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from moksori.errors import ScriptError
from moksori.files import read_text
from moksori.messages import Message, message
from moksori.script.content import Asked, ScriptContent
from moksori.script.cues import ENTITIES_DEEP, Cue, content_of, entities
from moksori.script.speakers import Speech
from moksori.script.tables import one_line

_ARROW = "-->"
_STAMP = r"(\d{1,2}\s*[:;]\s*\d{1,2}\s*[:;]\s*\d{1,2}\s*[,.:;]\s*\d{1,3}"
_SETTINGS = r"(?:\s+[A-Za-z]\w*:.*)?"  # where the cue stands on the picture
_TIMES = {
    ".srt": re.compile(rf"\s*{_STAMP})\s*-->\s*{_STAMP}){_SETTINGS}\s*"),
    ".vtt": re.compile(
        rf"\s*{_STAMP}|\d\d:\d\d\.\d{{3}})\s*-->\s*{_STAMP}|\d\d:\d\d\.\d{{3}}){_SETTINGS}\s*"
    ),
}
_TWO_TIMES = re.compile(r"\d\d:\d\d:\d\d[,.]\d{3}\D+\d\d:\d\d:\d\d[,.]\d{3}\s*")
_EXAMPLES = {".srt": "00:00:01,000 --> 00:00:02,000", ".vtt": "00:00:01.000 --> 00:00:02.000"}
_VTT_ASIDES = re.compile(r"(WEBVTT|NOTE|STYLE|REGION)(\s|$)")
_VOICE = re.compile(r"<v(?:\.[^\s>]+)?\s+([^>]*)>")
_RUBY = re.compile(r"<(rt|rp)>.*?</\1>", re.IGNORECASE | re.DOTALL)
_STRUCK = re.compile(r"<(s|strike|del)>(.*?)(?:</\1>|$)", re.IGNORECASE | re.DOTALL)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_SRT_TAG = re.compile(
    r"</?(?:[ibsu]|em|strong|font|span|ruby|rt|rp|p|div|c|lang|v)(?:[\s.][^<>]*)?/?>|\{\\[^}]*\}",
    re.IGNORECASE,
)  # {\an8} is a mark, {웃음} is text, and so is <하나>
_VTT_TAG = re.compile(r"<[^<>]*>")
Row = tuple[int, str]


def read_subrip(path: Path, asked: Asked) -> ScriptContent:
    """Read the cues of .srt or .vtt; a `content.Reader`.

    Args:
        path: of the file.
        asked: what is asked; subtitles have no columns and no episodes.

    Returns:
        A line a cue with text; with a fault where it is malformed, ends before it starts, or is several
        people's, and where rows belong to no cue. Its number is the cue's, or where cues share one, its
        place among them, with a warning.

    Raises:
        ScriptError: a .vtt that does not begin with WEBVTT.
    """
    rows = _single_spaced([*enumerate(read_text(path, ScriptError).split("\n"), 1)])
    kind = path.suffix.lower()
    if kind not in _TIMES:  # saved as plain text
        kind = ".vtt" if rows[0][1].startswith("WEBVTT") else ".srt"
    if kind == ".vtt" and not rows[0][1].startswith("WEBVTT"):
        raise ScriptError.of("script.no_webvtt", file=path)
    cues = list[Cue]()
    for block in _blocks(rows, kind):
        aside = kind == ".vtt" and _VTT_ASIDES.match(block[0][1])
        if aside and not any(_ARROW in row for _, row in block):
            continue
        cues += _cues(block, kind, len(cues) + 1)
    milliseconds = any(
        len(text) > 3 and text[-4] in ",." for cue in cues for text in cue.times if text
    )
    cues, warnings = _numbered(path, cues)
    return content_of(path, cues, asked.frame_rate, milliseconds, warnings)


def _numbered(path: Path, cues: list[Cue]) -> tuple[list[Cue], list[Message]]:
    """Cues with numbers of their own: as they come where the file has one twice, as joined files do."""
    counts = Counter(cue.no for cue in cues if cue.no)
    twice = [no for no, count in counts.items() if count > 1]
    if not twice:
        return cues, []
    notice = message("script.cue_numbers", file=path, no=twice[0], number=counts[twice[0]])
    return [
        cue if cue.stray else cue._replace(no=str(number)) for number, cue in enumerate(cues, 1)
    ], [notice]


def _single_spaced(rows: list[Row]) -> list[Row]:
    """Rows without the empty one that some converters put behind each."""
    doubled = len(rows) > 5 and not any(row.strip() for _, row in rows[1::2])
    return rows[::2] if doubled else rows


def _blocks(rows: list[Row], kind: str) -> Iterator[list[Row]]:
    """Rows between empty ones. In WebVTT a row of spaces is empty only where a cue follows it."""
    block: list[Row] = []
    for i, (number, row) in enumerate(rows):
        after = [text for _, text in rows[i + 1 : i + 3]]
        ends = not row if kind == ".vtt" else not row.strip()
        if ends or (not row.strip() and any(_ARROW in text for text in after)):
            if block:
                yield block
            block = []
        else:
            block.append((number, row))
    if block:
        yield block


def _cues(block: list[Row], kind: str, count: int) -> list[Cue]:
    """The cue of a block, and as cues with a fault what else it holds."""
    arrows = [i for i, (_, row) in enumerate(block) if _ARROW in row]
    example = _EXAMPLES[kind]
    if not arrows:
        return [_stray(block, message("script.no_cue", example=example))]
    head = arrows[0]
    named = head == 1 and (kind == ".vtt" or block[0][1].strip().isdecimal())
    found = []
    if head > int(named):
        found.append(_stray(block[:head], message("script.no_cue", example=example)))
        named = False
    (row, timing), rest = block[head], block[head + 1 :]
    faults = list[Message]()
    if len(arrows) > 1:
        faults.append(message("script.times_within", row=block[arrows[1]][0]))
    elif any(_TWO_TIMES.fullmatch(text) for _, text in rest):
        faults.append(message("script.text_of_times"))
    stamps = _TIMES[kind].fullmatch(timing)
    times = (_stamp(stamps[1], kind), _stamp(stamps[2], kind)) if stamps else ("", "")
    if not all(times):
        faults.append(message("script.no_times", text=timing.strip()[:80], example=example))
        times = ("", "")
    no = block[0][1].strip() if named else str(count + len(found))
    text = "\n".join(text for _, text in rest)
    cut = " ".join(found[2] for found in _STRUCK.finditer(text))
    speeches = _speeches(_STRUCK.sub("", text), kind)
    return [*found, Cue(row, one_line(no), times, speeches, tuple(faults), cut=_plain(cut, kind))]


def _stamp(text: str, kind: str) -> str:
    """A time as `parse_time` reads it; "" for one of neither milliseconds nor frames, as 00:00:01,5."""
    bare = re.sub(r"\s", "", text)
    fraction = re.search(r"[,.](\d+)$", bare)
    if kind == ".vtt" and fraction and "," in bare:
        return ""  # WebVTT has points alone
    return "" if fraction and len(fraction[1]) == 1 else bare


def _stray(rows: list[Row], fault: Message) -> Cue:
    text = tuple(row for _, row in rows)
    return Cue(rows[0][0], "", ("", ""), [Speech("", text)], (fault,), stray=True)


def _plain(text: str, kind: str) -> str:
    """Text without tags and entities."""
    tag, deep = (_VTT_TAG, 1) if kind == ".vtt" else (_SRT_TAG, ENTITIES_DEEP)
    return entities(tag.sub("", text), deep)


def _speeches(text: str, kind: str) -> list[Speech]:
    """What is said in a cue, by whom as far as voice tags tell."""
    text = _BREAK.sub("\n", _RUBY.sub("", text))
    before, *voices = _VOICE.split(text)
    spoken = [("", before), *zip(voices[::2], voices[1::2], strict=True)]
    parts: list[tuple[str, str]] = []
    for name, said in spoken:
        said = _plain(said, kind)
        name = one_line(entities(name, 1 if kind == ".vtt" else ENTITIES_DEEP))
        if parts and parts[-1][0] == name:
            parts[-1] = (name, f"{parts[-1][1]} {said}")
        elif said.strip() or name:
            parts.append((name, said))
    if kind == ".srt":
        parts = [(name, re.sub(r"\\[Nnh]", "\n", said)) for name, said in parts]
    return [Speech(name, tuple(said.strip().split("\n"))) for name, said in parts] or [
        Speech("", ())
    ]
