"""MPEG audio layer III that does not state its length: its frames are counted, as ISO/IEC 11172-3 has them.

libsndfile estimates such a file's length from its first frame and reads no further.
"""

from typing import NamedTuple

_V1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)  # kbit/s
_V2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)  # also of version 2.5
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}  # Hz
_LAYER_3 = 1
_TAGS = (b"Xing", b"Info", b"VBRI")
_BEGINNING = 200  # bytes of the first frame in which a tag would stand
_ROOMY = 9  # number of a bit rate whose frame holds a tag
_TRAILERS = (b"TAG", b"APETAGEX", b"LYRICSBEGIN")


class _Frame(NamedTuple):
    size: int  # bytes
    kind: tuple[int, int]  # version, sample rate's number
    mono: bool


def begins(content: bytes) -> bool:
    """Whether a file is MPEG audio by its first bytes: a frame, behind ID3v2 tags if there are some."""
    return _frame(content, _behind_tags(content)) is not None


def with_length(content: bytes) -> bytes | None:
    """An MP3 file with its number of frames in front of them, as Xing's encoder wrote it.

    Returns:
        None where it has that already, or is nothing that can be counted.

    Raises:
        EOFError: its last frame is cut.
    """
    first = _first(content)
    frame = _frame(content, first)
    if frame is None or any(tag in content[first : first + _BEGINNING] for tag in _TAGS):
        return None
    place, count = first, 0
    while place < len(content) - 4 and not content.startswith(_TRAILERS, place):
        found = _frame(content, place)
        if found is None or found.kind != frame.kind:  # not a frame: go on to the next
            following = content.find(b"\xff", place + 1)
            place = len(content) if following < 0 else following
            continue
        place, count = place + found.size, count + 1
    if place > len(content):
        raise EOFError
    return _tag(content[first : first + 4], frame, count) + content[first:]


def _first(content: bytes) -> int:
    """Where the first frame begins."""
    place = _behind_tags(content)
    while 0 <= place < len(content) and _frame(content, place) is None:
        place = content.find(b"\xff", place + 1)
    return len(content) if place < 0 else place


def _behind_tags(content: bytes) -> int:
    """Where ID3v2 tags end; 0 if there are none."""
    place = 0
    while content.startswith(b"ID3", place) and len(content) > place + 10:
        flags, size = content[place + 5], content[place + 6 : place + 10]
        place += 10 + sum(b << shift for b, shift in zip(size, (21, 14, 7, 0), strict=True))
        place += 10 if flags & 0x10 else 0
    return place


def _frame(content: bytes, place: int) -> _Frame | None:
    """The frame whose header stands there."""
    header = int.from_bytes(content[place : place + 4], "big")
    version, layer, rate = header >> 19 & 3, header >> 17 & 3, header >> 10 & 3
    bit_rate = header >> 12 & 15
    if header >> 21 != 0x7FF or version == 1 or layer != _LAYER_3 or rate == 3:
        return None
    if bit_rate in (0, 15):
        return None
    return _Frame(
        _size(version, rate, bit_rate, header >> 9 & 1), (version, rate), header >> 6 & 3 == 3
    )


def _size(version: int, rate: int, bit_rate: int, padding: int) -> int:
    kilobits, slots = (_V1, 144) if version == 3 else (_V2, 72)
    return slots * kilobits[bit_rate] * 1000 // _RATES[version][rate] + padding


def _tag(header: bytes, frame: _Frame, count: int) -> bytes:
    """A frame of silence that tells how many follow it."""
    version, rate = frame.kind
    side = (17 if frame.mono else 32) if version == 3 else (9 if frame.mono else 17)
    # no checksum, no padding, a bit rate with room enough
    own = bytes([header[0], header[1] | 1, _ROOMY << 4 | rate << 2, header[3]])
    tag = b"Xing" + (1).to_bytes(4, "big") + count.to_bytes(4, "big")
    return (own + bytes(side) + tag).ljust(_size(version, rate, _ROOMY, 0), b"\0")
