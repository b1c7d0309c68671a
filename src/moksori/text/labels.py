"""Numbers that count nothing: emergency numbers, codes, sizes, and what a word before them numbers."""

import re

from moksori.text.counters import counter_at, counts, pieces_of
from moksori.text.numbers import ENGLISH, Spoken, by_digit, decimal, digits, sino

# Numbers to call: the first two are nothing else, the others only beside a word of calling.
_EMERGENCY = ("112", "119")
_CALLED = ("110", "111", "113", "114", "117", "118", "120", "122", "125", "129", "131", "132", "182",
           "911", "1330", "1339", "1366", "1388", "1393")  # fmt: skip
_ABROAD = ("999",)  # British; elsewhere an amount
_CALLING = re.compile(
    r"\s?(?:번\s?)?(?:에다?|으?로|을|를)?\s?(?:빨리\s|당장\s|어서\s|좀\s)?"
    r"(?:신고|전화|연락|불러|부르|불렀|걸어|걸었|물어|문의|구급|구조|소방|상황실|대원|콜)"
)
_SPELLED = {
    "365": "삼육오",
    "63빌딩": "육삼빌딩",
    "88고속도로": "팔팔고속도로",
    "88대로": "팔팔대로",
    "7080": "칠공팔공",
    "8090": "팔공구공",
} | {
    f"{year}{space}세대": f"{spoken}{space}세대"  # generations
    for year, spoken in (("386", "삼팔육"), ("486", "사팔육"), ("586", "오팔육"))
    for space in ("", " ")
}
_AGES = re.compile(  # 2030 세대
    r"(?:1020|2030|3040|4050|5060|6070)(?=\s?(?:세대|남성|여성|남녀|청년|직장인|싱글|미혼))"
)
_TITLED = re.compile("은하철도 ?999$")
_SIZES = ("44", "55", "66", "77", "88")  # of women's clothes
_GAMES = re.compile(r"\s?(?:[가-힣]{2,6}\s?)?(?:올림픽|아시안\s?게임|월드컵)")  # 88 서울올림픽
_CLOTHES = re.compile(r"사이즈|치수|옷|입(?!니|장|구|원|학|금)")
_CODE = re.compile(r"(?:비밀번호|비번|암호|코드|군번|인식\s?번호|일련\s?번호)[은는이가]?[:,]?\s?$")
_DIALLED = re.compile(
    r"(?:국번\s?없이|(?:전화|인증|우편|계좌|카드|여권)\s?번호)[은는이가]?[:,]?\s?$"
)
_ORDINAL = re.compile(r"(?:^|[\s(])제\s?$")  # 제2장, 제 16대
_ENGLISH_LABEL = re.compile(r"(?:넘버|№|(?i:no)\.) ?$")  # No. 1 is 넘버 원
_LABEL = re.compile(
    r"(?:레벨|시즌|챕터|파트|스테이지|페이즈|라운드|구역|섹터|블록|번호|에피소드|페이지|등급|랭크|트랙|버전|채널|코드|"
    r"게이트|유닛|넘버|단계|문제|정답) ?$"
)


def called(number: str, line: str, end: int) -> Spoken | None:
    """Emergency numbers and the like, by digit: 119에 신고해, 일일구에."""
    if number in _ABROAD and _CALLING.match(line, end):
        return Spoken(by_digit(number), end)
    if number not in (*_EMERGENCY, *_CALLED):
        return None
    if _CALLING.match(line, end):
        return Spoken(by_digit(number), end)
    counter = counter_at(line, end)
    emergency = number in _EMERGENCY
    if counts(line, end) and not (emergency and counter and counter.word == "번"):
        return None
    if not emergency:
        return Spoken(sino(int(number)), end, "doubt.called", by_digit(number))
    if counter:
        return Spoken(by_digit(number), end, "doubt.called", sino(int(number)))
    return Spoken(by_digit(number), end)


def spelled(number: str, line: str, end: int) -> Spoken | None:
    """Names, sizes, games and codes, by digit: 365, 66 사이즈, 88올림픽, 비밀번호 1234."""
    start = end - len(number)
    for word, spoken in _SPELLED.items():
        code = word.isdigit() and counts(line, end)
        if line.startswith(word, start) and len(word) >= len(number) and not code:
            return Spoken(spoken, start + len(word))
    counter = counter_at(line, end)
    half = counter is not None and counter.word == "반"  # 66 반 is a size between two
    if number in _SIZES and _CLOTHES.search(line) and (half or not counts(line, end)):
        return Spoken(by_digit(number), end, "doubt.size", sino(int(number)))
    if re.fullmatch("[5-9][1-9]", number) and _GAMES.match(line, end) and not counts(line, end):
        return Spoken(by_digit(number), end, "doubt.games", sino(int(number)))
    if _AGES.match(line, start):
        return Spoken(digits(number), end)
    if _TITLED.search(line, 0, end):
        return Spoken(by_digit(number), end)
    if number.isdigit() and _DIALLED.search(line, 0, start) and not counts(line, end):
        return Spoken(digits(number), end)
    if (
        len(number) > 2
        and number.isdigit()
        and _CODE.search(line, 0, start)
        and not counts(line, end)
    ):
        if number[0] == "0":
            return Spoken(digits(number), end)
        return Spoken(decimal(number), end, "doubt.code", digits(number))
    return None


def named(number: str, line: str, end: int) -> Spoken | None:
    """After a word that says what is numbered: 제2장, 레벨 10 달성. In English: No. 1, or 이글 1 may be."""
    before = line[: end - len(number)]
    if _ORDINAL.search(before):
        return Spoken(decimal(number), end)
    short = number.isdigit() and len(number) <= 2 and number[0] != "0"
    is_small = short and int(number) < len(ENGLISH) and not counts(line, end)
    if is_small and _ENGLISH_LABEL.search(before):
        return Spoken(ENGLISH[int(number)], end, "doubt.call_sign", decimal(number))
    if line[end : end + 1].isalnum():
        return None
    if _LABEL.search(before):
        return Spoken(decimal(number), end)
    if not is_small:
        return None
    place = len(re.sub("[ -]$", "", before))  # 이글 1, 이글-1
    name = next((piece for piece in pieces_of(line) if piece.end == place), None)
    if name and name.closes in ("NNG", "NNP"):
        return Spoken(decimal(number), end, "doubt.call_sign", ENGLISH[int(number)])
    return None
