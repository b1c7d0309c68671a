"""Documents of Hangul, by python-hwpx: lines, and what is no line told."""

import pytest
from hwpx.document import HwpxDocument

from moksori.errors import ScriptError
from moksori.script.script import read_script
from tests.script.test_docx import ROWS, said, told
from tests.script.test_tables import rewrite


def document(path, *paragraphs, rows=(), change=lambda document, made: None):
    made = HwpxDocument.new()
    found = [made.add_paragraph(text, style="바탕글") for text in paragraphs]
    if rows:
        table = made.add_table(len(rows), len(rows[0]))
        for at, texts in enumerate(rows):
            for column, text in enumerate(texts):
                table.set_cell_text(at, column, text)
        found.append(table)
    change(made, found)
    made.save_to_path(str(path))
    return path


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_paragraphs_and_what_stands_beside_them(tmp_path):
    def change(made, found):
        made.tracking.insert(found[0], " 두나야?")
        made.tracking.delete(found[1], match="빨리 ")
        made.add_footnote("웃으며", found[1])
        made.add_memo_with_anchor("더 밝게", paragraph=found[2])
        struck = made.ensure_run_style(strike=True)
        made.add_heading("S#2. 골목", level=1)
        made.add_paragraph("두나: 지운 대사.", char_pr_id_ref=struck, style="바탕글")
        made.add_paragraph("하나\t다 젖었네.", style="바탕글")

    path = document(
        tmp_path / "a.hwpx",
        "하나: 안녕,",
        "두나: 빨리 가자.",
        "하나: 그래.\n그럼.",
        "비가 온다.",
        change=change,
    )
    content = read_script(path)
    assert [(x.character, x.text, x.scene) for x in content.lines] == [
        ("하나", "안녕, 두나야?", ""), ("두나", "가자.", ""), ("하나", "그래. 그럼.", ""),
        ("하나", "다 젖었네.", "S#2. 골목"),
    ]  # fmt: skip
    text = told(path)
    assert "inserted with changes tracked, read: paragraph 1 “두나야?”" in text
    assert "deleted with changes tracked, left out: paragraph 2 “빨리”" in text
    assert "footnotes and endnotes, not read: paragraph 2 “웃으며”" in text
    assert "comments, not read: paragraph 3 “더 밝게”" in text
    assert "struck through, left out: 1 paragraphs: paragraph 6 “두나: 지운 대사.”" in text
    assert "not read: 1 paragraphs: paragraph 4 “비가 온다.”" in text


def test_tables_are_read_as_sheets_are(tmp_path):
    rows = (*ROWS, ("4", "", "좋아."))
    path = document(
        tmp_path / "a.hwpx", "목소리 1화", rows=rows,
        change=lambda made, found: found[-1].merge_cells(3, 1, 4, 1),
    )  # fmt: skip
    assert said(path) == [
        ("하나", "안녕?"),
        ("두나", "그래."),
        ("하나", "가자."),
        ("하나", "좋아."),
    ]
    assert (
        "table 1: columns read: line = “대사” [3], character = “배역” [2], no = “번호” [1]"
        in told(path)
    )
    assert "so 1 paragraphs outside them are not: paragraph 1 “목소리 1화”" in told(path)


def test_a_strike_in_3d_is_none(tmp_path):
    """Hangul writes it where nothing is struck through; a solid one is a strike."""
    path = document(tmp_path / "a.hwpx", "하나: 안녕?")
    for shape, lines in (("3D", 1), ("SOLID", 0)):
        rewrite(path, "Contents/header.xml", lambda content, shape=shape: content
                .replace(b'strikeout shape="NONE"', f'strikeout shape="{shape}"'.encode())
                .replace(b'strikeout shape="3D"', f'strikeout shape="{shape}"'.encode()))  # fmt: skip
        if lines:
            assert said(path) == [("하나", "안녕?")]
        else:
            with pytest.raises(ScriptError, match="no lines in it"):
                read_script(path)


def test_hwp_is_told_how_to_save(tmp_path):
    (tmp_path / "a.hwp").write_bytes(bytes.fromhex("D0CF11E0A1B11AE1") + b"\0" * 600)
    with pytest.raises(ScriptError) as error:
        read_script(tmp_path / "a.hwp")
    assert "save it as .hwpx: in Hangul, Save as" in str(error.value)
    assert "‘HWPX 문서(*.hwpx)’로 골라 저장하세요" in error.value.say("ko")
    (tmp_path / "a.hwp").rename(tmp_path / "b.hwpx")
    with pytest.raises(
        ScriptError, match=r"of an old kind, or protected by a password; save it again as \.hwpx"
    ):
        read_script(tmp_path / "b.hwpx")
