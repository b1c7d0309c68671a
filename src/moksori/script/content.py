"""What is asked of a script, and what its reader gives."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from moksori.messages import Message
from moksori.script.line import Line
from moksori.timecode import FrameRate


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked of a script; see `script.read_script`.

    Attributes:
        columns: headers by the keys of `columns.COLUMNS`, where they are not among its names.
        only: which of `columns.COLUMNS` are read beside the lines.
        frame_rate: of a table's time codes.
        episode: whose lines are read.
    """

    columns: Mapping[str, str]
    only: Collection[str]
    frame_rate: FrameRate | None = None
    episode: str | None = None


@dataclass(frozen=True)
class ScriptContent:
    """What a script says.

    Attributes:
        lines: every row or cue that has text, in the script's order.
        warnings: what was left out or chosen, and why.
    """

    lines: list[Line]
    warnings: list[Message] = field(default_factory=list)


Reader = Callable[[Path, Asked], ScriptContent]
"""Reads a script of one kind.

Args: the file, and what is asked. Returns its content; no lines is an error of `read_script`'s, not its own.
Raises: ScriptError, with the file, the place in it and the fix, for all that cannot be read.
"""
