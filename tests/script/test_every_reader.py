"""Every kind of script and timeline, each with eight files and more that cannot be used: one line each."""

import time

import pytest

from moksori.errors import ScriptError
from moksori.script.script import READERS, read_script
from moksori.script.timelines import with_times
from moksori.timecode import FrameRate
from tests.script import test_bad_documents, test_dapt, test_hostile, test_pro_tools, test_script
from tests.script.test_bad_documents import BOMB, bloat, put, without
from tests.script.test_tables import rewrite, write_workbook

LEAST = 8
PAGE = "가" * 100_000
WHOLE = "배역,대사\n하나,안녕하세요. 오늘은 날씨가 아주 좋아요.\n"
COMMON = {
    "empty": b"", "blank": b" \r\n\n ",
    "a zip": b"PK\x03\x04" + bytes(200), "no text": WHOLE.encode() + b"\0",
    "no encoding": b"\xff\xfe\xff", "damaged": WHOLE.encode().replace("날씨".encode(), b"\xeb\x82\xec"),
    "a folder": "folder", "missing": None,
}  # fmt: skip
T, V, D = test_script.T, test_script.V, test_script.D
TABLE = {
    "no lines": "번호{d}시간\n1{d}2\n", "no speech": "배역{d}대사\n하나{d}\n",
    "open quote": '대사{d}배역\n"그래{d}하나\n가자\n',
    "an error": "배역{d}대사\n하나{d}#REF!\n", "a page": f"배역{{d}}대사\n하나{{d}}{PAGE}\n",
    "backwards": "in{d}out{d}대사\n0:02{d}0:01{d}가\n", "two columns": "대사{d}대 사\n가{d}나\n",
    "another header": "배역{d}대사\n배역{d}대사\n",
}  # fmt: skip
SRT = {
    "no times": "안녕?\n", "no speech": f"1\n{T}\n\n2\n{T}\n\n", "a page": f"1\n{T}\n{PAGE}\n",
    "backwards": "1\n00:00:02,000 --> 00:00:01,000\n가\n",
    "61 minutes": f"1\n{T.replace('00:00', '00:61')}\n가\n",
    "two people": f"1\n{T}\n- 하나: 가\n- 둘: 나\n", "an arrow": f"1\n{T.replace('-->', '->')}\n가\n",
    "glued": f"1\n{T}\n가\n2\n{T}\n나\n",
}  # fmt: skip
VTT = {
    "no head": f"{V}\n가\n", "no speech": f"WEBVTT\n\n{V}\n\n", "a page": f"WEBVTT\n\n{V}\n{PAGE}\n",
    "backwards": "WEBVTT\n\n00:02.000 --> 00:01.000\n가\n",
    "commas": f"WEBVTT\n\n{V.replace('.', ',')}\n가\n",
    "two people": f"WEBVTT\n\n{V}\n<v 하나>가</v> <v 둘>나\n", "head alone": "WEBVTT\n",
    "notes alone": "WEBVTT\n\nNOTE 가\n",
}  # fmt: skip
ASS = {
    "no events": test_script.cues(), "no speech": test_script.cues(D), "a page": test_script.cues(D + PAGE),
    "no time": test_script.cues(D.replace("0:00:01.00", "곧") + "가"),
    "backwards": test_script.cues(D.replace("0:00:01.00", "0:00:03.00") + "가"),
    "few fields": test_script.cues("Dialogue: 0,0:00:01.00,0:00:02.00,가"),
    "no section": D + "가", "a style": "Style: 가,나,x\n" + test_script.cues(D + "가"),
    "drawn": test_script.cues(D + "{\\p1}m 0 0 l 1 1"),
}  # fmt: skip
SMI = {
    "no SAMI": "안녕?", "no speech": test_hostile.SMI.split("안녕")[0],
    "no time": "<SAMI><SYNC Start=곧>안녕?",
    "a page": f"<SAMI><SYNC Start=1>{PAGE}", "backwards": "<SAMI><SYNC Start=9>나<SYNC Start=5>",
    "beyond a day": "<SAMI><SYNC Start=99999999999>안녕?", "no start": "<SAMI><SYNC>안녕?",
    "a web page": "<html><p>안녕?</html>",
}  # fmt: skip
DAPT = {name: content for name, (content, _) in test_dapt.BAD.items()}
TXT = {name: content for name, (content, _) in test_pro_tools.BAD.items()} | {"a page": PAGE}
DOCUMENT = {name: spoil for name, (spoil, _) in test_bad_documents.SPOILT.items()}
BOOK = {
    "cut": lambda path: put(path, path.read_bytes()[:-300]),
    "half": lambda path: put(path, path.read_bytes()[: path.stat().st_size // 2]),
    "protected": lambda path: put(path, bytes.fromhex("D0CF11E0A1B11AE1") + bytes(900)),
    "zip bomb": bloat,
    "entity bomb": lambda path: rewrite(path, "xl/worksheets/sheet1.xml", lambda content: BOMB),
    "no sheet": lambda path: without(path, "xl/worksheets/sheet1.xml"),
    "broken XML": lambda path: rewrite(
        path, "xl/worksheets/sheet1.xml", lambda content: content[: len(content) // 2]
    ),
    "a huge cell": lambda path: write_workbook(path, ["배역", "대사"], ["하나", "가" * 32_000]),
    "no speech": lambda path: write_workbook(path, ["배역", "대사"], ["하나", None]),
    "no lines": lambda path: write_workbook(path, ["번호", "시간"], [1, 2]),
}  # fmt: skip
XLS = {name: BOOK[name] for name in ("protected",)} | {
    "cut": lambda path: put(path, path.read_bytes()[: path.stat().st_size // 2]),
    "a web page": b"<html><table><tr><td>x", "text": "번호\t대사\n1\t가\n", "no lines": "xls",
}  # fmt: skip
EDL = {
    "no clips": "TITLE: x\n", "short": "001  AX V C 00:00:00:00 00:00:01:00 01:00:00:00\n",
    "no frame 31": "001  AX V C 00:00:00:00 00:00:01:00 01:00:00:31 01:00:01:00\n",
    "another name": "001  AX V C 00:00:00:00 00:00:01:00 01:00:00:00 01:00:01:00\n* FROM CLIP NAME: x\n",
    "a web page": "<html>",
}  # fmt: skip
OTIO = {
    "no JSON": "안녕", "no schema": "{}", "a clip": '{"OTIO_SCHEMA": "Clip.1"}', "deep": "[" * 9000,
    "no tracks": '{"OTIO_SCHEMA": "Timeline.1", "tracks": null}', "another schema": '{"OTIO_SCHEMA": "X.9"}',
}  # fmt: skip
OWN = {
    **dict.fromkeys((".xlsx", ".xlsm"), BOOK), ".xls": XLS,
    **dict.fromkeys((".docx", ".docm", ".hwpx", ".ods"), DOCUMENT),
    ".csv": {name: text.format(d=",") for name, text in TABLE.items()},
    ".tsv": {name: text.format(d="\t") for name, text in TABLE.items()},
    ".srt": SRT, ".vtt": VTT, ".ass": ASS, ".ssa": ASS, **dict.fromkeys((".smi", ".sami"), SMI),
    **dict.fromkeys((".dapt", ".ttml", ".dfxp", ".xml"), DAPT), ".txt": TXT, ".edl": EDL, ".otio": OTIO,
}  # fmt: skip
CASES = [(suffix, name) for suffix, own in OWN.items() for name in {**COMMON, **own}]


def good(folder, suffix):
    """A file of a kind as it should be, where the bad ones are made of it."""
    path = folder / f"a{suffix}"
    if suffix in (".xlsx", ".xlsm"):
        return write_workbook(path, ["배역", "대사"], ["하나", "안녕?"])
    if suffix == ".xls":
        return old_workbook(path, ["배역", "대사"], ["하나", "안녕?"])
    return test_bad_documents.made(folder, suffix)


def old_workbook(path, *rows):
    xlwt = pytest.importorskip("xlwt")
    book = xlwt.Workbook()
    sheet = book.add_sheet("1화")
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            sheet.write(i, j, value)
    book.save(str(path))
    return path


def bad(folder, suffix, name):
    content, path = {**COMMON, **OWN[suffix]}[name], folder / f"a{suffix}"
    if callable(content) and suffix == ".docm":
        content(good(folder, ".docx"))
        path.with_suffix(".docx").rename(path)
    elif callable(content):
        content(good(folder, suffix))
    elif content == "xls":
        old_workbook(path, ["번호", "시간"], [1, 2])
    elif content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(("suffix", "name"), CASES, ids=[" ".join(case) for case in CASES])
def test_what_cannot_be_used_is_one_clear_line(tmp_path, suffix, name):
    path, begun = bad(tmp_path, suffix, name), time.process_time()
    with pytest.raises(ScriptError) as error:
        if suffix in READERS:
            read_script(path)
        else:
            (tmp_path / "s.csv").write_text("번호,대사\n1,안녕?\n", encoding="utf-8")
            with_times(path, read_script(tmp_path / "s.csv"), FrameRate(24))
    assert time.process_time() - begun < 20  # no bomb has gone off
    for lang in ("ko", "en"):
        said = error.value.say(lang)
        assert "\n" not in said and said.startswith(str(path)) and len(said) > len(str(path)) + 8
        assert len(said) < len(str(path)) + 1000
    assert any("가" <= letter <= "힣" for letter in error.value.say("ko").replace(str(path), ""))


def test_there_are_enough_for_each_kind():
    assert {*READERS} <= {*OWN}
    assert min(len({**COMMON, **own}) for own in OWN.values()) >= LEAST
