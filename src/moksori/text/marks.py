"""Marks of a line, before anything is read: what cannot be seen goes, what looks alike becomes one sign."""

import re
import unicodedata
from typing import NamedTuple

from moksori.text.morphemes import analyse
from moksori.text.syllables import VOWELS, compose, decompose

# Unicode's Default_Ignorable_Code_Point: zero-width, direction and variation marks, fillers.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
_SPACES = "\t\n\x0b\x0c\r\x85\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_ALIKE = {
    "~": "〜∼∽～˜∿〰", "…": "⋯‥︙⋮", "-": "‐‑﹣", "–": "‒", "—": "―⏤⎯⸺⸻─━﹘", "·": "・‧⋅∙･",
    ",": "、､﹐", ".": "。｡﹒", "!": "‼❗❕﹗", "?": "⁇⁈⁉❓❔﹖", "ー": "ｰ", '"': "``´〝〞〟❝❞＂«»｢｣″",
    "'": "‹›❛❜‚‛ʻʼ′",
}  # fmt: skip
_FULL_WIDTH = range(0xFF01, 0xFF5F)  # to their plain forms; their brackets are read as brackets
_HALF_WIDTH = [*range(0xFF66, 0xFFDD), *range(0xFFE8, 0xFFEF)]  # kana, letters of Hangul, signs
_PLAIN = {code: code - 0xFEE0 for code in _FULL_WIDTH if chr(code) not in "（）［］＜＞"}
_PLAIN |= {
    code: int(narrow.split()[1], 16)
    for code in _HALF_WIDTH
    if (narrow := unicodedata.decomposition(chr(code))).startswith("<narrow>")
}
_PLAIN |= {ord(char): ord(sign) for sign, chars in _ALIKE.items() for char in chars}
_WEEKDAYS = re.compile("[월화수목금토일]{2}")  # 월~금
_SPACE = re.compile(f"[{_SPACES}]")
_RUN_BEFORE, _RUN_AFTER = re.compile("[가-힣0-9A-Za-z]+$"), re.compile("[가-힣0-9A-Za-z]+")
# How a vowel sounds on: 야 as 아.
_TAILS = dict(zip("ㅑㅒㅕㅖㅘㅙㅚㅛㅝㅞㅟㅠㅢ", "ㅏㅐㅓㅔㅏㅐㅔㅗㅓㅔㅣㅜㅣ", strict=True))


class Clean(NamedTuple):
    """A line with plain marks."""

    text: str
    places: list[int]  # of each character, and of the end, in the line that was cleaned


def clean(line: str) -> Clean:
    """Take out what cannot be seen; make marks, spaces and letters of another width plain."""
    places = [i for i, char in enumerate(line) if not _INVISIBLE.match(char)]
    text = "".join(line[i] for i in places).translate(_PLAIN)
    return Clean(_SPACE.sub(" ", text), [*places, len(line)])


class Cut(NamedTuple):
    """An event that stands inside a word: 진ㅋㅋ짜."""

    written: str  # the word with the event in it
    reading: str
    other: str
    begin: int  # of the word
    cut: (
        tuple[int, int] | None
    )  # what to leave out so that the word is whole; None if it is two words


def cut_word(line: str, offset: int, event: str) -> Cut | None:
    """What an event at `offset` does to the word around it; None if none is on one of its sides.

    진ㅋㅋ짜 is 진짜 and 서울(수도)은 서울은, but 아니ㅋㅋ왜 is two words.
    """
    end = offset + len(event)
    left, right = _RUN_BEFORE.search(line[:offset]), _RUN_AFTER.match(line, end)
    if not left or not right:
        return None
    together, apart = left.group() + right.group(), f"{left.group()} {right.group()}"
    after = [p for p in analyse(together, compounds=False) if p.begin == len(left.group())]
    number = left.group()[-1].isdigit()  # 3(세)명
    one = number or not after or after[0].opens.startswith(("E", "J", "XS", "VC"))
    return Cut(
        written=line[left.start() : right.end()],
        reading=together if one else apart,
        other=apart if one else together,
        begin=left.start(),
        cut=(offset, end) if one else None,
    )


def join(text: str, cuts: list[Cut]) -> tuple[str, list[int]]:
    """A line without what cuts its words; and the places of its characters, and of its end, in `text`."""
    left_out = {i for cut in cuts if cut.cut for i in range(*cut.cut)}
    kept = [i for i in range(len(text)) if i not in left_out]
    return "".join(text[i] for i in kept), [*kept, len(text)]


def is_inside(text: str, begin: int, end: int) -> bool:
    """Whether `text[begin:end]` drags a sound on: 안~녕, 안~돼, 안녕~하세요; not between nouns: 서울~부산."""
    left, right = _RUN_BEFORE.search(text[:begin]), _RUN_AFTER.match(text, end)
    if not left or not right or _WEEKDAYS.fullmatch(left.group() + right.group()):
        return False
    place = len(left.group())
    pieces = analyse(left.group() + right.group(), compounds=False)
    return any(
        piece.begin < place < piece.end
        or (piece.end == place and piece.closes.startswith(("M", "I", "V", "E", "NP")))
        or (piece.begin == place and piece.opens.startswith(("XS", "E", "VC")))
        for piece in pieces
    )


def lengthened(before: str, written: str, vowel: str) -> str:
    """The syllable that a vowel by itself adds: 가ㅏ → 가아, 야ㅑㅑ → 야아아; "" if it adds none.

    Args:
        before: the last character that was read.
        written: the line up to the vowel.
        vowel: as written, a letter.
    """
    syllable = decompose(before)[0] if before else None
    if not syllable or syllable[2] != " " or vowel not in VOWELS:
        return ""
    if written.endswith(vowel):
        return before
    tail = _TAILS.get(syllable[1], syllable[1])
    return compose(["ㅇ", tail, " "]) if vowel in (syllable[1], tail) else ""
