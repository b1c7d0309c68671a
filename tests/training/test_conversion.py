import json
from pathlib import Path

import pytest
import torch

from moksori.checkpoint import load_conversion
from moksori.config import TrainConfig, load_config
from moksori.corpus.batches import LineData, read_speakers, training_voices
from moksori.errors import ConfigError, CorpusError
from moksori.text import tokenize
from moksori.training.conversion import train_conversion

TINY = load_config(Path(__file__).parents[2] / "configs" / "tiny.toml")


def longer(epochs: int) -> TrainConfig:
    optimizer = TINY.optimizer.model_copy(update={"steps": 2 * epochs})
    return TINY.model_copy(update={"optimizer": optimizer})


def test_batches_are_padded_lines_of_the_corpus(prepared):
    names = training_voices(read_speakers(prepared)["speakers"])
    data = LineData(prepared, names, TINY.audio, TINY.data, seed=1)
    batch = next(iter(data.train_dataloader()))
    b, t, n_mels = batch.mel.shape
    assert n_mels == 80
    assert t == batch.mel_lengths.max()
    assert batch.f0.shape == (b, t)
    assert b == len(batch.phones) == len(batch.voice)
    assert batch.mel_lengths.sum() * 256 / 22050 <= TINY.data.batch_seconds * 1.01
    first = batch.phones[0, : batch.phone_lengths[0]].tolist()
    assert first in [
        tokenize(text) for text in ("같이 가자.", "밥은 먹었어?", "오늘은 날씨가 좋네!")
    ]


def test_trains_exports_and_resumes(prepared, tmp_path):
    """Two epochs at once, and one epoch, a cut, and the other: the same weights."""
    whole = train_conversion(longer(2), prepared, tmp_path / "whole")
    _cut_after_one_epoch(prepared, tmp_path / "cut")
    resumed = train_conversion(longer(2), prepared, tmp_path / "cut")
    first = torch.load(tmp_path / "whole" / "last.ckpt", weights_only=True)
    second = torch.load(tmp_path / "cut" / "last.ckpt", weights_only=True)
    assert first["global_step"] == second["global_step"] == 4
    for name, weight in first["current_model_state"].items():
        torch.testing.assert_close(second["current_model_state"][name], weight, msg=name)
    _, card = load_conversion(resumed)
    assert load_conversion(whole)[1].voices == card.voices
    assert card.training["steps"] in (2, 4)
    assert [voice.name for voice in card.voices] == ["pfx", "pmx", "zzz"]
    assert any((tmp_path / "whole" / "events").iterdir())


def _cut_after_one_epoch(prepared, run):
    """The state a run of two epochs is in when it is killed in the second."""
    import lightning.pytorch as pl

    class Kill(pl.Callback):
        def on_train_batch_start(self, trainer, *_):
            if trainer.current_epoch == 1:
                raise RuntimeError("killed")

    original = pl.Trainer.__init__

    def with_kill(self, *args, callbacks=(), **kwargs):
        original(self, *args, callbacks=[*callbacks, Kill()], **kwargs)

    pl.Trainer.__init__ = with_kill
    try:
        with pytest.raises(RuntimeError, match="killed"):
            train_conversion(longer(2), prepared, run)
    finally:
        pl.Trainer.__init__ = original


def test_another_config_in_the_same_run_is_refused(prepared, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").write_text(json.dumps({"seed": 2}))
    with pytest.raises(ConfigError, match="another config"):
        train_conversion(TINY, prepared, run)


def test_a_folder_that_is_not_prepared_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="moksori prepare"):
        train_conversion(TINY, tmp_path, tmp_path / "run")
