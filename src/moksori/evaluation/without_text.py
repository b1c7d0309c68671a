"""What does not rest on the text: sounds without words, and words that are not those of the text."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from moksori.conversion.converter import Converter
from moksori.conversion.listening import NONVERBAL_F0_MAX
from moksori.conversion.slips import worst_slip
from moksori.errors import TextError
from moksori.metrics.measures import compare_f0, envelope_correlation
from moksori.signal.audio import Recording, downmix
from moksori.signal.pitch import swift

if TYPE_CHECKING:
    from moksori.conversion.results import Conversion

_LEAST_VOICED = 10  # frames voiced in both, from which their F0 can be compared


def follows(converter: Converter, recording: Recording, converted: "Conversion") -> dict[str, Any]:
    """How a converted sound without words follows its source: `f0_correlation`, `envelope_correlation`."""
    audio, rate = converter.card.audio, recording.sample_rate
    waves = recording.mono, downmix(converted.samples)
    tracks = []
    for wave in waves:
        _, hertz, voiced = swift(wave, rate, audio.f0_min, NONVERBAL_F0_MAX)
        tracks.append(np.where(voiced, hertz, 0.0))
    row: dict[str, Any] = {"envelope_correlation": envelope_correlation(*waves, rate)}
    n = min(map(len, tracks))
    if np.sum((tracks[0][:n] > 0) & (tracks[1][:n] > 0)) >= _LEAST_VOICED:
        row["f0_correlation"] = compare_f0(*tracks).correlation
    return row


def slip_gains(
    converter: Converter, recording: Recording, text: str, words: Sequence[str], heard: str
) -> dict[str, float]:
    """How likely a recording says another word than its text, and than that text with one word changed.

    Args:
        converter: of the lines.
        recording: of the line.
        text: that it says.
        words: to change one of the text's words by.
        heard: by whisper.

    Returns:
        `slip` and, of a text of at least two words, `slip_changed`; nats, see `conversion/slips.py`.
    """
    gains: dict[str, float] = {}
    listener = converter.listener
    if listener is None:
        return gains
    for name, said in (("slip", text), ("slip_changed", one_word_changed(text, words))):
        if said is None:
            continue
        try:
            aligned = converter.align(recording, said)
        except TextError:  # another word made it too long or too short to be this recording's
            continue
        parts = [(aligned.mel, aligned.alignment)]
        slip = worst_slip(parts, listener, converter.front_end, lambda: heard)
        if slip:
            gains[name] = slip.gain
    return gains


def one_word_changed(text: str, words: Sequence[str]) -> str | None:
    """A text with its middle word changed for one as long that ends alike; None where there is no such."""
    own = text.split()
    for i in sorted(range(len(own)), key=lambda i: abs(i - len(own) // 2)):
        alike = [
            word
            for word in sorted(set(words) - set(own))
            if len(word) == len(own[i]) > 1 and word[-1] == own[i][-1]
        ]
        if alike and len(own) > 1:
            return " ".join([*own[:i], alike[len(text) % len(alike)], *own[i + 1 :]])
    return None
