import json
import shutil
from pathlib import Path

import pytest
import torch

from moksori.config import CotatronTrainConfig, load_config
from moksori.conversion.card import load_training
from moksori.conversion.checkpoint import load_cotatron
from moksori.errors import CheckpointError, ConfigError
from moksori.training.common import mel_mse
from moksori.training.cotatron import attention_guidance, train_cotatron

pytestmark = pytest.mark.slow

CONFIGS = Path(__file__).parents[2] / "configs"
TINY = load_config(CONFIGS / "tiny_cotatron.toml", CotatronTrainConfig)


def longer(epochs: int) -> CotatronTrainConfig:
    optimizer = TINY.optimizer.model_copy(update={"steps": 2 * epochs})
    return TINY.model_copy(update={"optimizer": optimizer})


def test_the_shipped_config_is_the_default():
    config = load_config(CONFIGS / "cotatron.toml", CotatronTrainConfig)
    default = CotatronTrainConfig()
    assert config.model == default.model
    assert config.losses == default.losses


def test_trains_exports_and_resumes(prepared, tmp_path, cut_after_one_epoch):
    """Two epochs at once, and one epoch, a cut, and the other: the same weights."""
    whole = train_cotatron(longer(2), prepared, tmp_path / "whole")
    with cut_after_one_epoch():
        train_cotatron(longer(2), prepared, tmp_path / "cut")
    train_cotatron(longer(2), prepared, tmp_path / "cut")
    first = torch.load(tmp_path / "whole" / "last.ckpt", weights_only=True)
    second = torch.load(tmp_path / "cut" / "last.ckpt", weights_only=True)
    assert first["global_step"] == second["global_step"] == 4
    for name, weight in first["current_model_state"].items():
        torch.testing.assert_close(second["current_model_state"][name], weight, msg=name)
    model, card = load_cotatron(whole)
    assert card.speakers == ["pfx", "pmx", "zzz"]
    assert load_training(whole, card)["valid_mse_after"] > 0
    assert not model.training


def test_begins_with_a_conversion_model_s_aligner(prepared, tiny_model, tmp_path):
    start = tmp_path / "conversion"
    shutil.copytree(tiny_model, start)
    train_cotatron(longer(1), prepared, tmp_path / "run", start)
    still = TINY.optimizer.model_copy(update={"learning_rate": 1e-12, "weight_decay": 0.0})
    frozen = TINY.model_copy(update={"optimizer": still})
    again = train_cotatron(frozen, prepared, tmp_path / "again", tmp_path / "run" / "model")
    trained = load_cotatron(tmp_path / "run" / "model")[0].state_dict()
    for name, weight in load_cotatron(again)[0].named_parameters():
        torch.testing.assert_close(weight, trained[name], msg=name)
    wider = TINY.model_copy(update={"model": TINY.model.model_copy(update={"text_dim": 8})})
    with pytest.raises(ConfigError, match="other sizes"):
        train_cotatron(wider, prepared, tmp_path / "other", start)
    with pytest.raises(CheckpointError):
        train_cotatron(TINY, prepared, tmp_path / "other", tmp_path / "none")
    for made in (start, tmp_path / "run" / "model"):
        card = json.loads((made / "model.json").read_text())
        card["audio"]["fmax"] = 7000.0
        (made / "model.json").write_text(json.dumps(card))
        with pytest.raises(ConfigError, match="other audio settings"):
            train_cotatron(TINY, prepared, tmp_path / "other", made)


def test_a_dev_run_keeps_nothing(prepared, tmp_path):
    train_cotatron(TINY, prepared, tmp_path / "run", fast_dev_run=True)
    assert not (tmp_path / "run").exists()


def test_losses_leave_the_padding_out():
    output, target = torch.zeros(2, 5, 3), torch.ones(2, 5, 3)
    mask = torch.tensor([[True] * 5, [True] * 2 + [False] * 3])
    target[1, 2:] = 100
    assert mel_mse(output, target, mask) == pytest.approx(1)
    attention = torch.full((2, 5, 4), 0.25)
    ordered = torch.eye(4)[torch.zeros(2, 5, dtype=torch.long)]
    attention[1, 2:] = 0
    expected = torch.log(torch.tensor(4.0))  # one of four, by chance
    torch.testing.assert_close(attention_guidance(attention, ordered, mask), expected)
