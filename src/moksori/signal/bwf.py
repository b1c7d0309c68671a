"""Broadcast Wave: what a WAV tells an editing program about itself (`bext` and `iXML`)."""

import struct
import unicodedata
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self

import numpy as np

from moksori.config import Decibels
from moksori.errors import OutputError
from moksori.files import cut
from moksori.signal.riff import UNSIZED, blocks, chunks, head
from moksori.writing import atomic_path

_LARGEST = (
    0xFFFFFFFF  # what RIFF's sizes can count to, in bytes; RF64 has longer ones (EBU Tech 3306)
)
_UNMEASURED = 0x7FFF
_PCM = 1  # the format tag
_FMT = struct.Struct("<HHIIHH")  # tag, channels, sample rate, bytes a second and a frame, bits
SAMPLE_BYTES = 3  # that a `Writer` writes a sample in


@dataclass(frozen=True)
class Broadcast:
    """What a WAV says of itself. Empty texts are left out.

    Attributes:
        description: of the file, in a line.
        date: when it was made; given, so that the same job makes the same bytes.
        start: of its first sample, in samples since midnight.
        frame_rate: frames a second, as a fraction: 30000/1001.
        drop_frame: whether its time codes drop frames.
        reference: that names this file among all others, in at most 32 ASCII characters.
        project: it belongs to.
        scene: it belongs to.
        take: its number.
        note: for whoever opens the file.
        tracks: name of each channel; empty if they have none.
        loudness: integrated, in LUFS; None if not measured.
        true_peak: in dBTP; None if not measured.
    """

    description: str
    date: datetime
    start: int
    frame_rate: str
    drop_frame: bool
    reference: str = ""
    project: str = ""
    scene: str = ""
    take: str = ""
    note: str = ""
    tracks: tuple[str, ...] = ()
    loudness: Decibels | None = None
    true_peak: Decibels | None = None


class _Format(NamedTuple):
    channels: int
    sample_rate: int
    bits: int


class Writer:
    """A mono Broadcast Wave of 24 bits in the making, with `bext` and `iXML` in front of its samples.

    A context to write the samples in; what is measured of them is filled in by `finish` afterwards.

    Args:
        path: of the file.
        about: what it says of itself.
        sample_rate: of its samples, Hz.
        length: how many there will be.

    Raises:
        OutputError: before midnight.
        OSError: it cannot be written.
    """

    def __init__(self, path: Path, about: Broadcast, sample_rate: int, length: int) -> None:
        _check_start(path, about)
        self._path, self._about, self._form = path, about, _Format(1, sample_rate, 8 * SAMPLE_BYTES)
        self._chunks = [(b"fmt ", _FMT.size), (b"data", length * SAMPLE_BYTES)]
        self._file = path.open("wb")
        front, unsized = _front(about, self._form, self._chunks)
        wide = SAMPLE_BYTES
        fmt = _FMT.pack(_PCM, 1, sample_rate, sample_rate * wide, wide, 8 * wide)
        size = UNSIZED if unsized else length * wide
        self._file.write(front + head(b"fmt ", _FMT.size) + fmt + head(b"data", size))

    def write(self, samples: np.ndarray) -> None:
        """Add samples [n], whole numbers of 24 bits in int32."""
        numbers = samples.astype("<i4", copy=False).view(np.uint8).reshape(-1, 4)
        packed = np.empty((len(numbers), SAMPLE_BYTES), np.uint8)
        for byte in range(SAMPLE_BYTES):  # a fifth of the time that all at once take
            packed[:, byte] = numbers[:, byte]
        self._file.write(packed.data)

    def finish(self, loudness: Decibels, true_peak: Decibels) -> None:
        """Have the file say what was measured, when all samples are written."""
        measured = replace(self._about, loudness=loudness, true_peak=true_peak)
        with self._path.open("r+b") as file:
            file.write(_front(measured, self._form, self._chunks)[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        with self._file as file:
            file.write(bytes(self._chunks[-1][1] % 2))


def write_bext(path: Path, about: Broadcast) -> None:
    """Put `bext` (EBU Tech 3285, version 2) and `iXML` in front of a WAV's other chunks.

    The file is copied and then replaced in one step; an older `bext` or `iXML` of it is dropped.
    The standard wants ASCII in `bext`. Editing programs read UTF-8 there, and Korean has no other
    place in it; so texts are UTF-8, cut at the end of a character where the field is full.

    Raises:
        OutputError: not a WAV, before midnight, or not writable.
    """
    _check_start(path, about)
    with atomic_path(path) as temporary:
        try:
            with path.open("rb") as source, temporary.open("wb") as target:
                _copy(source, target, about)
        except (ValueError, struct.error):
            raise OutputError.of("reel.no_wav", path=path) from None


def _check_start(path: Path, about: Broadcast) -> None:
    if about.start < 0:
        raise OutputError.of("reel.midnight", path=path)


def _copy(source: BinaryIO, target: BinaryIO, about: Broadcast) -> None:
    """Write `source` to `target` with the new chunks first.

    Raises:
        ValueError, struct.error: it is no WAV.
    """
    kept = [chunk for chunk in chunks(source) if chunk.kind not in (b"bext", b"iXML", b"ds64")]
    places = {chunk.kind: chunk.place for chunk in kept}
    if not {b"fmt ", b"data"} <= set(places):
        raise ValueError("no WAV")
    source.seek(places[b"fmt "])
    channels, sample_rate, bits = struct.unpack("<2xHI6xH", source.read(16))
    form = _Format(channels, sample_rate, bits)
    front, unsized = _front(about, form, [(chunk.kind, chunk.size) for chunk in kept])
    target.write(front)
    for chunk in kept:
        target.write(head(chunk.kind, UNSIZED if unsized and chunk.kind == b"data" else chunk.size))
        target.writelines(blocks(source, chunk))
        target.write(bytes(chunk.size % 2))


def _front(
    about: Broadcast, form: _Format, others: Sequence[tuple[bytes, int]]
) -> tuple[bytes, bool]:
    """What a file begins with, before its other chunks, of these kinds and sizes.

    Also whether `data` leaves its size to `ds64`, as RF64 does beyond what RIFF counts to.
    """
    new = [(b"bext", _even(_bext(about, form), b"\0")), (b"iXML", _even(_ixml(about, form), b"\n"))]
    sizes = [len(content) for _, content in new] + [size for _, size in others]
    whole = 4 + sum(8 + s + s % 2 for s in sizes)
    if long := whole > _LARGEST:
        samples = dict(others)[b"data"]
        frames = samples // (form.channels * form.bits // 8)
        new.insert(0, (b"ds64", struct.pack("<QQQI", whole + 36, samples, frames, 0)))
    riff = (b"RF64", UNSIZED) if long else (b"RIFF", whole)
    front = struct.pack("<4sI4s", *riff, b"WAVE")
    front += b"".join(head(kind, len(c)) + c + bytes(len(c) % 2) for kind, c in new)
    return front, long


def _even(content: bytes, end: bytes) -> bytes:
    """What needs no byte of padding, which libsndfile forgets of RF64's chunks that it does not know."""
    return content + end * (len(content) % 2)


def _bext(about: Broadcast, form: _Format) -> bytes:
    mode = {1: "mono", 2: "stereo"}.get(form.channels, "multi")
    history = f"A=PCM,F={form.sample_rate},W={form.bits},M={mode},T=Moksori\r\n"
    return (
        struct.pack(
            "<256s32s32s10s8sQH64s5h180s",
            _field(about.description, 256),
            b"Moksori",
            _field(about.reference, 32),
            about.date.date().isoformat().encode(),
            about.date.strftime("%H:%M:%S").encode(),
            about.start,
            2,  # the version
            b"",  # UMID
            _hundredths(about.loudness),
            _UNMEASURED,  # loudness range
            _hundredths(about.true_peak),
            _UNMEASURED,  # highest momentary loudness
            _UNMEASURED,  # highest short-term loudness
            b"",
        )
        + history.encode()
    )


def _field(text: str, size: int) -> bytes:
    return cut(_printable(text), size).encode()


def _hundredths(value: Decibels | None) -> int:
    if value is None or not -99.99 <= value <= 99.99:  # the standard's range; silence is below it
        return _UNMEASURED
    return round(value * 100)


def _ixml(about: Broadcast, form: _Format) -> bytes:
    root = ElementTree.Element("BWFXML")

    def put(parent: ElementTree.Element, **texts: str | int) -> None:
        for name, text in texts.items():
            if text != "":  # the standard would rather have no field than an empty one
                ElementTree.SubElement(parent, name).text = _printable(str(text))

    put(root, IXML_VERSION="1.61", PROJECT=about.project, SCENE=about.scene, TAKE=about.take)
    put(root, NOTE=about.note)
    put(
        ElementTree.SubElement(root, "SPEED"),
        TIMECODE_RATE=about.frame_rate,
        TIMECODE_FLAG="DF" if about.drop_frame else "NDF",
        FILE_SAMPLE_RATE=form.sample_rate,
        AUDIO_BIT_DEPTH=form.bits,
        TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI=about.start >> 32,
        TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO=about.start & 0xFFFFFFFF,
        TIMESTAMP_SAMPLE_RATE=form.sample_rate,
    )
    if about.tracks:
        tracks = ElementTree.SubElement(root, "TRACK_LIST")
        put(tracks, TRACK_COUNT=len(about.tracks))
    for number, name in enumerate(about.tracks, 1):
        track = ElementTree.SubElement(tracks, "TRACK")
        put(track, CHANNEL_INDEX=number, INTERLEAVE_INDEX=number, NAME=name)
    ElementTree.indent(root)
    result: bytes = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True) + b"\n"
    return result


def _printable(text: str) -> str:
    """On one line, composed, without the characters that XML has no way to write."""
    composed = unicodedata.normalize("NFC", text)
    return "".join(
        " " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in "\ufffe\uffff" else c
        for c in composed
    ).strip()
