"""Everything that the front end makes of a line, for those who check readings."""

import unicodedata
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from moksori.config import MAX_CHARACTERS
from moksori.errors import TextError
from moksori.messages import Lang, message
from moksori.text.directions import Event
from moksori.text.g2p import pronounce_normalized
from moksori.text.normalize import Doubt, scan
from moksori.text.symbols import phones

_LANGS: tuple[Lang, ...] = ("ko", "en")


@dataclass(frozen=True)
class Reading:
    """A line and how it is read."""

    original: str
    normalized: str
    pronounced: str
    phones: list[str]
    events: list[Event]  # directions and laughs that left the text
    doubts: list[Doubt]  # readings that a person should look at

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        values = asdict(self)
        values["events"] = [event._asdict() for event in self.events]
        values["doubts"] = [
            doubt._asdict()
            | {
                "reason": {"code": doubt.reason.code}
                | {lang: doubt.reason.say(lang) for lang in _LANGS}
            }
            for doubt in self.doubts
        ]
        return values


@lru_cache(maxsize=4096)  # a script's line is read once in a process
def _read(line: str, spell: bool, lexicon: Path | None, cross_word: bool, changed: int) -> Reading:
    """As `read`; `changed` is when the lexicon was, so that an edited one is read anew."""
    plain = scan(line, spell, lexicon)
    pronounced, guesses = pronounce_normalized(plain.text, lexicon, cross_word)
    doubts, place, written = (
        list(plain.doubts),
        0,
        unicodedata.normalize("NFC", line.removeprefix("\ufeff")),
    )
    for word, reading, other in guesses:
        place = max(written.find(word, place), 0)  # 0 if the word came from a number
        doubts.append(
            Doubt(
                text=word,
                reading=reading,
                offset=place,
                reason=message("doubt.meaning"),
                other=other,
            )
        )
        place += 1
    doubts.sort(key=lambda doubt: doubt.offset)
    return Reading(
        original=line,
        normalized=plain.text,
        pronounced=pronounced,
        phones=phones(pronounced),
        events=plain.events,
        doubts=doubts,
    )


def read(
    line: str, spell: bool = False, lexicon: Path | str | None = None, cross_word: bool = True
) -> Reading:
    """Read a line.

    Args:
        line: as the script has it.
        spell: read English words that are not in the dictionary letter by letter.
        lexicon: a show's own readings, as `load_lexicon`.
        cross_word: as `pronounce`.

    Raises:
        TextError: as `normalize`; a line of more than `MAX_CHARACTERS`.
        LexiconError: as `load_lexicon`.
    """
    if len(line) > MAX_CHARACTERS:
        raise TextError(message("script.whole_page", number=len(line)), line[:MAX_CHARACTERS])
    lexicon = None if lexicon is None else Path(lexicon)
    changed = lexicon.stat().st_mtime_ns if lexicon is not None and lexicon.exists() else 0
    kept = _read(line, spell, lexicon, cross_word, changed)
    # Lists of the caller's own, so that what he does to them is not in the next reading.
    return replace(kept, phones=[*kept.phones], events=[*kept.events], doubts=[*kept.doubts])
