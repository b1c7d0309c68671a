"""Times for a script that has none: by OpenTimelineIO and its EDL writer, Pro Tools as text, subtitles."""

from datetime import datetime

import opentimelineio as otio
import pytest
from opentimelineio.opentime import RationalTime, TimeRange

from moksori.dubbing.check import _content
from moksori.dubbing.deliver.clips import Clip
from moksori.dubbing.deliver.spec import DeliverySpec
from moksori.dubbing.deliver.timeline import write_otio
from moksori.dubbing.plan.memory import Memory
from moksori.dubbing.request import JobFile
from moksori.errors import ScriptError
from moksori.script.script import read_script
from moksori.script.timelines import with_times
from moksori.timecode import FrameRate
from tests.script import test_pro_tools

RATE = FrameRate(24)
SCRIPT = (
    "번호,파일,배역,대사\n1,a_01.wav,하나,안녕?\n2,a_02.wav,두나,그래.\n"
    "3,,하나,(웃으며) 가자!\n4,,두나,비가 온다.\n"
)


def script(folder, text=SCRIPT):
    path = folder / "a.csv"
    path.write_text(text, encoding="utf-8")
    return path


def frames(count):
    return RationalTime(count, 24)


def timeline(path, *clips, start=86400, markers=()):
    """Clips of a second, by their names and first frames, from 01:00:00:00 on."""
    made = otio.schema.Timeline("목소리", global_start_time=frames(start))
    track, at = otio.schema.Track("V1", kind=otio.schema.TrackKind.Video), 0
    made.tracks.append(track)
    for name, begin in clips:
        if begin > at:
            track.append(otio.schema.Gap(duration=frames(begin - at)))
        media = otio.schema.ExternalReference(name, TimeRange(frames(0), frames(48)))
        track.append(otio.schema.Clip(name, media, TimeRange(frames(12), frames(24))))
        at = begin + 24
    for name, frame in markers:
        made.tracks.markers.append(otio.schema.Marker(name, TimeRange(frames(frame), frames(1))))
    otio.adapters.write_to_file(made, str(path), **({"rate": 24} if path.suffix == ".edl" else {}))
    return path


def found(folder, path, rate=None, text=SCRIPT):
    content = with_times(path, read_script(script(folder, text)), rate)
    return [(line.text, line.start, line.end) for line in content.lines], content


@pytest.mark.parametrize(
    ("suffix", "rate", "hour"),
    [(".otio", None, 3600), (".edl", RATE, 0)],  # whose writer begins at 0
)
def test_clips_are_found_by_recording_number_and_text(tmp_path, suffix, rate, hour):
    clips = (
        ("a_02.wav", 240),
        ("a_01", 48),
        ("0003_하나", 480),
        ("비가 온다", 720),
        ("MX_01", 900),
    )
    path = timeline(tmp_path / f"t{suffix}", *sorted(clips, key=lambda clip: clip[1]))
    lines, content = found(tmp_path, path, rate)
    assert [(text, start - hour + 3600, end - hour + 3600) for text, start, end in lines] == [
        ("안녕?", 3602, 3603), ("그래.", 3610, 3611),
        ("(웃으며) 가자!", 3620, 3621), ("비가 온다.", 3630, 3631),
    ]  # fmt: skip
    assert content.frame_rate == RATE
    assert "of 5 clips and markers, 4 lines have their times, by name" in content.understood[
        -1
    ].say("en")


def test_markers_give_where_lines_begin(tmp_path):
    path = timeline(tmp_path / "t.otio", ("x", 0), markers=(("3 가자", 96), ("안녕?", 24)))
    lines, content = found(tmp_path, path)
    assert lines[0] == ("안녕?", 3601, None) and lines[2][1] == 3604
    told = content.understood[-1].say("en")
    assert (
        "nothing of their name, hence without times: 2 lines: row 3 “그래.”; row 5 “비가 온다.”"
        in told
    )
    edl = "TITLE: x\n\n001  AX V C 00:00:00:00 00:00:01:00 01:00:00:00 01:00:01:00\n* FROM CLIP NAME: x\n"
    edl += "* LOC: 01:00:05:12 RED     4\n"
    (tmp_path / "t.edl").write_text(edl, encoding="utf-8")
    lines, _ = found(tmp_path, tmp_path / "t.edl", RATE)
    assert lines[3] == ("비가 온다.", 3605.5, None)


def test_pro_tools_and_subtitles_give_times_too(tmp_path):
    path = test_pro_tools.write(
        tmp_path / "t.txt", test_pro_tools.track("하나", test_pro_tools.clip("a_01-02.L"))
    )
    lines, content = found(tmp_path, path)
    assert lines[0] == ("안녕?", 3610.5, 3612) and content.frame_rate == RATE
    (tmp_path / "t.srt").write_text("9\n00:00:01,000 --> 00:00:02,000\n그래\n", encoding="utf-8")
    lines, _ = found(tmp_path, tmp_path / "t.srt")
    assert lines[1] == ("그래.", 1, 2)


def test_what_the_script_says_stays_and_two_of_a_name_are_none(tmp_path):
    text = "번호,시작,배역,대사\n1,0:05,하나,안녕?\n2,,두나,응.\n3,,하나,응.\n4,,하나,가자.\n"
    path = timeline(tmp_path / "t.otio", ("1", 24), ("응", 48), ("응", 96), ("4", 144))
    lines, content = found(tmp_path, path, text=text)
    assert [start for _, start, _ in lines] == [5, None, None, 3606]
    assert "1 lines that have times in the script keep them" in content.understood[-2].say("en")


def test_a_drop_frame_edl_is_read_as_its_rate_says(tmp_path):
    edl = (
        "TITLE: x\nFCM: DROP FRAME\n\n001  AX V C 00:00:00:00 00:00:01:00 01:00:10;00 01:00:11;00\n"
    )
    (tmp_path / "t.edl").write_text(edl + "* FROM CLIP NAME: a_01.wav\n", encoding="utf-8")
    lines, _ = found(tmp_path, tmp_path / "t.edl", FrameRate.parse("29.97df"))
    assert lines[0][1] == pytest.approx(108192 * 1001 / 30000)
    with pytest.raises(ScriptError, match=r"drop frame .*give --fps 29\.97df"):
        found(tmp_path, tmp_path / "t.edl", FrameRate.parse("29.97ndf"))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("t.edl", "", "no clips or markers"), ("t.edl", "안녕", "no clips or markers|incomplete timeline"),
        ("t.edl", "001  AX V C 00:00:00:00 00:00:01:00 01:00:00:00\n", "no clips|incomplete timeline"),
        ("t.edl", "001  AX V C 00:00:00:00 00:00:01:00 01:00:00:31 01:00:01:00\n", "no frame 31"),
        ("t.otio", "", "damaged or incomplete timeline"), ("t.otio", "{}", "damaged or incomplete timeline"),
        ("t.otio", '{"OTIO_SCHEMA": "Clip.1"}', "a Clip, no timeline"),
        ("t.otio", "[" * 9000, "damaged or incomplete timeline"),
        ("t.otio", '{"OTIO_SCHEMA": "Timeline.1", "tracks": null}', "incomplete timeline|no clips"),
        ("t.aaf", "x", "of a kind without times; give .edl"), ("t.txt", "안녕?", "of a kind without times"),
        ("t.edl", None, "no such file|not there|missing"),
        ("t.srt", "1\n00:00:01,000 --> 00:00:02,000\n딴 말\n", "has the name"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_one_line(tmp_path, name, content, says):
    if content is not None:
        (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(ScriptError, match=says) as error:
        found(tmp_path, tmp_path / name, RATE)
    for lang in ("ko", "en"):
        assert "\n" not in error.value.say(lang) and name in error.value.say(lang)


@pytest.mark.parametrize("name", ["29.97", "29.97df", "25"])
def test_a_delivery_s_timeline_says_whether_frames_are_dropped(tmp_path, name):
    about = DeliverySpec(title="", date=datetime(2026, 1, 1), frame_rate=FrameRate.parse(name))
    clips = [Clip(id="0001", character="", text="", wave="a_01.wav", start=96000, samples=48000)]
    write_otio(tmp_path / "t.otio", clips, about)
    lines, content = found(tmp_path, tmp_path / "t.otio")
    assert lines[0][1:] == pytest.approx((2, 3))
    assert content.frame_rate == about.frame_rate


def test_an_edl_asks_for_its_frame_rate(tmp_path):
    path = timeline(tmp_path / "t.edl", ("a_01", 48))
    with pytest.raises(ScriptError, match=r"does not state its frame rate .* give --fps"):
        found(tmp_path, path)


def test_a_job_remembers_its_timeline(tmp_path):
    path = timeline(tmp_path / "t.otio", ("a_01", 48))
    file = JobFile(script=script(tmp_path), times=path, audio=tmp_path, cast=tmp_path / "cast.toml")
    assert _content(file.request(), Memory()).lines[0].start == 3602
    file.save(tmp_path)
    assert 'times = "t.otio"' in (tmp_path / "job.toml").read_text(encoding="utf-8")
