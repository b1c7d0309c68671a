"""All that is known of where a file came from: what it says, its signature, its watermark, its job."""

import datetime
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import soundfile
from pydantic import ValidationError

from moksori.conversion.card import ConversionCard, load_card
from moksori.conversion.consents import packs_folder
from moksori.conversion.revoked import Revoked, find_revoked
from moksori.conversion.terms import Terms
from moksori.errors import AudioError, OutputError, VoiceError
from moksori.messages import Message, message
from moksori.provenance import ledger, manifest, watermark
from moksori.provenance.manifest import Signed
from moksori.provenance.statement import Statement, read_statement
from moksori.weights import MODEL

_HOME = ".moksori"  # of a job, in its folder
_WINDOW = 10.0  # seconds that a watermark is sought in at a time
_MOST = 30  # such windows of a long file


@dataclass
class Found:
    """What is known of a file.

    Attributes:
        path: of the file.
        statement: what it says of itself; None if it says nothing.
        same_sound: whether its samples are still those that it was said of.
        bext: what its `bext` says of that; programs that lose iXML may keep it.
        signed: its C2PA manifest; None if it has none.
        signed_known: whether C2PA could be asked at all.
        revoked: of the statement's voices those whose consent was revoked, as far as this machine knows.
        revoked_unknown: why it does not know; None if it does.
        mark: the highest confidence of a watermark; None if it could not be sought.
        job: the folder of the job that it lies in, if any.
        entries: of the job's ledger that are about this very file, with their lines.
        ledger_faults: what is wrong with that ledger.
    """

    path: Path
    statement: Statement | None = None
    same_sound: bool | None = None
    bext: str = ""
    signed: Signed | None = None
    signed_known: bool = True
    revoked: Mapping[str, Revoked] = field(default_factory=dict)
    revoked_unknown: Message | None = None
    mark: float | None = None
    job: Path | None = None
    entries: list[tuple[int, ledger.Entry]] = field(default_factory=list)
    ledger_faults: list[Message] = field(default_factory=list)

    @property
    def contradicted(self) -> bool:
        """Whether anything that is known contradicts what the file says."""
        broken = self.signed is not None and self.signed.is_broken
        return broken or self.same_sound is False or bool(self.ledger_faults) or self._other_words

    @property
    def _other_words(self) -> bool:
        """Whether the signed statement is another than the open one."""
        if self.signed is None or self.statement is None or not self.signed.said:
            return False
        try:
            signed = Statement.model_validate(self.signed.said)
        except ValidationError:  # which Moksori never signs
            return True
        return signed != self.statement.model_copy(update={"sound": ""})

    def said(self) -> Iterator[Message]:
        """All of it, in words."""
        if self.statement is None and self.bext:
            yield message("verify.bext_alone", said=self.bext)
        elif self.statement is None:
            yield message("verify.says_nothing")
        else:
            yield from _of_statement(self.statement, self.revoked)
            if self.revoked_unknown:
                yield self.revoked_unknown
            yield message("verify.same" if self.same_sound else "verify.changed")
        if not self.signed_known:
            yield message("verify.c2pa_unknown")
        elif self.signed is None:
            yield message("verify.unsigned")
        elif self.signed.state == manifest.UNREADABLE:
            yield message("verify.c2pa_unreadable", why=", ".join(self.signed.faults))
        elif self.signed.is_broken:
            why = ", ".join(self.signed.faults) or self.signed.state
            whole = self.signed.faults and self.signed.is_whole
            yield message("verify.c2pa_refused" if whole else "verify.c2pa_broken", why=why)
        elif self.signed.has_ended:
            yield message("verify.c2pa_ended", issuer=self.signed.issuer)
        else:
            own = self.signed.state == "Trusted"
            yield message(
                "verify.c2pa_own" if own else "verify.c2pa_other", issuer=self.signed.issuer
            )
        if self._other_words:
            yield message("verify.other_words")
        if self.mark is not None and np.isfinite(self.mark):
            there = self.mark >= watermark.FOUND
            yield message("verify.mark" if there else "verify.no_mark", confidence=self.mark)
        elif self.mark is None:
            yield message("verify.mark_unknown")
        if self.job is not None:
            for line, entry in self.entries:
                yield message("verify.entry", line=line, at=entry.at, by=entry.by)
            if not self.entries:
                yield message("verify.no_entry", job=self.job)
            for fault in self.ledger_faults:
                yield message("verify.ledger", why=fault)


def _of_statement(said: Statement, revoked: Mapping[str, Revoked]) -> Iterator[Message]:
    yield message(
        "verify.converted" if said.converted else "verify.as_recorded", version=said.version
    )
    for name, voice in said.voices.items():
        if not voice.consent:
            yield message("verify.licence", voice=name)
            continue
        yield message(
            "verify.voice", voice=name, consent=voice.consent, until=voice.until or "-",
            uses=", ".join(voice.uses) or "-", titles=", ".join(voice.titles) or "-",
            credit=voice.credit or "-",
        )  # fmt: skip
        if name in revoked:
            row, sure = revoked[name]
            yield message(
                "verify.revoked" if sure else "verify.revoked_name", voice=name, on=row.on
            )
        elif _has_passed(voice.until):
            yield message("verify.ended", voice=name, until=voice.until)
    for line in said.lines[:5]:
        yield message(
            "verify.take", line=line.id or "-", take=line.take[:16], voice=line.voice or "-"
        )
    if len(said.lines) > 5:
        yield message("verify.more", number=len(said.lines) - 5)
    for line in [line for line in said.lines if line.before][:5]:
        yield message("verify.before", line=line.id or "-", said=line.before)
    for name, part in said.models.items():
        yield message(
            "verify.part",
            part=message("part." + name),
            checksum=part.checksum,
            licence=part.licence,
        )
    if said.converted:
        yield message("use.whole", use=Terms("", said.commercial).say_use())


def _has_passed(day: str) -> bool:
    with suppress(ValueError):  # no day: edited
        return datetime.date.today() > datetime.date.fromisoformat(day)
    return False


def verify(path: Path, model: Path | None = None, packs: Path | None = None) -> Found:
    """Find out all that is known of a file.

    Args:
        path: of the file.
        model: a folder whose voices' consents may have been revoked; the bundled model by default.
        packs: folder of enrolled voices, likewise; the user's own are known beside it.

    Raises:
        AudioError: there is no such file, or it is a folder.
        CheckpointError: no such model.
    """
    if path.is_dir():
        raise AudioError.of("audio.folder", file=path)
    if not path.is_file():
        raise AudioError.of("audio.missing", file=path)
    found = Found(path)
    found.statement, found.same_sound, found.bext = read_statement(path)
    _ask_revocations(found, load_card(model or MODEL), packs or packs_folder())
    if find_spec("c2pa") and find_spec("cryptography"):
        found.signed = manifest.read(path)
    else:
        found.signed_known = False
    found.mark = _mark(path)
    _ask_job(found)
    return found


def _ask_revocations(found: Found, card: ConversionCard, packs: Path) -> None:
    said = found.statement.voices if found.statement else {}
    consents = {name: voice.consent for name, voice in said.items() if voice.consent}
    if not consents:
        return
    try:
        found.revoked = find_revoked(consents, card, packs)
    except VoiceError as error:
        found.revoked_unknown = error.message


def _mark(path: Path) -> float | None:
    """The highest confidence of the file's windows, or of some of a long one's."""
    try:
        with soundfile.SoundFile(path) as file:
            size = int(_WINDOW * file.samplerate)
            starts = [*range(0, max(1, file.frames), size)]
            starts = starts[:: -(-len(starts) // _MOST)]
            best = float("nan")
            for start in starts:
                file.seek(start)
                here = watermark.confidence(file.read(size, always_2d=True), file.samplerate)
                best = float(np.fmax(best, here))
            return best
    except soundfile.LibsndfileError:
        return None


def _ask_job(found: Found) -> None:
    job = next(
        (p for p in found.path.resolve().parents if (p / _HOME / ledger.LEDGER).is_file()), None
    )
    if job is None:
        return
    found.job = job
    try:
        checked = ledger.check(job / _HOME)
    except OutputError as error:
        found.ledger_faults = [error.message]
        return
    found.ledger_faults = checked.faults
    own = ledger.file_digest(found.path)
    found.entries = [
        (line, entry) for line, entry in checked.entries
        if own in dict(entry.about.get("files") or {}).values()
    ]  # fmt: skip
