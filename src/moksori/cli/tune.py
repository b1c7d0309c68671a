"""`moksori tune`: which settings are worth a long training."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from moksori.cli import console
from moksori.cli.console import out, resumable
from moksori.cli.options import CotatronOption, DataArgument, LangOption, StartOption
from moksori.errors import ConfigError
from moksori.extras import extra
from moksori.messages import Message, message, say

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

FolderArgument = Annotated[
    Path,
    typer.Argument(help="Folder of the study; name it again, or on another machine, to resume."),
]
TrialsOption = Annotated[
    int, typer.Option(min=1, help="Finished trials that the folder shall hold, from all machines.")
]
StepsOption = Annotated[int, typer.Option(min=5, help="Steps of each training; a multiple of 5.")]


def tune_cotatron(
    config: Annotated[
        Path, typer.Argument(help="TOML, such as configs/conversion.toml: what the trials share.")
    ],
    data: DataArgument,
    folder: FolderArgument,
    start: StartOption = None,
    trials: TrialsOption = 20,
    steps: StepsOption = 400,
    lang: LangOption = None,
) -> None:
    """Search attention, its prior, learning rate, guidance, frames a step, widths and dropout.

    Short trainings, judged by how far the attention is from the parallel aligner's alignment on texts
    that are not trained on; hopeless ones are ended early. FOLDER/best.toml holds the best settings.

    Example: moksori tune cotatron configs/cotatron.toml data/emotiontts studies/cotatron --trials 12
    """
    with extra("train"):
        from moksori.config import CotatronTrainConfig, load_config
        from moksori.conversion.card import is_cotatron
        from moksori.training import tune
        from moksori.training.cotatron import train_cotatron
    if start and is_cotatron(start):
        raise ConfigError.of("tune.from_cotatron", folder=start)
    shared = load_config(config, CotatronTrainConfig)
    with resumable():
        study = tune.tune(
            lambda drawn, run, callbacks: train_cotatron(drawn, data, run, start, callbacks=callbacks),
            lambda trial: tune.cotatron_space(trial, shared), shared, folder, "guidance",
            trials, steps, {"data": str(data), "from": str(start)}, _told,
        )  # fmt: skip
    _print_study(study, folder)


def tune_conversion(
    config: Annotated[
        Path, typer.Argument(help="TOML, such as configs/conversion.toml: what the trials share.")
    ],
    data: DataArgument,
    folder: FolderArgument,
    cotatron: CotatronOption = None,
    trials: TrialsOption = 20,
    steps: StepsOption = 400,
    lang: LangOption = None,
) -> None:
    """Search learning rate, the aligner's weight, the decoder's width, depth and dropout, and more.

    Short trainings, judged by the mel's L1 on texts that are not trained on; hopeless ones are ended
    early. FOLDER/best.toml holds the best settings.

    Example: moksori tune conversion configs/conversion.toml data/emotiontts studies/conversion
    """
    with extra("train"):
        from moksori.config import TrainConfig, load_config
        from moksori.training import tune
        from moksori.training.conversion import train_conversion
    shared = load_config(config, TrainConfig)
    learning = cotatron is None or not shared.freeze_cotatron
    with resumable():
        study = tune.tune(
            lambda drawn, run, callbacks: train_conversion(
                drawn, data, run, cotatron, callbacks=callbacks
            ),
            lambda trial: tune.conversion_space(trial, shared, learning), shared, folder, "mel_l1",
            trials, steps, {"data": str(data), "cotatron": str(cotatron)}, _told,
        )  # fmt: skip
    _print_study(study, folder)


def _told(trial: "FrozenTrial") -> None:
    value = trial.value if trial.value is not None else float("nan")
    notice = say(
        "tune.trial", console.language, number=trial.number, state=_state(trial), value=value
    )
    out.print(notice, highlight=False)


def _state(trial: "FrozenTrial") -> Message:
    return message(f"tune.state.{trial.state.name.lower()}")


def _print_study(study: "Study", folder: Path) -> None:
    finished = [trial for trial in study.trials if trial.value is not None]
    heads = ("number", "measure", "ended", "settings")
    table = Table(*(say(f"tune.head.{head}", console.language) for head in heads))
    for trial in sorted(finished, key=lambda trial: (trial.state.name, trial.value)):
        settings = (f"{key.split('.')[1]} {_short(value)}" for key, value in trial.params.items())
        state = _state(trial).say(console.language)
        table.add_row(str(trial.number), f"{trial.value:.4f}", state, ", ".join(settings))
    out.print(table)
    if (folder / "best.toml").exists():
        best = say("tune.best", console.language, file=folder / "best.toml")
        out.print(best, markup=False)


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
