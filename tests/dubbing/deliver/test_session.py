"""Sessions for editing programs, read back by libraries that are not ours."""

import hashlib
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from urllib.parse import unquote, urlparse

import aaf2
import numpy as np
import opentimelineio as otio
import pytest
import rpp
import soundfile

from moksori.dubbing.deliver.aaf import write_aaf
from moksori.dubbing.deliver.clips import COLOURS, Clip, Marker
from moksori.dubbing.deliver.markers import write_marker_table, write_marker_text
from moksori.dubbing.deliver.mix import Placed, mix
from moksori.dubbing.deliver.reaper import write_rpp
from moksori.dubbing.deliver.spec import DeliverySpec
from moksori.dubbing.deliver.timeline import write_edl, write_otio
from moksori.signal.bwf import Broadcast, write_bext
from moksori.timecode import NTSC_DROP, FrameRate, to_frames

SPEC = DeliverySpec(
    title="시험 1화",
    date=datetime(2024, 5, 6, 7, 8, 9),
    start_timecode=3599.9964,
    frame_rate=NTSC_DROP,
)
NASTY = "\"크게\" '더' `지금`\n두 번째 <줄> >"


@pytest.fixture
def job(tmp_path):
    """A job's folder with converted lines, and recordings of another rate beside it."""
    out, takes = tmp_path / "out", tmp_path / "녹음 1"
    (out / "lines").mkdir(parents=True)
    (out / ".moksori" / "lines").mkdir(parents=True)
    takes.mkdir()
    clips = []
    lines = [
        ("하나", 48001, ""),
        ("둘", 60000, "look"),
        ("하나", 72000, "retake"),
        ("하나", 480000, "ok"),
    ]
    for number, (character, start, look) in enumerate(lines, 1):
        id = f"{number:04d}_{character}"
        soundfile.write(out / "lines" / f"{id}.wav", np.zeros(22050), 22050, "PCM_16")
        shutil.copyfile(out / "lines" / f"{id}.wav", kept(out, id))
        source = takes / f"{number}.{'flac' if number == 2 else 'wav'}"
        soundfile.write(source, np.zeros((44100, 2)), 22050, "PCM_24")
        clips.append(
            Clip(
                id=id, character=character, text=NASTY if number == 1 else "안녕?", wave=f"lines/{id}.wav",
                start=start, samples=48000, source=source, source_begin=0.25 * number, look=look,
            )
        )  # fmt: skip
    markers = [
        Marker(id=clip.id, character=clip.character, start=clip.start, samples=48000, look=clip.look,
               note=NASTY)
        for clip in clips if clip.look in ("look", "retake")
    ]  # fmt: skip
    return out, clips, markers[::-1]


def kept(out, id):
    """Where the job has a line's wave until it is delivered: named by what it was made of."""
    return out / ".moksori" / "lines" / f"{hashlib.sha256(id.encode()).hexdigest()}.wav"


def waves_of(out, clips):
    return {clip.id: kept(out, clip.id) for clip in clips}


def value(element, name):
    return next(row[1:] for row in element if not isinstance(row, rpp.Element) and row[0] == name)


def test_no_track_is_called_as_another_character_s(job, tmp_path):
    """Of overlapping lines of 하나 the later are not on a track called 하나 2, which is somebody else."""
    _, clips, _ = job
    who = ("하나", "하나", "하나 2", "")
    clips = [
        replace(clip, character=name, start=10 * n)
        for n, (clip, name) in enumerate(zip(clips, who, strict=True))
    ]
    write_otio(tmp_path / "reel.otio", clips, SPEC)
    made = otio.adapters.read_from_file(str(tmp_path / "reel.otio"))
    assert [
        (track.name, track.find_clips()[0].metadata["moksori"]["character"])
        for track in made.tracks
    ] == [
        ("하나", "하나"),
        ("하나 3", "하나"),
        ("하나 2", "하나 2"),
        ("no name", ""),
    ]
    write_rpp(tmp_path / "session.rpp", clips, [], SPEC, 0.0, tmp_path)
    tracks = rpp.loads((tmp_path / "session.rpp").read_text(encoding="utf-8")).findall("TRACK")
    assert len({value(track, "TRACKID")[0] for track in tracks}) == len(tracks) == 8


def test_reaper(job):
    out, clips, markers = job
    write_rpp(out / "session.rpp", clips, markers, SPEC, -6.0, out)
    project = rpp.loads((out / "session.rpp").read_text(encoding="utf-8"))
    assert float(value(project, "PROJOFFS")[0]) == pytest.approx(3599.9964)
    tracks = project.findall("TRACK")
    assert [value(track, "NAME")[0] for track in tracks] == [
        "하나", "하나 (source)", "하나 2", "하나 2 (source)", "둘", "둘 (source)",
    ]  # fmt: skip
    assert [value(track, "MUTESOLO")[0] for track in tracks] == ["0", "1"] * 3
    gains = [float(value(track, "VOLPAN")[0]) for track in tracks]
    assert gains == pytest.approx([10 ** (-6 / 20), 1] * 3)
    by_id = {clip.id: clip for clip in clips}
    found = []
    for track in tracks:
        muted = value(track, "MUTESOLO")[0] == "1"
        for item in track.findall("ITEM"):
            clip = by_id[value(item, "NAME")[0]]
            found.append(clip.id)
            assert round(float(value(item, "POSITION")[0]) * 48000) == clip.start
            assert round(float(value(item, "LENGTH")[0]) * 48000) == clip.samples
            file = out / value(item.find("SOURCE"), "FILE")[0]
            if muted:
                assert file.resolve() == clip.source
                assert float(value(item, "SOFFS")[0]) == clip.source_begin
                assert item.find("SOURCE").attrib[0] == (
                    "FLAC" if file.suffix == ".flac" else "WAVE"
                )
                continue
            assert file.resolve() == out / clip.wave and float(value(item, "SOFFS")[0]) == 0
            colour = [row for row in item if not isinstance(row, rpp.Element) and row[0] == "COLOR"]
            if clip.look:
                number = int(colour[0][1])
                assert tuple(number >> shift & 255 for shift in (0, 8, 16)) == COLOURS[clip.look]
                assert number >> 24 == 1
            else:
                assert colour == []
    assert sorted(found) == sorted(2 * [clip.id for clip in clips])
    rows = [row for row in project if not isinstance(row, rpp.Element) and row[0] == "MARKER"]
    assert [float(row[2]) for row in rows] == pytest.approx([60000 / 48000, 72000 / 48000])
    assert rows[0][3].startswith("0002_둘: ") and "두 번째 <줄> >" in rows[0][3]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("1.wav", "WAVE"), ("1.aiff", "WAVE"), ("1.MP3", "MP3"), ("1.opus", "VORBIS"), ("1.m4a", "VIDEO"),
     ("1.webm", "VIDEO")],
)  # fmt: skip
def test_a_recording_is_a_source_of_its_kind(job, tmp_path, name, kind):
    _, clips, _ = job
    write_rpp(
        tmp_path / "a.rpp", [replace(clips[0], source=tmp_path / name)], [], SPEC, 0.0, tmp_path
    )
    _, below = rpp.loads((tmp_path / "a.rpp").read_text(encoding="utf-8")).findall("TRACK")
    assert below.find("ITEM").find("SOURCE").attrib[0] == kind


def test_the_same_job_makes_the_same_session(job):
    """Byte for byte, in whatever order the lines come."""
    out, clips, markers = job
    write_rpp(out / "a.rpp", clips, markers, SPEC, 0.0, out)
    first = (out / "a.rpp").read_bytes()
    write_rpp(out / "a.rpp", clips[::-1], markers[::-1], SPEC, 0.0, out)
    assert (out / "a.rpp").read_bytes() == first
    waves = waves_of(out, clips)
    write_aaf(out / "a.aaf", clips, markers, SPEC, 0.0, waves, out)
    write_aaf(out / "b.aaf", clips[::-1], markers[::-1], SPEC, 0.0, waves, out)
    assert (out / "a.aaf").read_bytes() == (out / "b.aaf").read_bytes()


def mobs(path):
    with aaf2.open(str(path), "r") as file:
        return {(type(mob).__name__, mob.name): mob.mob_id.urn for mob in file.content.mobs}


def test_no_other_sound_has_an_aaf_s_numbers(job):
    """Two of one number are one to programs: of two jobs called 1화, and of a line converted anew."""
    out, clips, _ = job
    waves = waves_of(out, clips)
    write_aaf(out / "a.aaf", clips, [], SPEC, 0.0, waves, out)
    other = replace(SPEC, date=datetime(2024, 5, 7))
    write_aaf(out / "b.aaf", clips, [], other, 0.0, waves, out)
    first, second = mobs(out / "a.aaf"), mobs(out / "b.aaf")
    assert first.keys() == second.keys()
    assert not {*first.values()} & {*second.values()}
    anew = waves[clips[0].id].rename(out / "anew.wav")
    write_aaf(out / "c.aaf", clips, [], SPEC, 0.0, waves | {clips[0].id: anew}, out)
    third = mobs(out / "c.aaf")
    changed = {key for key in first if first[key] != third[key]}
    assert changed == {("SourceMob", "0001_하나.wav"), ("MasterMob", "0001_하나")}


def test_aaf(job):
    out, clips, markers = job
    waves = waves_of(out, clips)
    write_aaf(out / "session.aaf", clips, markers, SPEC, -6.0, waves, out)
    with aaf2.open(str(out / "session.aaf"), "r") as file:
        (main,) = file.content.toplevel()
        assert main.name == "시험 1화" and main["CreationTime"].value == SPEC.date
        code = next(
            slot for slot in main.slots if isinstance(slot.segment, aaf2.components.Timecode)
        )
        assert (code.segment.fps, code.segment.drop) == (30, True)
        assert code.segment.start == 107892  # 01:00:00;00
        assert code.edit_rate == Fraction(30000, 1001)
        assert code["PhysicalTrackNumber"].value == 1
        assert code.segment.length == 330  # as far as the last line goes, 528,000 samples
        sounds = [slot for slot in main.slots if slot.media_kind == "Sound"]
        assert [slot.name for slot in sounds if not slot.name.endswith(" ch2")] == [
            "하나", "하나 (source)", "하나 2", "하나 2 (source)", "둘", "둘 (source)",
        ]  # fmt: skip
        numbers = [slot["PhysicalTrackNumber"].value for slot in sounds]
        assert numbers == [*range(1, len(sounds) + 1)]
        seen = []
        for slot in sounds:
            assert slot.edit_rate == 48000
            at = 0
            for part in slot.segment.components:
                if not isinstance(part, aaf2.components.Filler):
                    seen.append(check_clip(part, at, clips, out, "(source)" in slot.name))
                at += part.length
        assert sorted(seen) == sorted(3 * [clip.id for clip in clips])  # recordings are stereo
        slot = next(slot for slot in main.slots if isinstance(slot, aaf2.mobslots.EventMobSlot))
        events = [*slot.segment.components]
        frames = [round(n / 48000 * 30000 / 1001) for n in (60000, 72000)]
        assert [event["Position"].value for event in events] == frames
        assert events[1]["Comment"].value.startswith("0003_하나: ")
        assert events[1]["DescribedSlots"].value == {code.slot_id}
        assert slot["PhysicalTrackNumber"].value == 1
        assert events[1]["CommentMarkerColor"].value["red"] == COLOURS["retake"][0] * 257


def played(path, folder):
    """What an AAF sounds like: the sum of its tracks, each clip's channel of its file by its gain."""
    mix = np.zeros(2 * 48000)
    with aaf2.open(str(path), "r") as file:
        (main,) = file.content.toplevel()
        for slot in main.slots:
            at = 0
            for group in slot.segment.components if slot.media_kind == "Sound" else ():
                if not isinstance(group, aaf2.components.Filler):
                    (part,) = group.segments.value
                    end = next(s for s in part.mob.slots if s.slot_id == part.slot_id).segment
                    url = end.mob.descriptor["Locator"].value[0]["URLString"].value
                    sound = soundfile.read(folder / unquote(urlparse(url).path), always_2d=True)[0]
                    heard = sound[part.start : part.start + part.length, end.slot_id - 1]
                    mix[at : at + len(heard)] += heard * float(group.parameters.value[0].value)
                at += group.length
    return mix


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_an_aaf_sounds_as_the_reel_by_all_channels_of_a_passed_line(job, channels):
    out, clips, _ = job
    rng = np.random.default_rng(1)
    passed, converted = (replace(clip, samples=24000) for clip in clips[1:3])
    waves = waves_of(out, [passed, converted])
    for clip, wave in ((passed, rng.uniform(-0.3, 0.3, (24000, channels))),
                       (converted, np.repeat(rng.uniform(-0.3, 0.3, (24000, 1)), channels, 1))):  # fmt: skip
        for path in (waves[clip.id], out / clip.wave):
            soundfile.write(path, wave, 48000, "FLOAT")
    lines = [
        Placed(id=clip.id, wave=waves[clip.id], start=clip.start, stem="")
        for clip in (passed, converted)
    ]
    write_aaf(
        out / "a.aaf", [replace(passed, channels=channels), converted], [],
        replace(SPEC, start_timecode=0), -6.0, waves, out,
    )  # fmt: skip
    (reel,) = mix(lines, 2 * 48000, 48000)
    np.testing.assert_allclose(played(out / "a.aaf", out), 10 ** (-6 / 20) * reel, atol=1e-6)
    with aaf2.open(str(out / "a.aaf"), "r") as file:
        (main,) = file.content.toplevel()
        names = [slot.name for slot in main.slots if slot.media_kind == "Sound"]
    assert names == [
        "둘", *(f"둘 ch{n}" for n in range(2, channels + 1)), "둘 (source)", "둘 (source) ch2",
        "하나", "하나 (source)", "하나 (source) ch2",
    ]  # fmt: skip


def test_reaper_plays_the_mean_of_a_line_passed_in_stereo(job):
    """Its channel mode 2; what is converted, or passed in mono, is played as it is, as are recordings."""
    out, clips, _ = job
    clips = [replace(clips[0], channels=2), *clips[1:]]
    write_rpp(out / "session.rpp", clips, [], SPEC, 0.0, out)
    project = rpp.loads((out / "session.rpp").read_text(encoding="utf-8"))
    modes = {
        (value(track, "NAME")[0], value(item, "NAME")[0]): row[1]
        for track in project.findall("TRACK")
        for item in track.findall("ITEM")
        for row in item
        if not isinstance(row, rpp.Element) and row[0] == "CHANMODE"
    }
    assert modes == {("하나", "0001_하나"): "2"}


@pytest.mark.parametrize("rate", [NTSC_DROP, FrameRate(25)])
def test_an_aaf_s_recordings_have_their_time_code(job, rate):
    """That of their time reference, to the sample: a tape behind the file; without one there is none."""
    out, clips, _ = job
    late = 10 * 3600 * 22050 + 12345
    about = Broadcast(description="", date=SPEC.date, start=late, frame_rate="", drop_frame=False)
    write_bext(clips[0].source, about)
    spec = replace(SPEC, frame_rate=rate)
    write_aaf(out / "a.aaf", clips, [], spec, 0.0, waves_of(out, clips), out)
    found = {}
    with aaf2.open(str(out / "a.aaf"), "r") as file:
        for master in file.content.mastermobs():
            physical = master.slots[0].segment.mob
            for end in physical.slots:
                tape = end.segment.mob
                if tape is None:
                    continue
                assert isinstance(tape.descriptor, aaf2.essence.TapeDescriptor)
                assert end.segment.slot.edit_rate == end.edit_rate
                code = next(
                    s for s in tape.slots if isinstance(s.segment, aaf2.components.Timecode)
                )
                assert (code.segment.fps, code.segment.drop) == (rate.nominal, rate.drop)
                begins = code.segment.start / code.edit_rate + end.segment.start / end.edit_rate
                found.setdefault(physical.name, []).append(round(begins * 22050))
                lasts = code.segment.length / code.edit_rate
                assert lasts * end.edit_rate >= end.segment.start + end.segment.length
    assert found == {clips[0].source.name: [late, late]}  # both channels of one recording


@pytest.mark.parametrize("late", [0.0, 0.48, 0.6])
def test_an_aaf_lies_as_the_other_lists_where_the_reel_begins_within_a_frame(job, late):
    out, clips, markers = job
    rate = FrameRate(25)
    spec = replace(SPEC, start_timecode=3600 + late / 25, frame_rate=rate)
    write_aaf(out / "a.aaf", clips, markers, spec, 0.0, waves_of(out, clips), out)
    write_otio(out / "a.otio", clips, spec)
    write_edl(out / "a.edl", clips, spec)
    write_marker_text(out / "markers.txt", markers, spec)
    timeline = otio.adapters.read_from_file(str(out / "a.otio"))
    began = timeline.global_start_time.to_seconds()
    starts = {
        clip.name: round((began + clip.range_in_parent().start_time.to_seconds()) * 48000)
        for clip in timeline.find_clips()
    }
    with aaf2.open(str(out / "a.aaf"), "r") as file:
        (main,) = file.content.toplevel()
        code = next(s for s in main.slots if isinstance(s.segment, aaf2.components.Timecode))
        first = code.segment.start
        assert first == 90000
        found, frames = [], set()
        for slot in main.slots:
            at = first * 48000 // 25
            for part in slot.segment.components if slot.media_kind == "Sound" else ():
                if not isinstance(part, aaf2.components.Filler):
                    found.append(at)
                    frames.add(to_frames(at / 48000, rate))
                at += part.length
            assert slot.media_kind != "Sound" or slot.segment.length == at - first * 48000 // 25
        assert sorted(found) == sorted(3 * [*starts.values()])
        events = next(s for s in main.slots if isinstance(s, aaf2.mobslots.EventMobSlot))
        noted = [rate.code(first + event["Position"].value) for event in events.segment.components]
    edl = re.findall(r"C +\S+ \S+ (\S+) \S+", (out / "a.edl").read_text(encoding="utf-8"))
    assert sorted(map(rate.code, frames)) == sorted({*edl})
    listed = (out / "markers.txt").read_text(encoding="utf-8")
    assert noted == re.findall(r"^\d+ *\t(\S+)", listed, re.MULTILINE)


def check_clip(group, at, clips, out, source):
    """A gain around a clip whose file is there and long enough; the id."""
    level = group.parameters.value[0]
    assert group.operation.auid == aaf2.auid.AUID("9d2ea894-0968-11d3-8a38-0050040ef7d2")
    assert float(level.value) == (0 if source else pytest.approx(10 ** (-6 / 20), abs=1e-6))
    (part,) = group.segments.value
    clip = next(
        clip for clip in clips if (clip.source.stem if source else clip.id) == part.mob.name
    )
    assert (clip.start, clip.samples) == (at, part.length) and part.length == group.length
    assert part.start == (round(clip.source_begin * 48000) if source else 0)
    physical = part.mob.slots[0].segment.mob
    assert physical.name == (clip.source.name if source else f"{clip.id}.wav")
    url = physical.descriptor["Locator"].value[0]["URLString"].value
    file = out / unquote(urlparse(url).path)
    assert file.resolve() == (clip.source if source else out / clip.wave)
    about = soundfile.info(file)
    assert physical.descriptor["Length"].value == about.frames
    assert physical.descriptor["AudioSamplingRate"].value == about.samplerate
    assert physical.descriptor["Channels"].value == about.channels
    if not source:
        tags = {tag.name: tag.value for tag in group["ComponentAttributeList"].value}
        assert tags["_COMMENT"] == clip.text
        shades = [tags.get(f"_COLOR_{letter}") for letter in "RGB"]
        assert shades == ([s * 257 for s in COLOURS[clip.look]] if clip.look else [None] * 3)
    return clip.id


def test_a_recording_far_from_the_job_is_named_in_full(job):
    out, clips, _ = job
    far = out / "deep" / "deeper"
    write_rpp(out / "session.rpp", clips[:1], [], SPEC, 0.0, far)
    source = rpp.loads((out / "session.rpp").read_text(encoding="utf-8")).findall("TRACK")[1]
    name = value(source.find("ITEM").find("SOURCE"), "FILE")[0]
    assert Path(name).is_absolute() and Path(name) == clips[0].source


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
def test_a_recording_that_only_ffmpeg_reads_is_in_the_sessions_too(job):
    out, clips, _ = job
    phone = clips[0].source.with_suffix(".m4a")
    subprocess.run(["ffmpeg", "-v", "error", "-i", clips[0].source, phone], check=True)
    clip = replace(clips[0], source=phone)
    write_aaf(out / "a.aaf", [clip], [], SPEC, 0.0, waves_of(out, [clip]), out)
    with aaf2.open(str(out / "a.aaf"), "r") as file:
        physical = next(mob for mob in file.content.sourcemobs() if mob.name == phone.name)
        about = physical.descriptor
        assert (about["Channels"].value, about["AudioSamplingRate"].value) == (2, 22050)
        assert abs(about["Length"].value - 44100) < 4096  # less or more of AAC's own frames


def test_ptulsconv_reads_the_marker_list(job):
    """An independent parser of Pro Tools' texts."""
    parser = pytest.importorskip("ptulsconv.docparser")
    out, _, markers = job
    write_marker_text(out / "markers.txt", markers, SPEC)
    found = parser.parse_document((out / "markers.txt").read_text(encoding="utf-8"))
    assert found.header.timecode_format.frame_duration.denominator == 30000
    assert [(m.location.strip(), m.name, m.time_reference) for m in found.markers] == [
        ("01:00:01;07", "0002_둘", 60000), ("01:00:01;15", "0003_하나", 72000),
    ]  # fmt: skip


def test_marker_lists(job):
    out, _, markers = job
    write_marker_text(out / "markers.txt", markers, SPEC)
    rows = [
        row.split("\t") for row in (out / "markers.txt").read_text(encoding="utf-8").splitlines()
    ]
    head = {row[0]: row[1].strip() for row in rows if len(row) == 2}
    assert head["TIMECODE FORMAT:"] == "29.97 Drop Frame"
    listed = [[cell.strip() for cell in row] for row in rows if len(row) == 6][1:]
    assert [(row[1], row[2], row[3], row[4]) for row in listed] == [
        ("01:00:01;07", "60000", "Samples", "0002_둘"), ("01:00:01;15", "72000", "Samples", "0003_하나"),
    ]  # fmt: skip
    write_marker_table(out / "markers.csv", [replace_note(markers[0], "=1+1")], SPEC)
    text = (out / "markers.csv").read_text(encoding="utf-8-sig")
    assert "0003_하나,01:00:01;15,01:00:02;15,1.000,하나,'=1+1" in text


def replace_note(marker, note):
    return Marker(**(vars(marker) | {"note": note}))
