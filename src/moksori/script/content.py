"""What is asked of a script, and what its reader gives."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from moksori import messages
from moksori.config import Seconds
from moksori.errors import ScriptError
from moksori.messages import Message, message
from moksori.script.line import Line, Place
from moksori.timecode import FrameRate

_NAMED = 20  # faults that one error names


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked of a script; see `script.read_script`.

    Attributes:
        columns: headers by the keys of `headers.COLUMNS`, where they are not among its names.
        only: which of `headers.COLUMNS` are read beside the lines.
        frame_rate: of a table's time codes.
        episode: whose lines are read.
        hidden: whether hidden rows, and a hidden column of lines, are read too.
    """

    columns: Mapping[str, str]
    only: Collection[str]
    frame_rate: FrameRate | None = None
    episode: str | None = None
    hidden: bool = False


class Fault(NamedTuple):
    """What keeps one line of a script from being read; the others can be.

    Attributes:
        place: of the line, which is among the script's with what could be read of it.
        where: exactly, as the script's program calls it: 1화!B2, line 7.
        what: is wrong, and the fix.
    """

    place: Place
    where: Message
    what: Message


@dataclass(frozen=True)
class ScriptContent:
    """What a script says.

    Attributes:
        lines: every row or cue that has text, in the script's order; also those with faults.
        warnings: what was left out or chosen, and why.
        faults: what is wrong in single lines, in the script's order.
        understood: which columns of its tables are what, and which are not used.
        question: what must be answered before its times can be used; they are then unknown.
        frame_rate: of its times; None if they count no frames.
        begin: the time code that its media begin at, where it says so.
    """

    lines: list[Line]
    warnings: list[Message] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    understood: list[Message] = field(default_factory=list)
    question: Message | None = None
    frame_rate: FrameRate | None = None
    begin: Seconds | None = None

    @property
    def faulty(self) -> frozenset[Place]:
        """The lines that have faults."""
        return frozenset(fault.place for fault in self.faults)

    def whole(self, path: Path) -> list[Line]:
        """All lines, for those who cannot do without any.

        Raises:
            ScriptError: naming every fault.
        """
        if not self.faults:
            return self.lines
        raise ScriptError(joined(self.notices(path)))

    def notices(self, path: Path) -> list[Message]:
        """What is to be asked, and the faults, each with its place."""
        notice = [self.question] if self.question else []
        notice += [
            message("script.fault", file=path, where=fault.where, why=fault.what)
            for fault in self.faults[:_NAMED]
        ]
        if (more := len(self.faults) - _NAMED) > 0:
            notice.append(message("script.more_faults", number=more))
        return notice


def joined(parts: Sequence[Message], code: str = "script.next") -> Message:
    """Messages one after another, as one; as `messages.joined`, by “;” if no code is given."""
    return messages.joined(parts, code)


Reader = Callable[[Path, Asked], ScriptContent]
"""Reads a script of one kind.

Args: the file, and what is asked. Returns its content; no lines is an error of `read_script`'s, not its own.
Raises: ScriptError, with the file, the place in it and the fix, where nothing of it can be read; what is
wrong in one line alone is a `Fault`, so that one run tells them all.
"""
