"""Scripts in DAPT and other TTML; times against ttconv's rules of the standard, written out by hand."""

import re
from pathlib import Path

import pytest
from lxml import etree

from moksori.errors import ScriptError
from moksori.script.script import read_script
from moksori.timecode import FrameRate

EXAMPLES = Path(__file__).parents[3] / "shared" / "dapt" / "examples"
ROOT = (
    '<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttm="http://www.w3.org/ns/ttml#metadata" '
    'xmlns:ttp="http://www.w3.org/ns/ttml#parameter" xmlns:tts="http://www.w3.org/ns/ttml#styling" '
    'xmlns:tta="http://www.w3.org/ns/ttml#audio" '
    'xmlns:daptm="http://www.w3.org/ns/ttml/profile/dapt#metadata" '
    'ttp:contentProfiles="http://www.w3.org/ns/ttml/profile/dapt1.0/content" xml:lang="ko" '
    'daptm:langSrc="en" daptm:scriptRepresents="audio.dialogue" daptm:scriptType="preRecording"{}>'
)
HEAD = (
    '<head><metadata><ttm:agent type="person" xml:id="a1"><ttm:name type="full">김성우</ttm:name></ttm:agent>'
    '<ttm:agent type="character" xml:id="c1"><ttm:name type="alias">하나</ttm:name><ttm:actor agent="a1"/>'
    '</ttm:agent><ttm:agent type="character" xml:id="c2"><ttm:name type="alias">두나</ttm:name></ttm:agent>'
    "</metadata></head>"
)
REPRESENTS = 'daptm:represents="audio.dialogue"'


def write(path, body, parameters="", head=HEAD):
    path.write_text(f"{ROOT.format(parameters)}{head}<body>{body}</body></tt>", encoding="utf-8")
    return path


def event(text, times='begin="10s" end="13s"', id="d1", more=""):
    return f'<div xml:id="{id}" {times} {REPRESENTS} {more}>{text}</div>'


def lines(path, **more):
    return [(x.character, x.text, x.start, x.end) for x in read_script(path, **more).lines]


def told(path, lang="en", **more):
    content = read_script(path, **more)
    return "\n".join(one.say(lang) for one in [*content.understood, *content.warnings])


@pytest.mark.parametrize(
    ("written", "parameters", "seconds"),
    [
        ("10s", "", 10), ("10.5s", "", 10.5), ("1500ms", "", 1.5), ("2m", "", 120), ("0.5h", "", 1800),
        ("00:00:10", "", 10), ("00:00:10.25", "", 10.25), ("01:00:00.001", "", 3600.001),
        ("00:00:10:15", ' ttp:frameRate="30"', 10.5), ("250f", ' ttp:frameRate="25"', 10),
        ("00:00:01:12", ' ttp:frameRate="24" ttp:frameRateMultiplier="1000 1001"', 1 + 12 * 1.001 / 24),
        ("240f", ' ttp:frameRate="24" ttp:frameRateMultiplier="1000 1001"', 10.01),
        ("00:00:00:01.2", ' ttp:frameRate="25" ttp:subFrameRate="4"', 0.06),
        ("100000000t", ' ttp:tickRate="10000000"', 10), ("7t", "", 7),
        ("50t", ' ttp:frameRate="25"', 2),
        ("00:01:00:02", ' ttp:timeBase="smpte" ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001" '
         'ttp:dropMode="dropNTSC"', 60.06),
        ("01:00:00:00", ' ttp:timeBase="smpte" ttp:frameRate="24" ttp:frameRateMultiplier="1000 1001"',
         3603.6),
    ],
)  # fmt: skip
def test_every_way_to_write_a_time(tmp_path, written, parameters, seconds):
    path = write(tmp_path / "a.ttml", event("<p>안녕?</p>", f'begin="{written}"'), parameters)
    assert lines(path)[0][2] == pytest.approx(seconds, abs=1e-6)


DROP = (
    ' ttp:timeBase="smpte" ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001" '
    'ttp:dropMode="dropNTSC"'
)


@pytest.mark.parametrize(
    ("outer", "inner", "span"),
    [
        ('begin="10s" end="13s"', 'begin="1s"', (11, 13)), ('begin="10s" dur="5s"', 'dur="2s"', (10, 12)),
        ('begin="10s" end="13s"', 'begin="1s" end="9s"', (11, 13)), ("", 'begin="1s" dur="2s"', (1, 3)),
        ('begin="10s" end="13s"', 'begin="1s" dur="5s" end="2s"', (11, 12)), ("", "", (None, None)),
    ],
)  # fmt: skip
def test_times_are_from_where_the_parent_begins_and_within_it(tmp_path, outer, inner, span):
    path = write(tmp_path / "a.ttml", event(f"<p {inner}>안녕?</p>", outer))
    assert lines(path) == [("", "안녕?", *span)]


def test_divs_in_divs_and_one_after_the_other(tmp_path):
    inner = event("<p>하나.</p>", "begin='00:01:00' dur='10s'")
    nested = f'<div begin="00:10:00" xml:lang="ko">{inner}</div>'
    seq = ('<div timeContainer="seq" begin="20m"><p dur="2s">둘.</p><p begin="1s" dur="3s">셋.</p>'
           '<p dur="1s">넷.</p></div>')  # fmt: skip
    assert lines(write(tmp_path / "a.ttml", nested + seq)) == [
        ("", "하나.", 660, 670), ("", "둘.", 1200, 1202), ("", "셋.", 1203, 1206), ("", "넷.", 1206, 1207),
    ]  # fmt: skip


def test_characters_actors_scenes_notes_and_the_screen(tmp_path):
    about = '<ttm:desc daptm:descType="scene">거실</ttm:desc><ttm:desc>웃으며</ttm:desc>'
    path = write(
        tmp_path / "a.dapt",
        event(f"{about}<p>안녕?<br/>나야.</p>", more='ttm:agent="c1" daptm:onScreen="OFF"')
        + event('<p ttm:agent="c2"><span>그래, </span><span>어서\n와.</span></p>', id="d2"),
    )
    first, second = read_script(path).lines
    assert (first.character, first.actor, first.text, first.no) == (
        "하나",
        "김성우",
        "안녕? 나야.",
        "d1",
    )
    assert (first.scene, first.note, first.directions) == ("거실", "웃으며", "OFF")
    assert (second.character, second.actor, second.text) == ("두나", "", "그래, 어서 와.")


def test_the_only_korean_is_read_and_the_others_told(tmp_path):
    both = '<p xml:lang="en" daptm:langSrc="en">Hi</p><p xml:lang="ko" daptm:langSrc="en">안녕?</p>'
    path = write(tmp_path / "a.dapt", event(both))
    assert [text for _, text, *_ in lines(path)] == ["안녕?"]
    assert "preRecording; read: ko, from en (1); languages not read: en, original (1)" in told(path)
    assert "읽은 언어: ko en에서 옮김(1개). 읽지 않은 언어: en 원어(1개)" in told(path, "ko")
    assert [text for _, text, *_ in lines(path, columns={"line": "en"})] == ["Hi"]
    assert [text for _, text, *_ in lines(path, column="EN")] == ["Hi"]


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (
            {"en": "Hi", "fr": "Salut"},
            "several languages: en, from fr \\(1\\), fr, original .*line=en",
        ),
        ({"ko": "안녕?", "ko-KP": "안녕하오?"}, "several languages: ko.*; say which is read"),
    ],
)
def test_where_not_one_is_korean_it_is_asked(tmp_path, texts, says):
    ps = "".join(
        f'<p xml:lang="{code}" daptm:langSrc="fr">{text}</p>' for code, text in texts.items()
    )
    path = write(tmp_path / "a.dapt", event(ps))
    with pytest.raises(ScriptError, match=says):
        read_script(path)
    with pytest.raises(ScriptError, match="no text in the language “de”; there are: "):
        read_script(path, columns={"line": "de"})
    assert [text for _, text, *_ in lines(path, column=next(iter(texts)))] == [
        next(iter(texts.values()))
    ]


def test_what_is_seen_struck_or_hidden_is_no_line_and_told(tmp_path):
    sign = event("<p>서울역</p>", id="d2").replace("audio.dialogue", "visual.text.location")
    door = event("<p>[문소리]</p>", id="d3").replace("audio.dialogue", "audio.nonDialogueSounds")
    marked = event(
        '<p>안녕<span tts:textDecoration="lineThrough">하세요</span>'
        '<span tts:display="none"> 지운 말</span>?<metadata>x</metadata></p>'
    )
    path = write(tmp_path / "a.dapt", marked + sign + door)
    assert [text for _, text, *_ in lines(path)] == ["안녕?"]
    text = told(path)
    assert "describe what is seen, so not read (1): d2 “서울역”" in text
    assert "describe sounds that are no dialogue, so not read (1): d3 “[문소리]”" in text
    assert "struck through, left out: d1 “하세요”" in text
    assert "hidden, left out: d1 “지운 말”; add --hidden" in text
    assert [text for _, text, *_ in lines(path, hidden=True)] == ["안녕 지운 말?"]


def test_two_who_speak_in_one_text(tmp_path):
    """Parted where each has times of their own; else a fault."""
    timed = ('<p><span ttm:agent="c1" begin="0s" end="1s">안녕?</span>'
             '<span ttm:agent="c2" begin="1.5s">그래.</span></p>')  # fmt: skip
    assert lines(write(tmp_path / "a.dapt", event(timed))) == [
        ("하나", "안녕?", 10, 11), ("두나", "그래.", 11.5, 13),
    ]  # fmt: skip
    open_ = re.sub(r' (begin|end)="[\d.]+s"', "", timed)
    path = write(tmp_path / "b.dapt", event(open_) + event("<p>응.</p>", id="d2"))
    (fault,) = read_script(path).faults
    assert fault.where.say("en") == "event d1"
    assert "several people speak in it: 하나, 두나" in fault.what.say("en")


def test_the_frame_rate_is_the_documents(tmp_path):
    body = event("<p>안녕?</p>", 'begin="00:00:10:12" end="00:00:13:00"')
    path = write(
        tmp_path / "a.ttml", body, ' ttp:frameRate="24" ttp:frameRateMultiplier="1000 1001"'
    )
    assert read_script(path).frame_rate == FrameRate(24, ntsc=True)
    assert "read at 23.976 frames a second, as the document states; --fps says 25" in told(
        path, frame_rate=FrameRate(25)
    )
    path = write(tmp_path / "b.ttml", body)
    assert "states no rate, so they are read at 30, as TTML says" in told(path)
    assert lines(path, frame_rate=FrameRate(24))[0][2] == 10.5


@pytest.mark.parametrize("base", ["media", "smpte"])
def test_whether_time_codes_drop_frames_is_asked_where_the_document_cannot_say(tmp_path, base):
    """Of smpte times alone `ttp:dropMode` is told; without it they drop none."""
    ntsc = ' ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001"' + f' ttp:timeBase="{base}"'
    path = write(tmp_path / "a.ttml", event("<p>안녕?</p>", 'begin="300f" end="360f"'), ntsc)
    assert not read_script(path).frame_rate.drop
    drop = FrameRate.parse("29.97df")
    content = read_script(path, frame_rate=drop)
    assert (content.frame_rate == drop) is (base == "media")
    assert bool(content.warnings) is (base == "smpte")
    assert lines(path, frame_rate=drop)[0][2] == pytest.approx(10.01)


def test_times_are_counted_from_the_documents_time_code(tmp_path):
    def of(code, rate=""):
        origin = f"<daptm:daptOriginTimecode>{code}</daptm:daptOriginTimecode></metadata></head>"
        head = HEAD.replace("</metadata></head>", origin)
        return write(tmp_path / "a.xml", event("<p>안녕?</p>"), rate, head)

    path = of("10:01:20:12", ' ttp:frameRate="25"')
    assert lines(path) == [("", "안녕?", 36080.48 + 10, 36080.48 + 13)]
    assert read_script(path).begin == 36080.48
    assert "first time code, 10:01:20:12" in told(path)
    ntsc = of("01:00:00:00", ' ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001"')
    assert lines(ntsc, frame_rate=FrameRate.parse("29.97df"))[0][2] == pytest.approx(3609.9964)
    smpte = of("00:00:05:00", ' ttp:frameRate="25" ttp:timeBase="smpte"')
    assert lines(smpte)[0][2] == 10  # a time code already
    path = of("01:00:00:25", ' ttp:frameRate="25"')
    assert lines(path)[0][2] == 10
    assert read_script(path).begin is None
    assert "so times are counted from 0: “01:00:00:25”" in told(path)


BAD = {
    "empty": (b"", "not a complete XML document"),
    "text": ("하나: 안녕?".encode(), "not a complete XML document \\(syntax error: line 1"),
    "cut": (ROOT.format("").encode() + b"<body><div>", "not a complete XML document \\(no element found"),
    "zip": (b"PK\x03\x04" + bytes(99), "not a complete XML document"),
    "another kind": (b"<html><body/></html>", "no document of DAPT or TTML \\(<html>, not <tt>\\)"),
    "encoding": (b'<?xml version="1.0" encoding="x-none"?><tt/>', "not a complete XML document"),
    "entity bomb": (
        ('<!DOCTYPE a [<!ENTITY a "' + "가" * 99 + '">'
         + "".join(f'<!ENTITY {b} "{f"&{a};" * 30}">' for a, b in zip("abcdefg", "bcdefgh", strict=True))
         + "]><tt>&h;</tt>").encode(), "not a complete XML document",
    ),
    "outside": (b'<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/hostname">]><tt>&a;</tt>', "undefined entity"),
    "no body": (ROOT.format("").encode() + b"</tt>", "no lines in it"),
    "no speech": (
        (ROOT.format("") + "<body>" + event("<p/>") + "</body></tt>").encode(),
        "no text, hence not read: cues d1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_one_line(tmp_path, name):
    content, says = BAD[name]
    path = tmp_path / "a.xml"
    path.write_bytes(content)
    with pytest.raises(ScriptError, match=says) as error:
        read_script(path)
    for lang in ("ko", "en"):
        assert "\n" not in error.value.say(lang) and str(path) in error.value.say(lang)


@pytest.mark.parametrize(
    ("times", "parameters", "says"),
    [
        ('begin="곧"', "", "event d1: “곧” is no time of TTML; write 00:00:10.500"),
        ('begin="00:61:00"', "", "61 minutes, but they end at 59"),
        ('begin="00:00:01:40"', ' ttp:frameRate="25"', "no frame 40 at 25: they end at 24"),
        ('begin="wallclock(2026-11-28T10:00)"', "", "is a time by the clock on the wall"),
        ('begin="13s" end="10s"', "", "its times"),
        ('begin="1s"', ' ttp:frameRate="x"', "ttp:frameRate=“x” cannot"),
        ('begin="1s"', ' ttp:timeBase="clock"', "ttp:timeBase=“clock” cannot be read"),
        ('begin="1s"', ' ttp:frameRateMultiplier="1000 0"', "frameRateMultiplier=“1000 0”"),
        ('begin="00:00:01:25"', ' ttp:frameRate="25"', "no frame 25 at 25: they end at 24"),
        ('begin="00:00:01:24"', ' ttp:frameRate="24" ttp:frameRateMultiplier="1000 1001"', "end at 23"),
        ('begin="00:00:60:00"', ' ttp:frameRate="25"', "60 seconds, but they end at 59"),
        ('begin="00:00:60.5"', "", "60 seconds, but they end at 59"),
        ('begin="01:01:00:00"', DROP, "“01:01:00:00”: 29.97df leaves this frame number out"),
        ('begin="01:01:00:30"', DROP, "no frame 30 at 29.97df: they end at 29"),
        ('begin="24:00:00:00"', DROP, "not within a day"),
        ('begin="99999999999999h"', "", "is no time of TTML"),
        ('begin="1s"', ' ttp:tickRate="0"', "ttp:tickRate=“0”"),
    ],
)  # fmt: skip
def test_a_wrong_time_is_told(tmp_path, times, parameters, says):
    path = write(tmp_path / "a.ttml", event("<p>안녕?</p>", times), parameters)
    with pytest.raises(ScriptError) as error:
        read_script(path)
    assert says in str(error.value) and str(path) in str(error.value)


def test_a_text_of_a_whole_page_is_its_own_fault(tmp_path):
    path = write(tmp_path / "a.ttml", event(f"<p>{'가' * 9000}</p>") + event("<p>응.</p>", id="d2"))
    (fault,) = read_script(path).faults
    assert "9000 characters in a line" in fault.what.say("en")


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the W3C's examples are not here")
@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.xml")), ids=lambda path: path.stem)
def test_every_example_of_the_standard_is_read_or_refused_with_its_reason(path):
    """Most are parts of documents. None is refused as broken that is whole to lxml, an independent parser."""
    try:
        etree.parse(path)
        whole = True
    except etree.XMLSyntaxError:
        whole = False
    try:
        content = read_script(path)
    except ScriptError as error:
        reason = str(error)
        if "several languages: fr, original (1), en, from fr (1)" in reason:
            (line,) = read_script(path, column="en").lines
            assert line.character == "ASSANE" and line.text.startswith("And thanks to that,")
            assert (line.start, line.end) == (10, 13)
            assert "Et c'est grâce" in read_script(path, column="fr").lines[0].text
            return
        assert whole == ("not a complete XML document" not in reason)
        return
    assert whole and content.lines
    assert all(line.start is not None and line.end is not None for line in content.lines)


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the W3C's examples are not here")
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("event-desc-descType", [("Eóin looks around at the other assembly members.", "", "[oːnʲ]")]),
        ("event-desc", [("A woman climbs into a small sailing boat.", "", "Scene 1"),
                        ("The woman pulls the tiller and the boat turns.", "", "Scene 1")]),
        ("event-desc-multiple-descType",
         [("A woman climbs into a small sailing boat.", "Scene 1", "High"),
          ("The woman pulls the tiller and the boat turns.", "Scene 1", "Low")]),
        ("intro-script-with-embedded-audio", [("The sails billow in the wind.", "", "")]),
        ("intro-script-with-speak", [("The woman pulls the tiller and the boat turns.", "", "")]),
    ],
)  # fmt: skip
def test_parts_of_the_standard_are_read_once_they_are_whole(tmp_path, name, says):
    part = (EXAMPLES / f"{name}.xml").read_text(encoding="utf-8").strip().strip(".").strip()
    body = part if part.startswith("<body") else f"<body>{part}</body>"
    path = tmp_path / "a.dapt"
    root = ROOT.format("").replace('"ko"', '"en"')
    path.write_text(f"{root}{body}</tt>", encoding="utf-8")
    content = read_script(path, column="en")
    assert [(line.text, line.scene, line.note) for line in content.lines] == says
