"""A script's line to plain Hangul, spaces and `. , ? !`. Whatever has no sure reading is an error."""

import re
import unicodedata
from pathlib import Path
from typing import NamedTuple

from moksori.errors import TextError
from moksori.messages import Message, message
from moksori.text.directions import Event, take_out
from moksori.text.latin import PHRASE, WORD, english, read_word
from moksori.text.lexicon import load_lexicon
from moksori.text.numbers import MONEY, Spoken, read_number

_FULL_WIDTH = range(0xFF01, 0xFF5F)  # to their plain forms; their brackets are read as brackets
_PLAIN = {code: code - 0xFEE0 for code in _FULL_WIDTH if chr(code) not in "（）［］＜＞"}
_PLAIN |= str.maketrans("、。　\u00a0〜∼∽⋯‥", ",.  ~~~……")
# Marks that are written but not spoken: quotation marks and the brackets of titles.
_SILENT = "'\"‘’“”„「」『』《》〈〉<>\u200b\u200c\u200d\ufeff\u00ad"
_PAUSES = {":": ",", ";": ",", "—": ",", "–": ",", "-": " ", "·": " ", "ㆍ": " ", "/": " ", "\t": " ",
           "\n": " ", "\r": " ", "\u2003": " ", "\u2009": " "}  # fmt: skip
_SPOKEN_SIGNS = {"&": "앤드", "+": "플러스", "=": "는", "@": "골뱅이", "#": "샵", "×": "곱하기",
                 "÷": "나누기", "㈜": "주식회사", "№": "넘버", "%": "퍼센트"}  # fmt: skip


class Doubt(NamedTuple):
    """A reading that a person should look at."""

    text: str  # as written
    reading: str
    offset: int  # in the line composed to NFC, without a byte-order mark
    reason: Message
    other: str = ""  # what it may be read as instead


class Plain(NamedTuple):
    """A line without anything that is not plainly spoken, and what was found in it."""

    text: str
    events: list[Event]
    doubts: list[Doubt]


def normalize(line: str, spell: bool = False, lexicon: Path | None = None) -> str:
    """Bring a line to the characters that `pronounce` reads.

    Numbers and Latin letters are read, directions and ㅋㅋㅋ leave the text, quotation marks go,
    ellipses and dashes become pauses, repeated marks become one. Normalising a normalised line changes
    nothing.

    Args:
        line: one line of a script or transcript.
        spell: read English words that are not in the dictionary letter by letter.
        lexicon: a show's own readings, as `load_lexicon`; here those of words not in Hangul.

    Returns:
        Hangul syllables, single spaces and `. , ? !`.

    Raises:
        TextError: nothing to speak, unbalanced brackets, or a character or word without a sure
            reading, with its place and fix.
    """
    return scan(line, spell, lexicon).text


def scan(line: str, spell: bool = False, lexicon: Path | None = None) -> Plain:
    """As `normalize`, with the events taken out and the readings in doubt."""
    composed = unicodedata.normalize("NFC", line.removeprefix("\ufeff"))
    text, events = take_out(composed.translate(_PLAIN))
    words = load_lexicon(lexicon)
    out, doubts = [], []
    offset = 0
    while offset < len(text):
        char = text[offset]
        if words.pattern and (own := words.pattern.match(text, offset)):
            out.append(words.written[own.group().lower()])
            offset = own.end()
            continue
        phrase = PHRASE.match(text, offset)
        if phrase and phrase.group().lower() in english():
            out.append(english()[phrase.group().lower()])
            offset = phrase.end()
            continue
        if number := _number_at(text, offset):
            out.append(number.text)
            if number.doubt:
                written = text[offset : number.end]
                reason = message(number.doubt)
                doubts.append(
                    Doubt(
                        text=written,
                        reading=number.text,
                        offset=offset,
                        reason=reason,
                        other=number.other,
                    )
                )
            offset = number.end
            continue
        if word := WORD.match(text, offset):
            reading = read_word(word.group(), composed, offset, spell)
            out.append(reading)
            if word.group().lower() not in english():
                doubts.append(
                    Doubt(
                        text=word.group(),
                        reading=reading,
                        offset=offset,
                        reason=message("doubt.spelled"),
                    )
                )
            offset = word.end()
            continue
        out.append(_character(char, composed, text, offset))
        offset += 1
    return Plain(_tidy("".join(out), composed), events, doubts)


def _number_at(text: str, offset: int) -> Spoken | None:
    starts = text[offset].isascii() and text[offset].isdigit()
    if (
        starts
        or text[offset] in MONEY
        or (text[offset] in "-−＋+" and text[offset + 1 : offset + 2].isdigit())
    ):
        return read_number(text, offset)
    return None


def _character(char: str, composed: str, text: str, offset: int) -> str:
    if "가" <= char <= "힣" or char in " .,?!":
        return char
    if char in _SILENT or (char == "~" and _lengthens(text, offset)):
        return ""
    if char == "…":
        return char
    if char in _PAUSES:
        return _PAUSES[char]
    if char in _SPOKEN_SIGNS:
        return _SPOKEN_SIGNS[char]
    kind = _kind(char)
    what = message("text.unreadable", char=composed[offset], fix=message(f"text.fix.{kind}"))
    raise TextError(what, composed, offset)


def _tidy(spoken: str, composed: str) -> str:
    """Spaces and marks as the phones know them."""
    spoken = re.sub(r"\.{2,}", "…", spoken)
    spoken = re.sub(r"[\s.,?!…]*[.,?!…]", _one_mark, spoken)
    spoken = re.sub(r"(?<=[.,?!])(?=[가-힣])", " ", spoken)
    spoken = re.sub(r"\s+", " ", spoken).strip().lstrip(".,?! ")
    if not re.search("[가-힣]", spoken):
        raise TextError(message("text.no_speech"), composed)
    return spoken


def _one_mark(match: re.Match[str]) -> str:
    """The one mark that a run of marks is read as: a question outweighs a cry outweighs the others.

    An ellipsis is a pause inside a line and a stop at its end.
    """
    marks = match.group()
    if "…" in marks and not set("?!") & set(marks):
        return "." if match.end() == len(match.string.rstrip()) else ","
    return next(mark for mark in "?!.," if mark in marks)


def _lengthens(text: str, offset: int) -> bool:
    """Whether `~` only drags a sound out (안녕~), not naming a range between words (서울~부산)."""
    after = text[offset + 1 : offset + 2]
    if after.isspace():
        after = ""
    before = text[:offset].rstrip("~!?")[-1:]
    return "가" <= before <= "힣" and (not after or after in "~.,?!…'\"”’")


def _kind(char: str) -> str:
    name, category = unicodedata.name(char, ""), unicodedata.category(char)
    if category[0] == "N":
        return "digit"
    for kind, part in (("latin", "LATIN"), ("jamo", "HANGUL"), ("hanja", "CJK"), ("kana", "KANA")):
        if part in name:
            return kind
    return "emoji" if category == "So" else "other"
