r"""Bring a vocoder's upper band to the level of recordings, where its training left it too quiet.

    python scripts/level_upper_band.py src/moksori/weights/clean DEST \
        --list wideband/splits.csv --list nonverbal/splits.csv \
        --set kathleen --set nathalie --set flemishguy --set emogator

A loss of log magnitudes ends at their median. Above the mel's top speech cannot be known from the mel, and
the median lies below the mean power that a listener hears: by 2 dB for voices trained on, by 4 to 8 dB for
people heard little. Here a gain by bands of 1 kHz, linear in the network's last features, is learnt so that
each recording's power in each band agrees, with the power moment by moment beside it; then it is added to
the filters' rows of those bands. All other weights stay as they were, to the bit. Only `train` recordings of
the sets named decide, each set alike, each below the band that it really holds.
"""

import csv
from itertools import pairwise
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import soundfile
import torch
import typer
from torch.nn import functional

from moksori.conversion.checkpoint import load_vocoder, save_model
from moksori.models.vocoder.source_filter import SourceFilter
from moksori.signal import audio, band, features, levels, pitch
from moksori.signal.treble import treble_levels

_WIDTH = 1000.0  # Hz
_STEPS, _RATE, _DECAY = 250, 0.01, 0.02
_MOMENT = 0.3  # weight of the power moment by moment beside that of the whole recording
_FRAMES = 8  # of a moment
_QUIET = 1e-7  # power of a bin that counts as nothing


class Heard(NamedTuple):
    """A recording: what decides the gain, and the power by band, as recorded and as copied."""

    set: str
    seen: torch.Tensor  # [T, dim] the network's last features
    real: torch.Tensor  # [T, bands] power
    copied: torch.Tensor  # [T, bands]
    held: torch.Tensor  # [bands] whether the recording holds it


def main(
    model: Path,
    dest: Path,
    lists: Annotated[list[Path], typer.Option("--list", help="CSV: file, set, split.")],
    sets: Annotated[list[str], typer.Option("--set", help="Whose `train` recordings decide.")],
    each: Annotated[int, typer.Option(help="Recordings of each set.")] = 60,
) -> None:
    """Write the model folder DEST."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    vocoder, card = load_vocoder(model)
    assert isinstance(vocoder, SourceFilter), "only a source-filter vocoder has these filters"
    edges = np.arange(vocoder.audio.fmax, vocoder.band + 1, _WIDTH)
    heard = [hear(vocoder, path, name, edges) for name, path in chosen(lists, sets, each)]
    kept, fit = heard[::10], [one for i, one in enumerate(heard) if i % 10]
    layer = torch.nn.Linear(heard[0].seen.shape[1], len(edges) - 1)
    torch.nn.init.zeros_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    print("held out, before:", report(layer, kept))
    learn(layer, fit)
    print("held out, after: ", report(layer, kept))
    add(vocoder, layer, edges)
    save_model(dest, vocoder.state_dict(), card)


def chosen(lists: list[Path], sets: list[str], each: int) -> list[tuple[str, Path]]:
    """As many `train` recordings of each set, spread over it."""
    by_set: dict[str, list[Path]] = {name: [] for name in sets}
    for path in lists:
        with path.open(encoding="utf-8-sig", newline="") as table:
            for row in csv.DictReader(table):
                if row["split"] == "train" and row["set"] in by_set:
                    by_set[row["set"]].append(path.parent / row["file"])
    return [
        (name, path)
        for name, paths in by_set.items()
        for path in paths[:: max(1, len(paths) // each)][:each]
    ]


@torch.no_grad()
def hear(vocoder: SourceFilter, path: Path, name: str, edges: np.ndarray) -> Heard:
    """Copy a recording and measure both."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    top = band.real_band(samples.mean(1), rate)
    wave = audio.resample(samples.mean(1), rate, vocoder.sample_rate)
    wave = np.pad(wave, (0, -len(wave) % vocoder.hop_length))
    wave = (wave * levels.gain_to(wave, vocoder.sample_rate, vocoder.audio.loudness)).astype(
        np.float32
    )
    narrow = audio.resample(wave, vocoder.sample_rate, vocoder.audio.sample_rate).astype(np.float32)
    mel = features.log_mel(narrow, vocoder.audio)
    f0 = torch.from_numpy(pitch.f0(narrow, vocoder.audio))[: len(mel)]
    last: list[torch.Tensor] = []
    hook = vocoder.norm.register_forward_hook(lambda *values: last.append(values[2][0]))
    told = torch.tensor([treble_levels(wave, vocoder.sample_rate) or (torch.nan,) * 3])
    copy = vocoder(mel[None], f0[None], told)[0]
    hook.remove()
    real, copied = (
        power(x, edges, vocoder.hop_length, vocoder.sample_rate)[: len(mel)]
        for x in (torch.from_numpy(wave), copy)
    )
    return Heard(name, last[0], real, copied, torch.from_numpy(edges[1:] < top))


def power(wave: torch.Tensor, edges: np.ndarray, hop: int, rate: int) -> torch.Tensor:
    """[T, bands] of [T * hop]."""
    size = 2 * hop
    padded = functional.pad(wave[None, None], (hop // 2, hop // 2), mode="reflect")[0, 0]
    spectrum = torch.stft(
        padded, size, hop, window=torch.hann_window(size), center=False, return_complex=True
    )
    hertz = np.fft.rfftfreq(size, 1 / rate)
    bands = [
        spectrum[(hertz >= begin) & (hertz < end)].abs().square().mean(0)
        for begin, end in pairwise(edges)
    ]
    return torch.stack(bands, 1) / size


def errors(layer: torch.nn.Linear, one: Heard) -> tuple[torch.Tensor, torch.Tensor]:
    """By how many dB a copy with its gain is too loud: the whole [bands], and each moment [., bands]."""
    copied = one.copied * (2 * layer(one.seen)).exp()
    whole = 10 * ((copied.mean(0) + _QUIET) / (one.real.mean(0) + _QUIET)).log10()
    moments = [
        functional.avg_pool1d(x.T[None], _FRAMES, ceil_mode=True)[0].T + _QUIET
        for x in (copied, one.real)
    ]
    return whole[one.held], (10 * (moments[0] / moments[1]).log10())[:, one.held]


def learn(layer: torch.nn.Linear, heard: list[Heard]) -> None:
    """Descend; each set counts alike."""
    count = {name: sum(one.set == name for one in heard) for name in {one.set for one in heard}}
    optimizer = torch.optim.AdamW(layer.parameters(), lr=_RATE, weight_decay=0.0)
    chance = np.random.default_rng(0)
    chances = np.array([1 / count[one.set] for one in heard])
    for step in range(_STEPS):
        for group in optimizer.param_groups:
            group["lr"] = _RATE * (1 - step / _STEPS)
        loss = _DECAY * layer.weight.square().sum()
        for number in chance.choice(len(heard), 16, p=chances / chances.sum()):
            whole, moments = errors(layer, heard[number])
            loss = loss + (whole.abs().mean() + _MOMENT * moments.abs().mean()) / 16
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@torch.no_grad()
def report(layer: torch.nn.Linear, heard: list[Heard]) -> str:
    """Mean and mean absolute error of recordings' levels by set, dB."""
    said = []
    for name in dict.fromkeys(one.set for one in heard):
        each = [errors(layer, one) for one in heard if one.set == name]
        whole = torch.cat([one[0] for one in each])
        moment = torch.cat([one[1].flatten() for one in each]).abs().mean()
        said.append(f"{name} {whole.mean():+.1f} {whole.abs().mean():.1f} moments {moment:.1f}")
    return "; ".join(said)


@torch.no_grad()
def add(vocoder: SourceFilter, layer: torch.nn.Linear, edges: np.ndarray) -> None:
    """Add the gain to the rows of the three gains, between the bands' middles."""
    middles = (edges[:-1] + edges[1:]) / 2
    begin = 0
    banks = [vocoder.harmonic_bank] * 2 + [vocoder.noise_bank] * 2
    for number, bank in enumerate(banks):
        hertz = bank.hertz.numpy()
        weights = np.stack([np.interp(hertz, middles, row) for row in np.eye(len(middles))], 1)
        weights *= np.clip((hertz - edges[0]) / (_WIDTH / 2), 0, 1)[:, None]
        weights = np.tile(weights, (bank.per_frame, 1))
        share = torch.from_numpy(weights).float()
        if number != 1:  # the phases
            vocoder.filters.weight[begin : begin + bank.size] += share @ layer.weight
            vocoder.filters.bias[begin : begin + bank.size] += share @ layer.bias
        begin += bank.size


if __name__ == "__main__":
    typer.run(main)
