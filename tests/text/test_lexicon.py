import os
import unicodedata
from pathlib import Path

import pytest

from moksori.errors import LexiconError
from moksori.text import pronounce, read
from moksori.text.lexicon import add_reading, load_lexicon
from moksori.text.syllables import decompose


@pytest.fixture
def show(tmp_path):
    def write(content: str, name: str = "show.tsv") -> Path:
        path = tmp_path / name
        path.write_text(content, encoding="utf-8-sig")
        return path

    return write


def test_every_entry_reads_syllable_for_syllable():
    lexicon = load_lexicon()
    assert len(lexicon.words) >= 1500
    for entry, (reading, other) in lexicon.words.items():
        word = entry.removesuffix("-")
        assert len(word) == len(reading), word
        assert not other or len(other) == len(word), word
        for written, spoken in zip(decompose(word), decompose(reading), strict=True):
            assert written and spoken and written[1] == spoken[1], (
                word
            )  # vowels are the rules' work


def test_a_show_s_list_is_named_as_a_path_or_as_a_string(show):
    path = show("별빛검\t별삗껌\nARIA\t아리아\n")
    for lexicon in (path, str(path)):
        assert read("ARIA, 별빛검", lexicon=lexicon).pronounced == "아리아, 별삗껌"
        assert pronounce("ARIA, 별빛검", lexicon=lexicon) == "아리아, 별삗껌"
    with pytest.raises(LexiconError, match=r"none\.tsv: no such file"):
        read("가자", lexicon="none.tsv")


def test_entries_match_whole_pieces_only():
    assert pronounce("문고리를 잡고") == "문꼬리를 잡꼬"
    assert pronounce("대문 고리") == "대문 고리"
    assert pronounce("창고리") != "창꼬리"


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("모닥길", "모닥낄"),  # parts of compounds: words that no list has
        ("소금가루가", "소금까루가"),
        ("신뢰성을", "실뢰썽을"),
        ("한줄기", "한줄기"),  # only after nouns
        ("이상한소리", "이상한소리"),
        ("세권", "세권"),
    ],
)
def test_parts_read_new_compounds(written, spoken):
    assert pronounce(written) == spoken


def test_a_stem_matches_verbs_only():
    assert pronounce("맛있어") == "마시써"
    assert pronounce("숨길 수 없어") == "숨길 쑤 업써"


def test_a_show_s_part_leaves_the_package_s_others(show):
    path = show("-법\t법\n")
    assert load_lexicon(path).parts["법"].keys() == {"~", "-"}


def test_a_changed_list_is_read_again(show):
    path = show("루미\t루삐\n")
    assert pronounce("루미", lexicon=path) == "루삐"
    path = show("루미\t루띠\n")
    os.utime(path, (1, 1))
    assert pronounce("루미", lexicon=path) == "루띠"


def test_a_row_of_headers_is_no_word(show):
    assert pronounce("이 단어 뭐야", lexicon=show("단어\t발음\n루미\t루삐\n")) == "이 다너 뭐야"
    path = show("루미\t루삐\n이름\t이릅\n")  # but a word may be 이름
    assert pronounce("이름", lexicon=path) == "이릅"


def test_a_show_s_words_go_first(show):
    path = show(
        "# 우리 작품\n루카리온\t루까리온\t용 이름\nARIA\t아리아\n2NE1\t투애니원\n강가\t강가\n"
    )
    assert pronounce("루카리온은 강가에 산다", lexicon=path) == "루까리오는 강가에 산다"
    assert pronounce("루카리온", lexicon=None) == "루카리온"
    assert read("aria와 2NE1", lexicon=path).normalized == "아리아와 투애니원"
    assert read("ARIA", lexicon=path).doubts == []
    assert pronounce("MARIA", spell=True, lexicon=path) == pronounce("MARIA", spell=True)


def test_a_show_s_words_stand_before_particles(show):
    path = show("드래곤하트\t드래곤아트\n")
    for rest in ("", "는", "에게서", "이라고"):
        assert pronounce(f"드래곤하트{rest}", lexicon=path).startswith("드래고나트"), rest


def test_a_spreadsheet_s_csv_is_read(show):
    path = show(
        '단어,읽기,비고\n"하늘빛검","하늘삗껌","검, 이름"\n'.replace("단어", "#단어"), "a.csv"
    )
    assert pronounce("하늘빛검", lexicon=path) == "하늘삗껌"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("루카리온\n", "line 1: give a word and its reading"),
        ("강가\t강가\n루카\tluka\n", "line 2: write the reading “luka” in Hangul"),
        ("루카\t루우카\n", "line 1: the reading “루우카” needs as many syllables"),
        ("루카\t루까\n루카\t루카\n", "line 2: “루카” is there twice"),
    ],
)
def test_a_wrong_row_is_told_with_its_place(show, content, message):
    with pytest.raises(LexiconError, match=message):
        load_lexicon(show(content))


def test_where_a_row_is_wrong_is_told_in_korean(show):
    with pytest.raises(LexiconError) as error:
        load_lexicon(show("강가\t강가\n루카\tluka\n"))
    assert "2번째 줄: 읽는 법 “luka”" in error.value.say("ko")


def test_a_file_that_is_not_there_or_not_text_is_told(tmp_path):
    with pytest.raises(LexiconError, match="no such file"):
        load_lexicon(tmp_path / "none.tsv")
    (tmp_path / "open.csv").write_text('강가,"강까\n', encoding="utf-8")
    with pytest.raises(LexiconError, match=r"open\.csv, line 1: .*quotation mark"):
        load_lexicon(tmp_path / "open.csv")
    (tmp_path / "other.csv").write_bytes(b"\xff\xff\xff")
    with pytest.raises(LexiconError, match="neither UTF-8 nor UTF-16 nor CP949"):
        load_lexicon(tmp_path / "other.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp949"])
def test_a_show_s_list_is_read_in_every_encoding(tmp_path, encoding):
    (tmp_path / "show.csv").write_bytes("강가,강까\r\n".encode(encoding))
    assert load_lexicon(tmp_path / "show.csv").words["강가"].reading == "강까"


def test_a_part_of_two_readings_is_a_doubt():
    doubts = read("얼음성의 가능성").doubts
    assert [(d.text[-1], d.reading[-1], d.other[-1]) for d in doubts] == [("성", "썽", "성")]


def test_two_readings_are_a_doubt():
    doubts = read("저 화병에 25송이를 꽂아").doubts
    assert [(d.text, d.reading, d.other, d.offset) for d in doubts] == [
        ("화병", "화병", "화뼝", 2),
        ("25송이", "스물다섯송이", "이십오송이", 6),
    ]


@pytest.mark.parametrize("name", ["show.tsv", "show.csv"])
def test_a_reading_is_added_to_a_list_of_any_kind(tmp_path, name):
    path, mark = tmp_path / name, "," if name.endswith("csv") else "\t"
    path.write_bytes(f"# 우리 작품\n\n꽃잎{mark}꽃닢\n이름{mark}이름".encode("cp949"))
    add_reading(path, "아리아", "아리야")
    for reading in ("씨엑스", "시엑스"):
        add_reading(path, 'C"x', reading)
    assert load_lexicon(path).written['c"x'] == "시엑스"
    add_reading(path, unicodedata.normalize("NFD", "꽃잎"), "꼰닙")
    words = load_lexicon(path).words
    assert (words["아리아"].reading, words["꽃잎"].reading) == ("아리야", "꼰닙")
    assert words["이름"].reading == "이름"
    assert "# 우리 작품" in path.read_text("utf-8-sig")
    before = path.read_bytes()
    with pytest.raises(LexiconError, match=name):
        add_reading(path, "낱말", "abc")
    assert path.read_bytes() == before
