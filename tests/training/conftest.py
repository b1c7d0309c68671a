from contextlib import contextmanager
from pathlib import Path

import lightning.pytorch as pl
import pytest

from moksori.config import TrainConfig, load_config
from moksori.training.conversion import train_conversion


class _Kill(pl.Callback):
    def on_train_batch_start(self, trainer, *_):
        if trainer.current_epoch == 1:
            raise RuntimeError("killed")


@pytest.fixture
def cut_after_one_epoch(monkeypatch):
    """Within it, a training ends as if it were killed in its second epoch."""

    @contextmanager
    def cut():
        original = pl.Trainer.__init__

        def with_kill(self, *args, callbacks=(), **kwargs):
            original(self, *args, callbacks=[*callbacks, _Kill()], **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(pl.Trainer, "__init__", with_kill)
            with pytest.raises(RuntimeError, match="killed"):
                yield

    return cut


@pytest.fixture(scope="session")
def tiny_model(prepared, tmp_path_factory) -> Path:
    """A conversion model of `configs/tiny.toml`, trained on the small corpus; read only."""
    config = load_config(Path(__file__).parents[2] / "configs" / "tiny.toml", TrainConfig)
    return train_conversion(config, prepared, tmp_path_factory.mktemp("tiny"))
