"""Room tone: the take's own floor under a conversion's pauses and around its speech.

Digital silence between words makes a mix pump. Where a recording holds nothing but its floor, the conversion
holds the recording itself; everywhere else only the converted voice.
"""

from typing import Literal

import numpy as np

from moksori.config import Decibels, Seconds
from moksori.signal.audio import downmix

Floor = Literal["room", "silence"]
_HOP: Seconds = 0.01
_QUANTILE = 0.05  # of the frames' levels: the floor
_ABOVE: Decibels = 6.0  # over the floor that still is floor
_BELOW_PEAK: Decibels = 30.0  # a floor louder than this below the loudest frame is speech
_JOIN = 5  # frames, odd; length of the raised cosine of a join
_LEAST = 6  # frames of floor in a row that count as a pause


def with_room_tone(
    converted: np.ndarray, source: np.ndarray, sample_rate: int, speech: tuple[int, int]
) -> np.ndarray:
    """Lay a take's floor under its conversion.

    Args:
        converted: [n] mono.
        source: [n, channels] of the take.
        sample_rate: of both, Hz.
        speech: samples between which the voice was converted; outside them the take is kept.

    Returns:
        [n, channels]; joins are raised cosines of 50 ms.
    """
    n, hop = len(converted), max(1, round(_HOP * sample_rate))
    mask = np.interp(
        np.arange(n) / hop - 0.5, np.arange(-(-n // hop)), _floor(downmix(source), hop, speech)
    )[:, None].astype(np.float32)
    result: np.ndarray = converted[:, None] * (1 - mask) + source * mask
    return result


def _floor(wave: np.ndarray, hop: int, speech: tuple[int, int]) -> np.ndarray:
    """How much of each frame of `hop` samples of a take [n] is floor: [frames], from 0 to 1."""
    frames = np.pad(wave.astype(np.float64), (0, -len(wave) % hop)).reshape(-1, hop)
    level = 10 * np.log10(np.maximum((frames**2).mean(1), 1e-20))
    limit = min(np.quantile(level, _QUANTILE) + _ABOVE, level.max() - _BELOW_PEAK)
    quiet = level <= limit
    # Runs of fewer than `_LEAST` frames are gaps within a word.
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.astype(np.int8), [0]])))
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        if end - begin < _LEAST:
            quiet[begin:end] = False
    # A join lies within the pause, so that nothing but floor is heard of the take.
    inner = np.convolve(~quiet, np.ones(_JOIN), "same") == 0
    first, last = speech[0] // hop - _JOIN // 2, -(-speech[1] // hop) + _JOIN // 2
    inner[: max(0, first)] = inner[last:] = True
    window = np.hanning(_JOIN + 2)[1:-1]
    padded = np.pad(inner.astype(np.float64), _JOIN // 2, mode="edge")
    smooth: np.ndarray = np.convolve(padded, window / window.sum(), "valid")
    return smooth
