"""Colons: times of day (14:30, 9:30 p.m.), scores and ratios (3:2), and 3대 2, which is said so too."""

import re

from moksori.text.counters import counter_at, counts
from moksori.text.numbers import Spoken, decimal, native, sino

_HOUR = r"[01]?\d|2[0-4]"
_AM_PM = r"([AaPp])(?:\.[Mm]\.(?=\s?[가-힣\d])|\.?[Mm](?![A-Za-z\d]))"
_SIDE = r"\d{1,9}(?:\.\d+)?(?!\d)"  # of a score or a ratio
HALF_DAY = rf"(?<!오[전후] )({_HOUR})(?::([0-5]\d))?\s?{_AM_PM}"
TIMES = rf"({_HOUR}):([0-5]\d)(?:\s?~\s?|[-–]|\s[-–]\s)({_HOUR}):([0-5]\d)(?![\d:])"
LAP = r"(\d{1,2}):([0-5]\d)\.(\d{1,2})(?![\d.])"
TIME = rf"({_HOUR})(\s?:\s?)([0-5]\d)(?::([0-5]\d))?(?!\d)"
_TIME = re.compile(TIME)
VERSUS = rf"{_SIDE}(?:(\s?:\s?){_SIDE}(?:\s?:\s?{_SIDE})*|(\s?대\s?){_SIDE})"
IN_THE_DAY = re.compile(r"(?:오전|오후|새벽|아침|점심|낮|저녁|밤)\s?$")
SCORED = re.compile(r"(?:스코어|점수|경쟁률|비율)[은는이가]?\s?$")
WON = re.compile(
    r"\s?(?:으?로)?\s?(?:이겼|이기|졌|지고|앞서|앞섰|리드|비겼|무승부|역전|"
    r"승(?![부강차선객률마])|패(?![스턴널키션드딩밀티]))"
)


def said_time(hour: int, minute: int) -> str:
    """14, 30 → 십사시 삼십분."""
    word = native(hour, True) if 1 <= hour <= 12 else sino(hour)
    return f"{word}시" + (f" {sino(minute)}분" if minute else "")


def read_times(match: re.Match[str], line: str) -> Spoken:
    """10:00~11:30 → 열시에서 열한시 삼십분."""
    first, last = (said_time(int(match[i]), int(match[i + 1])) for i in (1, 3))
    return Spoken(f"{first}에서 {last}", match.end())


def read_lap(match: re.Match[str], line: str) -> Spoken:
    """1:43.21 → 일분 사십삼초 이십일."""
    minute, second, rest = match.groups()
    return Spoken(f"{sino(int(minute))}분 {sino(int(second))}초 {decimal(rest)}", match.end())


def read_time(match: re.Match[str], line: str) -> Spoken | None:
    """14:30; a zero in front may be a timer's: 00:30. No time is 21:15로 이겼다, nor 3 : 10."""
    spaced = match[2] != ":" and not IN_THE_DAY.search(line, 0, match.start())
    if spaced or _is_score(match, line):
        return None
    hour, minute = int(match[1]), int(match[3])
    if match[4]:
        text = f"{said_time(hour, 0)} {sino(minute)}분 {sino(int(match[4]))}초"
        return Spoken(text, match.end())
    text = said_time(hour, minute)
    if match[1][0] == "0":
        return Spoken(text, match.end(), "doubt.timer", f"{sino(hour)}분 {sino(minute)}초")
    return Spoken(text, match.end())


def read_half_day(match: re.Match[str], line: str) -> Spoken:
    """9AM → 오전 아홉시; 9:30 p.m. → 오후 아홉시 삼십분."""
    half, letters = ("오전", "에이엠") if match[3] in "Aa" else ("오후", "피엠")
    clock = said_time(int(match[1]), int(match[2] or 0))
    by_letter = clock if match[2] else decimal(match[1])
    return Spoken(f"{half} {clock}", match.end(), "doubt.half_day", f"{by_letter} {letters}")


def read_versus(match: re.Match[str], line: str) -> Spoken | None:
    """3:2, 3대 2, 1:1.5, 3:4:5; but 차 2대 3명."""
    counter = counter_at(line, match.end())
    result = counter is not None and counter.word in ("승", "패")  # 3대 2승
    if counts(line, match.end()) and not result:
        return None
    numbers = [decimal(number) for number in re.findall(r"\d+(?:\.\d+)?", match.group())]
    spoken = Spoken((" 대 " if match[1] else "대").join(numbers), match.end())
    if (time := _TIME.fullmatch(match.group())) and not _is_score(match, line):  # 3 : 30
        clock = said_time(int(time[1]), int(time[3]))
        return spoken._replace(doubt="doubt.clock", other=clock)
    return spoken


def _is_score(match: re.Match[str], line: str) -> bool:
    return bool(WON.match(line, match.end()) or SCORED.search(line, 0, match.start()))
