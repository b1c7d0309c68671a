"""A whole conversion beside the reference Cotatron's arithmetic with HiFi-GAN, in one run. Prints a table.

    python benchmarks/reference.py [--seconds 12] [--threads 2] [--runs 3] [--vocoder fast]

The reference: Cotatron, its residual encoder and its GBlock decoder in the sizes of `configs/paper.toml` and
`configs/paper_conversion.toml` (arXiv 2005.03295), aligned by its attention, teacher-forced over the source's
mel, one frame a step; then HiFi-GAN V1's generator (arXiv 2010.05646, table 5), whose layers are written out
here since nothing else needs them. Its weights are random: only their number and shapes cost time. Ours: all
of `Converter.convert` for the same line, reading, F0, vocoder and delivery included.
"""

import statistics
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import typer
from rich.console import Console
from rich.table import Table
from torch import nn
from torch.nn import functional

from moksori.config import CotatronTrainConfig, TrainConfig, load_config
from moksori.conversion.converter import Converter
from moksori.models.conversion import Batch, ConversionModel
from moksori.signal import audio
from moksori.text import SYMBOLS
from moksori.weights import DEFAULT_VOCODER

_CONFIGS = Path(__file__).parents[1] / "configs"
_SLOPE = 0.1


class ResBlock(nn.Module):
    """HiFi-GAN's ResBlock1: at each dilation two convolutions beside a shortcut."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        half = kernel // 2
        self.pairs = nn.ModuleList(
            nn.ModuleList([
                nn.Conv1d(channels, channels, kernel, dilation=d, padding=d * half),
                nn.Conv1d(channels, channels, kernel, padding=half),
            ])
            for d in (1, 3, 5)
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for first, second in self.pairs:
            y = first(functional.leaky_relu(x, _SLOPE))
            x = x + second(functional.leaky_relu(y, _SLOPE))
        return x


class HiFiGAN(nn.Module):
    """The generator V1: from mels [B, n_mels, T] to waves [B, 1, 256 * T]."""

    def __init__(self, n_mels: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(n_mels, 512, 7, padding=3)
        rates, kernels, channels = (8, 8, 2, 2), (16, 16, 4, 4), (512, 256, 128, 64, 32)
        self.ups = nn.ModuleList(
            nn.ConvTranspose1d(a, b, kernel, rate, (kernel - rate) // 2)
            for (a, b), rate, kernel in zip(pairwise(channels), rates, kernels, strict=True)
        )
        self.blocks = nn.ModuleList(
            nn.ModuleList(ResBlock(b, kernel) for kernel in (3, 7, 11)) for b in channels[1:]
        )
        self.last = nn.Conv1d(channels[-1], 1, 7, padding=3)

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        x = self.first(mel)
        for up, blocks in zip(self.ups, self.blocks, strict=True):
            x = up(functional.leaky_relu(x, _SLOPE))
            x = torch.stack([block(x) for block in blocks]).mean(0)
        return torch.tanh(self.last(functional.leaky_relu(x)))


def main(
    recording: Path = Path("examples/demo.wav"), seconds: float = 12.0, threads: int = 2, runs: int = 3,
    vocoder: str = DEFAULT_VOCODER,
) -> None:  # fmt: skip
    """Time both on the recording, repeated or cut to `seconds`; medians after a warm-up."""
    torch.set_num_threads(threads)
    converter = Converter.from_pretrained(None, vocoder)
    line, text = audio.read(recording), recording.with_suffix(".txt").read_text("utf-8").strip()
    count = round(seconds * line.sample_rate)
    times = -(-count // len(line.samples))
    wave = np.tile(line.samples, (times, 1))[:count]
    looped = audio.Recording(wave, line.sample_rate, line.subtype)
    said = " ".join([text] * max(1, round(count / len(line.samples))))
    voice = converter.card.voices[0].name
    phones = len(converter.front_end.read(said, False, None).phones)
    frames = round(seconds * converter.card.audio.sample_rate / converter.card.audio.hop_length)
    reference, sizes = _reference(converter, frames, phones)
    ours = _time(lambda: converter.convert(looped, said, voice), runs)
    parts = {name: _time(part, runs) for name, part in reference.items()}
    table = Table("what", "seconds", "of the line's length", "million weights")
    for name, taken in parts.items():
        table.add_row(
            f"reference: {name}", f"{taken:.2f}", f"{taken / seconds:.3f}", f"{sizes[name]:.1f}"
        )
    whole = sum(parts.values())
    table.add_row("reference, both", f"{whole:.2f}", f"{whole / seconds:.3f}", "")
    mine = sum(p.numel() for m in (converter.model, converter.vocoder) for p in m.parameters())
    table.add_row("ours, all", f"{ours:.2f}", f"{ours / seconds:.3f}", f"{mine / 1e6:.1f}")
    Console(width=90).print(table)
    print(f"{whole / ours:.0f} times faster; a line of {seconds:g} s, {threads} threads")


def _reference(
    converter: Converter, frames: int, phones: int
) -> tuple[dict[str, Callable[[], object]], dict[str, float]]:
    """Both parts of the reference, to be called, and their million weights."""
    cotatron = load_config(_CONFIGS / "paper.toml", CotatronTrainConfig)
    config = load_config(_CONFIGS / "paper_conversion.toml", TrainConfig)
    sizes = config.model.model_copy(
        update={**cotatron.model.model_dump(include={"text_encoder", "text_dim", "text_kernels"}),
                "cotatron": cotatron.model}
    )  # fmt: skip
    audio_config = config.audio
    model = ConversionModel.build(sizes, audio_config, len(SYMBOLS), 100).eval()
    hifigan = HiFiGAN(audio_config.n_mels).eval()
    mel = torch.randn(1, frames, audio_config.n_mels) - 5
    batch = Batch(
        phones=torch.randint(8, len(SYMBOLS), (1, phones)), phone_lengths=torch.tensor([phones]),
        mel=mel, mel_lengths=torch.tensor([frames]), f0=torch.full((1, frames), 200.0),
        voice=torch.tensor([0]),
    )  # fmt: skip
    parts = {"Cotatron and decoder": (model, lambda: model(batch)),
             "HiFi-GAN V1": (hifigan, lambda: hifigan(mel.transpose(1, 2)))}  # fmt: skip
    weights = {n: sum(p.numel() for p in m.parameters()) / 1e6 for n, (m, _) in parts.items()}
    return {name: call for name, (_, call) in parts.items()}, weights


def _time(call: Callable[[], object], runs: int) -> float:
    taken = []
    with torch.inference_mode():
        for _ in range(runs + 1):
            began = time.perf_counter()
            call()
            taken.append(time.perf_counter() - began)
    return statistics.median(taken[1:])


if __name__ == "__main__":
    typer.run(main)
