"""A number and what it counts, in words: 3시 → 세시. They are one word, spoken in one breath."""

import re

from moksori.text.clock import IN_THE_DAY, said_time
from moksori.text.counters import UNIT, UNITS, counter_at, scale_at, unit_at
from moksori.text.labels import called, named, spelled
from moksori.text.numbers import ENGLISH, Spoken, decimal, digits, native, sino
from moksori.text.senses import SENSES

_ORDINALS = {1: "첫", 2: "둘", 3: "셋", 4: "넷"}  # before 째
_CLOCK = (
    "시",
    "시간",
    "분",
    "초",
    "월",
    "일",
)  # a zero before them only fills the column: 03시 05분
# What is said before a number in these units, unless the line has it: 시속 60km.
_BEFORE_UNITS = {"km/h": "시속", "km/s": "초속", "m/s": "초속", "℉": "화씨", "°F": "화씨"}
_PER = re.compile(rf"/({UNIT.pattern})")  # mg/dL
_SPOON = re.compile(r" ?([Tt])(?![A-Za-z])")
_SEASONING = re.compile(
    "소금|설탕|간장|고춧가루|고추장|된장|식초|참기름|들기름|식용유|후추|물엿|올리고당|다진|맛술|미림|청주|액젓|깨소금|"
    "밀가루|전분|꿀|매실|버터|소스|케첩|마요네즈"
)
_YEARS = ("년", "년도", "년생", "학번")  # 05년 is 공오년
_SCHOOL = re.compile(r"(?<![가-힣])(?:예비\s?)?([초중고])$")
_PUPILS = ("병", "반", "아들", "딸", "남자", "여자", "아이", "친구")
_EACH = re.compile(r"(?<!\d)1[인일]\s?$")  # 1인 1표, 1일 1팩
_SENTENCE = re.compile(r"(?:징역|금고|유예|자격정지)\s?(?:\d+년\s?)?$")
_FEW = ("배", "판", "편", "달", "발", "방", "건")  # counted in Sino-Korean beyond thirty


def counted(number: str, line: str, end: int) -> Spoken:
    """A number that ends at `end` of `line`, with its scale (2천만), unit (kg) or counter (개)."""
    for read in (
        called,
        spelled,
        _school_year,
        _spoons,
        _scaled,
        _measured,
        _zeroed,
        named,
        _by_counter,
    ):
        if spoken := read(number, line, end):
            return spoken
    return Spoken(decimal(number), end)


def month(value: int) -> str:
    """유월 and 시월 lose a sound (한글 맞춤법 제52항)."""
    return {6: "유월", 10: "시월"}.get(value, sino(value) + "월")


def _scaled(number: str, line: str, end: int) -> Spoken | None:
    if not (scale := scale_at(line, end)):
        return None
    word = scale.strip()
    drop = number == "1" and word[0] in "십백천만"
    text = ("" if drop else decimal(number)) + word
    return _in_units(text, line, end - len(number), end + len(scale))


def _measured(number: str, line: str, end: int) -> Spoken | None:
    if not unit_at(line, end):
        return None
    return _in_units(decimal(number), line, end - len(number), end)


def _in_units(text: str, line: str, start: int, end: int) -> Spoken:
    """What `line` has from `start` to `end`, read as `text`, and the unit behind it, if one is."""
    unit = unit_at(line, end)
    end, name = end + len(unit), UNITS.get(unit.strip(), "")
    before = _BEFORE_UNITS.get(unit.strip(), "")
    if before and not line[:start].rstrip().endswith(before):
        text = f"{before} {text}"
    if unit and (per := _PER.match(line, end)) and not line[per.end() : per.end() + 1].isalnum():
        rate = UNITS[per[1]]
        return Spoken(f"{text}{name} 퍼 {rate}", per.end(), "doubt.per", f"{rate}당 {text}{name}")
    if unit.strip() == "A":  # 12A, a seat
        return Spoken(text + name, end, "doubt.letter", text + "에이")
    return Spoken(text + name, end)


def _spoons(number: str, line: str, end: int) -> Spoken | None:
    """간장 2T, 두큰술; 소금 1t, 한작은술."""
    spoon = _SPOON.match(line, end)
    if (
        not spoon
        or not number.isdigit()
        or not 0 < int(number[:3]) <= 20
        or not _SEASONING.search(line)
    ):
        return None
    name, other = ("큰술", "티") if spoon[1] == "T" else ("작은술", "톤")
    spoken = native(int(number), True) + name
    return Spoken(spoken, spoon.end(), "doubt.spoon", sino(int(number)) + other)


def _school_year(number: str, line: str, end: int) -> Spoken | None:
    """중2병, 고3 아들: the second year, not two of them."""
    if not (school := _SCHOOL.search(line, 0, end - len(number))):
        return None
    counter = counter_at(line, end)
    counted = counter is not None and counter.kind != "noun" and counter.word not in _PUPILS
    if not re.fullmatch("[1-6]" if school[1] == "초" else "[1-3]", number) or counted:
        return None
    return Spoken(sino(int(number)), end)


def _in_month(value: int, line: str, start: int, end: int) -> Spoken:
    """6월, 유월; 징역 1년 6월, 육월 (개월)."""
    if _SENTENCE.search(line, 0, start) and value in (6, 10):
        return Spoken(sino(value) + "월", end, "doubt.sentence", month(value))
    return Spoken(month(value), end)


def _zeroed(number: str, line: str, end: int) -> Spoken | None:
    """A number that a zero fills up: 03시 05분, 세시 오분; but 01번, 공일번."""
    if not re.fullmatch("0[0-9]", number) or not (counter := counter_at(line, end)):
        return None
    if counter.kind == "noun" or counter.word in _YEARS:
        return None
    plain = _by_counter(number[1], line, end) or Spoken(
        sino(int(number)) + counter.word, counter.end
    )
    full = decimal(number) + counter.word
    if counter.word not in _CLOCK:
        return Spoken(full, counter.end, "doubt.zero", plain.text)
    if number == "00" and counter.word == "분":
        return plain._replace(doubt="doubt.zero", other="정각")
    if counter.word == "시" and not IN_THE_DAY.search(line, 0, end - len(number)):
        return plain._replace(doubt="doubt.zero", other=full)
    return plain


def _by_counter(number: str, line: str, end: int) -> Spoken | None:
    if not number.isdigit() or (len(number) > 1 and number[0] == "0"):
        return None
    if not (counter := counter_at(line, end)):
        long = len(number) >= 5 and not line[end : end + 1].strip()
        return Spoken(decimal(number), end, "doubt.long_number") if long else None
    value, (word, kind, after) = int(number[:9]), counter
    if word == "월" and 1 <= value <= 12:
        return _in_month(value, line, end - len(number), after)
    if len(number) == 2 and word in ("년생", "학번"):
        by_digit, whole = digits(number) + word, sino(value) + word
        first, other = (by_digit, whole) if word == "학번" else (whole, by_digit)
        return Spoken(first, after, "doubt.year", other)
    if word == "시" and re.fullmatch("(?:1[0-9]|2[0-4])[0-5][0-9]", number):  # 2200시
        return Spoken(
            digits(number) + word,
            after,
            "doubt.clock_in_four",
            said_time(value // 100, value % 100),
        )
    if word == "째" and value in _ORDINALS:
        return Spoken(_ORDINALS[value] + word, after)
    if word == "번째" and value == 1:
        return Spoken("첫번째", after)
    if word in SENSES:
        sense = SENSES[word](value, line, line[: end - len(number)], after) or kind
        kind = sense.rstrip("?") + "?" if kind.endswith("?") else sense
    if value == 1 and kind == "native" and _EACH.search(line, 0, end - len(number)):
        kind = "sino?"
    kind = _settled(kind, value, word)
    readings = {"sino": decimal(number) + word}
    if kind == "english?":
        return Spoken(ENGLISH[value] + word, after, "doubt.sino", readings["sino"])
    if kind != "sino":
        readings["native"] = native(value, True) + word
    first = kind.rstrip("?")
    if kind == first:
        return Spoken(readings[first], after)
    if first == "native":
        doubt = "doubt.age" if word == "대" else "doubt.sino"
        return Spoken(readings["native"], after, doubt, readings["sino"])
    return Spoken(readings["sino"], after, "doubt.native", readings["native"])


def _settled(kind: str, value: int, word: str) -> str:
    """The kind of a counter for a number: large ones are Sino-Korean, between the two both are said."""
    last = value % 100
    if not 1 <= value <= 999 or (value > 99 and not 1 <= last <= 19):
        return "sino"
    if kind == "noun":  # 3나라
        return "sino?" if value < 20 else "sino"
    if kind == "english?":
        return kind if value < len(ENGLISH) else "sino"
    if kind == "native?" and word in _FEW and value > 30:
        return "sino?"
    if kind != "native":
        return kind
    if word in _FEW and value > 30:
        return "sino"
    if value > 99:
        return "native?" if last < 10 else "sino?"
    return "native?" if value >= 20 and word not in ("시간", "번째") else "native"
