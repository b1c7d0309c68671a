"""What goes wrong around a training: told in Korean, by its place and with what to do."""

import json
import shutil
from pathlib import Path

import pytest

from moksori.config import CotatronTrainConfig, TrainConfig, load_config
from moksori.conversion.checkpoint import load_conversion
from moksori.errors import CheckpointError, ConfigError, OutputError
from moksori.training.conversion import train_conversion
from moksori.training.cotatron import train_cotatron

CONFIGS = Path(__file__).parents[2] / "configs"
TINY = load_config(CONFIGS / "tiny.toml", TrainConfig)


@pytest.fixture
def run(tiny_model, tmp_path):
    """A training that has ended, in a folder of its own."""
    return Path(shutil.copytree(tiny_model.parent, tmp_path / "run"))


def test_a_damaged_checkpoint_is_named_and_the_advice_holds(prepared, run):
    last = run / "last.ckpt"
    last.write_bytes(last.read_bytes()[:1000])
    with pytest.raises(CheckpointError) as error:
        train_conversion(TINY, prepared, run)
    assert error.value.say("ko").startswith(f"{last}: 손상되어 이어서 할 수 없습니다. 지금 모델을")
    last.unlink()
    train_conversion(TINY, prepared, run)
    assert last.exists()


def test_a_config_that_was_changed_is_told_by_its_keys(prepared, run):
    optimizer = TINY.optimizer.model_copy(update={"learning_rate": 1.0, "steps": 8})
    other = TINY.model_copy(update={"optimizer": optimizer, "seed": 7})
    with pytest.raises(ConfigError) as error:
        train_conversion(other, prepared, run)
    assert "다른 것: optimizer.learning_rate, optimizer.steps, seed. 그때의" in error.value.say(
        "ko"
    )
    path = run / "config.json"
    path.write_text(path.read_text().replace('"seed"', '"seeds"'))  # as of another version
    with pytest.raises(ConfigError, match="of another kind, or of a newer Moksori"):
        train_conversion(TINY, prepared, run)


def test_a_run_of_another_kind_is_told_as_such(prepared, run):
    """It was said to be of other speakers."""
    config = load_config(CONFIGS / "tiny_cotatron.toml", CotatronTrainConfig)
    with pytest.raises(ConfigError) as error:
        train_cotatron(config, prepared, run)
    assert error.value.say("ko").startswith(f"{run}: 다른 종류의 학습이거나")


def test_a_file_in_the_place_of_a_run_is_told(prepared, tmp_path):
    (tmp_path / "run").write_text("notes")
    with pytest.raises(OutputError) as error:
        train_conversion(TINY, prepared, tmp_path / "run")
    assert error.value.say("ko") == f"{tmp_path / 'run'}: 파일입니다. 폴더 이름을 적으세요"


def test_a_run_named_for_its_model_is_told_where_the_model_lies(prepared, run, tmp_path):
    with pytest.raises(CheckpointError) as error:
        load_conversion(run)
    assert f"{run / 'model'}을(를) 적으세요" in error.value.say("ko")
    with pytest.raises(CheckpointError, match="its model lies in it"):
        train_conversion(TINY, prepared, tmp_path / "next", start=run)


def test_sizes_are_told_as_a_config_has_them(prepared, tiny_model, tmp_path):
    sizes = TINY.model.model_copy(update={"text_kernels": (5, 3)})
    with pytest.raises(ConfigError) as error:
        train_conversion(
            TINY.model_copy(update={"model": sizes}), prepared, tmp_path, start=tiny_model
        )
    said = error.value.say("ko")
    assert "model.text_kernels은(는) [5, 3]인데" in said
    assert said.endswith("[3]으로 고치세요")


def test_a_run_begun_upon_a_model_asks_for_that_model(prepared, tiny_model, tmp_path):
    """Of other terms than the data's, it was said to be of other speakers or another licence."""
    start = shutil.copytree(tiny_model, tmp_path / "start")
    card = json.loads((start / "model.json").read_text())
    (start / "model.json").write_text(json.dumps(card | {"licence": "CC BY-NC 4.0"}))
    run = tmp_path / "run"
    train_conversion(TINY, prepared, run, start=start)
    with pytest.raises(ConfigError) as error:
        train_conversion(TINY, prepared, run)
    assert "--from, --cotatron, --model에 다른 모델을 적어" in error.value.say("ko")
