import errno
import os
import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from moksori.dubbing.plan.cast import Cast
from moksori.dubbing.plan.cuts import cut
from moksori.dubbing.plan.issues import entries
from moksori.dubbing.plan.naming import times_of_names
from moksori.dubbing.plan.speakers import named, with_prefixes
from moksori.dubbing.plan.takes import find_takes, name_lines
from moksori.dubbing.records import Change
from moksori.errors import AudioError, ConfigError
from moksori.script.line import Line, Place
from moksori.timecode import FrameRate, parse_time

CAST = Cast.model_validate({"characters": {"하나": {"voice": "lmy"}}})
RATE = 8000


def write(path, seconds=1.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.full(round(seconds * RATE), 0.1), RATE)


def line(no="1", **more):
    return Line(Place("row", no), "안녕?", no=no, **({"character": "하나"} | more))


def kinds(found):
    return [(i.severity, str(i.place), i.kind) for i in found.issues]


def test_files_are_found_by_name_with_or_without_ending(tmp_path):
    write(tmp_path / "a.wav", 0.5)
    write(tmp_path / "1화" / "나.flac")
    write(tmp_path / "._a.wav")
    lines = [line("1", file="a"), line("2", file="1화/나.flac", start=7.0), line("3", file="A.WAV")]
    found = find_takes(lines, tmp_path, CAST, origin=5.0)
    assert kinds(found) == [("warning", "row 3", "used_twice")]
    assert [take.audio.name for take in found.takes] == ["a.wav", "나.flac", "a.wav"]
    assert [take.samples for take in found.takes] == [RATE // 2, RATE, RATE // 2]
    assert [take.start for take in found.takes] == [None, 2.0, None]
    assert [take.id for take in found.takes] == ["0001_하나", "0002_하나", "0003_하나"]


def test_a_gain_of_what_stays_as_recorded_is_told(tmp_path):
    """It is not used: the role's, or the line's own; a voice of the line's own takes its gain."""
    write(tmp_path / "a.wav")
    write(tmp_path / "b.wav")
    write(tmp_path / "c.wav")
    cast = Cast.model_validate({
        "characters": {
            "하나": {"pass": True, "gain": 3.0}, "둘": {"pass": True}, "셋": {"voice": "lmy", "gain": 1},
        },
    })  # fmt: skip
    lines = [
        line("1", file="a"),
        line("2", file="b", character="둘"),
        line("3", file="c", character="셋"),
    ]
    found = find_takes(lines, tmp_path, cast)
    assert kinds(found) == [("warning", "row 1", "pass_gain")]
    assert "gain of +3 dB is not used" in found.issues[0].say("en") and len(found.takes) == 3
    changes = {
        "0001_하나": Change(gain=0.0),
        "0002_둘": Change(gain=-2.5),
        "0003_셋": Change(gain=-6.0),
    }
    found = find_takes(lines, tmp_path, cast, changes=changes)
    assert kinds(found) == [("warning", "row 2", "pass_gain_asked")]
    assert "-2.5 dB" in found.issues[0].say("ko")
    changes = {"0001_하나": Change(voice="kih"), "0002_둘": Change(voice="kih", gain=-2.5)}
    assert find_takes(lines, tmp_path, cast, changes=changes).issues == []


def test_a_decomposed_name_is_the_same_name(tmp_path):
    write(tmp_path / (unicodedata.normalize("NFD", "가나") + ".wav"))
    assert find_takes([line(file="가나")], tmp_path, CAST).takes


def test_full_width_numbers_are_numbers(tmp_path):
    write(tmp_path / "1.wav")
    write(tmp_path / "0012.wav")
    assert len(find_takes([line("１"), line("１２")], tmp_path, CAST).takes) == 2


def test_a_pattern_names_the_files(tmp_path):
    write(tmp_path / "0007.wav")
    assert find_takes([line("7")], tmp_path, CAST, pattern="{no:04d}.wav").takes
    assert find_takes([line("7")], tmp_path, CAST).takes  # the number alone serves too
    for pattern, message in (
        ("{number}.wav", "no field “number”"),
        ("{scene}.wav", "row 7: has no scene"),
        ("{character:04d}.wav", "cannot be read"),
        ("{no", "cannot be read"),
    ):
        with pytest.raises(ConfigError, match=message):
            find_takes([line("7")], tmp_path, CAST, pattern=pattern)


def test_what_is_missing_or_unsafe_is_found(tmp_path):
    write(tmp_path / "takes" / "a.wav")
    write(tmp_path / "takes" / "x" / "b.wav")
    write(tmp_path / "takes" / "y" / "b.wav")
    write(tmp_path / "outside.wav")
    (tmp_path / "takes" / "link.wav").symlink_to(tmp_path / "outside.wav")
    (tmp_path / "takes" / "bad.wav").write_text("no audio")
    lines = [
        line("1", file="none"),
        line("2", file="b"),
        line("3", file="../outside.wav"),
        line("4", file=str(tmp_path / "outside.wav")),
        line("5", file="C:\\takes\\a.wav"),
        line("6", file="link"),
        line("7", file="bad"),
        line("8", file="a", character="모름"),
        line("9", file="a", start=1.0),
    ]
    found = find_takes(lines, tmp_path / "takes", CAST, origin=2.0)
    assert not found.takes
    assert kinds(found) == [
        ("error", "row 1", "no_audio"),
        ("error", "row 2", "several_files"),
        ("error", "row 3", "outside"),
        ("error", "row 4", "outside"),
        ("error", "row 5", "outside"),
        ("error", "row 6", "outside"),
        ("error", "row 7", "unreadable"),
        ("error", "row 8", "no_role"),
        ("warning", "row 9", "used_twice"),
        ("error", "row 9", "before_start"),
        ("warning", "link.wav", "unused"),
        ("warning", "x/b.wav", "unused"),
        ("warning", "y/b.wav", "unused"),
    ]
    for issue in found.issues:
        for lang in ("ko", "en"):
            assert len(issue.say(lang)) > 10


def test_a_line_is_found_by_its_own_number_only(tmp_path):
    for name in ("0001", "0002", "12", "EP01", "EP01_001"):
        write(tmp_path / f"{name}.wav")
    lines = [line("1"), line(""), line("2"), line("12"), line("EP01_001")]
    found = find_takes(lines, tmp_path, CAST)
    names = [(take.line.no, take.audio.stem) for take in found.takes]
    assert names == [("1", "0001"), ("2", "0002"), ("12", "12"), ("EP01_001", "EP01_001")]
    assert kinds(found) == [("error", "row ", "no_name"), ("warning", "EP01.wav", "unused")]


def test_recordings_of_one_number_in_several_forms_are_told_as_such(tmp_path):
    for name in ("0001.wav", "0001.flac", "02.wav", "0002.wav"):
        write(tmp_path / name)
    found = find_takes([line("1"), line("2")], tmp_path, CAST)
    issue = found.issues[0]
    assert (issue.kind, issue.values["names"]) == ("several_files", "0001.flac, 0001.wav")
    assert [take.audio.name for take in found.takes] == ["02.wav"]


def test_a_recording_of_two_lines_is_told(tmp_path):
    write(tmp_path / "a.wav")
    found = find_takes([line("1", file="a"), line("2", file="a")], tmp_path, CAST)
    assert kinds(found) == [("warning", "row 2", "used_twice")]
    assert len(found.takes) == 2


def test_what_a_job_made_is_no_recording(tmp_path):
    write(tmp_path / "a.wav")
    write(tmp_path / "out" / "lines" / "0001.wav")
    write(tmp_path / "out" / ".moksori" / "lines" / "x.wav")
    found = find_takes([line(file="a")], tmp_path, CAST)
    assert not found.issues


def test_a_folder_without_recordings_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no recordings in it"):
        find_takes([line()], tmp_path, CAST)
    with pytest.raises(ConfigError, match="no such folder or file"):
        find_takes([line()], tmp_path / "none", CAST)


def test_folders_that_are_not_looked_into_are_told(tmp_path, monkeypatch):
    """Links to other places, as on a studio's server, and what one has no right to read."""
    for place in ("takes/a.wav", "server/b.wav", "takes/closed/c.wav", "takes/.trash/d.wav"):
        write(tmp_path / place)
    (tmp_path / "takes" / "linked").symlink_to(tmp_path / "server")
    (tmp_path / "takes" / "itself").symlink_to(tmp_path / "takes" / "closed")
    scan = os.scandir

    def scandir(path):
        if Path(path).name == "closed":
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = find_takes([line(file="a"), line("2", file="b")], tmp_path / "takes", CAST)
    assert kinds(found) == [
        ("error", "row 2", "no_audio"),
        ("warning", "linked", "folder_passed"),
        ("warning", "closed", "folder_passed"),
    ]
    assert [issue.say("en").partition(": ")[2] for issue in found.issues[1:]] == [
        "a link to another place; copy that folder here", "permission denied",
    ]  # fmt: skip
    (tmp_path / "takes" / "a.wav").unlink()
    with pytest.raises(ConfigError, match="“linked” in it was passed over: a link"):
        find_takes([line(file="a")], tmp_path / "takes", CAST)


def test_lines_with_one_number_are_faulty_and_the_others_are_not(tmp_path):
    for name in ("1", "2", "3"):
        write(tmp_path / f"{name}.wav")
    lines = [replace(line(no), place=Place("row", row)) for row, no in enumerate("12133", 1)]
    found = find_takes(lines, tmp_path, CAST)
    assert [take.line.no for take in found.takes] == ["2"]
    assert [entry.say_places("ko") for entry in entries(found.issues)] == ["1행, 3행", "4행, 5행"]
    assert "번호가 1인 줄이 2줄입니다" in found.issues[0].say("ko")
    assert {issue.severity for issue in found.issues} == {"error"}


def test_names_of_files_are_unique():
    assert name_lines([line("1"), line("1")]) == ["0001_하나", "0001_2_하나"]
    assert name_lines([line("a/b", character="../x"), line("a?b", character="../x")]) == [
        "0001_a_b____x",
        "0002_a_b____x",
    ]
    assert name_lines([line(""), line("7")]) == ["0001_하나", "0002_하나"]


def test_a_character_may_stand_before_the_text():
    hello = Line(Place("cue", 1), "안녕?", character="하나")
    for text in (
        "하나: 안녕?",
        "[하나] 안녕?",
        "(하나): 안녕?",
        "하 나 : 안녕?",
        "- 하나(N)： 안녕?",
    ):
        assert named(Line(Place("cue", 1), text), CAST) == ([hello], None), text
        assert named(replace(hello, text=text), CAST) == ([hello], None), text
    for text in (
        "결론: 가자",
        "3:00에 봐",
        "하나, 가자",
        "답은 하나: 사랑",
        "(하나를 보며) 안녕",
        "[웃음] 응",
    ):
        line = Line(Place("cue", 1), text)
        assert named(line, CAST) == ([line], None)
    other = Line(Place("cue", 1), "하나: 안녕?", character="둘")
    lines, why = named(other, CAST)
    assert lines == [other]
    assert "is “하나”, but the character is “둘”; correct one" in why.say("en")


def test_what_stands_before_several_lines_is_a_character():
    lines = [
        Line(Place("cue", 1), "하나: 가"),
        Line(Place("cue", 2), "결론: 나"),
        Line(Place("cue", 3), "하나: 다"),
    ]
    assert [line.character for line in with_prefixes(lines)] == ["하나", "", "하나"]


def test_a_prefix_that_is_nobody_in_the_cast_is_told(tmp_path):
    write(tmp_path / "1.wav")
    cast = Cast.model_validate({"default": {"voice": "lmy"}})
    found = find_takes([Line(Place("cue", 1), "두리: 안녕?", file="1")], tmp_path, cast)
    assert kinds(found) == [("note", "cue 1", "prefix"), ("note", "cue 1", "by_default")]
    assert found.takes[0].line.text == "두리: 안녕?"


def test_a_track_is_cut_with_handles_that_meet_half_way():
    lines = [
        line("1", start=10.0, end=12.0),
        line("2", start=12.2, end=14.0),
        line("3", start=16.0),
    ]
    assert cut(lines, 10.0, 8.0, 0.5) == [
        (0.0, pytest.approx(2.1)),
        (pytest.approx(2.1), pytest.approx(4.5)),
        (pytest.approx(5.5), 8.0),
    ]
    overlapping = [line("1", start=0.0, end=3.0), line("2", start=2.0, end=5.0)]
    assert cut(overlapping, 0.0, 9.0, 0.5) == [(0.0, 3.0), (2.0, 5.5)]


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(st.integers(0, 80), st.none() | st.integers(1, 30)), min_size=1, max_size=12
    ),
    st.sampled_from([0.0, 0.25, 2.0]),
)
def test_cuts_are_as_their_definition(rows, handles):
    """Handles end half-way to the nearest neighbour on either side, line by line."""
    lines = [
        line(f"{i}", start=s / 8, end=None if n is None else (s + n) / 8)
        for i, (s, n) in enumerate(rows)
    ]
    ends = []
    for one in lines:
        after = min((other.start for other in lines if other.start > one.start), default=15.0)
        ends.append(after if one.end is None else one.end)
    expected = []
    for i, (one, end) in enumerate(zip(lines, ends, strict=True)):
        others = [(other.start, ends[k]) for k, other in enumerate(lines) if k != i]
        before = [e if e <= one.start else one.start for s, e in others if s < one.start]
        later = [s if s >= end else end for s, e in others if e > end]
        left = max([one.start - handles, *((edge + one.start) / 2 for edge in before)])
        right = min([end + handles, *((edge + end) / 2 for edge in later)])
        expected.append((max(left, 0.0), max(end, min(right, 15.0))))
    assert cut(lines, 0.0, 15.0, handles) == expected


def test_takes_of_a_track_lie_where_they_were(tmp_path):
    write(tmp_path / "track.wav", 10.0)
    lines = [line("1", start=3601.0, end=3602.0), line("2", start=3609.0, end=3612.0)]
    found = find_takes(lines, tmp_path / "track.wav", CAST, origin=3600.0)
    (take,) = found.takes
    assert (take.begin, take.samples, take.start) == (RATE * 3 // 4, RATE * 3 // 2, 0.75)
    assert kinds(found) == [("error", "row 2", "off_track")]
    untimed = find_takes([*lines, line("3")], tmp_path / "track.wav", CAST, origin=3600.0)
    assert ("error", "row 3", "no_time") in kinds(untimed)
    (tmp_path / "bad.wav").write_text("x")
    with pytest.raises(AudioError, match="not a readable audio file"):
        find_takes(lines, tmp_path / "bad.wav", CAST)


def test_a_line_of_a_track_with_a_file_of_its_own_has_that(tmp_path):
    track = tmp_path / "track.wav"
    write(track, 10.0)
    new = tmp_path / unicodedata.normalize("NFD", "새로")  # as a Mac writes it
    write(new / "3.flac", 0.5)
    lines = [
        line(str(no), start=3600.0 + no, end=3600.5 + no, file=file)
        for no, file in enumerate(["", "TRACK", "새로/3", "3", "../x"], 1)
    ]
    found = find_takes(lines, track, CAST, origin=3600.0)
    assert [take.audio for take in found.takes] == [
        track, track, new / "3.flac", track,
    ]  # fmt: skip
    own = found.takes[2]
    assert (own.begin, own.samples, own.start, own.cut) == (0, RATE // 2, 3.0, False)
    assert kinds(found) == [("warning", "row 4", "not_beside"), ("error", "row 5", "outside")]


def test_a_faulty_line_has_no_take_but_keeps_its_name_and_its_recording(tmp_path):
    for no in "12":
        write(tmp_path / "takes" / f"{no}.wav")
    write(tmp_path / "track.wav", 9.0)
    lines = [line("1"), line("2", start=4.0, end=5.0)]
    found = find_takes(lines, tmp_path / "takes", CAST, faulty={lines[0].place})
    assert [take.id for take in found.takes] == ["0002_하나"]
    assert [*found.lines] == ["0001_하나", "0002_하나"]
    assert not found.issues  # 1.wav is used, by the line that is faulty
    found = find_takes(lines, tmp_path / "track.wav", CAST, faulty={lines[0].place})
    assert [take.id for take in found.takes] == ["0002_하나"]
    assert [*found.lines] == ["0001_하나", "0002_하나"]


def test_several_people_on_one_recording_are_asked_about_and_never_the_default(tmp_path):
    write(tmp_path / "1.wav")
    roles = {"하나": {"voice": "lmy"}}
    cast = Cast.model_validate({"characters": roles, "default": {"voice": "kih"}})
    for name in ("하나/두나", "전원"):
        found = find_takes([line(character=name)], tmp_path, cast)
        assert kinds(found) == [("error", "row 1", "several_characters")]
        assert name in found.issues[0].say("ko")
        assert not found.takes
        roles = {name: {"pass": True}}
        decided = Cast.model_validate({"characters": roles, "default": {"voice": "kih"}})
        (take,) = find_takes([line(character=name)], tmp_path, decided).takes
        assert take.role.as_recorded
    strangers = Cast.model_validate({"default": {"voice": "kih"}})
    found = find_takes([line(character="엄마&아빠")], tmp_path, strangers)  # may be one name
    assert ("warning", "row 1", "several_by_default") in kinds(found)
    assert found.takes[0].role.voice == "kih"
    assert not find_takes([line(character="전원")], tmp_path, strangers).takes


FILM = FrameRate.parse("24")


def test_recordings_are_found_by_the_time_codes_in_their_names(tmp_path):
    """A script counts in thousandths, the names in frames; two characters speak at one time."""
    for name in (
        "하나_01.00.10.12",
        "두나_01.00.10.12",
        "ep1 01.00.20.00",
        "99.99.99.99",
        "1.00.10.12.13",
    ):
        write(tmp_path / f"{name}.wav")
    lines = [
        line("1", start=3610.5), line("2", start=3620.004), line("3", start=3630.0),
        Line(Place("row", 4), "안녕?", start=3620.01, character="하나"),
    ]  # fmt: skip
    found = find_takes(lines, tmp_path, CAST, 3600.0, frame_rate=FILM)
    assert [take.audio.name for take in found.takes] == [
        "하나_01.00.10.12.wav", "ep1 01.00.20.00.wav", "ep1 01.00.20.00.wav",
    ]  # fmt: skip
    assert [take.start for take in found.takes] == pytest.approx([10.5, 20.004, 20.01])
    assert ("error", "row 3", "no_audio") in kinds(found)
    assert ("warning", "row 4", "used_twice") in kinds(found)
    unnamed = find_takes([line("1", start=3610.5, character="")], tmp_path, CAST, frame_rate=FILM)
    assert kinds(unnamed)[0] == ("error", "row 1", "several_files")
    asked = find_takes([line("1", start=3610.5)], tmp_path, CAST)
    assert "--fps" in asked.issues[0].say("ko")
    numbered = tmp_path / "numbered"
    write(numbered / "1.wav")
    assert find_takes([line("1", start=3610.5)], numbered, CAST, 3600.0).takes  # nothing to ask


def test_a_line_without_a_time_is_placed_by_its_recording_s_name(tmp_path):
    for name in ("01.00.10.12", "a_01.00.59;28", "b", "99.99.99.99"):
        write(tmp_path / f"{name}.wav")
    lines = [line(n, file=f) for n, f in (("1", "01.00.10.12"), ("2", "a_01.00.59;28"), ("3", "b"))]
    lines += [line("4", file="99.99.99.99"), line("5", file="b", start=7.0), line("6", file="none")]
    assert [one.start for one in times_of_names(lines, tmp_path, None, FILM)] == [
        3610.5, None, None, None, 7.0, None,
    ]  # fmt: skip  # there is no frame 28 of 24
    drop = times_of_names(lines, tmp_path, None, FrameRate.parse("29.97df"))
    assert drop[1].start == parse_time("01:00:59;28", FrameRate.parse("29.97df"))
    assert times_of_names(lines, tmp_path, None, None) == lines
    assert times_of_names(lines, tmp_path / "01.00.10.12.wav", None, FILM) == lines
