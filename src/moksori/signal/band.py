"""The band that a recording really holds, found from its sound and not from its sample rate."""

import numpy as np
import torch

from moksori.config import Decibels, Hertz

_N_FFT = 2048
_WINDOW = torch.hann_window(_N_FFT, periodic=False)
_EMPTY: Decibels = -85.0  # below the strongest band: nothing but rounding
_EDGE: Decibels = 18.0  # a codec's or a converter's filter falls by more than this within `_WIDTH`
_WIDTH: Hertz = 600.0
_REST: Decibels = -40.0  # above such an edge there is less than this beside the strongest band
_LOWEST: Hertz = 3000.0  # no edge is looked for below it


def real_band(wave: np.ndarray, sample_rate: int) -> Hertz:
    """Highest frequency that a recording holds.

    The long-term spectrum of its louder half is followed down from the Nyquist frequency until it holds more
    than rounding noise; a fall as steep as a filter's, above which nothing rises again, ends it earlier. A
    shout falls as steeply above its strongest formants, but not as deep.

    Args:
        wave: [n] mono.
        sample_rate: Hz.

    Returns:
        Hz, at most half the sample rate.
    """
    nyquist = sample_rate / 2
    if len(wave) < _N_FFT:
        return nyquist
    frames = torch.from_numpy(wave.astype(np.float32)).unfold(0, _N_FFT, _N_FFT // 2)
    power = torch.fft.rfft(frames * _WINDOW).abs().square().numpy()
    loudness = power.sum(1)
    level = 10 * np.log10(power[loudness >= np.median(loudness)].mean(0, dtype=float) + 1e-20)
    step = nyquist / (len(level) - 1)
    width = max(1, round(_WIDTH / step))
    smooth = np.convolve(
        np.pad(level, width // 8, mode="edge"), np.ones(2 * (width // 8) + 1), "valid"
    )
    smooth /= 2 * (width // 8) + 1
    held = np.flatnonzero(smooth > smooth.max() + _EMPTY)
    top = int(held[-1]) if len(held) else len(level) - 1
    first = round(_LOWEST / step)
    at = np.arange(first, min(top, len(level) - width - 1))
    above = np.maximum.accumulate(smooth[::-1])[::-1][at + width]  # the most from there on
    edges = at[(smooth[at] - above > _EDGE) & (above < smooth.max() + _REST)]
    if len(edges):
        falls = smooth[edges[0] :][:width] - smooth[edges[0] + 1 :][:width]
        middle = edges[0] + int(np.argmax(falls))
        return float(max(_LOWEST, middle * step - _WIDTH / 3))
    return float(top * step)
