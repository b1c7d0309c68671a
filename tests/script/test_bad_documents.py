"""Documents and workbooks that cannot be read: one clear line each, naming the file and the fix."""

import io
import random
import time
import zipfile

import docx
import pytest

from moksori.errors import ScriptError
from moksori.script.script import read_script
from tests.script import test_docx, test_hwpx, test_ods
from tests.script.test_tables import rewrite, write_workbook

MAIN = {".docx": "word/document.xml", ".hwpx": "Contents/section0.xml", ".ods": "content.xml"}
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "' + "가" * 99 + '">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 30}">' for a, b in zip("abcdefg", "bcdefgh", strict=True))
    + "]><a>&h;</a>"
).encode()  # fmt: skip
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/hostname">]><a>&a;</a>'


def made(folder, suffix, *texts):
    """A good file of a kind."""
    path = folder / f"a{suffix}"
    if suffix == ".docx":
        return test_docx.document(path, *(texts or ("하나: 안녕?",)))
    if suffix == ".hwpx":
        return test_hwpx.document(path, *(texts or ("하나: 안녕?",)))
    path.write_bytes(test_ods.MADE.read_bytes())
    if texts:
        test_ods.change(path, ("그럼 내일 보자.", texts[0]))
    return path


def put(path, content):
    path.write_bytes(content)


def bloat(path):
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("big.bin", b"\0" * 40_000_000)


def without(path, name):
    with zipfile.ZipFile(path) as source:
        parts = {entry: source.read(entry) for entry in source.namelist() if entry != name}
    with zipfile.ZipFile(path, "w") as target:
        for entry, content in parts.items():
            target.writestr(entry, content)


def encrypted(path):
    with zipfile.ZipFile(path) as source:
        parts = {entry: source.read(entry) for entry in source.namelist()}
    parts["META-INF/manifest.xml"] = (
        b'<m:manifest xmlns:m="m"><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>'
    )
    with zipfile.ZipFile(path, "w") as target:
        for entry, content in parts.items():
            target.writestr(entry, content)


def wrong_program(path):
    other = write_workbook(path.with_name("b.xlsx"), ["배역", "대사"], ["하나", "안녕?"])
    if path.suffix == ".ods":
        other = path.with_name("b.docx")
        docx.Document().save(other)
    put(path, other.read_bytes())


SPOILT = {
    "empty": (lambda path: put(path, b""), "damaged or incomplete|no workbook"),
    "cut": (lambda path: put(path, path.read_bytes()[:-300]), "damaged or incomplete"),
    "half": (
        lambda path: put(path, path.read_bytes()[: path.stat().st_size // 2]),
        "damaged or incomplete",
    ),
    "text": (
        lambda path: put(path, "하나: 안녕?\n".encode() * 9),
        "damaged or incomplete|no workbook",
    ),
    "old or protected": (
        lambda path: put(path, bytes.fromhex("D0CF11E0A1B11AE1") + bytes(900)),
        "protected by a password",
    ),
    "another program's": (wrong_program, "by its content a \\.(xlsx|docx); name it so"),
    "zip bomb": (bloat, "far larger unpacked than a script is"),
    "entity bomb": (
        lambda path: rewrite(path, MAIN[path.suffix], lambda content: BOMB),
        "damaged or incomplete",
    ),
    "outside": (
        lambda path: rewrite(path, MAIN[path.suffix], lambda content: OUTSIDE),
        "damaged or incomplete",
    ),
    "broken XML": (
        lambda path: rewrite(path, MAIN[path.suffix], lambda content: content[: len(content) // 2]),
        "damaged or incomplete",
    ),
    "other XML": (
        lambda path: rewrite(path, MAIN[path.suffix], lambda content: b"<a/>"),
        "damaged or incomplete|no lines in it",
    ),
    "no main part": (lambda path: without(path, MAIN[path.suffix]), "damaged or incomplete"),
}


@pytest.mark.parametrize("suffix", MAIN)
@pytest.mark.parametrize("name", SPOILT)
def test_what_cannot_be_read_is_one_line(tmp_path, suffix, name):
    spoil, says = SPOILT[name]
    path = made(tmp_path, suffix)
    spoil(path)
    begun = time.process_time()
    with pytest.raises(ScriptError, match=says) as error:
        read_script(path)
    assert time.process_time() - begun < 20  # no bomb has gone off
    for lang in ("ko", "en"):
        assert "\n" not in error.value.say(lang) and str(path) in error.value.say(lang)


@pytest.mark.parametrize("suffix", [".hwpx", ".ods"])
def test_a_password_is_told(tmp_path, suffix):
    path = made(tmp_path, suffix)
    encrypted(path)
    with pytest.raises(ScriptError, match="protected by a password; save it without one"):
        read_script(path)


@pytest.mark.parametrize("suffix", MAIN)
def test_a_line_of_a_whole_page_is_its_own_fault(tmp_path, suffix):
    path = made(tmp_path, suffix, "하나: " + "가" * 100_000, "하나: 안녕?")
    (fault,) = [f for f in read_script(path).faults if "whole page" in f.what.say("en")]
    assert "characters in a line; is it a whole page?" in fault.what.say("en")


@pytest.mark.parametrize("suffix", [".docx", ".hwpx"])
def test_no_speech_is_told_with_what_would_be(tmp_path, suffix):
    path = made(tmp_path, suffix, "하나가 창밖을 본다.", "비가 온다.")
    with pytest.raises(ScriptError, match="neither a table with a column of lines, nor paragraphs"):
        read_script(path)


@pytest.mark.parametrize("suffix", [".docx", ".hwpx"])
def test_tables_in_tables_end(tmp_path, suffix):
    """A hundred, one in the other: read as far as they go, without a fault of Python's."""
    path = made(tmp_path, suffix, "하나: 안녕?")
    cell = {
        ".docx": ("<w:tbl><w:tr><w:tc>", "<w:p/></w:tc></w:tr></w:tbl>", "<w:sectPr"),
        ".hwpx": ('<hp:p><hp:run><hp:tbl><hp:tr><hp:tc><hp:subList>',
                  "</hp:subList></hp:tc></hp:tr></hp:tbl></hp:run></hp:p>", "</hs:sec>"),
    }[suffix]  # fmt: skip
    deep = cell[0] * 100 + cell[1] * 100
    rewrite(path, MAIN[suffix], lambda content: content.replace(
        cell[2].encode(), deep.encode() + cell[2].encode(), 1))  # fmt: skip
    assert [line.text for line in read_script(path).lines] == ["안녕?"]


def test_a_sheet_that_repeats_itself_for_ever_is_refused(tmp_path):
    path = tmp_path / "a.ods"
    many = '<table:table-row table:number-rows-repeated="900000"><table:table-cell '
    many += 'table:number-columns-repeated="900"'
    row = f'{many} office:value-type="string"><text:p>가</text:p></table:table-cell></table:table-row>'
    test_ods.change(path, ("<table:table-row ", row + "<table:table-row "))
    with pytest.raises(ScriptError, match="far larger unpacked"):
        read_script(path)


@pytest.mark.parametrize("suffix", MAIN)
def test_any_damage_is_lines_or_one_line(tmp_path, suffix):
    """Bytes changed anywhere in the main part: read, or refused; nothing else is raised."""
    good = made(tmp_path, suffix)
    with zipfile.ZipFile(good) as source:
        parts = {entry: source.read(entry) for entry in source.namelist()}
    dice = random.Random(7)
    for turn in range(40):
        content = bytearray(parts[MAIN[suffix]])
        for _ in range(dice.randrange(1, 4)):
            at = dice.randrange(len(content))
            content[at : at + dice.randrange(0, 9)] = dice.choice(
                [b"", b"\xff", b"9", b"<w:tbl>", b"-1", b'"']
            )
        made_of = io.BytesIO()
        with zipfile.ZipFile(made_of, "w") as target:
            for entry, whole in parts.items():
                target.writestr(entry, bytes(content) if entry == MAIN[suffix] else whole)
        path = tmp_path / f"{turn}{suffix}"
        path.write_bytes(made_of.getvalue())
        try:
            read_script(path)
        except ScriptError as error:
            assert "\n" not in str(error) and str(path) in str(error)
