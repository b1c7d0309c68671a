"""Any file that holds sound, opened: what libsndfile knows at once, the rest through ffmpeg.

`SUFFIXES` is the one table of what counts as a recording, wherever a folder of recordings is looked at.
"""

import io
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, NamedTuple

import soundfile

from moksori.config import Hertz
from moksori.errors import AudioError, reason_of
from moksori.messages import Message, message
from moksori.signal import ffmpeg, mpeg
from moksori.signal.containers import Layout, Patch, read_layout
from moksori.signal.riff import FORMS

_LIBSNDFILE = (
    ".wav", ".bwf", ".flac", ".aif", ".aiff", ".aifc", ".mp3", ".ogg", ".oga", ".w64", ".rf64",
    ".bw64", ".caf", ".au",
)  # fmt: skip
SUFFIXES = (*_LIBSNDFILE, *(end for end in ffmpeg.DEMUXERS if end not in _LIBSNDFILE))
UNCOUNTED = (
    2**40
)  # libsndfile's frame count of a stream whose header does not tell it is above this
_NOT_RECOGNISED, _UNSUPPORTED = 1, (4, 18)  # errors of libsndfile
_CONTAINERS = (*FORMS, b"FORM", b"OggS", b"fLaC", b"caff", b"riff", b".snd")
_ALAC = (
    {"ALAC_16": "PCM_16"} | dict.fromkeys(("ALAC_20", "ALAC_24"), "PCM_24") | {"ALAC_32": "PCM_32"}
)
SAMPLE_RATES: tuple[Hertz, Hertz] = (4000, 768000)
MOST_CHANNELS = 64


def is_recording(path: Path) -> bool:
    """Whether a file is taken for a recording, by its name; a Mac's ._ files on foreign disks are none."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


class Opened(NamedTuple):
    """A file that is open for reading."""

    file: soundfile.SoundFile
    layout: Layout
    subtype: str  # soundfile's name of the sample format, or the suffix of what is lossy for ffmpeg


class Header(NamedTuple):
    """What is known of a recording without keeping its samples."""

    frames: int
    sample_rate: int
    warning: Message | None  # what is wrong with its header though all is there
    time_reference: int | None  # of the first sample, in samples since midnight
    channels: int = 1


def inspect(path: Path) -> Header:
    """Length and sample rate of a recording, by decoding where its header only estimates them.

    A file that has the same size and time as before is not opened again.

    Raises:
        AudioError: as `opened`; it is cut.
    """
    _check_file(path)
    about = path.stat()
    return _inspect(path, about.st_size, about.st_mtime_ns)


@lru_cache(maxsize=4096)
def _inspect(path: Path, size: int, changed: int) -> Header:
    with opened(path) as (file, layout, _):
        if layout.cut:
            raise AudioError.of("audio.truncated", file=path)
        frames = file.frames
        if frames >= UNCOUNTED:
            frames = sum(map(len, file.blocks(1 << 16, dtype="float32", always_2d=True)))
        return Header(frames, file.samplerate, layout.warning, layout.time_reference, file.channels)


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """Open a recording of any kind.

    Raises:
        AudioError: not there, a folder, a pipe, empty, no audio, of a sample rate or number of channels that
            nobody records in; within the context, what libsndfile finds wrong with the samples.
    """
    _check_file(path)
    try:
        with _opened(path) as found:
            _check_header(path, found.file)
            yield found
    except EOFError:
        raise AudioError.of("audio.truncated", file=path) from None
    except (soundfile.LibsndfileError, TypeError, ValueError) as error:
        if isinstance(error, AudioError):
            raise
        raise AudioError.of("audio.unreadable", file=path, why=_reason(error)) from None


def _reason(error: Exception) -> Message:
    """Why a file cannot be read, in the user's language."""
    code = getattr(error, "code", 0)
    if isinstance(error, TypeError) or code == _NOT_RECOGNISED:
        return message("audio.not_recognised")  # a headerless .raw is a TypeError
    return message("audio.unsupported" if code in _UNSUPPORTED else "audio.damaged")


@contextmanager
def _opened(path: Path) -> Iterator[Opened]:
    layout, subtype, head = read_layout(path), "", _head(path)
    source: Path | io.RawIOBase | BinaryIO = path
    with ExitStack() as stack:
        if content := _mpeg(path, head, layout):
            source = io.BytesIO(content)
        elif layout.patches:
            source = _Patched(path, layout.patches)
        elif (demuxer := ffmpeg.demuxer_of(path, head)) and not _is_known(path):
            decoded, subtype = ffmpeg.decoded(path, demuxer)
            source = stack.enter_context(decoded)
        elif not _is_utf8(path):
            source = stack.enter_context(path.open("rb"))
        file = stack.enter_context(soundfile.SoundFile(source))
        yield Opened(file, layout, subtype or _ALAC.get(file.subtype, file.subtype))


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(64)


def _mpeg(path: Path, head: bytes, layout: Layout) -> bytes | None:
    """MPEG audio with its length, under whatever ending; None where it has that, or is something else."""
    if layout.mpeg:  # of a WAV, whose samples libsndfile only estimates
        place, size = layout.mpeg
        with path.open("rb") as file:
            file.seek(place)
            content = file.read(size or -1)  # to its end, of one that was never finished
        return mpeg.with_length(content) or content
    known = head.startswith(_CONTAINERS) or ffmpeg.demuxer_of(path, head)
    named = path.suffix.lower() == ".mp3" and not known  # which other bytes may stand before
    if not named and not head.startswith((b"ID3", b"\xff")):
        return None
    content = path.read_bytes()
    return mpeg.with_length(content) if named or mpeg.begins(content) else None


def _is_utf8(path: Path) -> bool:
    """Whether soundfile can open a file by its name; names from Korean Windows may be CP949."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_known(path: Path) -> bool:
    """Whether libsndfile can read it, as it can Opus in Ogg."""
    try:
        with path.open("rb") as file:
            soundfile.info(file)
    except soundfile.LibsndfileError:
        return False
    return True


def _check_file(path: Path) -> None:
    try:
        about = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise AudioError.of("audio.missing", file=path) from None
    except OSError as error:
        raise AudioError.of("audio.unreadable", file=path, why=reason_of(error)) from None
    if stat.S_ISDIR(about.st_mode):
        raise AudioError.of("audio.folder", file=path)
    if not stat.S_ISREG(about.st_mode):  # reading a pipe would wait for whoever writes into it
        raise AudioError.of("audio.special", file=path)
    if about.st_size == 0:
        raise AudioError.of("audio.empty", file=path)
    try:
        path.open("rb").close()
    except OSError as error:
        raise AudioError.of("audio.unreadable", file=path, why=reason_of(error)) from None


def _check_header(path: Path, file: soundfile.SoundFile) -> None:
    low, high = SAMPLE_RATES
    if not low <= file.samplerate <= high or file.channels > MOST_CHANNELS:
        raise AudioError.of(
            "audio.odd_header", file=path, channels=file.channels, sample_rate=file.samplerate,
            most=MOST_CHANNELS, low=low, high=high,
        )  # fmt: skip


class _Patched(io.RawIOBase):
    """A file whose bytes at some places read as others."""

    def __init__(self, path: Path, patches: Sequence[Patch]) -> None:
        self._file, self._patches = path.open("rb"), patches

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # any writable buffer
        """Read; the bytes that are patched come from the patches."""
        begin = self._file.tell()
        count = self._file.readinto(buffer)
        for patch in self._patches:
            for i, byte in enumerate(patch.content, patch.place - begin):
                if 0 <= i < count:
                    buffer[i : i + 1] = bytes([byte])
        return count

    def close(self) -> None:
        self._file.close()
        super().close()
