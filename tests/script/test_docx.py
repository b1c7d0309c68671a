"""Word documents, by python-docx and by LibreOffice: lines, and what is no line told."""

from pathlib import Path

import docx
import pytest
from docx.oxml import OxmlElement
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from moksori.cli import app
from moksori.errors import ScriptError
from moksori.script.script import read_script
from moksori.script.tables import one_line
from moksori.timecode import FrameRate
from tests.script.test_tables import rewrite

MADE = Path(__file__).parents[1] / "data" / "documents"  # by LibreOffice, of the .fodt beside them
ROWS = (
    ("번호", "배역", "대사"),
    ("1", "하나", "안녕?"),
    ("2", "두나", "그래."),
    ("3", "하나", "가자."),
)


def document(path, *paragraphs, rows=(), change=lambda document: None):
    made = docx.Document()
    for text in paragraphs:
        made.add_paragraph(text)
    if rows:
        table = made.add_table(len(rows), len(rows[0]))
        for row, texts in zip(table.rows, rows, strict=True):
            for cell, text in zip(row.cells, texts, strict=True):
                cell.text = text
    change(made)
    made.save(path)
    return path


def said(path, **more):
    return [(line.character, line.text) for line in read_script(path, **more).lines]


def told(path, lang="en", **more):
    content = read_script(path, **more)
    return "\n".join(one.say(lang) for one in [*content.understood, *content.warnings])


def test_paragraphs_by_libreoffice_are_lines_in_scenes():
    content = read_script(MADE / "script.docx")
    assert [(str(x.place), x.character, x.text, x.scene, x.start) for x in content.lines] == [
        ("paragraph 5", "하나", "안녕, 두나야?", "S#1. 거실, 낮", None),
        ("paragraph 6", "두나(N)", "가자!", "S#1. 거실, 낮", None),
        ("paragraph 7", "하나", "우산은 챙겼어? 밖에 비 와.", "S#1. 거실, 낮", None),
        ("paragraph 11", "두나", "다 젖었네.", "S#2. 골목, 밤", 3612.25),
        ("paragraph 12", "하나", "그러게. 내일 또 보자.", "S#2. 골목, 밤", None),
    ]
    assert content.frame_rate == FrameRate(24)  # as its second paragraph says


@pytest.mark.parametrize(
    ("name", "where"), [("script.docx", "paragraph {}"), ("table.docx", "table 1, row {}, cell 4")]
)
def test_what_stands_beside_the_text_is_told(name, where):
    places = {"script.docx": (5, 6, 7), "table.docx": (2, 3, 4)}[name]
    first, second, third = (where.format(place) for place in places)
    text = told(MADE / name)
    assert f"inserted with changes tracked, read: {first} “, 두나”" in text
    assert f"deleted with changes tracked, left out: {second} “빨리”" in text
    assert f"parts that are struck through, left out: {second} “고”" in text
    assert f"comments, not read: {second} “더 밝게”" in text
    assert f"hidden, left out: {third} “(지운 말)”; add --hidden" in text
    assert "“(지운 말)”. 읽으려면 --hidden을 더하세요" in told(MADE / name, "ko")
    lines = " ".join(text for _, text in said(MADE / name, hidden=True))
    assert "우산은 (지운 말) 챙겼어?" in lines
    assert "hidden, left out" not in told(MADE / name, hidden=True)


def test_a_paragraph_that_is_struck_or_said_by_nobody_is_told():
    text = told(MADE / "script.docx")
    assert "struck through, left out: 1 paragraphs: paragraph 9 “두나: 이 대사는 지웁니다.”" in text
    assert (
        "taken for directions and not read: 1 paragraphs: paragraph 4 “하나가 창밖을 본다.”" in text
    )
    assert (
        "said about the script, so not read: 2 paragraphs: paragraph 1 “제목: 비 오는 날”" in text
    )
    assert "footnotes and endnotes, not read: paragraph 11 “웃으며”" in text
    assert (
        "characters: 하나 (3), 두나(N) (1), 두나 (1); scenes: 2 (S#1. 거실, 낮, S#2. 골목, 밤)"
        in text
    )


def test_tables_by_libreoffice_are_read_as_sheets_are():
    """The second goes on with the first, without a header; the third holds no lines."""
    content = read_script(MADE / "table.docx")
    assert [(str(x.place), x.no, x.character, x.text, x.scene) for x in content.lines] == [
        ("table 1 row 2", "1", "하나", "안녕, 두나야?", "S#1. 거실"),
        ("table 1 row 3", "2", "두나", "가자!", "S#1. 거실"),
        ("table 1 row 4", "3", "두나", "우산은 챙겼어?", "S#1. 거실"),  # its cell is merged
        ("table 2 row 1", "5", "두나", "다 젖었네.", "S#2. 골목"),
        ("table 2 row 2", "6", "하나", "그러게.", "S#2. 골목"),
    ]
    assert content.frame_rate == FrameRate(30, ntsc=True, drop=True)  # 29.97 DF, says a paragraph
    text = told(MADE / "table.docx")
    assert "table 1, table 2: columns read: line = “대사” [4], character = “배역” [3]" in text
    assert "passed over: table 3 “담당”" in text
    assert "table 1: struck through, left out: rows 5" in text
    assert "its tables are read, so 2 paragraphs outside them are not" in text
    assert "표 1 2행" in read_script(MADE / "table.docx").lines[0].place.say("ko")


@pytest.mark.parametrize(
    ("paragraph", "name", "text", "no"),
    [
        ("하나: 안녕?", "하나", "안녕?", ""), ("하나 ： 안녕?", "하나", "안녕?", ""),
        ("하나:안녕?", "하나", "안녕?", ""), ("하나:3시야?", "하나", "3시야?", ""),
        ("하나\t안녕?", "하나", "안녕?", ""), ("하나\u3000\u3000안녕?", "하나", "안녕?", ""),
        ("하나(N): 안녕?", "하나(N)", "안녕?", ""), ("[하나] 안녕?", "하나", "안녕?", ""),
        ("3. 하나: 안녕?", "하나", "안녕?", "3"), ("#12\t하나\t안녕?", "하나", "안녕?", "12"),
        ("김 반장: (웃으며) 1:30에 봐.", "김 반장", "(웃으며) 1:30에 봐.", ""),
        ("하나: 안녕?\n나야.", "하나", "안녕? 나야.", ""),
    ],
)  # fmt: skip
def test_names_before_lines_as_writers_set_them_off(tmp_path, paragraph, name, text, no):
    path = document(tmp_path / "a.docx", paragraph, "두나: 그래.")
    line = read_script(path).lines[0]
    assert (line.character, line.text, line.no) == (name, text, no)


@pytest.mark.parametrize(
    "paragraph",
    ["하나가 창밖을 본다.", "(웃음) 바람이 분다: 차다.", "그는 말했다. 그리고: 끝.", "12:30", "장소: 거실",
     "https://example.org/a", "아무 말도 없이 문을 열고 나가 버리는 하나: 그런가"],
)  # fmt: skip
def test_what_is_no_name_is_no_line_and_told(tmp_path, paragraph):
    path = document(tmp_path / "a.docx", paragraph, "두나: 그래.", "하나: 응.")
    assert said(path) == [("두나", "그래."), ("하나", "응.")]
    assert paragraph[:20] in told(path)


def test_tracked_moves_controls_and_deleted_rows(tmp_path):
    """What Word writes and python-docx does not: w:moveTo, w:sdt, a row with w:del."""

    def change(made):
        moved, control = made.paragraphs[0]._p, made.paragraphs[1]._p
        for name, text in (("w:moveFrom", "지운 말"), ("w:moveTo", " 옮긴 말")):
            around, run, words = OxmlElement(name), OxmlElement("w:r"), OxmlElement("w:t")
            words.text = text
            run.append(words), around.append(run), moved.append(around)
        around, inner = OxmlElement("w:sdt"), OxmlElement("w:sdtContent")
        control.addprevious(around)
        inner.append(control), around.append(inner)

    path = document(tmp_path / "a.docx", "하나: 안녕?", "두나: 그래.", change=change)
    assert said(path) == [("하나", "안녕? 옮긴 말"), ("두나", "그래.")]
    assert "left out: paragraph 1 “지운 말”" in told(path)

    def delete(made):
        mark = OxmlElement("w:del")
        made.tables[0].rows[2]._tr.get_or_add_trPr().append(mark)

    path = document(tmp_path / "b.docx", rows=ROWS, change=delete)
    assert said(path) == [("하나", "안녕?"), ("하나", "가자.")]
    assert "deleted with changes tracked, left out: table 1, row 3, cell 1 “2”" in told(path)


def test_a_table_in_a_table_is_a_table_of_its_own(tmp_path):
    def change(made):
        cell = made.tables[0].cell(0, 0)
        inner = cell.add_table(len(ROWS), 3)
        for row, texts in zip(inner.rows, ROWS, strict=True):
            for one, text in zip(row.cells, texts, strict=True):
                one.text = text

    path = document(tmp_path / "a.docx", rows=(("겉",),), change=change)
    assert [str(line.place) for line in read_script(path).lines] == [
        f"table 2 row {n}" for n in (2, 3, 4)
    ]
    assert "passed over: table 1 “겉”" in told(path)


def test_edges_dragged_in_one_row_move_no_column(tmp_path):
    """Word then gives the grid more columns than anybody sees, and each cell a span."""

    def change(made):
        for row, spans in zip(
            made.tables[0].rows, ((1, 2, 2), (2, 1, 2), (1, 1, 3), (2, 2, 1)), strict=True
        ):
            for tc, span in zip(row._tr.tc_lst, spans, strict=True):
                tc.grid_span = span

    path = document(tmp_path / "a.docx", rows=ROWS, change=change)
    assert said(path) == [("하나", "안녕?"), ("두나", "그래."), ("하나", "가자.")]


def test_a_strict_document_is_read(tmp_path):
    path = document(tmp_path / "a.docx", "하나: 안녕?")
    for name in ("word/document.xml", "_rels/.rels"):
        rewrite(path, name, lambda content: content.replace(
            b"http://schemas.openxmlformats.org/wordprocessingml/2006/main",
            b"http://purl.oclc.org/ooxml/wordprocessingml/main",
        ).replace(
            b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
            b"http://purl.oclc.org/ooxml/officeDocument/relationships",
        ))  # fmt: skip
    assert said(path) == [("하나", "안녕?")]


def test_a_text_box_is_told(tmp_path):
    def change(made):
        run = made.paragraphs[0].add_run()._r
        box, words = OxmlElement("w:pict"), OxmlElement("w:txbxContent")
        words.append(made.paragraphs[1]._p)
        box.append(words), run.append(box)

    path = document(tmp_path / "a.docx", "하나: 안녕?", "두나: 글상자 안.", change=change)
    assert said(path) == [("하나", "안녕?")]
    assert "text boxes and captions, not read: paragraph 1 “두나: 글상자 안.”" in told(path)


def test_whichever_holds_more_is_read_and_the_other_told(tmp_path):
    path = document(tmp_path / "a.docx", *(f"하나: 대사 {n}." for n in range(9)), rows=ROWS)
    assert len(said(path)) == 9
    assert "so table 1 (4 rows, “번호” …) is not" in told(path)
    assert len(said(path, columns={"line": "대사"})) == 3
    path = document(tmp_path / "b.docx", "하나: 대사 1.", rows=ROWS)
    assert len(said(path)) == 3
    assert "1 paragraphs such as “name: line” are not: paragraph 1 “하나: 대사 1.”" in told(path)


def test_the_commands_read_it_alike(tmp_path):
    run = CliRunner().invoke(app, ["text", "--file", str(MADE / "table.docx"), "--json"])
    assert run.exit_code == 0, run.output
    assert run.output.count('"original"') == 5
    cast = tmp_path / "cast.toml"
    run = CliRunner().invoke(app, ["cast", str(MADE / "table.docx"), "-o", str(cast)])
    assert run.exit_code == 0, run.output
    assert "하나" in cast.read_text(encoding="utf-8") and "두나" in cast.read_text(encoding="utf-8")


def test_episodes_are_of_tables_alone(tmp_path):
    path = document(tmp_path / "a.docx", "하나: 안녕?")
    with pytest.raises(ScriptError, match="no lines in it: neither a table"):
        read_script(path, episode="1")
    rows = (("화", "배역", "대사"), ("1", "하나", "안녕?"), ("2", "두나", "그래."))
    path = document(tmp_path / "b.docx", rows=rows)
    assert said(path, episode="2") == [("두나", "그래.")]


def test_python_docx_reads_the_same_cells():
    """An independent reader, of the table in which nothing is marked."""
    table = docx.Document(str(MADE / "table.docx")).tables[1]
    theirs = [(row.cells[0].text, row.cells[2].text, row.cells[3].text) for row in table.rows]
    lines = [x for x in read_script(MADE / "table.docx").lines if x.place.sheet == "2"]
    assert [(line.no, line.character, line.text) for line in lines] == theirs


PARAGRAPHS = st.one_of(
    st.sampled_from(
        [
            "하나: 안녕?",
            "두나\t그래.",
            "\t이어서.",
            "S#3 골목",
            "제목: 비",
            "하나:",
            ": 그래",
            "하나\n두나: 응",
        ]
    ),
    st.sampled_from(
        [
            "비가 온다.",
            "(웃음)",
            "[하나]",
            "12:30",
            "가: 나: 다",
            "하나　　그래",
            "#7",
            "—",
            "1. 2. 3",
        ]
    ),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12),
)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(PARAGRAPHS, max_size=7))
def test_each_paragraph_is_a_line_a_scene_or_told(tmp_path, paragraphs):
    path = document(tmp_path / "a.docx", *paragraphs, "끝: 마지막.")
    held = [one_line(text) for text in paragraphs if one_line(text)]
    try:
        content = read_script(path)
    except ScriptError as error:
        assert str(path) in str(error)
        return
    lines = {line.place.number for line in content.lines}
    spoken = " ".join(line.text for line in content.lines)  # with what goes on behind a tab
    shown = " ".join(one.say("en") for one in [*content.understood, *content.warnings])
    for number, text in enumerate(held, 1):
        read = number in lines or text in spoken
        assert read or f"paragraph {number} " in shown or text in shown, (number, text)
