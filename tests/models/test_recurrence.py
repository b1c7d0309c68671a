import torch
from torch import nn

from moksori.models.recurrence import StepLinear, ZoneoutLSTM


def test_without_zoneout_it_is_torch_s_lstm():
    """In what it gives and in every gradient."""
    torch.manual_seed(0)
    ours, theirs = ZoneoutLSTM(5, 7, 0.0), nn.LSTM(5, 7)
    with torch.no_grad():
        ours.inputs.weight.copy_(theirs.weight_ih_l0)
        ours.inputs.bias.copy_(theirs.bias_ih_l0 + theirs.bias_hh_l0)
        ours.states.weight.copy_(theirs.weight_hh_l0)
    x, scale = torch.randn(11, 3, 5, requires_grad=True), torch.randn(11, 3, 7)
    torch.testing.assert_close(ours(x), theirs(x)[0])
    ours_grads = torch.autograd.grad(
        (ours(x) * scale).sum(), (x, ours.inputs.weight, ours.inputs.bias, ours.states.weight)
    )
    theirs_grads = torch.autograd.grad(
        (theirs(x)[0] * scale).sum(),
        (x, theirs.weight_ih_l0, theirs.bias_ih_l0, theirs.weight_hh_l0),
    )
    for ours_grad, theirs_grad in zip(ours_grads, theirs_grads, strict=True):
        torch.testing.assert_close(ours_grad, theirs_grad)


def test_zoneout_keeps_that_share_of_the_state():
    torch.manual_seed(0)
    lstm = ZoneoutLSTM(4, 2000, 0.3)
    old = (torch.randn(1, 2000), torch.randn(1, 2000))
    _, stays = lstm.begin(1, torch.empty(1, 4))
    new = lstm.step(torch.randn(1, 8000), old, stays[0])
    for before, after in zip(old, new, strict=True):
        assert abs((after == before).float().mean() - 0.3) < 0.04
    _, stays = lstm.eval().begin(1, torch.empty(1, 4))
    assert (stays == 0.3).all()  # the mean


def test_the_derivative_of_a_step_is_right():
    """Against finite differences, with some of the state staying."""
    torch.manual_seed(0)
    lstm = ZoneoutLSTM(2, 3, 0.4).double()
    _, stays = lstm.begin(1, torch.empty(2, 4, dtype=torch.double))
    gates, hidden, cell = (
        torch.randn(2, n, dtype=torch.double, requires_grad=True) for n in (12, 3, 3)
    )
    assert torch.autograd.gradcheck(
        lambda *x: lstm.step(x[0], (x[1], x[2]), stays[0]), (gates, hidden, cell)
    )


def test_a_step_s_linear_map_has_the_gradients_of_any_other():
    """Through more rows than are summed at once, and through dependent steps."""
    torch.manual_seed(0)
    weight = torch.randn(6, 6, dtype=torch.double, requires_grad=True)
    start = torch.randn(50, 6, dtype=torch.double, requires_grad=True)

    def loop(apply):
        x = start
        for _ in range(14):
            x = torch.tanh(apply(x))
        return torch.autograd.grad(x.square().sum(), (weight, start))

    for ours, theirs in zip(loop(StepLinear(weight)), loop(lambda x: x @ weight.T), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_a_second_backward_pass_gives_the_same():
    weight, x = torch.randn(3, 3, requires_grad=True), torch.randn(5, 3)
    linear = StepLinear(weight)
    total = torch.tanh(linear(torch.tanh(linear(x)))).sum()
    first = torch.autograd.grad(total, weight, retain_graph=True)[0]
    torch.testing.assert_close(torch.autograd.grad(total, weight)[0], first)
