"""Pictures of alignments and conversions: time across, phones or mel bins up, bright is heavy."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from moksori.alignment.alignment import Alignment, phone_label
from moksori.config import AudioConfig, Seconds
from moksori.errors import OutputError
from moksori.signal.features import frames_to_seconds


def draw_conversion(
    source: np.ndarray, alignment: Alignment, converted: np.ndarray, audio: AudioConfig
) -> Figure:
    """Source mel [T, n_mels], alignment and converted mel [T, n_mels] under one time axis.

    The brightness is the framewise posterior, the line the path through the text in order: where they part,
    the recording does not sound like the text.
    """
    count = len(alignment.phones)
    tall = min(max(4.0, 0.13 * count), 16.0)  # inches: room for a label a phone
    figure = Figure(figsize=(12, 5 + tall), layout="constrained")
    top, middle, bottom = figure.subplots(3, sharex=True, height_ratios=(2.5, tall, 2.5))
    end = frames_to_seconds(len(source), audio)
    low, high = source.min(), source.max()
    for axes, mel, name in ((top, source, "source"), (bottom, converted, "converted")):
        _draw_mel(axes, mel, name, end, (low, high))
    _draw_weights(middle, alignment, end)
    bottom.set_xlabel("time (s)")
    return figure


def draw_alignment(mel: np.ndarray, alignment: Alignment, audio: AudioConfig) -> Figure:
    """The mel [T, n_mels] of the speech and its alignment under one time axis, as `draw_conversion`."""
    tall = min(max(4.0, 0.13 * len(alignment.phones)), 16.0)
    figure = Figure(figsize=(12, 2.5 + tall), layout="constrained")
    top, bottom = figure.subplots(2, sharex=True, height_ratios=(2.5, tall))
    end = frames_to_seconds(len(mel), audio)
    _draw_mel(top, mel, "recording", end, (mel.min(), mel.max()))
    _draw_weights(bottom, alignment, end)
    bottom.set_xlabel("time (s)")
    return figure


def save_figure(figure: Figure, path: Path | str) -> None:
    """Write a figure as .png, .pdf or .svg.

    Raises:
        OutputError: the place cannot be written to.
    """
    try:
        figure.savefig(path, dpi=110)
    except (OSError, ValueError) as error:
        raise OutputError.of("output.failed", path=path, why=error) from None


def _draw_mel(
    axes: Axes, mel: np.ndarray, name: str, end: Seconds, levels: tuple[float, float]
) -> None:
    axes.imshow(
        mel.T, origin="lower", aspect="auto", extent=(0, end, 0, mel.shape[1]),
        vmin=levels[0], vmax=levels[1], cmap="magma", interpolation="none",
    )  # fmt: skip
    axes.set_ylabel(f"{name} mel (bin)")


def _draw_weights(axes: Axes, alignment: Alignment, end: Seconds) -> None:
    count, frames = len(alignment.phones), len(alignment.weights)
    axes.imshow(
        alignment.posterior.T, origin="lower", aspect="auto", extent=(0, end, -0.5, count - 0.5),
        vmin=0, vmax=1, cmap="viridis", interpolation="none",
    )  # fmt: skip
    times = (np.arange(frames) + 0.5) * end / frames
    axes.plot(times, alignment.path(), color="white", linewidth=0.8)
    step = -(-count // 120)  # no more labels than can be read
    labels = [phone_label(phone) for phone in alignment.phones[::step]]
    axes.set_yticks(range(0, count, step), labels, fontproperties=hangul_font(8))
    axes.set_ylabel("phone")


@cache
def hangul_font(size: float) -> FontProperties:
    """NanumGothic in points, from a package that brings it: matplotlib's own font has no Hangul."""
    # The package itself is not imported: it would change matplotlib's settings for everyone.
    package = find_spec("koreanize_matplotlib")
    assert package is not None and package.origin, "a dependency of Moksori's"
    return FontProperties(
        fname=Path(package.origin).parent / "fonts" / "NanumGothic.ttf", size=size
    )
