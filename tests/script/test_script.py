import datetime
import re
import unicodedata

import openpyxl
import pysubs2
import pytest

from moksori.errors import ScriptError
from moksori.script.line import Line, Place
from moksori.script.script import read_script
from moksori.timecode import FrameRate
from tests.script.test_tables import rewrite_sheet, write_workbook

SRT = "1\n00:00:01,000 --> 00:00:02,000\n<i>안녕?</i>\n나야.\n\n2\n00:00:03,000 --> 00:00:04,000\n응.\n"
VTT = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v 하나>안녕?\n나야.\n\n00:03.000 --> 00:04.000\n응.\n"
ASS_HEAD = """[Script Info]
ScriptType: v4.00+

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
ASS = f"""{ASS_HEAD}Dialogue: 0,0:00:01.00,0:00:02.00,Default,하나,0,0,0,,{{\\i1}}안녕?\\N나야.
Comment: 0,0:00:02.00,0:00:03.00,Default,하나,0,0,0,,번역 주
Dialogue: 0,0:00:03.00,0:00:04.00,Default,둘,0,0,0,,응.
"""
SHEET = ["번호", "TC in", "TC out", "배역", "성우", "대사", "지문", "파일", "비고"]


def lines_in(*args, **more):
    content = read_script(*args, **more)
    assert content.question is None, content.question.say("en")
    return content.whole(args[0])


def told_of(path):
    """All that is wrong with a script: why it cannot be read, or its question and its lines' faults."""
    try:
        return "; ".join(told.say("en") for told in read_script(path).notices(path))
    except ScriptError as error:
        return str(error)


def warnings_of(*args, **more):
    return [warning.say("en") for warning in read_script(*args, **more).warnings]


def write(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize(("name", "content"), [("a.srt", SRT), ("a.vtt", VTT), ("a.ass", ASS)])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_subtitles_give_their_cues(tmp_path, name, content, newline):
    lines = lines_in(write(tmp_path, name, "\ufeff" + content.replace("\n", newline)))
    first, second = {"a.srt": ("", ""), "a.vtt": ("하나", ""), "a.ass": ("하나", "둘")}[name]
    assert lines == [
        Line(Place("cue", 1), "안녕? 나야.", character=first, no="1", start=1.0, end=2.0),
        Line(Place("cue", 2), "응.", character=second, no="2", start=3.0, end=4.0),
    ]


@pytest.mark.parametrize("suffix", [".srt", ".vtt"])
def test_cues_that_share_a_number_are_numbered_as_they_come(tmp_path, suffix):
    """Of joined files; numbers that are there once stay, whatever their order."""
    path, time = tmp_path / f"a{suffix}", T if suffix == ".srt" else V
    for written, numbers in (((2, 1, 1), ["1", "2", "3"]), ((2, 1, 3), ["2", "1", "3"])):
        cues = "\n".join(f"{number}\n{time}\n가\n" for number in written)
        path.write_text("WEBVTT\n\n" * (suffix == ".vtt") + cues, encoding="utf-8")
        content = read_script(path)
        assert [line.no for line in content.lines] == numbers
        told = [
            warning.say("en") for warning in content.warnings if "cue number" in warning.say("en")
        ]
        assert told == [] if numbers[0] == "2" else "number 1 occurs 2 times" in told[0]


def test_a_srt_s_numbers_are_no_text_and_its_text_no_numbers(tmp_path):
    path = write(
        tmp_path, "a.srt",
        "7\n00:00:01,001 --> 00:00:02,999 X1:10 X2:20\n비밀번호는\n1234\n\n\n"
        "00:00:03,000 --> 00:00:04,000\n119\n\n9\n01:00:05,000 --> 01:00:06,000\n{\\an8}{웃음} 또\n2",
    )  # fmt: skip
    assert [(line.no, line.text, line.start, line.end) for line in lines_in(path)] == [
        ("7", "비밀번호는 1234", 1.001, 2.999),
        ("2", "119", 3.0, 4.0),
        ("9", "{웃음} 또 2", 3605.0, 3606.0),
    ]


def test_a_vtt_s_notes_and_names_are_no_text(tmp_path):
    path = write(
        tmp_path, "a.vtt",
        "WEBVTT - 1화\n\nSTYLE\n::cue(v) {}\n\nREGION\nid:a\n\nNOTE\n번역 주\n\nintro-1\n"
        "01:00:01.000 --> 01:00:02.000 align:start line:0\n"
        "<v.loud.far 김 하나>안녕 &amp; <c.x>잘</c> <b>가</b>\n\n"
        "NOTE 끝\n\n00:03.250 --> 00:04.000\n<v 둘>응.</v> <v 둘>그래.</v>\n",
    )  # fmt: skip
    assert [(line.no, line.character, line.text, line.start) for line in lines_in(path)] == [
        ("intro-1", "김 하나", "안녕 & 잘 가", 3601.0),
        ("2", "둘", "응. 그래.", 3.25),
    ]


def test_an_ass_s_drawings_and_cues_without_text_are_told(tmp_path):
    event = "Dialogue: 0,0:00:0{}.25,0:00:0{}.50,{},{},0,0,0,,{}\n"
    path = write(
        tmp_path, "a.ass",
        ASS_HEAD + event.format(1, 2, "간판", "", "{\\p1}m 0 0 l 1 1{\\p0}")
        + event.format(2, 3, "속삭임", " 하나 ", "쉿, {\\b1}조용{\\b0}히\\h해{작게}.")
        + event.format(3, 4, "간판", "하나", "{\\p1}m 0 0{\\p0}문 열어")
        + event.format(4, 5, "Default", "하나", ""),
    )  # fmt: skip
    lines = lines_in(path)
    assert [(line.place, line.no, line.character, line.text) for line in lines] == [
        (Place("cue", 2), "2", "하나", "쉿, 조용히 해."),
        (Place("cue", 3), "3", "하나", "문 열어"),
    ]
    assert (lines[0].start, lines[0].end) == (2.25, 3.5)
    assert "a.ass: drawings, not lines, passed over: line 6" in " ".join(warnings_of(path))
    assert "no text, hence not read: cues 4" in " ".join(warnings_of(path))


@pytest.mark.parametrize("mark", ["\t", ","])
def test_a_table_that_was_saved_as_plain_text_is_a_table(tmp_path, mark):
    """As Excel's “Text (Tab delimited)”, or pasted from a sheet: no direction is spoken."""
    rows = ["1화", "번호 배역 대사 지문", "1 하나 안녕? 웃으며", "2 두나 응. ", "3 하나 그래. 작게"]
    path = write(tmp_path, "a.txt", "\r\n".join(row.replace(" ", mark) for row in rows))
    assert [(line.no, line.character, line.text, line.directions) for line in lines_in(path)] == [
        ("1", "하나", "안녕?", "웃으며"), ("2", "두나", "응.", ""), ("3", "하나", "그래.", "작게"),
    ]  # fmt: skip
    bare = write(tmp_path, "c.txt", "\n".join(row.replace(" ", "\t") for row in rows[2:]))
    (warning,) = warnings_of(bare)
    assert "2 lines hold a tab, and what is behind it is read as spoken too: line 1 “1" in warning
    names = write(
        tmp_path, "b.txt", "배역\t대사\n하나\t안녕?\n\t잘 지내?\n두나\t응.\n하나\t그래.\n"
    )
    assert [line.text for line in lines_in(names)] == ["안녕? 잘 지내?", "응.", "그래."]


@pytest.mark.parametrize("asked", ["1화", unicodedata.normalize("NFD", "1화")])
def test_an_episode_is_one_however_its_hangul_is_composed(tmp_path, asked):
    """As Macs write names of sheets, and what is copied from names of files."""
    apart = unicodedata.normalize("NFD", "1화")
    book = openpyxl.Workbook()
    for row in (["회차", "대사"], [apart, "안녕?"], ["1화", "응."], ["2화", "아니."]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    book.active.delete_cols(1)
    book.active.title = apart
    book.create_sheet("2화").append(["대사"])
    book.active.delete_rows(4)
    book.save(tmp_path / "b.xlsx")
    for name in ("a.xlsx", "b.xlsx"):
        lines = lines_in(tmp_path / name, episode=asked)
        assert [(line.text, line.episode) for line in lines] == [("안녕?", "1화"), ("응.", "1화")]


_SUBTITLES = {
    "srt": SRT,
    "vtt": VTT,
    "ass": ASS,
    "ssa": "[Script Info]\n[V4 Styles]\n\n[Events]\n"
    + ASS.partition("[Events]\n")[2].replace("Layer", "Marked").replace(": 0,", ": Marked=0,"),
    "smi": "<SAMI><BODY><SYNC Start=1000><P Class=KRCC>안녕?\n<SYNC Start=2000><P Class=KRCC>&nbsp;\n",
}


@pytest.mark.parametrize("kind", _SUBTITLES)
def test_subtitles_that_were_saved_as_plain_text_are_subtitles(tmp_path, kind):
    """As mail and messengers want it; no time code is spoken."""
    named, plain = (write(tmp_path, f"a.{end}", _SUBTITLES[kind]) for end in (kind, "txt"))
    assert lines_in(plain) == lines_in(named) and lines_in(plain)[0].end is not None
    rows = "00:01 --> 00:03 하나: 안녕?\n00:04 --> 00:05 두나: 응.\n"  # a script's own
    assert [line.character for line in lines_in(write(tmp_path, "b.txt", rows))] == ["하나", "두나"]


_STRUCK = {
    "a.srt": "1\n00:00:01,000 --> 00:00:02,000\n<i>가자</i> <s>어서\n빨리</s> 집에.\n\n"
    "2\n00:00:03,000 --> 00:00:04,000\n<s>모두 &amp; 다</s>\n",
    "a.ass": ASS_HEAD + "Dialogue: 0,0:00:01.00,0:00:02.00,D,,0,0,0,,가자 {\\s1}어서\\N빨리{\\s0} 집에.\n"
    "Dialogue: 0,0:00:03.00,0:00:04.00,D,,0,0,0,,{\\s1}모두 & 다\n",
    "a.smi": "<SAMI><BODY><SYNC Start=1000><P Class=KRCC>가자 <s>어서\n빨리</s> 집에.\n"
    "<SYNC Start=3000><P Class=KRCC><strike>모두 &amp; 다</strike>\n</BODY></SAMI>\n",
}  # fmt: skip


@pytest.mark.parametrize("name", _STRUCK)
def test_what_is_struck_through_in_subtitles_is_left_out_and_told(tmp_path, name):
    path = write(tmp_path, name, _STRUCK[name])
    (line,) = lines_in(path)
    assert line.text == "가자 집에."
    (warning,) = warnings_of(path)
    assert re.search(r"left out: line \d+ “어서 빨리”; line \d+ “모두 & 다”$", warning)


def test_a_ssa_is_read(tmp_path):
    text = ASS.replace("Layer", "Marked").replace("Dialogue: 0", "Dialogue: Marked=0")
    lines = lines_in(write(tmp_path, "a.ssa", text))
    assert [(line.character, line.text) for line in lines] == [
        ("하나", "안녕? 나야."),
        ("둘", "응."),
    ]


def test_a_table_s_header_may_stand_below_titles(tmp_path):
    path = write_workbook(
        tmp_path / "a.xlsx",
        ["1화 대본"],
        [],
        ["번호", "배역", "대사"],
        [1, "하나", "안녕?"],
        [2, None, None],
        [3, "둘", 119],
    )
    assert lines_in(path) == [
        Line(Place("row", 4), "안녕?", character="하나", no="1"),
        Line(Place("row", 6), "119", character="둘", no="3"),
    ]


def test_all_columns_of_a_script(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["화", "씬", *SHEET])
    book.active.append([
        1, "3-1", 7, "01:00:01:12", "01:00:02:00", "하나", "김성우", " 그래,\n가자\u00a0! ", "(숨)",
        "7.wav", "급함",
    ])  # fmt: skip
    book.save(tmp_path / "a.xlsx")
    assert lines_in(tmp_path / "a.xlsx", frame_rate=FrameRate.parse("24")) == [
        Line(
            Place("row", 2), "그래, 가자 !", "김성우", "하나", "7.wav", "7", 3601.5, 3602.0, "1", "3-1",
            "(숨)", "급함",
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    "header",
    [
        "Episode,Scene,No.,TC_In,tc out,CHARACTER,Actor,Line,Direction,File,Note",
        "화,씬,번호,시작 시간,종료,배역,성우,대사,지문,파일명,비고",
        "episode,scene,#,T.C. IN,TCout,character,actor,dialogue,directions,file,note",
        "화,씬,no,in,out,배역,성우,대사,지문,파일,비고",
        "화,씬,no,start,end,배역,성우,대사,지문,파일,비고",
        unicodedata.normalize("NFD", "화,씬,번호,시작,끝,배역,성우,대사,지문,파일,비고"),  # a Mac's
    ],
)
def test_headers_are_known_however_they_are_written(tmp_path, header):
    path = write(tmp_path, "a.csv", f"{header}\n1,2,3,0:00:04,0:00:05,ㄱ,ㄴ,ㄷ,ㄹ,ㅁ,ㅂ\n")
    assert lines_in(path) == [
        Line(Place("row", 2), "ㄷ", "ㄴ", "ㄱ", "ㅁ", "3", 4.0, 5.0, "1", "2", "ㄹ", "ㅂ")
    ]


def test_a_title_of_one_word_is_no_header(tmp_path):
    path = write(tmp_path, "a.csv", "대본,,\n번호,배역,대본,대사\n1,하나,초고,안녕\n")
    with pytest.raises(
        ScriptError, match=r"may be the line: “대본” \[3\], “대사” \[4\]; say which"
    ):
        lines_in(path)
    read = lines_in(path, columns={"line": "대사"})
    assert read == [Line(Place("row", 3), "안녕", character="하나", no="1")]


def test_every_sheet_with_lines_is_read(tmp_path):
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
    book["2화"].sheet_state = "hidden"
    book.save(tmp_path / "a.xlsx")
    both = [
        Line(Place("row", 2, "1화"), "하나", episode="1화"),
        Line(Place("row", 2, "2화"), "둘", episode="2화"),
    ]
    assert lines_in(tmp_path / "a.xlsx") == both
    path = tmp_path / "a.xlsx"
    assert "passed over: 메모" in " ".join(warnings_of(path))
    assert "the sheet 2화 is hidden, but its lines are read too" in " ".join(warnings_of(path))
    assert lines_in(tmp_path / "a.xlsx", episode="2화") == both[1:]
    with pytest.raises(ScriptError, match=r"“3화”; give --episode one of: 1화, 2화$"):
        lines_in(tmp_path / "a.xlsx", episode="3화")


def test_an_episode_is_what_its_column_says(tmp_path):
    book = openpyxl.Workbook()
    for row in (["화", "대사"], [1, "가"], [None, "나"], ["특별편", "다"]):
        book.active.append(row)
    book.active.title = "시즌1"
    book.create_sheet("시즌2").append(["대사"])
    book["시즌2"].append(["라"])
    book.save(tmp_path / "a.xlsx")
    lines = lines_in(tmp_path / "a.xlsx")
    assert [line.episode for line in lines] == ["1", "시즌1", "특별편", "시즌2"]
    for episode, text in (("1", "가"), ("특별편", "다"), ("시즌2", "라")):
        assert [line.text for line in lines_in(tmp_path / "a.xlsx", episode=episode)] == [text]
    path = write(tmp_path, "a.csv", "대사\n가\n")
    with pytest.raises(ScriptError, match="one of: none, there is no column of episodes"):
        lines_in(path, episode="1")


def test_another_episode_s_faults_do_not_matter(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["대사"])
    book.active.append(["가"])
    book.active.title = "1화"
    for row in (["대사"], ["=A9"]):
        (book["2화"] if "2화" in book.sheetnames else book.create_sheet("2화")).append(row)
    book.save(tmp_path / "a.xlsx")
    assert [line.text for line in lines_in(tmp_path / "a.xlsx", episode="1화")] == ["가"]
    with pytest.raises(ScriptError, match="2화!A2"):
        lines_in(tmp_path / "a.xlsx")


def test_text_of_another_country_is_told(tmp_path):
    """Shift JIS can be read as CP949, as syllables that nobody writes; a few are Korean's own."""
    path = tmp_path / "a.srt"
    path.write_bytes(f"1\n{T}\nこんにちは\n".encode("shift_jis"))
    content = read_script(path)
    assert content.lines[0].text == "궞귪궸궭궼"
    assert "5 of 5 syllables are hardly Korean (“궞귪궸”)" in content.warnings[-1].say("en")
    for text in ("뷁! 뷁, 뷁이다. 똠방각하, 펲시콜라 좀 가져다줘라.", "안녕?", "Hello"):
        path.write_bytes(f"1\n{T}\n{text}\n".encode("cp949"))
        assert not read_script(path).warnings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp949"])
def test_csv_as_excel_saves_it(tmp_path, encoding):
    path = tmp_path / "a.csv"
    path.write_text('no,LINE\n1,"그래, 가자"\n', encoding=encoding)
    assert lines_in(path) == [Line(Place("row", 2), "그래, 가자", no="1")]


def test_another_column_can_be_named(tmp_path):
    path = write(tmp_path, "a.tsv", "번호\t말\n1\t안녕\n")
    assert lines_in(path, "말") == [Line(Place("row", 2), "안녕", no="1")]
    assert lines_in(path, columns={"line": "말"}) == lines_in(path, "말")
    path = write(tmp_path, "b.csv", "배역,역할,대사,최종 대사\n가,나,다,라\n")
    asked = {"character": "역할", "line": "최종대사"}
    assert lines_in(path, columns=asked) == [Line(Place("row", 2), "라", character="나")]


def test_only_what_is_asked_for_is_read(tmp_path):
    path = write(tmp_path, "a.csv", "TC in,파일,배역,비고,대사\n00:00:01:02,a.wav,하나,#REF!,가\n")
    assert lines_in(path, only=()) == [Line(Place("row", 2), "가")]
    assert lines_in(path, only=("file",)) == [Line(Place("row", 2), "가", file="a.wav")]


def test_merged_cells_hold_for_all_their_rows_but_say_nothing_again(tmp_path):
    path = write_workbook(
        tmp_path / "a.xlsx",
        ["씬", "번호", "배역", "시간", None, "대사"],
        [None, None, None, "시작", "끝", None],
        ["s1", 1, "하나", "0:01", "0:02", "가"],
        [None, 2, None, "0:03", "0:04", "나"],
        [None, None, None, None, None, None],
        ["s2", 3, "둘", "0:05", "0:06", "다"],
        [None, None, "셋", None, None, None],
        merge=(
            *("A1:A2", "B1:B2", "C1:C2", "D1:E1", "F1:F2"),
            *("A3:A5", "C3:C5", "A6:A7", "B6:B7", "D6:D7", "E6:E7", "F6:F7"),
        ),
    )
    assert lines_in(path) == [
        Line(Place("row", 3), "가", character="하나", no="1", start=1.0, end=2.0, scene="s1"),
        Line(Place("row", 4), "나", character="하나", no="2", start=3.0, end=4.0, scene="s1"),
        Line(Place("row", 6), "다", character="둘", no="3", start=5.0, end=6.0, scene="s2"),
    ]
    assert "no text, hence not read: 1화 rows 7" in " ".join(warnings_of(path))


def test_times_of_a_workbook_may_be_its_own(tmp_path):
    path = write_workbook(
        tmp_path / "a.xlsx",
        SHEET,
        [1, datetime.time(0, 0, 1), datetime.timedelta(seconds=2.5), "하나", None, "가"],
        [2, 3 / 86400, "00:00:04;00", "하나", None, "나"],
        [3, None, "0:00:06", "하나", None, "다"],
    )
    lines = lines_in(path, frame_rate=FrameRate.parse("29.97df"))
    assert [(line.start, line.end) for line in lines] == [
        (1.0, 2.5),
        (3.0, pytest.approx(120 * 1001 / 30000)),
        (None, 6.0),
    ]


def test_rows_without_text_are_not_lost_silently(tmp_path):
    path = write_workbook(
        tmp_path / "a.xlsx",
        SHEET,
        [1, "0:01", "0:02", "하나", None, "가"],
        [2, "0:03", "언젠가", None, None, None],
        [3, None, None, None, None, None, None, "3.wav"],
        [4, None, None, None, None, None, "(비명)"],
        ["씬 2. 밤"],
        [5],
        [],
        *([None, None, None, "하나"] for _ in range(30)),
    )
    assert [line.text for line in lines_in(path)] == ["가"]
    (told,) = warnings_of(path)
    assert re.search(
        r"a\.xlsx: no text, hence not read: 1화 rows 3, 4, 5, 9, 10, .* and 13 more$", told
    )
    assert len(lines_in(write(tmp_path, "a.csv", "번호,대사\n1,가\n2,\n\n,\n"))) == 1
    assert not warnings_of(tmp_path / "a.csv")


def test_a_saved_formula_is_read_by_its_value(tmp_path):
    path = write_workbook(tmp_path / "a.xlsx", ["번호", "대사", "별첨"], [1, "=B9", "=B9"])
    with pytest.raises(ScriptError, match=r"1화!B2: a formula .*paste the result as a value$"):
        lines_in(path)
    rewrite_sheet(
        path, r'<c r="B2"><f>B9</f><v ?/?>(</v>)?', '<c r="B2" t="str"><f>B9</f><v>가</v>'
    )
    assert lines_in(path) == [Line(Place("row", 2), "가", no="1")]


def test_a_plain_text_of_names_and_lines_is_read_as_a_document_s(tmp_path):
    """Where most rows have a name; else every row is a line, and those that seem to have one are told."""
    path = write(tmp_path, "a.txt", "#1 옥상\n하나: 안녕?\n두나\t어서 와.\n(효과음)\n하나: 그래.\n")
    content = read_script(path)
    assert [(line.character, line.text, str(line.place)) for line in content.lines] == [
        ("하나", "안녕?", "line 2"), ("두나", "어서 와.", "line 3"), ("하나", "그래.", "line 5"),
    ]  # fmt: skip
    assert {line.scene for line in content.lines} == {"#1 옥상"}
    assert "(효과음)" in str(content.warnings)
    content = read_script(write(tmp_path, "b.txt", "밥은?\n12:30에 만나자.\n하나: 둘\n그래\n"))
    assert [line.text for line in content.lines] == ["밥은?", "12:30에 만나자.", "하나: 둘", "그래"]
    assert "하나: 둘" in str(content.warnings[0]) and "12:30" not in str(content.warnings[0])


def test_a_text_is_a_line_a_row(tmp_path):
    path = write(tmp_path, "a.txt", "가\n\n나 다\n")
    assert lines_in(path) == [Line(Place("line", 1), "가"), Line(Place("line", 3), "나 다")]


def cues(*events):
    return ASS_HEAD + "".join(f"{event}\n" for event in events)


T = "00:00:01,000 --> 00:00:02,000"
V = "00:01.000 --> 00:02.000"
D = "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.txt", None, "no such file; is its name right"),
        ("a.docx", b"x", r"damaged or incomplete \.docx; save it again"),
        ("a.rtf", "{}", r"for \.rtf, save it as \.docx"),
        ("a.zip", b"PK", r"for \.zip, unpack it and give the script in it"),
        ("a.sbv", b"x", r"for \.sbv, save it as \.srt from a subtitle editor"),
        ("a.hwp", b"x", r"for \.hwp, save it as \.hwpx: in Hangul, Save as"),
        ("a.xls", bytes.fromhex("D0CF11E0A1B11AE1"), "protected by a password.*save it without"),
        ("a.xls", b"<html><table><tr><td>x", "a web page or XML .*save it as .xlsx"),
        ("a.xls", b"no\tline\n1\tx\n", "no workbook; if it is text, name it .csv"),
        ("a", b"x", "for other files, save it as"),
        ("a.xlsx", b"not a zip", "save it again"),
        ("a.xlsx", "번호,대사\n1,가\n".encode(), "save it again"),
        ("a.xlsx", bytes.fromhex("D0CF11E0A1B11AE1"), "protected by a password.*save it without"),
        ("a.txt", b"\xff\xfe\xff", "save it as UTF-8"),
        ("a.txt", b"\n", "no lines in it; is it whole"),
        ("a.csv", "대사\n\n", "no lines in it; is it whole"),
        ("a.csv", "", r"--columns 'line=HEADER' \(there are: none\)"),
        ("a.csv", '대사\n"그래\n가자\n', "line 2: .*quotation mark open .*line 3"),
        ("a.csv", "배역,대사\n가,나\n가,그래, 가자\n", "row 3: 3 cells, .* has 2; put quotation"),
        ("a.csv", "대사,대 사\n가,나\n", r"may be the line: “대사” \[1\], .*--columns line=2$"),
        ("a.csv", "대사,배역,배역\n가,나,다\n", r"may be the character: .*--columns character=3$"),
        ("a.csv", "대사,시작\n가,1:2:3:4\n", "“1:2:3:4” at row 2, cell 2; .* give --fps 23.976 / "),
        ("a.csv", "대사,TC in\n가,1:2:3;4\n", "“1:2:3;4” at row 2, .* give --fps 29.97df$"),
        ("a.csv", "끝,대사\n곧,가\n", "row 2, cell 1: column “끝”: “곧”: not a time; write"),
        ("a.csv", "in,out,대사\n0:02,0:01,가\n", "row 2, cell 2: ends with 0:01 .*fix the times of this row"),
        ("a.csv", "in,out,대사\n0:01,0:01,가\n", "row 2, cell 2: .*fix the times"),
        ("a.csv", "배역,대사\n#NAME?,가\n", "row 2, cell 1: #NAME[?] instead of a value; fix"),
        ("a.csv", "배역,대사\n가,#REF!\n", "row 2, cell 2: #REF! instead of a value; fix"),
        ("a.csv", f"대사\n{'가' * 2001}\n", "row 2, cell 1: 2001 characters .*whole page"),
        ("a.srt", "not subtitles", r"line 1: .*00:00:01,000 --> 00:00:02,000\); give it times"),
        ("a.srt", f"1\n{T}\n가\n\n2\n나\n", "line 5: .*give it times, or remove the empty line"),
        ("a.srt", f"1\n{T}\n가\n\n나\n", "line 5: .*remove the empty line above if it goes on"),
        ("a.srt", f"머리말\n\n1\n{T}\n가\n", "line 1: .*give it times"),
        ("a.srt", f"하나\n{T}\n가\n", "line 1: .*not with a number"),
        ("a.srt", f"1\n{T}\n가\n2\n{T}\n나\n", "line 2: times again .* at line 5; put an empty line"),
        ("a.srt", "1\n00:00:01,000 -> 00:00:02,000\n가\n", "line 1: .*give it times"),
        ("a.srt", "1\n00:00:01 --> 00:00:02\n가\n", "line 2: .*are no times; write 00:00:01,000"),
        ("a.srt", "1\n00:00:01,5 --> 00:00:02,0\n가\n", "line 2: .*are no times"),
        ("a.srt", "1\n100:00:01,000 --> 100:00:02,000\n가\n", "line 2: .*are no times"),
        ("a.srt", "1\n00:61:01,000 --> 00:61:02,000\n가\n", "line 2: .*61 minutes, but they end"),
        ("a.srt", "1\n00:00:02,000 --> 00:00:01,000\n가\n", "line 2: .*fix its times"),
        ("a.srt", f"1\n{T}\n{T.replace('-->', '부터')}\n", "line 2: its text looks like times"),
        ("a.vtt", f"{V}\n가\n", "line 1: .*first line must be WEBVTT"),
        ("a.vtt", f"WEBVTT\n\n{V}\n가\n\n나\n", "line 6: .*give it times"),
        ("a.vtt", f"WEBVTT\n\n{V.replace('.', ',')}\n가\n", "line 3: .*write 00:00:01.000"),
        ("a.vtt", "WEBVTT\n\n00:01.50 --> 00:02.00\n가\n", "line 3: .*are no times"),
        ("a.vtt", f"WEBVTT\n\n{V}\n<v 하나>가</v> <v 둘>나\n", "line 3: several people .*하나, 둘; split it"),
        ("a.vtt", "WEBVTT\n\n00:02.000 --> 00:02.000\n가\n", "line 3: .*fix its times"),
        ("a.ass", cues(D.replace("0:00:01.00", "곧") + "가"), "line 6: not an event .*fix it"),
        ("a.ass", cues(D.replace("0:00:01.00", "1:00:00:01.00") + "가"), "line 6: not an event"),
        ("a.ass", cues(D.replace("0:00:01.00", "0:00:03.00") + "가"), "line 6: .*fix its times"),
        ("a.ass", cues("Dialogue: 0,0:00:01.00,0:00:02.00,가"), "line 6: not an event of 10 fields"),
        ("a.ass", cues(D + "가", "dialogue: " + D[10:] + "나"), "line 7: .*save it again from Aegisub"),
        ("a.ass", cues(D + "가", "나"), r"line 7: not an event; join it to the line above"),
        ("a.ass", D + "가", "line 1: not below .Events."),
        ("a.ass", cues(D + "가").replace("Start, End", "End, Start"), "line 5: .*save it again from"),
        ("a.ass", "Style: 가,나,x\n" + cues(D + "가"), "not readable as ass; save it again"),
        ("a.ass", cues(), "no lines in it"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_with_its_fix(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    told = told_of(tmp_path / name)
    assert re.search(message, told), told
    assert told.startswith(f"{tmp_path / name}")
    assert "\n" not in told


def test_what_is_wrong_in_a_workbook_is_named_by_its_cell(tmp_path):
    path = tmp_path / "a.xlsx"
    for rows, merge, message in (
        ([["배역", "대사"], ["=C9", "가"]], (), "1화!A2: a formula without its result; open and save"),
        ([["배역", "대사"], ["하나", "#N/A"]], (), "1화!B2: #N/A instead of a value; fix"),
        ([["번호", "대사"], [datetime.date(2024, 1, 2), "가"]], (), "1화!A2: .*cell as text"),
        ([["번호", "대사"], [1, datetime.time(3, 0)]], (), "1화!B2: .*format the cell as text"),
        ([["시작", "대사"], [12.5, "가"]], (), "1화!A2: column “시작”: .*days or in seconds"),
        ([["시작", "대사"], [datetime.timedelta(1), "가"]], (), "1화!A2: .*within a day"),
        ([["대사", "시작"], ["가", "0:60"]], (), "1화!B2: column “시작”: .*60 seconds"),
        ([["대사", None], ["가", "나"]], ("A1:B1",), "1화!A2: more than one column .*own header"),
        ([["대사", "대사"], ["가", "나"]], (), "a.xlsx, 1화: several columns may be the line: .*line=B"),
        ([["대사"], ["가" * 2001]], (), "1화!A2: 2001 characters .*split it"),
    ):  # fmt: skip
        write_workbook(path, *rows, merge=merge)
        with pytest.raises(ScriptError, match=message) as error:
            lines_in(path)
        assert str(error.value).startswith(f"{path}, 1화")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"hero": "배역"}, "no column “hero” is known; name one of line, character, actor"),
        (
            {"character": "역할"},
            r"a\.csv: no column “역할” for character; name one of: “번호” \[1\], “대사” \[2\]",
        ),
        ({"line": "최종"}, r"no column of lines; .*\(there are: “번호” \[1\], “대사” \[2\]"),
    ],
)
def test_columns_that_are_not_there_are_told(tmp_path, columns, message):
    path = write(tmp_path, "a.csv", "번호,대사\n1,가\n")
    with pytest.raises(ScriptError, match=message):
        lines_in(path, columns=columns)
    with pytest.raises(ScriptError, match="both named as the line; name one"):
        lines_in(path, "번호", columns={"line": "대사"})


def test_subtitles_have_no_episodes(tmp_path):
    with pytest.raises(ScriptError, match=r"a \.srt has no episodes; leave out --episode"):
        lines_in(write(tmp_path, "a.srt", SRT), episode="1")


def test_directions_of_a_character_with_a_recording_are_a_sound(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        "배역,대사,지문,파일\n하나,안녕,작게,0001\n하나,,숨소리,0002\n하나,,(비명),0003\n,,음악,0004\n하나,,,0005\n",
        encoding="utf-8",
    )
    lines = lines_in(path)
    assert [(line.text, line.file) for line in lines] == [
        ("안녕", "0001"), ("(숨소리)", "0002"), ("(비명)", "0003"),
    ]  # fmt: skip


def test_all_faults_of_a_script_are_told_at_once(tmp_path):
    path = write(
        tmp_path, "a.csv",
        "번호,배역,시작,끝,대사\n1,하나,0:01,0:02,가\n#REF!,둘,곧,0:04,나\n3,하나,0:06,0:05,다\n4,둘,0:07,0:08,라\n",
    )  # fmt: skip
    content = read_script(path)
    assert [(line.no, line.character, line.start, line.text) for line in content.lines] == [
        ("1", "하나", 1.0, "가"), ("", "둘", None, "나"), ("3", "하나", 6.0, "다"), ("4", "둘", 7.0, "라"),
    ]  # fmt: skip
    assert content.faulty == {Place("row", 3), Place("row", 4)}
    assert [fault.where.say("ko") for fault in content.faults] == [
        "3행 1번째 칸", "3행 3번째 칸", "4행 4번째 칸",
    ]  # fmt: skip
    with pytest.raises(ScriptError) as error:
        content.whole(path)
    for told in (
        "row 3, cell 1: #REF! instead",
        "row 3, cell 3: column “시작”: “곧”",
        "row 4, cell 4: ends",
    ):
        assert f"{path}, {told}" in str(error.value)


def test_very_many_faults_are_counted(tmp_path):
    path = write(tmp_path, "a.csv", "대사,시작\n" + "가,곧\n" * 500)
    with pytest.raises(ScriptError, match=r"row 21, cell 2: .*; and 480 more$"):
        read_script(path).whole(path)


@pytest.mark.parametrize("suffix", [".srt", ".vtt", ".ass"])
def test_subtitles_by_another_program_are_read(tmp_path, suffix):
    made = pysubs2.SSAFile()
    made.events = [
        pysubs2.SSAEvent(1000, 2500, "안녕?\\N나야."),
        pysubs2.SSAEvent(3000, 4000, "하나: 그래."),
    ]
    path = tmp_path / f"a{suffix}"
    path.write_text(made.to_string(suffix[1:]), encoding="utf-8")
    found = [(line.text, line.start, line.end) for line in lines_in(path)]
    assert found == [("안녕? 나야.", 1.0, 2.5), ("하나: 그래.", 3.0, 4.0)]
