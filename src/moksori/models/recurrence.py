"""Building blocks of a loop over steps whose backward pass is cheap.

Autograd would compute each weight's gradient anew in every step and add it to the last; the sum over many
steps is one product. So a `StepLinear` gives a step the gradient of its input only, and collects the rest.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable

State = tuple[torch.Tensor, torch.Tensor]  # hidden and cell, [B, D] each
_ROWS = 256  # that make a product worth its call, and still lie in the cache


class StepLinear:
    """x · Wᵀ for every step of one pass through a loop; W's gradient is summed over many steps at once.

    Args:
        weight: W [out, in].
    """

    def __init__(self, weight: torch.Tensor) -> None:
        self.gradient = _Gradient()
        self.weight: torch.Tensor = _Collect.apply(weight, self.gradient)  # type: ignore[no-untyped-call]  # torch leaves it untyped

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """[..., in] → [..., out]."""
        result: torch.Tensor = _Apply.apply(x, self.weight, self.gradient)  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return result


class _Gradient:
    """Of a weight [out, in]: the sum over steps of output gradientᵀ · input."""

    def __init__(self) -> None:
        self.total: torch.Tensor | None = None
        self.inputs: list[torch.Tensor] = []
        self.grads: list[torch.Tensor] = []
        self.rows = 0

    def add(self, x: torch.Tensor, grad: torch.Tensor) -> None:
        self.inputs.append(x.reshape(-1, x.shape[-1]))
        self.grads.append(grad.reshape(-1, grad.shape[-1]))
        self.rows += len(self.grads[-1])
        if self.rows >= _ROWS:
            self.sum()

    def sum(self) -> None:
        if self.rows:
            one = len(self.grads) == 1
            grads = self.grads[0] if one else torch.cat(self.grads)
            inputs = self.inputs[0] if one else torch.cat(self.inputs)
            if self.total is None:
                self.total = grads.T @ inputs
            else:
                self.total.addmm_(grads.T, inputs)
            self.inputs, self.grads, self.rows = [], [], 0

    def take(self) -> torch.Tensor | None:
        """The whole sum; the next backward pass begins anew."""
        self.sum()
        total, self.total = self.total, None
        return total


class _Collect(torch.autograd.Function):
    """The weight itself; its backward comes after that of all the steps."""

    @staticmethod
    def forward(ctx: Any, weight: torch.Tensor, gradient: _Gradient) -> torch.Tensor:
        ctx.gradient = gradient
        ctx.set_materialize_grads(False)
        return weight.view_as(weight)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, _: None) -> tuple[torch.Tensor | None, None]:
        return ctx.gradient.take(), None


class _Apply(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weight: torch.Tensor, gradient: _Gradient
    ) -> torch.Tensor:
        ctx.save_for_backward(x, weight)
        ctx.gradient = gradient
        return x @ weight.T

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        x, weight = ctx.saved_tensors
        ctx.gradient.add(x, grad)
        return grad @ weight, None, None


class _Cell(torch.autograd.Function):
    """The LSTM's gates in the order i, f, g, o, and zoneout, with their derivative by hand."""

    @staticmethod
    def forward(
        ctx: Any,
        gates: torch.Tensor,
        hidden: torch.Tensor,
        cell: torch.Tensor,
        stay: torch.Tensor,
    ) -> State:
        i, f, g, o = gates.chunk(4, -1)
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        new_cell = torch.addcmul(f * cell, i, g)
        out = new_cell.tanh()
        ctx.save_for_backward(i, f, g, o, cell, out, stay)
        return torch.lerp(o * out, hidden, stay[0]), torch.lerp(new_cell, cell, stay[1])

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, grad_hidden: torch.Tensor, grad_cell: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, None]:
        i, f, g, o, cell, out, stay = ctx.saved_tensors
        old_hidden, old_cell = grad_hidden * stay[0], grad_cell * stay[1]
        grad_hidden = grad_hidden - old_hidden
        grad = torch.addcmul(grad_cell - old_cell, grad_hidden * o, 1 - out * out)
        ones = torch.ones_like(g)
        slope = torch.cat([i, f, ones, o], -1) * torch.cat([1 - i, 1 - f, 1 - g * g, 1 - o], -1)
        grads = torch.cat([grad * g, grad * cell, grad * i, grad_hidden * out], -1)
        return grads * slope, old_hidden, torch.addcmul(old_cell, grad, f), None


class ZoneoutLSTM(nn.Module):
    """An LSTM whose state sometimes stays as it was (arXiv 1606.01305).

    Args:
        dim_in: channels of what is known of all steps before the first.
        dim: of hidden and cell.
        zoneout: probability that a number of the state stays; in evaluation the mean of both is taken.
    """

    def __init__(self, dim_in: int, dim: int, zoneout: float) -> None:
        super().__init__()
        self.dim, self.zoneout = dim, zoneout
        self.inputs, self.states = nn.Linear(dim_in, 4 * dim), nn.Linear(dim, 4 * dim, bias=False)

    def begin(self, steps: int, like: torch.Tensor) -> tuple[State, Iterable[torch.Tensor]]:
        """The first state for the B lines of `like` [B, …], and how much of it stays at each step."""
        zero = like.new_zeros(len(like), self.dim)
        stay = like.new_empty(steps, 2, *zero.shape)
        return (zero, zero), (
            stay.bernoulli_(self.zoneout) if self.training else stay.fill_(self.zoneout)
        )

    def step(self, gates: torch.Tensor, state: State, stay: torch.Tensor) -> State:
        """The next state from `gates` [B, 4 · dim], the last state, and what stays of it [2, B, dim]."""
        following: State = _Cell.apply(gates, *state, stay)  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return following

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[T, B, dim_in] → [T, B, dim]."""
        gates, states = self.inputs(x), StepLinear(self.states.weight)
        state, stays = self.begin(len(x), gates[0])
        out = []
        for gate, stay in zip(gates, stays, strict=True):
            state = self.step(gate + states(state[0]), state, stay)
            out.append(state[0])
        return torch.stack(out)
