"""What a recording says of itself in its iXML chunk (iXML 1.61, and every later version)."""

import re
import struct
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

from moksori.config import Seconds
from moksori.errors import ScriptError
from moksori.signal.containers import read_chunk
from moksori.timecode import FrameRate

_MOST = 1 << 24  # bytes; recorders write a few kilobytes
_MOST_CHANNELS = 64
_DAY: Seconds = 86400 * 1.001  # of time codes, at NTSC's rates


@dataclass(frozen=True)
class Ixml:
    """What is said; empty texts and None where it is not.

    Attributes:
        project: that it was recorded for.
        scene: it belongs to.
        take: its number.
        note: to whom it may concern.
        frame_rate: of its time codes; without drop frame it is `open`, as recorders and scripts differ there.
        begin: its first sample's time, after midnight.
        channels: names of the channels, in the file's order; empty where one has none.
    """

    project: str = ""
    scene: str = ""
    take: str = ""
    note: str = ""
    frame_rate: FrameRate | None = None
    begin: Seconds | None = None
    channels: tuple[str, ...] = ()


def read_ixml(path: Path) -> Ixml | None:
    """What a WAV's iXML says; None if it has none, or none that can be read."""
    try:
        content = read_chunk(path, b"iXML", _MOST)
        return _of(content) if content else None
    except (OSError, struct.error, ElementTree.ParseError, LookupError, ValueError):
        return None


def _of(content: bytes) -> Ixml | None:
    bare = content.replace(b"\0", b"")  # of UTF-16 too
    if b"<!DOCTYPE" in bare or b"<!ENTITY" in bare:  # which no recorder writes
        return None
    if not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        content = content.strip(b"\0 \r\n\t")  # some fill the chunk up
    root = ElementTree.fromstring(content)
    return Ixml(
        project=_text(root, "PROJECT"),
        scene=_text(root, "SCENE"),
        take=_text(root, "TAKE"),
        note=_text(root, "NOTE"),
        frame_rate=_frame_rate(root),
        begin=_begin(root),
        channels=_channels(root),
    )


def _text(root: ElementTree.Element, path: str) -> str:
    return " ".join((root.findtext(path) or "").split())


def _number(root: ElementTree.Element, path: str) -> int | None:
    text = _text(root, path)
    return int(text) if re.fullmatch(r"\d{1,18}", text, re.ASCII) else None


def _frame_rate(root: ElementTree.Element) -> FrameRate | None:
    rate, flag = _text(root, "SPEED/TIMECODE_RATE"), _text(root, "SPEED/TIMECODE_FLAG").upper()
    try:
        known = FrameRate.parse(rate.removesuffix("/1"))
        return FrameRate.parse(f"{known}df") if flag == "DF" else known
    except ScriptError:
        return None


def _begin(root: ElementTree.Element) -> Seconds | None:
    halves = [
        _number(root, f"SPEED/TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_{half}") for half in ("HI", "LO")
    ]
    rate = _number(root, "SPEED/TIMESTAMP_SAMPLE_RATE") or _number(root, "SPEED/FILE_SAMPLE_RATE")
    high, low = halves
    if low is None or not rate:
        return None
    seconds = ((high or 0) * 2**32 + low) / rate
    return seconds if seconds <= _DAY else None


def _channels(root: ElementTree.Element) -> tuple[str, ...]:
    """By `INTERLEAVE_INDEX`, the place in the file; `CHANNEL_INDEX` is the recorder's input."""
    names: dict[int, str] = {}
    for order, track in enumerate(root.findall("TRACK_LIST/TRACK"), 1):
        place = _number(track, "INTERLEAVE_INDEX") or _number(track, "CHANNEL_INDEX") or order
        if place <= _MOST_CHANNELS:
            names[place] = _text(track, "NAME")
    return tuple(names.get(place, "") for place in range(1, max(names, default=0) + 1))
