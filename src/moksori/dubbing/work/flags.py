"""Which lines want a look, and how much: figures against thresholds.

The thresholds were set on half of the test split's texts, right lines and spoiled ones; on the other half
`benchmarks/retakes.py` tells how many spoiled lines they catch (docs/figures.md).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from moksori.conversion.converter import MIN_CONFIDENCE
from moksori.dubbing.records import Dubbed, Flag
from moksori.errors import TextError
from moksori.messages import Lang, codes, say
from moksori.text.directions import take_out

WORD = 0.2  # confidence of the least certain word
RUSHED = 3  # phones in a row with only a frame each
UNHEARD = 0.2  # seconds of sound that are not in the text
AGREEMENT = 0.5  # of two aligners
MELODY = 0.9  # correlation of log-F0
FAST, SLOW = 20.0, 5.0  # phones a second; the corpus's lines have 7.7 to 18.2
CLIPPED = 3  # places
SNR = 30.0  # dB
SIMILARITY = 0.8  # to the character's other lines
LOWERED = 3.0  # dB
_LATE = 0.05  # seconds


def flag(rows: Sequence[Dubbed]) -> list[Dubbed]:
    """The same rows with their flags, the most needed first."""
    near = similarities(rows)
    return [
        replace(row, flags=tuple(sorted(_of(row, near.get(i)), key=lambda f: -f.need)))
        for i, row in enumerate(rows)
    ]


def _of(row: Dubbed, similarity: float | None) -> list[Flag]:
    """The flags of one row."""
    if row.status == "failed":
        return [Flag("failed", 1.0)]
    f, flags = row.figures or {}, []

    def below(kind: str, name: str, limit: float, least: float, most: float) -> None:
        """Flag a figure under its limit; the need grows from `least` there to `most` at zero."""
        if name in f and f[name] < limit:
            share = min(1.0, (limit - f[name]) / abs(limit))
            flags.append(Flag(kind, least + (most - least) * share, f[name]))

    def above(kind: str, name: str, limit: float, need: float) -> None:
        if name in f and f[name] > limit:
            flags.append(Flag(kind, need, f[name]))

    below("confidence", "confidence", MIN_CONFIDENCE, 0.7, 0.95)
    below("word", "word", WORD, 0.5, 0.7)
    above("rushed", "rushed", RUSHED - 1, 0.6)
    above("unheard", "unheard", UNHEARD, 0.5)
    below("disagree", "agreement", AGREEMENT, 0.5, 0.8)
    below("melody", "melody", MELODY, 0.4, 0.8)
    above("fast", "pace", FAST, 0.4)
    below("slow", "pace", SLOW, 0.35, 0.5)
    above("clipped", "clipped", CLIPPED - 1, 0.6)
    below("noisy", "snr", SNR, 0.4, 0.8)
    above("lowered", "lowered", LOWERED, 0.35)
    if similarity is not None and similarity < SIMILARITY:
        flags.append(Flag("similarity", 0.5, similarity))
    if row.status == "passed":  # by its sound alone: it may be a line after all
        flags.append(Flag("nonverbal", 0.4 if f.get("cry") else 0.1))
    elif _laughs(row.take.line.text):
        flags.append(Flag("laugh", 0.2))
    line = row.take.line
    if line.start is not None and line.end is not None and not row.take.cut:
        over = row.take.seconds - (line.end - line.start)
        if over > _LATE:
            flags.append(Flag("long", 0.35, over))
    return flags


def _laughs(text: str) -> bool:
    try:
        return any(event.kind != "direction" for event in take_out(text)[1])
    except TextError:  # told elsewhere
        return False


def similarities(rows: Sequence[Dubbed]) -> dict[int, float]:
    """How alike each conversion's voice is to the mean of its character's others, by row.

    Cosine of Resemblyzer's embeddings; of characters with at least four lines in one voice.
    """
    own: dict[tuple, dict[int, np.ndarray]] = defaultdict(dict)
    for i, row in enumerate(rows):
        if row.who is not None:
            role = row.take.role
            own[row.take.line.character, role.voice, role.pitch][i] = np.array(row.who)
    found = {}
    for lines in own.values():
        if len(lines) < 4:
            continue
        total = np.sum([*lines.values()], axis=0)
        for i, embedding in lines.items():
            others = total - embedding
            found[i] = float(embedding @ others / np.linalg.norm(others))
    return found


def reason(flag: Flag, lang: Lang) -> str:
    """Why a line should be looked at, with what was measured.

    Raises:
        KeyError: a kind of flag that has no words.
    """
    why = say(f"reason.{flag.kind}", lang)
    measure = f"value.{flag.kind}"
    if flag.value is None or measure not in codes():
        return why
    return f"{why} ({say(measure, lang, value=flag.value)})"
