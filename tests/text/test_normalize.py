import pytest
from hypothesis import given
from hypothesis import strategies as st

from moksori.errors import TextError
from moksori.text import SYMBOLS, normalize, tokenize


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("\ufeff안녕하세요.\r\n", "안녕하세요."),
        ("“그래?!” 하고 물었다", "그래? 하고 물었다"),
        ("그… 그게", "그, 그게"),
        ("그게...", "그게."),
        ("안녕~!", "안녕!"),
        ("뭐！？", "뭐?"),
        ("아,,  정말", "아, 정말"),
        ("《토지》를 읽다", "토지를 읽다"),
        ("안녕".encode().decode(), "안녕"),
        ("때문에,", "때문에,"),
        ("하나; 둘", "하나, 둘"),
    ],
)
def test_writing_becomes_plain(line, expected):
    assert normalize(line) == expected


@pytest.mark.parametrize(
    ("line", "offset", "mend"),
    [
        ("오후 3시", 3, "as it is spoken"),
        ("이건 TV야", 3, "as it is spoken"),
        ("(웃음) 안녕", 0, "directions"),
        ("안녕ㅋㅋ", 2, "whole syllables"),
        ("사랑 愛", 3, "Hangul"),
        ("좋아 😀", 3, "Hangul"),
        ("16~18", 0, "number"),
        ("가격~가", 2, "Hangul"),
    ],
)
def test_unreadable_characters_are_errors_with_their_place(line, offset, mend):
    with pytest.raises(TextError, match=mend) as error:
        normalize(line)
    assert error.value.offset == offset
    assert error.value.line == line


@pytest.mark.parametrize("line", ["", "   ", "...", "?!", "“”"])
def test_a_line_without_speech_is_an_error(line):
    with pytest.raises(TextError, match="no speech"):
        normalize(line)


def test_decomposed_hangul_is_composed():
    assert normalize("한국") == "한국"


@given(st.text(alphabet=st.sampled_from(list("가나않값희힣ㅋa3 .,?!~…·'()“”\t\u1112\u1161😀愛"))))
def test_any_string_gives_tokens_or_our_error(line):
    try:
        plain = normalize(line)
    except TextError:
        return
    assert normalize(plain) == plain
    assert all(0 <= token < len(SYMBOLS) for token in tokenize(line))
