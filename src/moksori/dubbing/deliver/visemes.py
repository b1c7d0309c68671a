"""Visemes by frame, as weights for a face: Oculus's 15 and ARKit's blendshapes, as JSON and CSV."""

import csv
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from moksori.alignment.alignment import Interval
from moksori.config import Seconds
from moksori.text.front_end import KOREAN, FrontEnd
from moksori.text.visemes_by_weight import ARKIT, BLENDSHAPES, OCULUS
from moksori.timecode import FrameRate
from moksori.writing import atomic_write

_FADE: Seconds = 0.06  # from one viseme to the next, around the boundary
_PAUSE: Seconds = 0.15  # a shorter gap between phones holds the viseme before it
_GLIDE, _LONGEST_GLIDE = 0.4, 0.1  # share of a diphthong; seconds
_LOOKS = 16  # within a frame
_CLOSED = OCULUS.index("PP")
_FORMAT = "moksori visemes 1"
_SHORT = [f"{n / 100:.2f}".rstrip("0").rstrip(".") for n in range(101)]  # 0, 0.5, 1


class Visemes(NamedTuple):
    """Of a line, frame by frame."""

    oculus: np.ndarray  # [frames, 15], adding up to 1 in each frame
    arkit: np.ndarray  # [frames, len(BLENDSHAPES)]


class _Piece(NamedTuple):
    begin: Seconds
    weights: np.ndarray  # [15]


def visemes_by_frame(
    phones: Sequence[Interval], length: Seconds, frame_rate: FrameRate, front_end: FrontEnd = KOREAN
) -> Visemes:
    """What a mouth looks like in each frame, counted from the recording's beginning.

    One viseme fades into the next around their boundary, in `_FADE` or as long as the shorter of them
    is. A frame has the mean of what happens in it; closed lips alone have their most, as a closure between
    two frames would not be seen.

    Args:
        phones: in their order, as `Alignment.phone_intervals` has them.
        length: of the recording.
        frame_rate: of the animation.
        front_end: of the phones' language.

    Raises:
        ValueError: a label that is not a phone of the language.
    """
    pieces = _pieces(phones, length, front_end)
    frames = max(1, math.ceil(length * frame_rate.fps - 1e-6))
    times = (np.arange(frames * _LOOKS) + 0.5) / (_LOOKS * float(frame_rate.fps))
    looks = _weights(pieces, np.minimum(times, length), length).reshape(frames, _LOOKS, -1)
    oculus, closed = looks.mean(axis=1), looks[:, :, _CLOSED].max(axis=1)
    others = 1 - oculus[:, _CLOSED]
    oculus *= np.divide(1 - closed, others, out=np.zeros(frames), where=others > 1e-9)[:, None]
    oculus[:, _CLOSED] = closed
    return Visemes(oculus, oculus @ _MADE_OF)


_MADE_OF = np.array(
    [[ARKIT[viseme].get(name, 0.0) for name in BLENDSHAPES] for viseme in OCULUS]
)  # [15, blendshapes]


def _pieces(phones: Sequence[Interval], length: Seconds, front_end: FrontEnd) -> list[_Piece]:
    """What each phone and each pause looks like, and from when on."""
    rest = _vector({"sil": 1.0})
    pieces, now = [_Piece(0.0, rest)], 0.0
    for i, phone in enumerate(phones):
        begin, end = max(now, phone.begin), min(phone.end, length)
        if end <= begin:
            continue
        if begin - now >= _PAUSE:
            pieces.append(_Piece(now, rest))
        follows = i + 1 < len(phones) and phones[i + 1].begin - phone.end < _PAUSE
        shapes = front_end.weighted_visemes(phone.label, phones[i + 1].label if follows else "")
        glide = min(_GLIDE * (end - begin), _LONGEST_GLIDE)
        for n, weights in enumerate(shapes):
            pieces.append(_Piece(begin + n * glide, _vector(weights)))
        now = end
    if now > 0:
        pieces.append(_Piece(now, rest))
    return pieces


def _vector(weights: dict[str, float]) -> np.ndarray:
    return np.array([weights.get(name, 0.0) for name in OCULUS])


def _weights(pieces: Sequence[_Piece], times: np.ndarray, length: Seconds) -> np.ndarray:
    """[T, 15]: of each piece in its middle, straight lines between around the boundaries."""
    begins = np.array([piece.begin for piece in pieces])
    durations = np.diff(begins, append=max(length, begins[-1]))
    at, corners = [0.0], [pieces[0].weights]
    for i in range(1, len(pieces)):
        half = min(_FADE, durations[i - 1], durations[i]) / 2
        at += [begins[i] - half, begins[i] + half]
        corners += [pieces[i - 1].weights, pieces[i].weights]
    table = np.array(corners)
    place = np.interp(times, at, np.arange(len(at)))
    before = place.astype(int)
    part = (place - before)[:, None]
    after = np.minimum(before + 1, len(at) - 1)
    result: np.ndarray = (1 - part) * table[before] + part * table[after]
    return result


def save_visemes(
    folder: Path, name: str, found: Visemes, sound_file: str, start: str, frame_rate: FrameRate
) -> list[Path]:
    """Write `name`.json and `name`.csv, weights in hundredths.

    Args:
        folder: that is there.
        name: of the files, without a suffix.
        found: of `visemes_by_frame`.
        sound_file: name or path of the line's wave, as the file shall give it.
        start: time code of the wave's beginning on the reel; empty if it has no place there.
        frame_rate: of the frames.

    Raises:
        OutputError: the place cannot be written to.
    """
    fps = frame_rate.fps
    tables = {
        "oculus": (OCULUS, _written(found.oculus)),
        "arkit": (BLENDSHAPES, _written(found.arkit)),
    }
    whole = {
        "format": _FORMAT, "sound": sound_file, "start": start, "frames": len(found.oculus),
        "frame_rate": f"{fps.numerator}/{fps.denominator}",
        "names": {key: names for key, (names, _) in tables.items()},
    }  # fmt: skip
    head = json.dumps(whole, ensure_ascii=False, indent=1)[:-2]
    body = ",\n".join(
        f' "{key}": [\n' + ",\n".join(f"  [{','.join(row)}]" for row in rows) + "\n ]"
        for key, (_, rows) in tables.items()
    )
    paths = [folder / f"{name}.json", folder / f"{name}.csv"]
    atomic_write(paths[0], f"{head},\n{body}\n}}\n")
    content = io.StringIO(newline="")
    table = csv.writer(content)
    table.writerow(["frame", "time (s)", "viseme", *OCULUS, *BLENDSHAPES])
    strongest = found.oculus.argmax(1).tolist()
    rows = zip(strongest, tables["oculus"][1], tables["arkit"][1], strict=True)
    table.writerows(
        [i, f"{i * fps.denominator / fps.numerator:.3f}", OCULUS[most], *oculus, *arkit]
        for i, (most, oculus, arkit) in enumerate(rows)
    )
    atomic_write(paths[1], content.getvalue())
    return paths


def _written(weights: np.ndarray) -> list[list[str]]:
    """[T, n] in hundredths."""
    return [
        [_SHORT[weight] for weight in row] for row in np.rint(weights * 100).astype(int).tolist()
    ]
