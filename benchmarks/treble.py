"""Draw spectrograms above and below 8 kHz: take, predicted, from the take. Makes docs/images/treble.png.

    python benchmarks/treble.py docs/images/treble.png NAME=RECORDING:BEGIN:END …

Each recording is copied through the default vocoder; what lies between two times, in seconds, is drawn.
"""

from io import BytesIO
from pathlib import Path

import numpy as np
import typer
from matplotlib.figure import Figure
from PIL import Image
from wideband import RATE, _read, copies

from moksori.conversion.checkpoint import load_vocoder
from moksori.signal.treble import treble_levels
from moksori.weights import DEFAULT_VOCODER, VOCODERS

_N_FFT, _HOP = 512, 64
_RANGE = 65.0  # dB from black to white


def main(picture: Path, parts: list[str]) -> None:
    """A column each part, a row each sound."""
    vocoder = load_vocoder(VOCODERS[DEFAULT_VOCODER])[0]
    figure = Figure(figsize=(3.2 * len(parts), 7), layout="constrained")
    axes = figure.subplots(3, len(parts), sharey=True, squeeze=False)
    for column, part in enumerate(parts):
        name, _, place = part.partition("=")
        path, begin, end = place.rsplit(":", 2)
        take = _read(Path(path))
        sounds = {"take": take, **copies(vocoder, take, treble_levels(take, RATE))}
        whole = {how: level(wave) for how, wave in sounds.items()}
        loudest = max(one.max() for one in whole.values())
        for row, (how, one) in enumerate(whole.items()):
            first, last = (round(float(at) * RATE / _HOP) for at in (begin, end))
            axes[row, column].imshow(
                one[:, first:last], origin="lower", aspect="auto", cmap="magma",
                vmin=loudest - _RANGE, vmax=loudest, interpolation="none",
                extent=(0, 1000 * (float(end) - float(begin)), 0, RATE / 2000),
            )  # fmt: skip
            axes[row, column].set_ylim(0, 20)
            axes[row, column].axhline(8, color="white", linewidth=0.5, alpha=0.6)
            axes[row, 0].set_ylabel(f"{how} (kHz)")
        axes[0, column].set_title(name)
        axes[-1, column].set_xlabel("time (ms)")
    content = BytesIO()
    figure.savefig(content, dpi=90)
    Image.open(content).convert("RGB").quantize(48).save(picture, optimize=True)


def level(wave: np.ndarray) -> np.ndarray:
    """[bins, frames] in dB."""
    padded = np.pad(wave, _N_FFT // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _N_FFT)[::_HOP] * np.hanning(_N_FFT)
    return 20 * np.log10(np.abs(np.fft.rfft(frames, axis=1)).T + 1e-6)


if __name__ == "__main__":
    typer.run(main)
