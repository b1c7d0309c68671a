"""How numbers are written: times, dates, ranges, countdowns, telephone numbers … and how each is said."""

import re
from calendar import monthrange
from collections.abc import Callable
from itertools import pairwise

from moksori.text.amounts import AMOUNT, POINTED, read_amount, read_pointed
from moksori.text.clock import (
    HALF_DAY,
    LAP,
    TIME,
    TIMES,
    VERSUS,
    read_half_day,
    read_lap,
    read_time,
    read_times,
    read_versus,
)
from moksori.text.counters import counts
from moksori.text.counting import counted, month
from moksori.text.dashes import (
    HYPHENATED,
    IN_A_ROW,
    TELEPHONE,
    read_formation,
    read_hyphenated,
    read_in_a_row,
    read_resident,
    read_telephone,
)
from moksori.text.numbers import (
    DIGITS,
    ENGLISH,
    NUMBER,
    Spoken,
    both,
    by_digit,
    decimal,
    digits,
    native,
    sino,
)
from moksori.text.ranges import (
    COUNTED_RANGE,
    ESTIMATE,
    ESTIMATED_TENS,
    HYPHENATED_RANGE,
    RANGE,
    read_counted_range,
    read_estimate,
    read_estimated_tens,
    read_range,
)
from moksori.text.sums import read_sum
from moksori.text.syllables import coda

_EVENT = (
    "(?:절|전쟁|운동|혁명|사태|사변|사건|테러|참사|선언|항쟁|의거|광복|민주화|쿠데타|계엄|"
    "후퇴|부정선거|합의)"
)
_DAYS = r"4\.19|5\.1[68]|6\.25|8\.15|9\.11|10\.26|12\.12"  # known even without such a word
_DAYS_TOGETHER = _DAYS.replace(r"\.", "")  # 625 전쟁
_PLATES = (
    "가나다라마거너더러머버서어저고노도로모보소오조구누두루무부수우주하허호바사아자배"  # of cars
)
_STEP = r"\s?[.,·ㆍ…!]+\s?|\s?[-–—~]+\s?|\s?[/→]\s?|\s"  # between the numbers of a countdown
_PRESSURE = re.compile(
    r"(?:혈압|\bBP|보증금|월세|전세)[^.?!\d]{0,12}$", re.IGNORECASE
)  # 혈압 120/80, 보증금 1000/50


def read_number(line: str, start: int) -> Spoken | None:
    """Read the number that begins at `start` of `line`, with what it counts; None if none does.

    Args:
        line: the whole line: what stands before and after decides the reading.
        start: index of a digit, a money sign, a minus before a digit, or the point of .5.
    """
    if line[start] == ".":
        spoken = read_number(f"{line[:start]}0{line[start:]}", start)
        return spoken and spoken._replace(end=spoken.end - 1)
    sign = re.compile(r"[-−–+](?=[0-9])").match(line, start)
    if sign and line[start - 1 : start].strip() in ("", "="):
        spoken = read_number(line, sign.end())
        if not spoken:
            return None
        word = "플러스 " if sign.group() == "+" else "마이너스 "
        degrees = spoken.text.endswith("도") or line[spoken.end :].lstrip()[:1] == "도"
        if degrees and word == "마이너스 ":
            word = "화씨 영하 " if spoken.text.startswith("화씨 ") else "영하 "
            spoken = spoken._replace(text=spoken.text.removeprefix("화씨 "))
        return spoken.after(word)
    if spoken := read_sum(line, start):
        return spoken
    for pattern, read in _PATTERNS:
        if (match := pattern.match(line, start)) and (spoken := read(match, line)):
            return spoken
    return None


def _sequel(match: re.Match[str], line: str) -> Spoken:
    """《겨울왕국 2》: films and games count in English."""
    return Spoken(ENGLISH[int(match[1])], match.end(), "doubt.title", DIGITS[int(match[1])])


def _is_day(number: int, day: int) -> bool:
    return 1 <= number <= 12 and 1 <= day <= monthrange(2000, number)[1]


def _date(match: re.Match[str], line: str) -> Spoken | None:
    year, number, day = map(int, match.groups())
    if not _is_day(number, day):
        return None
    return Spoken(f"{sino(year)}년 {month(number)} {sino(day)}일", match.end())


def _countdown(match: re.Match[str], line: str) -> Spoken | None:
    """3, 2, 1: 삼, 이, 일 or 셋, 둘, 하나."""
    found = list(re.finditer(r"\d+", match.group()))
    values = [int(number.group()) for number in found]
    step = values[1] - values[0]
    length = next(
        (i for i in range(1, len(values)) if values[i] - values[i - 1] != step), len(values)
    )
    end = match.start() + found[length - 1].end()
    if length < 3 or abs(step) != 1 or counts(line, end) or line[end : end + 1] in (":", "%", "/"):
        return None
    gaps = [match.group()[a.end() : b.start()] for a, b in pairwise(found[:length])]
    pauses = [" " if not gap.strip(" ·ㆍ") else "! " if "!" in gap else ", " for gap in gaps]

    def said(word: Callable[[int], str]) -> str:
        return "".join(word(v) + gap for v, gap in zip(values, [*pauses, ""], strict=False))

    return Spoken(said(sino), end, "doubt.countdown", said(lambda v: native(v) if v else "제로"))


def _dotted(match: re.Match[str], line: str) -> Spoken | None:
    """24.12.25, 24. 5. 3. and 24-12-25 are days, 2.0.1 is not, 192.168.0.1 is an address."""
    parts = re.findall(r"\d+", match.group())
    spoken = (" " if "-" in match.group() else "쩜").join(
        digits(part) if len(parts) > 3 else decimal(part) for part in parts
    )
    if len(parts) == 3 and len(parts[0]) == 2 and _is_day(int(parts[1]), int(parts[2])):
        day = f"{decimal(parts[0])}년 {month(int(parts[1]))} {sino(int(parts[2]))}일"
        return Spoken(day, match.end(), "doubt.dotted", spoken)
    return Spoken(spoken, match.end(), "doubt.dotted", ", ".join(map(decimal, parts)))


def _memorial(match: re.Match[str], line: str) -> Spoken | None:
    """3·1절, 5·18, by digit; tens of months and 10 as a number: 10·26 십이육, 6·10 육십."""
    if match.end() < len(line) and re.match(r"[.·ㆍ]\d", line[match.end() :]):
        return None
    first, second = int(match[1]), int(match[2])
    head = sino(first) if first in (10, 11, 12) else by_digit(match[1])
    tail = sino(second) if second == 10 or (first, second) == (12, 12) else by_digit(match[2])
    return Spoken(head + tail, match.end())


def _listed(match: re.Match[str], line: str) -> Spoken | None:
    """10·11월 → 십 십일월, 20·30대 → 이십 삼십대: a counter behind, so no day."""
    first, second = int(match[1]), int(match[2])
    following = second in (first + 1, first + 10, first * 10 + 10)
    if second < 10 or not (following or first >= 10) or not counts(line, match.end()):
        return None
    last = counted(match[2], line, match.end())
    apart = Spoken(f"{sino(first)} {last.text}", last.end, last.doubt)
    if second == first * 10 + 10 or (second == first + 10 and first > 10):
        tens = both(
            first if first < 10 else first // 10, sino(second) + line[match.end() : last.end]
        )
        short = first < 10  # 2·30대
        return Spoken(
            tens if short else apart.text, last.end, "doubt.about", apart.text if short else tens
        )
    return apart


def _known_day(match: re.Match[str], line: str) -> Spoken | None:
    """6.25 때: the day, or a number."""
    if counts(line, match.end()) or not (day := _memorial(match, line)):
        return None
    return day._replace(doubt="doubt.day", other=decimal(match.group()))


def _fraction(match: re.Match[str], line: str) -> Spoken:
    top, bottom = map(int, match.groups())
    if top > bottom and _PRESSURE.search(line, 0, match.start()):
        return Spoken(f"{sino(top)}에 {sino(bottom)}", match.end())
    if bottom == 4 and re.match(r"\s?분기", line[match.end() :]):  # a quarter: 일사분기
        return Spoken(sino(top) + sino(bottom), match.end())
    if match.group() == "24/7" and not counts(line, match.end()):
        return Spoken("투웬티포 세븐", match.end(), "doubt.day_and_night", "칠 분의 이십사")
    date = f"{month(top)} {sino(bottom)}일" if _is_day(top, bottom) else ""
    return Spoken(f"{sino(bottom)} 분의 {sino(top)}", match.end(), "doubt.fraction", date)


def _mixed(match: re.Match[str], line: str) -> Spoken | None:
    """1 1/2컵 → 일과 이 분의 일컵."""
    whole, top, bottom = map(int, match.groups())
    if not 0 < top < bottom:
        return None
    fraction = f"{sino(bottom)} 분의 {sino(top)}"
    particle = "와" if coda(sino(whole)[-1]) == " " else "과"
    apart = f"{sino(whole)}, {fraction}"
    return Spoken(f"{sino(whole)}{particle} {fraction}", match.end(), "doubt.mixed", apart)


def _primes(match: re.Match[str], line: str) -> Spoken:
    """3'25", minutes and seconds; 6'2", feet and inches; 127° 30'15"."""
    first, second = decimal(match[1]), decimal(match[2])
    time, length = f"{first}분 {second}초", f"{first}피트 {second}인치"
    if line[: match.start()].endswith(("°", "° ")):
        return Spoken(time, match.end())
    if int(match[2]) > 11:
        return Spoken(time, match.end(), "doubt.primes", length)
    return Spoken(length, match.end(), "doubt.primes", time)


def _arc_minutes(match: re.Match[str], line: str) -> Spoken:
    return Spoken(sino(int(match[1])) + "분", match.end())


def _plate(match: re.Match[str], line: str) -> Spoken | None:
    """12가 3456: digit by digit behind the letter."""
    if counts(line, match.end()):
        return None
    head, tail = decimal(match[1]) + match[2], match[3]
    return Spoken(f"{head} {digits(tail)}", match.end(), "doubt.code", f"{head} {decimal(tail)}")


def _office_hours(match: re.Match[str], line: str) -> Spoken | None:
    """9 to 6 → 나인 투 식스."""
    first, last = int(match[1]), int(match[2])
    if max(first, last) >= len(ENGLISH):
        return None
    said = f"{ENGLISH[first]} 투 {ENGLISH[last]}"
    return Spoken(said, match.end(), "doubt.sino", f"{sino(first)} 투 {sino(last)}")


def _number(match: re.Match[str], line: str) -> Spoken:
    return counted(match[1], line, match.end())


# In the order in which they are tried; a reader may refuse what its pattern found.
_PATTERNS: list[tuple[re.Pattern[str], Callable[[re.Match[str], str], Spoken | None]]] = [
    (re.compile(pattern, re.ASCII), read)
    for pattern, read in (
        (r"(?<=[가-힣A-Za-z!?] )([2-5])(?=[》〉』」])", _sequel),
        (r"(\d{1,3})['’]\s?(\d{1,2})[\"”]", _primes),
        (r"(?:(?<=°)|(?<=° ))(\d{1,2})['’]", _arc_minutes),
        (
            rf"(\d{{2,3}})([{_PLATES}](?=\d)|[{_PLATES}](?<![조주호부도모자배보]))\s?(\d{{4}})(?!\d)",
            _plate,
        ),
        (TELEPHONE, read_telephone),
        (r"(\d{6})[-–]([1-4]\d{6})(?!\d)", read_resident),
        (r"(\d{4})\s?[.\-/년]\s?(\d{1,2})\s?[.\-/]\s?(\d{1,2})(?!\d)\.?", _date),
        (IN_A_ROW, read_formation),
        (rf"\d{{1,2}}(?:(?:{_STEP})\d{{1,2}}){{2,}}(?!\d)", _countdown),
        (r"\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?![\d-])", _dotted),
        (IN_A_ROW, read_in_a_row),
        (r"\d\d\. (?:1[0-2]|[1-9])\. (?:[12]\d|3[01]|[1-9])(?!\d)\.?", _dotted),
        (POINTED, read_pointed),
        (r"\d+(?:\.\d+){2,}", _dotted),
        (rf"(\d{{1,2}})\s?[·ㆍ.]\s?(\d{{1,2}})(?=\s?{_EVENT})", _memorial),
        (
            rf"(?=(?:{_DAYS_TOGETHER})\s?{_EVENT})(\d{{1,2}})(\d\d)",
            _memorial,
        ),
        (r"(\d{1,2})[·ㆍ](\d{1,2})(?![\d·ㆍ])", _listed),
        (r"(\d{1,2})[·ㆍ](\d{1,2})(?!\d)", _memorial),
        (rf"(?=(?:{_DAYS})(?![\d.]*\d))(\d+)\.(\d+)", _known_day),
        (HALF_DAY, read_half_day),
        (TIMES, read_times),
        (LAP, read_lap),
        (TIME, read_time),
        (VERSUS, read_versus),
        (r"(\d{1,3}) (\d{1,2})/(\d{1,2})(?![\d/])", _mixed),
        (r"(\d{1,9})(?:/| / )(\d{1,9})(?!\d| ?/)", _fraction),
        (AMOUNT, read_amount),
        (r"(\d{1,2}) ?to ?(\d{1,2})(?!\d)", _office_hours),
        (ESTIMATE, read_estimate),
        (ESTIMATED_TENS, read_estimated_tens),
        (HYPHENATED, read_hyphenated),
        (COUNTED_RANGE, read_counted_range),
        (RANGE, read_range),
        (HYPHENATED_RANGE, read_range),
        (rf"({NUMBER})", _number),
    )
]
