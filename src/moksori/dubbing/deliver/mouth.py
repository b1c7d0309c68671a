"""Mouth cues for animators, in the shapes and files of Rhubarb Lip Sync; the language gives the shapes."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from moksori.alignment.alignment import Interval
from moksori.config import Seconds
from moksori.text.front_end import KOREAN, FrontEnd
from moksori.text.visemes import REST
from moksori.writing import atomic_write

CLOSED = "A"

SHORTEST: Seconds = 0.08  # two frames at 24 a second, less a little
PAUSE: Seconds = 0.15  # a shorter gap between phones holds the shape before it
_GLIDE, _LONGEST_GLIDE = 0.4, 0.1  # share of a diphthong; seconds
_TINY: Seconds = 1e-6  # below this, times are equal
_PRESTON_BLAIR = {
    "A": "MBP", "B": "etc", "C": "E", "D": "AI", "E": "O", "F": "U", "G": "FV", "H": "L", "X": "rest",
}  # fmt: skip


class MouthCue(NamedTuple):
    """A shape of the mouth and when it is shown."""

    start: Seconds
    end: Seconds
    shape: str


class _Piece(NamedTuple):
    """A cue in the making."""

    begin: Seconds
    end: Seconds
    shape: str
    weak: bool  # of a consonant or a glide: gives way first

    @property
    def short(self) -> bool:
        return self.end - self.begin < SHORTEST - _TINY

    @property
    def spare(self) -> Seconds:
        """How much it can give and still be shown long enough."""
        return max(0.0, self.end - self.begin - SHORTEST)


def mouth_cues(
    phones: Sequence[Interval], length: Seconds, front_end: FrontEnd = KOREAN
) -> list[MouthCue]:
    """The shapes that a mouth goes through.

    A shape shorter than `SHORTEST` would flicker: it gives way to the one after it, or else to the one
    before it; consonants and glides do so first. Closed lips do not, nor what stands between closed
    lips and pauses only: a closure that is not seen looks wrong, and so does a mouth that stays shut.
    They are lengthened to `SHORTEST` where their neighbours can spare it.

    Args:
        phones: in their order, as `Alignment.phone_intervals` has them; beyond `length` they are cut.
        length: of the whole recording.
        front_end: of the phones' language.

    Returns:
        Cues that follow on each other from 0 to `length`, no two neighbours alike.

    Raises:
        ValueError: a label that is not a phone of the language.
    """
    pieces = _without_flicker(_joined(_pieces(phones, length, front_end)))
    return [MouthCue(p.begin, p.end, p.shape) for p in _lengthened(pieces)]


def _pieces(phones: Sequence[Interval], length: Seconds, front_end: FrontEnd) -> list[_Piece]:
    """What each phone and each pause looks like, without holes."""
    pieces: list[_Piece] = []
    now, shape = 0.0, REST
    for i, phone in enumerate(phones):
        begin, end = max(now, phone.begin), min(phone.end, length)
        if end <= begin:
            continue
        if begin > now:
            pause = not pieces or begin - now >= PAUSE
            pieces.append(_Piece(now, begin, REST if pause else shape, True))
        shapes = front_end.visemes(phone.label, shape, _after(phones, i))
        if len(shapes) == 2:
            middle = begin + min(_GLIDE * (end - begin), _LONGEST_GLIDE)
            pieces.append(_Piece(begin, middle, shapes[0], True))
            begin = middle
        shape = shapes[-1]
        pieces.append(_Piece(begin, end, shape, phone.label not in front_end.vowels))
        now = end
    if now < length or not pieces:
        pieces.append(_Piece(now, max(now, length), REST, True))
    return pieces


def _after(phones: Sequence[Interval], i: int) -> str:
    """Label of the phone right after number `i`; empty before a pause."""
    if i + 1 == len(phones) or phones[i + 1].begin - phones[i].end >= PAUSE:
        return ""
    return phones[i + 1].label


def _joined(pieces: list[_Piece]) -> list[_Piece]:
    joined: list[_Piece] = []
    for piece in pieces:
        if joined and joined[-1].shape == piece.shape:
            last = joined.pop()
            piece = _Piece(last.begin, piece.end, piece.shape, last.weak and piece.weak)
        joined.append(piece)
    return joined


def _without_flicker(pieces: list[_Piece]) -> list[_Piece]:
    while True:
        short = [
            (not piece.weak, piece.end - piece.begin, i, heir)
            for i, piece in enumerate(pieces)
            if piece.short and (heir := _heir(pieces, i)) is not None
        ]
        if not short:
            return pieces
        *_, i, heir = min(short)
        first, last = min(i, heir), max(i, heir)
        kept = pieces[heir]._replace(begin=pieces[first].begin, end=pieces[last].end)
        pieces = _joined([*pieces[:first], kept, *pieces[last + 1 :]])


def _heir(pieces: list[_Piece], i: int) -> int | None:
    """Which neighbour takes a short piece's place; None if it stays."""
    neighbours = [j for j in (i + 1, i - 1) if 0 <= j < len(pieces)]
    if pieces[i].shape == CLOSED:
        return None
    if pieces[i].shape != REST:
        neighbours = [j for j in neighbours if pieces[j].shape not in (CLOSED, REST)]
    return neighbours[0] if neighbours else None


def _lengthened(pieces: list[_Piece]) -> list[_Piece]:
    """The short pieces that stayed, with what their neighbours can spare; the one before gives first."""
    pieces = list(pieces)
    for i, piece in enumerate(pieces):
        if not piece.short:
            continue
        if i > 0:
            taken = min(pieces[i - 1].spare, SHORTEST - (piece.end - piece.begin))
            piece = piece._replace(begin=piece.begin - taken)
            pieces[i - 1] = pieces[i - 1]._replace(end=piece.begin)
        if piece.short and i + 1 < len(pieces):
            taken = min(pieces[i + 1].spare, SHORTEST - (piece.end - piece.begin))
            piece = piece._replace(end=piece.end + taken)
            pieces[i + 1] = pieces[i + 1]._replace(begin=piece.end)
        pieces[i] = piece
    return pieces


def write_tsv(path: Path, cues: Sequence[MouthCue]) -> None:
    """Write Rhubarb's TSV: a row a cue, and one with the end.

    Raises:
        OutputError: the place cannot be written to.
    """
    rows = [f"{_hundredths(cue.start)}\t{cue.shape}\n" for cue in cues]
    atomic_write(path, "".join([*rows, f"{_hundredths(cues[-1].end)}\t{REST}\n"]))


def write_json(path: Path, cues: Sequence[MouthCue], sound_file: str) -> None:
    """Write Rhubarb's JSON.

    Raises:
        OutputError: the place cannot be written to.
    """
    rows = [
        f'    {{ "start": {_hundredths(start)}, "end": {_hundredths(end)}, "value": "{shape}" }}'
        for start, end, shape in cues
    ]
    name, duration = json.dumps(sound_file, ensure_ascii=False), _hundredths(cues[-1].end)
    head = f'{{\n  "metadata": {{\n    "soundFile": {name},\n    "duration": {duration}\n  }},\n'
    atomic_write(path, head + '  "mouthCues": [\n' + ",\n".join(rows) + "\n  ]\n}\n")


def write_xml(path: Path, cues: Sequence[MouthCue], sound_file: str) -> None:
    """Write Rhubarb's XML.

    Raises:
        OutputError: the place cannot be written to.
    """
    root = ElementTree.Element("rhubarbResult")
    metadata = ElementTree.SubElement(root, "metadata")
    ElementTree.SubElement(metadata, "soundFile").text = sound_file
    ElementTree.SubElement(metadata, "duration").text = _hundredths(cues[-1].end)
    parent = ElementTree.SubElement(root, "mouthCues")
    for start, end, shape in cues:
        span = {"start": _hundredths(start), "end": _hundredths(end)}
        ElementTree.SubElement(parent, "mouthCue", span).text = shape
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    atomic_write(path, f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n')


def write_dat(path: Path, cues: Sequence[MouthCue], fps: float) -> None:
    """Write Moho's switch data, with Preston Blair's names, which OpenToonz knows too.

    Frames count from 1. Rhubarb shows the first of the shapes that begin in a frame and drops the
    others. Here the next one is shown a frame later if it lasts until then, and closed lips are shown
    in any case; the difference matters only where cues are shorter than a frame.

    Raises:
        OutputError: the place cannot be written to.
    """
    shown: dict[int, str] = {}
    for start, stop, shape in cues:
        frame = _frame(start, fps)
        if frame in shown and shape != CLOSED:
            frame += 1
            if _frame(stop, fps) < frame:
                continue
        shown[frame] = shape
    end = max(_frame(cues[-1].end, fps), max(shown) + 1)
    rows = [f"{frame} {_PRESTON_BLAIR[shape]}\n" for frame, shape in [*shown.items(), (end, REST)]]
    atomic_write(path, "".join(["MohoSwitch1\n", *rows]))


def save_mouth(
    folder: Path, name: str, cues: Sequence[MouthCue], sound_file: str, fps: float
) -> list[Path]:
    """Write all four files of a line: `name`.tsv, .json, .xml and .dat.

    Args:
        folder: that is there.
        name: of the files, without a suffix.
        cues: of `mouth_cues`.
        sound_file: name or path of the line's wave, as the files shall give it.
        fps: frames a second of the animation; for the .dat.

    Raises:
        OutputError: the place cannot be written to.
    """
    paths = [folder / f"{name}.{kind}" for kind in ("tsv", "json", "xml", "dat")]
    write_tsv(paths[0], cues)
    write_json(paths[1], cues, sound_file)
    write_xml(paths[2], cues, sound_file)
    write_dat(paths[3], cues, fps)
    return paths


def _hundredths(time: Seconds) -> str:
    """Cut, not rounded, as Rhubarb does: no cue ends after the recording."""
    return f"{math.floor(time * 100 + _TINY * 100) / 100:.2f}"


def _frame(time: Seconds, fps: float) -> int:
    return 1 + math.floor(fps * time + _TINY * fps)
