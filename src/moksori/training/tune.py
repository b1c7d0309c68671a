"""Search of settings by short trainings (Optuna): what is worth a long one.

FOLDER/study.journal   every trial; the same folder again resumes, and several machines may share it
FOLDER/trial_N/        one training: TensorBoard's events and its model
FOLDER/best.toml       the config with the best trial's settings, ready for `moksori train`
"""

import math
import os
import random
import shutil
import socket
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import optuna
import tomli_w
from lightning.pytorch.callbacks import Callback
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState

from moksori.config import CotatronTrainConfig, RunConfig, TrainConfig
from moksori.corpus.place import visible
from moksori.errors import ConfigError, OutputError

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
Train = Callable[[Any, Path, Sequence[Callback]], object]  # of a config, in a folder
_VALIDATIONS = 5  # of a trial: each is a chance to stop it


def cotatron_space(trial: Trial, config: CotatronTrainConfig) -> dict[str, Any]:
    """Settings of one Cotatron: dotted keys of its config.

    Raises:
        ConfigError: the config has no parallel aligner to judge the attention by.
    """
    if not config.model.parallel_aligner:
        raise ConfigError.of("tune.no_aligner")
    draw = _Draw(trial)
    draw.real("optimizer.learning_rate", 3e-4, 3e-3)
    draw.real("losses.guidance", 0.1, 3.0)
    draw.one_of("model.frames_per_step", [1, 2, 3])
    draw.one_of("model.rnn_dim", [128, 256, 384])
    draw.one_of("model.attention_dim", [64, 128])
    draw.real("model.dropout", 0.2, 0.6)
    if draw.one_of("model.attention", ["location", "dynamic"]) == "dynamic":
        draw.real("model.prior_beta", 0.5, 4.0)
    return draw.settings


def conversion_space(trial: Trial, config: TrainConfig, learning: bool = True) -> dict[str, Any]:
    """Settings of one conversion model: dotted keys of its config, only those that it uses.

    Args:
        trial: that draws them.
        config: of the model.
        learning: whether text encoder and aligner learn along.
    """
    draw = _Draw(trial)
    draw.real("optimizer.learning_rate", 5e-4, 5e-3)
    draw.one_of("model.voice_dim", [32, 64, 128])
    if learning:
        draw.real("optimizer.aligner_weight", 0.05, 1.0)
    if config.model.prosody == "f0":
        draw.one_of("model.energy_bands", [1, 3, 5])
    if config.model.decoder == "convnext":
        draw.one_of("model.decoder_dim", [192, 288, 384])
        draw.one_of("model.decoder_blocks", [4, 5, 6, 7, 8])
        draw.one_of("model.decoder_dropout", [0.0, 0.1, 0.2, 0.3])
    return draw.settings


class _Draw:
    """Draws settings and keeps them by their dotted keys."""

    def __init__(self, trial: Trial) -> None:
        self.trial, self.settings = trial, dict[str, Any]()

    def real(self, key: str, low: float, high: float) -> None:
        self.settings[key] = self.trial.suggest_float(key, low, high, log=True)

    def one_of(self, key: str, choices: list[Any]) -> object:
        self.settings[key] = self.trial.suggest_categorical(key, choices)
        return self.settings[key]


def open_study(folder: Path, about: dict[str, Any]) -> optuna.Study:
    """The study of a folder, begun if there is none.

    Args:
        folder: of the study.
        about: what all its trials share.

    Raises:
        ConfigError: the journal there is damaged, or of a study of something else; or the folder holds
            something else.
        OutputError: it is a file.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # why a trial failed is raised
    if folder.is_file():
        raise OutputError.of("output.is_file", path=folder)
    journal = folder / "study.journal"
    if (there := visible(folder)) and not journal.exists():
        raise ConfigError.of("tune.not_empty", folder=folder, name=there[0])
    folder.mkdir(parents=True, exist_ok=True)
    try:
        storage = JournalStorage(JournalFileBackend(str(journal)))
        study = optuna.create_study(
            storage=storage, study_name="moksori", load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=1),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        raise ConfigError.of("tune.not_ours", file=journal) from error
    known = study.user_attrs.get("about")
    begun = study.get_trials(deepcopy=False, states=(*FINISHED, TrialState.RUNNING))
    if known is None or not begun:  # as after a first try with a folder that is not there
        study.set_user_attr("about", about)
    elif known != about:
        other = ", ".join(sorted(k for k in about if known.get(k) != about[k]))
        raise ConfigError.of("tune.other", folder=folder, keys=other)
    # Each start, and each machine, draws from a chance of its own.
    seed = random.Random(f"{socket.gethostname()} {os.getpid()} {len(study.trials)}").getrandbits(
        32
    )
    with (
        warnings.catch_warnings()
    ):  # `group` is new, and the only one that knows conditional settings
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.sampler = optuna.samplers.TPESampler(
            seed=seed, multivariate=True, group=True, n_startup_trials=5
        )
    return study


def tune(
    train: Train,
    space: Callable[[Trial], dict[str, Any]],
    config: RunConfig,
    folder: Path,
    measure: str,
    trials: int,
    steps: int,
    about: dict[str, str] = {},  # noqa: B006
    on_trial: Callable[[FrozenTrial], None] = lambda trial: None,
) -> optuna.Study:
    """Search until the folder holds `trials` finished ones; run again, it resumes.

    A trial takes one device; on a machine with several, start one search a device with
    CUDA_VISIBLE_DEVICES and the same folder.

    Args:
        train: trains in a folder with a config and callbacks.
        space: draws the settings of a trial.
        config: what the trials share.
        folder: of the study.
        measure: of the validation, the less the better.
        trials: finished trials of this and all other runs and machines together.
        steps: of each training.
        about: what else the trials share, such as the corpus.
        on_trial: called with each trial when it ends.

    Raises:
        ConfigError: `steps` is no multiple of the five validations of a trial, the folder holds a study
            of something else, or torchrun started several processes.
    """
    if steps % _VALIDATIONS:
        raise ConfigError.of("tune.steps", given=steps, number=_VALIDATIONS)
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ConfigError.of("tune.processes")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")
    shared = {"measure": measure, "steps": steps, "config": config.model_dump(mode="json"), **about}
    study = open_study(folder, shared)

    def objective(trial: Trial) -> float:
        run = folder / f"trial_{trial.number}"
        watch = _Report(trial, measure)
        try:
            train(_short(with_settings(config, space(trial)), steps), run, [watch])
        except ConfigError:
            if not watch.pruned:  # it diverged otherwise
                raise
        (run / "last.ckpt").unlink(missing_ok=True)  # a trial is not resumed
        if watch.pruned:
            shutil.rmtree(run / "model", ignore_errors=True)
            raise optuna.TrialPruned
        return watch.value

    def enough(study: optuna.Study, trial: FrozenTrial) -> None:
        on_trial(trial)
        if len(study.get_trials(deepcopy=False, states=FINISHED)) >= trials:
            study.stop()

    if len(study.get_trials(deepcopy=False, states=FINISHED)) < trials:
        study.optimize(objective, callbacks=[enough])
    if study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        best = with_settings(config, study.best_params)
        text = tomli_w.dumps(best.model_dump(mode="json", exclude_unset=True, exclude_none=True))
        title = (
            f"trial {study.best_trial.number}: {measure} {study.best_value:.4f} after {steps} steps"
        )
        (folder / "best.toml").write_text(f"# {title}\n{text}", encoding="utf-8")
    return study


def with_settings(config: RunConfig, settings: dict[str, Any]) -> RunConfig:
    """`config` with other values at the dotted keys of `settings`."""
    parts: dict[str, dict[str, Any]] = {}
    for key, value in settings.items():
        part, name = key.split(".")
        parts.setdefault(part, {})[name] = value
    return config.model_copy(
        update={part: getattr(config, part).model_copy(update=new) for part, new in parts.items()}
    )


def _short(config: RunConfig, steps: int) -> RunConfig:
    """A whole training of `steps`: all that lasts for some steps is shortened alike."""
    c = config.optimizer
    share = steps / c.steps
    optimizer = c.model_copy(
        update={
            "steps": steps, "epoch_steps": steps // _VALIDATIONS,
            "average_decay": min(c.average_decay, max(0.0, 1 - 10 / steps)),
            "warmup_steps": min(c.warmup_steps, steps // 10),
            "prior_steps": round(share * c.prior_steps), "decay_start": int(share * c.decay_start),
        }
    )  # fmt: skip
    parts: dict[str, Any] = {"optimizer": optimizer}
    if isinstance(config, CotatronTrainConfig):
        fade = round(share * config.losses.guidance_steps)
        parts["losses"] = config.losses.model_copy(update={"guidance_steps": fade})
    if isinstance(config, TrainConfig):
        parts["speak_every"] = 0
    return config.model_copy(update=parts)


class _Report(Callback):
    """Reports validations to Optuna; ends a trial that Optuna prunes or whose loss is not finite."""

    def __init__(self, trial: Trial, measure: str) -> None:
        self.trial, self.measure = trial, measure
        self.value, self.pruned = math.inf, False

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.value = float(trainer.callback_metrics[f"valid/{self.measure}"])
        if not math.isfinite(self.value):
            self.pruned = trainer.should_stop = True
            return
        self.trial.report(self.value, trainer.current_epoch)
        if trainer.current_epoch + 1 < _VALIDATIONS and self.trial.should_prune():
            self.pruned = trainer.should_stop = True
