"""What a sound file's own structure says, before anything is decoded: whether it is whole, when it begins.

libsndfile reads a cut file without a word, and takes a header that was never finished for no samples.
Chunks: RIFF, AIFF (EA IFF 85), RF64 (EBU Tech 3306), BW64 (ITU-R BS.2088), Wave64, Core Audio Format; Ogg's
pages (RFC 3533); `bext` (EBU Tech 3285).
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, NamedTuple

from moksori.messages import Message, message
from moksori.signal.riff import FORMS, LONG, UNSIZED

_STREAMED = (
    0x7FFFF000  # sizes from here on are of programs that could not seek back to fill them in
)
_TIME_REFERENCE = 338  # bytes into `bext`
_MPEG = b"\x55\0"  # the format tag of MPEG audio, layer III
_PAGE = 65536  # no page of Ogg is longer
_REST = 64  # bytes behind the samples that nobody misses


class Patch(NamedTuple):
    """Bytes of a header as they should be."""

    place: int
    content: bytes


@dataclass(frozen=True)
class Layout:
    """What was found.

    Attributes:
        cut: whether samples that the header promises are missing.
        warning: what is wrong with the header though all samples are there.
        patches: make the header right, and such as libsndfile reads.
        time_reference: of the first sample, in samples since midnight.
        mpeg: place and size of a WAV's samples that are MPEG audio, layer III.
    """

    cut: bool = False
    warning: Message | None = None
    patches: tuple[Patch, ...] = ()
    time_reference: int | None = None
    mpeg: tuple[int, int] | None = None


class _Form(NamedTuple):
    """How the chunks of a format are written."""

    data: bytes  # how the name of the samples' chunk begins
    name: int  # bytes of a chunk's name
    size: str  # of a chunk, as `struct` has it
    counted: int  # bytes of name and size that the size counts
    align: int  # bytes that chunks begin at
    first: int  # place of the first chunk


class _Chunk(NamedTuple):
    name: bytes
    size_at: int
    place: int  # of its content
    size: int  # of its content


_RIFF = _Form(b"data", 4, "<I", 0, 2, 12)
_AIFF = _Form(b"SSND", 4, ">I", 0, 2, 12)
_WAVE64 = _Form(b"data", 16, "<Q", 24, 8, 40)
_CAF = _Form(b"data", 4, ">q", 0, 1, 8)


def read_layout(path: Path) -> Layout:
    """What the structure of a file says; nothing of one whose structure is not known here."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(0)
        head = file.read(40)
        match head[:4], head[8:12]:
            case (form, b"WAVE") if form in FORMS:
                return _of_wave(file, head, end)
            case (b"FORM", b"AIFF" | b"AIFC"):
                return _of_chunks(file, _AIFF, end, 8 + _unpack(">I", head, 4))
            case (b"caff", _):
                return _of_chunks(file, _CAF, end, 0)
            case (b"riff", _) if head[24:28] == b"wave":
                return _of_chunks(file, _WAVE64, end, _unpack("<Q", head, 16))
            case (b".snd", _):  # where the samples begin, and their size
                begin, size = _unpack(">I", head, 4), _unpack(">I", head, 8)
                return Layout(cut=size < _STREAMED and begin + size > end)
            case (b"OggS", _):
                return Layout(cut=not _is_ended(file, end))
        return Layout()


def read_chunk(path: Path, name: bytes, most: int) -> bytes | None:
    """The content of a WAV's first chunk of a name; None if it has none, or one of more than `most` bytes."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(0)
        head = file.read(12)
        if head[:4] not in FORMS or head[8:12] != b"WAVE":
            return None
        for chunk in _chunks(file, _RIFF, end):
            if chunk.name == name and chunk.size <= most:
                file.seek(chunk.place)
                return file.read(chunk.size)
    return None


def _of_wave(file: BinaryIO, head: bytes, end: int) -> Layout:
    """RIFF, RF64, BW64: as `_of_chunks`, with the sizes in `ds64`, and the time reference.

    libsndfile reads BW64 as RF64, of which it is a new name; there it forgets the byte behind a chunk of
    odd size, which is counted as the chunk's.
    """
    said, long_size, reference = 8 + _unpack("<I", head, 4), None, None
    patches = [Patch(0, b"RF64")] if head[:4] == b"BW64" else []
    odd_fails, tag, mpeg = head[:4] in LONG, b"", None
    for chunk in _chunks(file, _RIFF, end):
        odd_fails &= chunk.name != b"data"
        if odd_fails and chunk.size % 2:
            patches.append(Patch(chunk.size_at, struct.pack("<I", chunk.size + 1)))
        file.seek(chunk.place)
        content = file.read(min(chunk.size, _TIME_REFERENCE + 8)) if chunk.name != b"data" else b""
        if chunk.name == b"fmt ":
            tag = content[:2]
        if chunk.name == b"data" and tag == _MPEG:
            mpeg = chunk.place, chunk.size
        if chunk.name == b"ds64" and len(content) >= 16:
            said, long_size = 8 + _unpack("<Q", content, 0), (chunk.place + 8, content[8:16])
        if chunk.name == b"bext" and len(content) >= _TIME_REFERENCE + 8:
            reference = _unpack("<Q", content, _TIME_REFERENCE)
    layout = _of_chunks(file, _RIFF, end, said, long_size)
    return replace(layout, patches=(*patches, *layout.patches), time_reference=reference, mpeg=mpeg)


def _of_chunks(
    file: BinaryIO, form: _Form, end: int, said: int, long_size: tuple[int, bytes] | None = None
) -> Layout:
    """Whether the samples' chunk is whole.

    Args:
        file: that is looked at.
        form: of its chunks.
        end: of the file, in bytes.
        said: where the file ends by its own header; 0 if it does not say.
        long_size: place and bytes of the samples' size in `ds64`.
    """
    chunk = next((c for c in _chunks(file, form, end) if c.name.startswith(form.data)), None)
    if chunk is None:
        return Layout()
    size, size_at, kind = chunk.size, chunk.size_at, form.size
    if long_size and size == UNSIZED:
        size, size_at, kind = _unpack("<Q", long_size[1], 0), long_size[0], "<Q"
    elif struct.calcsize(kind) == 4 and size >= _STREAMED:
        return Layout()
    if size < 0:  # Core Audio's word for “to the end”
        return Layout()
    there = end - chunk.place
    right = there + (form.counted if kind == form.size else 0)
    patch = Patch(size_at, struct.pack(kind, min(right, UNSIZED if kind[1] == "I" else right)))
    if size == 0 and there and not _is_chunks(file, form, chunk.place, end):
        return Layout(warning=message("audio.unfinished", bytes=there), patches=(patch,))
    unknown = said <= form.first or 8 + _STREAMED <= said <= 8 + UNSIZED
    if size > there:
        if unknown or said > end + 1:
            return Layout(cut=True)
        return Layout(warning=message("audio.wrong_size"), patches=(patch,))
    behind = chunk.place + size + -(chunk.place + size) % form.align
    if end - behind >= _REST and not _is_chunks(file, form, behind, end):
        return Layout(warning=message("audio.rest", bytes=end - behind))
    if not unknown and (said > end + 1 or chunk.place + size > said):
        return Layout(warning=message("audio.wrong_size"))
    return Layout()


def _chunks(file: BinaryIO, form: _Form, end: int) -> Iterator[_Chunk]:
    """The chunks of a file, up to the first that reaches beyond its end."""
    place, head = form.first, form.name + struct.calcsize(form.size)
    long_size = 0  # of the samples, by `ds64`
    while place + head <= end:
        file.seek(place)
        name, size = file.read(form.name), _unpack(form.size, file.read(head - form.name), 0)
        size -= form.counted if size >= form.counted else 0
        yield _Chunk(name, place + form.name, place + head, size)
        if size < 0:
            return
        if form is _RIFF and name == b"ds64":
            file.seek(place + head + 8)
            long_size = _unpack("<Q", file.read(8), 0)
        if form is _RIFF and name == form.data and size == UNSIZED:
            size = long_size or size
        place += head + size
        place += -place % form.align


def _is_chunks(file: BinaryIO, form: _Form, place: int, end: int) -> bool:
    """Whether from `place` on there is nothing but whole chunks with printable names."""
    for chunk in _chunks(file, form._replace(first=place), end):
        if not chunk.name[:4].decode("latin-1").isprintable() or chunk.place + chunk.size > end:
            return False
        place = chunk.place + chunk.size
    return end - place < 2 * form.align


def _is_ended(file: BinaryIO, end: int) -> bool:
    """Whether the last page of an Ogg file is marked as such, and whole."""
    file.seek(max(0, end - _PAGE - 282))
    tail = file.read()
    last = tail[tail.rfind(b"OggS") :]
    segments = last[27 : 27 + last[26]] if len(last) > 26 else b""
    return bool(segments) and bool(last[5] & 4) and 27 + len(segments) + sum(segments) <= len(last)


def _unpack(kind: str, content: bytes, place: int) -> int:
    """A number of a header; 0 where the header ends before it."""
    size = struct.calcsize(kind)
    if len(content) < place + size:
        return 0
    number: int = struct.unpack_from(kind, content, place)[0]
    return number
