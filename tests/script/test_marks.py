"""What a sheet shows beside its words: never dubbed unseen, never lost untold."""

import io
import re
import zipfile

import openpyxl
import pytest
import xlsxwriter
import xlwt
from openpyxl.styles import Border, Font, PatternFill, Side

from moksori.errors import ScriptError
from moksori.script.script import read_script
from tests.script.test_tables import rewrite, rewrite_sheet, write_workbook

HEAD = ("번호", "배역", "대사")
ROWS = ((1, "하나", "안녕?"), (2, "두나", "그래."), (3, "하나", "가자."), (4, "두나", "좋아."))


def script(path, change=lambda sheet: None):
    book = openpyxl.Workbook()
    book.active.title = "1화"
    for row in (HEAD, *ROWS):
        book.active.append(row)
    change(book.active)
    book.save(path)
    return path


def written(path, write):
    """A workbook by XlsxWriter, which knows rich text, comments and rules."""
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("1화")
    for number, row in enumerate((HEAD, *ROWS)):
        sheet.write_row(number, 0, row)
    write(book, sheet)
    book.close()
    return path


def texts(content):
    return [line.text for line in content.lines]


def told(content, lang="en"):
    return "\n".join(warning.say(lang) for warning in content.warnings)


def test_a_plain_script_has_nothing_to_tell(tmp_path):
    content = read_script(script(tmp_path / "a.xlsx"))
    assert texts(content) == [row[2] for row in ROWS]
    assert not content.warnings and not content.faults


@pytest.mark.parametrize("columns", ["ABC", "C"])
def test_a_line_that_is_struck_through_is_left_out_and_told(tmp_path, columns):
    def strike(sheet):
        for column in columns:
            sheet[f"{column}3"].font = Font(strike=True)

    content = read_script(script(tmp_path / "a.xlsx", strike))
    assert texts(content) == ["안녕?", "가자.", "좋아."]
    assert "1화: struck through, left out: rows 3" in told(content)
    assert "취소선이 그어져 뺀 행: 3" in told(content, "ko")


def test_a_name_that_is_struck_through_beside_a_line_that_is_not_is_a_fault(tmp_path):
    def strike(sheet):
        sheet["B3"].font = Font(strike=True)

    content = read_script(script(tmp_path / "a.xlsx", strike))
    (fault,) = content.faults
    assert fault.where.say("en") == "1화!B3"
    assert "“두나” is struck through; remove the strike" in fault.what.say("en")
    assert content.lines[1].character == ""


def test_struck_parts_of_a_line_are_left_out_and_told(tmp_path):
    def write(book, sheet):
        strike, bold = book.add_format({"font_strikeout": True}), book.add_format({"bold": True})
        sheet.write_rich_string(2, 2, "그래, ", strike, "그럼 ", bold, "가자.")
        sheet.write_rich_string(3, 2, strike, "다 ", strike, "지움")

    content = read_script(written(tmp_path / "a.xlsx", write))
    assert texts(content) == ["안녕?", "그래, 가자.", "좋아."]
    assert "parts that are struck through, left out: 1화!C3 “그럼”" in told(content)
    assert "struck through, left out: rows 4" in told(content)


def test_parts_that_are_not_struck_in_a_struck_cell_stay(tmp_path):
    """A run without a font has the cell's, one with a font its own."""

    def write(book, sheet):
        strike, plain = book.add_format({"font_strikeout": True}), book.add_format({"bold": True})
        sheet.write_rich_string(2, 2, "지움 ", plain, "남음", strike)

    assert texts(read_script(written(tmp_path / "a.xlsx", write)))[1] == "남음"


def test_superscripts_are_read_and_told(tmp_path):
    def write(book, sheet):
        sheet.write_rich_string(2, 2, "그래", book.add_format({"font_script": 1}), "1)", " 가자")

    content = read_script(written(tmp_path / "a.xlsx", write))
    assert "그래1) 가자" in texts(content)
    assert "superscripts or subscripts, read as text" in told(content)
    assert "1화!C3 “1)”" in told(content)


def hide(sheet):
    sheet.row_dimensions[3].hidden = True


def filter_out(sheet):
    sheet.auto_filter.ref = "A1:C5"
    sheet.auto_filter.add_filter_column(1, ["하나"])
    for row in (3, 5):
        sheet.row_dimensions[row].hidden = True


@pytest.mark.parametrize(("how", "rows"), [(hide, "3"), (filter_out, "3, 5")])
def test_hidden_rows_are_left_out_and_told_or_read_where_asked(tmp_path, how, rows):
    path = script(tmp_path / "a.xlsx", how)
    content = read_script(path)
    assert "그래." not in texts(content)
    assert (
        f"hidden manually or by a filter, left out: rows {rows}; show them, or add --hidden"
        in told(content)
    )
    content = read_script(path, hidden=True)
    assert texts(content) == [row[2] for row in ROWS]
    assert not content.warnings


def test_rows_and_columns_without_height_or_width_are_hidden(tmp_path):
    path = script(tmp_path / "a.xlsx")
    rewrite_sheet(path, '<row r="3"', '<row r="3" ht="0" customHeight="1"')
    assert "left out: rows 3" in told(read_script(path))
    rewrite_sheet(path, "<sheetData>", '<cols><col min="3" max="3" width="0"/></cols><sheetData>')
    with pytest.raises(ScriptError, match="“대사”, is hidden"):
        read_script(path)


def test_comments_are_told(tmp_path):
    def write(book, sheet):
        sheet.write_comment("C3", "이 대사는\n뺍니다")
        sheet.write_comment("E9", "아무 데도 아님")

    content = read_script(written(tmp_path / "a.xlsx", write))
    assert len(content.lines) == 4
    assert "comments, not read: 1화!C3 “이 대사는 뺍니다”" in told(content)
    assert "아무" not in told(content)


def test_colours_that_single_lines_out_are_told(tmp_path):
    def colour(sheet):
        sheet["C3"].fill = PatternFill("solid", fgColor="FFFF00")
        sheet["C5"].font = Font(color="FFFF0000")

    content = read_script(script(tmp_path / "a.xlsx", colour))
    assert len(content.lines) == 4
    assert "■FFFF00 rows 3; AFF0000 rows 5" in told(content)


def test_colours_of_characters_and_of_every_other_row_are_no_marks(tmp_path):
    def by_character(sheet):
        for row in (3, 5):
            sheet[f"C{row}"].fill = PatternFill("solid", fgColor="CCFFCC")

    assert not read_script(script(tmp_path / "a.xlsx", by_character)).warnings


def test_shapes_and_rules_that_strike_are_told(tmp_path):
    def write(book, sheet):
        strike = book.add_format({"font_strikeout": True})
        rule = {"type": "cell", "criteria": "==", "value": 1, "format": strike}
        sheet.conditional_format("A2:C5", rule)
        sheet.insert_textbox("C2", "빼세요")

    content = read_script(written(tmp_path / "a.xlsx", write))
    assert "pictures and shapes are not read" in told(content)
    assert "a conditional format strikes cells through" in told(content)


def as_strict(path):
    """As Excel's “Strict Open XML” writes it: other namespaces, and dates in words."""
    with zipfile.ZipFile(path) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    for old, new in (
        (b"http://schemas.openxmlformats.org/spreadsheetml/2006/main", b"http://purl.oclc.org/ooxml/spreadsheetml/main"),
        (b"http://schemas.openxmlformats.org/officeDocument/2006/relationships", b"http://purl.oclc.org/ooxml/officeDocument/relationships"),
    ):  # fmt: skip
        parts = {name: content.replace(old, new) for name, content in parts.items()}
    with zipfile.ZipFile(path, "w") as target:
        for name, content in parts.items():
            target.writestr(name, content)


def test_a_strict_workbook_is_read_with_its_strikes_and_times(tmp_path):
    def change(sheet):
        sheet["C3"].font = Font(strike=True)
        sheet["D1"] = "시작"
        sheet["D2"] = "x"

    path = script(tmp_path / "a.xlsx", change)
    rewrite_sheet(
        path, r'<c r="D2"[^>]*>.*?</c>', '<c r="D2" s="2" t="d"><v>1899-12-30T00:00:05</v></c>'
    )

    def style(content):
        text = content.decode()
        xf = re.search(r"<cellXfs[^>]*>(<xf [^>]*?/>)", text)[1]
        seconds = re.sub(r'numFmtId="\d+"', 'numFmtId="46"', xf)
        return text.replace("</cellXfs>", f"{seconds}</cellXfs>").encode()

    rewrite(path, "xl/styles.xml", style)
    as_strict(path)
    content = read_script(path)
    assert texts(content) == ["안녕?", "가자.", "좋아."]
    assert content.lines[0].start == 5.0


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("xl/styles.xml", r"<fill><patternFill patternType=.gray125.\s*/></fill>", "<fill/>"),
        ("xl/styles.xml", r'<family val="2"\s*/>', '<family val="99"/>'),
        ("xl/styles.xml", r"<cellStyles.*</cellStyles>", ""),
        ("xl/styles.xml", r"(?s).*", "<styleSheet/>"),
        ("docProps/core.xml", r"(?s)<dcterms:created.*</dcterms:created>", "<created>어제</created>"),
        ("xl/workbook.xml", "<sheets>", '<definedNames><definedName name="x"/></definedNames><sheets>'),
        ("xl/workbook.xml", r'state="visible"', 'state="odd"'),
    ],
)  # fmt: skip
def test_workbooks_of_other_programs_are_read(tmp_path, part, old, new):
    path = script(tmp_path / "a.xlsx")
    rewrite(path, part, lambda content: re.sub(old, new, content.decode(), count=1).encode())
    assert texts(read_script(path)) == [row[2] for row in ROWS]


def test_parts_are_found_however_the_zip_spells_them(tmp_path):
    path = script(tmp_path / "a.xlsx")
    with zipfile.ZipFile(path) as source:
        parts = {name.replace("/", "\\").upper(): source.read(name) for name in source.namelist()}
    with zipfile.ZipFile(path, "w") as target:
        for name, content in parts.items():
            target.writestr(name, content)
    assert texts(read_script(path)) == [row[2] for row in ROWS]


def xls(path):
    book = xlwt.Workbook()
    sheet = book.add_sheet("1화")
    strike, red = (
        xlwt.easyxf("font: struck_out on"),
        xlwt.easyxf("pattern: pattern solid, fore_colour red"),
    )
    times = xlwt.easyxf(num_format_str="h:mm:ss")
    for number, row in enumerate((HEAD, *ROWS)):
        for column, value in enumerate(row):
            sheet.write(number, column, value)
    sheet.write(0, 3, "시작")
    for number in range(1, 5):
        sheet.write(number, 3, number / 86400, times)
    sheet.write(5, 2, "지움", strike)
    plain, struck = xlwt.easyfont(""), xlwt.easyfont("struck_out on")
    sheet.write_rich_text(6, 2, [("남음 ", plain), ("지움", struck)])
    sheet.write(7, 2, "빨강", red)
    sheet.write(8, 2, "숨음")
    sheet.row(8).hidden = True
    sheet.write_merge(9, 10, 1, 1, "하나")
    sheet.write(9, 2, "위")
    sheet.write(10, 2, "아래")
    book.save(str(path))
    return path


@pytest.mark.parametrize("name", ["a.xls", "a.xlsx"])
def test_an_xls_is_read_with_all_it_shows(tmp_path, name):
    content = read_script(xls(tmp_path / name))
    assert texts(content) == [*(row[2] for row in ROWS), "남음", "빨강", "위", "아래"]
    assert [line.start for line in content.lines][:4] == [1.0, 2.0, 3.0, 4.0]
    assert [line.no for line in content.lines][:4] == ["1", "2", "3", "4"]
    assert [line.character for line in content.lines][-2:] == ["하나", "하나"]
    for words in (
        "struck through, left out: rows 6",
        "left out: 1화!C7 “지움”",
        "rows 8",
        "left out: rows 9",
    ):
        assert words in told(content)
    assert "숨음" in texts(read_script(tmp_path / name, hidden=True))


def test_damaged_xls_files_are_told(tmp_path):
    whole = xls(tmp_path / "a.xls").read_bytes()
    for size in range(100, len(whole), 700):
        (tmp_path / "b.xls").write_bytes(whole[:size])
        with pytest.raises(ScriptError, match=r"b\.xls"):
            read_script(tmp_path / "b.xls")
    for at in range(520, len(whole), 97):
        (tmp_path / "b.xls").write_bytes(whole[:at] + b"\xff\xff\xff\xff" + whole[at + 4 :])
        try:
            read_script(tmp_path / "b.xls")
        except ScriptError as error:
            assert "b.xls" in str(error)


def test_damaged_workbooks_never_end_in_anything_else(tmp_path):
    """Each part cut and garbled: lines, or one clear error."""

    def write(book, sheet):
        sheet.write_rich_string(2, 2, "그래, ", book.add_format({"font_strikeout": True}), "가자.")
        sheet.write_comment("C3", "메모")

    whole = written(tmp_path / "a.xlsx", write)
    with zipfile.ZipFile(whole) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    for name, content in parts.items():
        for change in (b"", content[: len(content) // 2], content.replace(b'"', b"'1e999'", 9)):
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w") as target:
                for other, kept in parts.items():
                    target.writestr(other, change if other == name else kept)
            (tmp_path / "b.xlsx").write_bytes(buffer.getvalue())
            try:
                read_script(tmp_path / "b.xlsx")
            except ScriptError as error:
                assert "b.xlsx" in str(error)


def test_absurd_numbers_of_rows_and_merges_are_no_work(tmp_path):
    path = write_workbook(tmp_path / "a.xlsx", ["대사"], ["가"])
    rewrite_sheet(
        path, "</sheetData>",
        '<row r="999999999"><c r="A999999999" t="str"><v>나</v></c></row></sheetData><mergeCells count="1">'
        '<mergeCell ref="A1:A999999999"/></mergeCells>',
    )  # fmt: skip
    try:
        read_script(path)
    except ScriptError as error:
        assert "a.xlsx" in str(error)


def test_entities_that_swell_are_refused(tmp_path):
    path = write_workbook(tmp_path / "a.xlsx", ["대사"], ["가"])
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    swollen = f'<!DOCTYPE w [<!ENTITY l0 "하하하하">{laughs}]><w>&l11;</w>'
    rewrite(path, "xl/worksheets/sheet1.xml", lambda content: swollen.encode())
    with pytest.raises(ScriptError, match="damaged or incomplete workbook"):
        read_script(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r' r="[A-Z]+\d+"', ""),  # cells without places
        (r'<row r="\d+"', "<row"),  # and rows
        (r"<dimension[^>]*>", ""),
        (r"<sheetViews>.*</sheetViews>", ""),
        (r"<sheetFormatPr[^>]*>", '<sheetFormatPr defaultRowHeight="없음"/>'),
        (r"</sheetData>", '</sheetData><dataValidations count="1"><odd/></dataValidations>'),
        (r"<worksheet ", '<worksheet xmlns:mc="x" mc:Ignorable="x14ac" '),
    ],
)
def test_sheets_of_other_programs_are_read(tmp_path, old, new):
    path = script(tmp_path / "a.xlsx")
    rewrite_sheet(path, old, new)
    assert texts(read_script(path)) == [row[2] for row in ROWS]


@pytest.mark.parametrize("name", ["a.xlsx", "a.xls"])
def test_black_bars_and_white_text_are_told_a_white_fill_is_not(tmp_path, name):
    if name == "a.xls":
        book = xlwt.Workbook()
        sheet = book.add_sheet("1화")
        filled = "pattern: pattern solid, fore_colour"
        crossed = "borders: diag thin, need_diag1 on"
        styles = (crossed, f"{filled} black", "font: colour white", f"{filled} white")
        for number, (row, style) in enumerate(zip(ROWS, styles, strict=True), 1):
            sheet.write(number, 2, row[2], xlwt.easyxf(style))
        for column, head in enumerate(HEAD):
            sheet.write(0, column, head)
        book.save(str(tmp_path / name))
    else:

        def colour(sheet):
            sheet["C3"].fill = PatternFill("solid", fgColor="FF000000")
            sheet["C4"].font = Font(color="FFFFFFFF")
            sheet["C5"].fill = PatternFill("solid", fgColor="FFFFFFFF")
            sheet["C2"].border = Border(diagonal=Side("thin"), diagonalUp=True)

        script(tmp_path / name, colour)
    assert "╱ rows 2; ■000000 rows 3; AFFFFFF rows 4" in told(read_script(tmp_path / name))
    assert "rows 5" not in told(read_script(tmp_path / name))


def test_a_script_all_of_whose_lines_are_left_out_says_why(tmp_path):
    def hide_all(sheet):
        sheet["C2"].font = Font(strike=True)
        for row in range(3, 6):
            sheet.row_dimensions[row].hidden = True

    with pytest.raises(ScriptError) as error:
        read_script(script(tmp_path / "a.xlsx", hide_all))
    for told in (
        "no lines in it",
        "struck through, left out: rows 2",
        "left out: rows 3, 4, 5; show",
    ):
        assert told in str(error.value)


def test_a_workbook_under_the_name_of_text_is_one(tmp_path):
    path = script(tmp_path / "a.xlsx").rename(tmp_path / "a.csv")
    assert texts(read_script(path)) == [row[2] for row in ROWS]
