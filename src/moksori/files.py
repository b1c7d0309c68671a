"""Files: text decoded in one way, under names that any system can hold; writing.py writes them."""

import codecs
import csv
import hashlib
import io
import os
import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from moksori.delimited import even_ends, quoted
from moksori.errors import ConfigError, MoksoriError, reason_of
from moksori.messages import Message, joined, message
from moksori.toml_faults import toml_fault

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

AnyModel = TypeVar("AnyModel", bound="BaseModel")
_KINDS = {  # what pydantic finds, by what it calls it
    "toml.unknown_key": ("extra_forbidden",),
    "toml.no_key": ("missing",),
    "toml.empty": ("string_too_short",),
    "toml.too_long": ("string_too_long",),
    "toml.few": ("too_short",),
    "toml.many": ("too_long",),
    "toml.form": ("string_pattern_mismatch",),
    "toml.text": ("string_",),
    "toml.number": ("float_", "finite_number"),
    "toml.whole_number": ("int_",),
    "toml.yes_or_no": ("bool_",),
    "toml.one_of": ("literal_error",),
    "toml.date": ("date_",),
    "toml.list": ("list_", "tuple_"),
    "toml.table": ("dict_", "model_"),
    "toml.at_least": ("greater_than_equal",),
    "toml.at_most": ("less_than_equal",),
    "toml.above": ("greater_than",),
    "toml.below": ("less_than",),
}
_WHOLE = ("toml.unknown_key", "toml.no_key")  # messages that name the key themselves
MAX_BYTES = 80  # in UTF-8; systems take 255, of which the rest is for what others put around it
_ENDS = re.compile(r"\r+\n|\r")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])", re.IGNORECASE)  # by Windows


def decode(
    content: bytes, name: str, error: Callable[[Message], MoksoriError] = MoksoriError
) -> str:
    """Text in UTF-8 or UTF-16, with or without a byte order mark, or in CP949 (Excel in Korean).

    Byte order marks within it, as joined files have, are left out, and the mark of DOS for the end.

    Args:
        content: of a file.
        name: of the file, for the message.
        error: that is raised.

    Raises:
        MoksoriError: `error`; it is in none of these, or no text.
    """
    for encoding in _encodings(content):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            raise error(message("file.no_text", file=name))
        return text.replace("\ufeff", "").rstrip("\x1a")
    if place := _damaged(content):
        raise error(message("file.damaged_text", file=name, row=place))
    raise error(message("file.encoding", file=name))


def _encodings(content: bytes) -> list[str]:
    """In which a text may be, the likeliest first; none if it is UTF-8 with some wrong bytes."""
    for mark, encoding in (
        (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
    ):  # fmt: skip
        if content.startswith(mark):
            return [encoding]
    even, odd = content[::2].count(0), content[1::2].count(0)
    if len(content) % 2 == 0 and max(even, odd) > 9 * min(even, odd) and even + odd:
        return ["utf-16-le" if odd > even else "utf-16-be", "utf-8"]
    return ["utf-8-sig"] if _damaged(content) else ["utf-8-sig", "cp949"]


def _damaged(content: bytes) -> int | None:
    """The row of the first wrong byte of a text that is UTF-8 but for a few; None if it is not.

    CP949 hardly ever holds what UTF-8 needs for a syllable, three bytes of which the later two begin with 10.
    """
    try:
        content.decode()
    except UnicodeDecodeError as fault:
        text = content.decode(errors="replace")
        wrong = text.count("\ufffd")
        right = sum(1 for char in text if "\u0800" <= char < "\ufffd")
        if right > wrong:
            return content[: fault.start].count(b"\n") + 1
    return None


def read_text(
    path: Path,
    error: Callable[[Message], MoksoriError] = MoksoriError,
    *,
    keep_ends: bool = False,
) -> str:
    """A text file's content.

    Args:
        path: of the file.
        error: that is raised.
        keep_ends: whether rows end as in the file; with LF otherwise, also for CR CR LF and CR alone.

    Raises:
        MoksoriError: `error`; the file cannot be opened, or as `decode`.
    """
    text = decode(read_bytes(path, error), str(path), error)
    return text if keep_ends else _ENDS.sub("\n", text)


def read_bytes(
    path: Path,
    error: Callable[[Message], MoksoriError] = MoksoriError,
    most: int | None = None,
) -> bytes:
    """A file's content.

    Args:
        path: of the file.
        error: that is raised.
        most: bytes that it may have.

    Raises:
        MoksoriError: `error`; the file cannot be opened, is none, or is larger.
    """
    try:
        if path.exists() and not path.is_file():  # reading from a pipe would wait for ever
            code = "file.folder" if path.is_dir() else "file.special"
            raise error(message(code, file=path))
        if most is not None and (size := path.stat().st_size) > most:
            raise error(message("file.too_large", file=path, size=size, most=most))
        return path.read_bytes()
    except OSError as fault:
        code = "file.missing" if isinstance(fault, FileNotFoundError) else "file.unreadable"
        values = {} if code == "file.missing" else {"why": reason_of(fault)}
        raise error(message(code, file=path, **values)) from None


def read_csv(
    path: Path, error: Callable[[Message], MoksoriError] = MoksoriError
) -> "csv.DictReader[str]":
    """Rows of a list with headers, separated by commas, semicolons or tabs.

    Raises:
        MoksoriError: as `read_text`; no table, or a quotation mark that is left open.
    """
    text = even_ends(read_text(path, error, keep_ends=True))
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    quoted(path, text, delimiter, error)  # raises
    return csv.DictReader(io.StringIO(text.replace("\r\n", "\n")), delimiter=delimiter)


def near(path: Path, out: Path, above: int = 1) -> str:
    """Relative to a folder if it lies beside it or below, or in the folder so many above; else absolute."""
    path, out = Path(os.path.normpath(path.absolute())), Path(os.path.normpath(out.absolute()))
    around = [out, *out.parents][min(above, len(out.parents))]
    if path.is_relative_to(around) and around != Path(out.anchor):
        return Path(os.path.relpath(path, out)).as_posix()
    return path.as_posix()


def relative(path: Path, out: Path) -> str:
    """Relative to a folder; absolute if it lies on another drive of Windows."""
    try:
        return Path(os.path.relpath(path, out)).as_posix()
    except ValueError:
        return path.absolute().as_posix()


def safe_name(text: str) -> str:
    """A file's name, without suffix, for `text`.

    Letters (Hangul too), digits, `-` and `_` are kept, composed to NFC; anything else becomes `_`.
    Cut to 80 bytes of UTF-8 at a character's end; `no_character` if `text` is blank.
    """
    composed = unicodedata.normalize("NFC", text.strip())
    kept = "".join(c if c.isalpha() or c.isdecimal() or c in "-_" else "_" for c in composed)
    name = cut(kept, MAX_BYTES) or "no_character"
    return f"{name}_" if _RESERVED.fullmatch(name) else name


def own_name(text: str) -> str:
    """As `safe_name`, with a short digest of the whole text at its end, so that no other text has it."""
    whole = unicodedata.normalize("NFC", text.strip()).encode("utf-8", "replace")
    end = "_" + hashlib.blake2b(whole, digest_size=4).hexdigest()
    return cut(safe_name(text), MAX_BYTES - len(end)) + end


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


def load_toml(
    path: Path,
    kind: type[AnyModel],
    *,
    missing: Message | None = None,
    hint: Message | None = None,
) -> AnyModel:
    """Read a TOML file into a pydantic model: configs, casts, consents, jobs.

    Args:
        path: the file.
        kind: the model.
        missing: what to do if there is no such file; part of the message.
        hint: what else to do if it is no TOML; part of the message.

    Raises:
        ConfigError: no such file, not TOML, an unknown key, a value of the wrong kind.
    """
    from pydantic import ValidationError  # a third of the time that `moksori --help` takes

    if not path.exists() and missing:
        raise ConfigError.of("toml.missing", file=path, hint=missing)
    text = read_text(path, ConfigError)
    try:
        return kind.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        more = message("toml.hint", hint=hint) if hint else ""
        raise ConfigError.of(
            "toml.invalid", file=path, more=more, **toml_fault(text, error)
        ) from None
    except ValidationError as error:
        raise ConfigError.of("file.invalid", file=path, why=explain(error)) from None


def explain(error: "ValidationError") -> Message:
    """All faults of a validation, one after another: the key, what is wrong, what was given."""
    return joined(_faults(error))


def _faults(error: "ValidationError") -> Iterator[Message]:
    for fault in error.errors():
        key = ".".join(str(part) for part in fault["loc"])
        kind, about = fault["type"], fault.get("ctx", {})
        code = next((code for code, kinds in _KINDS.items() if kind.startswith(kinds)), None)
        if code in _WHOLE:
            yield message(code, key=key)
            continue
        cause = about.get("error")
        if isinstance(cause, MoksoriError):
            what = cause.message
        elif code:
            values = {name: _plain(about[name]) for name in about}
            what = message(code, table=_table(fault["loc"]), **values)
        else:
            what = message("plain", text=fault["msg"])
        if cause and isinstance(
            fault["input"], dict
        ):  # of a whole table; what is wrong names its keys
            yield message("toml.part", key=key, what=what) if key else what
            continue
        given = f"{fault['input']!r:.60}"
        yield message("toml.value", key=key, what=what, given=given) if key else what


def _plain(limit: Any) -> Any:
    """A limit as it is written in both languages."""
    if isinstance(limit, str):  # 'a', 'b' or 'c'
        return limit.replace(" or ", ", ")
    return int(limit) if isinstance(limit, float) and limit.is_integer() else limit


def _table(place: tuple[int | str, ...]) -> str:
    """How a table's head is written in TOML."""
    bare = re.compile(r"[A-Za-z0-9_-]+")
    parts = (str(part) for part in place)
    return ".".join(part if bare.fullmatch(part) else f'"{part}"' for part in parts)
