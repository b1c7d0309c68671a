"""What a converted file says of itself, for people and machines, in its own WAV chunks.

bext    description and coding history: converted, to which voice, by which model
iXML    USER: all of it as JSON (`Statement`), with a checksum of the samples

It names no person: a voice by its name, a consent by a reference that nobody can guess, a take by its
checksum. The name of whoever lent a voice stands there only where his consent has a `credit`.
"""

import hashlib
import struct
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict, ValidationError

from moksori import __version__
from moksori.conversion.converter import Converter
from moksori.conversion.parts import parts_of, verdict_of
from moksori.conversion.terms import Commercial, together
from moksori.errors import OutputError
from moksori.signal.riff import UNSIZED, Chunk, blocks, chunks, head
from moksori.writing import atomic_path

_MOST = 1 << 26  # bytes of a chunk that is read as a whole
_BEXT = 602  # bytes before the coding history
SENTENCE = "AI-converted speech · AI로 변환한 음성"
_ASCII = "AI-converted speech"  # as `bext` would have it
_HISTORY = "T=Moksori; "  # begins our line of its coding history


class _Said(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)  # a newer Moksori may say more


class LineSaid(_Said):
    """A line of the file."""

    id: str
    take: str  # checksum of the take's samples
    voice: str = ""  # none of a line that stayed as recorded
    converted: bool = True
    before: str = (
        ""  # in short, what the take said of itself, if it stayed as it is and was no recording
    )


class VoiceSaid(_Said):
    """A voice of the file."""

    consent: str = ""  # reference; empty where the voice is under a licence alone
    until: str = ""
    uses: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    credit: str = ""


class PartSaid(_Said):
    """A model that made it."""

    checksum: str
    licence: str


class Statement(_Said):
    """All that a file says of itself."""

    format: int = 1
    version: str = __version__
    converted: bool = True  # whether any of it is
    title: str = ""
    models: dict[str, PartSaid] = {}
    voices: dict[str, VoiceSaid] = {}
    lines: tuple[LineSaid, ...] = ()
    commercial: Commercial = "unknown"
    watermark: bool = False
    sound: str = ""  # SHA-256 of the samples as they were written; set in writing

    def about(self, lines: tuple[LineSaid, ...]) -> "Statement":
        """The same of some lines alone."""
        used = {line.voice for line in lines if line.converted}
        voices = {name: voice for name, voice in self.voices.items() if name in used}
        if not used:  # no voice and no model of this job is in it
            before = any(line.before for line in lines)
            return Statement(version=self.version, title=self.title, converted=before, lines=lines)
        return self.model_copy(update={"lines": lines, "voices": voices, "converted": True})

    @property
    def summary(self) -> str:
        """In a line, for `bext`."""
        if not self.converted:
            return "as recorded"
        if not self.voices:
            before = {line.before for line in self.lines if line.before}
            return before.pop() if len(before) == 1 else _ASCII
        names = ", ".join(
            f"{name} (consent {voice.consent})" if voice.consent else name
            for name, voice in self.voices.items()
        )
        takes = f"; take {self.lines[0].take[:16]}" if len(self.lines) == 1 else ""
        model = self.models["model"].checksum if "model" in self.models else "?"
        return f"{_ASCII}; voice {names}{takes}; model {model}"


def state(
    converter: Converter, lines: tuple[LineSaid, ...], title: str, watermark: bool
) -> Statement:
    """What is to be said of lines that a converter made.

    Raises:
        VoiceError, CheckpointError: as `Converter.target`.
    """
    voices, consents = dict[str, VoiceSaid](), list[Commercial]()
    for name in sorted({line.voice for line in lines if line.converted}):
        target = converter.target(name)
        consents.append(verdict_of(converter, target.consent))
        voices[name] = VoiceSaid()
        if c := target.consent:
            voices[name] = VoiceSaid(
                consent=target.reference, until=str(c.until), uses=c.uses, titles=c.titles,
                credit=c.credit,
            )  # fmt: skip
    models = {
        part.name: PartSaid(checksum=part.checksum[:12], licence=part.terms.licence)
        for part in parts_of(converter)
    }
    whole = Statement(
        title=title, models=models, voices=voices, lines=lines, commercial=together(consents),
        watermark=watermark,
    )  # fmt: skip
    return whole.about(lines)


def write_line_statement(
    path: Path,
    converter: Converter,
    recording: Path,
    voice: str,
    *,
    title: str = "",
    watermark: bool = False,
) -> Statement:
    """Put into a WAV that it is a recording converted to a voice; what it then says.

    Raises:
        OutputError: as `write_statement`.
        VoiceError, CheckpointError: as `Converter.target`.
    """
    with recording.open("rb") as file:
        take = hashlib.file_digest(file, "sha256").hexdigest()
    said = state(converter, (LineSaid(id="", take=take, voice=voice),), title, watermark)
    write_statement(path, said)
    return said


def sound_digest(file: BinaryIO, chunk: Chunk) -> str:
    """SHA-256 of a chunk's content."""
    digest = hashlib.sha256()
    for block in blocks(file, chunk):
        digest.update(block)
    return digest.hexdigest()


def write_statement(path: Path, statement: Statement) -> None:
    """Put a statement into a WAV; what its chunks say already stays.

    Raises:
        OutputError: it is no WAV, or cannot be written.
    """
    with atomic_path(path) as temporary, path.open("rb") as source:
        try:
            found = [*chunks(source)]
        except ValueError:
            raise OutputError.of("provenance.no_wav", file=path) from None
        by_kind = {chunk.kind: chunk for chunk in found}
        if not {b"fmt ", b"data"} <= by_kind.keys():
            raise OutputError.of("provenance.no_wav", file=path)
        statement = statement.model_copy(update={"sound": sound_digest(source, by_kind[b"data"])})
        new = {
            b"bext": _bext(_content(source, by_kind.get(b"bext")), statement),
            b"iXML": _ixml(_content(source, by_kind.get(b"iXML")), statement),
        }
        kept = [c for c in found if c.kind not in {*new, b"C2PA"}]  # no older signature
        own = [Chunk(kind, -1, len(content)) for kind, content in new.items()]
        order = [*kept, *own] if b"ds64" in by_kind else [*own, *kept]  # which has to be the first
        total = 4 + sum(8 + c.size + c.size % 2 for c in order)
        large = b"ds64" in by_kind
        if total > UNSIZED - 1 and not large:
            raise OutputError.of("provenance.too_large", file=path)
        with temporary.open("wb") as target:
            riff = head(b"RF64", UNSIZED) if large else head(b"RIFF", total)
            target.write(riff + b"WAVE")
            for chunk in order:
                long = large and chunk.kind == b"data"
                target.write(head(chunk.kind, UNSIZED if long else chunk.size))
                if chunk.place < 0:
                    target.write(new[chunk.kind])
                elif chunk.kind == b"ds64":
                    target.write(struct.pack("<Q", total) + (_content(source, chunk) or b"")[8:])
                else:
                    target.writelines(blocks(source, chunk))
                target.write(bytes(chunk.size % 2))


def read_statement(path: Path) -> tuple[Statement | None, bool | None, str]:
    """What a WAV says of itself.

    Returns:
        The statement; whether its samples are still those that it was written for; what `bext` says of it.
        None, None and "" of a file without them.
    """
    try:
        with path.open("rb") as file:
            by_kind = {chunk.kind: chunk for chunk in chunks(file)}
            bext = _content(file, by_kind.get(b"bext")) or b""
            history = bext[_BEXT:].decode("utf-8", "replace").split("\0")[0].splitlines()
            ours = [row.removeprefix(_HISTORY) for row in history if row.startswith(_HISTORY)]
            described = ours[-1] if ours else ""
            found = _parsed(_content(file, by_kind.get(b"iXML")))
            users = found.iterfind("USER") if found is not None else ()  # a recorder's own too
            statement = next(filter(None, (_said(user.text or "") for user in users)), None)
            if statement is None:
                return None, None, described
            data = by_kind.get(b"data")
            same = data is not None and sound_digest(file, data) == statement.sound
            return statement, same, described
    except (OSError, ValueError):
        return None, None, ""


def _said(user: str) -> Statement | None:
    start = user.find("{")
    try:
        return _Wrapped.model_validate_json(user[start:]).moksori if start >= 0 else None
    except ValidationError:
        return None


class _Wrapped(_Said):
    moksori: Statement


def _content(file: BinaryIO, chunk: Chunk | None) -> bytes | None:
    if chunk is None or chunk.size > _MOST:
        return None
    file.seek(chunk.place)
    return file.read(chunk.size)


def _bext(before: bytes | None, statement: Statement) -> bytes:
    """The chunk, with a line more of coding history; a description only where there is none."""
    content = (
        before if before and len(before) >= _BEXT else bytes(346) + b"\2\0" + bytes(_BEXT - 348)
    )
    if not content[:256].strip(b"\0"):
        said = statement.summary.encode()[:256].decode("utf-8", "ignore").encode()
        content = said.ljust(256, b"\0") + b"Moksori".ljust(32, b"\0") + content[288:]
    history = content[_BEXT:].rstrip(b"\0")
    line = f"{_HISTORY}{statement.summary}".replace("\r", " ").replace("\n", " ")
    return content[:_BEXT] + history + line.encode() + b"\r\n"


def _parsed(content: bytes | None) -> ElementTree.Element | None:
    """An iXML; None where it is none, or has what no honest one has."""
    if not content or b"<!" in content.replace(b"<!--", b""):  # no entities
        return None
    try:
        return ElementTree.fromstring(content.rstrip(b"\0 \r\n"))
    except ElementTree.ParseError:
        return None


def _ixml(before: bytes | None, statement: Statement) -> bytes:
    root = _parsed(before)
    if root is None:
        root = ElementTree.Element("BWFXML")
        ElementTree.SubElement(root, "IXML_VERSION").text = "1.61"
    for old in root.findall("USER"):
        if _said(old.text or "") is not None:
            root.remove(old)
    wrapped = _Wrapped(moksori=statement).model_dump_json()
    said = f"{SENTENCE} " if statement.converted else ""
    ElementTree.SubElement(root, "USER").text = said + wrapped
    ElementTree.indent(root)
    result: bytes = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True) + b"\n"
    return result
