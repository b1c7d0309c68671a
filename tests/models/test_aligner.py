import itertools
import math

import pytest
import torch

from moksori.models.aligner import (
    ParallelAligner,
    alike_silences,
    diagonal_prior,
    forward_sum_loss,
    monotonic_posterior,
)  # fmt: skip
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


def posterior_by_counting(log_a: torch.Tensor) -> torch.Tensor:
    """Of one line [T, N]: every monotonic path, each frame's phones weighted by the paths' weight."""
    t, n = log_a.shape
    total = torch.zeros(t, n)
    for cuts in itertools.combinations(range(1, t), n - 1):
        path = torch.repeat_interleave(torch.arange(n), torch.tensor([0, *cuts, t]).diff())
        weight = log_a[torch.arange(t), path].sum().exp()
        total[torch.arange(t), path] += weight
    return total / total.sum(1, keepdim=True)


def test_posterior_is_the_sum_over_all_orderly_paths():
    torch.manual_seed(4)
    shapes = [(8, 4), (5, 3), (6, 6)]
    log_a = torch.full((3, 8, 6), -1e4)
    for line, (t, n) in enumerate(shapes):
        log_a[line, :t, :n] = torch.randn(t, n).mul(2).log_softmax(-1)
    lengths = torch.tensor(shapes)
    posterior = monotonic_posterior(log_a, lengths[:, 1], lengths[:, 0])
    for line, (t, n) in enumerate(shapes):
        expected = posterior_by_counting(log_a[line, :t, :n])
        torch.testing.assert_close(posterior[line, :t, :n], expected, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(posterior[0].sum(-1), torch.ones(8))


def test_posterior_tells_equal_phones_apart_by_their_order():
    """A b a: each frame by itself cannot know which a it is."""
    free = torch.tensor([[0.5, 0, 0.5]] * 3 + [[0, 1, 0]] * 3 + [[0.5, 0, 0.5]] * 3).clamp(min=1e-6)
    posterior = monotonic_posterior(free.log()[None], torch.tensor([3]), torch.tensor([9]))[0]
    assert posterior.argmax(-1).tolist() == [0] * 3 + [1] * 3 + [2] * 3
    assert posterior.max(-1).values.min() > 0.99


def test_a_pause_lies_where_the_words_leave_it_not_where_its_silence_is_likeliest():
    """Three words with spaces between; the pause after the second is found at the first space."""
    silent = torch.tensor([[False, True, False, True, False, True]])
    heard = [0] * 5 + [1] + [2] * 4 + [1] * 9 + [4] * 5 + [5] * 2
    log_a = torch.full((1, len(heard), 6), -18.0)
    log_a[0, torch.arange(len(heard)), torch.tensor(heard)] = 0.0
    log_a[0, 10:19, 3] = -25.0  # of its own space the pause is even less likely than of others
    lengths = torch.tensor([6]), torch.tensor([len(heard)])
    lost = monotonic_posterior(log_a, *lengths)[0].argmax(-1).tolist()
    assert lost[6:10] == [1] * 4 and lost.count(2) == 1  # the second word is put behind the pause
    alike = alike_silences(log_a, silent)
    torch.testing.assert_close(alike.exp().sum(-1), torch.ones(1, len(heard)))
    found = monotonic_posterior(alike, *lengths)[0].argmax(-1).tolist()
    assert found == [0] * 5 + [1] + [2] * 4 + [3] * 9 + [4] * 5 + [5] * 2


def test_what_is_no_silence_is_left_and_a_text_without_any_too():
    torch.manual_seed(0)
    log_a = torch.randn(2, 7, 5).log_softmax(-1)
    torch.testing.assert_close(alike_silences(log_a, torch.zeros(2, 5, dtype=torch.bool)), log_a)
    one = torch.tensor([[True, False, False, False, False]] * 2)
    alike = alike_silences(log_a, one)
    torch.testing.assert_close(alike, log_a, atol=1.1e-3, rtol=0)


def test_a_line_with_more_phones_than_frames_keeps_the_aligner_s_weights():
    log_a = torch.randn(1, 3, 5).log_softmax(-1)
    posterior = monotonic_posterior(log_a, torch.tensor([5]), torch.tensor([3]))
    torch.testing.assert_close(posterior, log_a.exp())


def test_posterior_of_a_long_line_is_finite():
    log_a = torch.full((1, 3000, 400), -40.0)
    posterior = monotonic_posterior(log_a, torch.tensor([400]), torch.tensor([3000]))
    torch.testing.assert_close(posterior.sum(-1), torch.ones(1, 3000))
    assert posterior[0, 0, 0] > 0.99
    assert posterior[0, -1, -1] > 0.99
