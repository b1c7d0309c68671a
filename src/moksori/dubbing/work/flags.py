"""Which lines a person should look at, and how badly: one table, a rule a line.

A flag is a rule here, its words `reason.KIND` and `value.KIND` in the catalogue of messages, and a row of
docs/dubbing.md. The limits were set on half of the test split's texts, right lines and spoiled ones; on the
other half `benchmarks/retakes.py` measures how many spoiled lines they catch (docs/figures.md).
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from moksori.conversion.converter import MIN_CONFIDENCE
from moksori.conversion.slips import LIMIT
from moksori.dubbing.plan.preflight import overlaps
from moksori.dubbing.records import Dubbed, Flag
from moksori.dubbing.work.metrics import WORDLESS
from moksori.errors import TextError
from moksori.messages import Lang, Message, codes, message, say
from moksori.text.directions import take_out


class Measured(NamedTuple):
    """A row, and what only all rows together tell of it."""

    row: Dubbed
    similarity: float | None  # of its voice to the character's other lines
    overlap: float | None  # seconds with another line of the character

    def metric(self, name: str) -> float | None:
        """Of the take or its conversion; see metrics.py."""
        return (self.row.metrics or {}).get(name) if self.row.status != "failed" else None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When a line is flagged.

    Attributes:
        kind: of the flag.
        measure: of a row; None where it does not apply.
        limit: from which on it is flagged: below it, or above it.
        below: whether small values are the bad ones.
        severity: at the limit, and at its worst: at zero if `below`, at twice the limit if not.
        detail: what else there is to say of a row that is flagged.
    """

    kind: str
    measure: Callable[[Measured], float | None]
    limit: float
    below: bool = False
    severity: tuple[float, float]
    detail: Callable[[Measured], Message | None] = lambda measured: None

    def flag(self, measured: Measured) -> Flag | None:
        """The row's flag of this kind, if it has one."""
        value = self.measure(measured)
        if value is None or not (value < self.limit if self.below else value > self.limit):
            return None
        share = min(1.0, abs(value - self.limit) / abs(self.limit)) if self.limit else 1.0
        least, worst = self.severity
        return Flag(self.kind, least + (worst - least) * share, value, self.detail(measured))


def _metric(name: str) -> Callable[[Measured], float | None]:
    return lambda measured: measured.metric(name)


def _failed(measured: Measured) -> float:
    return float(measured.row.status == "failed")


def _passed(measured: Measured) -> float | None:
    """`nonverbal` of metrics.py for a line that stays as recorded."""
    if measured.row.status != "passed":
        return None
    return measured.metric("nonverbal") or WORDLESS


def _converted_nonverbal(measured: Measured) -> float | None:
    """As `_passed`, for a line that was converted though it has no words."""
    return measured.metric("nonverbal") if measured.row.status == "converted" else None


def _laughs(measured: Measured) -> float | None:
    if measured.row.status != "converted" or measured.metric("nonverbal"):
        return None
    try:
        return float(
            any(e.kind in ("laugh", "cry") for e in take_out(measured.row.take.line.text)[1])
        )
    except TextError:  # reported elsewhere
        return None


def _slip(measured: Measured) -> float | None:
    slip = measured.row.slip
    return None if slip is None or measured.row.status == "failed" else slip.gain


def _instead(measured: Measured) -> Message | None:
    """What was heard instead of a word of the text."""
    slip = measured.row.slip
    return slip and message(f"slip.{slip.kind}", word=slip.word, heard=slip.heard)


def _skipped(measured: Measured) -> Message | None:
    """The words that the phones of `rushed` belong to: of so many in a row, those with the least time."""
    row, count = measured.row, int(measured.metric("rushed") or 0)
    if not 0 < count <= len(row.phones):
        return None
    times = np.array([phone.end - phone.begin for phone in row.phones])
    first = int(np.convolve(times, np.ones(count), "valid").argmin())
    middles = [(phone.begin + phone.end) / 2 for phone in row.phones]
    in_it = middles[first : first + count]
    skipped = []
    for word in row.words:
        own = sum(word.begin <= middle < word.end for middle in middles)
        share = sum(word.begin <= middle < word.end for middle in in_it) / max(1, own)
        skipped.append((share, word.label))
    most = max(skipped)[0] if skipped else 0.0
    words = [label for share, label in skipped if share and share >= min(most, 0.5)]
    return message("rushed.words", words=" ".join(words)) if words else None


def _too_long(measured: Measured) -> float | None:
    """Seconds that a recording is longer than its slot."""
    take, line = measured.row.take, measured.row.take.line
    if measured.row.status == "failed" or line.start is None or line.end is None or take.cut:
        return None
    return take.seconds - (line.end - line.start)


RULES = (
    Rule(kind="failed", measure=_failed, limit=0.5, severity=(1.0, 1.0)),
    Rule(
        kind="confidence", measure=_metric("confidence"), limit=MIN_CONFIDENCE, below=True,
        severity=(0.7, 0.95),
    ),
    Rule(kind="word", measure=_metric("word"), limit=0.1, below=True, severity=(0.3, 0.3)),
    Rule(kind="slip", measure=_slip, limit=LIMIT, severity=(0.5, 0.7), detail=_instead),
    Rule(kind="rushed", measure=_metric("rushed"), limit=2, severity=(0.6, 0.6), detail=_skipped),
    Rule(kind="unheard", measure=_metric("unheard"), limit=0.25, severity=(0.3, 0.3)),
    Rule(kind="disagree", measure=_metric("agreement"), limit=0.5, below=True, severity=(0.5, 0.8)),
    Rule(kind="fast", measure=_metric("pace"), limit=20.0, severity=(0.4, 0.4)),
    Rule(kind="slow", measure=_metric("pace"), limit=5.0, below=True, severity=(0.35, 0.5)),
    Rule(kind="clipped", measure=_metric("clipped"), limit=2, severity=(0.6, 0.6)),
    Rule(kind="noisy", measure=_metric("snr"), limit=30.0, below=True, severity=(0.4, 0.8)),
    Rule(kind="lowered", measure=_metric("lowered"), limit=3.0, severity=(0.35, 0.35)),
    Rule(kind="similarity", measure=lambda m: m.similarity, limit=0.8, below=True, severity=(0.5, 0.5)),
    Rule(kind="nonverbal", measure=_passed, limit=0.9, severity=(0.1, 0.4)),
    Rule(kind="sound", measure=_converted_nonverbal, limit=0.9, severity=(0.1, 0.4)),
    Rule(kind="laugh", measure=_laughs, limit=0.5, severity=(0.2, 0.2)),
    Rule(kind="long", measure=_too_long, limit=0.05, severity=(0.35, 0.35)),
    Rule(kind="overlap", measure=lambda m: m.overlap, limit=0.05, severity=(0.35, 0.35)),
)  # fmt: skip


def flag(rows: Sequence[Dubbed]) -> list[Dubbed]:
    """The same rows with their flags, the most severe first."""
    near, crossing = similarities(rows), _overlaps(rows)
    flagged = []
    for i, row in enumerate(rows):
        measured = Measured(row, near.get(i), crossing.get(row.take.id))
        rules = RULES[:1] if row.status == "failed" else RULES
        found = [f for rule in rules if (f := rule.flag(measured))]
        flagged.append(replace(row, flags=tuple(sorted(found, key=lambda f: -f.severity))))
    return flagged


def _overlaps(rows: Sequence[Dubbed]) -> dict[str, float]:
    """Seconds that a line overlaps an earlier one of its character by the script, by the take's id."""
    ids = {row.take.line.place: row.take.id for row in rows}
    found: dict[str, float] = {}
    for issue in overlaps([row.take for row in rows]):
        if issue.kind == "overlap" and not isinstance(issue.place, str):
            id = ids[issue.place]
            found[id] = max(found.get(id, 0.0), float(str(issue.values["by"])))
    return found


def similarities(rows: Sequence[Dubbed]) -> dict[int, float]:
    """How alike each conversion's voice is to the mean of its character's others, by row.

    Cosine of Resemblyzer's embeddings; of characters with at least four lines in one voice.
    """
    own: dict[tuple[str, str, float], dict[int, np.ndarray]] = defaultdict(dict)
    for i, row in enumerate(rows):
        if row.embedding is not None:
            role = row.take.role
            own[row.take.line.character, role.voice, role.pitch][i] = np.array(row.embedding)
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
    why, measure = say(f"reason.{flag.kind}", lang), f"value.{flag.kind}"
    if flag.detail is not None:
        why = f"{why}: {flag.detail.say(lang)}"
    if flag.value is None or measure not in codes():
        return why
    return f"{why} ({say(measure, lang, value=flag.value)})"
