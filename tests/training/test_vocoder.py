from pathlib import Path

import pytest
import torch

from moksori.config import TrainConfig, VocoderTrainConfig, load_config
from moksori.conversion.checkpoint import load_conversion, load_vocoder
from moksori.conversion.converter import Converter
from moksori.corpus.waves import WaveData
from moksori.errors import CheckpointError, ConfigError
from moksori.models.vocoder.source_filter import SourceFilter
from moksori.training.conversion import train_conversion
from moksori.training.discriminators import critics_loss, matching_loss, spectral_loss
from moksori.training.vocoder import VocoderTraining, train_vocoder
from tests.conftest import DEMO, DEMO_TEXT

CONFIGS = Path(__file__).parents[2] / "configs"
TINY = load_config(CONFIGS / "tiny_vocoder.toml", VocoderTrainConfig)
VOICES = ["pfx", "pmx", "zzz"]


def test_the_shipped_config_is_the_default():
    config = load_config(CONFIGS / "vocoder.toml", VocoderTrainConfig)
    assert config.model == VocoderTrainConfig().model
    assert config.losses == VocoderTrainConfig().losses


def test_trains_exports_and_resumes(prepared, tmp_path, cut_after_one_epoch):
    """Two epochs at once, and one epoch, a cut, and the other: the same weights, the critics' too."""
    whole = train_vocoder(TINY, prepared, tmp_path / "whole")
    with cut_after_one_epoch():
        train_vocoder(TINY, prepared, tmp_path / "cut")
    train_vocoder(TINY, prepared, tmp_path / "cut")
    first = torch.load(tmp_path / "whole" / "last.ckpt", weights_only=True)
    second = torch.load(tmp_path / "cut" / "last.ckpt", weights_only=True)
    assert any(name.startswith("critics.") for name in first["current_model_state"])
    for name, weight in first["current_model_state"].items():
        torch.testing.assert_close(second["current_model_state"][name], weight, msg=name)
    made = Converter.from_pretrained(vocoder=whole).convert(DEMO, DEMO_TEXT, "lmy")
    assert made.samples.std() > 0


def test_begins_with_another_vocoder_and_its_critics(prepared, tmp_path):
    """Nothing is learnt in the second run, so what it holds at its end is what it began with."""
    first = train_vocoder(TINY, prepared, tmp_path / "first")
    optimizer = {"learning_rate": 1e-12, "weight_decay": 0.0}
    still = TINY.model_copy(update={"optimizer": TINY.optimizer.model_copy(update=optimizer)})
    again = train_vocoder(still, prepared, tmp_path / "again", start=first)
    for name, weight in load_vocoder(first)[0].state_dict().items():
        torch.testing.assert_close(load_vocoder(again)[0].state_dict()[name], weight, msg=name)
    critics = [
        torch.load(tmp_path / run / "last.ckpt", weights_only=True)["current_model_state"]
        for run in ("first", "again")
    ]
    for name in (name for name in critics[0] if name.startswith("critics.")):
        torch.testing.assert_close(critics[1][name], critics[0][name], msg=name)
    others = {"losses": TINY.losses.model_copy(update={"critic_windows": (256,)})}
    with pytest.warns(UserWarning, match="critics begin anew"):
        train_vocoder(still.model_copy(update=others), prepared, tmp_path / "others", start=first)
    (tmp_path / "first" / "last.ckpt").write_bytes(b"spoilt")
    with pytest.raises(CheckpointError, match=r"last\.ckpt: .*move it away"):
        train_vocoder(still, prepared, tmp_path / "spoilt", start=first)


def test_learns_from_a_conversion_model_s_mels(prepared, tmp_path):
    conversion = load_config(CONFIGS / "tiny.toml", TrainConfig)
    model = train_conversion(conversion, prepared, tmp_path / "conversion")
    data = WaveData(prepared, VOICES, TINY.audio, TINY.data, 1, load_conversion(model)[0])
    batch = next(iter(data.train_dataloader()))
    assert batch.remade.shape == batch.mel.shape
    assert not torch.equal(batch.remade, batch.mel)
    train_vocoder(TINY, prepared, tmp_path / "run", model)
    with pytest.raises(ConfigError, match="stands on another"):
        train_vocoder(TINY, prepared, tmp_path / "run")


def test_segments_are_of_the_same_place_in_mel_f0_and_wave(prepared):
    data = WaveData(prepared, VOICES, TINY.audio, TINY.data, 1)
    batch = next(iter(data.train_dataloader()))
    hop = TINY.audio.hop_length
    # Each frame and its samples get the frame's number; short lines are in the batch too.
    frames = torch.arange(batch.mel.shape[1]).float()
    batch = batch._replace(
        mel=frames[None, :, None].expand_as(batch.mel),
        f0=frames.expand_as(batch.f0),
        wave=frames.repeat_interleave(hop).expand_as(batch.wave),
    )
    training = VocoderTraining(SourceFilter(TINY.model, TINY.audio), TINY)
    mel, f0, wave = training._segments(batch)
    assert mel.shape[1] == TINY.segment_frames
    torch.testing.assert_close(mel[..., 0], f0)
    torch.testing.assert_close(wave, f0.repeat_interleave(hop, 1))
    assert (f0[:, -1] < batch.mel_lengths).all()


def test_each_side_s_gradients_reach_its_own_weights_alone():
    training = VocoderTraining(SourceFilter(TINY.model, TINY.audio), TINY)
    real, made = torch.randn(2, 4096), torch.randn(2, 4096, requires_grad=True)
    losses = training._compete(made, real)
    (losses["adversarial"] + losses["matching"]).backward()
    assert made.grad.abs().sum() > 0
    assert all(p.grad is None for p in training.critics.parameters())
    made.grad = None
    training._compete(made, real)["critics"].backward()
    assert made.grad is None
    assert all(p.grad is not None for p in training.critics.parameters())


def test_losses_of_known_cases():
    wave = torch.randn(2, 4096)
    assert spectral_loss(wave, wave, (256, 512)) == pytest.approx(0, abs=1e-6)
    # Twice as loud: convergence ‖2a − a‖ / ‖a‖ = 1, and log 2 in each bin.
    assert spectral_loss(2 * wave, wave, (256,)) == pytest.approx(1 + 0.6931, abs=1e-3)
    right, wrong = [[torch.ones(3)]], [[torch.zeros(3)]]
    assert critics_loss(right, wrong) == 0
    assert critics_loss(wrong, right) == 2
    features = [[torch.ones(3), torch.zeros(1)]]
    assert matching_loss(features, features) == 0
    assert matching_loss(features, [[torch.full((3,), 1.5), torch.zeros(1)]]) == pytest.approx(0.5)
