import re
import shutil
import subprocess
import tracemalloc
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
import soundfile
import wavinfo

from moksori.dubbing.deliver import mix
from moksori.dubbing.deliver.mix import Placed
from moksori.dubbing.deliver.reel import render
from moksori.dubbing.deliver.spec import DeliverySpec
from moksori.errors import AudioError, OutputError
from moksori.files import safe_name, unique_names
from moksori.signal import bwf
from moksori.signal.loudness import TARGETS, PeakMeter
from moksori.timecode import FrameRate
from tests.conftest import reference_meter, voiced_wave

DATE = datetime(2024, 5, 6, 7, 8, 9)
AS_IS = DeliverySpec(
    title="시험", date=DATE, sample_rate=8000, loudness=TARGETS["none"], stems="full"
)


def line(folder, name, wave, rate=8000, start=0, stem="하나", subtype="PCM_24"):
    path = folder / f"{name}.wav"
    soundfile.write(path, wave, rate, subtype=subtype)
    return Placed(id=name, wave=path, start=start, stem=stem)


def impulse(frames, at, height=0.5):
    wave = np.zeros(frames)
    wave[at] = height
    return wave


def speech(folder, seconds=2.0, rate=8000):
    """Three lines of two characters, two of them overlapping."""
    waves = [voiced_wave(seconds, rate, f0, seed) for seed, f0 in enumerate((120, 200, 150))]
    starts = (1000, round(0.6 * seconds * rate), round(2.1 * seconds * rate))
    return [
        line(folder, f"{i}", wave, rate, start, stem)
        for i, (wave, start, stem) in enumerate(
            zip(waves, starts, ("하나", "둘", "하나"), strict=True)
        )
    ]


def read(path):
    return soundfile.read(path, dtype="float64")[0]


def stem(made, name):
    """The only file of a stem."""
    (path,) = made.stems[name]
    return path


def parts_of(made):
    return [path for paths in made.stems.values() for path in paths]


def true_peak(wave):
    meter = PeakMeter()
    meter.add(wave)
    return meter.true_peak


def test_lines_lie_where_they_are_placed_and_add_up(tmp_path, monkeypatch):
    monkeypatch.setattr(mix, "BLOCK", 700)  # so that lines go over the blocks' edges
    waves = [0.1 * np.random.default_rng(i).standard_normal(1500) for i in range(3)]
    starts, stems = (1234, 2000, 8500), ("하나", "둘", "둘")
    placed = [line(tmp_path, f"{i}", waves[i], start=starts[i], stem=stems[i]) for i in range(3)]
    made = render(placed[::-1], 10001, tmp_path / "out", AS_IS)
    expected = {stem: np.zeros(10001) for stem in ("하나", "둘")}
    for one in placed:
        expected[one.stem][one.start : one.start + 1500] += read(one.wave)
    for name, wave in expected.items():
        assert np.array_equal(read(stem(made, name)), wave)
    assert np.array_equal(read(made.reel), sum(expected.values()))
    assert soundfile.info(made.reel).subtype == "PCM_24"
    assert (made.samples, made.gain, made.limited, made.within) == (10001, 0, 0, True)


@pytest.mark.parametrize(("source", "target"), [(44100, 48000), (22050, 48000), (48000, 44100)])
def test_a_resampled_line_lies_exactly_there_too(tmp_path, source, target):
    """Impulses at times that both rates have a sample at: the filter's peak lies on that sample."""
    delivery = replace(AS_IS, sample_rate=target)
    stereo = np.stack([impulse(source // 5, source // 50), np.zeros(source // 5)], 1)
    placed = [
        line(tmp_path, "a", impulse(source // 5, source // 50), source, 777),
        line(tmp_path, "b", stereo, source, 30001),
    ]
    out = read(render(placed, target, tmp_path / "out", delivery).reel)
    for start, one, other in ((777, 0, 25000), (30001, 25000, len(out))):
        peak = start + target // 50
        assert np.argmax(np.abs(out[one:other])) + one == peak
        np.testing.assert_allclose(
            out[peak - 40 : peak], out[peak + 1 : peak + 41][::-1], atol=1e-6
        )
    first, second = out[777 + target // 50], out[30001 + target // 50]
    assert second / first == pytest.approx(0.5, rel=1e-4)


@pytest.mark.parametrize("name", ["korea", "netflix", "ebu"])
def test_the_target_is_reached(tmp_path, name):
    target = TARGETS[name]
    made = render(speech(tmp_path), 60000, tmp_path / "out", replace(AS_IS, loudness=target))
    out = read(made.reel)
    measured = reference_meter(8000).integrated_loudness(out)
    assert made.after == pytest.approx(measured, abs=1e-3)
    assert measured == pytest.approx(target.level, abs=0.01)
    assert made.before + made.gain == pytest.approx(target.level, abs=1e-9)
    assert made.true_peak == pytest.approx(true_peak(out), abs=1e-6)
    assert made.within and made.limited == 0


def test_stems_add_up_to_the_reel(tmp_path):
    made = render(
        speech(tmp_path), 60000, tmp_path / "out", replace(AS_IS, loudness=TARGETS["ebu"])
    )
    total = sum(read(path) for path in parts_of(made))
    assert abs(made.gain) > 1 and np.abs(total).max() > 0.1
    assert np.abs(total - read(made.reel)).max() <= 1.5 * 2**-23  # each file is rounded by itself


@pytest.mark.parametrize("target", ["none", "ebu"])
def test_stems_in_parts_are_the_full_ones_without_the_silence(tmp_path, target):
    """Laid at the time references that another library reads they are the full stem, to the bit."""
    waves = [0.1 * voiced_wave(2.0, 8000, 120, seed) for seed in range(5)]
    starts, names = (1601, 20000, 100000, 40000, 170000), ("하나", "하나", "하나", "둘", "하나")
    placed = [
        line(tmp_path, f"{i}", wave, start=start, stem=name)
        for i, (wave, start, name) in enumerate(zip(waves, starts, names, strict=True))
    ]
    delivery = replace(
        AS_IS, loudness=TARGETS[target], start_timecode=3600.0, frame_rate=FrameRate(25)
    )
    full = render(placed, 200000, tmp_path / "full", delivery)
    parts = render(placed, 200000, tmp_path / "parts", replace(delivery, stems="parts"))
    assert full.reel.read_bytes() == parts.reel.read_bytes()
    assert [path.name for path in parts.stems["하나"]] == [
        "하나_01.00.00.05.wav", "하나_01.00.12.13.wav", "하나_01.00.21.06.wav",
    ]  # fmt: skip
    held = [parts.held[path] for path in parts.stems["하나"]]
    assert held == [{"0", "1"}, {"2"}, {"4"}]
    for name in ("하나", "둘"):
        laid = np.zeros(200000)
        for path in parts.stems[name]:
            begin = (
                wavinfo.WavInfoReader(path, bext_encoding="utf-8").bext.time_reference - 3600 * 8000
            )
            wave = read(path)
            assert wave.any() and not laid[begin : begin + len(wave)].any()
            laid[begin : begin + len(wave)] = wave
        assert np.array_equal(laid, read(stem(full, name)))
    assert sum(path.stat().st_size for path in parts_of(parts)) < 0.4 * sum(
        path.stat().st_size for path in parts_of(full)
    )


def test_what_a_character_says_at_once_is_one_part(tmp_path):
    waves = [np.full(n, 0.1) for n in (60000, 100, 100)]
    placed = [
        line(tmp_path, f"{i}", wave, start=start)
        for i, (wave, start) in enumerate(zip(waves, (0, 500, 60000 + 39000), strict=True))
    ]
    made = render(placed, 0, tmp_path / "out", replace(AS_IS, stems="parts"))
    assert len(read(stem(made, "하나"))) == 99100  # the long line's end counts, not the last one's


def test_peaks_are_held_and_the_loudness_is_still_reached(tmp_path):
    """Short bursts that the gain would bring far over the limit."""
    wave = 0.25 * voiced_wave(4.0, 8000)
    for i in range(20):
        wave[1000 + i :: 8000] += 0.45 * (-1) ** (i // 2)
    placed = [line(tmp_path, "a", wave), line(tmp_path, "b", 0.2 * wave, start=40000, stem="둘")]
    made = render(placed, 80000, tmp_path / "out", replace(AS_IS, loudness=TARGETS["ebu"]))
    assert made.limited > 3 and made.limited_stems["하나"] > 3
    assert true_peak(read(made.reel)) <= -1 + 0.05
    assert true_peak(read(stem(made, "하나"))) <= -1 + 0.05
    assert made.gain > -23 - made.before + 0.5  # more than what the mix by itself would need
    measured = reference_meter(8000).integrated_loudness(read(made.reel))
    assert made.within and measured == pytest.approx(-23, abs=0.5)


def test_what_cannot_be_reached_is_told(tmp_path):
    placed = [line(tmp_path, "a", impulse(40000, 20000))]
    made = render(placed, 40000, tmp_path / "out", replace(AS_IS, loudness=TARGETS["ebu"]))
    assert not made.within and made.limited > 0
    assert true_peak(read(made.reel)) <= -1 + 0.05


@pytest.mark.parametrize("level", [0, 1e-5])
def test_silence_is_not_raised(tmp_path, level):
    wave = level * voiced_wave(2.0, 8000)
    placed = [line(tmp_path, "a", wave)]
    made = render(placed, 20000, tmp_path / "out", replace(AS_IS, loudness=TARGETS["korea"]))
    assert (made.before, made.gain, made.within) == (-np.inf, 0, False)
    assert np.array_equal(read(made.reel)[:16000], read(placed[0].wave))
    nothing = render([], 100, tmp_path / "none", AS_IS)
    assert nothing.stems == {} and not read(nothing.reel).any()


def test_full_scale_does_not_wrap(tmp_path):
    placed = [line(tmp_path, f"{i}", np.full(4000, 0.9), start=2000) for i in range(3)]
    out = read(render(placed, 8000, tmp_path / "out", AS_IS).reel)
    assert out.min() > -0.3  # only the steps' ringing
    assert 0.8 < out[4000] <= 1


def test_the_same_job_makes_the_same_bytes(tmp_path):
    placed = speech(tmp_path)
    delivery = replace(AS_IS, loudness=TARGETS["korea"])
    one = render(placed, 50000, tmp_path / "one", delivery)
    two = render(placed[::-1], 50000, tmp_path / "two", delivery)
    assert one.reel.read_bytes() == two.reel.read_bytes()
    assert list(one.stems) == list(two.stems) == ["둘", "하나"]
    for path, same in zip(parts_of(one), parts_of(two), strict=True):
        assert path.read_bytes() == same.read_bytes()


def test_the_files_say_what_they_are(tmp_path):
    delivery = replace(
        AS_IS, loudness=TARGETS["ebu"], start_timecode=3600.5, frame_rate=FrameRate(30, ntsc=True)
    )
    made = render(speech(tmp_path), 60000, tmp_path / "out", delivery)
    told = wavinfo.WavInfoReader(made.reel, bext_encoding="utf-8")
    assert told.bext.time_reference == 8000 * 3600.5
    assert told.bext.originator_date == "2024-05-06"
    assert told.bext.loudness_value == pytest.approx(made.after, abs=0.006)
    assert told.bext.max_true_peak == pytest.approx(made.true_peak, abs=0.006)
    own = wavinfo.WavInfoReader(stem(made, "둘"), bext_encoding="utf-8")
    assert (own.bext.description, own.ixml.project, own.ixml.scene) == ("시험: 둘", "시험", "둘")
    assert [track.name for track in own.ixml.track_list] == ["둘"]
    assert told.bext.originator_ref != own.bext.originator_ref != ""


def test_a_line_that_ends_later_makes_the_reel_longer(tmp_path):
    placed = [line(tmp_path, "a", np.full(441, 0.1), 44100, start=9990)]
    made = render(placed, 9000, tmp_path / "out", AS_IS)
    assert made.samples == len(read(made.reel)) == len(read(stem(made, "하나"))) == 9990 + 80


def test_a_reel_beyond_what_riff_counts_to_is_rf64(tmp_path, monkeypatch):
    placed = [line(tmp_path, "a", impulse(100, 50), start=9000)]
    short = render(placed, 10000, tmp_path / "short", AS_IS)
    monkeypatch.setattr(bwf, "_LARGEST", 20000)
    long = render(placed, 10000, tmp_path / "long", AS_IS)
    pairs = ((short.reel, long.reel), (stem(short, "하나"), stem(long, "하나")))
    for before, path in pairs:
        assert (soundfile.info(before).format, soundfile.info(path).format) == ("WAV", "RF64")
        assert np.array_equal(read(before), read(path))
        info = wavinfo.WavInfoReader(path, bext_encoding="utf-8")
        assert (info.data.frame_count, info.bext.time_reference) == (10000, 0)


def test_what_cannot_be_placed_is_named_before_anything_is_written(tmp_path, monkeypatch):
    good = line(tmp_path, "a", np.full(100, 0.1))
    text = tmp_path / "text.wav"
    text.write_text("글이다")
    for bad, error, message in (
        (replace(good, id="7", start=-800), OutputError, r"7: begins 0\.100 s before the reel"),
        (replace(good, id="8", wave=tmp_path / "no.wav"), AudioError, r"no\.wav: no such.* line 8"),
        (replace(good, id="9", wave=text), AudioError, r"text\.wav: cannot be read, of line 9"),
    ):
        with pytest.raises(error, match=message):
            render([good, bad], 1000, tmp_path / "out", AS_IS)
    assert not (tmp_path / "out").exists()
    with pytest.raises(OutputError, match="cannot write"):
        render([good], 1000, text, AS_IS)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(2**30, 2**30, 10))
    with pytest.raises(OutputError, match="free some space"):
        render([good], 1000, tmp_path / "out", AS_IS)


def test_written_whole_or_not_at_all(tmp_path):
    """The second character's line turns out bad after the reel itself could have been written."""
    out = tmp_path / "out"
    placed = speech(tmp_path)
    made = render(placed, 50000, out, AS_IS)
    files = [made.reel, *parts_of(made)]
    before = [path.read_bytes() for path in files]
    bad = line(tmp_path, "bad", np.full(100, np.nan), subtype="FLOAT")
    with pytest.raises(AudioError, match=r"bad\.wav.*not numbers"):
        render([*placed, bad], 50000, out, AS_IS)
    assert [path.read_bytes() for path in files] == before
    assert sorted(path.name for path in out.iterdir()) == ["reel.wav", "stems"]


def test_twenty_minutes_take_little_memory(tmp_path):
    """Held whole in float64, the reel alone would take 38 MB, and its oversampling four times that."""
    rate = 4000
    placed = [
        line(tmp_path, f"{start}", voiced_wave(1.0, rate), rate, start * rate)
        for start in (1, 600, 1190)
    ]
    tracemalloc.start()
    try:
        made = render(placed, 1200 * rate, tmp_path / "out", replace(AS_IS, sample_rate=rate))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert soundfile.info(made.reel).frames == 1200 * rate
    assert peak < 25e6


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
def test_ffmpeg_measures_the_same_loudness(tmp_path):
    delivery = replace(AS_IS, sample_rate=48000, loudness=TARGETS["korea"])
    made = render(speech(tmp_path, rate=48000), 48000 * 8, tmp_path / "out", delivery)
    summary = subprocess.run(
        ["ffmpeg", "-nostats", "-i", made.reel, "-af", "ebur128=peak=true", "-f", "null", "-"],
        capture_output=True, text=True, check=True,
    ).stderr.split("Summary:")[1]  # fmt: skip
    assert float(re.search(r"I:\s+(\S+) LUFS", summary)[1]) == pytest.approx(made.after, abs=0.2)
    assert float(re.search(r"Peak:\s+(\S+) dBFS", summary)[1]) == pytest.approx(
        made.true_peak, abs=0.2
    )


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
def test_a_premix_is_as_netflix_asks(tmp_path):
    """Its true peak, by ffmpeg; mono, 24 bit, 48 kHz, as long as the picture, from 01:00:00:00."""
    loud = speech(tmp_path, rate=48000)
    for one in loud:
        wave, rate = soundfile.read(one.wave)
        soundfile.write(one.wave, 0.95 * wave / np.abs(wave).max(), rate, subtype="PCM_24")
    delivery = replace(
        AS_IS, sample_rate=48000, loudness=TARGETS["premix"], start_timecode=3600.0,
        frame_rate=FrameRate(24),
    )  # fmt: skip
    made = render(loud, 48000 * 9, tmp_path / "out", delivery)
    assert made.reel.name == "reel_01.00.00.00.wav"
    assert stem(made, "둘").name == "둘_01.00.00.00.wav"
    assert made.gain == 0 and made.limited > 3 and made.within
    for path in (made.reel, *parts_of(made)):
        about = soundfile.info(path)
        assert (about.channels, about.samplerate, about.subtype) == (1, 48000, "PCM_24")
        assert about.frames == 9 * 48000
        assert (
            wavinfo.WavInfoReader(path, bext_encoding="utf-8").bext.time_reference == 3600 * 48000
        )
        said = subprocess.run(
            ["ffmpeg", "-nostats", "-i", path, "-af", "ebur128=peak=true", "-f", "null", "-"],
            capture_output=True, text=True, check=True,
        ).stderr.split("Summary:")[1]  # fmt: skip
        assert float(re.search(r"Peak:\s+(\S+) dBFS", said)[1]) <= -5.9


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("하나", "하나"),
        ("하나", "하나"),  # decomposed
        ("왕/여왕: '1'", "왕_여왕___1_"),
        ("../../etc", "______etc"),
        ("A-b_3", "A-b_3"),
        ("", "no_character"),
        ("  ", "no_character"),
        ("con", "con_"),
        ("Lpt1", "Lpt1_"),
        ("console", "console"),
        ("a\x00\ud800b.", "a__b_"),
        ("가" * 30, "가" * 26),
        ("a" + "가" * 30, "a" + "가" * 26),
    ],
)
def test_safe_names(text, name):
    assert safe_name(text) == name
    assert len(name.encode()) <= 80


def test_unique_names():
    long = "가" * 40
    names = unique_names(["왕", "a/b", "a:b", "A?B", "a_b_2", long, long + "나", "왕"])
    assert names["a/b"] == "a_b" and names["왕"] == "왕"
    assert len(names) == 7 == len({name.casefold() for name in names.values()})
    assert all(len(name.encode()) <= 80 for name in names.values())


def test_characters_of_like_names_get_stems_of_their_own(tmp_path):
    placed = [
        line(tmp_path, "a", np.full(100, 0.1), stem="왕/1"),
        line(tmp_path, "b", np.full(100, 0.2), stem="왕:1"),
        line(tmp_path, "c", np.full(100, 0.3), stem=""),
    ]
    made = render(placed, 1000, tmp_path / "out", AS_IS)
    assert stem(made, "").name == "no_character.wav"
    heights = {name: read(stem(made, name)).max() for name in made.stems}
    assert heights == pytest.approx({"": 0.3, "왕/1": 0.1, "왕:1": 0.2}, abs=1e-6)
