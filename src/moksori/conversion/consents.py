"""Consents: what the person whose voice it is has agreed to, whether a use is covered, and what was revoked.

PACKS/revoked.jsonl    a line a revocation; a consent in it is refused, whatever copy of the voice asks

PACKS is the folder of voices that is used, and the user's own: what is in either list is refused. So is any
other consent of that person for that voice, unless it says that it was given on a later day.
"""

import datetime
import hashlib
import json
import os
import unicodedata
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple

from filelock import FileLock
from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_serializer

from moksori.errors import ConfigError, VoiceError
from moksori.files import load_toml
from moksori.messages import message
from moksori.writing import atomic_write, write_error

Purpose = Literal["commercial", "preview", "research"]
_REVOKED = "revoked.jsonl"
_NEWER = ("given", "uses", "titles", "credit", "sentence")  # keys that consents of older packs lack


class Usage(NamedTuple):
    """What conversions are for."""

    purpose: Purpose | None = None  # None if nobody has said it
    title: str = ""  # of the show, as consents name it


UNSAID = Usage()


class Consent(BaseModel):
    """What the person whose voice it is has agreed to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    who: str = Field(min_length=1)  # whose voice it is
    purpose: str = Field(min_length=1)  # what it may be used for, in words
    until: datetime.date  # the last day on which it may be used
    contact: str = Field(min_length=1)  # whom to ask, and to whom to say that it ends
    given: datetime.date | None = None  # the day it was given; it has to say so after a revocation
    uses: tuple[Purpose, ...] = ()  # the purposes that are checked; empty: a person has to
    titles: tuple[str, ...] = ()  # the shows that it is for; empty: not bound to any
    credit: str = ""  # the name that delivered files may give for the voice; empty: none
    sentence: str = ""  # what the person says in the recording of a spoken consent

    @model_serializer(mode="wrap")
    def _as_it_was(self, handler: Any) -> dict[str, Any]:
        """Without what is not said, so that an older consent stays the same to the letter."""
        whole: dict[str, Any] = handler(self)
        return {k: v for k, v in whole.items() if v or k not in _NEWER}

    @property
    def expired(self) -> bool:
        """Whether its last day has passed."""
        return datetime.date.today() > self.until

    def given_after(self, day: datetime.date) -> bool:
        """Whether it says that it was given on a later day, which has come."""
        return self.given is not None and day < self.given <= datetime.date.today()

    @property
    def digest(self) -> str:
        """SHA-256 of all that it says; private, since whoever knows all of that can find it."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def check(self, voice: str, usage: Usage) -> None:
        """See that it covers a use.

        Args:
            voice: for messages.
            usage: what the conversion is for.

        Raises:
            VoiceError: it has ended; it names purposes or titles, and the use's is not among them.
        """
        if self.expired:
            raise VoiceError.of(
                "voice.expired", voice=voice, who=self.who, until=self.until, contact=self.contact
            )
        said: dict[str, Any] = {"voice": voice, "contact": self.contact}
        if self.uses:
            allowed = ", ".join(self.uses)
            if usage.purpose is None:
                raise VoiceError.of("voice.ask_purpose", allowed=allowed, **said)
            if usage.purpose not in self.uses:
                raise VoiceError.of("voice.purpose", purpose=usage.purpose, allowed=allowed, **said)
        if self.titles:
            allowed = ", ".join(f"「{title}」" for title in self.titles)
            if not usage.title.strip():
                raise VoiceError.of("voice.ask_title", allowed=allowed, **said)
            if _plain(usage.title) not in map(_plain, self.titles):
                raise VoiceError.of("voice.title", title=usage.title, allowed=allowed, **said)


def _plain(name: str) -> str:
    """As titles and names are compared: composed, without spaces, and in one case."""
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()


class Consents(BaseModel):
    """The consents of a corpus, by speaker: a table `[voices."NAME"]` each."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    voices: dict[str, Consent]


def read_consent(path: Path) -> Consent:
    """Read a consent record, TOML with the keys of `Consent`.

    Raises:
        ConfigError: no such file, not TOML, a missing, empty or unknown key; a consent that has ended.
    """
    consent = load_toml(path, Consent, missing=message("consent.missing"))
    if consent.expired:
        raise ConfigError.of("consent.ended", file=path, until=consent.until)
    return consent


def read_consents(path: Path, speakers: Iterable[str]) -> dict[str, Consent]:
    """Read the consents of a corpus's speakers; all of them have to have one that holds.

    Raises:
        ConfigError: as `read_consent`, or a speaker has none, or one that was revoked.
        VoiceError: the user's list of revocations is damaged.
    """
    found = load_toml(
        path, Consents, missing=message("consents.missing"), hint=message("consents.hint")
    ).voices  # fmt: skip
    by_name = {unicodedata.normalize("NFC", name): consent for name, consent in found.items()}
    names = {name: unicodedata.normalize("NFC", name) for name in sorted(set(speakers))}
    if lacking := [name for name, key in names.items() if key not in by_name]:
        raise ConfigError.of("consents.lacking", file=path, names=", ".join(lacking))
    if ended := [name for name, key in names.items() if by_name[key].expired]:
        raise ConfigError.of("consents.ended", file=path, names=", ".join(ended))
    own = packs_folder()
    if taken := [
        name for name, key in names.items() if revocation_of(own, key, by_name[key], new=True)
    ]:
        raise ConfigError.of("consents.revoked", file=path, names=", ".join(taken))
    return {name: by_name[key] for name, key in names.items()}


class Revocation(BaseModel):
    """A consent that was taken back."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    voice: str
    who: str = ""  # whose voice it is; an older Moksori did not note it
    consent: str  # `Consent.digest`
    on: datetime.date
    why: str = ""
    references: tuple[str, ...] = ()  # by which delivered files name it, as far as they were known


def packs_folder() -> Path:
    """Where packs are kept if nobody says otherwise; without a home a place that holds and takes none."""
    try:
        return user_data_path("moksori") / "voices"
    except RuntimeError:  # a user number that nobody has, as in a container
        return Path(os.devnull) / "voices"


def revocations(packs: Path) -> Mapping[str, Revocation]:
    """What was revoked, by the digest of its consent: in a folder of packs, and in the user's own.

    Raises:
        VoiceError: a list is damaged; nothing may be taken for not revoked then.
    """
    return {**_listed(packs_folder()), **_listed(packs)}


def _listed(packs: Path) -> dict[str, Revocation]:
    """What the list of a folder has.

    Raises:
        VoiceError: it is damaged, or leads to where nothing is.
    """
    path = packs / _REVOKED
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError:
        raise VoiceError.of("voice.revoked_damaged", file=path) from None
    try:
        rows = path.read_text(encoding="utf-8-sig").splitlines()  # perhaps edited in an editor
        found = [Revocation.model_validate(json.loads(row)) for row in rows if row.strip()]
    except (OSError, ValueError, ValidationError):
        raise VoiceError.of("voice.revoked_damaged", file=path) from None
    return {row.consent: row for row in found}


def revoke(
    packs: Path, voice: str, consent: Consent, why: str = "", reference: str = ""
) -> Revocation:
    """Take a consent back: from now on every copy of the voice is refused, in whatever folder it is.

    Args:
        packs: folder of the voices.
        voice: its name.
        consent: of the voice.
        why: a note.
        reference: by which delivered files name the consent.

    Raises:
        OutputError: a list cannot be written.
        VoiceError: a list is damaged.
    """
    row = revocations(packs).get(consent.digest) or Revocation(
        voice=voice, consent=consent.digest, on=datetime.date.today(), why=why
    )
    row = row.model_copy(update={"who": consent.who})
    if reference and reference not in row.references:
        row = row.model_copy(update={"references": (*row.references, reference)})
    _note(packs, row)
    own = packs_folder()
    with suppress(OSError):  # without a home
        own.mkdir(parents=True, exist_ok=True)
    if own.is_dir():
        _note(own, row)
    return row


def _note(packs: Path, row: Revocation) -> None:
    """Put a revocation into the list of a folder, if it is not there as it is."""
    path = packs / _REVOKED
    try:
        packs.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            known = _listed(packs)
            if known.get(row.consent) != row:
                rows = {**known, row.consent: row}.values()
                atomic_write(path, "".join(each.model_dump_json() + "\n" for each in rows))
    except OSError as error:
        raise write_error(path, error) from None


def revocation_of(
    packs: Path, voice: str, consent: Consent, *, new: bool = False
) -> Revocation | None:
    """What took a consent back: it, or another of this person for this voice that was not given before.

    Args:
        packs: folder of the voices.
        voice: its name.
        consent: of the voice.
        new: it is about to be taken in; then a voice of this name, and a person of this name, are known
            each by itself, so that neither is a new one by a letter that somebody has changed.

    Raises:
        VoiceError: the list of revocations is damaged.
    """
    rows = revocations(packs)
    if row := rows.get(consent.digest):
        return row
    alike, own = any if new else all, (_plain(voice), _plain(consent.who))
    found = [
        row
        for row in rows.values()
        if alike(a == b for a, b in zip((_plain(row.voice), _plain(row.who)), own, strict=True))
        and not consent.given_after(row.on)
    ]
    return max(found, key=lambda row: row.on, default=None)


def check_revoked(packs: Path, voice: str, consent: Consent, *, new: bool = False) -> None:
    """See that a consent was not taken back.

    Args:
        packs: folder of the voices.
        voice: its name.
        consent: of the voice.
        new: as `revocation_of`.

    Raises:
        VoiceError: it was, or the list of revocations is damaged.
    """
    if row := revocation_of(packs, voice, consent, new=new):
        code = "consent.not_newer" if new else "voice.revoked"
        raise VoiceError.of(code, voice=voice, who=consent.who, on=row.on, contact=consent.contact)
