"""Tacotron 2's decoder, teacher-forced, whose attention weights are Cotatron's alignment.

    mel, one step late ── prenet ──┐
                          attention LSTM ── attention ── context = A · memory
                             │   ╰────────────╯ (the context goes into the next step)
                          decoder LSTM ── projection ── mel ── post-net ── mel

After Tacotron 2 (arXiv 1712.05884) and Cotatron (arXiv 2005.03295, section 3.1). Under teacher forcing only
the attention LSTM and the attention depend on the step before; what can be done for all steps at once is
done before or after the loop.
"""

import itertools
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from moksori.models.attention import Attention
from moksori.models.layers import MaskedConv
from moksori.models.recurrence import StepLinear, ZoneoutLSTM

# Inside, log-mels are brought near zero mean and unit variance, which shortens training.
_MEAN_LOG_MEL, _SPREAD_LOG_MEL = -5.0, 2.0


class Decoded(NamedTuple):
    """What the decoder gives."""

    mel_before: torch.Tensor  # [B, T, n_mels]
    mel_after: torch.Tensor  # [B, T, n_mels], with the post-net
    alignment: torch.Tensor  # A [B, T, N]; each frame's weights sum to one


class TTSDecoder(nn.Module):
    """The decoder.

    Args:
        memory_dim: channels of text encoding and speaker encoding together.
        n_mels: bins of the mel.
        attention: built, with queries of `rnn_dim`.
        prenet_dim: width of the prenet's two layers.
        rnn_dim: of both LSTMs.
        postnet_dim: channels of the post-net's five convolutions.
        frames_per_step: r; the mel advances by so many frames a step.
        zoneout: of both LSTMs.
        dropout: of the prenet and the post-net.
    """

    def __init__(
        self, memory_dim: int, n_mels: int, attention: Attention, prenet_dim: int, rnn_dim: int,
        postnet_dim: int, frames_per_step: int, zoneout: float, dropout: float,
    ) -> None:  # fmt: skip
        super().__init__()
        self.n_mels, self.frames_per_step, self.dropout = n_mels, frames_per_step, dropout
        self.go_frame = nn.Parameter(torch.zeros(n_mels))
        self.prenet1, self.prenet2 = (
            nn.Linear(n_mels, prenet_dim),
            nn.Linear(prenet_dim, prenet_dim),
        )
        self.attention = attention
        self.attention_rnn = ZoneoutLSTM(prenet_dim, rnn_dim, zoneout)
        self.context_gates = nn.Linear(memory_dim, 4 * rnn_dim, bias=False)
        self.decoder_rnn = ZoneoutLSTM(rnn_dim + memory_dim, rnn_dim, zoneout)
        self.projection = nn.Linear(rnn_dim + memory_dim, n_mels * frames_per_step)
        sizes = [n_mels, *[postnet_dim] * 4, n_mels]
        self.postnet = nn.ModuleList(MaskedConv(a, b, 5) for a, b in itertools.pairwise(sizes))

    def forward(
        self,
        memory: torch.Tensor,
        text_mask: torch.Tensor,
        mel: torch.Tensor,
        mel_mask: torch.Tensor,
        teacher_forcing: float = 1.0,
    ) -> Decoded:
        """Predict each frame from the real ones before it.

        Args:
            memory: [B, N, memory_dim].
            text_mask: [B, N].
            mel: [B, T, n_mels].
            mel_mask: [B, T].
            teacher_forcing: share of the steps that see the real frame; the others see what a first
                pass predicted (parallel scheduled sampling, arXiv 1906.04331).

        Returns:
            Mels and alignment; without dropout in evaluation mode, so the same each time.
        """
        frames = self._last_frames((mel - _MEAN_LOG_MEL) / _SPREAD_LOG_MEL)
        if teacher_forcing < 1:
            with torch.no_grad():
                predicted = self._last_frames(self._decode(memory, text_mask, frames)[0])
            real = torch.rand(*frames.shape[:2], 1, device=mel.device) < teacher_forcing
            frames = torch.where(real, frames, predicted.to(frames.dtype))
        before, weights = self._decode(memory, text_mask, frames)
        before = before[:, : mel.shape[1]] * mel_mask[..., None]
        after = before + self._refine(before, mel_mask)
        alignment = weights.repeat_interleave(self.frames_per_step, 1)[:, : mel.shape[1]]
        return Decoded(_restore(before, mel_mask), _restore(after, mel_mask), alignment)

    def _last_frames(self, mel: torch.Tensor) -> torch.Tensor:
        """What each step sees: the go-frame, then the last frame of each step before, [B, steps, n_mels]."""
        b, t, _ = mel.shape
        r = self.frames_per_step
        seen = mel[:, r - 1 : t - 1 : r]
        seen = seen[:, : -(-t // r) - 1]
        return torch.cat([self.go_frame.to(mel.dtype).expand(b, 1, -1), seen], 1)

    def _decode(
        self, memory: torch.Tensor, text_mask: torch.Tensor, frames: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Mel [B, steps · r, n_mels] and weights [B, steps, N] from the frames that each step sees."""
        rnn, frames = self.attention_rnn, self._prenet(frames).transpose(0, 1)
        with torch.autocast(memory.device.type, enabled=False):  # casting costs more than it saves
            memory = memory.float()
            gates = rnn.inputs(frames.float())  # [steps, B, 4 · dim]
            past = StepLinear(torch.cat([rnn.states.weight, self.context_gates.weight], 1))
            attend = self.attention.begin(memory, text_mask)
            state, stays = rnn.begin(len(gates), memory)
            context = memory.new_zeros(len(memory), memory.shape[-1])
            queries, contexts, weights = [], [], []
            for gate, stay in zip(gates, stays, strict=True):
                gate = gate + past(torch.cat([state[0], context], -1))
                state = rnn.step(gate, state, stay)
                weight = attend(state[0])
                context = torch.bmm(weight[:, None], memory)[:, 0]
                queries.append(state[0])
                contexts.append(context)
                weights.append(weight)
            all_contexts = torch.stack(contexts)
            hidden = self.decoder_rnn(torch.cat([torch.stack(queries), all_contexts], -1))
        mel = self.projection(torch.cat([hidden, all_contexts], -1)).transpose(0, 1)
        b, steps, _ = mel.shape
        return mel.reshape(b, steps * self.frames_per_step, self.n_mels), torch.stack(weights, 1)

    def _prenet(self, frames: torch.Tensor) -> torch.Tensor:
        for layer in (self.prenet1, self.prenet2):
            frames = functional.dropout(functional.relu(layer(frames)), self.dropout, self.training)
        return frames

    def _refine(self, mel: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        for conv in self.postnet[:-1]:
            mel = functional.dropout(torch.tanh(conv(mel, mask)), self.dropout, self.training)
        result: torch.Tensor = self.postnet[-1](mel, mask)
        return result


def _restore(mel: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Back to log-mel; zero in the padding."""
    return (mel * _SPREAD_LOG_MEL + _MEAN_LOG_MEL) * mask[..., None]
