"""Workbooks of OpenDocument, by LibreOffice: read as the .xlsx that they were made of."""

import datetime
from pathlib import Path

import pytest
import xlsxwriter

from moksori.script.script import read_script
from moksori.script.workbook import read_workbook
from tests.script.test_tables import rewrite

MADE = Path(__file__).parents[1] / "data" / "documents" / "script.ods"
HEAD = ("번호", "시작", "끝", "배역", "대사", "지문", "점검표")
ROWS = (
    ("하나", "안녕?", "반갑게"), ("두나", "그래.", ""), ("두나", "오늘은 일찍 왔네.", ""),
    ("하나", "가자!", "작게"), ("두나", "비가 와.", ""), ("하나", "그럼 내일 보자.", ""),
)  # fmt: skip


def workbook(path):
    """What `script.ods` was made of: `soffice --headless --convert-to ods script.xlsx`."""
    book = xlsxwriter.Workbook(path)
    bold, strike = book.add_format({"bold": True}), book.add_format({"font_strikeout": True})
    clock = book.add_format({"num_format": "[h]:mm:ss.00"})
    number = book.add_format({"num_format": "0000"})
    sheet = book.add_worksheet("1화")
    sheet.write(0, 0, "목소리 대본 (24fps)", bold)
    sheet.write_row(2, 0, HEAD, bold)
    for n, row in enumerate(ROWS, 1):
        sheet.write_number(n + 2, 0, n, number)
        sheet.write_number(n + 2, 1, (3600 + 2.5 * n) / 86400, clock)
        sheet.write_number(n + 2, 2, (3602 + 2.5 * n) / 86400, clock)
        sheet.write_row(n + 2, 3, row)
    sheet.write(4, 4, "그래.", strike)
    sheet.write_rich_string(6, 4, "가자", strike, "요", bold, "!")
    sheet.set_row(7, None, None, {"hidden": True})
    sheet.write_comment(8, 4, "입 모양 확인")
    sheet.merge_range(4, 3, 5, 3, "두나")
    sheet.set_column(6, 6, None, None, {"hidden": True})
    sheet.write_formula(8, 5, "=1/0", None, "#DIV/0!")
    two = book.add_worksheet("2화")
    two.write_row(0, 0, HEAD[:5], bold)
    two.write_row(1, 0, (1, "01:00:00:12", "01:00:02:00", "하나", "여기야."))
    book.add_worksheet("메모").write(0, 0, "담당: 김감독")
    book.close()
    return path


def everything(path):
    content = read_script(path)
    told = [m.say("en").replace(path.suffix, "") for m in [*content.understood, *content.warnings]]
    faults = [(str(f.place), f.where.say("en"), f.what.say("en")) for f in content.faults]
    name = str(path.with_suffix(""))
    return content.lines, [text.replace(name, "") for text in told], faults, content.frame_rate


@pytest.mark.parametrize("suffix", [".ods", ".xlsx"])  # by its content, whatever its name says
def test_it_is_read_as_the_workbook_that_it_was_made_of(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(MADE.read_bytes())
    theirs = everything(workbook(tmp_path / "b.xlsx"))
    assert everything(path) == theirs
    lines, told, faults, rate = theirs
    assert len(lines) == 5 and len(told) == 8 and len(faults) == 1 and str(rate) == "24"


def test_hidden_rows_are_read_if_asked():
    assert "비가 와." in [line.text for line in read_script(MADE, hidden=True).lines]
    assert "비가 와." not in [line.text for line in read_script(MADE).lines]


def change(path, *pairs):
    path.write_bytes(MADE.read_bytes())

    def replaced(content):
        for old, new in pairs:
            assert old.encode() in content, old
            content = content.replace(old.encode(), new.encode(), 1)
        return content

    rewrite(path, "content.xml", replaced)
    return path


def test_times_dates_and_repetitions_are_what_the_format_says(tmp_path):
    cell = (
        '<table:table-cell table:number-columns-repeated="2" office:value-type="string"><text:p>가'
        '<text:s text:c="2"/>나<text:tab/>다<text:line-break/>라</text:p>'
        "<text:p>마</text:p></table:table-cell>"
        '<table:table-cell office:value-type="time" office:time-value="PT26H00M01.5S"/>'
        '<table:table-cell office:value-type="date" office:date-value="2026-11-28T01:02:03"/>'
        '<table:table-cell office:value-type="boolean" office:boolean-value="true"/>'
    )
    row = f'<table:table-row table:number-rows-repeated="3">{cell}</table:table-row>'
    path = change(tmp_path / "a.ods", ("<table:table-row ", row + "<table:table-row "))
    rows = read_workbook(path)[0].rows[:3]
    assert [number for number, _ in rows] == [1, 2, 3]
    for _, cells in rows:
        assert [one.value for one in cells] == [
            "가  나\t다\n라\n마", "가  나\t다\n라\n마", datetime.timedelta(days=1, hours=2, seconds=1.5),
            datetime.datetime(2026, 11, 28, 1, 2, 3), True,
        ]  # fmt: skip


def test_recorded_changes_are_told(tmp_path):
    start = "<office:spreadsheet>"
    path = change(tmp_path / "a.ods", (start, f"{start}<table:tracked-changes/>"))
    told = [warning.say("en") for warning in read_script(path).warnings]
    assert any("1화: changes are recorded; it is read with all of them" in text for text in told)
