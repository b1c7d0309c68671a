"""Who speaks each line, by the cast: names however they are written, and labels before the text."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from moksori.dubbing.plan.cast import Cast
from moksori.dubbing.plan.issues import Issue
from moksori.messages import Message, Value, message
from moksori.script import groups
from moksori.script.line import Line, Place
from moksori.script.names import name_key, near_misses, plain_name, visible
from moksori.script.speakers import Label, Speech, labels, parted, several_speakers
from moksori.script.tables import one_line

_DIRECTIONS = re.compile(
    r"웃|울음|우는|흐느|숨|비명|기침|침묵|정적|^사이$|음악|노래|효과|소리|놀라|놀람|속삭|작게|크게|조용|신음|하품|헛|박수"
    r"|(며|면서|하게|듯|듯이|다가|하고)$"
)  # brackets that are no names, however often they stand there; a first cast is looked through anyway


def with_speakers(
    lines: Sequence[Line], cast: Cast, faulty: Collection[Place] = ()
) -> tuple[list[Line], list[Issue], set[Place]]:
    """Lines with the cast's names for their characters, and with those whose labels their texts begin with.

    A label is a name of the cast before a text or after a sentence: `하나: 안녕?`, `[하나] 안녕?`.

    Args:
        lines: of the script.
        cast: of the show.
        faulty: lines of which nothing more is reported.

    Returns:
        The lines, split where several people speak; issues: whose names were read as others', labels that
        are nobody in the cast, and who falls to [default]; and the lines that have faults of this kind.
    """
    spoken, issues, conflicting = list[Line](), list[Issue](), set[Place]()
    for written in lines:
        line = _as_cast(written, cast)
        if line.character != written.character and written.place not in faulty:
            names: dict[str, Value] = {"written": written.character, "name": line.character}
            issues.append(Issue("note", written.place, "read_as", names))
        parts, why = named(line, cast)
        spoken += parts
        if why and written.place not in faulty:
            issues.append(Issue("error", written.place, "script", {"why": why}))
            conflicting.add(written.place)
        elif written.place not in faulty:
            issues += [*_unknown_labels(parts[0], cast), *_by_default(parts[0], cast)]
    return spoken, issues, conflicting


def _as_cast(line: Line, cast: Cast) -> Line:
    """A line whose character is called as in the cast; how it is said, in brackets, becomes directions."""
    if not line.character:
        return line
    plain, extension = plain_name(line.character)
    name = cast.find(line.character) or plain
    if name_key(name) == name_key(line.character):
        return replace(line, character=name)
    directions = " ".join(filter(None, (extension, line.directions)))
    return replace(line, character=name, directions=directions)


def named(line: Line, cast: Cast) -> tuple[list[Line], Message | None]:
    """A line with the character whose label its text begins with; split, with a fault, if several."""
    speeches = _speeches(line, cast)
    if len({speech.name for speech in speeches}) > 1:
        return parted(line, speeches), several_speakers(speeches)
    name = speeches[0].name
    text = one_line(" ".join(row for speech in speeches for row in speech.rows))
    if line.character and name != line.character:
        values = {"label": name, "character": line.character}
        return [line], message("script.other_label", **values)
    return [replace(line, text=text, character=name)], None


def _speeches(line: Line, cast: Cast) -> list[Speech]:
    """The parts of a text that begin with labels of the cast, and whose they are."""
    parts: list[tuple[str, list[str]]] = [(line.character, [])]
    for row in line.rows or (line.text,):
        shown, begin = visible(row), 0
        for label in labels(row):
            name = cast.find(label.name)
            if name is None:
                continue
            if before := shown[begin : label.begin].strip():
                parts[-1][1].append(before)
            parts.append((name, []))
            begin = label.end
        rest = shown[begin:] if begin else row
        if rest.strip():
            parts[-1][1].append(rest)
    return [Speech(name, tuple(rows)) for name, rows in parts if rows] or [
        Speech(line.character, ())
    ]


def _unknown_labels(line: Line, cast: Cast) -> Iterable[Issue]:
    """A label that may be a character whom the cast does not know: it is read aloud, or as a direction."""
    if line.character:
        return
    for label in labels(line.text)[:1]:
        near = near_misses(label.name, cast.characters)
        if not label.bracketed or near:
            values: dict[str, Value] = {"name": label.name, "near": near_message(label.name, cast)}
            yield Issue("warning" if near else "note", line.place, "prefix", values)


def _by_default(line: Line, cast: Cast) -> Iterable[Issue]:
    """Whether a line falls to [default]: nobody does so unseen."""
    if cast.default is None or cast.find(line.character):
        return
    if groups.several(line.character, cast.characters):
        return  # an error of its own
    near = near_misses(line.character, cast.characters) if line.character else []
    voice = message("passed") if cast.default.as_recorded else cast.default.voice
    values: dict[str, Value] = {
        "character": line.character or message("character.none"), "voice": voice,
        "near": near_message(line.character, cast),
    }  # fmt: skip
    yield Issue("warning" if near else "note", line.place, "by_default", values)


def near_message(name: str, cast: Cast) -> Message | str:
    """A question whether a character of the cast was meant; empty if none is near."""
    near = near_misses(name, cast.characters) if name else []
    if not near:
        return ""
    return message("issue_near", names=", ".join(f"“{other}”" for other in near))


def with_prefixes(lines: Sequence[Line]) -> list[Line]:
    """Lines as a first cast takes them: without 하나(N)'s (N), a line of several people once for each.

    Labels that stand before texts more than once, or are characters elsewhere, are characters.
    """
    lines = [replace(line, character=plain_name(line.character)[0]) for line in lines]
    counts = Counter[str]()
    for line in lines:
        if not line.character:
            counts.update({name_key(label.name) for label in _row_labels(line)})
    known = {name_key(line.character) for line in lines if line.character}
    known |= {key for key, count in counts.items() if count > 1}
    named_lines = list[Line]()
    for line in lines:
        found = [] if line.character else _row_labels(line)
        names = [plain_name(label.name)[0] for label in found if name_key(label.name) in known]
        named_lines += [replace(line, character=name) for name in dict.fromkeys(names)] or [line]
    return named_lines


def _row_labels(line: Line) -> list[Label]:
    """What may be labels of a line, without directions such as [웃음]."""
    return [
        label
        for row in line.rows or (line.text,)
        for label in labels(row)
        if not (label.bracketed and _DIRECTIONS.search(label.name))
    ]
