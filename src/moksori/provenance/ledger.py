"""The ledger of a job: who converted what, when, to which voice, under which consent. It only grows.

OUT/.moksori/ledger.jsonl   an entry a line; each has the hash of the one before it
OUT/.moksori/ledger.head    number and hash of the last one, so that lines missing at the end are seen

An entry's hash is SHA-256 of the hash before it and of its own content, so that a change, a line taken out,
put in or moved is found at its line. Whoever rewrites all lines to the end makes a whole ledger again: note
the last hash, which `moksori ledger` prints, outside of the job (`--head` compares).
"""

import getpass
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from moksori.errors import OutputError
from moksori.messages import Message, message
from moksori.writing import atomic_write, write_error

LEDGER, _HEAD, _LOCK = "ledger.jsonl", "ledger.head", "ledger.lock"
_WAIT = 60.0  # seconds for another process to write its entry
_BLOCK = 1 << 16  # bytes read at a time, from the end
OPERATOR = (
    "MOKSORI_OPERATOR"  # environment variable: who is at work, instead of the system's user name
)
What = Literal["converted", "passed", "failed", "found", "delivered", "torn"]


class Entry(BaseModel):
    """A line of the ledger."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    n: int
    at: str  # UTC, ISO 8601
    by: str
    what: What
    about: dict[str, Any]
    before: str  # hash of the entry before
    hash: str = ""

    @property
    def right_hash(self) -> str:
        """What `hash` has to be."""
        whole = json.dumps(
            self.model_dump(exclude={"hash"}), sort_keys=True, ensure_ascii=False,
            separators=(",", ":"),
        )  # fmt: skip
        return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


class Checked(NamedTuple):
    """A ledger that was read."""

    entries: list[tuple[int, Entry]]  # with their lines, from 1
    faults: list[Message]
    head: str  # hash of the last entry


def append(home: Path, what: What, about: Mapping[str, Any]) -> Entry:
    """Add an entry; it is on the disk when this returns, also with several processes at once.

    A line that a killed process left half is never taken away: it is ended, and an entry says so.

    Raises:
        OutputError: the ledger cannot be written, or its last whole line is none of its own.
    """
    path = home / LEDGER
    try:
        with FileLock(home / _LOCK, timeout=_WAIT):
            number, before, torn = _end(path)
            entries = []
            if torn:
                digest = {"sha256": hashlib.sha256(torn).hexdigest(), "bytes": len(torn)}
                entries.append(_entry(number + 1, "torn", digest, before))
                number, before = number + 1, entries[0].hash
            entries.append(_entry(number + 1, what, about, before))
            rows = "".join(entry.model_dump_json() + "\n" for entry in entries)
            with path.open("ab") as file:
                file.write(b"\n" * bool(torn) + rows.encode("utf-8", "backslashreplace"))
                file.flush()
                os.fsync(file.fileno())
            last = entries[-1]
            atomic_write(home / _HEAD, json.dumps({"n": last.n, "hash": last.hash}))
            return last
    except Timeout:
        raise OutputError.of("output.busy", path=home) from None
    except OSError as error:
        raise write_error(path, error) from None


def file_digest(path: Path) -> str:
    """BLAKE2b digest of a file's content, hex, by which the ledger knows what was delivered."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _entry(number: int, what: What, about: Mapping[str, Any], before: str) -> Entry:
    plain = json.loads(json.dumps(about).encode("utf-8", "replace"))
    entry = Entry(
        n=number, at=datetime.now(UTC).isoformat(timespec="seconds"), by=operator(), what=what,
        about=plain, before=before,
    )  # fmt: skip
    return entry.model_copy(update={"hash": entry.right_hash})


def operator() -> str:
    """Who is at work: as `MOKSORI_OPERATOR` says, or the system's name of the user."""
    try:
        return os.environ.get(OPERATOR) or getpass.getuser()
    except (
        OSError,
        KeyError,
        ImportError,
    ):  # a user number that nobody has; Windows without a name
        return "?"


def _end(path: Path) -> tuple[int, str, bytes]:
    """Number and hash of the last entry, and what a killed process left half after it."""
    if not path.is_file():
        return 0, "", b""
    with path.open("rb") as file:
        end = place = file.seek(0, os.SEEK_END)
        tail, rows = b"", list[bytes]()
        while place > 0:
            place = max(0, place - _BLOCK)
            file.seek(place)
            tail = file.read(end - place)
            whole, _, torn = tail.rpartition(b"\n")
            rows = whole.split(b"\n")
            for row in reversed(rows[0 if place == 0 else 1 :]):
                if (entry := _read(row)) is not None:
                    return entry.n, entry.hash, torn
    if tail.strip():
        if b"\n" not in tail:  # killed within the very first entry
            return 0, "", tail
        raise OutputError.of("ledger.unreadable", file=path)
    return 0, "", b""


def _read(row: bytes) -> Entry | None:
    try:
        return Entry.model_validate_json(row)
    except ValidationError:
        return None


def check(home: Path, head: str = "") -> Checked:
    """Read the ledger of a job and see that nothing of it was changed.

    Args:
        home: the job's `.moksori`.
        head: a hash that was noted before; it has to be one of the ledger's.

    Raises:
        OutputError: there is none.
    """
    path = home / LEDGER
    if not path.is_file():
        raise OutputError.of("ledger.none", path=home.parent)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise write_error(path, error) from None
    rows, entries, faults = content.split(b"\n"), list[tuple[int, Entry]](), list[Message]()
    torn: tuple[int, bytes] | None = None
    before, number = "", 0
    for line, row in enumerate(rows, 1):
        if line == len(rows) and not row:
            break
        entry = _read(row)
        if entry is None:
            if line == len(rows):  # killed just now; the next entry will say so
                faults.append(message("ledger.half", line=line))
            elif torn:
                faults.append(message("ledger.changed", line=torn[0]))
                torn = line, row
            else:
                torn = line, row
            continue
        if torn is not None:
            digest = hashlib.sha256(torn[1]).hexdigest()
            if entry.what != "torn" or entry.about.get("sha256") != digest:
                faults.append(message("ledger.changed", line=torn[0]))
            torn = None
        if entry.hash != entry.right_hash:
            faults.append(message("ledger.changed", line=line))
        elif entry.before != before or entry.n != number + 1:
            faults.append(message("ledger.broken", line=line))
        before, number = entry.hash, entry.n
        entries.append((line, entry))
    if torn is not None:
        faults.append(message("ledger.changed", line=torn[0]))
    faults += _against_head(home, entries)
    if head and not any(entry.hash.startswith(head) for _, entry in entries):
        faults.append(message("ledger.other_head", head=head))
    return Checked(entries, faults, before)


def _against_head(home: Path, entries: Sequence[tuple[int, Entry]]) -> list[Message]:
    """Whether the ledger has come as far as it once was."""
    try:
        known = json.loads((home / _HEAD).read_text(encoding="utf-8"))
        number, hash = int(known["n"]), str(known["hash"])
    except (OSError, ValueError, KeyError, TypeError):
        return [message("ledger.no_head")] if entries else []
    if any(entry.n == number and entry.hash == hash for _, entry in entries):
        return []
    return [message("ledger.cut", number=number)]
