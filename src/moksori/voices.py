"""Voice packs: a voice learnt from a few minutes, in one small file, with the consent it rests on.

PACKS/NAME.safetensors    the voice's row; in its header the voice, the consent, and which model it is of
"""

import datetime
import json
import tomllib
from pathlib import Path

import torch
from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as dump_safetensors

from moksori.checkpoint import ConversionCard, Voice
from moksori.config import explain
from moksori.errors import CheckpointError, ConfigError, VoiceError

_FORMAT = 1
_KEY = "moksori"  # of the header
_END = ".safetensors"


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
    """What a pack's header says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = _FORMAT
    voice: Voice
    consent: Consent
    model: str  # checksum of the model whose table it extends

    def check(self, card: ConversionCard) -> None:
        """See that it may be used, with this model.

        Raises:
            VoiceError: the consent has ended, or it was enrolled on another model.
        """
        name, consent = self.voice.name, self.consent
        if consent.expired:
            raise VoiceError(
                f"“{name}” may not be used any more: {consent.who}'s consent ended on {consent.until}; "
                f"ask {consent.contact}, and enrol it with the new consent"
            )
        if self.model != card.sha256:
            raise VoiceError(f"“{name}” was enrolled on another model; enrol it on this one")


def packs_folder() -> Path:
    """Where packs are kept if nobody says otherwise."""
    return user_data_path("moksori") / "voices"


def pack_path(folder: Path, name: str) -> Path:
    """The file of a voice's pack.

    Raises:
        VoiceError: a name that is no plain file name.
    """
    if not name or name != Path(name).name or name.startswith("."):
        raise VoiceError(f"“{name}” cannot be a voice's name; use letters, digits, - and _")
    return folder / f"{name}{_END}"


def read_consent(path: Path) -> Consent:
    """Read a consent record, TOML with the keys of `Consent`.

    Raises:
        ConfigError: no such file, not TOML, a missing, empty or unknown key; a consent that has ended.
    """
    try:
        with path.open("rb") as file:
            consent = Consent.model_validate(tomllib.load(file))
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such file; write one with who, purpose, until and contact, as in "
            "examples/consent.toml"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    except ValidationError as error:
        raise ConfigError(f"{path}: {explain(error)}") from None
    if consent.expired:
        raise ConfigError(f"{path}: the consent ended on {consent.until}")
    return consent


def save_pack(path: Path, row: torch.Tensor, pack: VoicePack) -> None:
    """Write a pack whole or not at all.

    Args:
        path: its file.
        row: [voice_dim].
        pack: its header.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    header = {_KEY: pack.model_dump_json()}
    temporary = path.with_name(f".new_{path.name}")
    temporary.write_bytes(dump_safetensors({"row": row.detach().float().contiguous()}, header))
    temporary.replace(path)


def load_pack(path: Path) -> tuple[torch.Tensor, VoicePack]:
    """Read a pack: its row [voice_dim] and its header.

    Raises:
        CheckpointError: damaged, of a newer format, or no pack.
    """
    try:
        with safe_open(path, "pt") as file:
            header = json.loads((file.metadata() or {}).get(_KEY, "null"))
            version = header.get("format") if isinstance(header, dict) else None
            if isinstance(version, int) and version > _FORMAT:
                raise CheckpointError(f"{path}: format {version} is newer; update Moksori")
            pack = VoicePack.model_validate(header)
            return file.get_tensor("row"), pack
    except ValidationError as error:
        raise CheckpointError(f"{path}: no voice pack: {explain(error)}") from None
    except (SafetensorError, json.JSONDecodeError, OSError) as error:
        raise CheckpointError(f"{path}: no voice pack, or damaged ({error})") from None


def list_packs(folder: Path) -> list[VoicePack]:
    """The headers of all packs in a folder, by name.

    Raises:
        CheckpointError: one of them is damaged.
    """
    return [load_pack(path)[1] for path in sorted(folder.glob(f"*{_END}"))]
