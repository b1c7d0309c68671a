"""Counters that mean two things: 3번 (times, or a number), 20대 (years, or cars), 2분 (minutes, or people).

What stands around them decides which; where it does not, the reading is a doubt with both.
"""

import re
from collections.abc import Callable

from moksori.text.counters import past_space, pieces_from, pieces_of

_VEHICLES = re.compile(
    r"(?:차|버스|트럭|택시|비행기|자전거|오토바이|컴퓨터|카메라|크루저|딩기|총|전화|에어컨|요트|드론|로봇|헬기|기체|탱크|"
    r"메카|노트북|폰|피아노|주먹|매|따귀|담배|[가-힣](?:기|선|함|정))\s?[를을이가]?\s?$"
)
_OF_ALL = re.compile(
    r"(?:세계|역대|국내|한국|조선|당대|인류|우주|전국|동양|서양|제)\s?$"
)  # 세계 3대 진미
_GENERATION = re.compile(r"\s?(?:에 걸쳐|독자|황제|국왕|왕|교주|회장|당주|가주|손)|째")
_GUESTS = re.compile(r"(?:손님|고객님?|어른|어르신|선생님|승객|부모님|의원|귀빈)\s?$")
_COMES = (
    "(?:오[셨시신십세]|계[셨시신십세]|모[시셔신실십]|입장하)"  # of whom one speaks with respect
)
_HONOURED = re.compile(
    rf"\s?(?:께|이서|(?:다|모두|같이|함께)\s|{_COMES})|[이은도만]\s?(?:(?:다|모두|같이|함께)\s)?{_COMES}"
)
_TIMES = re.compile(
    r"\s?(?:더|다시|만에|만\s?더|이나|씩|도\s|쯤|밖에|정도|반복|연속|이상|이하|넘게|가까이|꼴|연달아)"
)
_HOW_OFTEN = re.compile(
    r"(?:하루에?|[주달년]에|일에|평생|벌써|딱|단|겨우|모두|적어도|최소|최대|무려|매일|지금까지|여태|박수를?|종을)\s?$"
)
_NUMBERED = re.compile(r"(?:이|가|은|의|과|와|부터|까지|으로|에|에서|하고)(?![가-힣])")
_PARTIES = re.compile(
    r"\s?(?:회담|대면|회동|구도|대결|협상|협의|협력|합의|동맹|연합|토론|통화|간(?![가-힣])|간의)"
)
_SHAPES = re.compile(  # of the letters 一, 八 and of 11
    r"\s?(?:걸음|다리|복근|주름|눈썹|이마|모양|형(?![가-힣])|매듭|드라이버|춤|스키|라인|쇄골|어깨|바지|로\s)"
)
_RANGE = re.compile(r"\d+\s?[~,–—-]\s?$")  # a number before the number
_BY_NUMBER = re.compile(
    r"\s(?:출구|타자|타석|버튼|카메라|게이트|후보|국도|버스|홈|플랫폼|승강장|문제|방|문|선수|기|함|포탑|격납고|구역|라인|"
    r"조|팀|트랙|채널|스튜디오|마이크|손님|고객|참가자|학생|환자|죄수|용의자|주자|아이언|우드|레인|창구|테이블)"
)
# What is numbered by teams: 강력 1팀; whose number is Sino-Korean with 개: 3개 국어, 2개 대대.
_DEPARTMENTS = re.compile(
    r"(?:강력|수사|형사|영업|기획|마케팅|개발|홍보|인사|총무|지원|구조|특수|기동|타격|대응|디자인|편집|제작|정비|경호|"
    r"관리|운영|전략|회계|재무|법무|감사|보안|특임|작전)\s?$"
)
_BODIES = re.compile(
    r"\s(?:국어|군단|사단|여단|연대|대대|중대|소대|분대|함대|편대|비행단|구단|시도|광역시)"
)
_SHEAVES = re.compile(
    r"(?:시금치|파|열무|부추|미나리|알타리|총각무|깻잎|쑥갓|볏짚|짚단?|장작|땔감|나무)[를을이가]?\s?$"
)
_FLIGHT = re.compile(r"(?:항공|[A-Z]{2})\s?$")


def _hour(value: int, line: str, before: str, end: int) -> str:
    return "native" if 1 <= value <= 12 else "sino"


def _hours(value: int, line: str, before: str, end: int) -> str:
    return "native" if value < 24 else "sino"


def _vehicles(value: int, line: str, before: str, end: int) -> str:
    """20대 여성 (an age), 세계 3대 진미, 3대째; 4대 천왕 (a doubt); but 차 3대."""
    if _VEHICLES.search(before) and not _OF_ALL.search(before):
        return "native?" if value % 10 == 0 else "native"
    if value % 10 == 0 or _OF_ALL.search(before) or _GENERATION.match(line, end):
        return "sino"
    after = pieces_from(line, past_space(line, end))
    # 천 of 천왕 is taken for a number
    noun = bool(after) and after[0].opens in ("NNG", "NNP", "NR")
    return "sino?" if line[end : end + 1] == " " and noun else "native"


def _chapter(value: int, line: str, before: str, end: int) -> str:
    """1막 2장, 3장 16절, 1권 2장; but 표 2장."""
    numbered = re.search(r"\d\s?[막부편권]\s?$|제\s?$", before)
    if re.match(r"\s?분립", line[end:]):  # 3권 분립
        return "sino"
    return "sino" if numbered or re.match(r"\s?\d+\s?[막장절화쪽]", line[end:]) else ""


def _flight(value: int, line: str, before: str, end: int) -> str:
    """대한항공 901편; 단편 3편."""
    return "sino" if _FLIGHT.search(before) else _chapter(value, line, before, end)


def _team(value: int, line: str, before: str, end: int) -> str:
    """강력 2팀, 1팀, 2팀은 뒤로; but 모두 3팀."""
    numbered = value == 1 or _DEPARTMENTS.search(before) or _NUMBERED.match(line, end)
    return "sino" if numbered else ""


def _pieces(value: int, line: str, before: str, end: int) -> str:
    """2개 대대; but 2개 가져와."""
    return "sino?" if _BODIES.match(line, end) else ""


def _feet(value: int, line: str, before: str, end: int) -> str:
    """8척 장신, 키가 7척 (of length); but 배 3척."""
    long = re.match(r"\s?(?:장신|거구|단구|동자|길이|높이)", line[end:])
    return "sino" if long or re.search(r"(?:키|신장|길이|높이)[가는은이]?\s?$", before) else ""


def _sheaves(value: int, line: str, before: str, end: int) -> str:
    """대파 2단; but 3단 변신."""
    return "native" if _SHEAVES.search(before) else ""


def _siblings(value: int, line: str, before: str, end: int) -> str:
    """3남매, 삼남매; but 2형제, 두형제."""
    return "sino" if value > 2 else "native?"


def _tenths(value: int, line: str, before: str, end: int) -> str:
    """3할 5푼."""
    return "sino" if re.search(r"할\s?$", before) else ""


def _letters(value: int, line: str, before: str, end: int) -> str:
    """6자 회담 (parties), 8자 걸음 (a shape); but 10자 내외."""
    shape = value in (1, 8, 11) and _SHAPES.match(line, end)
    return "sino" if shape or _PARTIES.match(line, end) else ""


def _minutes(value: int, line: str, before: str, end: int) -> str:
    """2분 뒤에; but 손님 2분."""
    people = _GUESTS.search(before) or _HONOURED.match(line, end)
    return "native?" if people and value < 20 else "sino"


def _times(value: int, line: str, before: str, end: int) -> str:
    """2번 더, 하루 3번; but 2번 출구, 1번은 나야."""
    if _TIMES.match(line, end) or _HOW_OFTEN.search(_RANGE.sub("", before)):
        return "native"
    if (
        value > 30
        or before.endswith(("반 ", "반"))
        or _NUMBERED.match(line, end)
        or line[end : end + 1] == "지"
    ):
        return "sino"
    if _BY_NUMBER.match(line, end):
        return "sino"
    begin = past_space(line, end)
    after = [piece for piece in pieces_of(line) if piece.begin >= begin][:2]
    if begin == end or not after:
        return "sino?"
    does = after[0].opens[:2] in ("VV", "VX", "MA") or (
        len(after) > 1 and after[1].begin == after[0].end and after[1].opens == "XSV"
    )
    return "native?" if does else "sino"


# counter: its kind by its number, the line, what stands before the number, and where the counter ends; or ""
SENSES: dict[str, Callable[[int, str, str, int], str]] = {
    "시": _hour, "시간": _hours, "대": _vehicles, "장": _chapter, "권": _chapter, "편": _flight,
    "푼": _tenths, "분": _minutes, "자": _letters, "번": _times,
    "팀": _team, "개": _pieces, "단": _sheaves, "척": _feet,
    "형제": _siblings, "자매": _siblings, "남매": _siblings,
}  # fmt: skip
