"""Lines as scripts have them: `readings.tsv`, judged by how Korean numbers are said, not by what we read.

Native numbers stand before native bound nouns and nouns that are counted as they are, Sino-Korean ones
before units, in dates and in numbering (표준국어대사전, 온라인가나다); 유월, 시월: 한글 맞춤법 제52항.
"""

import re
import unicodedata
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moksori.errors import TextError
from moksori.text import SYMBOLS, normalize, pronounce, read, tokenize
from moksori.text.directions import take_out
from moksori.text.marks import clean
from moksori.text.morphemes import analyse
from tests.fuzzing import examples

_TABLE = (Path(__file__).parent / "readings.tsv").read_text(encoding="utf-8")
CASES = [row.split("\t")[:3] for row in _TABLE.splitlines() if not row.startswith("#")]


@pytest.mark.parametrize(("written", "reading", "other"), CASES)
def test_a_line_is_read_or_questioned(written, reading, other):
    line = re.sub(r"\\u([0-9a-f]{4})", lambda code: chr(int(code[1], 16)), written)
    found = read(line)
    assert found.normalized == reading
    offered = [doubt.other for doubt in found.doubts if doubt.other]
    assert other in offered if other else not offered
    for doubt in found.doubts:
        assert doubt.say("ko") != doubt.say("en")
        assert doubt.other in doubt.say("ko")
        assert line[doubt.offset] == doubt.text[0]


def test_what_is_done_to_a_reading_is_not_in_the_next():
    first = read("(웃음) 담배 20갑")
    first.phones.clear()
    first.events.clear()
    first.doubts.clear()
    again = read("(웃음) 담배 20갑")
    assert again.phones and again.events and again.doubts


@pytest.mark.parametrize(
    ("line", "shown", "offset"),
    [
        ("안\u200b녕 愛", "愛", 4),
        ("안녕 ｶﾀ", "ｶ", 3),
        ("ﾡ", "ﾡ", 0),
        ("안녕\x07", "U+0007", 2),
        ("\ud800안녕", "U+D800", 0),
        ("강ㅏ", "ㅏ", 1),
        ("아ㅑ", "ㅑ", 1),
        ("진ㅋㅋ짜 ★", "★", 5),
        ("서울~부산", "~", 2),
        ("월~금", "~", 1),
        ("ㄱ, 그게", "ㄱ", 0),
        ("안\u2060녕) 나", ")", 3),
        ("서울 -> 부산", ">", 4),
        ("사랑해 <3", "<", 4),
        ("3 > 2", ">", 2),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(line, shown, offset):
    with pytest.raises(TextError) as error:
        read(line)
    assert f"“{shown}”" in str(error.value)
    assert (error.value.line, error.value.offset) == (line, offset)


def test_what_leaves_a_word_is_told_with_its_place():
    found = read("\u200e진ㅋㅋ짜 ♪라라")
    assert [(e.kind, e.text, e.offset) for e in found.events] == [
        ("laugh", "ㅋㅋ", 2),
        ("song", "♪", 6),
    ]
    assert [(d.text, d.offset) for d in found.doubts] == [("진ㅋㅋ짜", 1)]


# Pieces that scripts are made of, and any character at all.
_PIECES = st.sampled_from(
    """
    3 03 10 119 2024 0 1,000 3.5 시 분 달 달러 번 대 장 명 월 일 천 만 조각 반 막 발사 이글
    안녕 가 는 을 ~ - — ― …
    . , ! ? : / · ( ) [ ] 《 》 ㅋㅋ ㅠ ㅏ ㄱ ♪ TV
    km $ % km/h ' " ″ < > ° x × + = II A- Rh- T m/s 1/2 12 가 - . to 팀 개 척
    ｱ Ａ １ \u200b \u202e \u3164 \ufe0f \x00 \ud800 愛 😀 ー |
    """.replace("|", "\u3000").split(" ")
)
_LINES = st.one_of(
    st.lists(_PIECES, max_size=14).map("".join),
    st.text(max_size=40),
    st.text("가나다각핳힣 3.1-~", max_size=60),
)


def _letters(line: str) -> str:
    """What has to be read: Hangul that is not in brackets."""
    text, _ = take_out(clean(unicodedata.normalize("NFC", line.removeprefix("\ufeff"))).text)
    return "".join(re.findall("[가-힣]", text))


@settings(max_examples=examples(600), deadline=None)
@given(_LINES)
def test_any_line_is_read_without_loss_or_refused(line):
    try:
        found = read(line)
    except TextError as error:
        assert error.offset is None or 0 <= error.offset < len(error.line)
        assert error.say("ko")
        return
    spoken = iter(found.normalized)
    lost = [char for char in _letters(line) if char not in spoken]  # in order
    assert not lost, (line, found.normalized)
    assert normalize(line) == found.normalized == normalize(found.normalized)
    assert pronounce(line) == found.pronounced
    assert len(found.pronounced) == len(found.normalized)
    assert all(0 <= token < len(SYMBOLS) for token in tokenize(line))
    for mark in (*found.events, *found.doubts):
        assert 0 <= mark.offset < len(line)


@settings(max_examples=examples(300), deadline=None)
@given(st.text("가나다각핳힣ab3 .,?!", max_size=30))
def test_pieces_lie_where_the_text_has_them(line):
    pieces = analyse(line)
    assert all(a.end <= b.begin for a, b in pairwise(pieces))
    for piece in pieces:
        assert re.fullmatch("[가-힣]+", line[piece.begin : piece.end]), (line, piece)


@settings(max_examples=examples(200), deadline=None)
@given(st.integers(0, 10**12), st.sampled_from(("원", "년", "달러", "킬로그램", "%")))
def test_sino_korean_numbers_can_be_read_back(number, unit):
    """The reading, parsed by place value, is the number again."""
    spoken = normalize(f"값은 {number}{unit}").removeprefix("값은 ")
    assert _value(re.match("[영일이삼사오육칠팔구십백천만억조]+", spoken)[0]) == number


def _value(word: str) -> int:
    total = group = digit = 0
    for char in word:
        if char in "영일이삼사오육칠팔구":
            digit = "영일이삼사오육칠팔구".index(char)
        elif char in "십백천":
            group, digit = group + (digit or 1) * 10 ** ("십백천".index(char) + 1), 0
        else:
            total += (group + digit or 1) * 10 ** (4 * ("만억조".index(char) + 1))
            group = digit = 0
    return total + group + digit
