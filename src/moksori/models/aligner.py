"""ParallelAligner: all of the alignment at once, learnt by summing over monotonic paths.

After "One TTS Alignment To Rule Them All" (arXiv 2108.10447): the distance of each frame to each
phone, and the forward-sum loss, which is CTC over the phones in their order.
"""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from moksori.models.layers import MaskedConv, masked_standard

_TEMPERATURE = 0.05
_BLANK = -1.0  # log weight of CTC's blank, which lets a frame belong to no phone while learning
_NEVER = -1e4
_ELSEWHERE = math.log(1e-3)  # of what all silences of a text have of a frame, at least for each


class ParallelAligner(nn.Module):
    """Queries from the mel, keys from the text encoding; softmax of their distance over the text.

    The mel is brought to zero mean and unit variance by line and bin, so that neither the speaker's
    timbre nor the microphone's changes the alignment.
    """

    def __init__(self, text_dim: int, n_mels: int, dim: int) -> None:
        super().__init__()
        self.key1, self.key2 = MaskedConv(text_dim, 2 * dim, 3), MaskedConv(2 * dim, dim, 1)
        self.query1 = MaskedConv(n_mels, 2 * dim, 5)
        self.query2 = MaskedConv(2 * dim, 2 * dim, 5)
        self.query3 = MaskedConv(2 * dim, dim, 1)

    def forward(
        self,
        encoding: torch.Tensor,
        text_mask: torch.Tensor,
        mel: torch.Tensor,
        mel_mask: torch.Tensor,
        log_prior: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Align.

        Args:
            encoding: H [B, N, C].
            text_mask: [B, N].
            mel: [B, T, n_mels].
            mel_mask: [B, T].
            log_prior: [B, T, N], added to the scores while learning.

        Returns:
            Log of the alignment A, [B, T, N] float32; each frame's weights sum to one over the text.
        """
        key = self.key2(functional.relu(self.key1(encoding, text_mask)), text_mask).float()
        query = functional.relu(self.query1(masked_standard(mel, mel_mask), mel_mask))
        query = functional.relu(self.query2(query, mel_mask))
        query = self.query3(query, mel_mask).float()
        with torch.autocast(mel.device.type, enabled=False):
            # |q - k|² = |q|² - 2qk + |k|²; |q|² is the same for the whole softmax
            scores = _TEMPERATURE * (
                2 * query @ key.transpose(1, 2) - key.square().sum(-1)[:, None]
            )
            if log_prior is not None:
                scores = scores + log_prior
            result: torch.Tensor = scores.masked_fill(~text_mask[:, None], _NEVER).log_softmax(-1)
            return result


def diagonal_prior(
    text_lengths: torch.Tensor, mel_lengths: torch.Tensor, sigma: float
) -> torch.Tensor:
    """Log of a Gaussian along the diagonal, `sigma` text lengths wide: [B, T, N]."""
    n, t = int(text_lengths.max()), int(mel_lengths.max())
    device = text_lengths.device
    text = torch.arange(n, device=device)[None] / (text_lengths[:, None] - 1).clamp(min=1)
    time = torch.arange(t, device=device)[None] / (mel_lengths[:, None] - 1).clamp(min=1)
    return -((time[:, :, None] - text[:, None]) ** 2) / (2 * sigma**2)


def forward_sum_loss(
    log_alignment: torch.Tensor, text_lengths: torch.Tensor, mel_lengths: torch.Tensor
) -> torch.Tensor:
    """Minus the log of the summed weight of all monotonic paths, by frame; scalar.

    Args:
        log_alignment: [B, T, N].
        text_lengths: [B].
        mel_lengths: [B].
    """
    with torch.autocast(log_alignment.device.type, enabled=False):
        scores = functional.pad(log_alignment.float(), (1, 0), value=_BLANK)  # blank first
        log_probs = scores.log_softmax(-1).transpose(0, 1)  # [B, T, N + 1] → [T, B, N + 1]
        targets = torch.arange(1, int(text_lengths.max()) + 1, device=scores.device)
        targets = targets[None].expand(len(text_lengths), -1)
        loss = functional.ctc_loss(
            log_probs, targets, mel_lengths, text_lengths, reduction="none", zero_infinity=True
        )
        return (loss / mel_lengths).mean()


def alike_silences(log_alignment: torch.Tensor, silent: torch.Tensor) -> torch.Tensor:
    """The log alignment of lines, in which a pause may lie at any silence of the text.

    To the ear all silences are alike, but the aligner tells them apart by the text around them. It may find a
    pause at the space of another word, and hold it for unlikely at its own by some twenty nats a frame: then
    the order of the text puts it before a word instead of after it, and the word is lost. So each silence has
    at least a thousandth of what all of them have together; each frame's weights sum to one again.

    Args:
        log_alignment: [B, T, N].
        silent: [B, N], whether a phone is a silence: a space, a mark, the line's begin or end.
    """
    silences = silent[:, None]
    together = log_alignment.masked_fill(~silences, -torch.inf).logsumexp(-1, keepdim=True)
    anywhere = torch.logaddexp(log_alignment, together + _ELSEWHERE)
    return torch.where(silences, anywhere, log_alignment).log_softmax(-1)


@torch.no_grad()
def monotonic_posterior(
    log_alignment: torch.Tensor, text_lengths: torch.Tensor, mel_lengths: torch.Tensor
) -> torch.Tensor:
    """The alignment given that speech goes through the text in order, each phone at least a frame.

    A frame alone cannot tell the third 가 of a line from the first; its place in the order can. This
    is the forward-backward algorithm over the paths that stay or go on by one phone:

        phone n-1 ──╮ go on          alpha[t, n]: all ways from the line's begin to (t, n)
        phone n   ──┴─ stay ── n     beta[t, n]:  all ways from (t, n) to the line's end

    Args:
        log_alignment: [B, T, N], as the aligner gives it.
        text_lengths: [B].
        mel_lengths: [B].

    Returns:
        Weights [B, T, N], each frame's summing to one. A line with more phones than frames has no such
        path and keeps the aligner's own weights.
    """
    b, t, n = log_alignment.shape
    # A step is two small sums: NumPy begins one in a fraction of the time that PyTorch needs.
    scores = log_alignment.float().clamp(min=-30.0).transpose(0, 1).contiguous().cpu().numpy()
    lengths, last = text_lengths.cpu().numpy(), mel_lengths.cpu().numpy() - 1
    never = np.float32(_NEVER * n)

    alpha = np.full((t, b, n + 1), never)  # a column before the first phone, in which nothing is
    alpha[0, :, 1] = 0.0
    alpha[0, :, 1:] += scores[0]
    for frame in range(1, t):
        came, now = alpha[frame - 1], alpha[frame, :, 1:]
        np.logaddexp(came[:, 1:], came[:, :-1], out=now)
        now += scores[frame]
    end = np.full((b, n + 1), never)
    end[np.arange(b), lengths - 1] = 0.0
    beta = np.full((t, b, n + 1), never)  # a column after the last phone
    beta[last, np.arange(b)] = end
    ahead = np.full((b, n + 1), never)
    for frame in range(t - 2, -1, -1):
        np.add(beta[frame + 1, :, :-1], scores[frame + 1], out=ahead[:, :-1])
        np.logaddexp(ahead[:, :-1], ahead[:, 1:], out=beta[frame, :, :-1])
        ends = last == frame
        if ends.any():
            beta[frame, ends] = end[ends]
    both = torch.from_numpy((alpha[:, :, 1:] + beta[:, :, :-1]).swapaxes(0, 1))
    posterior = both.to(log_alignment.device).softmax(-1)
    return torch.where((text_lengths > mel_lengths)[:, None, None], log_alignment.exp(), posterior)
