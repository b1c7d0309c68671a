"""Numbers with hyphens between them that are no range: telephones, accounts, formations, scores, sums."""

import re

from moksori.text.clock import SCORED, WON
from moksori.text.counters import UNIT, counter_at
from moksori.text.counting import counted
from moksori.text.numbers import ENGLISH, Spoken, decimal, digits
from moksori.text.ranges import HYPHEN

_GAP = r"(?:\s?[-–]\s?|[. ])"  # in a telephone number that says its area: 010 1234 5678
TELEPHONE = (
    rf"(?:0\d{{1,2}}{_GAP}\d{{3,4}}{_GAP}\d{{4}}|(?:0\d{{1,2}}[-–])?\d{{3,4}}[-–]\d{{4}})(?![\d-])"
    r"(?!\s?(?:[명원개년점만억호동%]|번지))"
)
IN_A_ROW = r"\d{1,8}(?:[-–]\d{1,8}){2,}(?![\d-])"
HYPHENATED = rf"(\d{{1,9}}){HYPHEN}(\d{{1,9}})(?![\d:/=]|[.,]\d|{HYPHEN}\d)"
_FORMATION = re.compile(r"\s?(?:포메이션|전술|전형|대형|시스템|형태)")
_PLACES = ("호", "번지", "번", "반", "동")
_CALL_SIGN = re.compile(  # 브라보 2-1
    r"(?:알파|브라보|찰리|델타|에코|폭스트롯|폭스|골프|로미오|시에라|탱고|빅터|"
    "이글|팔콘|호크|바이퍼|고스트|월드|스테이지) ?$"
)
_MARKS = ".,?!…"
_ENDS = re.compile(rf"\s*(?:[{_MARKS}]|$)")
_TOPIC = re.compile(r"(?:은|는|하면)(?![가-힣])")
_SUBTRACTED = re.compile(r"(?:은|는|하면)(?:\s?(?:\d|얼마|뭐|무엇|몇)|\s?[?.]?$)")


def read_telephone(match: re.Match[str], line: str) -> Spoken:
    """010-1234-5678, 02 123 4567."""
    return Spoken(
        ", ".join(digits(part) for part in re.findall(r"\d+", match.group())), match.end()
    )


def read_formation(match: re.Match[str], line: str) -> Spoken | None:
    """4-3-3 포메이션: 사 삼 삼, in one breath."""
    if not _FORMATION.match(line, match.end()):
        return None
    return Spoken("".join(map(decimal, re.findall(r"\d+", match.group()))), match.end())


def read_in_a_row(match: re.Match[str], line: str) -> Spoken:
    """Accounts by digit: 110-234-567890; else the numbers one after the other: 36-24-36."""
    parts = re.findall(r"\d+", match.group())
    if len("".join(parts)) >= 9 and max(map(len, parts)) >= 4:
        return Spoken(", ".join(map(digits, parts)), match.end())
    counter = counter_at(line, match.end())
    last = counted(parts[-1], line, match.end())
    words = [*map(decimal, parts[:-1]), last.text]
    apart, joined = " ".join(words), " 다시 ".join(words)
    if counter and counter.word in _PLACES:
        apart, joined = joined, apart
    return Spoken(apart, last.end, "doubt.hyphen", joined)


def read_resident(match: re.Match[str], line: str) -> Spoken:
    """900101-1234567, by digit."""
    return Spoken(", ".join(map(digits, match.groups())), match.end())


def read_hyphenated(match: re.Match[str], line: str) -> Spoken | None:
    """3-2반, 12-3번지, 3-2로 이겼다, 5 - 3은 2: no ranges."""
    first, second, end = decimal(match[1]), decimal(match[2]), match.end()
    last, counter = counted(match[2], line, end), counter_at(line, end)
    word, spaced = counter.word if counter else "", " " in match.group()
    if WON.match(line, end) or SCORED.search(line, 0, match.start()):
        return Spoken(f"{first} 대 {second}", end)
    before = line[: match.start()].rstrip()[-1:]
    if match.group() == "10-4" and before in _MARKS and _ENDS.match(line, end):  # on the radio
        return Spoken("텐포", end, "doubt.hyphen", f"{first} 대 {second}")
    if _SUBTRACTED.match(line, end) or (spaced and _TOPIC.match(line, end)):
        minus = f"{first} 빼기 {second}"
        return Spoken(minus, end, "doubt.hyphen", f"{first} 대 {second}")
    if word == "반" and 1 <= int(match[1]) <= 6:
        text, other = f"{first}학년 {last.text}", f"{first} 다시 {last.text}"
        return Spoken(text, last.end, "doubt.class", other)
    if word in ("번지", "호"):
        other = f"{first}동 {last.text}" if word == "호" else f"{first}의 {last.text}"
        return Spoken(f"{first} 다시 {last.text}", last.end, "doubt.hyphen", other)
    alone = not re.match(rf"\s?(?:[가-힣]|{UNIT.pattern})", line[end:])
    if int(match[1]) < int(match[2]) and not alone:
        return None  # a range
    if alone and _CALL_SIGN.search(line, 0, match.start()) and max(map(int, match.groups())) <= 10:
        other = " ".join(ENGLISH[int(number)] for number in match.groups())
        return Spoken(f"{first} 다시 {second}", end, "doubt.call_sign", other)
    if spaced:
        return Spoken(f"{first} 대 {last.text}", last.end, "doubt.hyphen", f"{first}, {last.text}")
    return Spoken(f"{first} 다시 {last.text}", last.end, "doubt.hyphen", f"{first} 대 {last.text}")
