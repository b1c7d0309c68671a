from pathlib import Path

import pytest

from moksori.config import CotatronTrainConfig, TrainConfig, load_config
from moksori.errors import ConfigError

CONFIGS = Path(__file__).parents[1] / "configs"


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.name)
def test_every_shipped_config_is_valid(path):
    load_config(path, CotatronTrainConfig if "cotatron" in path.stem else TrainConfig)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[optimizer]\nlerning_rate = 1", "unknown key “optimizer.lerning_rate”"),
        ("[model]\ntext_dropout = 1.5", "“model.text_dropout”: .*less than 1, got 1.5"),
        ("[optimizer]\nsteps = 'many'", "“optimizer.steps”"),
        ("[optimizer]\nsteps = 150\nepoch_steps = 100", "multiple of epoch_steps"),
        ("steps = = 3", "not valid TOML"),
    ],
)
def test_faults_name_the_file_the_key_and_the_value(tmp_path, text, message):
    path = tmp_path / "a.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as error:
        load_config(path, TrainConfig)
    assert str(path) in str(error.value)


def test_a_missing_config_is_named(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        load_config(tmp_path / "no.toml", TrainConfig)
