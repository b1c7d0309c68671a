"""The dubbed lines as clips on tracks: what every editing program is given, whatever its format."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from moksori.config import Seconds

Look = Literal["", "ok", "look", "retake"]
COLOURS: dict[Look, tuple[int, int, int]] = {
    "ok": (70, 150, 80), "look": (230, 160, 30), "retake": (205, 50, 50),
}  # fmt: skip  # red, green, blue; without a word to say a clip has its program's own colour


@dataclass(frozen=True, kw_only=True)
class Clip:
    """A line's wave on the reel.

    Attributes:
        id: of the line, unique: 0012_하나.
        character: who says it; may be empty.
        text: what is said.
        wave: path from the delivery's folder, with /.
        start: sample of the reel that it begins at.
        samples: how many it has; at the same rate.
        source: the recording that it was converted from; None where a session needs none.
        source_begin: where in it the line begins.
        source_channel: the only one of its channels that was taken, counted from 0; None for all.
        channels: of its wave that are heard: of a converted line one, as they have one voice.
        look: whether a person should look at it.
    """

    id: str
    character: str
    text: str
    wave: str
    start: int
    samples: int
    source: Path | None = None
    source_begin: Seconds = 0.0
    source_channel: int | None = None
    channels: int = 1
    look: Look = ""


@dataclass(frozen=True, kw_only=True)
class Marker:
    """A place on the reel that a person should go to.

    Attributes:
        id: of the line.
        character: who says it.
        start: sample of the reel.
        samples: how long it is.
        look: how urgent.
        note: why, on one line.
    """

    id: str
    character: str
    start: int
    samples: int
    look: Look
    note: str

    @property
    def name(self) -> str:
        """As programs list it."""
        return f"{self.id}: {self.note}" if self.note else self.id


class Track(NamedTuple):
    """Clips of one character that do not overlap."""

    name: str
    character: str
    clips: list[Clip]


def tracks(clips: Iterable[Clip]) -> list[Track]:
    """A track a character, in the order in which they first speak.

    Where lines of one character overlap, the later ones are on a second track, and so on. No two tracks
    have one name: the second of 학생 is 학생 3 where another character is 학생 2.
    """
    by_character: dict[str, list[Clip]] = {}
    for clip in sorted(clips, key=lambda clip: clip.start):
        by_character.setdefault(clip.character, []).append(clip)
    found, taken = list[Track](), set(by_character)
    for character, own in by_character.items():
        places = lanes([(clip.start, clip.start + clip.samples) for clip in own])
        base = character or "no name"
        others = (f"{base} {number}" for number in itertools.count(2))
        for lane in range(max(places) + 1):
            first = lane == 0 and (character or base not in taken)
            name = base if first else next(name for name in others if name not in taken)
            taken.add(name)
            on_it = [clip for clip, place in zip(own, places, strict=True) if place == lane]
            found.append(Track(name, character, on_it))
    return found


def lanes(spans: Sequence[tuple[int, int]]) -> list[int]:
    """Which lane each span goes to, so that none overlaps in any: the first that is free.

    Args:
        spans: begin and end, by their begin.
    """
    ends: list[int] = []
    lanes = []
    for begin, end in spans:
        lane = next((i for i, free in enumerate(ends) if free <= begin), len(ends))
        ends[lane : lane + 1] = [end]
        lanes.append(lane)
    return lanes
