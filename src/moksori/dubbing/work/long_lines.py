"""Lines longer than the models like: cut at their pauses, converted part by part, joined in silence.

recording  ──speech──   pause   ──speech──   pause   ──speech──
parts      [                |                   |             ]
each part begins and ends in a pause, where the conversion holds the take's floor: the joins cannot click
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from moksori.alignment.alignment import Alignment, Interval
from moksori.config import Decibels, Seconds
from moksori.conversion.converter import Converter
from moksori.conversion.results import Conversion
from moksori.conversion.room import Floor
from moksori.conversion.treble import Treble
from moksori.dubbing.records import Role
from moksori.dubbing.task import LONGEST
from moksori.signal import audio, levels
from moksori.signal.audio import Recording
from moksori.signal.speaker import UNKNOWN, SourceSpeaker

PART: Seconds = 20.0  # lines up to this are converted whole
_LEAST: Seconds = 2.0  # of a part
_AROUND: Seconds = 0.15  # an alignment may be so far off


class Part(NamedTuple):
    """What was converted at once: how it is aligned, in the whole recording's time, and what was heard."""

    alignment: Alignment
    mel: np.ndarray  # [T, n_mels] of the recording's speech
    f0: np.ndarray  # [T] Hz of it, 0 where unvoiced


@dataclass(frozen=True)
class ConvertedLine:
    """A line in its voice.

    Attributes:
        samples: [n, channels], as many of both as the recording has.
        parts: it was converted in, in their order; one, if it is not long.
        lowered: dB by which it had to be lowered so as not to clip.
    """

    samples: np.ndarray
    parts: list[Part]
    lowered: Decibels

    @property
    def speech(self) -> tuple[Seconds, Seconds]:
        """Where the first part's frames begin and the last's end."""
        first, last = self.parts[0].alignment, self.parts[-1].alignment
        return first.begin, last.begin + len(last.weights) * last.frame

    @property
    def confidence(self) -> float:
        """The mean of the parts', by their frames."""
        lengths = [len(part.mel) for part in self.parts]
        return float(np.average([p.alignment.confidence for p in self.parts], weights=lengths))


def convert_line(
    converter: Converter,
    recording: Recording,
    text: str,
    role: Role,
    *,
    speaker: SourceSpeaker = UNKNOWN,
    f0: np.ndarray | None = None,
    spell: bool = False,
    lexicon: Path | None = None,
    floor: Floor = "room",
    treble: Treble = "take",
) -> ConvertedLine:
    """Convert a line of any length up to `LONGEST`.

    Args:
        converter: of the job.
        recording: of the line.
        text: what is said in it.
        role: whose line it is.
        speaker: the actor, see `Converter.convert`.
        f0: [T] of the recording, as `Converter.source`, if it is known.
        spell: as `Converter.convert`.
        lexicon: as `Converter.convert`.
        floor: as `Converter.convert`.
        treble: as `Converter.convert`.

    Raises:
        AudioError, TextError, VoiceError: as `Converter.convert`.
    """
    how: dict[str, Any] = {
        "pitch": role.pitch, "effort": role.effort, "spell": spell, "lexicon": lexicon,
        "max_seconds": LONGEST, "floor": floor, "treble": treble,
    }  # fmt: skip
    audio.check(recording, LONGEST)
    begin, end = levels.speech_bounds(recording.mono, recording.sample_rate, noise=recording.noise)
    if (end - begin) / recording.sample_rate <= PART:
        whole = converter.convert(recording, text, role.voice, speaker=speaker, source_f0=f0, **how)
        part = Part(whole.alignment, whole.source_mel, whole.source_f0)
        return ConvertedLine(whole.samples, [part], whole.lowered)
    aligned = converter.align(
        recording, text, max_seconds=LONGEST, spell=spell, lexicon=lexicon
    ).alignment
    if speaker.mean_log_f0 is None:  # of the whole line, so that its parts keep their intervals
        own = converter.speaker([converter.source(recording, LONGEST)])
        speaker = speaker.model_copy(update={"mean_log_f0": own.mean_log_f0})
    words = converter.front_end.read(text, spell, lexicon).normalized.split()
    spoken = aligned.word_intervals()
    cuts, begin, first = list[tuple[int, int, str]](), 0, 0
    for last in [*pauses(spoken), len(words)]:
        end = len(recording.samples)
        if last < len(words):
            end = quietest(recording, spoken[last - 1].end, spoken[last].begin)
        cuts.append((begin, end, " ".join(words[first:last])))
        begin, first = end, last

    def convert(begin: int, end: int, said: str, lower: Decibels = 0.0) -> Conversion:
        cut = Recording(recording.samples[begin:end], recording.sample_rate, recording.subtype)
        return converter.convert(cut, said, role.voice, speaker=speaker, lower=lower, **how)

    all_made = [convert(*cut) for cut in cuts]
    if lowered := max(made.lowered for made in all_made):  # all by as much, or there is a step
        all_made = [
            made if made.lowered == lowered else convert(*cut, lowered)
            for made, cut in zip(all_made, cuts, strict=True)
        ]
    out, parts = np.zeros_like(recording.samples), list[Part]()
    for made, (begin, end, _) in zip(all_made, cuts, strict=True):
        out[begin:end] = made.samples
        late = made.alignment.begin + begin / recording.sample_rate
        alignment = replace(made.alignment, begin=late)
        parts.append(Part(alignment, made.source_mel, made.source_f0))
    return ConvertedLine(out, parts, lowered)


def quietest(recording: Recording, begin: Seconds, end: Seconds) -> int:
    """The sample in the middle of the quietest 40 ms between two times, and a little around them."""
    sample_rate = recording.sample_rate
    first = max(0, round((begin - _AROUND) * sample_rate))
    power = recording.mono[first : round((end + _AROUND) * sample_rate)].astype(np.float64) ** 2
    size = min(len(power), round(0.04 * sample_rate))
    return first + int(np.convolve(power, np.ones(size), "valid").argmin()) + size // 2


def pauses(words: list[Interval]) -> list[int]:
    """Before which words to cut a line so that no part is longer than `PART`, at its longest pauses.

    A part of a single word, or with no pause `_LEAST` from its ends, stays as it is.
    """
    middles = ((a.end + b.begin) / 2 for a, b in pairwise(words))
    edges = [words[0].begin, *middles, words[-1].end]
    gaps = [0.0, *(b.begin - a.end for a, b in pairwise(words)), 0.0]

    def cut(first: int, last: int) -> list[int]:
        """Of the words from `first` to before `last`."""
        begin, end = edges[first], edges[last]
        if end - begin <= PART:
            return []
        inner = [
            i
            for i in range(first + 1, last)
            if edges[i] - begin >= _LEAST and end - edges[i] >= _LEAST
        ]
        if not inner:
            return []
        middle = (begin + end) / 2
        best = max(inner, key=lambda i: (round(gaps[i], 2), -abs(edges[i] - middle)))
        return [*cut(first, best), best, *cut(best, last)]

    return cut(0, len(words))
