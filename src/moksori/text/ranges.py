"""Two numbers that stand for one: ranges (16~18세, 10시-11시) and estimates (2, 3일; 2,30대)."""

import re

from moksori.text.counters import UNIT, UNITS, counter_at, counts, scale_at
from moksori.text.counting import counted
from moksori.text.numbers import NUMBER, Spoken, about, both, native, sino

HYPHEN = r"(?:[-–—]|\s[-–]\s)"  # between two numbers
# Counters before which two numbers are an estimate: 2, 3일.
_ESTIMATED = frozenset(
    ("일", "월", "년", "주", "주일", "개월", "분", "초", "회", "도", "미터", "킬로", "인분", "박")
)
ESTIMATE = r"(\d{1,2})\s?,\s?(\d)(?=\s?[가-힣])"
ESTIMATED_TENS = rf"(\d)\s?,\s?(\d0)(?=\s?(?:[가-힣]|{UNIT.pattern}))"
RANGE = rf"({NUMBER})\s?([가-힣]{{0,3}}?|{UNIT.pattern})\s?~\s?({NUMBER})"
HYPHENATED_RANGE = rf"({NUMBER})(){HYPHEN}({NUMBER})(?=\s?(?:[가-힣]|{UNIT.pattern}))"
COUNTED_RANGE = rf"({NUMBER})\s?([가-힣]{{1,3}}?|{UNIT.pattern})(?:[-–]|\s[-–]\s)({NUMBER})"


def read_estimate(match: re.Match[str], line: str) -> Spoken | None:
    """2, 3일 → 이삼일; 3, 4명 → 서너명; 15, 6명 → 열대여섯명; 2, 3백 → 이삼백."""
    first, high, counter = int(match[1]), int(match[2]), counter_at(line, match.end())
    tens, low = first // 10 * 10, first % 10
    if high != low + 1 or not low or match[1][0] == "0":
        return None
    last = counted(match[2], line, match.end())
    if scale_at(line, match.end()):
        joined = both(first, last.text)
        return Spoken(joined, last.end, "doubt.about", f"{sino(first)}, {last.text}")
    if not counter or counter.kind == "noun":
        return None
    if last.text == native(high, True) + counter.word:
        estimate = (native(tens) if tens else "") + about(low) + counter.word
        apart = f"{native(first, True)}, {last.text}"
        return Spoken(estimate, last.end, "doubt.about", apart)
    if counter.word == "번" and not tens:  # which ones, or how often
        return Spoken(f"{sino(low)}, {last.text}", last.end, "doubt.times", about(low) + "번")
    if counter.word not in _ESTIMATED:
        return None
    joined = both(first, sino(high) + counter.word)
    return Spoken(joined, last.end, "doubt.about", f"{sino(first)}, {last.text}")


def read_estimated_tens(match: re.Match[str], line: str) -> Spoken | None:
    """2,30대 → 이삼십대; 4,50명 → 사오십명."""
    low, high = int(match[1]), int(match[2])
    if not low or high != low * 10 + 10:
        return None
    last = counted(match[2], line, match.end())
    word = line[match.end() : last.end]
    joined = both(low, sino(high) + UNITS.get(word.strip(), word))
    return Spoken(joined, last.end, "doubt.about", f"{sino(low)}, {last.text}")


def read_counted_range(match: re.Match[str], line: str) -> Spoken | None:
    """10시-11시, 3kg - 5kg: both numbers count, and with spaces the same."""
    spaced = match.group()[match.start(3) - match.start() - 1] == " "
    first, last = counter_at(line, match.end(1)), counter_at(line, match.end())
    same = (first and first.word) == (last and last.word)
    if counts(line, match.end(1)) and counts(line, match.end()) and (same or not spaced):
        return read_range(match, line)
    return None


def read_range(match: re.Match[str], line: str) -> Spoken:
    """16~18세 → 십육세에서 십팔세; 30분~1시간 → 삼십분에서 한시간; 2~3번 더 → 두세번 더."""
    last = counted(match[3], line, match.end())
    written = match[1] + (match[2] or line[match.end() : last.end])
    first = counted(match[1], written, len(match[1]))
    spoken = Spoken(f"{first.text}{written[first.end :]}에서 {last.text}", last.end, last.doubt)
    counter = counter_at(line, match.end())
    if scale := "" if match[2] else scale_at(line, match.end()).strip():
        return _scaled_range(match[1], match[3], scale, spoken, last)
    if (
        match[2]
        or not counter
        or not re.fullmatch("[1-9][0-9]?,[1-9][0-9]?", f"{match[1]},{match[3]}")
    ):
        return spoken
    return _estimated_range(int(match[1]), int(match[3]), counter.word, spoken, last)


def _scaled_range(low: str, high: str, scale: str, spoken: Spoken, last: Spoken) -> Spoken:
    """3~4백 명: 삼백에서 사백, or 삼사백; but 100~200만."""
    if not re.fullmatch("[1-8],[2-9]", f"{low},{high}") or int(high) != int(low) + 1:
        return spoken
    apart = f"{sino(int(low))}{scale}에서 {last.text}"
    return Spoken(apart, last.end, "doubt.about", both(int(low), last.text))


def _estimated_range(low: int, high: int, word: str, spoken: Spoken, last: Spoken) -> Spoken:
    """What else a range may be: 3~4명 서너명, 20~30대 이삼십대."""
    counting = last.text == native(high, True) + word
    if high == low * 10 + 10 and low < 10:  # 2~30명
        return Spoken(both(low, sino(high) + word), last.end, "doubt.about", spoken.text)
    if high == low + 10 and low % 10 == 0 and low > 10:
        return spoken._replace(doubt="doubt.about", other=both(low // 10, sino(high) + word))
    if high == low + 1 and high < 10:
        few = counting or word == "번"
        estimate = about(low) + word if few else both(low, sino(high) + word)
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
