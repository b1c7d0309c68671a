import itertools
import math

import pytest
import torch

from moksori.models.aligner import ParallelAligner, diagonal_prior, forward_sum_loss
from moksori.models.layers import length_mask


def test_rows_sum_to_one_over_the_unpadded_text():
    torch.manual_seed(0)
    aligner = ParallelAligner(8, 10, 4)
    text_mask, mel_mask = length_mask(torch.tensor([5, 3])), length_mask(torch.tensor([12, 9]))
    log_a = aligner(torch.randn(2, 5, 8), text_mask, torch.randn(2, 12, 10), mel_mask)
    a = log_a.exp()
    assert a.shape == (2, 12, 5)
    torch.testing.assert_close(a.sum(-1), torch.ones(2, 12))
    assert a[1, :, 3:].max() < 1e-6


def test_scores_are_the_scaled_squared_distance():
    """The softmax of -0.05 |q - k|², computed the long way."""
    torch.manual_seed(0)
    aligner = ParallelAligner(8, 10, 4).eval()
    encoding, mel = torch.randn(1, 5, 8), torch.randn(1, 12, 10)
    masks = torch.ones(1, 5, dtype=torch.bool), torch.ones(1, 12, dtype=torch.bool)
    queries, keys = [], []
    aligner.query3.register_forward_hook(lambda _, __, out: queries.append(out))
    aligner.key2.register_forward_hook(lambda _, __, out: keys.append(out))
    log_a = aligner(encoding, masks[0], mel, masks[1])
    distance = torch.cdist(queries[0], keys[0]).square()
    torch.testing.assert_close(log_a, (-0.05 * distance).log_softmax(-1), atol=1e-4, rtol=1e-4)


def test_forward_sum_is_the_sum_over_all_paths():
    """Against every monotonic path (with blanks) counted out."""
    torch.manual_seed(1)
    t, n = 5, 3
    log_a = torch.randn(1, t, n).log_softmax(-1)
    scores = torch.cat([torch.full((1, t, 1), -1.0), log_a], -1).log_softmax(-1)[0]
    total = 0.0
    for labels in itertools.product(range(n + 1), repeat=t):
        collapsed = [label for label, _ in itertools.groupby(labels) if label]
        if collapsed == [1, 2, 3]:
            total += math.exp(sum(scores[frame, label] for frame, label in enumerate(labels)))
    loss = forward_sum_loss(log_a, torch.tensor([n]), torch.tensor([t]))
    assert float(loss) == pytest.approx(-math.log(total) / t, rel=1e-4)


def test_forward_sum_ignores_padding():
    torch.manual_seed(2)
    log_a = torch.randn(1, 9, 4).log_softmax(-1)
    alone = forward_sum_loss(log_a, torch.tensor([4]), torch.tensor([9]))
    padded = torch.full((2, 15, 7), -1e4)
    padded[0, :9, :4] = log_a
    padded[1] = torch.randn(15, 7).log_softmax(-1)
    other = forward_sum_loss(padded[1:], torch.tensor([7]), torch.tensor([15]))
    both = forward_sum_loss(padded, torch.tensor([4, 7]), torch.tensor([9, 15]))
    torch.testing.assert_close(both, (alone + other) / 2, atol=1e-4, rtol=1e-4)


def test_prior_is_largest_on_each_line_s_own_diagonal():
    prior = diagonal_prior(torch.tensor([5, 3]), torch.tensor([20, 10]), 0.12)
    assert prior.shape == (2, 20, 5)
    for line, (n, t) in enumerate(((5, 20), (3, 10))):
        assert prior[line, 0].argmax() == 0
        assert prior[line, t - 1, :n].argmax() == n - 1
    assert prior.max() <= 0
