"""Whatever a table holds: each text is a line, or what became of it is told; and nothing else is raised."""

import csv
import io
import re

import openpyxl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.styles import Font, PatternFill

from moksori.errors import ScriptError
from moksori.script.content import ScriptContent
from moksori.script.script import read_script
from moksori.script.tables import one_line
from tests.fuzzing import examples

HEADERS = [
    "대사",
    "최종 대사",
    "배역",
    "캐릭터",
    "번호",
    "시작",
    "끝",
    "In",
    "Out",
    "길이",
    "영어",
    "한글",
    "",
    "가나",
    "note",
    "1",
]
CELLS = st.one_of(
    st.sampled_from(["", "안녕?", "그래, 가자.", "하나", "하나/두나", "0:01", "1:2:3:4", "1", "#REF!"]),
    st.sampled_from(["대사", "(웃음)", "1.wav", "=A1", "끝", "  ", "\u200b", "a\nb", '"', "；"]),
    st.text(max_size=12),
)  # fmt: skip
TABLES = st.lists(st.lists(CELLS, min_size=1, max_size=6), max_size=9)
FEW = settings(
    max_examples=examples(120),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def read(path) -> ScriptContent | None:
    try:
        return read_script(path)
    except ScriptError as error:
        assert str(path) in str(error)
        assert "\n" not in error.say("ko")
        return None


@FEW
@given(st.lists(st.sampled_from(HEADERS), max_size=6), TABLES, st.sampled_from(",;\t"))
def test_any_table_is_lines_or_one_clear_error(tmp_path, head, rows, delimiter):
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows([head, *rows])
    path = tmp_path / "a.csv"
    path.write_bytes(text.getvalue().encode("utf-8", "replace"))
    if content := read(path):
        for message in (*content.understood, *content.warnings, *(f.what for f in content.faults)):
            assert message.say("ko") and message.say("en")


@FEW
@given(
    st.lists(
        st.tuples(CELLS, st.sampled_from(["", "struck", "hidden", "red"])), min_size=1, max_size=8
    )
)
def test_each_text_of_a_sheet_is_a_line_or_told(tmp_path, cells):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["번호", "배역", "대사"])
    written = {}
    for number, (text, mark) in enumerate(cells, 2):
        shown = "".join(c for c in text if c.isprintable() and c not in "_")
        if not shown.strip() or shown.startswith("="):
            continue
        sheet.cell(number, 2).value = "하나"
        cell = sheet.cell(number, 3)
        cell.value, cell.data_type = shown, "s"
        if mark == "struck":
            cell.font = Font(strike=True)
        if mark == "red":
            cell.fill = PatternFill("solid", fgColor="FF0000")
        sheet.row_dimensions[number].hidden = mark == "hidden"
        written[number] = (one_line(shown), mark)
    path = tmp_path / "a.xlsx"
    book.save(path)
    content = read(path)
    if content is None:
        assert all(mark in ("struck", "hidden") for _, mark in written.values()) or not written
        return
    lines = {line.place.number: line.text for line in content.lines}
    told = " ".join(warning.say("en") for warning in content.warnings)
    left_out = {
        int(n)
        for found in re.findall(r"rows ([\d, ]+)", told)
        for n in found.split(",")
        if n.strip()
    }
    for number, (text, mark) in written.items():
        if mark in ("struck", "hidden") or number not in lines:
            assert number in left_out
            assert number not in lines
        else:
            assert lines[number] == text
