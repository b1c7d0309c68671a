import csv

import pytest

from moksori.text import SYMBOLS, phones, pronounce, tokenize
from moksori.text.symbols import BOS, EOS


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("옷이", "오시"),  # 제13항 linking
        ("넋이", "넉씨"),  # 제14항
        ("앉아", "안자"),
        ("없어", "업써"),
        ("강아지", "강아지"),
        ("부엌", "부억"),  # 제8항, 제9항 neutralisation
        ("넓다", "널따"),  # 제10항 and 제25항
        ("여덟", "여덜"),
        ("놓고", "노코"),  # 제12항
        ("많던", "만턴"),
        ("닿소", "다쏘"),
        ("놓는", "논는"),
        ("싫어도", "시러도"),
        ("뚫네", "뚤레"),
        ("먹히다", "머키다"),
        ("넓히다", "널피다"),
        ("꽂히다", "꼬치다"),
        ("앉히다", "안치다"),
        ("굳이", "구지"),  # 제17항 palatalisation
        ("같이", "가치"),
        ("벼훑이", "벼훌치"),
        ("닫혀", "다처"),
        ("붙였다", "부첟따"),
        ("맏형", "마텽"),
        ("밟는", "밤는"),  # 제10항 다만
        ("넓죽하다", "넙쭈카다"),
        ("여덟도", "여덜도"),
        ("읽고", "일꼬"),  # 제11항 다만
        ("닭과", "닥꽈"),
        ("젊지", "점찌"),  # 제24항
        ("굶기다", "굼기다"),
        ("국물", "궁물"),  # 제18항 nasalisation
        ("없는", "엄는"),
        ("담력", "담녁"),  # 제19항
        ("협력", "혐녁"),
        ("난로", "날로"),  # 제20항 lateralisation
        ("칼날", "칼랄"),
        ("국밥", "국빱"),  # 제23항 tensification
        ("있던", "읻떤"),
        ("가져", "가저"),  # 제5항 vowels
        ("시계", "시게"),
        ("희망", "히망"),
        ("의사", "의사"),
        ("학교에 갔습니다.", "학꾜에 갇씀니다."),
    ],
)
def test_regular_rules(written, spoken):
    assert pronounce(written) == spoken


def test_the_standard_s_examples_of_regular_rules(shared):
    """The articles that need no morphology, no lexicon and no word before."""
    articles = [
        "제13항",
        "제14항",
        "제5항",
        "제9항",
        "제10항",
        "제17항",
        "제19항",
        "제23항",
        "제12항2",
        "제12항4",
    ]
    with (shared / "cases" / "pronunciation.tsv").open(encoding="utf-8") as file:
        cases = [
            row
            for row in csv.DictReader(file, delimiter="\t")
            if row["rule"].startswith(tuple(articles))
        ]
    assert len(cases) > 80
    wrong = [
        (case["text"], spoken)
        for case in cases
        if (spoken := pronounce(case["text"])) not in case["pronunciation"].split("|")
    ]
    assert wrong == []


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
