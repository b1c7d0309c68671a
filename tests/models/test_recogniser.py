import numpy as np
import torch

from moksori.config import RecogniserConfig
from moksori.models.aligner import ParallelAligner
from moksori.models.layers import length_mask
from moksori.models.recogniser import PhoneRecogniser
from moksori.text.sounds import SOUNDS

SMALL = RecogniserConfig(dim=16, dilations=(1, 2))


def mels(*lengths: int) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(len(lengths), max(lengths), 80) * 2 - 5


def test_gives_log_probabilities_of_the_sounds():
    log_posterior = PhoneRecogniser(SMALL, 80, len(SOUNDS))(
        mels(30), torch.ones(1, 30, dtype=torch.bool)
    )
    assert log_posterior.shape == (1, 30, len(SOUNDS))
    np.testing.assert_allclose(log_posterior.exp().sum(-1).detach(), 1, atol=1e-5)


def test_a_line_in_a_batch_is_heard_as_alone():
    model = PhoneRecogniser(SMALL, 80, len(SOUNDS)).eval()
    mel = mels(30, 50)
    together = model(mel, length_mask(torch.tensor([30, 50])))
    alone = model(mel[:1, :30], torch.ones(1, 30, dtype=torch.bool))
    torch.testing.assert_close(together[0, :30], alone[0], atol=1e-5, rtol=1e-4)


def test_neither_level_nor_timbre_is_heard():
    """A gain, and a filter that stays the same over the line, change nothing."""
    model = PhoneRecogniser(SMALL, 80, len(SOUNDS)).eval()
    mel, mask = mels(40), torch.ones(1, 40, dtype=torch.bool)
    torch.testing.assert_close(
        model(mel + 3 + torch.linspace(-1, 1, 80), mask), model(mel, mask), atol=1e-4, rtol=1e-3
    )


def test_begins_as_an_aligner_of_its_size_and_of_no_other():
    model = PhoneRecogniser(SMALL, 80, len(SOUNDS))
    before = model.query1.conv.weight.clone()
    model.begin_as(ParallelAligner(24, 80, 12))
    assert torch.equal(model.query1.conv.weight, before)
    aligner = ParallelAligner(24, 80, 8)
    model.begin_as(aligner)
    assert torch.equal(model.query2.conv.weight, aligner.query2.conv.weight)
