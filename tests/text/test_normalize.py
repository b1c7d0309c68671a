import csv
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moksori.corpus import emotiontts
from moksori.errors import TextError
from moksori.text import SYMBOLS, normalize, read, tokenize


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
        ("그…, 그게", "그, 그게"),
        ("정말…?", "정말?"),
        ("안녕~~ 나야", "안녕 나야"),
        ("안\u200b녕", "안녕"),
        ("（작게）미안해.", "미안해."),
        ("ㅋㅋㅋ 진짜 웃기다ㅠㅠ", "진짜 웃기다"),
        ("하하하, 흑흑", "하하하, 흑흑"),
    ],
)
def test_writing_becomes_plain(line, expected):
    assert normalize(line) == expected


@pytest.mark.parametrize(
    ("line", "offset", "fix"),
    [
        ("이건 qwertz야", 3, "not in the English dictionary"),
        ("(웃음 안녕", 0, "not closed"),
        ("안녕) 나야", 2, "closes no bracket"),
        ("(안녕] 나야", 3, "closes no bracket"),
        ("안녕ㄱㄱ", 2, "whole syllables"),
        ("사랑 愛", 3, "Hangul"),
        ("사랑 スキ", 3, "Hangul"),
        ("좋아 😀", 3, "take it out"),
        ("가격~가", 2, "Hangul"),
        ("x²", 1, "number"),
    ],
)
def test_unreadable_characters_are_errors_with_their_place(line, offset, fix):
    with pytest.raises(TextError, match=fix) as error:
        normalize(line)
    assert error.value.offset == offset
    assert error.value.line == line


@pytest.mark.parametrize("line", ["", "   ", "...", "?!", "“”", "(웃음)", "ㅋㅋㅋ", "……"])
def test_a_line_without_speech_is_an_error(line):
    with pytest.raises(TextError, match="no speech"):
        normalize(line)


def test_decomposed_hangul_is_composed():
    assert normalize("한국") == "한국"


def hangul(text: str) -> str:
    return "".join(char for char in text if "가" <= char <= "힣")


def test_the_shared_cases(shared):
    """Every line of normalization.tsv: Hangul alone is compared, or the kind of error."""
    with (shared / "cases" / "normalization.tsv").open(encoding="utf-8") as file:
        cases = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert len(cases) == 63
    errors = {"no-speech": "no speech", "unbalanced": "not closed", "unsupported": "cannot read"}
    for case in cases:
        if case["expected"].startswith("<ERROR"):
            with pytest.raises(TextError, match=errors[case["expected"][7:-1]]):
                normalize(case["text"])
        else:
            expected = [hangul(variant) for variant in case["expected"].split("|")]
            assert hangul(normalize(case["text"])) in expected, case["text"]


def test_scripts_of_the_corpus_become_its_transcripts(shared):
    """Lines whose script and transcript differ; 20명 is said in two ways, which no script tells."""
    lines = emotiontts.read(shared / "corpus" / "emotiontts")
    written = [line for line in lines if re.search("[0-9A-Za-z%]", line.script)]
    right = sum(
        hangul(normalize(line.script)).replace("스무명", "이십명")
        == hangul(line.text).replace("스무명", "이십명")
        for line in written
    )
    assert len(written) > 150
    assert right / len(written) > 0.95


@settings(max_examples=500)
@given(
    st.text(
        alphabet=st.sampled_from(
            list("가나않값희힣ㅋㅠa3T70 .,?!~…·'()%-/:“”\t\u1112\u1161😀愛년개시월번")
        )
    )
)
def test_any_string_gives_tokens_or_our_error(line):
    try:
        plain = normalize(line)
    except TextError:
        return
    assert normalize(plain) == plain
    assert all(0 <= token < len(SYMBOLS) for token in tokenize(line))


def test_a_page_is_no_line():
    """It is refused before anything looks at it; 600 kB took minutes."""
    with pytest.raises(TextError, match="600000 characters in a line"):
        read("가" * 600_000)
    assert len(read("가나 " * 100).normalized) > 250
