"""A recording that is missing: what is said of it."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moksori.dubbing.deliver.dapt import Event, write_dapt
from moksori.dubbing.deliver.spec import DeliverySpec
from moksori.dubbing.plan.takes import find_takes
from moksori.errors import ConfigError
from moksori.script.line import Line, Place
from moksori.script.script import read_script
from tests.dubbing.plan.test_takes import CAST, line, write


def told(folder, lines, pattern=None):
    found = find_takes(lines, folder, CAST, pattern=pattern)
    return {str(i.place): i.say("en") for i in found.issues if i.kind.startswith("no_audio")}, found


def test_a_recording_in_another_form_is_named(tmp_path):
    write(tmp_path / "1.wav")
    (tmp_path / "3.xyz").write_bytes(b"a form that nobody reads")
    why, _ = told(tmp_path, [line("1"), line("3")])
    assert why == {"row 3": "the recording “3” is there in a form that is not read: 3.xyz; export it "
                            "as WAV or FLAC"}  # fmt: skip


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (("001_하나", "002_둘", "003_하나"), "{no:03d}_{character}"),
        (("하나-1", "둘-2", "하나-3"), "{character}-{no}"),
        (("ep01_0001", "ep01_0002", "ep01_0003"), "ep01_{no:04d}"),
        (("a{x}01", "a{x}02", "a{x}03"), "a{{x}}{no:02d}"),
        (("1화/d1", "1화/d2", "1화/d3"), "{episode}/d{no}"),
    ],
)
def test_the_pattern_that_would_find_them_is_named_and_does(tmp_path, names, pattern):
    lines = [
        line(f"{i}", character=c, episode="1화") for i, c in enumerate(("하나", "둘", "하나"), 1)
    ]
    for name in names:
        write(tmp_path / f"{name}.wav")
    why, _ = told(tmp_path, lines)
    if "/d" in pattern or "a{" in pattern or "ep01" in pattern:
        # Another pattern may name the same files; whichever is proposed finds all.
        pattern = why["row 1"].split("--pattern '")[1].split("'")[0]
    assert f"--pattern '{pattern}' would find it" in why["row 1"]
    assert names[0] in why["row 1"]
    again, found = told(tmp_path, lines, pattern)
    assert again == {}
    assert [take.audio.relative_to(tmp_path).as_posix() for take in found.takes if take] == [
        f"{name}.wav" for name, one in zip(names, lines, strict=True) if one.character == "하나"
    ]


def test_lines_of_a_job_s_dapt_are_told_what_goes_with_them(tmp_path):
    """Not the job's `lines/`, as these begin before the speech, whose times the file has."""
    events = [
        Event(f"{n:04}_하나", "하나", "", "", "", "안녕?", (), 2.0 * n, 2.0 * n + 1) for n in (1, 2)
    ]
    spec = DeliverySpec(title="시험", date=datetime(2026, 1, 1))
    write_dapt(tmp_path / "dapt.xml", events, spec)
    lines = read_script(tmp_path / "dapt.xml").lines
    (tmp_path / "lines").mkdir()
    for event in events:
        write(tmp_path / "lines" / f"{event.id}.wav")
    why, _ = told(tmp_path / "lines", lines)
    assert len(why) == 2 and len({*why.values()}) == 1
    assert "reel.wav as --audio" in next(iter(why.values()))


def test_files_whose_names_have_no_pattern_are_named_alone(tmp_path):
    for name in ("001_안녕", "002_가자", "003_그래"):
        write(tmp_path / f"{name}.wav")
    why, _ = told(tmp_path, [line("1"), line("2"), line("3")])
    assert "but there is 002_가자.wav; correct the name" in why["row 2"]


def test_a_name_that_is_nearly_right_is_shown(tmp_path):
    write(tmp_path / "scene3_hana_take2.wav")
    why, _ = told(tmp_path, [line("1", file="scene3_hana_take1.wav")])
    assert "there is scene3_hana_take2.wav" in why["row 1"]


def test_nothing_alike_is_said_as_before(tmp_path):
    write(tmp_path / "music.wav")
    why, _ = told(tmp_path, [line("7")])
    assert "no recording “7”; put it into the folder" in why["row 7"]


def test_a_folder_without_recordings_says_what_is_in_it(tmp_path):
    (tmp_path / "대본.docx").write_bytes(b"x")
    with pytest.raises(ConfigError, match=r"what is read: \.wav.*what is there: 대본\.docx"):
        find_takes([line("1")], tmp_path, CAST)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text("ab0123_{}-", min_size=1, max_size=8), min_size=1, max_size=6, unique=True))
def test_whatever_is_proposed_finds_what_it_says(tmp_path_factory, stems):
    """Whatever the files are called: no pattern is proposed that does not find its line's recording."""
    folder = tmp_path_factory.mktemp("takes")
    for stem in stems:
        (folder / f"{stem}.wav").write_bytes(b"x")
    lines = [Line(Place("row", i), "가", no=str(i), character="하나") for i in range(1, 5)]
    issues = find_takes(lines, folder, CAST).issues
    for issue in issues:
        if issue.kind == "no_audio_pattern":
            asked = find_takes(lines, folder, CAST, pattern=str(issue.values["pattern"])).issues
            missing = {i.place for i in asked if i.kind.startswith(("no_audio", "several"))}
            assert issue.place not in missing


def test_a_number_that_is_missing_is_not_another_line_s(tmp_path):
    """8 is as like 7 as can be, and is another line's recording."""
    for number in (6, 8, 9):
        write(tmp_path / f"{number:04d}.wav")
    why, _ = told(tmp_path, [line(f"{number:04d}") for number in (6, 7, 8, 9)])
    (said,) = why.values()
    assert "no recording “0007”; put it into the folder" in said
