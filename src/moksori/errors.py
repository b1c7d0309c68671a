"""The errors that a user can fix. Each message says what is wrong, where, and what to do about it."""

import errno
from typing import Any, Self

from moksori.messages import Lang, Message, message


class MoksoriError(ValueError):
    """Base of all errors caused by input; the command line prints it as one line and exits with 2.

    Attributes:
        message: what is wrong; by its code, where users may read it in Korean.
    """

    def __init__(self, what: str | Message) -> None:
        self.message = what if isinstance(what, Message) else message("plain", text=what)
        super().__init__(self.message.say("en"))

    @classmethod
    def of(cls, code: str, **values: object) -> Self:
        """The error with a message of the catalogue."""
        return cls(message(code, **values))

    def say(self, lang: Lang) -> str:
        """In words, on one line."""
        return " ".join(self.message.say(lang).split())

    def __reduce__(self) -> tuple[Any, ...]:
        """Let it travel between processes with its message."""
        return type(self), (self.message,)


_REASONS = {
    errno.ENOENT: "missing", errno.ENOTDIR: "missing", errno.EACCES: "forbidden", errno.EPERM: "forbidden",
    errno.EISDIR: "folder", errno.ENOSPC: "full", errno.EDQUOT: "full", errno.EROFS: "read_only",
    errno.EIO: "broken", errno.EADDRINUSE: "in_use", errno.ENAMETOOLONG: "long_name",
}  # fmt: skip


def reason_of(fault: OSError) -> Message:
    """Why the system did not do something, in the user's language where it is of a common kind."""
    kind = _REASONS.get(fault.errno or 0)
    return (
        message(f"system.{kind}") if kind else message("plain", text=fault.strerror or str(fault))
    )


class Notice(UserWarning):
    """Something that a user is to know and that ends no work; `notice` says what."""

    def __init__(self, code: str, **values: object) -> None:
        self.notice = message(code, **values)
        super().__init__(self.notice.say("en"))


class AudioError(MoksoriError):
    """A recording that cannot be read or converted."""


class TextError(MoksoriError):
    """A line that cannot be read aloud.

    Attributes:
        what: what is wrong, without its place.
        line: the whole line, composed to NFC.
        offset: index of the first offending character in `line`, or None if it is the whole line.
    """

    def __init__(self, what: str | Message, line: str, offset: int | None = None) -> None:
        self.line, self.offset = line, offset
        self.what = what if isinstance(what, Message) else message("plain", text=what)
        whole = self.what
        if offset is not None:
            start = max(0, offset - 8)
            near = "".join(c if c.isprintable() else " " for c in line[start : offset + 9])
            whole = message("text.at", message=whole, number=offset + 1, near=near)
        super().__init__(whole)

    def __reduce__(self) -> tuple[Any, ...]:
        """As its base's."""
        return type(self), (self.what, self.line, self.offset)


class LexiconError(MoksoriError):
    """A show's list of readings with a row that cannot be right."""


class ScriptError(MoksoriError):
    """A script that cannot be read as a table, as subtitles or as text."""


class VoiceError(MoksoriError):
    """A voice that the model does not have."""


class CheckpointError(MoksoriError):
    """A model folder that is damaged, unsafe, or made for another version."""


class ConfigError(MoksoriError):
    """A configuration file with an unknown key or an impossible value."""


class CorpusError(MoksoriError):
    """A corpus folder that is not in the layout its reader expects."""


class OutputError(MoksoriError):
    """A place where the result cannot be written."""
