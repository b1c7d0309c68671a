"""A script's line to plain Hangul, spaces and `. , ? !`. Whatever has no sure reading is an error."""

import re
import unicodedata

from moksori.errors import TextError

_FULL_WIDTH = str.maketrans("，．？！：；～（）　、。", ",.?!:;~() ,.")
# Marks that are written but not spoken: quotation marks and the brackets of titles.
_SILENT = "'\"‘’“”「」『』《》〈〉"
_PAUSES = {
    ":": ",",
    ";": ",",
    "—": ",",
    "–": ",",
    "·": " ",
    "ㆍ": " ",
    "\t": " ",
    "\n": " ",
    "\r": " ",
}

_MENDS = {
    "digit": "write the number as it is spoken: 3시 → 세 시",
    "latin": "write the word as it is spoken: TV → 티브이",
    "bracket": "take directions out of the line: (웃음) 안녕 → 안녕",
    "jamo": "write whole syllables, or take it out: ㅋㅋㅋ",
    "other": "write it in Hangul as it is spoken, or take it out",
}


def normalize(line: str) -> str:
    """Bring a line to the characters that `pronounce` reads.

    Quotation marks go, ellipses and dashes become pauses, repeated marks become one. Normalising a
    normalised line changes nothing.

    Args:
        line: one line of a script or transcript.

    Returns:
        Hangul syllables, single spaces and `. , ? !`.

    Raises:
        TextError: nothing to speak, or a character without a sure reading, with its place and mend.
    """
    composed = unicodedata.normalize("NFC", line.removeprefix("\ufeff"))
    text = composed.translate(_FULL_WIDTH)
    out = []
    for offset, char in enumerate(text):
        if "가" <= char <= "힣" or char in " .,?!":
            out.append(char)
        elif char in _SILENT or (char == "~" and _lengthens(text, offset)):
            continue
        elif char == "…":
            out.append("..")
        elif char in _PAUSES:
            out.append(_PAUSES[char])
        else:
            kind = _kind(char)
            raise TextError(f"cannot read “{char}” aloud; {_MENDS[kind]}", composed, offset)
    spoken = "".join(out)
    spoken = re.sub(r"\.{2,}(?=\s*[^\s.,?!])", ",", spoken)  # an ellipsis inside a line is a pause
    spoken = re.sub(r"[\s.,?!]*[.,?!]", _one_mark, spoken)
    spoken = re.sub(r"(?<=[.,?!])(?=[가-힣])", " ", spoken)
    spoken = re.sub(r"\s+", " ", spoken).strip().lstrip(".,?! ")
    if not re.search("[가-힣]", spoken):
        raise TextError("the line has no speech; give the words that the actor says", composed)
    return spoken


def _one_mark(match: re.Match[str]) -> str:
    """The one mark that a run of marks is read as: a question outweighs a cry outweighs a stop."""
    marks = match.group()
    return next(mark for mark in "?!.," if mark in marks)


def _lengthens(text: str, offset: int) -> bool:
    """Whether `~` only drags a sound out (안녕~) rather than naming a range (16~18)."""
    after = text[offset + 1 : offset + 2]
    return "가" <= text[offset - 1 : offset] <= "힣" and (not after or after in "~ .,?!…'\"”’")


def _kind(char: str) -> str:
    name = unicodedata.name(char, "")
    if unicodedata.category(char)[0] == "N":
        return "digit"
    if "LATIN" in name:
        return "latin"
    if char in "()[]{}<>":
        return "bracket"
    return "jamo" if "HANGUL" in name else "other"
