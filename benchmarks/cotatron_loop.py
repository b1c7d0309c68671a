"""Frames a second of Cotatron's training step, beside the plain formulation. Prints a table.

    python benchmarks/cotatron_loop.py [--lines 16] [--seconds 4] [--steps 5]

Plain: what a straightforward Tacotron 2 does in each step of its loop (concatenate, one LSTMCell call for
each LSTM, the prenet, the attention's keys, the projection), one frame a step. Ours does all that does not
depend on the last step once a line, and r frames a step. Same sizes, same batch, loss and gradients.
"""

import time
from functools import partial

import torch
import typer
from rich.console import Console
from rich.table import Table
from torch import nn
from torch.nn import functional

from moksori.config import AudioConfig, CotatronConfig
from moksori.models.attention import DynamicConvolutionAttention, LocationSensitiveAttention
from moksori.models.cotatron import Cotatron
from moksori.models.layers import length_mask
from moksori.models.tts_decoder import TTSDecoder


class PlainDecoder(nn.Module):
    """The same weights as a `TTSDecoder` of one frame a step, used the plain way."""

    def __init__(self, decoder: TTSDecoder, memory_dim: int) -> None:
        super().__init__()
        self.decoder = decoder
        dim = decoder.attention_rnn.dim
        prenet = decoder.prenet2.out_features
        self.attention_cell = nn.LSTMCell(prenet + memory_dim, dim)
        self.decoder_cell = nn.LSTMCell(dim + memory_dim, dim)
        plain = {LocationSensitiveAttention: location, DynamicConvolutionAttention: dynamic}
        self.energies = plain[type(decoder.attention)]

    def forward(
        self, memory: torch.Tensor, text_mask: torch.Tensor, mel: torch.Tensor
    ) -> torch.Tensor:
        d, b = self.decoder, len(memory)
        attention_state = decoder_state = (memory.new_zeros(b, d.attention_rnn.dim),) * 2
        context = memory.new_zeros(b, memory.shape[-1])
        weights = torch.zeros_like(text_mask, dtype=memory.dtype)
        weights[:, 0] = 1
        total = torch.zeros_like(weights)
        frame = d.go_frame.expand(b, -1)
        out = []
        for t in range(mel.shape[1]):
            x = torch.cat([d._prenet(frame), context], -1)
            attention_state = self.attention_cell(x, attention_state)
            energies = self.energies(d.attention, attention_state[0], memory, weights, total)
            weights = energies.masked_fill(~text_mask, -1e4).softmax(-1)
            total = total + weights
            context = torch.bmm(weights[:, None], memory)[:, 0]
            decoder_state = self.decoder_cell(
                torch.cat([attention_state[0], context], -1), decoder_state
            )
            out.append(d.projection(torch.cat([decoder_state[0], context], -1)))
            frame = mel[:, t]
        return torch.stack(out, 1)


def location(
    a: LocationSensitiveAttention, query: torch.Tensor, memory: torch.Tensor,
    weights: torch.Tensor, total: torch.Tensor,
) -> torch.Tensor:  # fmt: skip
    """Energies [B, N] as the formula of arXiv 1506.07503 is written."""
    place = a.place(a.location(torch.stack([weights, total], 1)).transpose(1, 2))
    return a.score(torch.tanh(a.query(query)[:, None] + a.memory(memory) + place))[..., 0]


def dynamic(
    a: DynamicConvolutionAttention, query: torch.Tensor, memory: torch.Tensor,
    weights: torch.Tensor, total: torch.Tensor,
) -> torch.Tensor:  # fmt: skip
    """Energies [B, N] as the formula of arXiv 1910.10288 is written: a grouped convolution by line."""
    b, half = len(weights), a.kernel // 2
    filters = a.filters2(torch.tanh(a.filters1(query))).view(b * a.channels, 1, a.kernel)
    moved = functional.conv1d(weights[None], filters, padding=half, groups=b)
    moved = moved.view(b, a.channels, -1).transpose(1, 2)
    static = a.static(weights[:, None]).transpose(1, 2)
    prior = functional.pad(weights[:, None], (len(a.prior) - 1, 0))
    prior = functional.conv1d(prior, a.prior[None, None])[:, 0]
    score = a.score(torch.tanh(a.mix(torch.cat([static, moved], -1))))[..., 0]
    return score + prior.clamp(min=1e-6).log()


def main(lines: int = 16, seconds: float = 4.0, steps: int = 5) -> None:
    """Time forward and backward of the decoder for both attentions."""
    audio = AudioConfig()
    frames = int(seconds * audio.sample_rate / audio.hop_length)
    phones = int(seconds * 13)
    memory = torch.randn(lines, phones, 288)
    text_mask = length_mask(torch.full((lines,), phones))
    mel = torch.randn(lines, frames, audio.n_mels)
    table = Table("attention", "formulation", "r", "ms a step", "frames/s", "times plain")
    for attention in ("location", "dynamic"):
        plain = 0.0
        for name, r in (("plain", 1), ("ours", 1), ("ours", 2), ("ours", 3)):
            torch.manual_seed(0)
            config = CotatronConfig(attention=attention, frames_per_step=r)
            decoder = Cotatron.build(config, audio, 55, 10).decoder.train()
            if name == "plain":
                loop = PlainDecoder(decoder, memory.shape[-1])
                plain = taken = _time(partial(loop, memory, text_mask, mel), mel, steps)
            else:
                seen = decoder._last_frames(mel)
                whole = partial(decoder._decode, memory, text_mask, seen)
                taken = _time(lambda whole=whole: whole()[0][:, :frames], mel, steps)
            table.add_row(
                attention, name, str(r), f"{taken * 1000:.0f}", f"{lines * frames / taken:.0f}",
                f"{plain / taken:.1f}",
            )  # fmt: skip
    Console(width=90).print(table)
    size = f"{lines} lines of {seconds:g} s ({frames} frames, {phones} phones)"
    print(f"{size}, {torch.get_num_threads()} threads")


def _time(forward, mel: torch.Tensor, steps: int) -> float:
    """Median seconds of a forward and backward pass."""
    taken = []
    for _ in range(steps + 1):
        started = time.perf_counter()
        functional.mse_loss(forward(), mel).backward()
        taken.append(time.perf_counter() - started)
    return sorted(taken[1:])[steps // 2]


if __name__ == "__main__":
    typer.run(main)
