"""The errors a user can mend. Each message says what is wrong, where, and what to do about it."""


class MoksoriError(ValueError):
    """Base of all errors caused by input; the command line prints it as one line and exits with 2."""


class AudioError(MoksoriError):
    """A recording that cannot be read or converted."""


class TextError(MoksoriError):
    """A line that cannot be read aloud.

    Attributes:
        line: the whole line, composed to NFC.
        offset: index of the first offending character in `line`, or None if it is the whole line.
    """

    def __init__(self, message: str, line: str, offset: int | None = None) -> None:
        self.line, self.offset = line, offset
        if offset is not None:
            start = max(0, offset - 8)
            context = "".join(c if c.isprintable() else " " for c in line[start : offset + 9])
            message = f"{message} (character {offset + 1}, near “{context}”)"
        super().__init__(message)

    def __reduce__(self) -> tuple:
        """Let it travel between processes: its arguments are not those of `ValueError`."""
        return _restore, (type(self), str(self), self.line, self.offset)


def _restore(kind: type[TextError], message: str, line: str, offset: int | None) -> TextError:
    error = kind(message, line)
    error.offset = offset
    return error


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
