"""Voice packs: a voice learnt from a few minutes, in one small file, with the consent it rests on.

PACKS/NAME.safetensors    the model's weights that are the voice's own; in its header the voice, the consent,
                          and which model it is of
"""

import difflib
import hashlib
import json
import os
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open

from moksori.conversion.card import ConversionCard, Voice
from moksori.conversion.consents import (
    UNSAID,
    Consent,
    Revocation,
    Usage,
    check_revoked,
    revocations,
    revoke,
)
from moksori.errors import CheckpointError, OutputError, VoiceError
from moksori.files import explain
from moksori.messages import message
from moksori.writing import atomic_write, write_error

if TYPE_CHECKING:
    import torch
    from torch import nn

# 2: with a checksum; 3: consents by purpose and title, spoken consent; 4: treble; 5: day of consent
_FORMAT = 5
_ROW = "voices.weight"
_MOST_BYTES = 2**28  # of a pack; one has some 120,000
_KEY = "moksori"  # of the header
_END = ".safetensors"
_LONGEST = 255  # bytes of a file name


class Spoken(BaseModel):
    """A spoken consent, as it was found when the voice was enrolled."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: str  # of the recording's file, which whoever asked for it keeps
    similarity: float  # of its voice to the enrolled recordings, cosine
    confidence: float  # that it says the consent's sentence, 0 to 1


class VoicePack(BaseModel):
    """The header of a pack."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = _FORMAT
    voice: Voice
    consent: Consent
    model: str  # checksum of the model whose table it extends
    spoken: Spoken | None = None
    sha256: str = ""  # of the weights and of all the above; packs of format 1 have none

    def checksum(self, weights: "dict[str, torch.Tensor]") -> str:
        """Of what the pack holds; it shows damage and careless edits, not forgery."""
        unsaid: dict[str, Any] = {"sha256": True}
        if self.spoken is None:  # not said either by older packs, whose checksums must hold
            unsaid["spoken"] = True
        if self.voice.treble is None:
            unsaid["voice"] = {"treble"}
        digest = hashlib.sha256(self.model_dump_json(exclude=unsaid).encode())
        for name in sorted(weights):
            own = weights[name].detach().float().contiguous()
            digest.update(f"{name} {list(own.shape)}".encode() + own.numpy().tobytes())
        return digest.hexdigest()

    def check(self, card: ConversionCard, packs: Path, usage: Usage) -> None:
        """See that it may be used, with this model.

        Raises:
            VoiceError: the consent has ended, was revoked or does not cover this use, or it was enrolled on
                another model.
        """
        name = self.voice.name
        check_revoked(packs, name, self.consent)
        self.consent.check(name, usage)
        if self.model != card.sha256:
            raise VoiceError.of("voice.other_model", voice=name)


class Target(NamedTuple):
    """A voice to convert to."""

    voice: Voice
    row: int  # of the voice table
    weights: "dict[str, torch.Tensor]"  # of the model that are the voice's own
    consent: Consent | None = None  # that it is under, where it is under one
    reference: str = ""  # of the consent, as delivered files name it: it tells nobody who gave it

    @property
    def checksum(self) -> str:
        """Of its own weights: a voice may be enrolled anew by the same name."""
        whole = hashlib.sha256()
        for name, weight in sorted(self.weights.items()):
            whole.update(name.encode() + weight.numpy().tobytes())
        return whole.hexdigest()


def find_target(
    name: str, card: ConversionCard, packs: Path, model: "nn.Module", usage: Usage = UNSAID
) -> Target:
    """A voice of the model or an enrolled one, read anew each time, so that its consent holds each time.

    Raises:
        VoiceError: there is none, the message names those alike; one whose consent has ended, was
            revoked or does not cover this use, or that was enrolled on another model.
        CheckpointError: its pack is damaged.
    """
    names = [voice.name for voice in card.voices]
    plain = [unicodedata.normalize("NFC", own) for own in names]
    if (wanted := unicodedata.normalize("NFC", name)) in plain:
        row = plain.index(wanted)
        consent = card.consents.get(names[row])
        if consent is None:
            return Target(card.voices[row], row, {})
        check_revoked(packs, name, consent)
        consent.check(name, usage)
        return Target(card.voices[row], row, {}, consent, reference_of(card.sha256, consent))
    if name and (path := pack_path(packs, name)).is_file():
        weights, pack = load_pack(path)
        pack.check(card, packs, usage)
        reference = reference_of(pack.checksum(weights), pack.consent)
        # its table has one row, its own
        target = Target(pack.voice, 0, weights, pack.consent, reference)
        _check_weights(target, model)
        return target
    names += [path.stem for path in pack_paths(packs)]
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.3)
    if near:
        raise VoiceError.of("voice.unknown_near", voice=name, near=", ".join(near))
    raise VoiceError.of("voice.unknown", voice=name)


def reference_of(secret: str, consent: Consent) -> str:
    """A consent's name to the world: nobody can guess it who does not hold the voice itself."""
    return hashlib.sha256(f"{secret} {consent.digest}".encode()).hexdigest()[:16]


def _check_weights(target: Target, model: "nn.Module") -> None:
    """See that an enrolled voice's weights are of this model.

    Raises:
        VoiceError: one is of another name or size.
    """
    sizes = {name: weight.shape for name, weight in model.named_parameters()}
    for name, weight in target.weights.items():
        wanted = sizes.get(name)
        if wanted is None or (weight.shape[1:] if name == _ROW else weight.shape) != (
            wanted[1:] if name == _ROW else wanted
        ):
            raise VoiceError.of("voice.other_model", voice=target.voice.name)


def pack_path(folder: Path, name: str) -> Path:
    """The file of a voice's pack; also one whose name a Mac has decomposed.

    Raises:
        VoiceError: a name that is no plain file name.
    """
    name = unicodedata.normalize("NFC", name)
    too_long = len(f".new_{name}{_END}".encode()) > _LONGEST
    if not name or name != Path(name).name or name.startswith(".") or too_long:
        raise VoiceError.of("voice.name", voice=name)
    for path in pack_paths(folder):
        if unicodedata.normalize("NFC", path.stem) == name:
            return path
    return folder / f"{name}{_END}"


def pack_paths(folder: Path) -> list[Path]:
    """The packs' files in a folder, by name."""
    return sorted(path for path in folder.glob(f"*{_END}") if not path.name.startswith("."))


def place_of_new(
    name: str, card: ConversionCard, packs: Path, consent: Consent, replace: bool = False
) -> Path:
    """Where the pack of a voice goes that is to be enrolled; its folder is made.

    Args:
        name: of the voice.
        card: of the model whose table it extends.
        packs: folder of the packs.
        consent: of the person.
        replace: an enrolled voice of that name.

    Raises:
        VoiceError: a name that the model has, that is enrolled already, or that is no file name; a consent
            that was revoked, or one that does not say that it was given after this voice's was.
        OutputError: the folder cannot be written to.
    """
    name = unicodedata.normalize("NFC", name)
    path = pack_path(packs, name)
    if name in {unicodedata.normalize("NFC", voice.name) for voice in card.voices}:
        raise VoiceError.of("enrol.name_taken", voice=name)
    if path.exists() and not replace:
        raise VoiceError.of("enrol.already", file=path, voice=name)
    check_revoked(packs, name, consent, new=True)
    try:
        packs.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(packs, error) from None
    if not os.access(packs, os.W_OK):
        raise OutputError.of("enrol.packs", folder=packs)
    return path


def revoke_voice(name: str, card: ConversionCard, packs: Path, why: str = "") -> Revocation:
    """Take back the consent of a voice: of the model's own, and of the enrolled one of that name.

    Returns:
        The revocation, of several the last; also one of before.

    Raises:
        VoiceError: there is no such voice, or it is under no consent; the list of revocations is damaged.
        CheckpointError: its pack is damaged; the consent of the model's own is taken back all the same.
        OutputError: the list cannot be written.
    """
    name = unicodedata.normalize("NFC", name)
    revoked = [
        revoke(packs, name, consent, why, reference_of(card.sha256, consent))
        for owner, consent in card.consents.items()
        if unicodedata.normalize("NFC", owner) == name
    ]
    if (path := pack_path(packs, name)).is_file():
        weights, pack = load_pack(path)
        reference = reference_of(pack.checksum(weights), pack.consent)
        revoked.append(revoke(packs, name, pack.consent, why, reference))
    if not revoked:  # its pack may have been deleted since
        revoked = [row for row in revocations(packs).values() if row.voice == name]
    if not revoked:
        raise VoiceError.of("voice.no_consent", voice=name)
    return max(revoked, key=lambda row: row.on)


def save_pack(path: Path, weights: "dict[str, torch.Tensor]", pack: VoicePack) -> None:
    """Write a pack whole or not at all.

    Args:
        path: its file.
        weights: the model's weights that are the voice's own, by name; `voices.weight` is its row.
        pack: its header.
    """
    from safetensors.torch import save as dump_safetensors  # with PyTorch, a second of Python

    path.parent.mkdir(parents=True, exist_ok=True)
    own = {name: weight.detach().float().contiguous() for name, weight in weights.items()}
    pack = pack.model_copy(update={"sha256": pack.checksum(own)})
    atomic_write(path, dump_safetensors(own, {_KEY: pack.model_dump_json()}))


def load_pack(path: Path) -> "tuple[dict[str, torch.Tensor], VoicePack]":
    """Read a pack: its weights and its header.

    Raises:
        CheckpointError: damaged, of a newer format, no pack, or under another voice's name.
    """
    if not path.is_file() or path.stat().st_size > _MOST_BYTES:  # a pipe would be waited for
        raise CheckpointError.of("pack.damaged", file=path, why=message("pack.no_file"))
    try:
        with safe_open(path, "pt") as file:
            header = json.loads((file.metadata() or {}).get(_KEY, "null"))
            version = header.get("format") if isinstance(header, dict) else None
            if isinstance(version, int) and version > _FORMAT:
                raise CheckpointError.of("pack.newer", file=path, format=version)
            pack = VoicePack.model_validate(header)
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except ValidationError as error:
        raise CheckpointError.of("pack.none", file=path, why=explain(error)) from None
    except (SafetensorError, ValueError, RecursionError, OSError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError.of("pack.damaged", file=path, why=error) from None
    if _ROW not in weights or len(weights[_ROW]) != 1:
        raise CheckpointError.of("pack.damaged", file=path, why=message("pack.no_row"))
    if not all(weight.isfinite().all() for weight in weights.values()):
        raise CheckpointError.of("pack.damaged", file=path, why=message("pack.not_finite"))
    if (pack.format > 1 or pack.sha256) and pack.checksum(weights) != pack.sha256:
        raise CheckpointError.of("pack.damaged", file=path, why=message("pack.checksum"))
    if unicodedata.normalize("NFC", path.stem) != pack.voice.name:
        raise CheckpointError.of("pack.name", file=path, voice=pack.voice.name)
    return weights, pack
