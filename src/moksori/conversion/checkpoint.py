"""Model folders: `model.json` describes the weights beside it completely; nothing is unpickled.

<folder>/model.json           kind, format, sizes, symbols, voices, audio, licence, training, sha256
<folder>/weights.safetensors  fp16
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar

import torch
from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny, ValidationError, model_validator
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as dump_safetensors
from torch import nn

from moksori.config import (
    AudioConfig,
    ConversionConfig,
    CotatronConfig,
    RecogniserConfig,
    SourceFilterConfig,
)
from moksori.conversion.consents import Consent
from moksori.conversion.terms import Commercial
from moksori.conversion.untrusted import Shapes, check_sizes
from moksori.errors import CheckpointError, MoksoriError
from moksori.files import atomic_write, explain, read_bytes
from moksori.messages import message
from moksori.models.conversion import ConversionModel
from moksori.models.cotatron import Cotatron
from moksori.models.recogniser import PhoneRecogniser
from moksori.models.vocoder import VOCODER_KINDS, Vocoder
from moksori.signal.speaker import BandEnergy
from moksori.text.front_end import FRONT_ENDS

FORMAT = (
    5  # 5: with consents and what they allow; raised when an older Moksori could not read a folder
)
_OLDEST = {  # of a kind, the first format that is still read, and what those before it were
    "conversion": (2, "model.older_f0"),
    "source-filter": (3, "model.older_filters"),
}
_CARD, _WEIGHTS = "model.json", "weights.safetensors"
_MOST_BYTES = 2**22  # of a card
_PICKLES = (".pt", ".pth", ".ckpt", ".bin", ".tar", ".pkl")


class _Card(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Voice(_Card):
    """A voice of the table, in the order of its rows."""

    name: str
    sex: Literal["female", "male"]
    minutes: float  # of training speech
    licence: str
    # The voice's mean log-F0: mean natural log of Hz over voiced frames.
    log_f0_mean: float = Field(ge=3, le=8)
    # Hz below which 5, 50 and 95% of its voiced frames are; None in models of an older Moksori
    f0_quantiles: tuple[float, float, float] | None = None
    energy: BandEnergy | None = None  # of its training lines, likewise


class _ModelCard(_Card):
    """What every `model.json` holds."""

    format: int = FORMAT
    licence: str
    commercial: Commercial | None = None  # whether all licences and consents allow it; see terms.py
    consents: dict[str, Consent] = {}  # of the people whose voices it learnt, by speaker
    audio: AudioConfig
    training: dict[str, int | float] = {}  # steps, and the measure that chose the weights
    sha256: str = ""


class ConversionCard(_ModelCard):
    """What `model.json` of a conversion model holds."""

    kind: Literal["conversion"] = "conversion"
    language: str = "ko"  # of `FRONT_ENDS`
    symbols: tuple[str, ...]
    model: ConversionConfig
    voices: list[Voice]


class CotatronCard(_ModelCard):
    """What `model.json` of a Cotatron holds."""

    kind: Literal["cotatron"] = "cotatron"
    language: str = "ko"  # of `FRONT_ENDS`
    symbols: tuple[str, ...]
    model: CotatronConfig
    speakers: list[str]  # those that its classifier was trained on


class RecogniserCard(_ModelCard):
    """What `model.json` of a recogniser holds."""

    kind: Literal["recogniser"] = "recogniser"
    language: str = "ko"  # of `FRONT_ENDS`
    sounds: tuple[str, ...]  # the symbols of each class; the first is silence
    model: RecogniserConfig


class VocoderCard(_ModelCard):
    """What `model.json` of a vocoder holds.

    `kind` is one of `VOCODER_KINDS`, and `model` that kind's sizes.
    """

    kind: str
    model: SerializeAsAny[BaseModel]
    trained_on: dict[str, str] = {}  # licence of each set of recordings

    @model_validator(mode="before")
    @classmethod
    def _of_its_kind(cls, data: Any) -> Any:
        """Read the sizes as those of the kind."""
        if isinstance(data, dict) and isinstance(data.get("model"), dict):
            if data.get("kind") not in VOCODER_KINDS:
                raise CheckpointError.of("model.no_kind", kind=data.get("kind"))
            config = VOCODER_KINDS[data["kind"]].Config
            return data | {"model": config.model_validate(data["model"])}
        return data

    @model_validator(mode="after")
    def _sizes_fit(self) -> "VocoderCard":
        if isinstance(self.model, SourceFilterConfig):
            self.model.check(self.audio)
        return self


AnyCard = ConversionCard | CotatronCard | RecogniserCard | VocoderCard
Card = TypeVar("Card", bound=_ModelCard)
AnyModule = TypeVar("AnyModule", bound=nn.Module)


def save_model(folder: Path, weights: dict[str, torch.Tensor], card: AnyCard) -> None:
    """Write a model's folder: `weights` in fp16, and its card with their checksum."""
    folder.mkdir(parents=True, exist_ok=True)
    half = {name: _halved(name, tensor.detach().cpu()) for name, tensor in weights.items()}
    content = dump_safetensors(half)
    card = card.model_copy(update={"format": FORMAT, "sha256": hashlib.sha256(content).hexdigest()})
    for name, data in ((_WEIGHTS, content), (_CARD, card.model_dump_json(indent=1).encode())):
        atomic_write(folder / name, data)


def _halved(name: str, tensor: torch.Tensor) -> torch.Tensor:
    """In fp16, but for counters and a batch norm's running statistics, which may be too large for it."""
    return tensor if "running_" in name or not tensor.is_floating_point() else tensor.half()


def load_conversion(folder: Path) -> tuple[ConversionModel, ConversionCard]:
    """Read a conversion model's folder; weights become float32, in evaluation mode.

    Raises:
        CheckpointError: not a model folder, damaged, of a newer format, for other symbols, a pickle.
    """
    card, weights = _load(folder, ConversionCard)
    _check_symbols(folder, card)

    def build() -> ConversionModel:
        return ConversionModel.build(card.model, card.audio, len(card.symbols), len(card.voices))

    return _filled(folder, build, weights), card


def load_cotatron(folder: Path) -> tuple[Cotatron, CotatronCard]:
    """Read a Cotatron's folder; as `load_conversion`.

    Raises:
        CheckpointError: as `load_conversion`.
    """
    card, weights = _load(folder, CotatronCard)
    _check_symbols(folder, card)

    def build() -> Cotatron:
        return Cotatron.build(card.model, card.audio, len(card.symbols), len(card.speakers))

    return _filled(folder, build, weights), card


def is_cotatron(folder: Path) -> bool:
    """Whether a model's folder holds a Cotatron, and not a conversion model.

    Raises:
        CheckpointError: it holds neither.
    """
    return isinstance(_load_card(folder, ConversionCard, CotatronCard), CotatronCard)


def load_recogniser(folder: Path) -> tuple[PhoneRecogniser, RecogniserCard]:
    """Read a recogniser's folder; as `load_conversion`.

    Raises:
        CheckpointError: as `load_conversion`.
    """
    card, weights = _load(folder, RecogniserCard)
    front_end = FRONT_ENDS.get(card.language)
    if front_end is None or card.sounds != front_end.sounds:
        raise CheckpointError.of("model.sounds", folder=folder)

    def build() -> PhoneRecogniser:
        return PhoneRecogniser(card.model, card.audio.n_mels, len(card.sounds))

    model = _filled(folder, build, weights)
    return model, card


def load_vocoder(folder: Path) -> tuple[Vocoder, VocoderCard]:
    """Read a vocoder's folder, of any kind; as `load_conversion`.

    Raises:
        CheckpointError: as `load_conversion`.
    """
    card, weights = _load(folder, VocoderCard)
    kind = VOCODER_KINDS[card.kind]
    return _filled(folder, lambda: kind.build(card.model, card.audio), weights), card


def load_training(folder: Path, like: AnyCard) -> dict[str, int | float]:
    """What the `model.json` of a folder records of the training, if it is a card like `like`.

    Raises:
        CheckpointError: as `load_conversion`, but for the weights.
    """
    return _load_card(folder, type(like)).training


def load_card(folder: Path) -> ConversionCard:
    """The card of a conversion model, without its weights.

    Raises:
        CheckpointError: as `load_conversion`, but for the weights.
    """
    return _load_card(folder, ConversionCard)


def _check_symbols(folder: Path, card: ConversionCard | CotatronCard) -> None:
    front_end = FRONT_ENDS.get(card.language)
    if front_end is None:
        raise CheckpointError.of("model.language", folder=folder, language=card.language)
    if card.symbols != front_end.symbols:
        raise CheckpointError.of("model.sounds", folder=folder)


def _load_card(folder: Path, *kinds: type[Card]) -> Card:
    """The card of a folder, of one of `kinds`, its format and keys checked."""
    if folder.is_file() or folder.suffix in _PICKLES:
        raise CheckpointError.of("model.no_folder", path=folder, card=_CARD)
    if not (folder / _CARD).is_file():
        pickles = [path.name for path in folder.glob("*") if path.suffix in _PICKLES]
        if pickles:
            raise CheckpointError.of("model.pickle", folder=folder, card=_CARD, name=pickles[0])
        raise CheckpointError.of("model.no_card", folder=folder, card=_CARD)
    try:
        content = read_bytes(folder / _CARD, CheckpointError, _MOST_BYTES)
        raw = json.loads(content.decode("utf-8"))
        check_sizes(raw)
        version = raw.get("format") if isinstance(raw, dict) else None
        if isinstance(version, int) and version > FORMAT:
            raise CheckpointError.of("model.newer", folder=folder, version=version, known=FORMAT)
        said = raw.get("kind") if isinstance(raw, dict) else None
        oldest, before = _OLDEST.get(str(said), (0, "plain"))
        if isinstance(version, int) and version < oldest:
            raise CheckpointError.of(
                "model.older", folder=folder, version=version, why=message(before)
            )
        kind = next((k for k in kinds if k.model_fields["kind"].default == said), kinds[0])
        return kind.model_validate(raw)
    except ValidationError as error:
        raise CheckpointError.of("file.invalid", file=folder / _CARD, why=explain(error)) from None
    except CheckpointError:
        raise
    except (ValueError, RecursionError) as error:  # no JSON, or numbers of thousands of digits
        why = error.message if isinstance(error, MoksoriError) else error
        raise CheckpointError.of("model.damaged", file=folder / _CARD, why=why) from None


def _load(folder: Path, *kinds: type[Card]) -> tuple[Card, dict[str, torch.Tensor]]:
    """The card and the tensors of a folder, all checks made but the tensors' shapes."""
    card = _load_card(folder, *kinds)
    content = read_bytes(folder / _WEIGHTS, CheckpointError)
    if hashlib.sha256(content).hexdigest() != card.sha256:
        raise CheckpointError.of("model.checksum", file=folder / _WEIGHTS, card=_CARD)
    try:
        return card, load_safetensors(content)
    except SafetensorError as error:
        raise CheckpointError.of("model.damaged", file=folder / _WEIGHTS, why=error) from None


def _filled(
    folder: Path, build: Callable[[], AnyModule], weights: dict[str, torch.Tensor]
) -> AnyModule:
    """The model that `build` builds, with its weights; its sizes are compared before it takes memory."""
    try:
        with Shapes():
            expected = {name: tensor.shape for name, tensor in build().state_dict().items()}
    except (RuntimeError, ValueError, OverflowError) as error:
        raise CheckpointError.of("model.damaged", file=folder / _CARD, why=error) from None
    given = {name: tensor.shape for name, tensor in weights.items()}
    for name in sorted({*expected, *given}):
        if expected.get(name) != given.get(name):
            wanted, got = ([*s[name]] if name in s else "-" for s in (expected, given))
            raise CheckpointError.of(
                "model.unfit", folder=folder, card=_CARD, name=name, got=got, wanted=wanted
            )
        if not weights[name].isfinite().all():
            raise CheckpointError.of("model.not_finite", file=folder / _WEIGHTS, name=name)
    model = build()
    model.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    return model.eval()
