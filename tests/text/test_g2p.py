import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moksori.errors import TextError
from moksori.text import SYMBOLS, phones, pronounce, tokenize
from moksori.text.g2p import pronounce_normalized
from moksori.text.morphemes import analyse
from moksori.text.syllables import CODAS, ONSETS, VOWELS, compose, decompose
from moksori.text.symbols import BOS, EOS


def sounds(spoken: str) -> str:
    """Letters that sound, spaces and the borders of syllables aside: 오 탄 벌 is 옫한벌's 오탄벌."""
    letters = [letter for syllable in decompose(spoken) if syllable for letter in syllable]
    silent = [i for i, letter in enumerate(letters) if letter == "ㅇ" and i % 3 == 0]
    return "".join(x for i, x in enumerate(letters) if x != " " and i not in silent)


def read_cases(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.reader(file, delimiter="\t") if not row[0].startswith("#")]


def wrong_ones(cases: list[list[str]]) -> list[tuple]:
    return [
        (written, said, expected, article)
        for written, expected, article in cases
        if sounds(said := pronounce(written)) not in map(sounds, expected.split("|"))
    ]


def test_the_standard_s_own_examples_and_everyday_lines():
    cases = read_cases(Path(__file__).parent / "standard.tsv")
    assert len(cases) > 370
    assert wrong_ones(cases) == []


def test_the_shared_cases(shared):
    cases = read_cases(shared / "cases" / "pronunciation.tsv")[1:]
    assert len(cases) == 299
    assert wrong_ones(cases) == []


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("학교에 갔습니다.", "학꾜에 갇씀니다."),
        ("옷 한 벌", "오 탄 벌"),
        ("옷, 한 벌", "옫, 한 벌"),  # a mark ends the breath group
        ("할 것을", "할 꺼슬"),
        ("할, 것을", "할, 거슬"),
        ("할지 말지", "할찌 말지"),  # 말다's stem ends in ㄹ: no rule for it
        ("안다", "안다"),  # 알다
        ("꼭 안고 있어", "꼬 간꼬 이써"),  # 안다
        ("여덟도 여덟이", "여덜도 여덜비"),  # nouns are not stems
        ("감기는 이마를 감기고", "감기느 니마를 감기고"),
    ],
)
def test_morphemes_and_breath_groups_decide(written, spoken):
    assert pronounce(written) == spoken


def test_words_can_be_kept_apart():
    assert pronounce("옷 한 벌 할 것", cross_word=False) == "옫 한 벌 할 걷"


def test_compounds_come_in_parts():
    text = "꽃잎이 예쁘다."
    assert [text[p.begin : p.end] for p in analyse(text)] == ["꽃", "잎", "이", "예쁘", "다"]


def test_a_missing_dictionary_is_told(monkeypatch):
    from moksori.text import morphemes

    monkeypatch.setitem(sys.modules, "mecab", None)
    morphemes._tagger.cache_clear()
    try:
        with pytest.raises(TextError, match="pip install"):
            pronounce("안녕")
    finally:
        morphemes._tagger.cache_clear()


syllables = st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3)
hangul = st.text(st.one_of(syllables, st.sampled_from(" .,?!")), min_size=1, max_size=30)


@settings(max_examples=300, deadline=None)
@given(hangul)
def test_every_syllable_keeps_its_place(text):
    text = " ".join(text.split())
    spoken = pronounce_normalized(text)[0]
    assert len(spoken) == len(text)
    assert [c in " .,?!" for c in spoken] == [c in " .,?!" for c in text]
    assert set(phones(spoken)) <= set(SYMBOLS)
    assert pronounce_normalized(text)[0] == spoken


# Open syllables whose onset no rule tenses and whose vowel no rule changes.
unruled = st.builds(
    lambda onset, vowel: compose([onset, vowel, " "]),
    st.sampled_from("ㅇㄴㅁㄹㅎㅋㅌㅍㄲㄸㅃㅆ"),
    st.sampled_from([vowel for vowel in VOWELS if vowel not in "ㅖㅢ"]),
)


@settings(max_examples=300, deadline=None)
@given(st.text(st.one_of(unruled, st.just(" ")), min_size=1, max_size=20))
def test_what_has_no_rule_stays(text):
    text = " ".join(text.split())
    assert pronounce_normalized(text)[0] == text


def test_the_hash_seed_changes_nothing():
    code = "from moksori.text import pronounce; print(pronounce('꽃잎 서른여섯 장을 할 수 없이 맑게 넣는다'))"
    said = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1", "2")
    }  # fmt: skip
    assert said == {"꼰닙 써른녀섣 짱을 할 쑤 업씨 말께 넌는다\n"}


def test_syllables_come_apart_and_together():
    every = [chr(code) for code in range(0xAC00, 0xD7A4)]
    assert [compose(syllable) for syllable in decompose("".join(every)) if syllable] == every
    assert len(ONSETS) * len(VOWELS) * len(CODAS) == len(every)
    assert decompose("a ㄱ") == [None, None, None]


def test_phones_stand_by_position():
    assert phones("각 가.") == [BOS, "ᄀ", "ᅡ", "ᆨ", " ", "ᄀ", "ᅡ", ".", EOS]
    assert len(SYMBOLS) == len(set(SYMBOLS)) == 3 + 1 + 4 + 19 + 21 + 7


def test_symbols_without_a_sound_are_refused():
    with pytest.raises(ValueError, match="not a spoken sound") as error:
        phones("가_나")
    assert error.value.offset == 1
    with pytest.raises(ValueError, match="not a spoken sound"):
        phones("값")  # written, not spoken: its coda is none of the seven


def test_tokens_are_the_phones_numbers():
    assert [SYMBOLS[i] for i in tokenize("같이")] == phones("가치")
