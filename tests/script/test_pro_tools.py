"""Sessions of Pro Tools as text, in the form that ptulsconv's grammar has of it."""

import pytest

from moksori.errors import ScriptError
from moksori.script.pro_tools import read_session
from moksori.script.script import read_script
from moksori.timecode import FrameRate

ROW = "{channel:<8}\t{event:<8}\t{name:<30}\t   {start}\t   {end}\t   00:00:02:00\t   00:00:00:00\t{state}\n"
COLUMNS = (
    "CHANNEL \tEVENT   \tCLIP NAME                     \tSTART TIME    \tEND TIME      \tDURATION      \t"
    "TIMESTAMP         \tSTATE\n"
)


def head(format="24 Frame", start="01:00:00:00"):
    return (
        "SESSION NAME:\t목소리\nSAMPLE RATE:\t48000.000000\nBIT DEPTH:\t24-bit\n"
        f"SESSION START TIMECODE:\t{start}\nTIMECODE FORMAT:\t{format}\n"
        "# OF AUDIO TRACKS:\t2\n# OF AUDIO CLIPS:\t4\n# OF AUDIO FILES:\t1\n\n\n"
        "T R A C K  L I S T I N G\n"
    )


def clip(name, start="01:00:10:12", end="01:00:12:00", channel=1, event=1, state="Unmuted"):
    return ROW.format(name=name, start=start, end=end, channel=channel, event=event, state=state)


def track(name, *clips, comments=""):
    about = (
        f"TRACK NAME:\t{name}\nCOMMENTS:\t{comments}\nUSER DELAY:\t0 Samples\nSTATE: \nPLUG-INS: \n"
    )
    return f"{about}{COLUMNS}{''.join(clips)}\n\n"


def write(path, *tracks, markers="", **about):
    path.write_text(head(**about) + "".join(tracks) + markers, encoding="utf-8")
    return path


def lines(path, **more):
    return [(x.character, x.text, x.start, x.end) for x in read_script(path, **more).lines]


def told(path, **more):
    content = read_script(path, **more)
    return "\n".join(one.say("en") for one in [*content.understood, *content.warnings])


MARKERS = (
    "M A R K E R S  L I S T I N G\n#   \tLOCATION     \tTIME REFERENCE    \tUNITS    \tNAME                "
    "             \tCOMMENTS\n1   \t01:00:10:00  \t480000            \tSamples  \t컷 1               \t\n"
)


def session(path):
    first = clip("안녕? $QN=101 {R=잡음}")
    later = clip("{Note=더 밝게} 가자! [ADR] $QN=103", "01:00:20:00", "01:00:21:00", event=2)
    second = (
        clip("그래, $QN=102", "01:00:13:00", "01:00:14:00"),
        clip("& 나도 갈게.", "01:00:14:00", "01:00:15:00", event=2),
        clip("지운 대사. $QN=104", "01:00:16:00", "01:00:17:00", event=3, state="Muted"),
        clip("뺄 대사. $QN=105 [OMIT]", "01:00:17:00", "01:00:18:00", event=4),
    )
    scenes = (
        clip("@ {Sc=1 거실}", "01:00:00:00", "01:00:15:00"),
        clip("@{Sc=2 골목}", "01:00:15:00", "01:00:30:00", event=2),
    )
    return write(
        path,
        track("하나", first, later, comments="[ADR] {Actor=김성우} $CN=1"),
        track("두나", *second),
        track("씬", *scenes),
        track("음악 (Stereo)", clip("MX_01.L"), clip("MX_01.R", channel=2)),
        markers=MARKERS,
    )


def test_clips_are_lines_and_tracks_characters(tmp_path):
    content = read_script(session(tmp_path / "a.txt"))
    assert [
        (x.no, x.character, x.actor, x.text, x.start, x.end, x.scene, x.note) for x in content.lines
    ] == [
        ("101", "하나", "김성우", "안녕?", 3610.5, 3612, "1 거실", "잡음"),
        ("102", "두나", "", "그래, 나도 갈게.", 3613, 3615, "1 거실", ""),
        ("103", "하나", "김성우", "가자!", 3620, 3621, "2 골목", "더 밝게"),
    ]
    assert content.frame_rate == FrameRate(24)
    text, rows = (
        told(tmp_path / "a.txt"),
        (tmp_path / "a.txt").read_text(encoding="utf-8").split("\n"),
    )
    at = next(number for number, row in enumerate(rows, 1) if "지운 대사" in row)
    assert (
        "a session of Pro Tools; 3 clips read as lines, tracks as characters (24 frames a second): 하나 (2)"
        in text
    )
    assert f"so not read: 2 clips: line {at} “지운 대사.”; line {at + 1} “뺄 대사.”" in text
    assert "clips whose names are no lines, not read, by track: 음악 (Stereo) (1)" in text
    assert "지운 대사." in [
        line.text for line in read_script(tmp_path / "a.txt", hidden=True).lines
    ]


def test_ptulsconv_reads_the_same(tmp_path):
    """An independent parser: what it takes for a session, and the clips that it finds."""
    parser = pytest.importorskip("ptulsconv.docparser")
    text = session(tmp_path / "a.txt").read_text(encoding="utf-8")
    theirs = parser.parse_document(text)
    found = {
        (track.name, clip.start_timecode)
        for track in theirs.tracks for clip in track.clips if "QN" in clip.clip_name
    }  # fmt: skip
    ours = {(x.character, x.start) for x in read_script(tmp_path / "a.txt", hidden=True).lines}
    assert len(found) - 1 == len(ours)  # the omitted one
    assert theirs.header.timecode_format.logical_fps == 24 and len(theirs.markers) == 1


@pytest.mark.parametrize(
    ("format", "start", "written", "seconds"),
    [
        ("24 Frame", "01:00:00:00", "01:00:10:12", 3610.5),
        ("24 Frame", "01:00:00:00.00", "01:00:10:12.50", 3610.5208),
        ("29.97 Drop Frame", "01:00:00;00", "01:00:10;00", 3610.0064),
        ("29.97 Frame", "01:00:00:00", "01:00:10:00", 3613.61),
        ("25 Frame", "01:00:00:00", "0:10.500", 3610.5), ("25 Frame", "00:59:50:00", "504000", 3600.5),
        ("23.976 Frame", "01:00:00:00", "01:00:00:00", 3603.6),
    ],
)  # fmt: skip
def test_times_however_the_session_shows_them(tmp_path, format, start, written, seconds):
    path = write(
        tmp_path / "a.txt",
        track("하나", clip("안녕?", written, written)),
        format=format,
        start=start,
    )
    (found,) = read_session(path, path.read_text(encoding="utf-8")).clips
    assert found.times[0] == pytest.approx(seconds, abs=1e-3)


def test_without_cue_numbers_speech_is_told_from_names_of_recordings(tmp_path):
    path = write(
        tmp_path / "a.txt",
        track("하나", clip("안녕?"), clip("하나_0012-01", event=2)),
        track("DX", clip("Audio 1-01")),
    )
    assert [text for _, text, *_ in lines(path)] == ["안녕?"]
    assert "not read, by track: 하나 (1), DX (1)" in told(path)


BAD = {
    "no format": (
        head().replace("TIMECODE FORMAT:\t24 Frame\n", "") + track("하나", clip("안녕?")),
        "without its TIMECODE FORMAT",
    ),
    "odd format": (head("Feet") + track("하나", clip("안녕?")), "without its TIMECODE FORMAT"),
    "odd rate": (head("48 Frame") + track("하나", clip("안녕?")), "48"),
    "head alone": (head(), "its clips are named as recordings are, not as lines: —"),
    "cut": (head()[:60], "without its TIMECODE FORMAT"),
    "takes": (head() + track("하나", clip("하나_0012-01")), "and this file by --times"),
    "feet": (
        head() + track("하나", clip("안녕?", "12+00.00", "14+00.00")),
        "“12\\+00.00” is a time that cannot be read",
    ),
    "no such frame": (head() + track("하나", clip("안녕?", "01:00:10:31")), "no frame 31"),
    "backwards": (head() + track("하나", clip("안녕?", "01:00:13:00")), "3613.000"),
    "whole page": (head() + track("하나", clip("안녕? " * 900)), "is it a whole page"),
    "nothing": ("SESSION NAME:\t\n", "without its TIMECODE FORMAT"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_one_line(tmp_path, name):
    content, says = BAD[name]
    path = tmp_path / "a.txt"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ScriptError, match=says) as error:
        read_script(path)
    for lang in ("ko", "en"):
        assert "\n" not in error.value.say(lang) and str(path) in error.value.say(lang)
