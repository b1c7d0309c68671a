"""What libsndfile does not know (AAC, ALAC, WebM), decoded by the command `ffmpeg` where it is there."""

import errno
import io
import re
import shutil
import subprocess
import tempfile
from mmap import ACCESS_READ, mmap
from pathlib import Path
from threading import Lock

import numpy as np
import soundfile

from moksori.errors import AudioError, reason_of
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
    (28, b"\x7fFLAC"): "ogg",
    (28, b"alac"): "caf",
}
_PARTLY = {"ogg": "Ogg (FLAC)", "caf": "CAF (ALAC)"}  # what libsndfile does not know of formats
_LONGEST = 4 * 3600  # seconds decoded of a file; a longer one is refused
_CUT = re.compile("ended prematurely|corrupt input packet|End of file$|partial file")
_PATIENCE = 900  # seconds that ffmpeg may take
_STEPS = {"PCM_16": 2.0**15, "PCM_24": 2.0**23}  # of full scale
_BLOCK = 1 << 16  # frames looked at at once
# The file decoded last, and its sample format, by path, time and size.
_decoded: dict[tuple[Path, int, int], tuple[mmap, str]] = {}
_turn = Lock()  # of threads that decode


def demuxer_of(path: Path, head: bytes) -> str | None:
    """The demuxer of a file by its first bytes, whatever its ending says, else by its ending."""
    for (place, sign), name in _SIGNS.items():
        if head.startswith(sign, place):
            return name
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return "aac"
    return DEMUXERS.get(path.suffix.lower())


def decoded(path: Path, demuxer: str) -> tuple[io.RawIOBase, str]:
    """A WAV of all that an audio file holds, open; the last one is kept until the process ends.

    Its file has no name any more, so that nothing stays behind, however the process ends.

    Returns:
        Also soundfile's name of the sample format that holds all of it (FLAC, ALAC, PCM); of what is lossy,
        or finer than 24 bits, the suffix.

    Raises:
        AudioError: ffmpeg is not installed, cannot read the file, or takes too long; no room to decode it.
    """
    about = path.stat()
    key = (path.resolve(), about.st_mtime_ns, about.st_size)
    with _turn:
        if key not in _decoded:
            _decoded.clear()
            content = _decode(path, demuxer)
            _decoded[key] = content, _format(content) or path.suffix[1:].upper()
        content, subtype = _decoded[key]
        return _Mapped(content), subtype


class _Mapped(io.RawIOBase):
    """What is mapped into memory, as a file with a place of its own."""

    def __init__(self, content: mmap) -> None:
        self._content, self._place = content, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self._place = offset + (0, self._place, len(self._content))[whence]
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # any writable buffer
        """Read as much as there is."""
        part = self._content[self._place : self._place + len(buffer)]
        buffer[: len(part)] = part
        self._place += len(part)
        return len(part)


def _format(content: mmap) -> str:
    """The sample format on whose steps all samples lie; empty if they lie on none, as of lossy codecs."""
    fits = dict(_STEPS)
    with soundfile.SoundFile(_Mapped(content)) as file, np.errstate(invalid="ignore"):
        for block in file.blocks(_BLOCK, dtype="float32"):
            fits = {name: n for name, n in fits.items() if not np.any(block * n % 1)}
            if not fits:
                break
    return next(iter(fits), "")


def _decode(path: Path, demuxer: str) -> mmap:
    command = shutil.which("ffmpeg")
    if command is None:
        kinds = [kind for kind, name in DEMUXERS.items() if name == demuxer]
        kind = path.suffix.lower()
        shown = kind if kind in kinds else _PARTLY.get(demuxer) or kinds[0]
        raise AudioError.of("audio.needs_ffmpeg", file=path, kind=shown)
    try:
        with tempfile.NamedTemporaryFile(prefix="moksori-", suffix=".wav") as target:
            said = _run(path, command, demuxer, target.name)
            if "No space left" in said:
                raise OSError(errno.ENOSPC, said)
            if said:
                raise _fault(path, said)
            return mmap(target.fileno(), 0, access=ACCESS_READ)
    except OSError as fault:
        raise AudioError.of("audio.no_room", file=path, why=reason_of(fault)) from None


def _run(path: Path, command: str, demuxer: str, target: str) -> str:
    """Decode a file; what ffmpeg said if it did not read it to its end, else ""."""
    # fmt: off
    arguments = [
        command, "-nostdin", "-v", "warning", "-xerror", "-protocol_whitelist", "file",
        "-f", demuxer, "-i", f"file:{path.absolute()}", "-map", "0:a:0", "-vn",
        "-map_metadata", "-1", "-t", str(_LONGEST + 1), "-c:a", "pcm_f32le", "-rf64", "auto",
        "-f", "wav", "-y", target,
    ]
    # fmt: on
    try:
        ran = subprocess.run(arguments, capture_output=True, timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        raise AudioError.of(
            "audio.unreadable", file=path, why=message("audio.ffmpeg_slow", seconds=_PATIENCE)
        ) from None
    said = ran.stderr.decode(errors="replace").strip()
    failed = ran.returncode or _CUT.search(said)
    return (said or "ffmpeg") if failed else ""


def _fault(path: Path, said: str) -> AudioError:
    """Why ffmpeg could not read a file, or not to its end, by what it said."""
    if _CUT.search(said):
        return AudioError.of("audio.truncated", file=path)
    if "matches no streams" in said:
        return AudioError.of("audio.no_samples", name=path)
    last = said.rpartition("\n")[2].removeprefix(f"file:{path.absolute()}: ")
    damaged = last.startswith("Invalid data")
    why = message("audio.damaged") if damaged else f"ffmpeg: {last}"
    return AudioError.of("audio.unreadable", file=path, why=why)
