import openpyxl
import pytest

from moksori.dubbing.script import read_script
from moksori.errors import ScriptError

SRT = "1\n00:00:01,000 --> 00:00:02,000\n<i>안녕?</i>\n나야.\n\n2\n00:00:03,000 --> 00:00:04,000\n응.\n"
VTT = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v 하나>안녕?\n나야.\n\n00:03.000 --> 00:04.000\n응.\n"
ASS = """[Script Info]
ScriptType: v4.00+

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:01.00,0:00:02.00,Default,하나,0,0,0,,{\\i1}안녕?\\N나야.
Comment: 0,0:00:02.00,0:00:03.00,Default,하나,0,0,0,,번역 주
Dialogue: 0,0:00:03.00,0:00:04.00,Default,둘,0,0,0,,응.
"""


@pytest.mark.parametrize(("name", "content"), [("a.srt", SRT), ("a.vtt", VTT), ("a.ass", ASS)])
def test_subtitles_give_their_cues(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    lines = read_script(path)
    assert [(line.place, line.text) for line in lines] == [
        ("cue 1", "안녕? 나야."),
        ("cue 2", "응."),
    ]
    if name == "a.ass":
        assert [line.character for line in lines] == ["하나", "둘"]


def test_a_table_s_header_may_stand_below_titles(tmp_path):
    book = openpyxl.Workbook()
    for row in (
        ["1화 대본"],
        [],
        ["번호", "배역", "대사"],
        [1, "하나", "안녕?"],
        [2, "둘", None],
        [3, "둘", 119],
    ):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    assert read_script(tmp_path / "a.xlsx") == [
        ("row 4", "안녕?", "", "하나", ""),
        ("row 6", "119", "", "둘", ""),
    ]


def test_a_title_of_one_word_is_no_header(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("대본,,\n번호,배역,대본,대사\n1,하나,초고,안녕\n", encoding="utf-8")
    assert read_script(path) == [("row 3", "안녕", "", "하나", "")]


def test_every_sheet_with_lines_is_read(tmp_path, caplog):
    book = openpyxl.Workbook()
    book.active.title = "1화"
    for name, rows in (
        ("1화", ["대사", "하나"]),
        ("메모", ["누가 무엇을"]),
        ("2화", ["대사", "둘"]),
    ):
        sheet = book[name] if name in book.sheetnames else book.create_sheet(name)
        for row in rows:
            sheet.append([row])
    book.save(tmp_path / "a.xlsx")
    assert read_script(tmp_path / "a.xlsx") == [
        ("1화 row 2", "하나", "", "", ""),
        ("2화 row 2", "둘", "", "", ""),
    ]
    assert "passed over: 메모" in caplog.text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp949"])
def test_csv_as_excel_saves_it(tmp_path, encoding):
    path = tmp_path / "a.csv"
    path.write_text('no,LINE\n1,"그래, 가자"\n', encoding=encoding)
    assert read_script(path) == [("row 2", "그래, 가자", "", "", "")]


def test_another_column_can_be_named(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("번호\t말\n1\t안녕\n", encoding="utf-8")
    assert read_script(path, "말") == [("row 2", "안녕", "", "", "")]
    with pytest.raises(ScriptError, match=r"--column \(there are: 번호, 말, 1, 안녕\)"):
        read_script(path)


def test_what_cannot_be_read_is_told(tmp_path):
    for name, content, message in (
        ("none.txt", None, "no such file"),
        ("a.docx", b"x", r"give \.xlsx"),
        ("a.xlsx", b"not a zip", "save it again"),
        ("a.txt", b"\xff\xfe\xff", "save it as UTF-8"),
        ("empty.txt", b"\n", "no lines in it"),
        ("a.srt", b"not subtitles", "not readable as srt|no lines in it"),
        ("a.csv", '대사\n"그래\n가자\n'.encode(), "quotation mark open"),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(ScriptError, match=message):
            read_script(tmp_path / name)
