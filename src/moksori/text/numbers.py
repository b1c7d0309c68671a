"""Numbers as they are spoken: Sino-Korean or native by what they count (한글 맞춤법, everyday usage).

A number and its counter are written together, as they are spoken in one breath: 3시 → 세시.
"""

import re
from collections.abc import Iterable
from importlib.resources import files
from typing import NamedTuple

_DIGITS = "영일이삼사오육칠팔구"
_TELEPHONE = "공일이삼사오육칠팔구"  # digit by digit, zero is 공
_SMALL = ("", "십", "백", "천")
_LARGE = ("", "만", "억", "조", "경")
_NATIVE_TENS = ("", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")
_NATIVE_ONES = ("", "하나", "둘", "셋", "넷", "다섯", "여섯", "일곱", "여덟", "아홉")
_BEFORE_COUNTER = {"하나": "한", "둘": "두", "셋": "세", "넷": "네", "스물": "스무"}


def _table(kind: str) -> dict[str, str]:
    rows = (files("moksori.text") / "counters.tsv").read_text(encoding="utf-8").splitlines()
    cells = [row.split("\t") for row in rows if not row.startswith("#")]
    return {written: spoken for written, which, spoken in cells if which == kind}


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(words, key=len, reverse=True))))


_NATIVE, _UNITS, MONEY = _table("native"), _table("unit"), _table("money")
_COUNTER, _UNIT = _any_of([*_NATIVE, *_table("sino")]), _any_of(_UNITS)
# Counters whose place in a range is taken by both numbers: 16~18세 → 십육세에서 십팔세.
_SINO_COUNTER = re.compile(
    "개월|개국|학년|인분|년대|주일|주년|[세년월일분초원층위등점도주회인박호쪽화절번]"
)
_SCALE = re.compile("[십백천만억조]+")
_EMERGENCY = re.compile(r"(?:11[23478]|119|12[0259]|131|182|1339)$")
_SPELLED = {"365": "삼육오", "63빌딩": "육삼빌딩"}
_SIZES = ("44", "55", "66", "77", "88")  # of women's clothes, read by digit
_CLOTHES = re.compile(r"사이즈|치수|옷|입(?!니|장|구|원|학|금)")


class Spoken(NamedTuple):
    """What a piece of writing is read as."""

    text: str
    end: int  # where the piece ends in the line
    doubt: str = ""  # code of the message why a person should look at this reading, if one should
    other: str = ""  # what it may be read as instead


def sino(number: int) -> str:
    """Sino-Korean: 16000 → 만육천. A leading 일 is not spoken before 십, 백, 천 and 만."""
    if number == 0:
        return _DIGITS[0]
    groups = []
    for power, large in enumerate(_LARGE):
        group = number // 10000**power % 10000
        if not group:
            continue
        word = "".join(
            ("" if digit == 1 and place else _DIGITS[digit]) + _SMALL[place]
            for place in (3, 2, 1, 0)
            if (digit := group // 10**place % 10)
        )
        groups.append("만" if power == 1 and group == 1 and number < 20000 else word + large)
    return "".join(reversed(groups))


def native(number: int, counted: bool = False) -> str:
    """Native, 1 to 99: 스물하나; before a counter 스물한, and 스무."""
    ones, tens = _NATIVE_ONES[number % 10], _NATIVE_TENS[number // 10]
    if not counted:
        return tens + ones
    return tens + _BEFORE_COUNTER.get(ones, ones) if ones else _BEFORE_COUNTER.get(tens, tens)


def digits(text: str) -> str:
    """Digit by digit, as telephone numbers: 010 → 공일공."""
    return "".join(_TELEPHONE[int(char)] for char in text if char.isdigit())


def decimal(text: str) -> str:
    """A number with commas and a point: 16,000 → 만육천, 3.05 → 삼쩜영오, 05 → 공오."""
    whole, point, rest = text.replace(",", "").partition(".")
    by_digit = (len(whole) > 1 and whole[0] == "0") or len(whole) > 20
    spoken = digits(whole) if by_digit else sino(int(whole))
    return spoken + ("쩜" + "".join(_DIGITS[int(char)] for char in rest) if point else "")


_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_MONEY = "".join(map(re.escape, MONEY))
_EVENT = "(?:절|전쟁|운동|혁명|사태|사변|테러|참사|선언)"  # 6.25 전쟁, read by digit
_PATTERNS = [
    ("sequel", re.compile(r"(?<=[가-힣A-Za-z!?] )([2-5])(?=[》〉』」])")),
    ("telephone", re.compile(r"(?:0\d{1,2}[-–])?\d{3,4}[-–]\d{4}(?![\d-])(?!\s?[명원개년점만억%])")),
    ("date", re.compile(r"(\d{4})\s?[.\-/년]\s?(\d{1,2})\s?[.\-/]\s?(\d{1,2})(?!\d)\.?")),
    ("memorial", re.compile(rf"(\d{{1,2}})\s?[·ㆍ.]\s?(\d{{1,2}})(?=\s?{_EVENT})")),
    ("memorial", re.compile(r"(\d{1,2})[·ㆍ](\d{1,2})")),
    ("time", re.compile(r"([01]?\d|2[0-4]):([0-5]\d)(?!\d)")),
    ("versus", re.compile(r"(\d{1,9})(\s?:\s?|\s?대\s?)(\d{1,9})(?![\d.])(?!\s?(?:년|명|개|층|번))")),
    ("fraction", re.compile(r"(\d{1,9})/(\d{1,9})(?![\d/])")),
    ("money", re.compile(rf"([{_MONEY}])\s?({_NUMBER})(\s?[십백천만억조]+)?")),
    ("range", re.compile(rf"({_NUMBER})\s?([가-힣]{{0,3}}?|{_UNIT.pattern})\s?~\s?({_NUMBER})")),
    ("range", re.compile(rf"({_NUMBER})()-({_NUMBER})(?=\s?(?:[가-힣%]))")),
    ("number", re.compile(rf"({_NUMBER})")),
]  # fmt: skip


def read_number(line: str, start: int) -> Spoken | None:
    """Read the number that begins at `start` of `line`, with what it counts; None if none does.

    Args:
        line: the whole line: what stands before and after decides the reading.
        start: index of a digit, a money sign, or a minus before a digit.
    """
    sign = re.compile(r"[-−–＋+](?=\d)").match(line, start)
    if sign and not line[start - 1 : start].strip():
        spoken = read_number(line, sign.end())
        word = "플러스 " if sign.group() in "+＋" else "마이너스 "
        degrees = spoken and (spoken.text.endswith("도") or line[spoken.end :].lstrip()[:1] == "도")
        if degrees and word == "마이너스 ":
            word = "영하 "
        return spoken and spoken._replace(text=word + spoken.text)
    for kind, pattern in _PATTERNS:
        if match := pattern.match(line, start):
            return _READERS[kind](match, line)
    return None


def _sequel(match: re.Match[str], line: str) -> Spoken:
    """《겨울왕국 2》: films and games count in English."""
    word = {"2": "투", "3": "쓰리", "4": "포", "5": "파이브"}[match[1]]
    return Spoken(word, match.end(), "제목의 차례 · a title's number", _DIGITS[int(match[1])])


def _telephone(match: re.Match[str], line: str) -> Spoken:
    return Spoken(", ".join(digits(part) for part in re.split("[-–]", match.group())), match.end())


def _date(match: re.Match[str], line: str) -> Spoken:
    year, month, day = map(int, match.groups())
    return Spoken(f"{sino(year)}년 {_month(month)} {sino(day)}일", match.end())


def _month(month: int) -> str:
    return {6: "유월", 10: "시월"}.get(month, sino(month) + "월")


def _memorial(match: re.Match[str], line: str) -> Spoken:
    return Spoken(
        "".join(_DIGITS[int(char)] for part in match.groups() for char in part), match.end()
    )


def _time(match: re.Match[str], line: str) -> Spoken:
    hour, minute = map(int, match.groups())
    word = native(hour, True) if 1 <= hour <= 12 else sino(hour)
    return Spoken(f"{word}시" + (f" {sino(minute)}분" if minute else ""), match.end())


def _versus(match: re.Match[str], line: str) -> Spoken:
    first, second = sino(int(match[1])), sino(int(match[3]))
    return Spoken(f"{first} 대 {second}" if ":" in match[2] else f"{first}대{second}", match.end())


def _fraction(match: re.Match[str], line: str) -> Spoken:
    top, bottom = map(int, match.groups())
    return Spoken(
        f"{sino(bottom)} 분의 {sino(top)}", match.end(), "분수로 읽음 · read as a fraction"
    )


def _money(match: re.Match[str], line: str) -> Spoken:
    number = decimal(match[2]) + (match[3] or "").strip()
    return Spoken(number + MONEY[match[1]], match.end())


def _range(match: re.Match[str], line: str) -> Spoken:
    """16~18세 → 십육세에서 십팔세; 30분~1시간 → 삼십분에서 한시간."""
    last = _counted(match[3], line, match.end())
    unit = match[2] or line[match.end() : last.end]
    places = (_SINO_COUNTER.match(line, match.end()), _COUNTER.match(line, match.end()))
    if not unit and (counter := places[0] or places[1]):
        unit = counter.group()
    written = match[1] + unit
    first = _counted(match[1], written, len(match[1]))
    return Spoken(f"{first.text}{written[first.end :]}에서 {last.text}", last.end, last.doubt)


def _number(match: re.Match[str], line: str) -> Spoken:
    return _counted(match[1], line, match.end())


def _counted(number: str, line: str, end: int) -> Spoken:
    """A number that ends at `end` of `line`, with its scale (2천만), unit (kg) or counter (개)."""
    start = end - len(number)
    if _EMERGENCY.match(number) and re.match(
        r"\s?(?:에|로|번|을|를|구급|소방|신고|상황|대원|$)", line[end:]
    ):
        return Spoken("".join(_DIGITS[int(char)] for char in number), end)
    for word, spoken in _SPELLED.items():
        if (
            line.startswith(word, start)
            and not line[start + len(word) : start + len(word) + 1].isdigit()
        ):
            after = line[start + len(word) :]
            if not word.isdigit() or not re.match(
                r"\s?(?:일|개|명|원|번|층|호|장|분|년|kg|%)", after
            ):
                return Spoken(spoken, start + len(word))
    if number in _SIZES and _CLOTHES.search(line) and not _counts(line, end):
        spoken = "".join(_DIGITS[int(char)] for char in number)
        return Spoken(spoken, end, "옷 치수로 읽음 · read as a size", sino(int(number)))
    if scale := re.compile(r"\s?([십백천만억조]+)").match(line, end):
        drop = number == "1" and scale[1][0] in "십백천만"
        return Spoken(("" if drop else decimal(number)) + scale[1], scale.end())
    if unit := _UNIT.match(line, end) or _UNIT.match(
        line, end + 1 if line[end : end + 1] == " " else end
    ):
        after = line[unit.end() : unit.end() + 1]
        if not (unit.group()[-1].isalpha() and after.isascii() and after.isalpha()):
            name = _UNITS[unit.group()]
            prefix = (
                "시속 " if unit.group() == "km/h" and not line[:start].endswith("시속 ") else ""
            )
            return Spoken(prefix + decimal(number) + name, unit.end())
    return _by_counter(number, line, end)


def _counts(line: str, end: int) -> bool:
    """Whether a counter or a scale stands after the number that ends at `end`."""
    after = end + 1 if line[end : end + 1] == " " else end
    return any(pattern.match(line, after) for pattern in (_SINO_COUNTER, _COUNTER, _UNIT, _SCALE))


def _by_counter(number: str, line: str, end: int) -> Spoken:
    plain = number.isdigit() and not (len(number) > 1 and number[0] == "0")
    value = int(number[:9]) if plain else 0
    rest = line[end:].removeprefix(" ")
    if re.search(r"(?:^|[\s(])제\s?$", line[: end - len(number)]):  # 제2장, 제 16대
        return Spoken(decimal(number), end)
    if plain and rest.startswith("월") and 1 <= value <= 12 and rest[1:2] not in "드급세":
        return Spoken(_month(value), len(line) - len(rest) + 1)
    if plain and 1 <= value <= 99 and (counter := _COUNTER.match(rest)):
        word = counter.group()
        if word == "번째":
            first = "첫" if value == 1 else native(value, True)
            return Spoken(first + "번째", len(line) - len(rest) + 2)
        if word in _NATIVE and not _sino_anyway(
            value, word, rest[len(word) :], line[: end - len(number)]
        ):
            doubt = ""
            if word == "대" and value % 10 == 0:
                doubt = "doubt.age"
            elif value >= 20 and word != "시간":
                doubt = "doubt.sino"
            other = sino(value) + word if doubt else ""
            place = len(line) - len(rest) + len(word)
            return Spoken(native(value, True) + word, place, doubt, other)
    if (
        plain
        and 1 <= value <= 99
        and (times := re.match(r"번(?=\s?(?:더|만에|이나|씩|도 |쯤|밖에|정도|반복|연속))", rest))
    ):
        return Spoken(native(value, True) + "번", len(line) - len(rest) + times.end())
    doubt = ""
    if plain and len(number) >= 5 and "," not in number and not rest[:1].strip():
        doubt = "doubt.long_number"
    return Spoken(decimal(number), end, doubt)


def _sino_anyway(value: int, counter: str, after: str, before: str) -> bool:
    """Uses of a native counter's letters that take Sino-Korean numbers."""
    if counter == "시":
        return value > 12 or after[:1] in ("즌", "청", "장", "민")
    if counter == "시간":
        return value >= 24
    if counter == "대":  # 20대 여성 (an age), but 차 3대 (a count)
        counted = re.search(
            r"(?:차|버스|트럭|택시|비행기|자전거|오토바이|컴퓨터|카메라|크루저|딩기|총|전화|에어컨)\s?$",
            before,
        )
        return value % 10 == 0 and not counted
    if counter == "장":
        return bool(re.match(r"\s?(?:\d|을 펴|에서|절)", after)) and "제" in before[-2:]
    if counter in ("배", "판", "편", "달", "발", "방", "건"):
        return value > 30
    return False


_READERS = {
    "sequel": _sequel, "telephone": _telephone, "date": _date, "memorial": _memorial, "time": _time,
    "versus": _versus, "fraction": _fraction, "money": _money, "range": _range, "number": _number,
}  # fmt: skip
