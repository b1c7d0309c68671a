from contextlib import contextmanager

import lightning.pytorch as pl
import pytest


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
