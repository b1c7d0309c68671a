"""What is known of a request before any work."""

import struct
from dataclasses import replace
from datetime import datetime

import aaf2
import numpy as np
import pytest
import soundfile

from moksori.dubbing.check import check
from moksori.dubbing.deliver.dapt import Event, write_dapt
from moksori.dubbing.deliver.spec import DeliverySpec
from moksori.dubbing.plan.issues import entries
from moksori.dubbing.request import JobFile, Request, load_job
from moksori.dubbing.review import Review
from moksori.dubbing.task import read_take
from moksori.errors import ConfigError
from moksori.timecode import FrameRate, format_timecode, parse_time
from tests.conftest import DEMO, DEMO_TEXT
from tests.dubbing.conftest import edit, request, run, sound
from tests.signal.test_ixml import recorder


@pytest.fixture
def track(show):
    """The show as one production track of 25 s, its first line five seconds in by time codes from 0:59:55."""
    wave, rate = soundfile.read(DEMO, dtype="float32")
    whole = np.zeros(30 * rate, np.float32)
    for second in (10, 15, 20, 25):
        whole[second * rate : second * rate + len(wave)] = wave[: 30 * rate - second * rate]
    soundfile.write(show / "track.wav", whole, rate, "PCM_16")

    def stamped(seconds):
        content = (show / "track.wav").read_bytes()
        bext = struct.pack("<256s32s32s10s8sQH64s190s", *[b""] * 5, seconds * rate, 1, b"", b"")
        whole = content[:12] + b"bext" + struct.pack("<I", 602) + bext + content[12:]
        path = show / f"track_{seconds}.wav"
        path.write_bytes(whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:])
        return path

    return stamped


@pytest.mark.parametrize(
    ("stamp", "asked", "origin", "kinds"),
    [
        (3595, None, 3595, {"stamp"}),  # by the track's own time reference
        (3595, "3600", 3600, {"stamp_differs"}),  # asked for otherwise
        (3595, "00:59:55:00", 3595, set()),
        (0, None, 3600, {"stamp_unset"}),  # as programs write that do not know
        (0, "01:00:00:00", 3600, set()),
    ],
)
def test_a_track_begins_at_its_time_reference(show, track, stamp, asked, origin, kinds):
    found = check(Request(
        script=show / "script.xlsx", audio=track(stamp), cast=show / "cast.toml",
        frame_rate=FrameRate.parse("25"), start=asked,
    ))  # fmt: skip
    assert found.origin == origin
    assert {issue.kind for issue in found.issues if issue.kind.startswith("stamp")} == kinds
    take = found.takes[0]
    assert take.begin == round((take.line.start - 0.25 - origin) * take.sample_rate)


@pytest.mark.parametrize(
    ("audio", "stamp", "begin", "start", "told"),
    [
        ("track", 36000, "01:00", None, "01:00:00:00"),
        ("track", 36000, "00:00", None, "00:00:00:00"),
        ("track", 3600, "10:00", None, "10:00:00:00"),
        ("takes", 0, "00:00", "10:00:00:00", "00:00:00:00"),
        ("track", 36000, "00:30", None, None),  # which no hour puts on a track of 30 s
    ],
)
def test_a_script_that_counts_from_another_time_is_told_the_start(
    show, track, audio, stamp, begin, start, told
):
    """The same for all lines, so that lists have it once; also where the last goes on behind the track."""
    for row, second in enumerate((10, 15, 20, 25), 2):
        edit(show, f"B{row}", f"{begin}:{second}:00")
        edit(show, f"C{row}", f"{begin}:{second + row}:12")
    audio = show / "takes" if audio == "takes" else track(stamp)
    asked = request(show, audio=audio, start=start)
    found = check(asked)
    outside = [i for i in found.faults if i.kind in ("off_track", "before_start", "other_start")]
    assert len(outside) >= 3 and not found.takes
    entered = [entry.issue for entry in entries(outside)]
    if told is None:
        assert len(entered) == len(outside)
        return
    (issue,) = entered
    assert issue.kind == "other_start" and f"--start {told}" in issue.say("en")
    assert f"times are from {begin}:10:00 to {begin}:30:12" in issue.say("en")
    again = check(replace(asked, start=told))
    left = [i.kind for i in again.faults if i.kind in ("off_track", "before_start", "other_start")]
    assert left == ["off_track"] * (audio.name != "takes")
    assert len(again.takes) == len(outside) - len(left)


def test_a_delivered_script_on_a_track_of_another_time_is_told_its_own_start(show, track):
    delivered = DeliverySpec(
        title="시험", date=datetime(2026, 1, 1), start_timecode=3590.0, frame_rate=FrameRate(25)
    )
    events = [Event(f"{n}", "하나", "", "", "", DEMO_TEXT, (), n, n + 5) for n in (15.0, 20.0)]
    write_dapt(show / "script.dapt", events, delivered)
    asked = replace(request(show), script=show / "script.dapt", audio=track(36000))
    assert {issue.kind for issue in check(asked).faults} == {"other_start"}
    assert "--start 00:59:50:00" in check(asked).faults[0].say("en")
    assert not check(replace(asked, start="00:59:50:00")).faults


def test_a_script_that_goes_beyond_midnight_on_another_s_track_is_told(show, track):
    """By lines, as there is no start that would have all of them on a day."""
    delivered = DeliverySpec(
        title="시험", date=datetime(2026, 1, 1), start_timecode=86390.0, frame_rate=FrameRate(25)
    )
    events = [Event(f"{n}", "하나", "", "", "", DEMO_TEXT, (), n, n + 5) for n in (12.0, 15.0)]
    write_dapt(show / "script.dapt", events, delivered)
    found = check(replace(request(show), script=show / "script.dapt", audio=track(3600)))
    assert [issue.kind for issue in found.faults] == ["off_track"] * 2


@pytest.mark.parametrize(
    ("asked", "kinds", "length"),
    [
        ({"length": "60"}, set(), 60.0),
        ({"length": "00:00:20:00"}, {"beyond_picture"}, None),
        ({"loudness": "premix"}, {"premix_length"}, None),
        ({"loudness": "premix", "length": "60"}, set(), 60.0),
        ({"loudness": "premix", "length": "90", "start": "00:59:55:00"}, {"premix_start"}, 90.0),
    ],
)
def test_the_reel_is_as_long_as_the_picture(show, asked, kinds, length):
    """Beyond the picture nothing is cut off."""
    found = check(request(show, **asked))
    assert {i.kind for i in found.issues if i.kind.startswith(("premix", "beyond"))} == kinds
    ends = max(take.start + take.seconds for take in found.takes)
    assert found.length == (ends if length is None else length)


@pytest.mark.parametrize("start", ["01:00:00:00", "01:00:00;00"])
def test_start_and_length_are_counted_as_the_script_counts(show, start):
    """29.97 alone leaves it to the script whether frames are dropped; 3.6 s an hour lie between the two."""
    for row, code in enumerate(("01:00:58;20", "01:09:56;29", "01:10:00;00", "01:10:08;15"), 2):
        edit(show, f"B{row}", code)
        edit(show, f"C{row}", None)
    asked = request(show, frame_rate=FrameRate.parse("29.97"), start=start, length="00:20:00;00")
    found = check(asked)
    drop = FrameRate.parse("29.97df")
    assert found.frame_rate == drop
    assert format_timecode(found.origin, drop) == "01:00:00;00"
    assert found.length == pytest.approx(parse_time("00:20:00;00", drop))


@pytest.mark.parametrize(
    ("audio", "stamp", "origin"), [("takes", 0, 3590), ("track", 0, 3590), ("track", 3595, 3595)]
)
def test_a_delivered_script_is_dubbed_again_where_it_was(show, track, audio, stamp, origin):
    """The time code of its time 0 is where a track begins that says none."""
    delivered = DeliverySpec(
        title="시험", date=datetime(2026, 1, 1), start_timecode=3590.0, frame_rate=FrameRate(25)
    )
    starts = (15.0, 20.0, 25.0)
    events = [
        Event(f"{n:04}", "하나", "", "", "", DEMO_TEXT, (), start, start + 5)
        for n, start in enumerate(starts, 1)
    ]
    write_dapt(show / "script.dapt", events, delivered)
    for n in range(1, 5):
        (show / "takes" / f"{n:04}.wav").rename(show / "takes" / f"line_{n:04}.wav")
    asked = request(show, audio=show / "takes" if audio == "takes" else track(stamp))
    found = check(replace(asked, script=show / "script.dapt", frame_rate=None))
    assert not found.faults
    assert found.origin == origin
    assert [take.line.start for take in found.takes] == [3590 + start for start in starts]


def test_start_needs_no_rate_where_the_script_says_it(show):
    edit(show, "B1", "TC in (25fps)")
    found = check(replace(request(show), frame_rate=None, start="00:59:00:00"))
    assert (found.origin, found.frame_rate) == (3540.0, FrameRate.parse("25"))


@pytest.mark.parametrize(("rate", "written"), [("25", "00:59:59.990"), ("29.97df", "00:59:59.996")])
def test_a_line_half_a_frame_before_the_reel_begins_with_it(show, track, rate, written):
    """A line at 01:00:00:00, written in milliseconds, which round it down."""
    for row in range(2, 6):
        edit(show, f"B{row}", written if row == 2 else f"01:00:{5 * row:02}:00")
        edit(show, f"C{row}", None)
    rate = FrameRate.parse(rate)
    for audio in (show / "takes", track(0)):
        found = check(request(show, frame_rate=rate, audio=audio))
        assert not found.faults
        assert found.origin == parse_time("01:00:00:00", rate)
        assert (found.takes[0].start, found.takes[0].begin) == (0.0, 0)
    edit(show, "B2", "00:59:59.900")
    told = check(request(show, frame_rate=rate, start="01:00:00:00")).faults
    assert [issue.kind for issue in told] == ["before_start"]


def test_lines_hours_apart_are_told(show):
    """As by a slip in a time code, or beyond midnight: the reel would last as long."""
    edit(show, "B5", "11:00:10:00")
    edit(show, "C5", "11:00:14:00")
    found = [issue for issue in check(request(show)).issues if issue.kind == "far_apart"]
    assert len(found) == 1 and "11:00:10:00" in found[0].say("ko")
    assert found[0].severity == "warning"


@pytest.mark.parametrize(("start", "fits"), [("23:59:52:00", True), ("23:59:58:00", False)])
def test_a_line_that_ends_after_the_last_time_code_is_told_by_its_row(show, start, fits):
    """There is no time code for it, so that nothing could be delivered; the others can."""
    for row in range(2, 6):
        edit(show, f"B{row}", f"23:59:{30 + row}:00" if row < 5 else start)
        edit(show, f"C{row}", None)
    found = check(request(show, length="00:05:00:00"))
    told = [(i.severity, i.place, i.say("en")) for i in found.issues if i.kind == "after_day"]
    assert len(found.takes) == len(found.recorded) == (4 if fits else 3)
    assert bool(told) is not fits
    if told:
        severity, place, text = told[0]
        assert (severity, place.number) == ("error", 5)
        assert "ends at 00:00:0" in text and "23:59:59:24" in text


def test_a_production_track_is_as_long_as_the_picture(show, track):
    asked = request(show, audio=track(3600), loudness="premix")
    found = check(asked)
    assert found.length == 30.0
    assert not [issue for issue in found.issues if issue.kind.startswith("premix")]


def test_a_premix_has_its_own_rate():
    job = JobFile(script="s.xlsx", audio="a", cast="c.toml", loudness="premix", sample_rate=44100)
    with pytest.raises(ConfigError, match="48000"):
        job.request()
    assert job.merged({"sample_rate": 48000}).request().sample_rate == 48000


def poly(show, **about):
    """The show's takes on a track with a channel a character, and noise on the one before them."""
    takes = [soundfile.read(show / "takes" / f"{n:04d}.wav")[0] for n in (1, 2, 3, 4)]
    rate = soundfile.info(show / "takes" / "0001.wav").samplerate
    whole = 1e-4 * np.random.default_rng(1).standard_normal((30 * rate, 3))
    whole[:, 0] += 0.05 * np.random.default_rng(2).standard_normal(30 * rate)
    for number, take in enumerate(takes, 1):
        begin = round((5 * number + 0.4) * rate)
        whole[begin : begin + len(take), 1 + (number + 1) % 2] += take[: 30 * rate - begin]
    return recorder(show / "poly.wav", samples=whole, sample_rate=rate, **about)


def kinds(found):
    return {issue.kind for issue in found.issues}


def test_a_channel_a_character_is_found_by_ixml(show):
    """The channel alone is read, everywhere; scene, take and note are told."""
    track = poly(show, rate="25/1")
    found = check(request(show, audio=track, frame_rate=None))
    assert [take.channel for take in found.takes] == [1, 2, 1, 2]
    assert kinds(found) >= {"channels_named", "track_rate", "track_says", "stamp"}
    assert found.frame_rate == FrameRate(25) and found.origin == 3600
    told = next(issue.say("en") for issue in found.issues if issue.kind == "track_says")
    assert "project “목소리 극장”, scene “12A”, take “3”, note “비행기 소리" in told
    for take in found.takes:
        recording, _ = read_take(take)
        whole, _ = soundfile.read(track, dtype="float32", always_2d=True)
        expected = whole[take.begin : take.begin + take.samples, [take.channel]]
        np.testing.assert_allclose(recording.samples, expected, atol=1e-4)  # less its offset
        assert recording.samples.shape[1] == 1


def test_channels_that_nobody_names_are_asked_once(show):
    track = show / "poly.wav"
    poly(show)
    whole, rate = soundfile.read(track)
    soundfile.write(track, whole, rate, "PCM_24")  # without iXML
    found = check(request(show, audio=track))
    assert not found.takes and len(found.faults) == 4
    assert {fault.kind for fault in found.faults} == {"channels_open"}
    asked = JobFile(
        script=show / "script.xlsx", audio=track, cast=show / "cast.toml", fps="25",
        channels={"하나": "2", "둘": "3"},
    )  # fmt: skip
    assert [take.channel for take in check(asked.request()).takes] == [1, 2, 1, 2]
    asked.save(show)
    assert load_job(show).channels == {"하나": "2", "둘": "3"}
    mixed = check(request(show, audio=track, channels={"": "mix"}))
    assert [take.channel for take in mixed.takes] == [None] * 4
    alone = check(request(show, channels={"하나": "2"}))
    assert "channels_of_folder" in kinds(alone)


@pytest.mark.parametrize(
    ("ixml", "asked", "origin", "told"),
    [
        ({"rate": "25/1"}, {}, 3600, {"stamp"}),
        ({"rate": "25/1", "seconds": 3595}, {}, 3595, {"stamp"}),
        ({"rate": "25/1", "seconds": 3595}, {"start": "01:00:00:00"}, 3600, {"stamp_differs"}),
        ({"rate": "25/1", "seconds": 0}, {}, 3600, {"stamp_unset"}),
        ({"rate": "30000/1001", "flag": "DF"}, {}, 3600, {"stamp", "track_rate_differs"}),
        ({"rate": "24000/1001"}, {}, 3600, {"stamp", "track_rate_differs"}),
    ],
)
def test_ixml_says_when_a_track_begins_and_how_it_counts(show, ixml, asked, origin, told):
    found = check(request(show, audio=poly(show, **ixml), **asked))
    assert found.origin == origin
    assert {kind for kind in kinds(found) if kind.startswith(("stamp", "track_rate"))} == told
    assert found.frame_rate == FrameRate(25)  # as it was asked for


def test_bext_and_ixml_that_differ_are_told(show):
    track = poly(show, rate="25/1", seconds=3500)
    rate, content = soundfile.info(track).samplerate, track.read_bytes()
    bext = struct.pack("<256s32s32s10s8sQH64s190s", *[b""] * 5, 3600 * rate, 1, b"", b"")
    whole = content[:12] + b"bext" + struct.pack("<I", 602) + bext + content[12:]
    track.write_bytes(whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:])
    found = check(request(show, audio=track))
    assert found.origin == 3600
    (issue,) = [issue for issue in found.issues if issue.kind == "stamps_differ"]
    assert "bext says 01:00:00:00, iXML 00:58:20:00" in issue.say("en")
    assert issue.severity == "warning"


def test_a_job_of_channels_is_one_of_their_own_tracks(show):
    """What is heard of each line is what a track of its character alone gives; sessions play that channel."""
    track = poly(show)
    rows, _ = run(show, "poly", audio=track)
    assert [row.status for row in rows] == ["converted"] * 3 + ["passed"]
    whole, rate = soundfile.read(track, always_2d=True)
    for number in (1, 2):
        soundfile.write(show / f"{number}.wav", whole[:, number], rate, "PCM_24")
    for row in rows:
        part = row.take.begin, row.take.samples
        alone = read_take(replace(row.take, audio=show / f"{row.take.channel}.wav", channel=None))
        np.testing.assert_array_equal(read_take(row.take)[0].samples, alone[0].samples)
        made, _ = soundfile.read(show / "poly" / "lines" / f"{row.take.id}.wav", always_2d=True)
        assert made.shape == (part[1], 1)
    session = (show / "poly" / "session.rpp").read_text(encoding="utf-8")
    assert session.count("CHANMODE 4") == session.count("CHANMODE 5") == 2
    with aaf2.open(str(show / "poly" / "session.aaf"), "r") as file:
        (main,) = file.content.toplevel()
        slots = {
            part.segments.value[0].slot_id
            for slot in main.slots if slot.name and slot.name.endswith("(source)")
            for part in slot.segment.components if hasattr(part, "segments")
        }  # fmt: skip
        assert slots == {2, 3}
        physical = next(m for m in file.content.sourcemobs() if m.name == "poly.wav")
        assert [slot.slot_id for slot in physical.slots] == [1, 2, 3]


def with_efforts(show):
    """성우1 has two lines that differ, 성우0 one and a laugh; both characters' efforts are asked for."""
    wave, rate = soundfile.read(show / "takes" / "0003.wav")
    soundfile.write(show / "takes" / "0003.wav", np.convolve(wave, [1, -0.9]), rate, "PCM_24")
    (show / "cast.toml").write_text(
        '[characters."하나"]\nvoice = "lmy"\neffort = 0.5\n'
        '[characters."둘"]\nvoice = "kih"\neffort = 0.5\nnonverbal = "leave"\n', "utf-8",
    )  # fmt: skip


def efforts_told(checked):
    return {str(i.place): i.say("en") for i in checked.issues if i.kind == "effort"}


def test_an_effort_that_has_nothing_to_be_measured_against_is_noted(show):
    with_efforts(show)
    checked = check(request(show))
    told = efforts_told(checked)
    assert [*told] == ["row 3"] and "effort of 0.5 does nothing" in told["row 3"]
    assert {i.severity for i in checked.issues if i.kind == "effort"} == {"note"}
    sounds = []
    for effort in ("0.5", "1.0"):
        cast = (show / "cast.toml").read_text(encoding="utf-8")
        (show / "cast.toml").write_text(cast.replace("effort = 0.5", f"effort = {effort}"), "utf-8")
        rows, _ = run(show, f"out {effort}")
        sounds.append({str(r.take.line.place): sound(r.wave.read_bytes()) for r in rows})
    same = {place for place, wave in sounds[0].items() if wave == sounds[1][place]}
    assert same - {"row 5"} == {*told}  # the laugh stays as recorded
    assert not efforts_told(check(request(show)))  # nothing is asked


def test_an_effort_is_measured_against_what_the_job_knows_of_the_actor(show):
    with_efforts(show)
    run(show)
    edit(show, "E4", "성우2")  # whose only line it is now
    assert [*efforts_told(check(request(show)))] == ["row 2", "row 3", "row 4"]
    assert [*efforts_told(check(request(show), review=Review(show / "out")))] == ["row 3", "row 4"]


def test_an_effort_of_nobody_in_particular_is_noted(show):
    with_efforts(show)
    (show / "cast.toml").write_text('[default]\nvoice = "lmy"\neffort = 1.5', encoding="utf-8")
    for row in range(2, 6):
        edit(show, f"D{row}", "")
        edit(show, f"E{row}", "")
    assert len(efforts_told(check(request(show)))) == 4
    (show / "cast.toml").write_text("[default]\npass = true\neffort = 1.5", encoding="utf-8")
    assert not efforts_told(check(request(show)))
