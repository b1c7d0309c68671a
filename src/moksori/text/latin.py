"""Latin letters in a line: words of `english.tsv`, else abbreviations letter by letter."""

import re
from functools import cache
from importlib.resources import files

from moksori.errors import TextError
from moksori.messages import message
from moksori.text.numbers import decimal

_LETTERS = {
    "A": "에이", "B": "비", "C": "씨", "D": "디", "E": "이", "F": "에프", "G": "지", "H": "에이치",
    "I": "아이", "J": "제이", "K": "케이", "L": "엘", "M": "엠", "N": "엔", "O": "오", "P": "피",
    "Q": "큐", "R": "알", "S": "에스", "T": "티", "U": "유", "V": "브이", "W": "더블유", "X": "엑스",
    "Y": "와이", "Z": "제트",
}  # fmt: skip
# Only if the dictionary has it: 3D, H2O, thank you.
PHRASE = re.compile(r"\d+[A-Za-z]+|[A-Za-z]+\d+[A-Za-z]+\d*|[A-Za-z']+ [A-Za-z']+")
# A full stop that shortens is part of the word: U.S.A.에서, Mr. Kim, No. 1.
# What blood types and marks have behind them is said: Rh-, A-.
WORD = re.compile(
    r"(?i:rh)[-−+]|(?<![A-Za-z])[A-DF][-−](?=[\s가-힣.,?!]|$)"
    r"|(?:[A-Za-z]\.){2,}(?=[가-힣]|\s?\d)|(?i:mrs?|ms|dr|vs)\.(?=\s?\w)|(?i:no|lv|vol|ep)\.(?=\s?\d)"
    r"|[A-Za-z]+(?:['’.&-][A-Za-z]+)*(?:-?\d+)?"
)
_DOTTED = re.compile(r"[A-Za-z](?:\.[A-Za-z])+\.?")  # letters one by one: a.m. is not am
_NAMES = ("WHO", "OR", "IS")  # and words
_ROMAN = {"I": 1, "V": 5, "X": 10}
_LONGEST_ABBREVIATION = 5


@cache
def english() -> dict[str, str]:
    """Readings of English words by their lower-case spelling."""
    path = files("moksori.text") / "english.tsv"
    try:
        rows = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise TextError(message("text.package_file", file=path), "") from None
    return dict(row.split("\t") for row in rows if row and not row.startswith("#"))


def phrase_at(text: str, offset: int) -> tuple[str, int] | None:
    """The reading and the end of two words, or of a number and letters, that the dictionary has."""
    if not (phrase := PHRASE.match(text, offset)):
        return None
    written = phrase.group()
    reading = english().get(written) or english().get(written.lower())
    return (reading, phrase.end()) if reading else None


def known(word: str) -> str:
    """The reading of a word in Latin letters that the dictionary has; "" if it has none."""
    plain = word.replace("’", "'")
    whole = "" if _DOTTED.fullmatch(plain) else plain.lower().replace(".", "")
    spellings = (plain, plain.lower(), whole)
    return next((english()[spelling] for spelling in spellings if spelling in english()), "")


def by_letter(word: str, line: str, offset: int) -> str:
    """The letters of a name that is written as a word (WHO에서), unless an English word is beside it."""
    end = offset + len(word)
    beside = re.search("[A-Za-z'] $", line[:offset]) or re.match(" [A-Za-z]", line[end:])
    return _by_letter(word) if word in _NAMES and not beside else ""


def roman(word: str) -> int:
    """The value of a Roman numeral of two letters and more, to 39; 0 if it is none."""
    if len(word) < 2 or not re.fullmatch("X{0,3}(?:IX|IV|V?I{0,3})", word):
        return 0
    values = [_ROMAN[letter] for letter in word]
    return sum(-a if a < b else a for a, b in zip(values, [*values[1:], 0], strict=True))


def read_word(word: str, line: str, offset: int, spell: bool = False) -> str:
    """Read a word in Latin letters.

    Args:
        word: as written, e.g. TV, happy, MP3, L.A.
        line: the whole line, for the error.
        offset: of the word in the line.
        spell: read words that are not in the dictionary letter by letter.

    Returns:
        Hangul.

    Raises:
        TextError: a word that is not in the dictionary and not an abbreviation.
    """
    plain = word.replace("’", "'")
    if len(plain) == 1 and plain.isupper():
        return _LETTERS[plain]
    if reading := known(plain):
        return reading
    if plain[-1] in "-−":
        return f"{_LETTERS[plain[0]]} 마이너스"
    stem = plain.rstrip("-0123456789")
    number = plain[len(stem) :].lstrip("-")
    letters = re.sub(r"[^A-Za-z]", "", stem).upper()
    short = stem.isupper() or len(letters) == 1 or _DOTTED.fullmatch(stem)
    spelled = len(letters) <= _LONGEST_ABBREVIATION and short
    if "&" in stem:
        return "앤".join(
            _by_letter(part)
            if part.isalpha() and part.isupper() and len(part) <= _LONGEST_ABBREVIATION
            else read_word(part, line, offset, spell)
            for part in plain.split("&")
        )
    if "-" in stem:
        return " ".join(read_word(part, line, offset, spell) for part in plain.split("-"))
    if number and len(stem) > 1 and (part := english().get(stem.lower())):
        return part + decimal(number)
    if not (spelled or spell):
        raise TextError(message("text.unknown_word", word=word), line, offset)
    return _by_letter(letters) + (decimal(number) if number else "")


def _by_letter(letters: str) -> str:
    return "".join(_LETTERS[letter] for letter in letters)
