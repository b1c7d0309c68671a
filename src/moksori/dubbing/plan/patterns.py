"""How recordings may be called: patterns proposed from the names that lie in a folder."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

from moksori.dubbing.plan.folder import RecordingFolder
from moksori.dubbing.plan.takes import file_by_pattern
from moksori.errors import ConfigError
from moksori.script.line import Line

_NUMBERS = ("{no}", "{no:02d}", "{no:03d}", "{no:04d}")
_AROUND = (
    "{n}", "{n}_{character}", "{character}_{n}", "{n}-{character}", "{character}-{n}", "{n} {character}",
    "{character} {n}", "{n}_{actor}", "{actor}_{n}", "{character}/{n}", "{actor}/{n}", "{episode}_{n}",
    "{episode}_{n}_{character}", "{episode}_{character}_{n}", "{scene}_{n}", "{episode}/{n}",
)  # fmt: skip
_ENOUGH = 0.5  # of the lines


class Proposal(NamedTuple):
    """A pattern and how many of the lines find a recording by it."""

    pattern: str
    found: int
    lines: int


def propose_patterns(lines: Sequence[Line], folder: Path) -> list[Proposal]:
    """Patterns by which at least half of the lines find a recording of their own, the best first.

    Args:
        lines: of one episode.
        folder: of the recordings.

    Raises:
        ConfigError: there are no recordings in it.
    """
    files = RecordingFolder(folder)
    found = []
    for around, number in product(_AROUND, _NUMBERS):
        pattern = around.replace("{n}", number)
        paths = set()
        for line in lines:
            try:
                path = file_by_pattern(pattern, line, files)
            except ConfigError:  # the line lacks a field
                continue
            if isinstance(path, Path):
                paths.add(path)
        if len(paths) >= max(1, _ENOUGH * len(lines)):
            found.append(Proposal(pattern, len(paths), len(lines)))
    best = sorted(found, key=lambda proposal: -proposal.found)
    return [proposal for proposal in best if proposal.found == best[0].found][:3]
