import math
from pathlib import Path
from types import SimpleNamespace

import optuna
import pytest
from typer.testing import CliRunner

from moksori.cli import app, console
from moksori.config import CotatronTrainConfig, TrainConfig, load_config
from moksori.errors import ConfigError, CorpusError, OutputError
from moksori.training.tune import conversion_space, open_study, tune

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TINY = "configs/tiny.toml"


def test_finds_the_best_resumes_and_stops_the_hopeless(tmp_path):
    """On a valley with a known floor in place of a training: the search, without its cost."""
    ended = []

    def train(config, run, callbacks):
        run.mkdir(parents=True)
        [watch] = callbacks
        distance = abs(config.optimizer.learning_rate - 2e-3) * 1000
        trainer = type("Trainer", (), {"current_epoch": 0, "should_stop": False})()
        for trainer.current_epoch in range(5):
            trainer.callback_metrics = {"valid/mel_l1": distance + 1 / (1 + trainer.current_epoch)}
            watch.on_validation_end(trainer, None)
            if trainer.should_stop:
                break
        ended.append(trainer.current_epoch)

    space = lambda trial: {  # noqa: E731
        "optimizer.learning_rate": trial.suggest_float(
            "optimizer.learning_rate", 5e-4, 5e-3, log=True
        )
    }
    config = load_config(ROOT / TINY, TrainConfig)
    study = tune(train, space, config, tmp_path, "mel_l1", 6, 10)
    assert len(study.trials) == 6
    study = tune(train, space, config, tmp_path, "mel_l1", 30, 10)
    assert len(study.trials) == 30 and len(ended) == 30
    assert abs(study.best_params["optimizer.learning_rate"] - 2e-3) < 3e-4
    assert min(ended) < 4  # some were ended early
    tune(train, space, config, tmp_path, "mel_l1", 30, 10)
    assert len(ended) == 30  # nothing was left to do
    best = load_config(tmp_path / "best.toml", TrainConfig)
    assert best.optimizer.learning_rate == study.best_params["optimizer.learning_rate"]
    assert best.optimizer.steps == config.optimizer.steps
    assert best.model == config.model


def test_a_trial_that_diverges_ends_alone(tmp_path):
    def train(config, run, callbacks):
        run.mkdir(parents=True)
        trainer = SimpleNamespace(current_epoch=0, should_stop=False)
        trainer.callback_metrics = {"valid/mel_l1": math.nan if run.name == "trial_0" else 1.0}
        callbacks[0].on_validation_end(trainer, None)
        if trainer.should_stop:
            raise ConfigError("diverged")

    config = load_config(ROOT / TINY, TrainConfig)
    study = tune(train, lambda trial: {}, config, tmp_path, "mel_l1", 2, 10)
    assert [trial.state.name for trial in study.trials] == ["PRUNED", "COMPLETE"]


def test_a_study_that_is_none_is_refused(tmp_path):
    (tmp_path / "study.journal").write_text("not a journal\n")
    with pytest.raises(ConfigError, match=r"study\.journal"):
        open_study(tmp_path, {})


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    """Its best.toml would have been replaced."""
    best = tmp_path / "best.toml"
    best.write_text("mine")
    with pytest.raises(ConfigError) as error:
        open_study(tmp_path, {})
    assert error.value.say("ko").startswith(f"{tmp_path}: 탐색하던 폴더가 아닌데 “best.toml” 등이")
    with pytest.raises(OutputError, match=r"best\.toml: is a file; name a folder"):
        open_study(best, {})
    assert [path.name for path in tmp_path.iterdir()] == ["best.toml"]


def test_a_trial_that_cannot_begin_is_told_once(tmp_path, caplog):
    """Optuna printed its traceback first, in English."""
    optuna.logging.enable_propagation()

    def train(*_):
        raise CorpusError.of("corpus.not_prepared", folder="data")

    config = load_config(ROOT / TINY, TrainConfig)
    with pytest.raises(CorpusError):
        tune(train, lambda trial: {}, config, tmp_path, "mel_l1", 1, 10)
    optuna.logging.disable_propagation()
    assert not caplog.records
    open_study(tmp_path, {"data": "another"})  # the folder may be used for what was meant


@pytest.mark.parametrize(
    ("kind", "config"), [("cotatron", "tiny_cotatron"), ("conversion", "tiny")]
)
def test_the_command_trains_prints_a_table_and_writes_a_config(
    prepared, tmp_path, monkeypatch, kind, config
):
    monkeypatch.setattr(console, "language", "en")  # whatever was asked for before
    arguments = [
        "tune", kind, str(ROOT / f"configs/{config}.toml"), str(prepared), str(tmp_path / "study"),
        "--trials", "2", "--steps", "5",
    ]  # fmt: skip
    done = CliRunner().invoke(app, arguments, catch_exceptions=False, env={"COLUMNS": "200"})
    assert "learning_rate" in done.output and "complete" in done.output
    best = tmp_path / "study" / "best.toml"
    assert best.read_text().startswith("# trial ")
    load_config(best, CotatronTrainConfig if kind == "cotatron" else TrainConfig)
    assert "text_dim" not in best.read_text() or "text_dim" in Path(arguments[2]).read_text()
    assert (tmp_path / "study" / "trial_0" / "events").is_dir()
    with pytest.raises(ConfigError, match="multiple of 5"):
        CliRunner().invoke(app, [*arguments[:-1], "6"], catch_exceptions=False)


def test_every_drawn_setting_is_a_key_of_the_config(tmp_path):
    study = open_study(tmp_path, {})
    for _ in range(5):
        for key in conversion_space(study.ask(), TrainConfig()):
            part, name = key.split(".")
            assert name in type(getattr(TrainConfig(), part)).model_fields
