import html
import itertools
import re
import shutil
import subprocess

import pysubs2
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from moksori.dubbing.deliver.subtitles import SHORTEST, Cue, write_subtitles
from moksori.errors import OutputError
from moksori.script.script import read_script

KINDS = ("srt", "vtt", "ass")
TWINS = str.maketrans("｛｝＼＜＞：＆", "{}\\<>:&")  # as write_subtitles tells
TEXTS = [
    "안녕하세요.",
    "두 줄로\n말한다",
    "값은 a < b, b > a",
    "<한숨> 그래",
    "<sigh> R&B & <b>크게</b>",
    "AT&amp;T &lt;",
    "{웃음} 하하 {",
    "{\\an8}위에",
    "C:\\Nox\\hana \\n",
    "이리 --> 저리",
    "00:00:01,000 --> 00:00:02,000",
    "00:01.000-->00:02.000",
    "  앞뒤로 빈칸 ",
    "빈 줄이\n\n\n있다\n",
    "하나\n2\n3",
    "7",
    "WEBVTT",
    "[Events]",
    "NOTE 다\nDialogue: 0,0:00:01.00,,",
]


def read(path):
    """By pysubs2; its `plaintext` would leave {웃음} out of SubRip too, where it is text."""
    events = pysubs2.load(str(path), encoding="utf-8")
    texts = [event.text.replace("\\N", "\n") for event in events]
    if path.suffix == ".vtt":
        texts = [html.unescape(text) for text in texts]  # the format's escapes; pysubs2 leaves them
    return [(e.start, e.end, text, e.name) for e, text in zip(events, texts, strict=True)]


def said(text):
    """Lines of a text, without what is around them."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def spoken(texts, character="하나"):
    return [Cue(2.0 * i, 2.0 * i + 1.5, text, character) for i, text in enumerate(texts)]


@pytest.mark.parametrize("kind", KINDS)
def test_texts_come_back_as_they_were(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    write_subtitles(path, spoken(TEXTS))
    back = [text.translate(TWINS) for *_, text, _ in read(path)]
    numbered = [TEXTS.index("하나\n2\n3")] if kind != "ass" else []
    for i, (text, found) in enumerate(zip(TEXTS, back, strict=True)):
        if i in numbered:  # lines of digits are cue numbers there: joined to the line before
            assert found == "하나 2 3"
        else:
            assert found.split("\n") == said(text)
    lines = read_script(path).lines  # as the dubbing itself reads them
    assert [line.text.translate(TWINS) for line in lines] == [" ".join(t.split()) for t in TEXTS]
    assert {line.character for line in lines} == ({"하나"} if kind != "srt" else {""})


def test_nothing_is_replaced_without_need(tmp_path):
    texts = ["a < b", "<한숨> 12:30에 봐", "\\o/ -> C:\\", "50% & 100%"]
    for kind in KINDS:
        own = [*texts, "{웃음} 하하"] if kind != "ass" else texts
        write_subtitles(tmp_path / f"a.{kind}", spoken(own))
        assert [text for *_, text, _ in read(tmp_path / f"a.{kind}")] == own


marks = st.sampled_from(
    [*"<>{}&\\Nnh-: \n,;[]1", "-->", "<i>", "\\N", "{\\an8}", "가", "나", "&lt;"]
)


@given(st.lists(st.lists(marks, max_size=12).map("".join), min_size=1, max_size=4))
@settings(max_examples=60)
def test_any_text_comes_back(tmp_path_factory, texts):
    texts = [f"가{text}" for text in texts]
    assume(not any(re.search(r"^\s*-", text, re.MULTILINE) for text in texts))  # another speaker's
    for kind in KINDS:
        path = tmp_path_factory.getbasetemp() / f"any.{kind}"
        write_subtitles(path, spoken(texts, "하나, <둘>"))
        for found in (
            [row[2] for row in read(path)],
            [line.text for line in read_script(path).lines],
        ):
            for text, back in zip(texts, found, strict=True):
                assert back.translate(TWINS).split() == text.split()


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg, another reader of WebVTT")
def test_webvtt_escapes_as_another_reader_knows_them(tmp_path):
    texts = ["<sigh> R&B", "a < b > c", "&lt;", "이리 --> 저리"]
    write_subtitles(tmp_path / "a.vtt", spoken(texts))
    command = ["ffmpeg", "-v", "error", "-i", "a.vtt", "-f", "ass", "-"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    events = pysubs2.SSAFile.from_string(run.stdout.decode())
    assert [event.text for event in events] == texts


def test_characters_are_named(tmp_path):
    cues = [Cue(0, 1, "네", "엄마, 아빠"), Cue(1, 2, "어?", "R&B <1>"), Cue(2, 3, "비", "")]
    write_subtitles(tmp_path / "a.ass", cues)
    assert [name for *_, name in read(tmp_path / "a.ass")] == ["엄마， 아빠", "R&B <1>", ""]
    write_subtitles(tmp_path / "a.vtt", cues)
    content = (tmp_path / "a.vtt").read_text(encoding="utf-8")
    assert content.startswith("WEBVTT\n\n")
    assert "\n<v 엄마, 아빠>네\n" in content
    assert "\n<v R&amp;B &lt;1&gt;>어?\n" in content
    assert "\n비\n" in content


times = st.floats(0, 20)
cues = st.lists(
    st.builds(Cue, times, times, st.just("가"), st.sampled_from(["하나", "둘"])), max_size=12
)


@given(cues)
@settings(max_examples=60)
def test_cues_of_a_character_never_overlap_nor_flash(tmp_path_factory, cues):
    for kind in KINDS:
        path = tmp_path_factory.getbasetemp() / f"times.{kind}"
        named = [cue._replace(text=cue.character) for cue in cues]
        write_subtitles(path, named)
        found = list(pysubs2.load(str(path), format_=kind))
        assert [e.start for e in found] == sorted(e.start for e in found)
        assert sorted(e.plaintext for e in found) == sorted(cue.text for cue in named)
        for character in ("하나", "둘"):
            own = [e for e in found if e.plaintext == character]
            assert all(e.duration >= SHORTEST * 1000 for e in own)
            assert all(a.end <= b.start for a, b in itertools.pairwise(own))


def test_times_are_those_of_the_speech(tmp_path):
    cues = [Cue(1.234, 2.5, "가", "하나"), Cue(2.0, 3.0, "나", "둘"), Cue(2.25, 2.26, "다", "하나")]
    write_subtitles(tmp_path / "a.srt", reversed(cues))
    found = [(start, end, text) for start, end, text, _ in read(tmp_path / "a.srt")]
    assert found == [(1234, 2250, "가"), (2000, 3000, "나"), (2250, 2450, "다")]


def test_writing_is_whole_or_not_at_all(tmp_path):
    write_subtitles(tmp_path / "a.ass", spoken(TEXTS))
    first = (tmp_path / "a.ass").read_bytes()
    for path, cues, message in (
        (tmp_path / "a.sub", [], "use a name ending in .srt, .vtt, .ass"),
        (tmp_path / "no" / "a.srt", [], "no such folder"),
        (tmp_path / "a.ass", [Cue(36000, 36001, "가")], r"a\.ass: \.ass cannot hold .* 10 h"),
    ):
        with pytest.raises(OutputError, match=message):
            write_subtitles(path, cues)
    assert [path.name for path in tmp_path.iterdir()] == ["a.ass"]
    assert (tmp_path / "a.ass").read_bytes() == first
    write_subtitles(tmp_path / "a.ass", spoken(TEXTS))
    assert (tmp_path / "a.ass").read_bytes() == first
