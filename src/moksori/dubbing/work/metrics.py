"""What is measured of a take and of its conversion, to find which lines want a retake.

confidence  how far the frames by themselves agree with the text in its order, 0 to 1
word        the same of the least certain word
rushed      most phones in a row that the alignment could give only a frame each: a word that is not said
unheard     longest stretch of sound that is like nothing of the text, seconds: a word that is not written
agreement   of the two aligners, for a model that has both
pace        phones a second
clipped     places where the recording is cut off at its peak
snr         level of the speech over the level of the pauses, dB
lowered     dB that the conversion had to be lowered by so as not to clip
nonverbal   `WORDLESS` or `ONLY_CRIES` of a line that is a sound without words; no other line has it

F0 of the conversion is not among them: the vocoder makes its pulses by the F0 that it is given, so that it
follows the recording's whatever else fails (docs/figures.md). `moksori evaluate` measures it.
"""

from collections.abc import Sequence

import numpy as np

from moksori.config import Decibels, Seconds
from moksori.dubbing.work.long_lines import Part
from moksori.signal.audio import Recording
from moksori.signal.levels import decibels
from moksori.text.pace import pace

Metrics = dict[str, float]
WORDLESS = 1.0  # its text holds no word: (웃음)
ONLY_CRIES = (
    2.0  # its text has letters, such as 으악!, but its sound does not fit them: it may be a line
)
_STEP = 2.0**-15  # of 16 bits
_FLAT = 3  # samples in a row at the peak; a wave that is not cut off has at most two
_LOUD = 0.25  # a peak below this was not cut off by a converter
_FRAME: Seconds = 0.02
_UNLIKE = 0.1  # a frame whose weights agree less with the text's order sounds like something else
_QUIETER = 3.0  # nepers below a line's louder frames; breaths and pauses are quieter still


def of_recording(recording: Recording) -> Metrics:
    """`clipped` and `snr` of a recording."""
    return {"clipped": float(clipped(recording.samples)), "snr": snr(recording)}


def of_parts(parts: Sequence[Part]) -> Metrics:
    """`confidence`, `word`, `rushed`, `unheard`, `pace`, and `agreement` where there is one, of a line.

    Of a long line's parts: by themselves each frame chooses among all phones of its part, so that metrics
    of a whole minute's alignment could not be compared with those of a line.
    """
    each = [_of_part(part) for part in parts]
    lengths = [len(part.mel) for part in parts]
    joined = {"word": min, "rushed": max, "unheard": max}
    return {
        name: joined[name](values) if name in joined else float(np.average(values, weights=lengths))
        for name in each[0]
        if (values := [metrics[name] for metrics in each])
    }


def _of_part(part: Part) -> Metrics:
    alignment, mel = part.alignment, part.mel
    measures = alignment.measures()
    words = alignment.word_confidences()
    hurried = [i.end - i.begin < 1.5 * alignment.frame for i in alignment.phone_intervals()]
    level = mel.mean(1)
    loud = level > np.quantile(level, 0.95) - _QUIETER
    smooth = np.convolve((alignment.weights * alignment.posterior).sum(1), np.ones(5) / 5, "same")
    metrics = {
        "confidence": measures.confidence,
        "word": min(words, default=measures.confidence),
        "rushed": float(_longest(np.array(hurried))),
        "unheard": _longest((smooth < _UNLIKE) & loud[: len(smooth)]) * alignment.frame,
        "pace": pace(alignment.phones, len(alignment.weights) * alignment.frame),
    }
    if measures.agreement is not None:
        metrics["agreement"] = measures.agreement
    return metrics


def _longest(true: np.ndarray) -> int:
    """Length of the longest run of True in [n]."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], true.astype(np.int8), [0]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def clipped(samples: np.ndarray) -> int:
    """How often a recording [n, channels] stays at its very peak for several samples."""
    peak = float(np.abs(samples).max(initial=0.0))
    if peak < _LOUD:
        return 0
    count = 0
    for channel in samples.T:
        for side in (channel, -channel):
            at_peak = np.concatenate([[0], side >= peak - _STEP, [0]]).astype(np.int8)
            edges = np.flatnonzero(np.diff(at_peak))
            count += int((edges[1::2] - edges[::2] >= _FLAT).sum())
    return count


def snr(recording: Recording) -> Decibels:
    """How far the louder frames of a recording are above its quieter ones; at most 80 dB.

    The 95th over the 5th percentile of the level of 20 ms: without a pause it shows too little of the noise,
    and a whisper in silence is no noise.
    """
    size = max(1, round(_FRAME * recording.sample_rate))
    wave = recording.mono[: len(recording.mono) // size * size].astype(np.float64)
    if not len(wave):
        return 80.0
    power = (wave.reshape(-1, size) ** 2).mean(1)
    quiet, loud = np.quantile(np.sqrt(power), [0.05, 0.95])
    return min(80.0, decibels(float(loud)) - decibels(float(quiet)))
