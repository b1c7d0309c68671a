"""How numbers are written: times, dates, ranges, countdowns, telephone numbers … and how each is said."""

import re
from calendar import monthrange
from collections.abc import Callable
from itertools import pairwise

from moksori.text.counters import MONEY, UNIT, UNITS, counter_at, counts
from moksori.text.counting import counted, month
from moksori.text.numbers import (
    DIGITS,
    ENGLISH,
    Spoken,
    about,
    both,
    by_digit,
    decimal,
    digits,
    native,
    sino,
)
from moksori.text.sums import read_sum

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_MONEY = "".join(map(re.escape, MONEY))
_DASH = "[-–—]"
_EVENT = "(?:절|전쟁|운동|혁명|사태|사변|사건|테러|참사|선언|항쟁|의거|광복|민주화|쿠데타|계엄)"
_DAYS = r"4\.19|5\.1[68]|6\.25|8\.15|9\.11|10\.26|12\.12"  # known even without such a word
_SIDE = r"\d{1,9}(?:\.\d+)?(?!\d)"  # of a score or a ratio
_HOUR = r"[01]?\d|2[0-4]"
_AM_PM = r"([AaPp])(?:\.[Mm]\.(?=\s?[가-힣\d])|\.?[Mm](?![A-Za-z\d]))"
_STEP = r"\s?[.,·ㆍ…!]+\s?|\s?[-–—~]+\s?|\s?[/→]\s?|\s"  # between the numbers of a countdown
# Counters before which two numbers are an estimate: 2, 3일.
_ESTIMATED = (
    "일",
    "월",
    "년",
    "주",
    "주일",
    "개월",
    "분",
    "초",
    "회",
    "도",
    "미터",
    "킬로",
    "인분",
    "박",
)
_PRESSURE = re.compile(r"(?:혈압|\bBP)[^.?!\d]{0,12}$", re.IGNORECASE)  # 혈압 120/80
_SCORE = re.compile(r"\s?(?:으?로)?\s?(?:이겼|이기|졌|지고|패|승|앞서|앞섰|리드|비겼|무승부|역전)")


def read_number(line: str, start: int) -> Spoken | None:
    """Read the number that begins at `start` of `line`, with what it counts; None if none does.

    Args:
        line: the whole line: what stands before and after decides the reading.
        start: index of a digit, a money sign, or a minus before a digit.
    """
    sign = re.compile(r"[-−–+](?=[0-9])").match(line, start)
    if sign and line[start - 1 : start].strip() in ("", "="):
        spoken = read_number(line, sign.end())
        if not spoken:
            return None
        word = "플러스 " if sign.group() == "+" else "마이너스 "
        degrees = spoken.text.endswith("도") or line[spoken.end :].lstrip()[:1] == "도"
        return spoken.after("영하 " if degrees and word == "마이너스 " else word)
    if spoken := read_sum(line, start):
        return spoken
    for pattern, read in _PATTERNS:
        if (match := pattern.match(line, start)) and (spoken := read(match, line)):
            return spoken
    return None


def _sequel(match: re.Match[str], line: str) -> Spoken:
    """《겨울왕국 2》: films and games count in English."""
    return Spoken(ENGLISH[int(match[1])], match.end(), "doubt.title", DIGITS[int(match[1])])


def _telephone(match: re.Match[str], line: str) -> Spoken:
    return Spoken(", ".join(digits(part) for part in re.split("[-–]", match.group())), match.end())


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
    """24.12.25 is a day, 2.0.1 is not, 192.168.0.1 is an address."""
    parts = match.group().split(".")
    spoken = "쩜".join(digits(part) if len(parts) > 3 else decimal(part) for part in parts)
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


def _known_day(match: re.Match[str], line: str) -> Spoken | None:
    """6.25 때: the day, or a number."""
    if counts(line, match.end()) or not (day := _memorial(match, line)):
        return None
    return day._replace(doubt="doubt.day", other=decimal(match.group()))


def _clock(hour: int, minute: int) -> str:
    word = native(hour, True) if 1 <= hour <= 12 else sino(hour)
    return f"{word}시" + (f" {sino(minute)}분" if minute else "")


def _time(match: re.Match[str], line: str) -> Spoken:
    """14:30; a zero in front may be a timer's: 00:30."""
    hour, minute = int(match[1]), int(match[2])
    if match[3]:
        text = f"{_clock(hour, 0)} {sino(minute)}분 {sino(int(match[3]))}초"
        return Spoken(text, match.end())
    text = _clock(hour, minute)
    if match[1][0] == "0":
        return Spoken(text, match.end(), "doubt.timer", f"{sino(hour)}분 {sino(minute)}초")
    return Spoken(text, match.end())


def _half_day(match: re.Match[str], line: str) -> Spoken:
    """9AM → 오전 아홉시; 9:30 p.m. → 오후 아홉시 삼십분."""
    half, letters = ("오전", "에이엠") if match[3] in "Aa" else ("오후", "피엠")
    clock = _clock(int(match[1]), int(match[2] or 0))
    by_letter = clock if match[2] else decimal(match[1])
    return Spoken(f"{half} {clock}", match.end(), "doubt.half_day", f"{by_letter} {letters}")


def _versus(match: re.Match[str], line: str) -> Spoken | None:
    """3:2, 3대 2, 1:1.5, 3:4:5; but 차 2대 3명."""
    counter = counter_at(line, match.end())
    result = counter is not None and counter.word in ("승", "패")  # 3대 2승
    if counts(line, match.end()) and not result:
        return None
    numbers = [decimal(number) for number in re.findall(r"\d+(?:\.\d+)?", match.group())]
    return Spoken((" 대 " if match[1] else "대").join(numbers), match.end())


def _fraction(match: re.Match[str], line: str) -> Spoken:
    top, bottom = map(int, match.groups())
    if top > bottom and _PRESSURE.search(line, 0, match.start()):
        return Spoken(f"{sino(top)}에 {sino(bottom)}", match.end())
    if bottom == 4 and re.match(r"\s?분기", line[match.end() :]):  # a quarter: 일사분기
        return Spoken(sino(top) + sino(bottom), match.end())
    date = f"{month(top)} {sino(bottom)}일" if _is_day(top, bottom) else ""
    return Spoken(f"{sino(bottom)} 분의 {sino(top)}", match.end(), "doubt.fraction", date)


def _money(match: re.Match[str], line: str) -> Spoken:
    number = decimal(match[2]) + (match[3] or "").strip()
    return Spoken(number + MONEY[match[1]], match.end())


def _estimate(match: re.Match[str], line: str) -> Spoken | None:
    """2, 3일 → 이삼일; 3, 4명 → 서너명."""
    small, counter = int(match[1]), counter_at(line, match.end())
    if int(match[2]) != small + 1 or not counter or counter.kind == "noun" or not small:
        return None
    last = counted(match[2], line, match.end())
    if last.text == native(small + 1, True) + counter.word:
        apart = f"{native(small, True)}, {last.text}"
        return Spoken(about(small) + counter.word, last.end, "doubt.about", apart)
    if counter.word == "번":  # which ones, or how often
        return Spoken(f"{sino(small)}, {last.text}", last.end, "doubt.times", about(small) + "번")
    if counter.word not in _ESTIMATED:
        return None
    joined = both(small, small + 1, counter.word)
    return Spoken(joined, last.end, "doubt.about", f"{sino(small)}, {last.text}")


def _estimated_tens(match: re.Match[str], line: str) -> Spoken | None:
    """2,30대 → 이삼십대; 4,50명 → 사오십명."""
    low, high = int(match[1]), int(match[2])
    if not low or high != low * 10 + 10:
        return None
    last = counted(match[2], line, match.end())
    word = line[match.end() : last.end]
    joined = both(low, high, UNITS.get(word.strip(), word))
    return Spoken(joined, last.end, "doubt.about", f"{sino(low)}, {last.text}")


def _hyphenated(match: re.Match[str], line: str) -> Spoken | None:
    """3-2반, 12-3번지, 3-2로 이겼다: no ranges."""
    first, second = decimal(match[1]), decimal(match[2])
    last = counted(match[2], line, match.end())
    if _SCORE.match(line, match.end()):
        return Spoken(f"{first} 대 {second}", match.end())
    counter = counter_at(line, match.end())
    word = counter.word if counter else ""
    if word == "반" and 1 <= int(match[1]) <= 6:
        return Spoken(
            f"{first}학년 {last.text}", last.end, "doubt.class", f"{first} 다시 {last.text}"
        )
    if word in ("번지", "호"):
        other = f"{first}동 {last.text}" if word == "호" else f"{first}의 {last.text}"
        return Spoken(f"{first} 다시 {last.text}", last.end, "doubt.hyphen", other)
    if int(match[1]) < int(match[2]):
        return None
    return Spoken(f"{first} 다시 {last.text}", last.end, "doubt.hyphen", f"{first} 대 {last.text}")


def _range(match: re.Match[str], line: str) -> Spoken:
    """16~18세 → 십육세에서 십팔세; 30분~1시간 → 삼십분에서 한시간; 2~3번 더 → 두세번 더."""
    last = counted(match[3], line, match.end())
    written = match[1] + (match[2] or line[match.end() : last.end])
    first = counted(match[1], written, len(match[1]))
    spoken = Spoken(f"{first.text}{written[first.end :]}에서 {last.text}", last.end, last.doubt)
    counter = counter_at(line, match.end())
    if (
        match[2]
        or not counter
        or not re.fullmatch("[1-9][0-9]?,[1-9][0-9]?", f"{match[1]},{match[3]}")
    ):
        return spoken
    return _estimated_range(int(match[1]), int(match[3]), counter.word, spoken, last)


def _estimated_range(low: int, high: int, word: str, spoken: Spoken, last: Spoken) -> Spoken:
    """What else a range may be: 3~4명 서너명, 20~30대 이삼십대."""
    counting = last.text == native(high, True) + word
    if high == low * 10 + 10 and low < 10:  # 2~30명
        return Spoken(both(low, high, word), last.end, "doubt.about", spoken.text)
    if high == low + 10 and low % 10 == 0 and low > 10:
        return spoken._replace(doubt="doubt.about", other=both(low // 10, high, word))
    if high == low + 1 and high < 10:
        few = counting or word == "번"
        estimate = about(low) + word if few else both(low, high, word)
        if word != "번":
            return spoken._replace(doubt="doubt.about", other=estimate)
        if counting:
            return Spoken(
                estimate,
                last.end,
                "doubt.about",
                f"{native(low, True)}번에서 {native(high, True)}번",
            )
        return Spoken(f"{sino(low)}번에서 {sino(high)}번", last.end, "doubt.times", estimate)
    if last.other:
        count = sino if last.other == sino(high) + word else _counting
        return spoken._replace(other=f"{count(low)}{word}에서 {last.other}")
    return spoken


def _counting(number: int) -> str:
    return native(number, counted=True)


def _number(match: re.Match[str], line: str) -> Spoken:
    return counted(match[1], line, match.end())


# In the order in which they are tried; a reader may refuse what its pattern found.
_PATTERNS: list[tuple[re.Pattern[str], Callable[[re.Match[str], str], Spoken | None]]] = [
    (re.compile(pattern, re.ASCII), read)
    for pattern, read in (
        (r"(?<=[가-힣A-Za-z!?] )([2-5])(?=[》〉』」])", _sequel),
        (
            r"(?:0\d{1,2}[-–])?\d{3,4}[-–]\d{4}(?![\d-])(?!\s?(?:[명원개년점만억호동%]|번지))",
            _telephone,
        ),
        (r"(\d{4})\s?[.\-/년]\s?(\d{1,2})\s?[.\-/]\s?(\d{1,2})(?!\d)\.?", _date),
        (rf"\d{{1,2}}(?:(?:{_STEP})\d{{1,2}}){{2,}}(?!\d)", _countdown),
        (r"\d+(?:\.\d+){2,}", _dotted),
        (rf"(\d{{1,2}})\s?[·ㆍ.]\s?(\d{{1,2}})(?=\s?{_EVENT})", _memorial),
        (r"(\d{1,2})[·ㆍ](\d{1,2})(?!\d)", _memorial),
        (rf"(?=(?:{_DAYS})(?![\d.]*\d))(\d+)\.(\d+)", _known_day),
        (rf"(?<!오[전후] )({_HOUR})(?::([0-5]\d))?\s?{_AM_PM}", _half_day),
        (rf"({_HOUR}):([0-5]\d)(?::([0-5]\d))?(?!\d)", _time),
        (rf"{_SIDE}(?:(\s?:\s?){_SIDE}(?:\s?:\s?{_SIDE})*|(\s?대\s?){_SIDE})", _versus),
        (r"(\d{1,9})/(\d{1,9})(?![\d/])", _fraction),
        (rf"([{_MONEY}])\s?({_NUMBER})(\s?[십백천만억조]+)?", _money),
        (r"(\d)\s?,\s?(\d)(?=\s?[가-힣])", _estimate),
        (rf"(\d)\s?,\s?(\d0)(?=\s?(?:[가-힣]|{UNIT.pattern}))", _estimated_tens),
        (rf"(\d{{1,9}}){_DASH}(\d{{1,9}})(?=\s?[가-힣])", _hyphenated),
        (rf"({_NUMBER})\s?([가-힣]{{0,3}}?|{UNIT.pattern})\s?~\s?({_NUMBER})", _range),
        (rf"({_NUMBER})(){_DASH}({_NUMBER})(?=\s?(?:[가-힣%]))", _range),
        (rf"({_NUMBER})", _number),
    )
]
