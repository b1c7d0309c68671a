"""What libsndfile does not know (AAC, Opus in WebM), decoded by the command `ffmpeg` where it is there."""

import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from moksori.errors import AudioError
from moksori.messages import message

# The demuxer is named, so that no playlist under another suffix is followed to other files or hosts.
DEMUXERS = {
    ".m4a": "mov", ".mp4": "mov", ".mov": "mov", ".3gp": "mov", ".aac": "aac", ".webm": "matroska",
    ".mka": "matroska", ".mkv": "matroska", ".opus": "ogg", ".wma": "asf", ".amr": "amr",
}  # fmt: skip
_SIGNS = {
    (4, b"ftyp"): "mov",
    (0, b"\x1aE\xdf\xa3"): "matroska",
    (0, b"0&\xb2u"): "asf",
    (0, b"#!AMR"): "amr",
}
_LONGEST = 4 * 3600  # seconds decoded of a file; a longer one is refused
_CUT = re.compile("ended prematurely|corrupt input packet|End of file$|partial file")
_PATIENCE = 900  # seconds that ffmpeg may take
_decoded: dict[tuple[Path, int, int], Path] = {}  # the file decoded last, by path, time and size
_turn = Lock()  # of threads: a file that one has decoded is not taken away before it is open


def demuxer_of(path: Path, head: bytes) -> str | None:
    """The demuxer of a file by its first bytes, whatever its ending says, else by its ending."""
    for (place, sign), name in _SIGNS.items():
        if head.startswith(sign, place):
            return name
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return "aac"
    return DEMUXERS.get(path.suffix.lower())


def decoded(path: Path, demuxer: str) -> BinaryIO:
    """A WAV of all that an audio file holds, open; the last one is kept until the process ends.

    Raises:
        AudioError: ffmpeg is not installed, cannot read the file, or takes too long.
    """
    about = path.stat()
    key = (path.resolve(), about.st_mtime_ns, about.st_size)
    with _turn:
        if key not in _decoded:
            for old in _decoded.values():
                old.unlink(missing_ok=True)
            _decoded.clear()
            _decoded[key] = _decode(path, demuxer)
        return _decoded[key].open("rb")


def _decode(path: Path, demuxer: str) -> Path:
    command = shutil.which("ffmpeg")
    if command is None:
        kinds = [kind for kind, name in DEMUXERS.items() if name == demuxer]
        kind = path.suffix.lower()
        raise AudioError.of(
            "audio.needs_ffmpeg", file=path, kind=kind if kind in kinds else kinds[0]
        )
    target = Path(_folder().name) / f"{len(list(Path(_folder().name).iterdir()))}.wav"
    # fmt: off
    arguments = [
        command, "-nostdin", "-v", "warning", "-xerror", "-protocol_whitelist", "file",
        "-f", demuxer, "-i", f"file:{path.absolute()}", "-map", "0:a:0", "-vn",
        "-map_metadata", "-1", "-t", str(_LONGEST + 1), "-c:a", "pcm_f32le", "-rf64", "auto",
        "-f", "wav", "-y", str(target),
    ]
    # fmt: on
    try:
        ran = subprocess.run(arguments, capture_output=True, timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        target.unlink(missing_ok=True)
        raise AudioError.of(
            "audio.unreadable", file=path, why=message("audio.ffmpeg_slow", seconds=_PATIENCE)
        ) from None
    said = ran.stderr.decode(errors="replace").strip()
    if ran.returncode or _CUT.search(said):
        target.unlink(missing_ok=True)
        raise _fault(path, said)
    return target


def _fault(path: Path, said: str) -> AudioError:
    """Why ffmpeg could not read a file, or not to its end, by what it said."""
    if _CUT.search(said):
        return AudioError.of("audio.truncated", file=path)
    if "matches no streams" in said:
        return AudioError.of("audio.no_samples", name=path)
    last = said.rpartition("\n")[2].removeprefix(f"file:{path.absolute()}: ")
    damaged = not last or last.startswith("Invalid data")
    why = message("audio.damaged") if damaged else f"ffmpeg: {last}"
    return AudioError.of("audio.unreadable", file=path, why=why)


@cache
def _folder() -> "tempfile.TemporaryDirectory[str]":
    """Of this process; it goes with it."""
    return tempfile.TemporaryDirectory(prefix="moksori-")
