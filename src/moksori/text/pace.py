"""How fast a text would have to be said to be a recording's."""

from moksori.config import Seconds
from moksori.errors import TextError
from moksori.messages import message
from moksori.text.reading import Reading
from moksori.text.symbols import SILENT_SYMBOLS

# Phones a second: see docs/figures.md for the corpus's, with room for dragged and hurried acting.
_PHONES_A_SECOND = (2.5, 26.0)


def pace(symbols: list[str], length: Seconds) -> float:
    """Phones a second, marks and spaces not counted."""
    return sum(symbol not in SILENT_SYMBOLS for symbol in symbols) / length


def check_pace(reading: Reading, length: Seconds) -> None:
    """See that a text can be what is said in a recording of this length.

    Raises:
        TextError: far too many phones a second, or too few.
    """
    low, high = _PHONES_A_SECOND
    speed = pace(reading.phones, length)
    if not low <= speed <= high:
        what = message(
            "text.pace", word=message("text.short" if speed < low else "text.long"), seconds=length,
            phones=speed * length, speed=speed, low=low, high=high,
        )  # fmt: skip
        raise TextError(what, reading.original)
