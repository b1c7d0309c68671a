# ruff: noqa: E501
"""Whatever a file holds: an error with its name, or lines; no traceback, no hang, nothing lost.

A longer run: `make fuzz`.
"""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moksori.config import TrainConfig
from moksori.conversion.voices import Consent
from moksori.dubbing.plan.cast import read_cast
from moksori.dubbing.plan.speakers import with_prefixes, with_speakers
from moksori.dubbing.request import JobFile
from moksori.errors import MoksoriError, ScriptError
from moksori.files import decode, load_toml
from moksori.script.line import Line, Place
from moksori.script.script import read_script
from moksori.timecode import FrameRate, parse_time
from tests.fuzzing import examples

fuzz = settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
RATES = [None, *map(FrameRate.parse, ("23.976", "24", "25", "29.97", "29.97df", "59.94df", "60"))]
PIECES = st.sampled_from(
    ["1", "2", "00:00:01,000 --> 00:00:02,000", "00:01.000 --> 00:02.000", "00:00:01:12 --> 00:00:02;00",
     "-->", "WEBVTT", "NOTE 가", "<v 하나>안녕", "</v>", "<v 둘>", "- 응", "- 하나: 네", "하나: 안녕", "[두나] 가",
     "(웃음)", "&#39;", "&amp;amp;", "&#99999999;", "{\\an8}", "{\\p1}m 0 0", "\\N", "[Events]", "[Script Info]",
     "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text",
     "Dialogue: 0,0:00:01.00,0:00:02.00,Default,하나,0,0,0,,안녕", "Comment: 0,,,", "Dialogue: ,", "Style: 가,나",
     "<SAMI>", "<SYNC Start=1000>", "<P Class=KRCC>", "<SYNC Start=99999999999999999999>", "<!--", "&nbsp;",
     "번호,배역,대사,시작,끝", "1,하나,안녕,01:00:01.12,01:00:02;00", '"', "29.97 DF", "\ufeff", "\u200b", "\x00",
     "\x1a", "\x85", "\u2028", "=1+1", "#REF!", "가" * 3000, "9" * 400]
)  # fmt: skip
TEXTS = st.lists(PIECES | st.text(max_size=12), max_size=14).flatmap(
    lambda parts: st.sampled_from(["\n", "\r\n", "\r\r\n", "\n\n", ",", " ", "\r"]).map(
        lambda mark: mark.join(parts)
    )
)
ENCODINGS = st.sampled_from(
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp949", "utf-32"]
)
CONTENTS = st.binary(max_size=400) | st.builds(
    lambda text, encoding: text.encode(encoding, "replace"), TEXTS, ENCODINGS
)


@pytest.mark.parametrize("kind", ["srt", "vtt", "ass", "ssa", "smi", "txt", "csv", "tsv"])
@fuzz
@given(content=CONTENTS, rate=st.sampled_from(RATES))
def test_a_script_is_read_or_its_faults_are_named(tmp_path, kind, content, rate):
    path = tmp_path / f"a.{kind}"
    path.write_bytes(content)
    try:
        read = read_script(path, frame_rate=rate)
    except ScriptError as error:
        assert str(path) in str(error)
        assert error.say("ko")
        return
    assert read.lines
    for told in [*read.warnings, *read.notices(path), *read.understood]:
        assert told.say("ko")
        assert told.say("en")
    for line in read.lines:
        assert "\n" not in line.text
        if line.place not in read.faulty and line.start is not None and line.end is not None:
            assert 0 <= line.start < line.end < 86400 * 1.002
    with_prefixes(read.lines)


@fuzz
@given(
    text=st.text(st.characters(codec="utf-8"), max_size=30)
    | st.from_regex(r"[-−]?\d{1,4}[:;.,]\d{1,3}([:;.,]\d{1,3}){0,3}", fullmatch=True),
    rate=st.sampled_from(RATES),
    pointed=st.booleans(),
)
def test_a_time_is_of_the_day_or_refused(text, rate, pointed):
    try:
        seconds = parse_time(text, rate, pointed)
    except ScriptError as error:
        assert error.say("ko") != str(error)
        return
    assert 0 <= seconds < 86400 * 1.002


@fuzz
@given(texts=st.lists(TEXTS, max_size=4), names=st.lists(st.text(max_size=8), max_size=4))
def test_no_word_is_lost_between_speakers(tmp_path, texts, names):
    path = tmp_path / "cast.toml"
    path.write_text(
        '[characters."하나"]\nvoice = "lmy"\n[characters."두나"]\nvoice = "kih"\n[default]\n'
    )
    lines = [
        Line(Place("cue", n), " ".join(text.split()), character=name)
        for n, (text, name) in enumerate(zip(texts, names, strict=False), 1)
    ]
    spoken, _, _ = with_speakers(lines, read_cast(path))
    for line in lines:
        heard = "".join(part.text for part in spoken if part.place == line.place)
        words = "".join(c for c in line.text if c.isalnum())
        assert all(c in heard or c in "하나두" for c in words)


TOML = st.binary(max_size=200) | st.lists(
    st.sampled_from(
        ['[characters."하나"]', 'voice = "lmy"', "pitch = 99", "pitch = nan", "gain = 1e400", "[default]",
         "pass = true", "pass = 3", "voice = 3", "[[characters]]", "x.y.z = 1", 'who = "홍"', "until = 2026-01-01",
         "until = 9999-99-99", "a = [[[[[[", '"\\ud800" = 1', "[audio]", "sample_rate = 0", "lang = 'xx'", "=", "\0"]
    )
    | st.text(max_size=10),
    max_size=8,
).map(lambda rows: "\n".join(rows).encode("utf-8", "replace"))  # fmt: skip


@pytest.mark.parametrize("kind", [None, Consent, JobFile, TrainConfig])
@fuzz
@given(content=TOML)
def test_a_toml_file_is_read_or_refused(tmp_path, kind, content):
    path = tmp_path / "a.toml"
    path.write_bytes(content)
    try:
        read_cast(path) if kind is None else load_toml(path, kind)
    except MoksoriError as error:
        assert str(path) in str(error)


@fuzz
@given(content=st.binary(max_size=300))
def test_any_bytes_are_a_text_or_refused(content):
    try:
        text = decode(content, "a.txt")
    except MoksoriError as error:
        assert "a.txt" in str(error)
        return
    assert "\0" not in text
    text.encode()
