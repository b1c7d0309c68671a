"""Columns as studios head them, or do not: understood, asked about, or told."""

import csv
import datetime
import io
import shlex
import unicodedata

import pytest

from moksori.errors import ScriptError
from moksori.script.headers import COLUMNS, meaning
from moksori.script.script import read_script
from moksori.timecode import FrameRate
from tests.script.test_tables import write_workbook

LINES = (
    "어제는 왜 안 왔어?",
    "비가 너무 많이 와서.",
    "그럼 내일은 꼭 와.",
    "응, 약속할게.",
    "진짜지?",
    "그래, 진짜야.",
)


def write(folder, *rows, name="a.csv", delimiter=",", encoding="utf-8"):
    path = folder / name
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def body(*columns):
    """Rows of six lines; each column is what its cells say, or one text for all."""
    return [
        [str(column[i] if isinstance(column, list | tuple) else column) for column in columns]
        for i in range(6)
    ]


def said(content):
    return [(line.character, line.text) for line in content.lines]


def understood(content, lang="en"):
    return " ".join(what.say(lang) for what in content.understood)


WHO = ("하나", "두나", "하나", "두나", "하나", "두나")
NUMBERS = (1, 2, 3, 4, 5, 6)


HEADERS = {
    "character": "캐릭터|등장인물|화자|Speaker Name|ROLE|캐릭터 명|"
    "Character\nName|배역(이름)|인물 이름|말하는 사람",
    "no": "Cue|큐|Line No.|순번|NO#|№|Cue #|대사 번호",
    "start": "In|Start Time|Timecode In|타임코드|T.C. IN|시작\n시간|타임코드 In|시작 시각|"
    "Time-In|시작 (TC)|인점|[IN]|Start\u00a0TC|ＴＣ　ＩＮ",
    "end": "Out|End Time|Timecode Out|TC_OUT|타임코드(Out)|종료 시각|끝 시간",
    "line": "대사(한글)|Dialogue KR|최종대사|최종 대사|한국어 대사|대사 (국문)|"
    "Korean Dialogue|대사/Dialogue|번역 대사|"
    "【대사】|대\u200b사|\ufeff대사|DIALOGUE|수정 대사|더빙 대사|대사 (최종 수정본)",
    "scene": "컷|Cut|Scene No.|씬 번호|장면",
    "note": "Note|메모|REMARKS|특이 사항",
    "actor": "성우명|Voice Actor|담당 성우|Actor/성우",
    "file": "파일 이름|Audio File|녹음 파일|WAV",
}


@pytest.mark.parametrize(
    ("header", "key"), [(name, key) for key, names in HEADERS.items() for name in names.split("|")]
)
def test_headers_that_studios_use_are_known(header, key):
    assert meaning(header).key == key
    assert meaning(unicodedata.normalize("NFD", header)).key == key  # a Mac's


@pytest.mark.parametrize(
    "header", ["길이", "Duration", "감수", "여", "어제는 왜 안 왔어?", "", "2024", "-"]
)
def test_other_headers_say_nothing(header):
    assert meaning(header) is None


def test_every_name_of_the_table_is_one_column_s_alone():
    from moksori.script.headers import _TABLE, fold

    names = [
        name
        for kinds in _TABLE["columns"].values()
        for several in kinds.values()
        for name in several
    ]
    assert len(names) == len(set(names))
    assert all(fold(name) == name for name in names)
    assert set(COLUMNS) == set(_TABLE["columns"])


def test_what_is_read_as_what_is_said_and_what_is_not_used(tmp_path):
    path = write(
        tmp_path, ["번호", "캐릭터", "대사(한글)", "대사(영어)", "길이"],
        *body(NUMBERS, WHO, LINES, "Why?", "2"),
    )  # fmt: skip
    content = read_script(path)
    assert said(content) == [*zip(WHO, LINES, strict=True)]
    told = understood(content)
    assert "line = “대사(한글)” [3], character = “캐릭터” [2], no = “번호” [1]" in told
    assert "not used: “대사(영어)” [4], “길이” [5]; if that is wrong, say --columns" in told
    assert "대사=“대사(한글)” [3], 배역=“캐릭터” [2]" in understood(content, "ko")
    assert str(path) in told


@pytest.mark.parametrize("others", [("대사", "최종대사"), ("Dialogue", "Script"), ("대사", "대본")])
def test_two_columns_of_lines_are_asked_about(tmp_path, others):
    path = write(tmp_path, ["번호", *others], *body(NUMBERS, LINES, LINES[::-1]))
    with pytest.raises(
        ScriptError, match=f"may be the line: .*--columns line={shlex.quote(others[1])}$"
    ):
        read_script(path)
    content = read_script(path, columns={"대사": others[1]})
    assert [line.text for line in content.lines] == [*LINES[::-1]]
    assert f"not used: “{others[0]}”" in understood(content)


@pytest.mark.parametrize(
    ("header", "cells"),
    [("Dialogue", "Why?"), ("원문", "なぜ来なかったの"), ("Script", ""), ("최종대사", LINES)],
)
def test_a_second_column_of_lines_that_is_none_is_not(tmp_path, header, cells):
    """Another language, nothing, or the very same."""
    path = write(tmp_path, [header, "대사"], *body(cells, LINES))
    assert [line.text for line in read_script(path).lines] == [*LINES]


def test_two_columns_of_characters_are_asked_about_only_where_they_matter(tmp_path):
    path = write(tmp_path, ["배역", "등장인물", "대사"], *body(WHO, WHO[::-1], LINES))
    with pytest.raises(
        ScriptError, match=r"may be the character: .*--columns character='등장인물'$"
    ):
        read_script(path)
    assert len(read_script(path, only=()).lines) == 6
    unnamed = read_script(path, columns={"character": "-"})
    assert [line.character for line in unnamed.lines] == [""] * 6


@pytest.mark.parametrize(
    ("heads", "taken"),
    [(("캐릭터", "캐릭터(영문)"), "하나"), (("캐릭터(영문)",), "Hana"), (("갑", "을"), "하나")],
)
def test_a_second_column_of_characters_without_hangul_is_not(tmp_path, heads, taken):
    english = [{"하나": "Hana"}.get(name, "Neo") for name in WHO]
    names = (WHO, english) if len(heads) > 1 else (english,)
    path = write(tmp_path, [*heads, "대사"], *body(*names, LINES))
    assert read_script(path).lines[0].character == taken


def test_the_example_can_be_pasted_and_is_korean(tmp_path):
    heads = ["대사", "최종 대사(1)", "Script"]
    path = write(tmp_path, heads, *body(LINES, LINES[::-1], ["Why? 왜?", *"abc", "가", "나"]))
    with pytest.raises(ScriptError) as error:
        read_script(path)
    command = error.value.say("ko").split("예: ")[1]
    assert shlex.split(command) == ["--columns", "대사=최종 대사(1)"]


@pytest.mark.parametrize(
    ("delimiter", "name"), [(";", "a.csv"), ("\t", "a.csv"), (",", "a.tsv"), ("|", "a.csv")]
)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp949", "utf-16"])
def test_the_delimiter_is_found(tmp_path, delimiter, name, encoding):
    path = write(
        tmp_path, ["번호", "배역", "대사"], *body(NUMBERS, WHO, LINES),
        name=name, delimiter=delimiter, encoding=encoding,
    )  # fmt: skip
    assert said(read_script(path)) == [*zip(WHO, LINES, strict=True)]
    (tmp_path / name).write_text("sep=;\n대사;배역\n그래, 가자;하나\n", encoding="utf-8")
    assert said(read_script(path)) == [("하나", "그래, 가자")]


def test_without_a_header_the_content_tells(tmp_path):
    starts = [f"00:00:0{n}.0" for n in NUMBERS]
    ends = [f"00:00:0{n}.9" for n in NUMBERS]
    files = [f"{n}.wav" for n in NUMBERS]
    path = write(tmp_path, *body(NUMBERS, starts, ends, WHO, LINES, files))
    content = read_script(path)
    first = content.lines[0]
    assert said(content) == [*zip(WHO, LINES, strict=True)]
    assert (first.no, first.start, first.end, first.file) == ("1", 1.0, 1.9, "1.wav")
    assert "character = column 4 (“하나” …) by its content" in understood(content)


def test_an_unknown_header_is_one_where_the_cells_below_are_of_another_kind(tmp_path):
    path = write(tmp_path, ["가", "나", "다"], *body(NUMBERS, WHO, LINES))
    content = read_script(path)
    assert said(content) == [*zip(WHO, LINES, strict=True)]
    assert "line = “다” [3] by its content" in understood(content)


def test_whether_the_first_row_is_a_header_is_asked_where_nothing_tells(tmp_path):
    path = write(tmp_path, ["갑돌이", "안녕하세요 여러분"], ["갑순이", "반갑습니다 여러분"])
    with pytest.raises(ScriptError, match=r"row 1: a header, or a line already\? .*'line=COLUMN'"):
        read_script(path)
    content = read_script(path, columns={"line": "2", "character": "1"})
    assert said(content) == [("갑돌이", "안녕하세요 여러분"), ("갑순이", "반갑습니다 여러분")]
    assert said(read_script(path, columns={"line": "B", "character": "A"})) == said(content)


def test_two_columns_that_may_hold_the_lines_are_asked_about(tmp_path):
    path = write(tmp_path, ["번호", "갑", "을"], *body(NUMBERS, LINES, LINES[::-1]))
    with pytest.raises(ScriptError, match=r"may be the line: “갑” .*“을” .*--columns line='을'$"):
        read_script(path)


def test_a_length_is_no_start_and_a_place_no_character(tmp_path):
    path = write(tmp_path, ["대사", "길이", "장소"], *body(LINES, "0:02", WHO))
    content = read_script(path)
    assert [(line.start, line.character) for line in content.lines] == [(None, "")] * 6
    assert "not used: “길이” [2], “장소” [3]" in understood(content)


def test_a_header_that_comes_back_is_no_line(tmp_path):
    head = ["번호", "배역", "대사"]
    rows = body(NUMBERS, WHO, LINES)
    path = write_workbook(
        tmp_path / "a.xlsx", head, *rows[:3], head, *rows[3:], [None, None, "대사"]
    )
    content = read_script(path)
    assert said(content) == [*zip(WHO, LINES, strict=True)]
    assert "repeated header, passed over: rows 5, 9" in content.warnings[0].say("en")


def test_another_header_below_is_a_fault(tmp_path):
    rows = body(NUMBERS, WHO, LINES)
    path = write(tmp_path, ["번호", "배역", "대사"], *rows[:3], ["대사", "번호", "배역"], *rows[3:])
    (fault,) = read_script(path).faults
    assert fault.where.say("en") == "row 5"
    assert "looks like another header" in fault.what.say("en")


@pytest.mark.parametrize("merge", [(), ("C1:D1", "E1:F1")])
def test_a_header_of_two_rows(tmp_path, merge):
    path = write_workbook(
        tmp_path / "a.xlsx",
        ["1화 대본"],
        ["번호", "캐릭터", "타임코드", None, "대사", None],
        [None, None, "IN", "OUT", "영어", "한글"],
        [1, "하나", "0:00:01", "0:00:02", "Why?", "왜?"],
        [2, "두나", "0:00:03", "0:00:04", "Rain.", "비가 와서."],
        merge=tuple(cells.replace("1", "2") for cells in merge),
    )
    content = read_script(path)
    assert [(line.character, line.start, line.end, line.text) for line in content.lines] == [
        ("하나", 1.0, 2.0, "왜?"), ("두나", 3.0, 4.0, "비가 와서."),
    ]  # fmt: skip
    assert "not used: “대사 영어” [E]" in understood(content)


def test_sheets_that_are_alike_are_told_of_once(tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name in ("1화", "2화", "3화"):
        sheet = book.create_sheet(name)
        for row in (["캐릭터", "대사"], ["하나", "안녕"]):
            sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    (what,) = read_script(tmp_path / "a.xlsx").understood
    assert f"{tmp_path / 'a.xlsx'}, 1화, 2화, 3화: " in what.say("en")


def test_one_column_of_times_may_say_both(tmp_path):
    path = write(tmp_path, ["In/Out", "대사"], ["0:01.5 ~ 0:02.5", "가"], ["0:03 - 0:04", "나"])
    assert [(line.start, line.end) for line in read_script(path).lines] == [(1.5, 2.5), (3.0, 4.0)]


def test_a_hidden_column_is_no_rival_and_no_column_of_lines_unasked(tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    for row in (["대사", "번호", "최종대사"], ["옛 대사", 7, "새 대사"]):
        book.active.append(row)
    for letter in "AB":
        book.active.column_dimensions[letter].hidden = True
    book.save(tmp_path / "a.xlsx")
    content = read_script(tmp_path / "a.xlsx")
    assert [(line.no, line.text) for line in content.lines] == [("7", "새 대사")]
    assert "no = “번호” [B] (hidden)" in understood(content)
    assert "not used: “대사” [A] (hidden)" in understood(content)
    book.active.column_dimensions["C"].hidden = True
    book.active["A1"] = "옛것"
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(ScriptError, match="“최종대사”, is hidden; name one with --columns"):
        read_script(tmp_path / "a.xlsx")
    assert len(read_script(tmp_path / "a.xlsx", hidden=True).lines) == 1
    assert len(read_script(tmp_path / "a.xlsx", columns={"line": "C"}).lines) == 1


def test_a_date_is_no_name_of_a_column(tmp_path):
    path = write_workbook(
        tmp_path / "a.xlsx", ["대본", datetime.date(2024, 5, 1)], ["배역", "대사"], ["하나", "안녕"]
    )
    assert said(read_script(path)) == [("하나", "안녕")]


def test_names_on_lines_of_their_own_are_several(tmp_path):
    path = write_workbook(
        tmp_path / "a.xlsx", ["배역", "대사"], ["하나\n두나", "가자"], ["하나\n(회상)", "응"]
    )
    assert [line.character for line in read_script(path).lines] == ["하나/두나", "하나 (회상)"]


def test_an_open_comma_is_told_with_and_without_a_header(tmp_path):
    for head in ("번호,배역,대사\n", ""):
        rows = "".join(
            f"{n},{who},{text}\n" for n, who, text in zip(NUMBERS, WHO, LINES, strict=True)
        )
        (tmp_path / "a.csv").write_text(head + rows, encoding="utf-8")
        faults = read_script(tmp_path / "a.csv").faults
        assert [int(fault.place.number) for fault in faults] == [4 + bool(head), 6 + bool(head)]
        assert "4 cells" in faults[0].what.say("en")


@pytest.mark.parametrize(
    ("header", "step"),
    [
        *(
            ("시작(초)", 1.5),
            ("Start (sec)", 1.5),
            ("시작초", 1.5),
            ("start_ms", 1500),
            ("시작 (밀리초)", 1500),
        ),
        *(("시작(frame)", 36), ("In Frames", 36), ("시작(프레임)", 36)),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_plain_numbers_are_times_in_the_unit_that_the_header_says(tmp_path, header, step, kind):
    rows = [[number * step, text] for number, text in zip(NUMBERS, LINES, strict=True)]
    path = write(tmp_path, [header, "대사"], *rows)
    if kind == "xlsx":
        path = write_workbook(tmp_path / "a.xlsx", [header, "대사"], *rows)
    content = read_script(path, frame_rate=FrameRate.parse("24"))
    assert [line.start for line in content.lines] == [1.5 * number for number in NUMBERS]


def test_frames_alone_need_a_frame_rate(tmp_path):
    path = write(
        tmp_path, ["시작(frame)", "배역", "대사"], ["24", "하나", "가"], ["0:02", "하나", "나"]
    )
    (fault,) = read_script(path).faults
    assert "its header says frames, but how long are they? give --fps" in fault.what.say("en")


def test_what_is_wrong_in_a_range_is_told_at_its_cell(tmp_path):
    path = write(
        tmp_path, ["In/Out", "대사"], ["0:02 ~ 0:01", "가"], ["0:03 - 0:99", "나"], ["", "다"]
    )
    first, second = read_script(path).faults
    assert [fault.where.say("en") for fault in (first, second)] == [
        "row 2, cell 1",
        "row 3, cell 1",
    ]
    assert "ends with 0:01" in first.what.say("en")


def test_of_versions_the_user_chooses(tmp_path):
    path = write(tmp_path, ["원문", "1차 번역", "2차 번역"], *body("Why?", LINES, LINES[::-1]))
    with pytest.raises(ScriptError, match=r"“1차 번역” \[2\], “2차 번역” \[3\]; say which"):
        read_script(path)


def test_lines_in_another_language_give_way_to_korean_under_an_unknown_header(tmp_path):
    path = write(tmp_path, ["Dialogue", "가나다"], *body("Why?", LINES))
    assert [line.text for line in read_script(path).lines] == [*LINES]


@pytest.mark.parametrize(
    "directions", ["아주 천천히 걸어 들어오며 주위를 둘러본다", "(놀라서 뒤로 물러난다)"]
)
def test_directions_are_no_lines_however_long(tmp_path, directions):
    path = write(tmp_path, ["번호", "가", "나"], *body(NUMBERS, directions, LINES))
    assert [line.text for line in read_script(path).lines] == [*LINES]


def test_a_column_that_a_header_names_is_never_taken_for_another(tmp_path):
    path = write(tmp_path, ["Scene", "Shot", "Line"], *body("1", NUMBERS, LINES))
    assert {line.no for line in read_script(path).lines} == {""}


def test_hostile_headers_and_numbers_are_no_work(tmp_path):
    digits = "9" * 5000
    path = write(tmp_path, ["ko" * 20, "(" * 40, "대사"], *body(digits, f"0:{digits}", LINES))
    assert [line.text for line in read_script(path).lines] == [*LINES]
    path = write(tmp_path, *body(digits, "0:01", "0:02", LINES))
    with pytest.raises(ScriptError, match="a header, or a line already"):
        read_script(path, columns={"start": "-"})


def test_a_title_above_does_not_hide_the_delimiter(tmp_path):
    path = write(tmp_path, ["1화 대본, 최종"], ["배역", "대사"], *body(WHO, LINES), delimiter=";")
    assert said(read_script(path)) == [*zip(WHO, LINES, strict=True)]


@pytest.mark.parametrize("header", ["대사 길이", "Line Duration", "가나다"])
def test_lengths_are_no_starts(tmp_path, header):
    path = write(
        tmp_path, [header, "대사"], *body(("0:02", "0:01", "0:03", "0:01", "0:02", "0:01"), LINES)
    )
    assert {line.start for line in read_script(path).lines} == {None}
