"""Numbers in words: Sino-Korean, native, digit by digit, in English.

Which of them a line means is known by what it counts (`counters`) and by how it is written (`notation`).
"""

from typing import NamedTuple

NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"  # as written
DIGITS = "영일이삼사오육칠팔구"
ENGLISH = ("제로", "원", "투", "쓰리", "포", "파이브", "식스", "세븐", "에이트", "나인", "텐")
_TELEPHONE = "공일이삼사오육칠팔구"  # digit by digit, zero is 공
_SMALL = ("", "십", "백", "천")
_LARGE = ("", "만", "억", "조", "경")
_NATIVE_TENS = ("", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")
_NATIVE_ONES = ("", "하나", "둘", "셋", "넷", "다섯", "여섯", "일곱", "여덟", "아홉")
_BEFORE_COUNTER = {"하나": "한", "둘": "두", "셋": "세", "넷": "네", "스물": "스무"}
# A number and the next, said as one: 두세 명, 대여섯 개.
_ABOUT = ("", "한두", "두세", "서너", "네다섯", "대여섯", "예닐곱", "일고여덟", "여덟아홉")


class Spoken(NamedTuple):
    """What a piece of writing is read as."""

    text: str
    end: int  # where the piece ends in the line
    doubt: str = ""  # code of the message why a person should look at this reading, if one should
    other: str = ""  # what it may be read as instead

    def after(self, before: str) -> "Spoken":
        """The same with words before both readings."""
        return self._replace(text=before + self.text, other=self.other and before + self.other)


def sino(number: int) -> str:
    """Sino-Korean: 16000 → 만육천. A leading 일 is not spoken before 십, 백, 천 and 만."""
    if number == 0:
        return DIGITS[0]
    groups = []
    for power, large in enumerate(_LARGE):
        group = number // 10000**power % 10000
        if not group:
            continue
        word = "".join(
            ("" if digit == 1 and place else DIGITS[digit]) + _SMALL[place]
            for place in (3, 2, 1, 0)
            if (digit := group // 10**place % 10)
        )
        groups.append("만" if power == 1 and group == 1 and number < 20000 else word + large)
    return "".join(reversed(groups))


def native(number: int, counted: bool = False) -> str:
    """Native, 1 to 999: 스물하나; before a counter 스물한, and 스무. Hundreds have no native word: 백한."""
    hundreds, rest = number // 100 * 100, number % 100
    ones, tens = _NATIVE_ONES[rest % 10], _NATIVE_TENS[rest // 10]
    if counted and ones:
        ones = _BEFORE_COUNTER.get(ones, ones)
    elif counted:
        tens = _BEFORE_COUNTER.get(tens, tens)
    return (sino(hundreds) if hundreds else "") + tens + ones


def about(number: int) -> str:
    """A native number and the next one before a counter, 1 to 8: 3 → 서너."""
    return _ABOUT[number]


def both(first: int, second: str) -> str:
    """A Sino-Korean number and the words of the next: 2, 3일 → 이삼일; 오륙, 오뉴월 (한글 맞춤법 제52항)."""
    joined = sino(first) + second
    return joined.replace("오육월", "오뉴월").replace("오육", "오륙")


def digits(text: str) -> str:
    """Digit by digit, as telephone numbers: 010 → 공일공."""
    return "".join(_TELEPHONE[int(char)] for char in text if char.isdigit())


def by_digit(text: str) -> str:
    """Digit by digit, as names of days and numbers to call: 112 → 일일이, 6·25 → 육이오."""
    return "".join(DIGITS[int(char)] for char in text if char.isdigit())


def decimal(text: str) -> str:
    """A number with commas and a point: 16,000 → 만육천, 3.05 → 삼쩜영오, 05 → 공오."""
    whole, point, rest = text.replace(",", "").partition(".")
    one_by_one = (len(whole) > 1 and whole[0] == "0") or len(whole) > 20
    spoken = digits(whole) if one_by_one else sino(int(whole))
    return spoken + ("쩜" + "".join(DIGITS[int(char)] for char in rest) if point else "")
