"""A script's line to plain Hangul, spaces and `. , ? !`. Whatever has no sure reading is an error."""

import re
import unicodedata
from pathlib import Path
from typing import NamedTuple

from moksori.errors import TextError
from moksori.messages import Lang, Message, Value, message, say
from moksori.text.counters import MONEY
from moksori.text.directions import Event, take_out
from moksori.text.latin import WORD, by_letter, known, phrase_at, read_word, roman
from moksori.text.lexicon import Lexicon, load_lexicon
from moksori.text.marks import clean, cut_word, is_inside, join, lengthened
from moksori.text.notation import read_number
from moksori.text.numbers import ENGLISH, Spoken, sino
from moksori.text.sums import read_equals

# Marks that are written but not spoken: quotation marks and the brackets of titles.
_SILENT = "'\"‘’“”„「」『』《》〈〉<>"
_PAUSES = {":": ",", ";": ",", "—": ",", "–": ",", "·": " ", "ㆍ": " ", "/": " "}
_SPOKEN_SIGNS = {"&": "앤드", "+": "플러스", "@": "골뱅이", "#": "샵", "×": "곱하기",
                 "÷": "나누기", "㈜": "주식회사", "№": "넘버", "%": "퍼센트"}  # fmt: skip
_NUMBERED = re.compile(r"\s?(?:세(?!트)|장(?!면)|부(?!터)|편|권|막|절|급|형(?![제님]))")
_NUMBER_STARTS = re.compile(r"[0-9]|(?<!\S)\.[0-9]|[-−＋+][0-9]")


class Doubt(NamedTuple):
    """A reading that a person should look at."""

    text: str  # as written
    reading: str
    offset: int  # in the line composed to NFC, without a byte-order mark
    reason: Message
    other: str = ""  # what it may be read as instead

    def say(self, lang: Lang) -> str:
        """What to check, in words, with all readings."""
        return say("issue.doubt", lang, **self.values)

    @property
    def values(self) -> dict[str, Value]:
        """What the message `issue.doubt` says."""
        readings = message(
            "doubt.both" if self.other else "doubt.one", reading=self.reading, other=self.other
        )
        return {"text": self.text, "readings": readings, "why": self.reason}


class Plain(NamedTuple):
    """A line without anything that is not plainly spoken, and what was found in it."""

    text: str
    events: list[Event]
    doubts: list[Doubt]


def normalize(line: str, spell: bool = False, lexicon: Path | str | None = None) -> str:
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


def scan(line: str, spell: bool = False, lexicon: Path | str | None = None) -> Plain:
    """As `normalize`, with the events taken out and the readings in doubt."""
    composed = unicodedata.normalize("NFC", line.removeprefix("\ufeff"))
    clear = clean(composed)
    try:
        text, events = take_out(clear.text)
        cuts = [cut for event in events if (cut := cut_word(clear.text, event.offset, event.text))]
        text, within = join(text, cuts)
        places = [clear.places[i] for i in within]
        events = [event._replace(offset=clear.places[event.offset]) for event in events]
    except TextError as error:
        raise _placed(error, composed, clear.places) from None
    doubts = [
        Doubt(
            text=cut.written,
            reading=cut.reading,
            offset=clear.places[cut.begin],
            reason=message("doubt.inside"),
            other=cut.other,
        )
        for cut in cuts
    ]
    written = "".join(composed[i] for i in places[:-1])
    try:
        spoken, more = _read(text, written, spell, load_lexicon(lexicon))
        spoken = _tidy(spoken, composed)
    except TextError as error:
        raise _placed(error, composed, places) from None
    doubts += [doubt._replace(offset=places[doubt.offset]) for doubt in more]
    return Plain(spoken, events, doubts)


def _placed(error: TextError, line: str, places: list[int]) -> TextError:
    """The error with its place in the line as it was written."""
    return TextError(error.what, line, None if error.offset is None else places[error.offset])


def _read(text: str, written: str, spell: bool, words: Lexicon) -> tuple[str, list[Doubt]]:
    """What `text` is read as, and the doubts; `written` is as long, with its marks as they were."""
    out: list[str] = []
    doubts: list[Doubt] = []
    offset = 0
    while offset < len(text):
        if words.pattern and (own := words.pattern.match(text, offset)):
            out.append(words.written[own.group().lower()])
            offset = own.end()
            continue
        if "가" <= text[offset] <= "힣":
            out.append(text[offset])
            offset += 1
            continue
        if phrase := phrase_at(text, offset):
            reading, offset = phrase
            out.append(reading)
            continue
        if text[offset] == "=":
            spoken: Spoken | None = read_equals(offset, "".join(out).rstrip())
        else:
            spoken = _number_at(text, offset) or _word_at(text, written, offset, spell)
        if not spoken:
            out.append(_character(text, written, offset, out[-1][-1:] if out else ""))
            offset += 1
            continue
        out.append(spoken.text)
        if spoken.doubt:
            doubts.append(
                Doubt(
                    text=written[offset : spoken.end],
                    reading=spoken.text.strip(),
                    offset=offset,
                    reason=message(spoken.doubt),
                    other=spoken.other,
                )
            )
        offset = spoken.end
    return "".join(out), doubts


def _word_at(text: str, written: str, offset: int, spell: bool) -> Spoken | None:
    if not (word := WORD.match(text, offset)):
        return None
    if (value := roman(word.group())) and (numeral := _numeral(value, text, word)):
        return numeral
    if letters := by_letter(word.group(), text, offset):
        return Spoken(letters, word.end(), "doubt.spelled", known(word.group()))
    reading = read_word(word.group(), written, offset, spell)
    if word.group()[-1] in "-−" and not known(word.group()):  # a mark, or cut off
        return Spoken(reading, word.end(), "doubt.grade", reading.split()[0])
    return Spoken(reading, word.end(), "" if known(word.group()) else "doubt.spelled")


def _numeral(value: int, text: str, word: re.Match[str]) -> Spoken | None:
    """루이 XIV세, 제II장; 로키 II, 투; but IV and XX stand for letters too."""
    if _NUMBERED.match(text, word.end()) or text[: word.start()].endswith("제"):
        return Spoken(sino(value), word.end())
    letters = word.group() in ("IV", "VI", "XI", "XV", "XX", "XXX")
    if letters or value >= len(ENGLISH) or not re.search(r"[가-힣] ?$", text[: word.start()]):
        return None
    return Spoken(ENGLISH[value], word.end(), "doubt.title", sino(value))


def _number_at(text: str, offset: int) -> Spoken | None:
    if text[offset] in MONEY or _NUMBER_STARTS.match(text, offset):
        return read_number(text, offset)
    return None


def _character(text: str, written: str, offset: int, before: str) -> str:
    char = text[offset]
    if char == " " and text[offset:].lstrip().startswith("="):
        return ""  # its particle stands by the word before
    if char in " .,?!":
        return char
    if char in "<>" and _is_sign(text, offset):
        raise _unreadable(char, written, offset)
    if (
        char in _SILENT
        and text[offset - 1 : offset].isdigit()
        and text[offset + 1 : offset + 2].isdigit()
    ):
        return " "
    if char in _SILENT or (char in "~ー" and _lengthens(text, offset)):
        return ""
    if char == "…":
        return char
    if char == "-":
        return "," if _cuts_off(text, offset) else " "
    if char in _PAUSES:
        return _PAUSES[char]
    if char in _SPOKEN_SIGNS:
        return _SPOKEN_SIGNS[char]
    if longer := lengthened(before, text[:offset], char):
        return longer
    raise _unreadable(char, written, offset)


def _unreadable(char: str, written: str, offset: int) -> TextError:
    shown = written[offset] if char.isprintable() else f"U+{ord(char):04X}"
    what = message("text.unreadable", char=shown, fix=message(f"text.fix.{_kind(char)}"))
    return TextError(what, written, offset)


def _is_sign(text: str, offset: int) -> bool:
    """Whether `<` or `>` is no bracket of a title, but an arrow or compares: ->, 3 > 2, <3."""
    other = text[:offset] if text[offset] == ">" else text[offset + 1 :]
    if ("<" if text[offset] == ">" else ">") in other:
        return False
    beside = text[:offset].rstrip()[-1:] + text[offset + 1 :].lstrip()[:1]
    return any(char in "-=" or char.isdigit() for char in beside)


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
    """Whether `~` only drags a sound out (안녕~, 안~녕), not naming a range between words (서울~부산)."""
    begin, end = offset, offset + 1
    while text[begin - 1 : begin] in ("~", "ー", "!", "?"):
        begin -= 1
    while text[end : end + 1] in ("~", "ー"):
        end += 1
    after = text[end : end + 1].strip()
    if not re.match("[가-힣0-9]", text[begin - 1 : begin]):
        return False
    return not after or after in ".,?!…'\"”’" or is_inside(text, begin, end)


def _cuts_off(text: str, offset: int) -> bool:
    """Whether a hyphen is written for a dash: 아니-, 잠깐 - 거기; but 그-그게, - 안녕."""
    before, after = text[:offset].rstrip(" -"), text[offset + 1 : offset + 2]
    return bool(before) and (not after.strip() or after in ".,?!…-'\"”’")


def _kind(char: str) -> str:
    name, category = unicodedata.name(char, ""), unicodedata.category(char)
    if category[0] == "N":
        return "digit"
    for kind, part in (("latin", "LATIN"), ("jamo", "HANGUL"), ("hanja", "CJK"), ("kana", "KANA")):
        if part in name:
            return kind
    return "emoji" if category == "So" else "other"
