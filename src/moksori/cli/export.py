"""`moksori export`: the models for programs that embed them."""

from pathlib import Path
from typing import Annotated

import typer

from moksori.cli import console
from moksori.cli.console import out
from moksori.cli.options import (
    ForceOption,
    LangOption,
    ModelOption,
    PurposeOption,
    TitleOption,
    VocoderOption,
)
from moksori.messages import say
from moksori.weights import DEFAULT_VOCODER


def export_onnx(
    folder: Annotated[Path, typer.Argument(help="Folder to write to; made if it is missing.")],
    model: ModelOption = None,
    vocoder: VocoderOption = DEFAULT_VOCODER,
    purpose: PurposeOption = None,
    title: TitleOption = None,
    force: ForceOption = False,
    lang: LangOption = None,
) -> None:
    """Write the models as ONNX graphs: aligner, decoder, vocoder, and onnx.json, which describes them.

    They run wherever ONNX Runtime does, without PyTorch. docs/onnx.md shows how a line goes through them.
    Needs the extra onnx. The consents of the model's voices have to cover --purpose and --title, where they
    name any.

    Example: moksori export onnx graphs/ --vocoder clean
    """
    from moksori.conversion import onnx
    from moksori.conversion.consents import Usage
    from moksori.conversion.loaded import LoadedModels
    from moksori.errors import OutputError

    if folder.is_file():
        raise OutputError.of("output.is_file", path=folder)
    there = [path for path in sorted(folder.glob("*")) if path.suffix in (".onnx", ".json")]
    if there and not force:
        raise OutputError.of("output.exists", path=there[0])
    with out.status(say("onnx.exporting", console.language)):
        usage = Usage(purpose, title or "")
        models = LoadedModels.from_pretrained(model, vocoder, usage=usage)
        paths = onnx.export_onnx(models, folder)
    for path in paths:
        out.print(f"{path}  {path.stat().st_size / 1e6:.1f} MB", markup=False, highlight=False)
