import csv
from datetime import datetime
from urllib.parse import unquote

import opentimelineio as otio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moksori.dubbing.deliver.clips import Clip
from moksori.dubbing.deliver.spec import DeliverySpec
from moksori.dubbing.deliver.timeline import Word, write_edl, write_otio, write_words
from moksori.errors import OutputError, ScriptError
from moksori.formulas import as_written
from moksori.timecode import FrameRate, parse_time

RATE = 48000
HOUR = 3600 * RATE


def made(id, character, text, wave, start, samples) -> Clip:
    return Clip(id=id, character=character, text=text, wave=wave, start=start, samples=samples)


def spec(title, frame_rate=FrameRate(25), start=0.0, sample_rate=RATE) -> DeliverySpec:
    return DeliverySpec(
        title=title, date=datetime(2026, 1, 1), frame_rate=frame_rate, start_timecode=start,
        sample_rate=sample_rate,
    )  # fmt: skip


CLIPS = [
    made("0001_하나", "하나", "안녕?\n나야.", "하나/0001_하나.wav", 2 * RATE, RATE),
    made("0002_둘", "둘", "* 뭐라고: 001 AX?", "둘/0002_둘 50%.wav", 5 * RATE // 2, 3 * RATE),
    made("0003_하나", "하나", "셋", "하나/0003_하나.wav", 3 * RATE, 10),
    made("0003b", "", "", "no #name?/0003b.wav", 10 * RATE, RATE // 3),
]


def edl(tmp_path, clips, fps="24", reel="01:00:00:00", title="1화"):
    """Write a list and read it with OpenTimelineIO's adapter: {clip name: (track, its clip)}."""
    rate = FrameRate.parse(fps)
    path = tmp_path / "a.edl"
    write_edl(path, clips, spec(title, rate, parse_time(reel, rate)))
    timeline = otio.adapters.read_from_file(str(path), "cmx_3600", rate=float(rate.fps))
    found = {clip.name: (track.name, clip) for track in timeline.tracks for clip in track}
    return timeline, {k: v for k, v in found.items() if isinstance(v[1], otio.schema.Clip)}


def rows(tmp_path):
    lines = (tmp_path / "a.edl").read_text(encoding="utf-8").splitlines()
    return [" ".join(line.split()) for line in lines if line[:1].isdigit()]


def test_edl_is_read_by_another_program(tmp_path):
    timeline, found = edl(tmp_path, CLIPS[::-1])
    assert timeline.name == "1화"
    assert [track.kind for track in timeline.tracks] == ["Audio"] * 2
    assert list(found) == ["0001_하나.wav", "0003_하나.wav", "0003b.wav", "0002_둘 50%.wav"]
    assert [track for track, _ in found.values()] == ["A1", "A1", "A1", "A2"]
    assert rows(tmp_path) == [
        "001 0001 A C 01:00:02:00 01:00:03:00 01:00:02:00 01:00:03:00",
        "002 0002 A2 C 01:00:02:12 01:00:05:12 01:00:02:12 01:00:05:12",
        "003 0003 A C 01:00:03:00 01:00:03:01 01:00:03:00 01:00:03:01",
        "004 L0001 A C 01:00:10:00 01:00:10:08 01:00:10:00 01:00:10:08",
    ]
    comments = {name: clip.metadata["cmx_3600"]["comments"] for name, (_, clip) in found.items()}
    assert list(comments["0001_하나.wav"]) == ["COMMENT: 하나: 안녕? 나야."]
    assert list(comments["0002_둘 50%.wav"]) == ["COMMENT: 둘: * 뭐라고: 001 AX?"]
    for name, (_, clip) in found.items():
        assert len(clip.metadata["cmx_3600"]["reel"]) <= 8
        start = next(c.start for c in CLIPS if c.wave.endswith(name)) / RATE
        begins = clip.source_range.start_time.to_seconds()  # as the wave's time reference says
        assert begins == pytest.approx(3600 + start), name


@pytest.mark.parametrize(
    ("fps", "reel", "mode"),
    [
        ("23.976", "01:00:00:00", "NON-DROP FRAME"),
        ("25", "10:00:00:00", "NON-DROP FRAME"),
        ("29.97", "00:59:59:00", "NON-DROP FRAME"),
        ("29.97df", "00:59:50;00", "DROP FRAME"),
        ("59.94df", "01:00:00;00", "DROP FRAME"),
    ],
)
def test_edl_times_are_the_nearest_frame_s(tmp_path, fps, reel, mode):
    clips = [made(f"{n:04}", "하나", "가", f"{n}.wav", n * 1_234_567, 1_000_003) for n in range(40)]
    _, found = edl(tmp_path, clips, fps, reel)
    rate = FrameRate.parse(fps)
    frame = float(1 / rate.fps)
    begin = parse_time(reel, rate)
    assert f"FCM: {mode}" in (tmp_path / "a.edl").read_text(encoding="utf-8").splitlines()
    for clip, row in zip(clips, rows(tmp_path), strict=True):
        record = [
            otio.opentime.from_timecode(code, float(rate.fps)).to_seconds()
            for code in row.split()[-2:]
        ]
        assert record[0] == pytest.approx(begin + clip.start / RATE, abs=0.501 * frame)
        end = begin + (clip.start + clip.samples) / RATE
        assert record[1] == pytest.approx(end, abs=0.501 * frame)
        duration = found[clip.wave][1].source_range.duration.to_seconds()
        assert duration == pytest.approx(record[1] - record[0], abs=1e-3 * frame)


def test_edl_lists_a_fifth_line_at_once_and_says_so(tmp_path):
    clips = [made(f"{n:04}", f"{n}", "아!", f"{n}.wav", n * 4800, RATE) for n in range(6)]
    _, found = edl(tmp_path, clips)
    assert [track for track, _ in found.values()] == ["A1", "A2", "A3", "A4", "A5", "A6"]
    told = [
        len(clip.metadata["cmx_3600"]["comments"]) for _, clip in found.values()
    ]  # the line, and the fault
    assert told == [1, 1, 1, 1, 2, 2]
    assert "5 LINES AT ONCE" in (tmp_path / "a.edl").read_text()


def test_edl_channels_are_free_again_when_lines_end(tmp_path):
    clips = [made(f"{n:04}", "하나", "네", f"{n}.wav", n * RATE, RATE) for n in range(9)]
    _, found = edl(tmp_path, clips)
    assert {track for track, _ in found.values()} == {"A1"}


def test_edl_reel_names_are_unique_and_short(tmp_path):
    ids = ["12_가", "12_나", "나 12", "123456789", "00000012_긴", "L0001", "12"]
    clips = [made(name, "", "", f"{i}.wav", i * RATE, 9) for i, name in enumerate(ids)]
    edl(tmp_path, clips)
    reels = [row.split()[1] for row in rows(tmp_path)]
    assert reels[0] == "12"
    assert reels[4] == "00000012"
    assert len(set(reels)) == len(ids)
    assert all(reel.isascii() and reel.isalnum() and len(reel) <= 8 for reel in reels)


def test_no_time_code_after_a_day(tmp_path):
    with pytest.raises(ScriptError, match="reel's start"):
        write_edl(tmp_path / "a.edl", CLIPS, spec("", FrameRate(25), 24 * 3600 - 3))
    assert list(tmp_path.iterdir()) == []


lines = st.lists(
    st.tuples(st.sampled_from(["하나", "둘", ""]), st.integers(0, 3 * HOUR), st.integers(1, HOUR)),
    min_size=1,
    max_size=8,
)


@given(lines, st.sampled_from([44100, 48000, 96000]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_otio_is_exact_to_the_sample(tmp_path, drawn, rate):
    clips = [
        made(f"{i}", character, f"“{i}”", f"a b/{i}_하나#%?.wav", start, samples)
        for i, (character, start, samples) in enumerate(drawn)
    ]
    write_otio(tmp_path / "a.otio", clips, spec("1화", start=3600.0, sample_rate=rate))
    timeline = otio.adapters.read_from_file(str(tmp_path / "a.otio"))
    assert timeline.name == "1화"
    assert timeline.global_start_time == otio.opentime.RationalTime(3600 * rate, rate)
    found = list(timeline.find_clips())
    assert sorted(clip.name for clip in found) == sorted(clip.id for clip in clips)
    by_id = {clip.id: clip for clip in clips}
    for clip in found:
        own = by_id[clip.name]
        place = clip.range_in_parent()
        assert (place.start_time.value, place.start_time.rate) == (own.start, rate)
        assert place.duration.value == own.samples
        assert clip.transformed_time_range(clip.source_range, timeline.tracks) == place
        assert unquote(clip.media_reference.target_url) == own.wave
        assert not set(" #?하") & set(clip.media_reference.target_url)
        assert clip.media_reference.available_range.duration.value == own.samples
        assert dict(clip.metadata["moksori"]) == {
            "id": own.id,
            "text": own.text,
            "character": own.character,
        }
        assert clip.parent().metadata["moksori"]["character"] == own.character
        assert clip.parent().kind == otio.schema.TrackKind.Audio


@pytest.mark.parametrize("fps", ["23.976", "25", "29.97df", "60"])
@pytest.mark.parametrize("late", [0, 0.3, 0.7])
def test_otio_begins_with_a_frame_s_time_code(tmp_path, fps, late):
    """Samples have none: converters of OpenTimelineIO fail, or count a second of 48,000 frames."""
    rate = FrameRate.parse(fps)
    hour = parse_time("10:00:00:00", rate)
    about = spec("1화", rate, hour + late / float(rate.fps))
    write_otio(tmp_path / "a.otio", CLIPS, about)
    timeline = otio.adapters.read_from_file(str(tmp_path / "a.otio"))
    begin = timeline.global_start_time
    assert (begin.value, begin.rate) == (round(hour * rate.fps), float(rate.fps))
    assert rate.code(int(begin.value)) == about.timecode(-late / float(rate.fps))
    otio.opentime.to_timecode(begin, begin.rate)
    origin = about.sample(about.start_timecode)
    for clip in timeline.find_clips():
        own = next(one for one in CLIPS if one.id == clip.name)
        place = begin.to_seconds() + clip.range_in_parent().start_time.to_seconds()
        assert round(place * RATE) == origin + own.start == clip.source_range.start_time.value


@pytest.mark.parametrize("fps", ["23.976", "24", "29.97df", "59.94df"])
def test_a_wave_s_times_are_its_own_in_the_edl_and_in_the_otio(tmp_path, fps):
    """Its time reference, which programs read from the file, or they do not find the clip's part of it."""
    rate = FrameRate.parse(fps)
    about = spec("1화", rate, parse_time("10:00:00:00", rate))
    clips = [made(f"{n:04}", "하나", "가", f"{n}.wav", n * 1_234_567, 96_000) for n in range(5)]
    write_otio(tmp_path / "a.otio", clips, about)
    timeline = otio.adapters.read_from_file(str(tmp_path / "a.otio"))
    _, listed = edl(tmp_path, clips, fps, "10:00:00:00")
    for clip, own in zip(timeline.find_clips(), clips, strict=True):
        begins = clip.source_range.start_time
        assert (begins.value, begins.rate) == (about.reference(own.start / RATE, RATE), RATE)
        assert clip.source_range == clip.available_range()
        frame = listed[own.wave][1].source_range.start_time
        assert begins.to_seconds() == pytest.approx(frame.to_seconds(), abs=0.501 / float(rate.fps))


def test_otio_has_a_track_a_character_and_more_only_where_lines_overlap(tmp_path):
    clips = [
        made("1", "하나", "", "1.wav", 0, 10),
        made("2", "둘", "", "2.wav", 5, 10),
        made("3", "하나", "", "3.wav", 9, 10),
        made("4", "하나", "", "4.wav", 10, 10),
        made("5", "", "", "5.wav", 90, 10),
    ]
    write_otio(tmp_path / "a.otio", clips, spec(""))
    timeline = otio.adapters.read_from_file(str(tmp_path / "a.otio"))
    tracks = {track.name: [clip.name for clip in track.find_clips()] for track in timeline.tracks}
    assert tracks == {"하나": ["1", "4"], "하나 2": ["3"], "둘": ["2"], "no name": ["5"]}


def test_words_are_a_table_with_time_codes(tmp_path):
    words = [
        Word(id="0001_하나", character="하나", word="안녕,", start=0.0, end=0.5),
        Word(id="0001_하나", character="하나", word="“나야”", start=0.5, end=61.02),
    ]
    rate = FrameRate.parse("29.97df")
    write_words(tmp_path / "a.csv", words, spec("", rate, parse_time("01:00:00;00", rate)))
    assert (tmp_path / "a.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    assert [(row["id"], row["character"], row["word"]) for row in table] == [
        word[:3] for word in words
    ]
    assert [(row["start (s)"], row["end (s)"]) for row in table] == [
        ("0.000", "0.500"),
        ("0.500", "61.020"),
    ]
    for row, word in zip(table, words, strict=True):
        for column, time in (("timecode in", word.start), ("timecode out", word.end)):
            code = otio.opentime.from_timecode(row[column], 30000 / 1001)
            start = otio.opentime.from_timecode("01:00:00;00", 30000 / 1001)
            assert (code - start).to_seconds() == pytest.approx(time, abs=0.502 / 29.97)


@pytest.mark.parametrize(
    "name",
    [
        '=HYPERLINK("http://x")',
        "+82 하나",
        "-하나",
        "@SUM(A1)",
        "\t=1",
        " =1",
        "a;=1",
        "＝1",
        "x\n=1",
    ],
)
def test_no_name_is_run_as_a_formula(tmp_path, name):
    """As LibreOffice, Excel and others read it: no cell, by whatever separator, begins with a sign."""
    write_words(
        tmp_path / "a.csv", [Word("0001_=1", name, name, 0.0, 0.5)], spec("", FrameRate(25))
    )
    content = (tmp_path / "a.csv").read_text(encoding="utf-8-sig").splitlines()
    for separator in ",;\t|":
        for row in csv.reader(content, delimiter=separator):
            assert not [cell for cell in row if cell.lstrip(' "').startswith(tuple("=+-@＝＋－＠"))]
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert as_written(row["character"]) == name


def test_files_are_whole_and_the_same_each_time(tmp_path):
    def write(folder):
        write_edl(folder / "a.edl", CLIPS, spec("1화", FrameRate(24), 3600.0))
        write_otio(folder / "a.otio", CLIPS, spec("1화", start=3600.0))
        write_words(folder / "a.csv", [], spec("", FrameRate(24)))

    contents = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write(tmp_path / name)
        contents.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert contents[0] == contents[1]
    assert sorted(contents[0]) == ["a.csv", "a.edl", "a.otio"]
    with pytest.raises(OutputError, match="missing: no such folder"):
        write(tmp_path / "missing")


def test_nothing_to_list_is_an_empty_list(tmp_path):
    write_edl(tmp_path / "a.edl", [], spec("1화", FrameRate(24)))
    write_otio(tmp_path / "a.otio", [], spec("1화"))
    assert len(otio.adapters.read_from_file(str(tmp_path / "a.edl")).tracks) == 0
    assert len(otio.adapters.read_from_file(str(tmp_path / "a.otio")).tracks) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.edl", "a.otio"]
