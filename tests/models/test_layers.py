"""Small parts: what is computed by hand, beside PyTorch's own."""

import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional

from moksori.models.layers import (
    Dropout,
    Pointwise,
    along_time,
    length_mask,
    with_bfloat16_products,
    with_weights,
)


@pytest.mark.parametrize("dilation", [1, 2, 3])
@pytest.mark.parametrize("frames", [*range(1, 9), 40])  # shorter than the kernel too
def test_the_derivative_of_a_depthwise_convolution_is_pytorchs(dilation: int, frames: int) -> None:
    torch.manual_seed(0)
    conv = nn.Conv1d(6, 6, 7, padding=3 * dilation, dilation=dilation, groups=6).double()
    x = torch.randn(3, frames, 6, dtype=torch.double, requires_grad=True)
    toward = torch.randn(3, frames, 6, dtype=torch.double)
    wanted = [x, conv.weight, conv.bias]
    ours = torch.autograd.grad(along_time(conv, x), wanted, toward)
    plain = torch.autograd.grad(conv(x.transpose(1, 2)).transpose(1, 2), wanted, toward)
    for mine, theirs in zip(ours, plain, strict=True):
        torch.testing.assert_close(mine, theirs)


def test_a_depthwise_convolution_under_autocast_is_that_without_gradients() -> None:
    torch.manual_seed(0)
    conv = nn.Conv1d(6, 6, 7, padding=3, groups=6)
    x = torch.randn(3, 40, 6)
    with torch.autocast("cpu", torch.bfloat16):
        learning = along_time(conv, x)
        with torch.no_grad():
            still = along_time(conv, x)
    assert learning.dtype == torch.bfloat16
    torch.testing.assert_close(learning, still)


def test_dropout_keeps_the_mean_and_only_in_training() -> None:
    """Of 0.3: 30% zeros, the rest raised so that the mean stays; each draw another, a seed the same."""
    layer, ones = Dropout(0.3), torch.ones(500, 333)
    torch.manual_seed(3)
    first, second = layer(ones), layer(ones)
    torch.manual_seed(3)
    assert torch.equal(layer(ones), first)
    assert not torch.equal(first, second)
    assert float((first == 0).float().mean()) == pytest.approx(0.3, abs=0.01)
    assert float(first.mean()) == pytest.approx(1, abs=0.01)
    assert len(first.unique()) == 2
    columns = (first == 0).float().mean(0)  # no place is favoured
    assert float(columns.std()) == pytest.approx((0.3 * 0.7 / 500) ** 0.5, rel=0.2)
    assert torch.equal(layer.eval()(ones), ones)


def test_dropout_of_whole_channels_draws_once_a_line() -> None:
    torch.manual_seed(0)
    dropped = Dropout(0.15, whole_channels=True)(torch.ones(40, 25, 288))
    assert (dropped == dropped[:, :1]).all()
    assert float((dropped == 0).float().mean()) == pytest.approx(0.15, abs=0.01)
    assert float(dropped.mean()) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("learning", [False, True])
def test_dropout_leaves_the_padding_empty(learning: bool) -> None:
    dropout = Dropout(0.5).train(learning)
    x, mask = torch.ones(2, 9, 8), length_mask(torch.tensor([9, 4]))
    made = dropout(x, mask)
    assert not made[1, 4:].any()
    assert made[0].any() and made[1, :4].any()


@pytest.mark.parametrize("frames", [1, 63, 64, 130])
def test_products_in_bfloat16_are_those_of_rounded_factors(frames):
    """Of as many frames as there are; the module that they are copied from stays as it is."""
    torch.manual_seed(0)
    block = nn.Sequential(Pointwise(12, 20), nn.LayerNorm(20))
    exact = {name: weight.clone() for name, weight in block.named_parameters()}
    quick, x = with_bfloat16_products(block), torch.randn(2, frames, 12)
    with torch.inference_mode():
        made = quick[0](x)
    factors = [tensor.bfloat16().float() for tensor in (x, exact["0.weight"], exact["0.bias"])]
    torch.testing.assert_close(made.float(), functional.linear(*factors), atol=0.02, rtol=0.01)
    assert made.shape == (2, frames, 20) and made.dtype == torch.bfloat16
    assert quick[1].weight is block[1].weight
    for own in ("0.bias", "0.weight"):  # as an enrolled voice's, in float32
        with torch.inference_mode():
            given = {own: exact[own] + 1}
            told = functional_call(
                quick[0], {name[2:]: weight for name, weight in given.items()}, x
            )
        wanted = functional.linear(x, *((exact | given)[name] for name in ("0.weight", "0.bias")))
        torch.testing.assert_close(told.float(), wanted, atol=0.1, rtol=0.02)
    for name, weight in block.named_parameters():
        assert torch.equal(weight, exact[name]) and weight.dtype == torch.float32


def test_a_module_with_other_weights_shares_all_else_and_leaves_it_alone():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 3), nn.Sequential(nn.Linear(3, 3), nn.ReLU())).eval()
    before, x = {name: w.clone() for name, w in module.named_parameters()}, torch.randn(2, 3)
    other = {"1.0.weight": torch.randn(3, 3), "1.0.bias": torch.zeros(3)}
    made = with_weights(module, other)
    torch.testing.assert_close(made(x), functional_call(module, other, (x,)))
    assert made[0] is module[0] and not made[1][0].weight.requires_grad
    for name, weight in module.named_parameters():
        assert torch.equal(weight, before[name])
    assert torch.equal(with_weights(module, {})(x), module(x))
