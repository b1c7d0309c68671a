"""Model folders: `model.json` describes the weights beside it completely; nothing is unpickled.

<folder>/model.json           see card.py
<folder>/weights.safetensors  fp16
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as dump_safetensors
from torch.overrides import TorchFunctionMode

from moksori.alignment.alignment import silences
from moksori.conversion.card import (
    CARD,
    FORMAT,
    AnyCard,
    Card,
    ConversionCard,
    CotatronCard,
    RecogniserCard,
    VocoderCard,
    read_card,
)
from moksori.errors import CheckpointError, MoksoriError
from moksori.files import read_bytes
from moksori.models.conversion import ConversionModel
from moksori.models.cotatron import Cotatron
from moksori.models.layers import AnyModule
from moksori.models.recogniser import PhoneRecogniser
from moksori.models.vocoder import VOCODER_KINDS, Vocoder
from moksori.text.front_end import FRONT_ENDS
from moksori.writing import atomic_write

_WEIGHTS = "weights.safetensors"
_kept: dict[str, dict[str, torch.Tensor]] = {}  # by their checksum


class Shapes(TorchFunctionMode):
    """Within it layers have shapes, but neither memory nor values.

    As `torch.device("meta")`, which would also compute what is no weight, and load a second's worth of Python
    for it.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:  # as its base's
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if func is torch.empty:
            return func(*args, **{**kwargs, "device": "meta"})
        if name.endswith("_") and not name.startswith("_"):  # weights set to their first values
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)


def save_model(folder: Path, weights: dict[str, torch.Tensor], card: AnyCard) -> None:
    """Write a model's folder: `weights` in fp16, and its card with their checksum."""
    folder.mkdir(parents=True, exist_ok=True)
    half = {name: _halved(name, tensor.detach().cpu()) for name, tensor in weights.items()}
    content = dump_safetensors(half)
    card = card.model_copy(update={"format": FORMAT, "sha256": hashlib.sha256(content).hexdigest()})
    for name, data in ((_WEIGHTS, content), (CARD, card.model_dump_json(indent=1).encode())):
        atomic_write(folder / name, data)


def _halved(name: str, tensor: torch.Tensor) -> torch.Tensor:
    """In fp16, but for counters and a batch norm's running statistics, which may be too large for it."""
    return tensor if "running_" in name or not tensor.is_floating_point() else tensor.half()


def keep_weights(folder: Path) -> None:
    """Keep a model's weights in float32: processes that are forked from this one share them.

    Every model that is loaded from them has the same tensors, so this is not for a process that trains.

    Raises:
        CheckpointError: as `load_conversion`.
    """
    card, weights = _load(folder, ConversionCard, RecogniserCard, VocoderCard)
    _kept[card.sha256] = {name: _whole(tensor) for name, tensor in weights.items()}


def load_conversion(folder: Path) -> tuple[ConversionModel, ConversionCard]:
    """Read a conversion model's folder; weights become float32, in evaluation mode.

    Raises:
        CheckpointError: not a model folder, damaged, of a newer format, for other symbols, a pickle.
    """
    card, weights = _load(folder, ConversionCard)
    _check_symbols(folder, card)

    def build() -> ConversionModel:
        sizes = len(card.symbols), len(card.voices)
        model = ConversionModel.build(card.model, card.audio, *sizes)
        model.text_aligner.silences = silences(card.symbols)
        return model

    return _filled(folder, build, weights), card


def load_cotatron(folder: Path) -> tuple[Cotatron, CotatronCard]:
    """Read a Cotatron's folder; as `load_conversion`.

    Raises:
        CheckpointError: as `load_conversion`.
    """
    card, weights = _load(folder, CotatronCard)
    _check_symbols(folder, card)

    def build() -> Cotatron:
        sizes = len(card.symbols), len(card.speakers)
        model = Cotatron.build(card.model, card.audio, *sizes)
        model.silences = silences(card.symbols)
        return model

    return _filled(folder, build, weights), card


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


def _check_symbols(folder: Path, card: ConversionCard | CotatronCard) -> None:
    front_end = FRONT_ENDS.get(card.language)
    if front_end is None:
        raise CheckpointError.of("model.language", folder=folder, language=card.language)
    if card.symbols != front_end.symbols:
        raise CheckpointError.of("model.sounds", folder=folder)


def _load(folder: Path, *kinds: type[Card]) -> tuple[Card, dict[str, torch.Tensor]]:
    """The card and the tensors of a folder, all checks made but the tensors' shapes."""
    card = read_card(folder, *kinds)
    content = read_bytes(folder / _WEIGHTS, CheckpointError)
    if hashlib.sha256(content).hexdigest() != card.sha256:
        raise CheckpointError.of("model.checksum", file=folder / _WEIGHTS, card=CARD)
    if card.sha256 in _kept:
        return card, _kept[card.sha256]
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
            model = build()
        expected = {name: tensor.shape for name, tensor in model.state_dict().items()}
    except (RuntimeError, ValueError, OverflowError) as error:
        why = error.message if isinstance(error, MoksoriError) else error
        raise CheckpointError.of("model.damaged", file=folder / CARD, why=why) from None
    given = {name: tensor.shape for name, tensor in weights.items()}
    for name in sorted({*expected, *given}):
        if expected.get(name) != given.get(name):
            wanted, got = ([*s[name]] if name in s else "-" for s in (expected, given))
            raise CheckpointError.of(
                "model.unfit", folder=folder, card=CARD, name=name, got=got, wanted=wanted
            )
        if not weights[name].isfinite().all():
            raise CheckpointError.of("model.not_finite", file=folder / _WEIGHTS, name=name)
    model.load_state_dict({name: _whole(tensor) for name, tensor in weights.items()}, assign=True)
    return model.eval()


def _whole(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor
