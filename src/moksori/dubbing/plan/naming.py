"""Which recording is a line's: by the script's column, a pattern, its number, or the time code in a name."""

import string
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from moksori.dubbing.plan.folder import RecordingFolder, time_in_name
from moksori.dubbing.plan.issues import Issue
from moksori.errors import ConfigError
from moksori.script.line import Line
from moksori.timecode import FrameRate

_FIELDS = ("no", "episode", "scene", "character", "actor")


def times_of_names(
    lines: Sequence[Line], audio: Path, pattern: str | None, frame_rate: FrameRate | None
) -> list[Line]:
    """The lines, those without a time at the time code in their recording's name, if it has one.

    Args: as `find_takes`.
    """
    if frame_rate is None or not audio.is_dir() or all(line.start is not None for line in lines):
        return [*lines]
    files = RecordingFolder(audio)
    found = [file_of(line, pattern, files, frame_rate) for line in lines]
    return [
        replace(line, start=time_in_name(path, frame_rate))
        if line.start is None and isinstance(path, Path)
        else line
        for line, path in zip(lines, found, strict=True)
    ]


def file_of(
    line: Line, pattern: str | None, files: RecordingFolder, frame_rate: FrameRate | None
) -> Path | Issue:
    """A line's recording: by the script's column, by the pattern, by the line's number, or by its time."""
    if line.file or pattern:
        return files.find(line.file or by_pattern(pattern or "", line))
    timed = files.at(line, frame_rate)
    if not line.no:
        return timed or Issue("error", "", "no_name", {})
    spelled = [line.no, *(line.no.zfill(width) for width in (2, 3, 4) if line.no.isdecimal())]
    found = [files.find(name) for name in spelled]
    if path := next((path for path in found if isinstance(path, Path)), timed):
        return path
    issues = [issue for issue in found if isinstance(issue, Issue)]
    return next((issue for issue in issues if issue.kind != "no_audio"), issues[0])


def by_pattern(pattern: str, line: Line) -> str:
    """The file's name that a pattern gives for a line.

    Raises:
        ConfigError: an unknown field, or one that the line has not.
    """
    fields = {
        name: int(value) if value.isdecimal() else value
        for name in _FIELDS
        if (value := getattr(line, name))
    }
    try:
        names = {part[1] for part in string.Formatter().parse(pattern) if part[1] is not None}
        if unknown := names - set(_FIELDS):
            raise ConfigError.of(
                "takes.pattern_unknown", pattern=pattern, name=sorted(unknown)[0],
                fields=", ".join(_FIELDS),
            )  # fmt: skip
        return pattern.format(**fields)
    except ConfigError:  # which is a ValueError too
        raise
    except KeyError as error:
        raise ConfigError.of(
            "takes.pattern_field", place=line.place.message, name=error.args[0]
        ) from None
    except ValueError:
        raise ConfigError.of(
            "takes.pattern_unfit", place=line.place.message, pattern=pattern
        ) from None
