"""Voice packs: a voice learnt from a few minutes, in one small file, with the consent it rests on.

PACKS/NAME.safetensors    the model's weights that are the voice's own; in its header the voice, the consent,
                          and which model it is of
"""

import datetime
import difflib
import hashlib
import json
import os
import unicodedata
from pathlib import Path
from typing import NamedTuple

import torch
from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as dump_safetensors
from torch import nn

from moksori.conversion.checkpoint import ConversionCard, Voice
from moksori.errors import CheckpointError, ConfigError, VoiceError
from moksori.files import atomic_write, explain, load_toml
from moksori.messages import message

_FORMAT = 2  # 2: with a checksum
_ROW = "voices.weight"
_MOST_BYTES = 2**28  # of a pack; one has some 120,000
_KEY = "moksori"  # of the header
_END = ".safetensors"
_LONGEST = 255  # bytes of a file name


class Consent(BaseModel):
    """What the person whose voice it is has agreed to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    who: str = Field(min_length=1)  # whose voice it is
    purpose: str = Field(min_length=1)  # what it may be used for
    until: datetime.date  # the last day on which it may be used
    contact: str = Field(min_length=1)  # whom to ask, and to whom to say that it ends

    @property
    def expired(self) -> bool:
        """Whether its last day has passed."""
        return datetime.date.today() > self.until


class VoicePack(BaseModel):
    """The header of a pack."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = _FORMAT
    voice: Voice
    consent: Consent
    model: str  # checksum of the model whose table it extends
    sha256: str = ""  # of the weights and of all the above; packs of format 1 have none

    def checksum(self, weights: dict[str, torch.Tensor]) -> str:
        """Of what the pack holds; it shows damage and careless edits, not forgery."""
        digest = hashlib.sha256(self.model_dump_json(exclude={"sha256"}).encode())
        for name in sorted(weights):
            own = weights[name].detach().float().contiguous()
            digest.update(f"{name} {list(own.shape)}".encode() + own.numpy().tobytes())
        return digest.hexdigest()

    def check(self, card: ConversionCard) -> None:
        """See that it may be used, with this model.

        Raises:
            VoiceError: the consent has ended, or it was enrolled on another model.
        """
        name, consent = self.voice.name, self.consent
        if consent.expired:
            raise VoiceError.of(
                "voice.expired", voice=name, who=consent.who, until=consent.until,
                contact=consent.contact,
            )  # fmt: skip
        if self.model != card.sha256:
            raise VoiceError.of("voice.other_model", voice=name)


class Target(NamedTuple):
    """A voice to convert to."""

    voice: Voice
    row: int  # of the voice table
    weights: dict[str, torch.Tensor]  # of the model that are the voice's own


def find_target(name: str, card: ConversionCard, packs: Path, model: nn.Module) -> Target:
    """A voice of the model or an enrolled one, read anew each time, so that its consent holds each time.

    Raises:
        VoiceError: there is none, and the message names the nearest; one whose consent has ended, or that
            was enrolled on another model.
        CheckpointError: its pack is damaged.
    """
    names = [voice.name for voice in card.voices]
    if name in names:
        row = names.index(name)
        return Target(card.voices[row], row, {})
    if name and (path := pack_path(packs, name)).is_file():
        weights, pack = load_pack(path)
        pack.check(card)
        target = Target(pack.voice, 0, weights)  # its table has one row, its own
        _check_weights(target, model)
        return target
    names += [path.stem for path in pack_paths(packs)]
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.3) or names[:5]
    raise VoiceError.of("voice.unknown", voice=name, near=", ".join(near))


def _check_weights(target: Target, model: nn.Module) -> None:
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


def packs_folder() -> Path:
    """Where packs are kept if nobody says otherwise; without a home a place that holds and takes none."""
    try:
        return user_data_path("moksori") / "voices"
    except RuntimeError:  # a user number that nobody has, as in a container
        return Path(os.devnull) / "voices"


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


def read_consent(path: Path) -> Consent:
    """Read a consent record, TOML with the keys of `Consent`.

    Raises:
        ConfigError: no such file, not TOML, a missing, empty or unknown key; a consent that has ended.
    """
    consent = load_toml(
        path,
        Consent,
        missing=message("consent.missing"),
    )
    if consent.expired:
        raise ConfigError.of("consent.ended", file=path, until=consent.until)
    return consent


def save_pack(path: Path, weights: dict[str, torch.Tensor], pack: VoicePack) -> None:
    """Write a pack whole or not at all.

    Args:
        path: its file.
        weights: the model's weights that are the voice's own, by name; `voices.weight` is its row.
        pack: its header.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    own = {name: weight.detach().float().contiguous() for name, weight in weights.items()}
    pack = pack.model_copy(update={"sha256": pack.checksum(own)})
    atomic_write(path, dump_safetensors(own, {_KEY: pack.model_dump_json()}))


def load_pack(path: Path) -> tuple[dict[str, torch.Tensor], VoicePack]:
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
