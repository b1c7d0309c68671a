"""What `model.json` says of the weights beside it; read without PyTorch, which takes a second to import.

<folder>/model.json   kind, format, language, symbols, sizes, voices, audio, licence, consents, training,
                      sha256
"""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny, ValidationError, model_validator

from moksori.config import (
    AudioConfig,
    ConversionConfig,
    CotatronConfig,
    RecogniserConfig,
    SourceFilterConfig,
)
from moksori.conversion.consents import Consent
from moksori.conversion.terms import Commercial
from moksori.conversion.untrusted import check_sizes
from moksori.errors import CheckpointError, MoksoriError
from moksori.files import explain, read_bytes
from moksori.messages import message
from moksori.signal.speaker import BandEnergy

# Raised when an older Moksori could not read a folder. 5: consents and what they allow; 6: treble, floor;
# 7: day of consent.
FORMAT = 7
_OLDEST = {  # of a kind, the first format that is still read, and what those before it were
    "conversion": (2, "model.older_f0"),
    "source-filter": (3, "model.older_filters"),
}
CARD = "model.json"
_NAMES = {
    "conversion": "model.conversion", "cotatron": "model.cotatron", "recogniser": "part.recogniser",
}  # fmt: skip
_MOST_BYTES = 2**22  # of a card
_PICKLES = (".pt", ".pth", ".ckpt", ".bin", ".tar", ".pkl")


class _Card(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


_Level = Annotated[float, Field(ge=-100, le=100)]  # dB, of signal/treble.py


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
    treble: tuple[_Level, _Level, _Level] | None = None  # likewise; or its recordings hold none


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
        from moksori.models.vocoder import VOCODER_KINDS  # with PyTorch

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


def load_card(folder: Path) -> ConversionCard:
    """The card of a conversion model, without its weights.

    Raises:
        CheckpointError: as `load_conversion`, but for the weights.
    """
    return read_card(folder, ConversionCard)


def is_cotatron(folder: Path) -> bool:
    """Whether a model's folder holds a Cotatron, and not a conversion model.

    Raises:
        CheckpointError: it holds neither.
    """
    return isinstance(read_card(folder, ConversionCard, CotatronCard), CotatronCard)


def load_training(folder: Path, like: AnyCard) -> dict[str, int | float]:
    """What the `model.json` of a folder records of the training, if it is a card like `like`.

    Raises:
        CheckpointError: as `load_conversion`, but for the weights.
    """
    return read_card(folder, type(like)).training


def read_card(folder: Path, *kinds: type[Card]) -> Card:
    """The card of a folder, of one of `kinds`, its format and keys checked.

    Raises:
        CheckpointError: no model's folder, a damaged card, one of a newer format or of another kind.
    """
    if folder.is_file() or folder.suffix in _PICKLES:
        raise CheckpointError.of("model.no_folder", path=folder, card=CARD)
    if not (folder / CARD).is_file():
        if (folder / "model" / CARD).is_file():
            raise CheckpointError.of("model.of_run", folder=folder, model=folder / "model")
        pickles = [path.name for path in folder.glob("*") if path.suffix in _PICKLES]
        if pickles:
            raise CheckpointError.of("model.pickle", folder=folder, card=CARD, name=pickles[0])
        raise CheckpointError.of("model.no_card", folder=folder, card=CARD)
    try:
        content = read_bytes(folder / CARD, CheckpointError, _MOST_BYTES)
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
        _check_kind(folder, said, kind.model_fields["kind"].default)
        return kind.model_validate(raw)
    except ValidationError as error:
        raise CheckpointError.of("file.invalid", file=folder / CARD, why=explain(error)) from None
    except CheckpointError:
        raise
    except (ValueError, RecursionError) as error:  # no JSON, or numbers of thousands of digits
        why = error.message if isinstance(error, MoksoriError) else error
        raise CheckpointError.of("model.damaged", file=folder / CARD, why=why) from None


def _check_kind(folder: Path, said: object, wanted: object) -> None:
    """See that a folder does not hold a model of another kind; `wanted` is none of `_NAMES` for a vocoder."""
    if said == wanted:
        return
    from moksori.models.vocoder import VOCODER_KINDS  # with PyTorch

    held = "part.vocoder" if said in [*VOCODER_KINDS] else _NAMES.get(str(said))
    asked = _NAMES.get(str(wanted), "part.vocoder")
    if held and held != asked:
        raise CheckpointError.of(
            "model.other_kind", folder=folder, held=message(held), wanted=message(asked)
        )
