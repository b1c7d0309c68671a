import pytest

from moksori.errors import TextError
from moksori.text import normalize, read
from moksori.text.numbers import native, sino


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (0, "영"), (1, "일"), (10, "십"), (11, "십일"), (100, "백"), (111, "백십일"), (1000, "천"),
        (2020, "이천이십"),
        (10000, "만"), (11000, "만천"), (20000, "이만"), (110000, "십일만"), (100000000, "일억"),
        (123456789, "일억이천삼백사십오만육천칠백팔십구"), (10**12, "일조"), (100010000, "일억일만"),
    ],
)  # fmt: skip
def test_sino_korean(number, word):
    assert sino(number) == word


@pytest.mark.parametrize(
    ("number", "alone", "counting"),
    [
        (1, "하나", "한"),
        (3, "셋", "세"),
        (20, "스물", "스무"),
        (21, "스물하나", "스물한"),
        (99, "아흔아홉", "아흔아홉"),
    ],
)
def test_native(number, alone, counting):
    assert (native(number), native(number, counted=True)) == (alone, counting)


@pytest.mark.parametrize(
    ("line", "spoken"),
    [
        ("3시 5분에 만나", "세시 오분에 만나"),
        ("14:30에 출발", "십사시 삼십분에 출발"),
        ("3:2로 이겼어", "삼 대 이로 이겼어"),
        ("2024.6.10.에 봐", "이천이십사년 유월 십일에 봐"),
        ("10월 6일", "시월 육일"),
        ("16~18세", "십육세에서 십팔세"),
        ("30분~1시간", "삼십분에서 한시간"),
        ("3-4명", "세명에서 네명"),
        ("《겨울왕국 2》 봤어?", "겨울왕국 투 봤어?"),
        ("제2장, 제 16대 왕", "제이장, 제 십육대 왕"),
        ("3대 2로 이겼어", "삼대이로 이겼어"),
        ("66 입어, 66세야", "육육 입어, 육십육세야"),
        ("1" * 5000 + "개", "일" * 5000 + "개"),
        ("100-200명", "백명에서 이백명"),
        ("1000-2000원", "천원에서 이천원"),
        ("1588-1234로 전화해", "일오팔팔, 일이삼사로 전화해"),
        ("02-123-4567", "공이, 일이삼, 사오육칠"),
        ("10~20%", "십퍼센트에서 이십퍼센트"),
        ("3kg~5kg", "삼킬로그램에서 오킬로그램"),
        ("-5도야", "영하 오도야"),
        ("기온은 -3.5℃", "기온은 영하 삼쩜오도"),
        ("+3점", "플러스 삼점"),
        ("$100만 줘", "백만달러 줘"),
        ("3만 5천 원", "삼만 오천 원"),
        ("1만 원", "만 원"),
        ("1,234,567원", "백이십삼만사천오백육십칠원"),
        ("6.25 전쟁", "육이오 전쟁"),
        ("5·18 민주화운동", "오일팔 민주화운동"),
        ("010-1234-5678로 전화해", "공일공, 일이삼사, 오육칠팔로 전화해"),
        ("119에 신고해", "일일구에 신고해"),
        ("제3회 대회", "제삼회 대회"),
        ("1번째", "첫번째"),
        ("2번 출구", "이번 출구"),
        ("2번 더 해봐", "두번 더 해봐"),
        ("20대 여성", "이십대 여성"),
        ("차 3대", "차 세대"),
        ("2개월", "이개월"),
        ("2개", "두개"),
        ("3시즌", "삼시즌"),
        ("24시간", "이십사시간"),
        ("5시간", "다섯시간"),
        ("007", "공공칠"),
        ("5kg", "오킬로그램"),
        ("100km/h", "시속 백킬로미터"),
        ("1/2만 줘", "이 분의 일만 줘"),
        ("A4용지", "에이사용지"),
        ("3D 영화", "쓰리디 영화"),
        ("A/S 센터", "에이 에스 센터"),
        ("thank you", "땡큐"),
        ("T-shirt", "티셔츠"),
    ],
)
def test_numbers_and_letters_in_lines(line, spoken):
    assert normalize(line) == spoken


def test_what_stands_in_a_range_is_not_passed_on_unread():
    with pytest.raises(TextError, match="“愛”"):
        normalize("3愛~5")


def test_unknown_english_can_be_spelled():
    assert normalize("qwertz", spell=True) == "큐더블유이알티제트"


def test_a_reading_tells_events_and_doubts():
    reading = read("(웃으며) ABC 좋아 (작게)ㅠㅠ")
    assert [(event.kind, event.text, event.offset) for event in reading.events] == [
        ("laugh", "(웃으며)", 0), ("direction", "(작게)", 13), ("cry", "ㅠㅠ", 17),
    ]  # fmt: skip
    assert [(doubt.text, doubt.reading) for doubt in reading.doubts] == [("ABC", "에이비씨")]
    assert reading.normalized == "에이비씨 좋아"
    assert reading.to_dict()["events"][0]["kind"] == "laugh"
