"""What the page hears and downloads: only files that the job itself knows of, never a path of the page's."""

from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from starlette.responses import FileResponse, RedirectResponse, Response

from moksori.dubbing.records import HOME, Take
from moksori.dubbing.states import delivered_files
from moksori.dubbing.task import sound_of
from moksori.errors import AudioError, MoksoriError
from moksori.messages import Lang
from moksori.script.headers import COLUMNS
from moksori.script.script import read_script
from moksori.signal import audio
from moksori.signal.decoders import inspect
from moksori.studio.session import Session
from moksori.studio.view import shown
from moksori.timecode import NTSC_DROP, FrameRate, format_timecode

_KINDS = {
    ".flac": "audio/flac", ".mp3": "audio/mpeg", ".png": "image/png", ".wav": "audio/wav",
}  # fmt: skip
_ANEW = {"cache-control": "no-cache"}  # the model may be another, or a consent may have ended
_FOR_EVER = {"cache-control": "private, max-age=31536000, immutable"}  # a key is a hash
_OF_REPORT = (  # its script is in the page itself, which holds no text that is not escaped
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: 'self'; "
    "media-src data: 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_SHOWN = 6  # lines of a preview


def sample(session: Session, voice: str) -> Response | None:
    """A sentence in a voice; None if there is none, or it may not be used."""
    try:
        return Response(session.singles.sample(voice), media_type="audio/flac", headers=_ANEW)
    except MoksoriError:
        return None


def outcome(session: Session, key: str, what: str) -> Response | None:
    """A file of an outcome; None if there is none."""
    if len(key) != 32 or not set(key) <= set("0123456789abcdef"):
        return None
    folder = session.the_desk().out / HOME / "lines"
    if what in ("source", "result"):
        path = sound_of(folder, key, "source" if what == "source" else "result")
    elif what in ("picture", "wave"):
        path = folder / f"{key}{'.png' if what == 'picture' else '.wav'}"
    else:
        return None
    if not path.is_file():
        return None
    return FileResponse(path, media_type=_KINDS[path.suffix], headers=_FOR_EVER)


def source(session: Session, id: str) -> Response | None:
    """The recording of a line that is not converted, as a page plays it."""
    checked = session.the_desk().checked
    take = next((take for take in checked.recorded if take.id == id), None) if checked else None
    if take is None:
        return None
    try:
        changed = take.audio.stat().st_mtime_ns
        return Response(_for_page(take, changed), media_type="audio/flac")
    except (OSError, AudioError):
        return None


@lru_cache(maxsize=64)
def _for_page(take: Take, changed: int) -> bytes:
    part = take.begin, take.samples
    recording = audio.decode(take.audio, part=part, channel=take.channel)
    return audio.for_page(recording.mono, recording.sample_rate)


def loose(session: Session, name: str) -> Response | None:
    """A converted line that belongs to no job."""
    folder = session.singles.folder
    path = next((path for path in folder.iterdir() if path.name == name), None)
    return FileResponse(path, media_type="audio/wav", filename=name) if path else None


def delivered(session: Session) -> list[dict[str, Any]]:
    """What the job has delivered; of reel and stems also when they begin and their length, in seconds."""
    out = session.the_desk().out
    found = []
    for name in sorted(delivered_files(out)):
        path = out / name
        if not path.is_file():
            continue
        about: dict[str, Any] = {"path": name, "bytes": path.stat().st_size}
        if name.endswith(".wav") and name.startswith(("reel", "stems/")):
            with suppress(AudioError):  # somebody's own by now
                header = inspect(path)
                about["begin"] = (header.time_reference or 0) / header.sample_rate
                about["seconds"] = header.frames / header.sample_rate
        found.append(about)
    return found


def delivered_file(session: Session, path: str) -> Response | None:
    """One of these; for a folder, which the report links to, the screen that lists its files; else None."""
    out = session.the_desk().out
    if any(file.startswith(f"{path}/") for file in delivered_files(out)):
        return RedirectResponse("/#reel", 303)
    if path not in delivered_files(out) or not (out / path).is_file():
        return None
    if path.endswith((".html", ".wav", ".vtt", ".flac", ".mp3", ".png")):
        headers = {"cache-control": "no-cache"}
        if path.endswith(".html"):
            headers["content-security-policy"] = _OF_REPORT
        return FileResponse(out / path, headers=headers)
    return FileResponse(out / path, filename=Path(path).name)


def preview(session: Session, lang: Lang) -> dict[str, Any]:
    """What is understood of the job's script: its first lines, and which of the columns are filled."""
    file = session.the_desk().file
    if file.script is None:
        return {"error": "", "rows": [], "columns": []}
    try:
        content = read_script(
            file.script, columns=file.columns, episode=file.episode, hidden=file.hidden,
            frame_rate=FrameRate.parse(file.fps) if file.fps else None,
        )  # fmt: skip
    except MoksoriError as error:
        return {"error": shown(error.message, file, lang), "rows": [], "columns": [*COLUMNS]}
    names = {"line": "text"} | {key: key for key in COLUMNS if key != "line"}
    filled = [key for key, name in names.items() if any(getattr(x, name) for x in content.lines)]
    rate = FrameRate.parse(file.fps) if file.fps else NTSC_DROP

    def cell(value: object) -> str:
        return format_timecode(value, rate) if isinstance(value, float) else str(value or "")

    rows = [[cell(getattr(line, names[key])) for key in filled] for line in content.lines]
    return {
        "error": shown(content.question, file, lang) if content.question else "",
        "columns": [*COLUMNS], "filled": filled, "rows": rows[:_SHOWN],
        "lines": len(rows),
        "understood": [shown(what, file, lang) for what in content.understood],
        "warnings": [shown(why, file, lang) for why in content.warnings],
        "faults": [f"{fault.where.say(lang)}: {shown(fault.what, file, lang)}" for fault in content.faults],
    }  # fmt: skip
