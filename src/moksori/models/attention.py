"""Where in the text the decoder is: two attentions behind one interface.

attend = attention.begin(memory, mask)    once for a batch of lines: all that no step changes
weights = attend(query)                   each step: [B, N], and it remembers them
"""

import math
from abc import ABC, abstractmethod

import torch
from torch import nn
from torch.nn import functional

from moksori.models.recurrence import StepLinear

_NEVER = -1e4


class Attending(ABC):
    """One pass of an attention over a batch of lines; it begins with all weight on the first phone.

    Args:
        mask: [B, N] of the text.
    """

    def __init__(self, mask: torch.Tensor) -> None:
        self.padding = torch.zeros_like(mask, dtype=torch.float32).masked_fill_(~mask, _NEVER)
        self.weights = torch.zeros_like(self.padding)  # of the last step
        self.weights[:, 0] = 1
        self.total = torch.zeros_like(self.padding)  # of all steps

    @abstractmethod
    def energies(self, query: torch.Tensor) -> torch.Tensor:
        """Scores [B, N] before the softmax."""

    def __call__(self, query: torch.Tensor) -> torch.Tensor:
        """One step.

        Args:
            query: [B, Q] of the attention LSTM.

        Returns:
            Weights [B, N] that sum to one over the unpadded text.
        """
        self.weights = (self.energies(query) + self.padding).softmax(-1)
        self.total = self.total + self.weights
        return self.weights


class Attention(nn.Module, ABC):
    """What the two have in common."""

    @abstractmethod
    def begin(self, memory: torch.Tensor, mask: torch.Tensor) -> Attending:
        """A pass over lines whose texts are encoded in `memory` [B, N, M], unpadded in `mask` [B, N]."""


class LocationSensitiveAttention(Attention):
    """Additive attention that sees the last step's weights and their sum (arXiv 1506.07503)."""

    def __init__(
        self, query_dim: int, memory_dim: int, dim: int, filters: int = 32, kernel: int = 31
    ) -> None:
        super().__init__()
        self.query = nn.Linear(query_dim, dim, bias=False)
        self.memory = nn.Linear(memory_dim, dim, bias=False)
        self.location = nn.Conv1d(2, filters, kernel, padding=kernel // 2, bias=False)
        self.place = nn.Linear(filters, dim)
        self.score = nn.Linear(dim, 1, bias=False)

    def begin(self, memory: torch.Tensor, mask: torch.Tensor) -> Attending:
        return _AttendingToPlaceAndText(self, memory, mask)


class _AttendingToPlaceAndText(Attending):
    def __init__(
        self, attention: LocationSensitiveAttention, memory: torch.Tensor, mask: torch.Tensor
    ) -> None:
        super().__init__(mask)
        self.keys = attention.memory(memory) + attention.place.bias
        self.query, self.score = (
            StepLinear(attention.query.weight),
            StepLinear(attention.score.weight),
        )
        # Convolution and projection are one linear map of the window around a phone.
        filters = attention.location.weight  # [filters, 2, kernel]
        self.kernel = filters.shape[-1]
        self.place = StepLinear(attention.place.weight @ filters.flatten(1))

    def energies(self, query: torch.Tensor) -> torch.Tensor:
        seen = torch.stack([self.weights, self.total], 1)
        windows = functional.pad(seen, (self.kernel // 2,) * 2).unfold(2, self.kernel, 1)
        place = self.place(windows.transpose(1, 2).flatten(2))
        return self.score(torch.tanh(self.query(query)[:, None] + self.keys + place))[..., 0]


class DynamicConvolutionAttention(Attention):
    """Attention by place alone, moved on by static and dynamic filters (arXiv 1910.10288).

    A causal beta-binomial filter over the last weights is its prior: how far it is likely to move in a
    step. Its `beta` above 0.9 makes that slower, which suits Korean's longer sounds.
    """

    prior: torch.Tensor

    def __init__(
        self, query_dim: int, dim: int, channels: int = 8, kernel: int = 21,
        prior_length: int = 11, alpha: float = 0.1, beta: float = 0.9,
    ) -> None:  # fmt: skip
        super().__init__()
        self.channels, self.kernel = channels, kernel
        self.static = nn.Conv1d(1, channels, kernel, padding=kernel // 2, bias=False)
        self.filters1 = nn.Linear(query_dim, dim)
        self.filters2 = nn.Linear(dim, channels * kernel, bias=False)
        self.mix = nn.Linear(2 * channels, dim)
        self.score = nn.Linear(dim, 1, bias=False)
        self.register_buffer("prior", beta_binomial(prior_length, alpha, beta).flip(0))

    def begin(self, memory: torch.Tensor, mask: torch.Tensor) -> Attending:
        return _AttendingToPlace(self, mask)


class _AttendingToPlace(Attending):
    def __init__(self, attention: DynamicConvolutionAttention, mask: torch.Tensor) -> None:
        super().__init__(mask)
        self.attention = attention
        self.filters1 = StepLinear(attention.filters1.weight)
        self.filters2 = StepLinear(attention.filters2.weight)
        static, dynamic = attention.mix.weight.chunk(2, 1)  # [dim, channels] each
        self.static = (static @ attention.static.weight[:, 0]).T  # [kernel, dim]
        self.dynamic, self.score = StepLinear(dynamic), StepLinear(attention.score.weight)

    def energies(self, query: torch.Tensor) -> torch.Tensor:
        a, half = self.attention, self.attention.kernel // 2
        filters = self.filters2(torch.tanh(self.filters1(query) + a.filters1.bias))
        filters = filters.view(-1, a.channels, a.kernel).transpose(1, 2)
        # Both convolutions and the projection after them are one linear map of the window around a phone.
        windows = functional.pad(self.weights, (half, half)).unfold(1, a.kernel, 1).contiguous()
        mixed = windows @ (self.dynamic(filters) + self.static) + a.mix.bias
        prior = windows[..., half + 1 - len(a.prior) : half + 1] @ a.prior
        return self.score(torch.tanh(mixed))[..., 0] + prior.clamp(min=1e-6).log()


def beta_binomial(length: int, alpha: float, beta: float) -> torch.Tensor:
    """Probabilities [length] of 0, 1, … length - 1 successes in length - 1 trials."""
    n = length - 1

    def log_beta(a: float, b: float) -> float:
        return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)

    return torch.tensor([
        math.comb(n, k) * math.exp(log_beta(k + alpha, n - k + beta) - log_beta(alpha, beta))
        for k in range(length)
    ])  # fmt: skip
