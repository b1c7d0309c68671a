"""What an alignment tells: how sure it is, the path through it, and its picture."""

import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from moksori.config import AudioConfig
from moksori.features import frames_to_seconds


@dataclass(frozen=True)
class Alignment:
    """Which phone each frame speaks.

    Attributes:
        weights: A [T, N], with the text gone through in order (the aligner's monotonic posterior);
            each frame's weights sum to one.
        free: [T, N], the same as the aligner sees each frame by itself.
        phones: the N symbols.
    """

    weights: np.ndarray
    free: np.ndarray
    phones: list[str]

    def path(self) -> np.ndarray:
        """The likeliest monotonic path, [T]: a phone's index for each frame, every phone in turn.

        Viterbi over the log weights; each step stays or goes on by one phone. With fewer frames than
        phones no such path exists and the diagonal is given.
        """
        t, n = self.weights.shape
        if t < n:
            return np.linspace(0, n - 1, t).round().astype(int)
        scores = np.log(np.maximum(self.weights, 1e-12))
        best = np.full(n, -np.inf)
        best[0] = scores[0, 0]
        moved = np.zeros((t, n), dtype=bool)
        for frame in range(1, t):
            from_before = np.concatenate([[-np.inf], best[:-1]])
            moved[frame] = from_before > best
            best = np.where(moved[frame], from_before, best) + scores[frame]
        path = np.empty(t, dtype=int)
        phone = n - 1
        for frame in range(t - 1, -1, -1):
            path[frame] = phone
            phone -= moved[frame, phone]
        return path

    @property
    def confidence(self) -> float:
        """How far what the frames say by themselves agrees with the text in its order, 0 to 1.

        The mean over frames of the free weights, weighted by the ordered ones. Text that was not
        spoken forces frames onto phones that they do not sound like.
        """
        return float((self.weights * self.free).sum(1).mean())


def draw_conversion(
    source: np.ndarray, alignment: Alignment, converted: np.ndarray, audio: AudioConfig
) -> Figure:
    """Source mel [T, n_mels], alignment and converted mel [T, n_mels] under one time axis.

    The brightness is the free weights, the line the path through the text in order: where they part,
    the recording does not sound like the text.
    """
    count = len(alignment.phones)
    tall = min(max(4.0, 0.13 * count), 16.0)  # inches: room for a label a phone
    figure = Figure(figsize=(12, 5 + tall), layout="constrained")
    top, middle, bottom = figure.subplots(3, sharex=True, height_ratios=(2.5, tall, 2.5))
    end = frames_to_seconds(len(source), audio)
    low, high = source.min(), source.max()
    for axes, mel, name in ((top, source, "source"), (bottom, converted, "converted")):
        axes.imshow(
            mel.T, origin="lower", aspect="auto", extent=(0, end, 0, mel.shape[1]),
            vmin=low, vmax=high, cmap="magma", interpolation="none",
        )  # fmt: skip
        axes.set_ylabel(f"{name} mel (bin)")
    middle.imshow(
        alignment.free.T, origin="lower", aspect="auto", extent=(0, end, -0.5, count - 0.5),
        vmin=0, vmax=1, cmap="viridis", interpolation="none",
    )  # fmt: skip
    times = (np.arange(len(source)) + 0.5) * frames_to_seconds(1, audio)
    middle.plot(times, alignment.path(), color="white", linewidth=0.8)
    step = -(-count // 120)  # no more labels than can be read
    labels = [_label(phone) for phone in alignment.phones[::step]]
    middle.set_yticks(range(0, count, step), labels, fontproperties=_hangul_font())
    middle.set_ylabel("phone")
    bottom.set_xlabel("time (s)")
    return figure


def _label(phone: str) -> str:
    """A phone as a reader knows it: ᄀ and ᆨ both as ㄱ, the space as ＿."""
    name = unicodedata.name(phone, "").split()
    if name[:2] in (["HANGUL", "CHOSEONG"], ["HANGUL", "JUNGSEONG"], ["HANGUL", "JONGSEONG"]):
        return unicodedata.lookup(f"HANGUL LETTER {name[2]}")
    return "＿" if phone == " " else phone


@cache
def _hangul_font() -> FontProperties:
    """NanumGothic, from a package that brings it: matplotlib's own font has no Hangul."""
    # The package itself is not imported: it would change matplotlib's settings for everyone.
    package = find_spec("koreanize_matplotlib")
    assert package is not None and package.origin, "a dependency of Moksori's"
    return FontProperties(fname=Path(package.origin).parent / "fonts" / "NanumGothic.ttf", size=8)
