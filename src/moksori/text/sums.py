"""Sums and equals signs: 7-3=4라고, 칠 빼기 삼은 사라고; 값=5, 값은 오; and 1+1 행사, 원 플러스 원."""

import re

from moksori.text.counters import counts
from moksori.text.numbers import ENGLISH, Spoken, decimal, sino
from moksori.text.syllables import coda

_SIGNS = {
    **dict.fromkeys("-−–", "빼기"),
    **dict.fromkeys("×xX*", "곱하기"),
    "+": "더하기",
    "÷": "나누기",
}
_NUMBER = r"(?!0\d)(?:\d{1,3}(?:,\d{3})+|\d+(?:/\d+)?)(?:\.\d+)?"  # 010-1234-5678 is no sum
_TERM = rf"\s?[-−–×xX*+÷]\s?{_NUMBER}"
_SUM = re.compile(rf"({_NUMBER}(?:{_TERM})*)\s?(=)\s?({_NUMBER}(?:{_TERM})*)?", re.ASCII)
_OFFER = re.compile(
    r"(?<![+.])([1-9]|10)\s?\+\s?([1-9]|10)(?![\d/:]|\.\d|\s?[-−–+×xX*÷=])", re.ASCII
)
_GRADE = re.compile(r"(?<![\d.,])1(\+{1,2})(?!\s?[\d+=])", re.ASCII)
_ADDED = re.compile("(?:은|는|이|가|하면|을|를)(?![가-힣])")  # 1+1은, but 1+1이야
_TIMES = re.compile(rf"({_NUMBER})(\s?[×xX*]\s?)(?=\d)", re.ASCII)
_LONG = re.compile(rf"{_NUMBER}(?:\s?\+\s?{_NUMBER})+(?=(?:은|는|하면)(?![가-힣]))", re.ASCII)
_PART = re.compile(rf"({_NUMBER})|([^\s\d])", re.ASCII)


def read_sum(line: str, start: int) -> Spoken | None:
    """Read the sum that begins at `start` of `line`, with its result unless that counts something.

    One without an equals sign may be an offer: 1+1 행사. Fractions may be in it: 1/2+1/2=1.
    """
    match = _SUM.match(line, start)
    if not match or not any(sign in match.group() for sign in _SIGNS):
        return _read_offer(line, start) or _read_grade(line, start) or _read_terms(line, start)
    left, result = _topic(_in_words(match[1])) + " ", match[3]
    if not result or counts(line, match.end()):
        return Spoken(left, match.end(2))
    return Spoken(left + _in_words(result), match.end())


def _read_grade(line: str, start: int) -> Spoken | None:
    """1+, 원 플러스; 1++, 투 플러스: grades of beef."""
    if not (match := _GRADE.match(line, start)):
        return None
    plus = len(match[1])
    return Spoken(f"{ENGLISH[plus]}플러스", match.end(), "doubt.sino", "일" + "플러스" * plus)


def _read_offer(line: str, start: int) -> Spoken | None:
    """1+1이야: 원 플러스 원; 1+1은 2야: 일 더하기 일."""
    match = _OFFER.match(line, start)
    if not match or counts(line, match.end()):
        return None
    first, second = int(match[1]), int(match[2])
    offer, added = (
        f"{ENGLISH[first]} 플러스 {ENGLISH[second]}",
        f"{sino(first)} 더하기 {sino(second)}",
    )
    if _ADDED.match(line, match.end()):
        offer, added = added, offer
    return Spoken(offer, match.end(), "doubt.offer", added)


def _read_terms(line: str, start: int) -> Spoken | None:
    """Sums that no sign ends: 2x3은, 19+1은, and sizes: 3x4cm."""
    if match := _TIMES.match(line, start):
        spoken, letter = _in_words(match[1]), match[2].strip().isalpha()
        times, by = f"{spoken} 곱하기 ", f"{spoken} 바이"
        return Spoken(
            times, match.end(), "doubt.times_or_by" if letter else "", by if letter else ""
        )
    if not (match := _LONG.match(line, start)):
        return None
    added = _in_words(match.group())
    return Spoken(added, match.end(), "doubt.offer", added.replace("더하기", "플러스"))


def read_equals(start: int, before: str) -> Spoken:
    """Read the `=` at `start`, outside a sum, as a particle of what is spoken before it."""
    particle = _topic(before)[len(before) :]
    return Spoken(particle + " ", start + 1, "doubt.equals", "이퀄")


def _topic(word: str) -> str:
    """A word with its topic particle: 삼은, 이는."""
    return word + ("는" if coda(word[-1:] or " ") == " " else "은")


def _in_words(terms: str) -> str:
    parts = _PART.findall(terms)
    return "".join(_number(number) if number else f" {_SIGNS[sign]} " for number, sign in parts)


def _number(written: str) -> str:
    """A number or a fraction: 1/2, 이 분의 일."""
    top, slash, bottom = written.partition("/")
    return f"{decimal(bottom)} 분의 {decimal(top)}" if slash else decimal(top)
