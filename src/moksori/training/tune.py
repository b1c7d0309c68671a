"""Search of settings by short trainings (Optuna): what is worth a long one.

FOLDER/study.journal   every trial; the same folder again goes on, and several machines may share it
FOLDER/trial_N/        one training: TensorBoard's events and its model
FOLDER/best.toml       the config with the best trial's settings, ready for `moksori train`
"""

import shutil
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

from moksori.config import RunConfig, TrainConfig
from moksori.errors import ConfigError

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
Train = Callable[[Any, Path, Sequence[Callback]], object]  # of a config, in a folder
_VALIDATIONS = 5  # of a trial: each is a chance to stop it


def cotatron_space(trial: Trial) -> dict[str, Any]:
    """Settings of one Cotatron: dotted keys of its config."""
    attention = trial.suggest_categorical("model.attention", ["location", "dynamic"])
    settings: dict[str, Any] = {
        "model.attention": attention,
        "optimizer.learning_rate": trial.suggest_float(
            "optimizer.learning_rate", 3e-4, 3e-3, log=True
        ),
        "losses.guidance": trial.suggest_float("losses.guidance", 0.1, 3.0, log=True),
        "model.frames_per_step": trial.suggest_int("model.frames_per_step", 1, 3),
        "model.rnn_dim": trial.suggest_categorical("model.rnn_dim", [128, 256, 384]),
        "model.attention_dim": trial.suggest_categorical("model.attention_dim", [64, 128]),
        "model.dropout": trial.suggest_float("model.dropout", 0.2, 0.6),
    }
    if attention == "dynamic":
        settings["model.prior_beta"] = trial.suggest_float("model.prior_beta", 0.5, 4.0, log=True)
    return settings


def conversion_space(trial: Trial) -> dict[str, Any]:
    """Settings of one conversion model: dotted keys of its config."""
    return {
        "optimizer.learning_rate": trial.suggest_float(
            "optimizer.learning_rate", 5e-4, 5e-3, log=True
        ),
        "optimizer.aligner_weight": trial.suggest_float(
            "optimizer.aligner_weight", 0.05, 1.0, log=True
        ),
        "model.decoder_dim": trial.suggest_categorical("model.decoder_dim", [192, 288, 384]),
        "model.decoder_blocks": trial.suggest_int("model.decoder_blocks", 4, 8),
        "model.decoder_dropout": trial.suggest_float("model.decoder_dropout", 0.0, 0.3),
        "model.energy_bands": trial.suggest_int("model.energy_bands", 1, 5),
        "model.voice_dim": trial.suggest_categorical("model.voice_dim", [32, 64, 128]),
    }


def open_study(folder: Path, seed: int) -> optuna.Study:
    """The study of a folder, begun if there is none.

    Raises:
        ConfigError: the journal there is damaged.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    journal = folder / "study.journal"
    try:
        storage = JournalStorage(JournalFileBackend(str(journal)))
        study = optuna.create_study(
            storage=storage, study_name="moksori", load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=1),
        )  # fmt: skip
    except (ValueError, KeyError) as error:
        raise ConfigError(f"{journal}: not a study's journal ({error})") from None
    # Each start, and each machine, draws from a seed of its own.
    with (
        warnings.catch_warnings()
    ):  # `group` is new, and the only one that knows conditional settings
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.sampler = optuna.samplers.TPESampler(
            seed=seed + len(study.trials), multivariate=True, group=True, n_startup_trials=5
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
    told: Callable[[FrozenTrial], None] = lambda trial: None,
) -> optuna.Study:
    """Search until the folder holds `trials` finished ones; run again, it goes on.

    Args:
        train: trains in a folder with a config and callbacks.
        space: draws the settings of a trial.
        config: what the trials share.
        folder: of the study.
        measure: of the validation, the less the better.
        trials: finished trials of this and all other runs and machines together.
        steps: of each training.
        told: is given each trial when it ends.

    Raises:
        ConfigError: `steps` is no multiple of the five validations of a trial.
    """
    if steps % _VALIDATIONS:
        raise ConfigError(f"--steps must be a multiple of {_VALIDATIONS}, got {steps}")
    study = open_study(folder, config.seed)

    def objective(trial: Trial) -> float:
        run = folder / f"trial_{trial.number}"
        watch = _Report(trial, measure)
        train(_short(with_settings(config, space(trial)), steps), run, [watch])
        (run / "last.ckpt").unlink(missing_ok=True)  # a trial is not resumed
        if watch.pruned:
            shutil.rmtree(run / "model", ignore_errors=True)
            raise optuna.TrialPruned
        return watch.value

    def enough(study: optuna.Study, trial: FrozenTrial) -> None:
        told(trial)
        if len(study.get_trials(deepcopy=False, states=FINISHED)) >= trials:
            study.stop()

    if len(study.get_trials(deepcopy=False, states=FINISHED)) < trials:
        study.optimize(objective, callbacks=[enough])
    if study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        best = with_settings(config, study.best_params)
        text = tomli_w.dumps(best.model_dump(mode="json", exclude_none=True))
        about = f"trial {study.best_trial.number} of {len(study.trials)}: {measure} {study.best_value:.4f}"
        (folder / "best.toml").write_text(
            f"# {about} after {steps} steps\n{text}", encoding="utf-8"
        )
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
    """A whole training of `steps`: the decay ends with it, the average spans a tenth of it."""
    c = config.optimizer
    optimizer = c.model_copy(
        update={
            "steps": steps, "epoch_steps": steps // _VALIDATIONS,
            "average_decay": min(c.average_decay, max(0.0, 1 - 10 / steps)),
            "warmup_steps": min(c.warmup_steps, steps // 10),
        }
    )  # fmt: skip
    quiet = {"speak_every": 0} if isinstance(config, TrainConfig) else {}
    return config.model_copy(update={"optimizer": optimizer, **quiet})


class _Report(Callback):
    """Tells Optuna each validation, and ends the training when it says so."""

    def __init__(self, trial: Trial, measure: str) -> None:
        self.trial, self.measure = trial, measure
        self.value, self.pruned = float("inf"), False

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.value = float(trainer.callback_metrics[f"valid/{self.measure}"])
        self.trial.report(self.value, trainer.current_epoch)
        if trainer.current_epoch + 1 < _VALIDATIONS and self.trial.should_prune():
            self.pruned = trainer.should_stop = True
