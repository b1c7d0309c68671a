"""`moksori train`; its libraries come with the extra `train`."""

from pathlib import Path
from typing import Annotated

import typer

from moksori.cli import console
from moksori.cli.console import out, resumable
from moksori.cli.options import (
    CotatronOption,
    DataArgument,
    DevRunOption,
    LangOption,
    RunArgument,
    StartOption,
)
from moksori.extras import extra
from moksori.messages import say


def train_conversion(
    config: Annotated[Path, typer.Argument(help="TOML, such as configs/conversion.toml.")],
    data: DataArgument,
    run: RunArgument,
    cotatron: CotatronOption = None,
    start: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="MODEL",
            help="A conversion model that a new run begins with, such as the bundled one; its licence goes "
            "along.",
        ),
    ] = None,
    fast_dev_run: DevRunOption = False,
    lang: LangOption = None,
) -> None:
    """Train the conversion model, on the CPU or on the GPUs that are there.

    Several GPUs: torchrun --nproc-per-node 4 -m moksori train conversion CONFIG DATA RUN.
    Watch it with: tensorboard --logdir RUN. The best model so far is RUN/model.

    Example: moksori train conversion configs/conversion.toml data/emotiontts runs/mine
    """
    with extra("train"):
        from moksori.config import TrainConfig, load_config
        from moksori.training.conversion import train_conversion as train
    settings = load_config(config, TrainConfig)
    with resumable():
        folder = train(settings, data, run, cotatron, start, fast_dev_run)
    _print_done("train.done_model", folder, fast_dev_run)


def train_cotatron(
    config: Annotated[Path, typer.Argument(help="TOML, such as configs/cotatron.toml.")],
    data: DataArgument,
    run: RunArgument,
    start: StartOption = None,
    fast_dev_run: DevRunOption = False,
    lang: LangOption = None,
) -> None:
    """Train Cotatron: the mel is decoded from text, past frames and speaker; its attention aligns.

    Watch it with: tensorboard --logdir RUN. The best model so far is RUN/model.

    Example: moksori train cotatron configs/cotatron.toml data/emotiontts runs/cotatron
    """
    with extra("train"):
        from moksori.config import CotatronTrainConfig, load_config
        from moksori.training.cotatron import train_cotatron as train
    settings = load_config(config, CotatronTrainConfig)
    with resumable():
        folder = train(settings, data, run, start, fast_dev_run)
    _print_done("train.done", folder, fast_dev_run)


def train_recogniser(
    config: Annotated[Path, typer.Argument(help="TOML, such as configs/recogniser.toml.")],
    data: DataArgument,
    run: RunArgument,
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="MODEL", help="A conversion model to learn from; the bundled one by default."
        ),
    ] = None,
    fast_dev_run: DevRunOption = False,
    lang: LangOption = None,
) -> None:
    """Train the recogniser: to hear without the text what a conversion model's aligner finds with it.

    Watch it with: tensorboard --logdir RUN. The best recogniser so far is RUN/model.

    Example: moksori train recogniser configs/recogniser.toml data/emotiontts runs/recogniser
    """
    with extra("train"):
        from moksori.config import RecogniserTrainConfig, load_config
        from moksori.training.recogniser import train_recogniser as train
        from moksori.weights import MODEL
    settings = load_config(config, RecogniserTrainConfig)
    with resumable():
        folder = train(settings, data, run, model or MODEL, fast_dev_run)
    _print_done("train.done", folder, fast_dev_run)


def train_vocoder(
    config: Annotated[Path, typer.Argument(help="TOML, such as configs/vocoder.toml.")],
    data: Annotated[
        list[Path],
        typer.Argument(metavar="DATA…", help="One or several folders made by `moksori prepare`."),
    ],
    run: RunArgument,
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="MODEL",
            help="A conversion model; the vocoder learns from its mels of the corpora's lines too, and so "
            "to sharpen what it blurs.",
        ),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="VOCODER",
            help="A vocoder that a new run begins with; RUN/model brings that run's discriminators too, "
            "if they are of the same windows.",
        ),
    ] = None,
    fast_dev_run: DevRunOption = False,
    lang: LangOption = None,
) -> None:
    """Train the source-filter vocoder: waves synthesised from the mels and F0 of recordings.

    Watch and listen with: tensorboard --logdir RUN. The newest vocoder is RUN/model.

    Example: moksori train vocoder configs/vocoder.toml data/clean runs/vocoder
    """
    with extra("train"):
        from moksori.config import VocoderTrainConfig, load_config
        from moksori.training.vocoder import train_vocoder as train
    settings = load_config(config, VocoderTrainConfig)
    with resumable():
        folder = train(settings, data, run, model=model, start=start, fast_dev_run=fast_dev_run)
    _print_done("train.done_vocoder", folder, fast_dev_run)


def _print_done(code: str, folder: Path, fast_dev_run: bool) -> None:
    code = "train.tried" if fast_dev_run else code
    out.print(say(code, console.language, folder=folder), markup=False)
