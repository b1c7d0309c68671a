"""What the page shows, as JSON: the whole job, and one line in detail."""

import math
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

from moksori.dubbing.check import Checked
from moksori.dubbing.deliver.delivery import delivered_lines
from moksori.dubbing.deliver.retakes import LOOK_AT, URGENT, severity, state, to_look_at
from moksori.dubbing.plan.cast import read_cast
from moksori.dubbing.plan.changes import change_role
from moksori.dubbing.records import HOME, PER_LINE, Change, Dubbed, Mark, Take
from moksori.dubbing.request import JobFile
from moksori.dubbing.states import LineState
from moksori.dubbing.task import sound_of
from moksori.dubbing.work.flags import reason
from moksori.errors import MoksoriError, TextError
from moksori.messages import Lang, Message, message
from moksori.script.line import Line, Place
from moksori.studio import folders
from moksori.studio.answers import on_page
from moksori.studio.desk import Desk
from moksori.studio.works import Work
from moksori.timecode import FrameRate, format_timecode

# What a consent does not cover: title and purpose may have to be said, or be others.
_OF_USE = ("voice.ask_purpose", "voice.purpose", "voice.ask_title", "voice.title")


def job_view(desk: Desk, lang: Lang) -> dict[str, Any]:
    """Everything that the page shows of a job, but what is only shown of one line."""
    file, checked = desk.file, desk.checked
    view: dict[str, Any] = {
        "name": desk.name, "folder": desk.out.name,
        "error": shown(desk.error, file, lang) if desk.error else "",
        "settings": {
            "script": file.script.name if file.script else "",
            "audio": file.audio.name if file.audio else "",
            "track": bool(file.audio and file.audio.is_file()),
            **file.model_dump(
                mode="json",
                include={"fps", "start", "episode", "columns", "channels", "pattern", "handles",
                         "mean_f0",
                         "sample_rate", "loudness", "length", "stems", "floor", "without", "spell",
                         "purpose", "title", "lang"},
            ),
        },
        "lines": [], "issues": [], "cast": [], "elsewhere": desk.elsewhere(), "outdated": 0,
        "choices": _choices(desk),
    }  # fmt: skip
    if checked is not None:
        view["lines"] = _lines(desk, checked, lang)
        view["issues"] = _issues(checked, file, lang)
        view["cast"] = _cast(desk, checked)
        view["outdated"] = _outdated(desk)
    return view


def shown(what: Message, file: JobFile, lang: Lang) -> str:
    """A message of the job as a page says it: files by their names, since it is of one folder."""
    text = " ".join(on_page(what).say(lang).split())
    for path in filter(None, (file.script, file.audio, file.cast, file.lexicon)):
        text = text.replace(str(path), path.name)
    return text


def _choices(desk: Desk) -> dict[str, list[str]]:
    """Names of scripts and recordings to choose from, where several lie beside the job and none is chosen."""
    file = desk.file
    if file.script and file.audio:
        return {}
    try:
        scripts, sounds = folders.lying_around(desk.out)
    except OSError:  # a folder that may not be read
        return {}
    return {
        kind: [path.name for path in found]
        for kind, found, chosen in (("script", scripts, file.script), ("audio", sounds, file.audio))
        if found and not chosen
    }


def _outdated(desk: Desk) -> int:
    """How many lines are other than they were delivered last; 0 if nothing was delivered."""
    before = delivered_lines(desk.out)
    now = {id: row.wave.name if row and row.wave else "" for id, row in desk.rows().items()}
    return sum(before.get(id, "") != now.get(id, "") for id in before.keys() | now) if before else 0


def _lines(desk: Desk, checked: Checked, lang: Lang) -> list[dict[str, Any]]:
    rows, states, changes, marks = (
        desk.rows(), desk.states(), desk.review.changes(), desk.review.marks(),
    )  # fmt: skip
    takes, sounding = {take.id: take for take in checked.takes}, desk.sounding()
    recorded = {take.id: take for take in checked.recorded}
    return [
        _line(
            checked, id, line, takes.get(id), recorded.get(id), rows.get(id), states.get(id),
            changes.get(id, Change()), marks.get(id), sounding.get(id, ""), desk.file, lang,
        )
        for id, line in checked.lines.items()
    ]  # fmt: skip


def _line(
    checked: Checked,
    id: str,
    line: Line,
    take: Take | None,
    recorded: Take | None,
    row: Dubbed | None,
    standing: LineState | None,
    change: Change,
    mark: Mark | None,
    sounding: str,
    file: JobFile,
    lang: Lang,
) -> dict[str, Any]:
    text = change.text if change.text is not None else line.script_text
    role = change_role(checked.cast.role(line.character), change) or (take.role if take else None)
    own = take.role if take else role
    status = "faulty" if take is None else str(row.status) if row else "waiting"
    if take and standing and standing.status == "begun":
        status = "begun"
    key = row.wave.stem if row and row.wave else sounding
    flags = row.flags if row else ()
    said = mark or Mark()
    marked = state(row) if row and row.mark else said.state if said.state != "ok" else ""
    return {
        "id": id, "place": line.place.say(lang), "no": line.no, "character": line.character,
        "actor": line.actor, "text": text, "directions": line.directions,
        "start": _timecode(line.start, checked), "end": _timecode(line.end, checked),
        "seconds": round(recorded.seconds, 2) if recorded else 0,
        "status": status, "key": key,
        "error": _error(row, standing, file, lang),
        "flags": [{"level": _level(flag.severity), "text": reason(flag, lang)} for flag in flags],
        "severity": severity(row) if row else 0.0,
        "look": bool(row and to_look_at(row)) or status == "faulty" or said.state in ("retake", "hold"),
        "confidence": (row.metrics or {}).get("confidence") if row else None,
        "voice": role.voice if role else "", "pitch": role.pitch if role else 0.0,
        "gain": role.gain if role else 0.0, "pass": bool(own and own.as_recorded),
        "effort": role.effort if role else 1.0, "script": line.script_text,
        "change": {
            name: value
            for name in ("text", *PER_LINE)
            if (value := getattr(change, name)) is not None
        },
        "take": recorded.audio.name if recorded else "", "new_take": change.take is not None,
        "mark": "" if marked == "stale" else marked,
        "stale": bool(said.state == "ok" and key and said.key != key),
        "note": said.note,
    }  # fmt: skip


def _error(row: Dubbed | None, standing: LineState | None, file: JobFile, lang: Lang) -> str:
    error = row.error if row else standing.error if standing else None
    return shown(error, file, lang) if error else ""


def _level(severity: float) -> str:
    return "red" if severity >= URGENT else "amber" if severity >= LOOK_AT else "grey"


def _timecode(time: float | None, checked: Checked) -> str:
    return "" if time is None else _written(time, checked.frame_rate)


@lru_cache(maxsize=4096)
def _written(time: float, frame_rate: FrameRate) -> str:
    return format_timecode(time, frame_rate)


def _issues(checked: Checked, file: JobFile, lang: Lang) -> list[dict[str, Any]]:
    ids = {line.place: id for id, line in checked.lines.items()}
    return [
        {
            "severity": issue.severity, "kind": issue.kind,
            "text": shown(message(f"issue.{issue.kind}", **issue.values), file, lang),
            "place": issue.say_place(lang),
            "line": ids.get(issue.place, "") if isinstance(issue.place, Place) else "",
            "of_use": isinstance(why := issue.values.get("why"), Message) and why.code in _OF_USE,
            "values": {k: v for k, v in issue.values.items() if isinstance(v, str)},
        }
        for issue in checked.issues
    ]  # fmt: skip


def _cast(desk: Desk, checked: Checked) -> list[dict[str, Any]]:
    counts = Counter(line.character for line in checked.lines.values())
    seconds: Counter[str] = Counter()
    for take in checked.recorded:
        seconds[take.line.character] += round(take.seconds)
    try:
        cast = read_cast(desk.file.cast) if desk.file.cast else None
    except MoksoriError:
        cast = None
    found = []
    for character, count in counts.most_common():
        role = cast.role(character) if cast else None
        actors = dict.fromkeys(
            line.actor for line in checked.lines.values() if line.character == character
        )
        found.append({
            "character": character, "actors": [actor for actor in actors if actor],
            "lines": count, "seconds": seconds[character],
            "own": bool(cast and (not character or character in cast.characters)),
            **(role.model_dump(by_alias=True) if role else {"voice": ""}),
        })  # fmt: skip
    return found


def line_view(desk: Desk, id: str, lang: Lang) -> dict[str, Any] | None:
    """What is only shown of one line: when its words are said, how it is read, its versions."""
    checked = desk.checked
    if checked is None or id not in checked.lines:
        return None
    row, line = desk.rows().get(id), checked.lines[id]
    key = row.wave.stem if row and row.wave else ""
    versions = [
        version._asdict() | {"audio": Path(version.audio).name, "current": version.key == key}
        for version in desk.review.versions(id)
        if sound_of(desk.out / HOME / "lines", version.key, "result").exists()
    ]
    return {
        "id": id, "key": key, "words": row.words if row else (),
        "speech": row.speech if row else None, "picture": bool(row and row.picture),
        "metrics": {
            name: value
            for name, value in ((row.metrics or {}) if row else {}).items()
            if math.isfinite(value)
        },
        "reading": reading_view(desk, line.text, lang), "versions": versions,
    }  # fmt: skip


def reading_view(desk: Desk, text: str, lang: Lang) -> dict[str, Any]:
    """How a text is read."""
    checked = desk.checked
    if checked is None:
        return {"error": ""}
    front_end = checked.converter.front_end
    try:
        reading = front_end.read(text, desk.file.spell, desk.file.lexicon)
    except TextError as error:
        return {"error": on_page(error.message).say(lang)}
    return {
        "error": "", "normalized": reading.normalized, "pronounced": reading.pronounced,
        "doubts": [
            {"text": doubt.text, "reading": doubt.reading, "why": doubt.reason.say(lang)}
            for doubt in reading.doubts
        ],
    }  # fmt: skip


def work_view(work: Work, lang: Lang) -> dict[str, Any]:
    """A work, and how far it is."""
    progress = work.progress
    return {
        "number": work.number, "kind": work.kind, "about": work.about, "state": work.state,
        "quiet": work.quiet,
        "error": on_page(work.error).say(lang) if work.error else "", "result": _said(work.result, lang),
        "stage": progress.stage.value if progress else "",
        "done": progress.done if progress else 0, "total": progress.total if progress else 0,
        "left": progress.left if progress else None,
    }  # fmt: skip


def _said(result: Any, lang: Lang) -> Any:
    """What a work has found, with its messages in words."""
    if isinstance(result, Message):
        return on_page(result).say(lang)
    if isinstance(result, list):
        return [_said(one, lang) for one in result]
    if isinstance(result, dict):
        return {key: _said(value, lang) for key, value in result.items()}
    return result
