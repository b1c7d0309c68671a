"""A language's front end as one object: all that the rest of Moksori asks of a language.

Another language is another `FrontEnd` and a line of `FRONT_ENDS`. A model is trained on the symbols of one,
and says so in its card.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from moksori.text import nonverbal
from moksori.text.reading import Reading, read
from moksori.text.sounds import SOUNDS
from moksori.text.symbols import SYMBOLS, ids
from moksori.text.visemes import VOWELS, visemes
from moksori.text.visemes_by_weight import Weights, weighted_visemes


class Reads(Protocol):
    """Reads a line as it is spoken."""

    def __call__(self, line: str, spell: bool = False, lexicon: Path | None = None) -> Reading:
        """Read a line.

        Args:
            line: as the script has it.
            spell: read unknown foreign words letter by letter.
            lexicon: a show's own readings.

        Raises:
            TextError: it cannot be read aloud; the message names the place and the fix.
        """


@dataclass(frozen=True, kw_only=True)
class FrontEnd:
    """What a language has to supply.

    Attributes:
        code: of the language, ISO 639-1.
        symbols: that a model's text encoder knows; their order is their number.
        read: a line to what is spoken, its phones, and what a person should check.
        ids: phones to numbers of `symbols`.
        is_wordless: whether a line holds no word at all.
        is_nonverbal: whether a line is only cries and breaths, though it is written in letters.
        sounds: what can be told apart without a text: the symbols of each class, silence first.
        visemes: mouth shapes of a phone, given the shape before it and the phone after it.
        weighted_visemes: the same as weights of Oculus's visemes, given the phone after it.
        vowels: the phones whose shape lasts.
    """

    code: str
    symbols: tuple[str, ...]
    read: Reads
    ids: Callable[[list[str]], list[int]]
    is_wordless: Callable[[str], bool]
    is_nonverbal: Callable[[str], bool]
    sounds: tuple[str, ...]
    visemes: Callable[[str, str, str], str]
    weighted_visemes: Callable[[str, str], tuple[Weights, ...]]
    vowels: frozenset[str]

    def names_sound(self, text: str) -> bool:
        """Whether a single line's text names a sound without words: (웃음), but not dots.

        Beside no script, dots alone are rather a text that is missing.

        Raises:
            TextError: as `is_wordless`.
        """
        return any(map(str.isalnum, text)) and self.is_wordless(text)


KOREAN = FrontEnd(
    code="ko",
    symbols=SYMBOLS,
    read=read,
    ids=ids,
    is_wordless=nonverbal.is_wordless,
    is_nonverbal=nonverbal.is_nonverbal,
    sounds=SOUNDS,
    visemes=visemes,
    weighted_visemes=weighted_visemes,
    vowels=VOWELS,
)
FRONT_ENDS = {front_end.code: front_end for front_end in (KOREAN,)}
