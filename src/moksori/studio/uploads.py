"""Files that the page brings: only of known kinds, no larger than they may be, whole or not at all."""

import unicodedata
from collections.abc import Callable, Collection
from pathlib import Path

from starlette.requests import Request

from moksori.errors import AudioError, MoksoriError, OutputError
from moksori.messages import Message
from moksori.script.script import READERS
from moksori.signal import decoders
from moksori.writing import atomic_path, write_error

_MB = 2**20
SCRIPT_BYTES, TAKE_BYTES, TRACK_BYTES = 50 * _MB, 500 * _MB, 16 * 1024 * _MB
SCRIPT_KINDS: Collection[str] = tuple(READERS)
SOUND_KINDS: Collection[str] = tuple(decoders.SUFFIXES)


def plain_name(name: str, kinds: Collection[str]) -> str:
    """A file's name without any folder, composed to NFC.

    Raises:
        OutputError: it is no name, or of a kind that is not taken.
    """
    plain = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2].strip()
    suffix = Path(plain).suffix.lower()
    if not plain or plain.startswith(".") or not plain.isprintable() or len(plain.encode()) > 200:
        raise OutputError.of("studio.name", name=name[:80])
    if suffix not in kinds:
        raise OutputError.of("studio.kind", name=plain, kinds=", ".join(kinds))
    return plain


async def receive(
    request: Request,
    place: Path,
    limit: int,
    check: Callable[[Path], None] = lambda path: None,
    count: Callable[[int], None] = lambda size: None,
    name: str = "",
) -> None:
    """Write a request's body to a file, whole or not at all.

    Args:
        request: whose body it is.
        place: of the file; its folder is made.
        limit: bytes.
        check: looks at the file before it takes its place, and raises what is wrong with it.
        count: is given the bytes of each part as it comes, and raises if they are too many.
        name: that the file had, where the place has another.

    Raises:
        OutputError: it is too large, or cannot be written.
    """
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(place.parent, error) from None
    size, name = 0, name or place.name
    with atomic_path(place) as temporary:
        with temporary.open("wb") as file:
            async for part in request.stream():
                size += len(part)
                if size > limit:
                    raise OutputError.of("studio.too_large", name=name, limit=limit // _MB)
                count(len(part))
                file.write(part)
        try:
            check(temporary)
        except MoksoriError as error:
            raise type(error)(_named(error.message, temporary, name)) from None


def _named(said: Message, path: Path, name: str) -> Message:
    """The same of a file by the name that a user knows."""
    values = {
        key: _named(value, path, name)
        if isinstance(value, Message)
        else name
        if str(value) in (str(path), path.name)
        else value
        for key, value in said.values.items()
    }
    return said._replace(values=values)


def check_sound(path: Path) -> None:
    """See that it is a recording.

    Raises:
        AudioError: it is none.
    """
    with decoders.opened(path) as (file, _, _):
        if not file.frames:
            raise AudioError.of("audio.no_samples", name=path.name)
