"""Small parts that several models share."""

import copy
import math
from collections.abc import Mapping
from typing import TypeVar

import torch
from torch import nn
from torch.nn import functional

AnyModule = TypeVar("AnyModule", bound=nn.Module)
_FRAMES = 64  # a product in bfloat16 has a multiple of so many


def length_mask(lengths: torch.Tensor, size: int | None = None) -> torch.Tensor:
    """Mask [B, size], True for the first `lengths[b]` places of row b."""
    size = int(lengths.max()) if size is None else size
    return torch.arange(size, device=lengths.device)[None] < lengths[:, None]


def nearest_voiced(voiced: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Of each frame of `voiced` [B, T] the last voiced one until it, and the first from it.

    [B, T] each; -1 and T where there is none.
    """
    frames = voiced.shape[1]
    place = torch.arange(frames, device=voiced.device)
    if torch.compiler.is_exporting():  # ONNX has no running maximum
        earlier = voiced[:, None] & (place[None] <= place[:, None])  # [B, T, T]
        later = voiced[:, None] & (place[None] >= place[:, None])
        return torch.where(earlier, place, -1).amax(2), torch.where(later, place, frames).amin(2)
    before = torch.where(voiced, place, -1).cummax(1).values
    after = torch.where(voiced, place, frames).flip(1).cummin(1).values.flip(1)
    return before, after


class Dropout(nn.Module):
    """Dropout in training, as `nn.Dropout`; a chance is drawn from a byte and not from a word.

    A CPU draws one at a time, which took a tenth of a training step. The share is rounded to 1/256.

    Args:
        p: the share that is dropped.
        whole_channels: of [B, T, C] whole channels of a line, not single numbers.
    """

    def __init__(self, p: float, whole_channels: bool = False) -> None:
        super().__init__()
        self.dropped, self.whole_channels = round(256 * p), whole_channels

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Any shape; with `mask` [B, T] of x [B, T, C], zero in the padding too."""
        if not self.training or self.dropped == 0:
            return x if mask is None else x * mask[..., None].to(x.dtype)
        shape = (len(x), 1, x.shape[-1]) if self.whole_channels else x.shape
        size = math.prod(shape)
        words = torch.empty(-(-size // 8), dtype=torch.int64, device=x.device)
        drawn = words.random_(-(2**63), None).view(torch.uint8)[:size].view(shape)
        weights = (drawn >= self.dropped).to(x.dtype)
        scale = 256 / (256 - self.dropped)
        return x * weights.mul_(scale if mask is None else scale * mask[..., None].to(x.dtype))


def masked_mean(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean over dimension 1 of `values` [B, T, C], of the places in `mask` [B, T] only: [B, 1, C]."""
    weights = mask[..., None].to(values.dtype)
    return (values * weights).sum(1, keepdim=True) / weights.sum(1, keepdim=True).clamp(min=1)


def masked_standard(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """`values` [B, T, C] at zero mean and unit variance over the unpadded T; zero in the padding."""
    centred = values - masked_mean(values, mask)
    variance = masked_mean(centred.square(), mask)
    return centred * (variance + 1e-5).rsqrt() * mask[..., None]


def along_time(conv: nn.Conv1d, x: torch.Tensor) -> torch.Tensor:
    """A convolution over dimension 1 of [B, T, C].

    A depthwise one in the layout that x has: twice as fast as by transposing to [B, C, T] and back.
    """
    if conv.groups == 1:
        dense: torch.Tensor = conv(x.transpose(1, 2))
        return dense.transpose(1, 2)
    weight, bias = conv.weight, conv.bias
    if not (torch.is_grad_enabled() and x.device.type == "cpu"):
        return _depthwise(x, weight, bias, conv.dilation[0])
    assert bias is not None  # of ours none is without
    if torch.is_autocast_enabled("cpu"):
        dtype = torch.get_autocast_dtype("cpu")
        x, weight, bias = x.to(dtype), weight.to(dtype), bias.to(dtype)
    made: torch.Tensor = _Depthwise.apply(x, weight, bias, conv.dilation[0])  # type: ignore[no-untyped-call]
    return made


def _depthwise(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, dilation: int
) -> torch.Tensor:
    """[B, T, C], weight [C, 1, K] of an odd K → [B, T, C]."""
    made = functional.conv2d(
        x.transpose(1, 2)[:, :, None], weight[:, :, None], bias,
        padding=(0, dilation * (weight.shape[-1] // 2)), dilation=(1, dilation), groups=len(weight),
    )  # fmt: skip
    return made[:, :, 0].transpose(1, 2)


class _Depthwise(torch.autograd.Function):
    """`_depthwise`, with its derivative by hand: oneDNN's took a quarter of a training step on a CPU."""

    @staticmethod
    def forward(ctx, x, weight, bias, dilation):  # type: ignore[no-untyped-def]
        ctx.save_for_backward(x, weight)
        ctx.dilation = dilation
        return _depthwise(x, weight, bias, dilation)

    @staticmethod
    def backward(ctx, grad):  # type: ignore[no-untyped-def]
        x, weight = ctx.saved_tensors
        size, taps = x.shape[1], weight.shape[-1]
        of_weight = []
        for tap in range(taps):
            moved = ctx.dilation * (tap - taps // 2)
            seen = x[:, max(0, moved) : max(0, size + moved)]
            made = grad[:, max(0, -moved) : max(0, size - moved)]
            of_weight.append((seen * made).sum((0, 1)))
        of_x = _depthwise(grad, weight.flip(-1), None, ctx.dilation)
        return of_x, torch.stack(of_weight, -1)[:, None], grad.sum((0, 1)), None


class Pointwise(nn.Linear):
    """One of the two products within a block that widens its channels and narrows them again.

    Nearly all of a decoder's and a vocoder's multiplications. What it gives is added to the block's input, so
    that rounded factors hardly change it; see `with_bfloat16_products`.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, T, C] of any precision → [B, T, C'] in that of the weights."""
        dtype, frames = self.weight.dtype, x.shape[1]
        x, bias = x.to(dtype), self.bias.to(dtype)  # an enrolled voice has a float32 one of its own
        if dtype == torch.bfloat16:
            # oneDNN compiles a product for each T, and keeps it: hardly two lines are equally long.
            x = functional.pad(x, (0, 0, 0, -frames % _FRAMES))
        return functional.linear(x, self.weight, bias)[:, :frames]


def with_bfloat16_products(module: AnyModule) -> AnyModule:
    """A copy of a module for inference whose `Pointwise` layers multiply in bfloat16.

    All other weights are shared with it. What changes in a converted wave lies some 57 dB below it
    (docs/figures.md); for processors that multiply faster so.
    """
    kept = {id(tensor): tensor for tensor in (*module.parameters(), *module.buffers())}
    made = copy.deepcopy(module, kept)
    for layer in made.modules():
        if isinstance(layer, Pointwise):
            for name, weight in [*layer.named_parameters()]:
                setattr(layer, name, nn.Parameter(weight.detach().bfloat16(), requires_grad=False))
    return made


def with_weights(module: AnyModule, weights: Mapping[str, torch.Tensor]) -> AnyModule:
    """A module for inference with other weights, by their names, in the place of some of its own.

    It shares all else with `module`, which is left as it is: other threads may be using it.
    """
    made = _alike(module)
    copied: set[nn.Module] = {made}
    for name, weight in weights.items():
        *way, own = name.split(".")
        layer: nn.Module = made
        for step in way:
            inner = getattr(layer, step)
            if inner not in copied:
                inner = _alike(inner)
                copied.add(inner)
                setattr(layer, step, inner)
            layer = inner
        setattr(layer, own, nn.Parameter(weight, requires_grad=False))
    return made


def _alike(module: AnyModule) -> AnyModule:
    """A module with the same layers and weights, of which others can be put in their places."""
    made = copy.copy(module)
    for held in ("_modules", "_parameters"):
        made.__dict__[held] = dict(module.__dict__[held])
    return made


class MaskedBatchNorm(nn.Module):
    """Batch norm over the unpadded places of [B, T, C] only; zero in the padding."""

    def __init__(self, dim: int, affine: bool = True) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(dim, affine=affine)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """[B, T, C], mask [B, T] → [B, T, C]."""
        out = torch.zeros_like(x)
        out[mask] = self.norm(x[mask]).to(x.dtype)
        return out


class MaskedConv(nn.Module):
    """A convolution over dimension 1 of [B, T, C] whose output is zero in the padding.

    What lies in the padding never reaches the content, so that a line alone and the same line in a
    batch give the same output.
    """

    def __init__(
        self, dim_in: int, dim_out: int, kernel: int, groups: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv1d(
            dim_in, dim_out, kernel, padding=dilation * (kernel // 2),
            groups=groups, dilation=dilation,
        )  # fmt: skip

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """[B, T, dim_in], mask [B, T] → [B, T, dim_out]."""
        made = along_time(self.conv, x)
        return made * mask[..., None].to(made.dtype)
