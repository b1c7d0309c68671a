"""Where in the text the decoder is: two attentions behind one interface.

keys(memory)                       once a line
start(mask)                        → state
forward(query, keys, mask, state)  → weights [B, N], the next state
"""

import math
from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

_NEVER = -1e4


class AttentionState(NamedTuple):
    """What an attention remembers from step to step."""

    weights: torch.Tensor  # [B, N] of the last step
    total: torch.Tensor  # [B, N] of all steps


class Attention(nn.Module, ABC):
    """What the two have in common."""

    @abstractmethod
    def keys(self, memory: torch.Tensor) -> torch.Tensor:
        """What does not depend on the step: [B, N, A] of the memory [B, N, M]."""

    def start(self, mask: torch.Tensor) -> AttentionState:
        """The state before the first step: all weight on the first phone."""
        first = torch.zeros_like(mask, dtype=torch.float32)
        first[:, 0] = 1
        return AttentionState(first, torch.zeros_like(first))

    @abstractmethod
    def energies(
        self, query: torch.Tensor, keys: torch.Tensor, state: AttentionState
    ) -> torch.Tensor:
        """Scores [B, N] before the softmax."""

    def forward(
        self, query: torch.Tensor, keys: torch.Tensor, mask: torch.Tensor, state: AttentionState
    ) -> tuple[torch.Tensor, AttentionState]:
        """One step.

        Args:
            query: [B, Q] of the attention LSTM.
            keys: as `keys` gave them.
            mask: [B, N] of the text.
            state: of the last step.

        Returns:
            Weights [B, N] that sum to one over the unpadded text, and the next state.
        """
        energies = self.energies(query, keys, state).float()
        weights = energies.masked_fill(~mask, _NEVER).softmax(-1)
        return weights, AttentionState(weights, state.total + weights)


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

    def keys(self, memory: torch.Tensor) -> torch.Tensor:
        return self.memory(memory)

    def energies(
        self, query: torch.Tensor, keys: torch.Tensor, state: AttentionState
    ) -> torch.Tensor:
        location = self.location(torch.stack([state.weights, state.total], 1)).transpose(1, 2)
        return self.score(torch.tanh(self.query(query)[:, None] + keys + self.place(location)))[
            ..., 0
        ]


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

    def keys(self, memory: torch.Tensor) -> torch.Tensor:
        return memory[:, :, :0]  # the text itself does not matter to it

    def energies(
        self, query: torch.Tensor, keys: torch.Tensor, state: AttentionState
    ) -> torch.Tensor:
        last = state.weights[:, None]  # [B, 1, N]
        b = len(last)
        filters = self.filters2(torch.tanh(self.filters1(query)))
        windows = functional.pad(last[:, 0], (self.kernel // 2,) * 2).unfold(1, self.kernel, 1)
        dynamic = windows @ filters.view(b, self.channels, self.kernel).transpose(1, 2)
        features = torch.cat(
            [self.static(last).transpose(1, 2), dynamic], -1
        )  # [B, N, 2 · channels]
        moved = functional.pad(last, (len(self.prior) - 1, 0))
        prior = functional.conv1d(moved, self.prior[None, None].to(last.dtype))[:, 0]
        score = self.score(torch.tanh(self.mix(features)))[..., 0]
        return score + prior.clamp(min=1e-6).log()


def beta_binomial(length: int, alpha: float, beta: float) -> torch.Tensor:
    """Probabilities [length] of 0, 1, … length - 1 successes in length - 1 trials."""
    n = length - 1

    def log_beta(a: float, b: float) -> float:
        return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)

    return torch.tensor([
        math.comb(n, k) * math.exp(log_beta(k + alpha, n - k + beta) - log_beta(alpha, beta))
        for k in range(length)
    ])  # fmt: skip
