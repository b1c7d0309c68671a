"""The models as ONNX graphs, for programs that embed them without PyTorch; see docs/onnx.md.

phones, mel ── aligner.onnx ── encoding H, log alignment ── (monotonic posterior A, A · H) ── linguistic
linguistic, mel, F0, voice ── decoder.onnx ── mel ── once more, with this mel's energies ── mel
mel, F0, white noise ── vocoder.onnx ── wave

What lies between the graphs is a few lines in any language; `onnx.json` beside them has what they need.
"""

import json
import logging
import re
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import nn

from moksori.alignment.alignment import silences
from moksori.conversion.loaded import LoadedModels
from moksori.conversion.terms import Terms
from moksori.errors import CheckpointError, ConfigError
from moksori.models.conversion import ConversionModel
from moksori.models.cotatron import Cotatron
from moksori.models.text_aligner import TextAligner
from moksori.models.vocoder import Vocoder
from moksori.models.vocoder.real_valued import RealValuedVocoder
from moksori.models.vocoder.source_filter import SourceFilter
from moksori.models.vocoder.two_band import TwoBand
from moksori.writing import atomic_path, atomic_write

_OPSET = 18
_FORMAT = 2  # 2: silences
_LONGEST_TEXT, _MOST_FRAMES = 2000, 12000
_EXAMPLE = 40, 90  # phones and frames of the lines that the graphs are traced with


def export_onnx(models: LoadedModels, folder: Path) -> list[Path]:
    """Write a conversion model and a vocoder as ONNX graphs, with what one must know to run them.

    Args:
        models: loaded on the CPU, by `LoadedModels.from_pretrained`: a `Converter` may have rounded them.
        folder: made if it is missing.

    Returns:
        The files.

    Raises:
        ConfigError: the extra `onnx` is not installed; models whose products are in bfloat16.
        CheckpointError: a model of recurrent parts, which has no such graph.
        VoiceError: a voice of the model whose consent has ended, was revoked or does not cover the use.
        OutputError: the place cannot be written to.
    """
    if not find_spec("onnxscript"):
        raise ConfigError.of("extra.missing", name="onnxscript", extra="onnx")
    parts = (models.model, models.vocoder)
    if any(weight.dtype == torch.bfloat16 for part in parts for weight in part.parameters()):
        raise ConfigError.of("onnx.rounded")
    aligner = models.model.text_aligner
    if isinstance(aligner, Cotatron) or models.card.model.text_encoder != "local":
        raise CheckpointError.of("onnx.recurrent")
    for voice in models.card.consents.keys() & {voice.name for voice in models.card.voices}:
        models.voice(voice)
    vocoders = _vocoders(models.vocoder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / "aligner.onnx", folder / "decoder.onnx"]
    _export_aligner(_Aligner(aligner), models, paths[0])
    _export_decoder(_Decoder(models.model), models, paths[1])
    for name, vocoder in vocoders.items():
        paths.append(folder / f"{name}.onnx")
        _export_vocoder(vocoder, paths[-1])
    paths.append(folder / "onnx.json")
    atomic_write(paths[-1], json.dumps(_about(models, vocoders), ensure_ascii=False, indent=1))
    return paths


def _vocoders(vocoder: Vocoder) -> dict[str, SourceFilter]:
    """By the name of its file each part of a vocoder.

    Raises:
        CheckpointError: one that somebody registered.
    """
    if isinstance(vocoder, TwoBand):
        return {"vocoder_low": vocoder.low, "vocoder_high": vocoder.high}
    if isinstance(vocoder, SourceFilter):
        return {"vocoder": vocoder}
    raise CheckpointError.of("onnx.vocoder", kind=vocoder.kind)


class _Aligner(nn.Module):
    def __init__(self, aligner: TextAligner) -> None:
        super().__init__()
        self.aligner = aligner

    def forward(self, phones: torch.Tensor, mel: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """H [1, N, C], and the framewise log posterior [1, T, N]."""
        assert self.aligner.aligner is not None
        every_phone, every_frame = torch.ones_like(phones) > 0, mel[..., 0] == mel[..., 0]
        encoding = self.aligner.text_encoder(phones, every_phone)
        return encoding, self.aligner.aligner(encoding, every_phone, mel, every_frame)


class _Decoder(nn.Module):
    def __init__(self, model: ConversionModel) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, linguistic: torch.Tensor, mel: torch.Tensor, f0: torch.Tensor, voice: torch.Tensor
    ) -> torch.Tensor:
        """Log-mel [1, T, n_mels] in the voice of row `voice` [1]; `mel` gives its energies alone."""
        mask = f0 == f0
        prosody = self.model.prosody(f0, mel, mask)
        decoded: torch.Tensor = self.model.decoder(
            linguistic, prosody, self.model.voices(voice), mask
        )
        return decoded


def _export_aligner(aligner: nn.Module, models: LoadedModels, path: Path) -> None:
    phones, frames = _EXAMPLE
    given = (
        torch.ones(1, phones, dtype=torch.long),
        torch.randn(1, frames, models.card.audio.n_mels),
    )
    text = torch.export.Dim("phones", min=3, max=_LONGEST_TEXT)
    shapes = {"phones": {1: text}, "mel": {1: _frames()}}
    _export(aligner, given, shapes, path, ["encoding", "log_alignment"])


def _export_decoder(decoder: nn.Module, models: LoadedModels, path: Path) -> None:
    (_, frames), config = _EXAMPLE, models.card.model
    given = (
        torch.randn(1, frames, config.text_dim), torch.randn(1, frames, models.card.audio.n_mels),
        _example_f0(frames), torch.zeros(1, dtype=torch.long),
    )  # fmt: skip
    along = _frames()
    shapes = {"linguistic": {1: along}, "mel": {1: along}, "f0": {1: along}, "voice": {}}
    _export(decoder, given, shapes, path, ["converted"])


def _export_vocoder(vocoder: SourceFilter, path: Path) -> None:
    (_, frames), hop = _EXAMPLE, vocoder.hop_length
    given: tuple[torch.Tensor, ...] = (
        torch.randn(1, frames, vocoder.audio.n_mels), _example_f0(frames),
        torch.randn(2, frames * hop),
    )  # fmt: skip
    along = _frames()
    shapes: dict[str, Any] = {"mel": {1: along}, "f0": {1: along}, "white": {1: along * hop}}
    if vocoder.takes_treble:
        given, shapes = (*given, torch.zeros(1, 3)), {**shapes, "treble": {}}
    _export(RealValuedVocoder(vocoder), given, shapes, path, ["wave"])


def _example_f0(frames: int) -> torch.Tensor:
    f0 = torch.full((1, frames), 200.0)
    f0[:, ::7] = 0
    return f0


def _frames() -> Any:
    return torch.export.Dim("frames", min=8, max=_MOST_FRAMES)


def _export(
    module: nn.Module,
    given: tuple[torch.Tensor, ...],
    shapes: dict[str, Any],
    path: Path,
    outputs: Sequence[str],
) -> None:
    module = module.eval()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        traced = torch.export.export(module, given, dynamic_shapes=shapes)
        program = torch.onnx.export(
            traced, dynamo=True, opset_version=_OPSET, verbose=False,
            input_names=[*shapes], output_names=[*outputs],
        )  # fmt: skip
    assert program is not None
    _name_axes(program.model.graph, shapes)
    with atomic_path(path) as temporary:
        program.save(temporary)


def _name_axes(graph: Any, shapes: dict[str, Any]) -> None:
    """Call the axes of any length by their names in `shapes`, wherever they are; tracing numbers them."""
    names = {
        graph_input.shape[axis].value: along.__name__
        for graph_input in graph.inputs
        for axis, along in shapes[graph_input.name].items()
    }
    names = {number: name for number, name in names.items() if number.isalnum()}  # no 512*s26
    of_nodes = (value for node in graph.all_nodes() for value in node.outputs)
    for value in (*graph.inputs, *of_nodes):
        for axis, length in enumerate(value.shape or ()):
            if not isinstance(length, int) and length.value:
                value.shape[axis] = re.sub(
                    r"\w+", lambda part: names.get(part[0], part[0]), length.value
                )


def _about(models: LoadedModels, vocoders: dict[str, SourceFilter]) -> dict[str, Any]:
    """What a program must know to run the graphs."""
    card = models.card
    about: dict[str, Any] = {
        "format": _FORMAT,
        "licences": {"model": card.licence, "vocoder": models.vocoder_card.licence},
        "commercial": {
            "model": Terms.of_card(card).commercial,
            "vocoder": Terms.of_card(models.vocoder_card).commercial,
        },
        "consents": {
            who: consent.model_dump(mode="json") for who, consent in card.consents.items()
        },
        "language": card.language,
        "symbols": card.symbols,
        "silences": silences(card.symbols),
        "audio": card.audio.model_dump(mode="json"),
        "voices": [
            voice.model_dump(include={"name", "log_f0_mean", "treble"}) | {"row": row}
            for row, voice in enumerate(card.voices)
        ],
        "vocoders": {
            f"{name}.onnx": {"sample_rate": v.sample_rate, "hop_length": v.hop_length}
            for name, v in vocoders.items()
        },
    }
    if isinstance(models.vocoder, TwoBand):
        about["crossover"] = models.vocoder.crossover
    return about
