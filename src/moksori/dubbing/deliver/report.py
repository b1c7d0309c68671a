"""The report of a dubbing job: a page to listen, to look and to decide.

report.html         opens at once however long the job is; its sounds and pictures are in report/
report.single.html  everything in one file, to be sent
"""

from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

from moksori.alignment.alignment import Interval
from moksori.config import Seconds
from moksori.dubbing.deliver.retakes import LOOK_AT, URGENT, severity, state, to_look_at
from moksori.dubbing.deliver.spec import DeliverySpec
from moksori.dubbing.records import Dubbed
from moksori.dubbing.work.flags import reason
from moksori.errors import AudioError
from moksori.messages import Lang, say
from moksori.signal import audio
from moksori.writing import atomic_path, atomic_write

SOUNDS = "report"  # folder of the sounds and pictures
_KINDS = {".flac": "audio/flac", ".mp3": "audio/mpeg", ".png": "image/png"}
_Place = Callable[[str, bytes], str]  # puts a file of that name somewhere, and gives its address
_LETTER = 1.5  # percent of a laptop's page that a syllable takes


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What stands above the lines.

    Attributes:
        lines: how many there are.
        converted: of them.
        passed: of them, as recorded.
        failed: of them.
        to_look_at: of them; `retakes.to_look_at`.
        loudness: what was measured of the deliverables, a line each.
        deliverables: names, relative to the job's folder.
    """

    lines: int
    converted: int
    passed: int
    failed: int
    to_look_at: int
    loudness: Sequence[str]
    deliverables: Sequence[str]


def write_report(
    path: Path, rows: Iterable[Dubbed], summary: Summary, spec: DeliverySpec, *, single: bool = True
) -> None:
    """Write the page whole or not at all; only one line's audio is in memory at a time.

    Args:
        path: of the .html.
        rows: in the script's order; read once, as the page is written.
        summary: of all of them.
        spec: of the delivery.
        single: whether sounds and pictures are in the page itself, or in `SOUNDS` beside it.

    Raises:
        OutputError: the place cannot be written to.
    """
    from jinja2 import Environment, StrictUndefined

    place = _within if single else partial(_beside, path.parent)
    if not single:
        (path.parent / SOUNDS).mkdir(exist_ok=True)
    text = files("moksori.dubbing.deliver").joinpath("report.html.j2").read_text(encoding="utf-8")
    page = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    ).from_string(text)
    views = (_view(number, row, spec, place, path.parent) for number, row in enumerate(rows, 1))
    pieces = page.generate(
        lang=spec.lang,
        say=partial(say, lang=spec.lang),
        spec=spec,
        summary=summary,
        lines=views,
        linked=not single,
    )
    with (
        atomic_path(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file,
    ):
        file.writelines(pieces)


def _within(name: str, content: bytes) -> str:
    return f"data:{_KINDS[Path(name).suffix]};base64,{b64encode(content).decode()}"


def _beside(folder: Path, name: str, content: bytes) -> str:
    atomic_write(folder / SOUNDS / name, content)
    return f"{SOUNDS}/{quote(name)}"


def _view(
    number: int, row: Dubbed, spec: DeliverySpec, place: _Place, folder: Path
) -> dict[str, Any]:
    """What the page shows of a line."""
    take, line, lang = row.take, row.take.line, spec.lang
    begin, end = row.speech or (0.0, 0.0)
    words, levels = _laid_out(row.words, begin, end)
    return {
        "number": line.no or number,
        "id": take.id,
        "place": line.place.say(lang),
        "timecode": " – ".join(filter(None, map(spec.script_timecode, (line.start, line.end))))
        or ("" if take.start is None else spec.timecode(take.start)),
        "mark": state(row),
        "note": row.mark.note if row.mark else "",
        "file": quote(f"lines/{take.id}.wav")
        if (folder / "lines" / f"{take.id}.wav").exists()
        else "",
        "character": line.character,
        "voice": "" if row.status == "passed" else take.role.voice,
        "actor": line.actor,
        "text": line.text,
        "directions": line.directions,
        "seconds": take.seconds,
        "status": row.status,
        "error": row.error.say(lang) if row.error else "",
        "severity": 2.0
        if row.status == "failed"
        else severity(row),  # the failed ones before all others
        "level": _level(severity(row)),
        "look": to_look_at(row),
        "flags": [(_level(flag.severity), reason(flag, lang)) for flag in row.flags],
        "source": _source(row, lang, place),
        "result": _player(row.sounds[1], f"{take.id}.result", "result.none", lang, place)
        if row.sounds
        else ("", ""),
        "confidence": (row.metrics or {}).get("confidence"),
        "picture": _picture(row, lang, place),
        "begin": begin,
        "end": end,
        "words": words,
        "levels": levels,
    }


def _level(severity: float) -> str:
    if severity >= URGENT:
        return "red"
    return "amber" if severity >= LOOK_AT else "grey"


def _source(row: Dubbed, lang: Lang, place: _Place) -> tuple[str, str]:
    """Where the recording is heard; of a line that failed it is encoded only now."""
    take, name = row.take, f"{row.take.id}.source"
    if row.sounds or not take.samples:  # 0 of a line that the job continues without
        return _player(row.sounds[0] if row.sounds else None, name, "source.none", lang, place)
    try:  # as it is, since it may be the reason of the failure
        part = take.begin, take.samples
        recording = audio.decode(take.audio, part=part, channel=take.channel)
        content = audio.for_page(recording.mono, recording.sample_rate)
        return place(f"{name}.flac", content), ""
    except (AudioError, OSError):
        return "", say("gone", lang, file=take.audio.name)


def _player(
    path: Path | None, name: str, missing: str, lang: Lang, place: _Place
) -> tuple[str, str]:
    """Where a sound is heard; and why there is none, where there is none."""
    if path is None:
        return "", say(missing, lang)
    try:
        content = path.read_bytes()
    except OSError:
        return "", say("gone", lang, file=path.name)
    return place(name + path.suffix, content), ""


def _picture(row: Dubbed, lang: Lang, place: _Place) -> tuple[str, str]:
    """Where the alignment is seen; and why it is not, where it should be."""
    if row.picture is None:
        return "", ""
    try:
        content = row.picture.read_bytes()
    except OSError:
        return "", say("gone", lang, file=row.picture.name)
    return place(f"{row.take.id}.png", content), ""


def _laid_out(
    words: Sequence[Interval], begin: Seconds, end: Seconds
) -> tuple[list[dict[str, Any]], int]:
    """Where the words lie under the picture, in percent of its width; and how many levels they take.

    A label that would run into the one before it goes a level down.
    """
    if end <= begin:
        return [], 0
    full: list[float] = []  # how far each level is taken
    places = []
    for word in words:
        left, right = (
            min(max(100 * (at - begin) / (end - begin), 0.0), 100.0)
            for at in (word.begin, word.end)
        )
        wide = _LETTER * (len(word.label) + 1)
        at = max(0.0, min(left, 100 - wide))
        level = next((i for i, taken in enumerate(full) if taken <= at), len(full))
        full[level : level + 1] = [at + wide]
        places.append(
            {"label": word.label, "left": left, "width": right - left, "at": at, "level": level}
        )
    return places, len(full)
