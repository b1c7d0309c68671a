"""Files: text decoded in one way, written whole or not at all, under names that any system can hold."""

import codecs
import csv
import errno
import io
import os
import re
import tempfile
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from moksori.errors import ConfigError, MoksoriError, OutputError

AnyModel = TypeVar("AnyModel", bound=BaseModel)
MAX_BYTES = 80  # in UTF-8; systems take 255, of which the rest is for what others put around it
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])", re.IGNORECASE)  # by Windows


def decode(content: bytes, name: str, error: Callable[[str], MoksoriError] = MoksoriError) -> str:
    """Text in UTF-8, with or without a byte order mark, in UTF-16 with one, or in CP949 (Excel in Korean).

    Args:
        content: of a file.
        name: of the file, for the message.
        error: that is raised.

    Raises:
        MoksoriError: `error`; it is in none of these.
    """
    encodings: tuple[str, ...] = ("utf-8-sig", "cp949")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ("utf-16", *encodings)
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise error(f"{name}: neither UTF-8 nor UTF-16 nor CP949; save it as UTF-8")


def read_text(path: Path, error: Callable[[str], MoksoriError] = MoksoriError) -> str:
    """A text file's content, its line ends as they are.

    Args:
        path: of the file.
        error: that is raised.

    Raises:
        MoksoriError: `error`; the file cannot be opened, or as `decode`.
    """
    try:
        return decode(path.read_bytes(), str(path), error)
    except OSError as fault:
        raise error(f"{path}: {_reason(path, fault)}") from None


def read_csv(
    path: Path, error: Callable[[str], MoksoriError] = MoksoriError
) -> "csv.DictReader[str]":
    """Rows of a CSV file with headers, as the standard library's reader gives them.

    Raises:
        MoksoriError: as `read_text`.
    """
    return csv.DictReader(io.StringIO(read_text(path, error), newline=""))


def _reason(path: Path, fault: OSError) -> str:
    """Why a file cannot be read, in words."""
    if isinstance(fault, FileNotFoundError):
        return "no such file"
    return "is a folder, a file is needed" if path.is_dir() else str(fault.strerror or fault)


def atomic_write(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all; text as UTF-8, its line ends as they are.

    Raises:
        OutputError: as `atomic_path`.
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A file to write to, beside `path`; it takes its place when all went well, and goes otherwise.

    What took its place is on the disk, so that a power failure leaves the old file or the new one.

    Raises:
        OutputError: the folder is missing or not writable, or the disk is full.
    """
    if not path.parent.is_dir():
        raise OutputError.of("output.no_folder", path=path.parent)
    try:
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix
        )
    except OSError as error:
        raise write_error(path.parent, error) from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        with suppress(OSError):  # of a drive that is away
            temporary.unlink(missing_ok=True)


def write_error(path: Path, fault: OSError) -> OutputError:
    """Why a file cannot be written, and what to do about it.

    Args:
        path: of the file.
        fault: what the system says.
    """
    if fault.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutputError.of("output.full", path=path)
    if fault.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return OutputError.of("output.forbidden", path=path)
    return OutputError.of("output.failed", path=path, why=fault.strerror or fault)


def sync(path: Path) -> None:
    """Have what was written to a file, or the names in a folder, on the disk.

    Raises:
        OSError: it could not be written after all; some network drives say so only now.
    """
    if os.name == "nt" and path.is_dir():  # Windows opens no folders
        return
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    except OSError as fault:
        if fault.errno not in (errno.EINVAL, errno.ENOTSUP):  # a system that cannot
            raise
    finally:
        os.close(handle)


def safe_name(text: str) -> str:
    """A file's name, without suffix, for `text`.

    Letters (Hangul too), digits, `-` and `_` are kept, composed to NFC; anything else becomes `_`.
    Cut to 80 bytes of UTF-8 at a character's end; `no_character` if `text` is blank.
    """
    composed = unicodedata.normalize("NFC", text.strip())
    kept = "".join(c if c.isalpha() or c.isdecimal() or c in "-_" else "_" for c in composed)
    name = cut(kept, MAX_BYTES) or "no_character"
    return f"{name}_" if _RESERVED.fullmatch(name) else name


def unique_names(texts: Iterable[str]) -> dict[str, str]:
    """A safe name for each of `texts`, no two alike even where upper and lower case are one.

    The first of several that would be alike keeps its name; the others get `_2`, `_3`, and so on.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for text in dict.fromkeys(texts):
        base = name = safe_name(text)
        number = 1
        while name.casefold() in taken:
            number += 1
            name = cut(base, MAX_BYTES - len(f"_{number}")) + f"_{number}"
        taken.add(name.casefold())
        names[text] = name
    return names


def cut(text: str, size: int) -> str:
    """The beginning of `text` that fits `size` bytes of UTF-8, cut at a character's end.

    What cannot be encoded (half a surrogate pair, as in undecodable file names) becomes `?`.
    """
    return text.encode("utf-8", "replace")[:size].decode("utf-8", "ignore")


def load_toml(path: Path, kind: type[AnyModel], *, missing: str = "", hint: str = "") -> AnyModel:
    """Read a TOML file into a pydantic model: configs, casts, consents, jobs.

    Args:
        path: the file.
        kind: the model.
        missing: what to do if there is no such file; part of the message.
        hint: what is often wrong with TOML of this kind; part of the message.

    Raises:
        ConfigError: no such file, not TOML, an unknown key, a value of the wrong kind.
    """
    if not path.exists() and missing:
        raise ConfigError(f"{path}: no such file; {missing}")
    try:
        return kind.model_validate(tomllib.loads(read_text(path, ConfigError)))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}{f'; {hint}' if hint else ''}") from None
    except ValidationError as error:
        raise ConfigError(f"{path}: {explain(error)}") from None


def explain(error: ValidationError) -> str:
    """All faults of a validation, one after another: the key, what is wrong, what was given."""
    faults = []
    for fault in error.errors():
        key = ".".join(str(part) for part in fault["loc"]) or "the file"
        if fault["type"] == "extra_forbidden":
            faults.append(f"unknown key “{key}”")
        else:
            given = "" if fault["type"] == "missing" else f", got {fault['input']!r:.60}"
            faults.append(f"“{key}”: {fault['msg']}{given}")
    return "; ".join(faults)
