"""Scripts as the world has them: understood, or a line's fault; nothing is lost."""

import pysubs2
import pytest

from moksori.errors import ScriptError
from moksori.script.names import near_misses, plain_name
from moksori.script.script import read_script

SRT = "1\n00:00:01,000 --> 00:00:02,000\n안녕?\n\n2\n00:00:03,000 --> 00:00:04,000\n잘 가.\n"
SMI = (
    "<SAMI><HEAD><STYLE><!--\n.KRCC {lang:ko-KR}\n--></STYLE></HEAD><BODY>\n"
    "<SYNC Start=1000><P Class=KRCC>안녕<br>하나&nbsp;야?\n<SYNC Start=2000><P Class=KRCC>&nbsp;\n"
    "<SYNC Start=3000><P Class=KRCC><font color=red>잘 &amp; 가.</font>\n"
)


def texts(path):
    return [line.text for line in read_script(path).lines]


def faults(path):
    content = read_script(path)
    return [(str(fault.place), fault.what.say("en")) for fault in content.faults]


@pytest.mark.parametrize(
    "content",
    [
        SRT.encode("utf-8-sig"), SRT.encode("utf-16"), SRT.encode("utf-16-le"), SRT.encode("utf-16-be"),
        SRT.encode("utf-32"), SRT.encode("cp949"), SRT.replace("\n", "\r\r\n").encode(),
        SRT.replace("\n", "\r").encode(), SRT.replace("\n", "\r\n").encode(),
        SRT.replace("\n", "\n\n").encode(), SRT.replace("\n2\n", "\n\ufeff2\n").encode(),
        SRT.encode() + b"\x1a", SRT.replace("\n\n", "\n \n").encode(),
    ],
)  # fmt: skip
def test_a_text_is_one_in_whatever_bytes(tmp_path, content):
    (tmp_path / "a.srt").write_bytes(content)
    assert texts(tmp_path / "a.srt") == ["안녕?", "잘 가."]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (SRT.encode()[:-3], "line 7: damaged or cut short"),
        (SRT.encode().replace("안".encode(), b"\xec\x95"), "line 3: damaged or cut short"),
        (b"PK\x03\x04\0\0\0\0" * 9, "no text file; is its ending right"),
        ("안녕\n".encode() + b"\0" * 7, "no text file"),
    ],
)
def test_damaged_text_is_named_not_guessed(tmp_path, content, told):
    (tmp_path / "a.srt").write_bytes(content)
    with pytest.raises(ScriptError, match=told):
        read_script(tmp_path / "a.srt")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("&#39;그&#39; &amp; &quot;나&quot; &lt;끝&gt;", "'그' & \"나\" <끝>"),
        ("&amp;#39;그&amp;#39;", "'그'"),
        ("AT&T &c", "AT&T &c"),
        ("<i>가</i><br/>나", "가 나"),
        ("<하나> 가", "<하나> 가"),
        ("{\\an8}가\\N나 {웃음}", "가 나 {웃음}"),
        ("가\x0b나\u2028다", "가 나 다"),
        ("<ruby>漢<rt>한</rt></ruby>자", "漢자"),
    ],
)
def test_markup_is_no_speech_and_speech_no_markup(tmp_path, written, said):
    path = tmp_path / "a.srt"
    path.write_text(f"1\n00:00:01,000 --> 00:00:02,000\n{written}\n", encoding="utf-8")
    assert texts(path) == [said]


def test_a_fault_of_one_cue_is_its_own(tmp_path):
    path = tmp_path / "a.srt"
    bad = "\n3\n00:00:05,000 --> 00:00:05,000\n다\n\n4\n00:00:07,000 -> 00:00:08,000\n라\n\n5\n"
    bad += "00:00:09,000 --> 00:00:08,000\n마\n\n6\n00:99:00,000 --> 00:99:01,000\n바\n"
    path.write_text(
        SRT + bad + f"\n7\n00:00:10,000 --> 00:00:11,000\n{'가' * 3000}\n", encoding="utf-8"
    )
    found = faults(path)
    assert [place for place, _ in found] == ["cue 3", "line 13", "cue 5", "cue 6", "cue 6", "cue 7"]
    assert len(read_script(path).lines) == 7


def test_dashes_are_several_people(tmp_path):
    path = tmp_path / "a.srt"
    path.write_text(SRT.replace("잘 가.", "- 하나: 잘 가.\n- 응."), encoding="utf-8")
    content = read_script(path)
    assert [line.text for line in content.lines] == ["안녕?", "하나: 잘 가.", "응."]
    assert [line.no for line in content.lines] == ["1", "2-1", "2-2"]
    assert faults(path) == [
        ("cue 2", "several people speak in it: 하나, (no name); split it into one cue or row for each, "
         "with its own times")
    ]  # fmt: skip
    path.write_text(SRT.replace("잘 가.", "- 잘 가.\n그럼."), encoding="utf-8")
    assert not faults(path)
    path.write_text(SRT.replace("잘 가.", "영하\n-5도야."), encoding="utf-8")
    assert not faults(path)


def test_sami_is_read_with_the_next_cue_as_the_end(tmp_path):
    path = tmp_path / "a.smi"
    path.write_bytes(SMI.encode("cp949"))
    lines = read_script(path).lines
    assert [(line.text, line.start, line.end) for line in lines] == [
        ("안녕 하나 야?", 1.0, 2.0), ("잘 & 가.", 3.0, None),
    ]  # fmt: skip


def test_sami_of_two_languages_is_read_in_korean_and_says_so(tmp_path):
    path = tmp_path / "a.smi"
    english = SMI.replace(
        "<SYNC Start=2000>", "<SYNC Start=1000><P Class=ENCC>Hi\n<SYNC Start=2000>"
    )
    path.write_text(english, encoding="utf-8")
    assert texts(path) == ["안녕 하나 야?", "잘 & 가."]
    assert "not read: encc (1); read: krcc" in read_script(path).warnings[0].say("en")


def test_another_program_reads_the_same_sami(tmp_path):
    path = tmp_path / "a.smi"
    text = (
        f"{SMI}<SYNC Start=4000><P Class=KRCC>&nbsp;\n"  # pysubs2 leaves out a cue without an end
    )
    path.write_text(text, encoding="utf-8")
    theirs = pysubs2.SSAFile.from_string(text, "sami")
    assert [(line.text, line.start) for line in read_script(path).lines] == [
        (" ".join(event.plaintext.replace("\xa0", " ").split()), event.start / 1000)
        for event in theirs.events if event.plaintext.strip("\xa0 \n")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no SAMI subtitles"), ("안녕?".encode(), "no SAMI subtitles"),
        (b"PK\x03\x04" + bytes(99), "no text file"), (b"<html><p>Hi</html>", "no SAMI subtitles"),
        (SMI.encode()[:-40] + b"\xec\x95", "damaged or cut"),
        (SMI.split("안녕")[0].encode(), "no lines in it"),
        ("<SAMI><SYNC Start=곧>안녕?".encode(), "“곧” are no times"),
        ("<SAMI><SYNC Start=99999999999>안녕?".encode(), "are no times"),
        ("<SAMI><SYNC>안녕?".encode(), "are no times; write Start=1000"),
        (f"<SAMI><SYNC Start=1>{'가' * 9000}".encode(), "is it a whole page"),
        ("<SAMI><SYNC Start=9>나<SYNC Start=5>".encode(), "its times"),
        (SMI.replace("안녕", "- 안녕<br>- 그래").encode()[:-80] + b"</BODY>", "several people speak"),
    ],
)  # fmt: skip
def test_sami_that_cannot_be_read_is_one_line(tmp_path, content, says):
    path = tmp_path / "a.smi"
    path.write_bytes(content)
    with pytest.raises(ScriptError, match=says) as error:
        read_script(path)
    assert "\n" not in error.value.say("ko") and str(path) in error.value.say("ko")


@pytest.mark.parametrize(
    ("written", "name", "extension"),
    [
        ("하나(N)", "하나", "(N)"), ("하나 ( E )", "하나", "(E)"), ("하나（OFF）", "하나", "(OFF)"),
        ("하나(회상)(N)", "하나", "(회상) (N)"), ("하나[V.O.]", "하나", "(V.O.)"), 
        ("하나(CONT'D)", "하나", "(CONT'D)"),
        ("\u200b하\u3000나\ufeff", "하 나", ""), ("하나(어린 시절)", "하나(어린 시절)", ""),
        ("(웃음)", "(웃음)", ""),
    ],
)  # fmt: skip
def test_a_name_is_told_from_how_it_is_said(written, name, extension):
    assert plain_name(written) == (name, extension)


def test_near_misses_are_found_by_their_jamo():
    cast = ["하나", "두나", "김반장", "Marie"]
    assert near_misses("하니", cast) == ["하나"]
    assert near_misses("김번장", cast) == ["김반장"]
    assert near_misses("하나(어린 시절)", cast) == ["하나"]
    assert near_misses("Maria", cast) == ["Marie"]
    assert near_misses("철수", cast) == []
