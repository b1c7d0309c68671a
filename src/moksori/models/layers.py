"""Small parts that several models share."""

import torch
from torch import nn
from torch.nn import functional


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
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = round(256 * p) / 256

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Any shape."""
        if not self.training or self.p == 0:
            return x
        words = torch.empty(-(-x.numel() // 8), dtype=torch.int64, device=x.device)
        drawn = words.random_(-(2**63), None).view(torch.uint8)[: x.numel()].view(x.shape)
        return x * ((drawn >= 256 * self.p).to(x.dtype) / (1 - self.p))


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
    channels_first = x.transpose(1, 2)
    if conv.groups == 1:
        dense: torch.Tensor = conv(channels_first)
        return dense.transpose(1, 2)
    made = functional.conv2d(
        channels_first[:, :, None], conv.weight[:, :, None], conv.bias,
        padding=(0, int(conv.padding[0])), dilation=(1, conv.dilation[0]), groups=conv.groups,
    )  # fmt: skip
    return made[:, :, 0].transpose(1, 2)


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
        return along_time(self.conv, x) * mask[..., None].to(x.dtype)
