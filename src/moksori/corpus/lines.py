"""What every corpus reader yields."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from moksori.errors import CorpusError
from moksori.messages import Message, joined, message

Split = Literal["train", "valid", "test"]
Sex = Literal["female", "male"]


@dataclass(frozen=True, kw_only=True)
class SourceLine:
    """One line of a corpus as it lies on the disk; `problem` says why it cannot be used."""

    id: str
    speaker: str
    split: Split
    audio: Path | None
    text: str  # spelling of what was said
    script: str  # what the actor was handed; may hold digits, Latin, brackets
    sex: Sex | None  # as the corpus says, if it says
    problem: Message | None = None
    place: Message | None = None  # of its row or its folder, where it is not just its recording's


def refuse_twice(source: Path, named: Iterable[tuple[str, Message]]) -> None:
    """Refuse recordings that are named more than once.

    Args:
        source: what names them.
        named: names, each with its place.

    Raises:
        CorpusError: all such names, each with all of its places.
    """
    places: dict[str, list[Message]] = defaultdict(list)
    for name, place in named:
        places[name].append(place)
    twice = [
        message("corpus.named_in", name=name, places=joined(found, "script.and"))
        for name, found in places.items()
        if len(found) > 1
    ]
    if twice:
        raise CorpusError.of("corpus.twice", place=source, names=joined(twice, "script.and"))


def places_of(lines: Iterable[SourceLine]) -> list[tuple[str, Message]]:
    """Names of lines, each with its place, or else with its recording."""
    return [(line.id, line.place or message("plain", text=line.audio)) for line in lines]
