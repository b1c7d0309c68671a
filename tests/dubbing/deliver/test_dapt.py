"""The as-recorded script: valid by the W3C's schema, with the frames in which words are said."""

from datetime import datetime
from pathlib import Path

import pytest
from lxml import etree

from moksori.alignment.alignment import Interval
from moksori.dubbing.deliver.dapt import Event, write_dapt
from moksori.dubbing.deliver.spec import DeliverySpec
from moksori.script.script import read_script
from moksori.timecode import NTSC_DROP, FrameRate

SCHEMAS = Path(__file__).parents[4] / "shared" / "dapt" / "xml-schemas"
NAMES = {
    "t": "http://www.w3.org/ns/ttml", "m": "http://www.w3.org/ns/ttml#metadata", "v": "urn:moksori:metadata",
}  # fmt: skip
DAPT = "{http://www.w3.org/ns/ttml/profile/dapt#metadata}"
AGENT = "{http://www.w3.org/ns/ttml#metadata}agent"
XML = "{http://www.w3.org/XML/1998/namespace}"
SPEC = DeliverySpec(
    title="시험 <1>", date=datetime(2024, 5, 6), start_timecode=3600.0, frame_rate=FrameRate(25)
)


def event(**more):
    words = (Interval("안녕", 10.01, 10.42), Interval("열살이야", 10.6, 11.2))
    asked = {
        "id": "0012_하나", "character": "하나", "actor": "김성우", "voice": "lmy", "directions": "",
        "text": "안녕, 10살이야!", "words": words, "begin": 10.01, "end": 11.2,
    }  # fmt: skip
    return Event(**asked | more)


def written(tmp_path, events, spec=SPEC):
    write_dapt(tmp_path / "dapt.xml", events, spec)
    return etree.parse(str(tmp_path / "dapt.xml")).getroot()


class Missing(etree.Resolver):
    """An empty schema in the place of EBU's, which is not among the others; and no file includes itself."""

    def resolve(self, url, id, context):
        if "ebu-tt-m-xsd" in url:
            return self.resolve_string(
                '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" '
                'targetNamespace="urn:ebu:tt:metadata"/>',
                context,
            )
        path = SCHEMAS / url.rsplit("/", 1)[-1]
        own = f'<xs:include schemaLocation="{path.name}"/>'
        return self.resolve_string(
            path.read_text(encoding="utf-8").replace(own, ""), context, base_url=url
        )


@pytest.fixture(scope="module")
def schema():
    if not SCHEMAS.is_dir():
        pytest.skip("needs the W3C's schemas in ../shared")
    parser = etree.XMLParser()
    parser.resolvers.add(Missing())
    return etree.XMLSchema(etree.parse(str(SCHEMAS / "dapt.xsd"), parser))


@pytest.mark.parametrize("rate", [FrameRate(25), FrameRate(24, ntsc=True), NTSC_DROP])
@pytest.mark.parametrize("original", ["", "en", "zh-Hant"])
def test_valid_by_the_schema(tmp_path, schema, rate, original):
    events = [
        event(),
        event(id="0013 <&>", character="", actor="", voice="", words=(), text="\x01(웃음) & <b>"),
        event(id="14", character='둘 "2"', directions="(OFF) '속삭이며'", begin=20.0, end=20.0),
    ]
    spec = DeliverySpec(
        title="시험 <1>",
        date=SPEC.date,
        start_timecode=3600.0,
        frame_rate=rate,
        original_language=original,
    )
    root = written(tmp_path, events, spec)
    assert schema.validate(root), schema.error_log.last_error
    root.set(f"{DAPT}scriptType", "recorded")  # what the schema refuses, so that it is at work
    assert not schema.validate(root)


def test_words_are_said_in_their_frames(tmp_path):
    root = written(tmp_path, [event()])
    assert root.find(".//{*}daptOriginTimecode").text == "01:00:00:00"
    div = root.find(".//t:div/t:div", NAMES)
    assert (div.get("begin"), div.get("end")) == ("250f", "280f")  # 10.01 s and 11.2 s of 25 frames
    spans = div.findall(".//t:span", NAMES)
    assert [span.text for span in spans] == ["안녕,", "10살이야!"]
    frames = [(250 + int(s.get("begin")[:-1]), 250 + int(s.get("end")[:-1])) for s in spans]
    for word, (begin, end) in zip(event().words, frames, strict=True):
        assert abs(begin / 25 - word.begin) <= 0.02 and abs(end / 25 - word.end) <= 0.02
    assert "".join(div.find("t:p", NAMES).itertext()) == "안녕, 10살이야!"


def test_frames_are_those_of_the_time_codes(tmp_path):
    """With drop frame from an origin that is between two frames of the clock."""
    spec = DeliverySpec(
        title="시험", date=SPEC.date, start_timecode=3599.9964, frame_rate=NTSC_DROP
    )
    root = written(tmp_path, [event()], spec)
    div = root.find(".//t:div/t:div", NAMES)
    origin = NTSC_DROP.count(root.find(".//{*}daptOriginTimecode").text)
    said = NTSC_DROP.code(origin + int(div.get("begin")[:-1]))
    assert said == spec.timecode(10.01)


def test_a_text_whose_words_are_not_those_said_is_one_span(tmp_path):
    root = written(
        tmp_path,
        [
            event(text="안녕, 열 살 이야!"),
            event(id="2", text="안녕 - 10살이야", words=event().words),
        ],
    )
    first, second = root.findall(".//t:p", NAMES)
    assert [s.get("begin") for s in first] == [None] and first[0].text == "안녕, 열 살 이야!"
    assert [s.text for s in second] == ["안녕 -", "10살이야"]


def test_who_speaks_and_how(tmp_path):
    events = [
        event(directions="(OFF) 멀리서"),
        event(id="2", directions="(off/on)", begin=12.0),
        event(id="3", directions="온화하게", actor="박성우", begin=13.0),
        event(id="4", directions="(V.O.) (ON)", character="", voice="", begin=14.0),
        event(id="5", directions="ON_OFF", character="", voice="", begin=15.0),
    ]
    spec = DeliverySpec(
        title="시험", date=SPEC.date, frame_rate=FrameRate(25), original_language="ja"
    )
    root = written(tmp_path, events, spec)
    assert (root.get(f"{XML}lang"), root.get(f"{DAPT}langSrc")) == ("ko", "ja")
    assert root.get(f"{DAPT}scriptType") == "asRecorded"
    divs = root.findall(".//t:div/t:div", NAMES)
    assert [div.get(f"{DAPT}onScreen") for div in divs] == [
        "OFF", "OFF_ON", None, None, "ON_OFF",
    ]  # fmt: skip
    assert [div.findtext("t:metadata/v:voice", namespaces=NAMES) for div in divs] == ["lmy"] * 3 + [
        None
    ] * 2
    assert [div.findtext("m:desc", namespaces=NAMES) for div in divs][:2] == [
        "(OFF) 멀리서",
        "(off/on)",
    ]
    agents = {a.get(f"{XML}id"): a for a in root.findall(".//m:agent", NAMES)}
    hana = agents[divs[0].get(AGENT)]
    assert hana.get("type") == "character" and hana.findtext("m:name", namespaces=NAMES) == "하나"
    actors = [agents[actor.get("agent")] for actor in hana.findall("m:actor", NAMES)]
    assert [a.findtext("m:name", namespaces=NAMES) for a in actors] == ["김성우", "박성우"]
    assert divs[3].get(AGENT) is None


def test_the_next_job_reads_it_as_its_script(tmp_path):
    events = [event(), event(id="2", character="둘", text="(웃음)", words=(), begin=12.0, end=13.0)]
    written(tmp_path, events, DeliverySpec(title="시험", date=SPEC.date, frame_rate=FrameRate(25)))
    content = read_script(tmp_path / "dapt.xml")
    assert not content.faults and content.question is None
    assert [(line.character, line.text) for line in content.lines] == [
        ("하나", "안녕, 10살이야!"), ("둘", "(웃음)"),
    ]  # fmt: skip
    assert [line.start for line in content.lines] == [10.0, 12.0]
