import datetime
import io
import re
import struct
import tracemalloc
import zipfile

import openpyxl
import pytest
import xlwt
from openpyxl.utils import escape

from moksori.errors import CorpusError, ScriptError
from moksori.files import read_csv
from moksori.script.script import read_script
from moksori.script.tables import Cell, one_line, read_delimited
from moksori.script.workbook import read_workbook
from moksori.timecode import FrameRate, Notation


def write_workbook(path, *rows, title="1화", merge=()):
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    for cells in merge:
        book.active.merge_cells(cells)
    book.save(path)
    return path


def rewrite(path, name, change):
    """Change one part of a workbook as another program would have written it."""
    with zipfile.ZipFile(path) as source:
        parts = {entry: source.read(entry) for entry in source.namelist()}
    parts[name] = change(parts[name])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for entry, content in parts.items():
            target.writestr(entry, content)


def rewrite_sheet(path, pattern, replacement):
    def change(content):
        text, count = re.subn(pattern, replacement, content.decode())
        assert count
        return text.encode()

    rewrite(path, "xl/worksheets/sheet1.xml", change)


def merged(cells):
    return f'</sheetData><mergeCells count="1"><mergeCell ref="{cells}"/></mergeCells>'


def fault_of(cell):
    return cell.fault.say("en") if cell.fault else ""


def texts(table):
    return [(number, [cell.text for cell in row]) for number, row in table.rows]


def test_cells_say_what_the_workbook_shows(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["가\n나", 7, 7, 0.1 + 0.2, 1.0, True, None, "a_x000D_b", "끝\u00a0 \t"])
    sheet["C1"].number_format = "0000"
    book.save(tmp_path / "a.xlsx")
    ((number, row),) = read_workbook(tmp_path / "a.xlsx")[0].rows
    assert number == 1
    assert [cell.text for cell in row] == [
        "가 나", "7", "0007", "0.3", "1", "TRUE", "", "a b", "끝",
    ]  # fmt: skip


def test_what_a_workbook_escapes_is_read_back(tmp_path):
    text = "가\x07나"
    path = write_workbook(tmp_path / "a.xlsx", [escape.escape(text)])
    (cell,) = read_workbook(path)[0].rows[0][1]
    assert (cell.value, cell.text) == (text, "가 나")


@pytest.mark.parametrize("text", ["가​나", "\ufeff가", "（웃음）…～", "😀 가", "ㄱㅏ"])
def test_other_characters_stay(text):
    assert one_line(text) == text


@pytest.mark.parametrize(
    ("value", "form", "seconds"),
    [
        (datetime.time(0, 1, 5, 250000), "h:mm:ss", 65.25),
        (datetime.timedelta(minutes=2, seconds=3.5), "[h]:mm:ss", 123.5),
        (datetime.datetime(2024, 5, 1, 1, 0, 2), "yyyy-mm-dd h:mm:ss", 3602),
        (0.5, "General", 43200),
        (65.25 / 86400, "0.000000", 65.25),
        (0, "General", 0),
        ("00:00:01:12", "@", 1.5),
        ("12.5", "@", 12.5),
        (None, "General", None),
        (" ", "@", None),
    ],
)
def test_a_time_is_read_however_it_was_typed(tmp_path, value, form, seconds):
    book = openpyxl.Workbook()
    book.active.append(["x", value])
    book.active["B1"].number_format = form
    book.save(tmp_path / "a.xlsx")
    row = read_workbook(tmp_path / "a.xlsx")[0].rows[0][1]
    cell = row[1] if len(row) > 1 else Cell()
    assert cell.seconds(Notation(FrameRate.parse("24"))) == seconds


@pytest.mark.parametrize(
    ("value", "form", "message"),
    [
        (datetime.time(0, 5), "h:mm", r"hours and minutes \(00:05:00\); write it with its seconds"),
        (datetime.time(0, 5), '[$-ko-KR]h"시" mm"ss"', "hours and minutes"),
        (datetime.datetime(2024, 5, 1), "yyyy-mm-dd", "write it with its seconds"),
        (datetime.timedelta(hours=25), "[h]:mm:ss", "not within a day"),
        (12.5, "General", "12.5 is a number, in days or in seconds"),
        (-0.1, "General", "format the cell as text and write 0:00:05"),
        (True, "General", "not a time"),
        ("곧", "@", "not a time"),
    ],
)
def test_a_time_that_can_be_meant_in_two_ways_is_told(tmp_path, value, form, message):
    book = openpyxl.Workbook()
    book.active.append([value])
    book.active["A1"].number_format = form
    book.save(tmp_path / "a.xlsx")
    (cell,) = read_workbook(tmp_path / "a.xlsx")[0].rows[0][1]
    with pytest.raises(ScriptError, match=message):
        cell.seconds(Notation())


@pytest.mark.parametrize("name", ["a.xlsx", "a.xls"])
def test_dates_that_excel_in_korean_writes_by_number_alone_are_dates(tmp_path, name):
    """It makes 01월 02일 (56) of 1-2, and has 1시 00분 10초 (33) in its list."""
    if name == "a.xls":
        book = xlwt.Workbook()
        known = book._Workbook__styles._num_formats
        known |= {"korean 56": 56, "korean 33": 33}
        cells = (46024, "korean 56"), (3610 / 86400, "korean 33")
        sheet = book.add_sheet("1화")
        for column, (value, form) in enumerate(cells):
            sheet.write(0, column, value, xlwt.easyxf(num_format_str=form))
        book.save(str(tmp_path / name))
    else:
        book = openpyxl.Workbook()
        book.active.append([46024, 3610 / 86400])
        book.active["A1"].number_format, book.active["B1"].number_format = '"56"0', '"33"0'
        book.save(tmp_path / name)

        def change(content):
            text = re.sub("<numFmts.*?</numFmts>", "", content.decode())
            return text.replace('"164"', '"56"').replace('"165"', '"33"').encode()

        rewrite(tmp_path / name, "xl/styles.xml", change)
    day, time = read_workbook(tmp_path / name)[0].rows[0][1]
    assert day.value == datetime.datetime(2026, 1, 2)
    assert time.is_time and time.seconds(Notation()) == 3610
    with pytest.raises(ScriptError, match="write it with its seconds"):
        day.seconds(Notation())


def test_a_merged_cell_holds_for_the_rows_below_it(tmp_path):
    path = write_workbook(
        tmp_path / "a.xlsx",
        ["하나", "가", None],
        [None, "나", "y"],
        [None, None, None],
        [None, "라", None],
        merge=("A1:A4", "B1:C1"),
    )
    (table,) = read_workbook(path)
    assert texts(table) == [(1, ["하나", "가"]), (2, ["하나", "나", "y"]), (4, ["하나", "라"])]
    first, second, fourth = (row for _, row in table.rows)
    assert [row[0].held for row in (first, second, fourth)] == [False, True, True]
    assert [row[0].own for row in (first, second, fourth)] == [True, False, False]
    assert (first[0].width, first[1].width) == (1, 2)


def test_what_a_merged_cell_covers_is_not_read(tmp_path):
    """LibreOffice keeps the contents of the cells that it merged, and does not show them."""
    path = write_workbook(tmp_path / "a.xlsx", ["보임", "숨음"], ["숨음", "숨음", "보임"])
    rewrite_sheet(path, "</sheetData>", merged("A1:B2"))
    assert texts(read_workbook(path)[0]) == [(1, ["보임", ""]), (2, ["보임", "", "보임"])]


def test_a_merge_of_a_whole_column_is_no_work(tmp_path):
    path = write_workbook(tmp_path / "a.xlsx", ["가", "나"], [None, "다"])
    rewrite_sheet(path, "</sheetData>", merged("A1:A1048576"))
    assert texts(read_workbook(path)[0]) == [(1, ["가", "나"]), (2, ["가", "다"])]


def test_a_formula_is_read_by_its_saved_result(tmp_path):
    path = write_workbook(tmp_path / "a.xlsx", ["=A2", "=A3", "=A4"], ["가"])
    rewrite_sheet(
        path, r'<c r="A1"><f>A2</f><v ?/?>(</v>)?', '<c r="A1" t="str"><f>A2</f><v>가</v>'
    )
    rewrite_sheet(path, r'<c r="B1"><f>A3</f><v ?/?>(</v>)?', '<c r="B1" t="str"><f>A3</f><v></v>')
    first = read_workbook(path)[0].rows[0][1]
    assert [(cell.text, fault_of(cell)[:9]) for cell in first] == [
        ("가", ""),
        ("", ""),  # its result is empty
        ("", "a formula"),
    ]


def test_an_error_is_no_value(tmp_path):
    path = write_workbook(tmp_path / "a.xlsx", ["#REF!", "#N/A", "가"])
    assert [fault_of(cell)[:5] for cell in read_workbook(path)[0].rows[0][1]] == [
        "#REF!",
        "#N/A ",
        "",
    ]
    (tmp_path / "a.csv").write_text("#REF!,#하나\n", encoding="utf-8")
    row = read_delimited(tmp_path / "a.csv").rows[0][1]
    assert [(cell.text, fault_of(cell)[:5]) for cell in row] == [("", "#REF!"), ("#하나", "")]


def test_numbers_that_are_read_as_parts_of_a_day_are_told(tmp_path):
    """Unless a header says what they are."""
    for head, start in (("시작", 43200), ("시작(초)", 0.5), ("start (s)", 0.5)):
        content = read_script(
            write_workbook(tmp_path / "a.xlsx", [head, "대사"], [0.5, "가"], [0, "나"])
        )
        told = [w.say("en") for w in content.warnings if "parts of a day" in w.say("en")]
        assert content.lines[0].start == start
        assert (["A2" in text and "0.5 = 12:00:00" in text for text in told]) == [True] * (
            start == 43200
        )


SWALLOWED = (
    "번호,시작,배역,대사",
    '1,0:01,하나,"그래',
    "2,0:02,둘,가자",
    '3,0:03,하나,끝이야"',
    "4,0:04,둘,응",
)


def test_an_open_quotation_mark_swallows_no_rows(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("\n".join(SWALLOWED), encoding="utf-8")
    with pytest.raises(ScriptError, match=r"a\.csv, line 2: .* before line 4.*twice"):
        read_delimited(path)
    text = '번호,배역,대사\n1,하나,"그래,\n아니, 뭐, 가자\n응,"\n2,둘,"1,000원\n2,000원"\n'
    path.write_text(text, encoding="utf-8")  # which a program has written
    rows = texts(read_delimited(path))
    assert rows[1:] == [
        (2, ["1", "하나", "그래, 아니, 뭐, 가자 응,"]),
        (3, ["2", "둘", "1,000원 2,000원"]),
    ]


@pytest.mark.parametrize(
    "rows",
    [
        ["배역,대사", '하나,"그래,아니\n뭐,가자"', "둘,응"],
        ["배역,대사", '하나,"1,000원\n2,000원"', "둘,응"],
        ["번호,대사", '1,"1,000원\n2,000원"', "2,응"],
        ["배역,대사,비고", '하나,"그래\n뭐,가",메모', "둘,응,메모"],
        ["번호,배역,대사", '1,하나,"그래\n뭐,아니,응\n"', "2,둘,응"],
    ],
)
def test_a_cell_of_several_lines_with_commas_is_text(tmp_path, rows):
    """In quotation marks, as spreadsheets write it, with as many commas as the table has."""
    path, cell = tmp_path / "a.csv", rows[1].split('"')[1]
    path.write_text("\n".join(rows), encoding="utf-8")
    head, several, last = texts(read_delimited(path))
    assert (several[0], several[1][head[1].index("대사")]) == (2, one_line(cell))
    assert last == (3, rows[2].split(","))


def test_what_excel_saved_is_text_whatever_it_looks_like(tmp_path):
    """Its rows end in CR LF, those of a cell in LF alone; those that a mark swallows end as all do."""
    path, rows = tmp_path / "a.csv", ["번호,배역,대사", '1,하나,"그래,\n2,둘,셋"', "2,둘,응", ""]
    path.write_bytes("\r\n".join(rows).encode("cp949"))
    assert texts(read_delimited(path))[1:] == [
        (2, ["1", "하나", "그래, 2,둘,셋"]),
        (3, ["2", "둘", "응"]),
    ]
    path.write_bytes("\n".join(rows).replace("\n", "\r\n").encode("cp949"))
    with pytest.raises(ScriptError, match=r"line 2: .* before line 3"):
        read_delimited(path)


@pytest.mark.parametrize(
    "rows",
    [
        ['하나,"그래', '둘,가자"', "하나,응"],  # the only row of 둘
        ['하나,"그래, 그래', "하나,가자", '셋,응"', "하나,응"],
    ],
)
def test_a_row_that_is_like_no_other_is_not_swallowed(tmp_path, rows):
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["배역,대사", *rows]), encoding="utf-8")
    with pytest.raises(ScriptError, match=r"a\.csv, line 2: .*before line"):
        read_delimited(path)
    rows = ['하나\t"그래', '둘\t가자, 가자"', "하나\t응"]  # text between tabs has none
    path.write_text("\n".join(["배역\t대사", *rows]), encoding="utf-8")
    assert [row for _, row in texts(read_delimited(path))[1:]] == [row.split("\t") for row in rows]


@pytest.mark.parametrize(
    "text",
    [
        'recording,text\n1.wav,"그래\n2.wav,가자\n',
        'recording,text\n1.wav,"그래\n2.wav,가자"\n3.wav,응\n',
    ],
)
def test_an_open_quotation_mark_swallows_no_rows_of_a_list(tmp_path, text):
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    with pytest.raises(CorpusError, match=r"a\.csv, line 2: .*quotation mark.*line 3"):
        read_csv(tmp_path / "a.csv", CorpusError)
    (tmp_path / "a.csv").write_text('recording,text\r\n1.wav,"그래,\n가자"\r\n', encoding="utf-8")
    assert [*read_csv(tmp_path / "a.csv")] == [{"recording": "1.wav", "text": "그래,\n가자"}]


@pytest.mark.parametrize("last", ['3\t0:03\t하나\t끝이야"', '3\t0:03\t하나\t"안녕"이라고 했다'])
def test_quotation_marks_between_tabs_may_be_text(tmp_path, last):
    """As Google Sheets writes them."""
    path = tmp_path / "a.tsv"
    rows = [*(row.replace(",", "\t") for row in SWALLOWED[:3]), last]
    path.write_text("\n".join(rows), encoding="utf-8")
    assert texts(read_delimited(path)) == [(n, row.split("\t")) for n, row in enumerate(rows, 1)]
    path.write_text('배역\t대사\n하나\t"그래\n가자"\n', encoding="utf-8")
    assert texts(read_delimited(path))[1:] == [(2, ["하나", "그래 가자"])]
    path.write_text('배역\t대사\n하나\t"그래\n가자"\n둘\t"응"이라고\n', encoding="utf-8")  # both
    with pytest.raises(ScriptError, match=r"line 4: .*quotation mark open"):
        read_delimited(path)


def test_rows_beyond_a_wrong_dimension_are_read(tmp_path):
    """Some programs write a sheet's size before its rows, and too small."""
    path = write_workbook(tmp_path / "a.xlsx", ["가", "나"], ["다", "라"])
    rewrite_sheet(path, r'<dimension ref="[^"]*"', '<dimension ref="A1"')
    assert texts(read_workbook(path)[0]) == [(1, ["가", "나"]), (2, ["다", "라"])]


def test_a_cell_far_off_is_no_work(tmp_path):
    book = openpyxl.Workbook()
    book.active["A1"] = "가"
    book.active["XFD1"] = "나"
    book.active.cell(200_000, 1).value = "다"
    book.save(tmp_path / "a.xlsx")
    numbers = [number for number, _ in read_workbook(tmp_path / "a.xlsx")[0].rows]
    assert numbers == [1, 200_000]


def test_a_macro_workbook_is_read(tmp_path):
    path = write_workbook(tmp_path / "a.xlsx", ["가"])
    assert texts(read_workbook(path.rename(tmp_path / "a.xlsm"))[0]) == [(1, ["가"])]


def test_a_row_of_text_counts_as_the_table_s_program_does(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('가,나\n"두\n줄",1\n\n\n끝\n', encoding="utf-8")
    table = read_delimited(path)
    assert texts(table) == [(1, ["가", "나"]), (2, ["두 줄", "1"]), (5, ["끝"])]
    assert table.cell(5, 0).say("en") == "row 5, cell 1"
    (sheet,) = read_workbook(write_workbook(tmp_path / "a.xlsx", ["가"]))
    assert sheet.cell(12, 27).say("en") == "1화!AB12"


def bomb(path, size):
    """A workbook with a part of zeros."""
    write_workbook(path, ["대사"], ["가"])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/image1.png", bytes(size))


def test_a_part_that_packs_too_well_is_refused(tmp_path):
    bomb(tmp_path / "a.xlsx", 2_000_000)
    with pytest.raises(ScriptError, match=r"a\.xlsx: far larger unpacked .*copy its lines"):
        read_workbook(tmp_path / "a.xlsx")
    bomb(tmp_path / "b.xlsx", 900_000)  # what repeats itself is not at once a bomb
    assert len(read_workbook(tmp_path / "b.xlsx")) == 1


def test_parts_that_are_too_much_together_are_refused(tmp_path):
    write_workbook(tmp_path / "a.xlsx", ["대사"], ["가"])
    content = (tmp_path / "a.xlsx").read_bytes()
    at = content.index(b"PK\x01\x02")  # the first entry of the directory
    bloated = content[: at + 20] + struct.pack("<II", 3_000_000, 300_000_001) + content[at + 28 :]
    (tmp_path / "a.xlsx").write_bytes(bloated)
    with pytest.raises(ScriptError, match="far larger unpacked"):
        read_workbook(tmp_path / "a.xlsx")


def test_a_part_that_lies_about_its_size_is_not_unpacked_whole(tmp_path):
    true, told = 64_000_000, 70_000  # it packs to 62 kB, less than it says to be
    write_workbook(tmp_path / "a.xlsx", ["대사"], ["가"])
    rewrite(tmp_path / "a.xlsx", "xl/worksheets/sheet1.xml", lambda content: content.ljust(true))
    content = (tmp_path / "a.xlsx").read_bytes()
    assert content.count(struct.pack("<I", true)) == 2
    (tmp_path / "a.xlsx").write_bytes(
        content.replace(struct.pack("<I", true), struct.pack("<I", told))
    )
    tracemalloc.start()
    try:
        with pytest.raises(ScriptError, match="save it again"):
            read_workbook(tmp_path / "a.xlsx")
        assert tracemalloc.get_traced_memory()[1] < true / 4
    finally:
        tracemalloc.stop()


def ole(folder):
    (folder / "a.xlsx").write_bytes(bytes.fromhex("D0CF11E0A1B11AE1") + bytes(2000))


def cut(folder):
    path = write_workbook(folder / "a.xlsx", ["대사"], ["가"])
    path.write_bytes(path.read_bytes()[:2000])


def garbled(folder):
    write_workbook(folder / "a.xlsx", ["대사"], ["가"])
    rewrite_sheet(folder / "a.xlsx", "</row>", "")


def empty_zip(folder):
    buffer = io.BytesIO()
    zipfile.ZipFile(buffer, "w").close()
    (folder / "a.xlsx").write_bytes(buffer.getvalue())


def flipped(folder):
    """A part whose checksum is wrong, which openpyxl would read on."""
    path = write_workbook(folder / "a.xlsx", ["대사"], ["가"])
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo("xl/worksheets/sheet1.xml")
    content = bytearray(path.read_bytes())
    content[entry.header_offset + 30 + len(entry.filename) + entry.compress_size // 2] ^= 0x10
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (ole, "protected by a password, or a damaged workbook; save it without one, as .xlsx"),
        (cut, "damaged or incomplete workbook; save it again"),
        (garbled, "damaged or incomplete workbook; save it again"),
        (empty_zip, "damaged or incomplete workbook; save it again"),
        (flipped, "damaged or incomplete workbook; save it again"),
    ],
)
def test_a_damaged_workbook_is_told(tmp_path, make, message):
    make(tmp_path)
    with pytest.raises(ScriptError, match=rf"a\.xlsx: {re.escape(message)}"):
        read_workbook(tmp_path / "a.xlsx")
