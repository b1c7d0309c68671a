"""The chunks of a WAV: RIFF, and RF64 (EBU Tech 3306) and BW64 (ITU-R BS.2088), with long sizes in `ds64`."""

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

UNSIZED = 0xFFFFFFFF  # the size is in `ds64`
LONG = (b"RF64", b"BW64")
FORMS = (b"RIFF", *LONG)  # what a WAV begins with
_COPIED = 1 << 20  # bytes at a time


class Chunk(NamedTuple):
    """A chunk of a WAV."""

    kind: bytes
    place: int  # of its content
    size: int


def chunks(file: BinaryIO) -> Iterator[Chunk]:
    """The chunks of a WAV; one that is cut off ends them.

    Raises:
        ValueError: it is none.
    """
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(12)
    if head[:4] not in FORMS or head[8:12] != b"WAVE":
        raise ValueError("no WAV")
    place, long = 12, None
    while place + 8 <= end:
        file.seek(place)
        kind, size = struct.unpack("<4sI", file.read(8))
        if head[:4] in LONG and kind == b"ds64" and place + 24 <= end:
            (long,) = struct.unpack("<8xQ", file.read(16))
        if kind == b"data" and size == UNSIZED and long is not None:
            size = long
        if place + 8 + size > end:
            return
        yield Chunk(kind, place + 8, size)
        place += 8 + size + size % 2


def blocks(file: BinaryIO, chunk: Chunk) -> Iterator[bytes]:
    """The content of a chunk, a part at a time.

    Raises:
        OSError: the file has become shorter.
    """
    file.seek(chunk.place)
    left = chunk.size
    while left:
        block = file.read(min(_COPIED, left))
        if not block:
            raise OSError(5, "cut off while it was read")
        yield block
        left -= len(block)


def head(kind: bytes, size: int) -> bytes:
    """What a chunk begins with."""
    return struct.pack("<4sI", kind, size)
