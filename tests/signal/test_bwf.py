import json
import shutil
import struct
import subprocess
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
import soundfile
import wavinfo

from moksori.errors import AudioError, OutputError
from moksori.signal import audio, bwf
from moksori.signal.bwf import Broadcast, write_bext
from moksori.signal.decoders import Header, inspect

ABOUT = Broadcast(
    description="달빛 극장: 하나",
    date=datetime(2024, 5, 6, 7, 8, 9),
    start=48000 * 86399 * 2 + 5,  # more than 32 bits hold
    frame_rate="30000/1001",
    drop_frame=True,
    reference="abc123",
    project="달빛 <극장> & 친구들",
    scene='하나 "둘"',
    take="1",
    note="a\x00b\x1fc\ud800d\ufffee\nf",
    tracks=("하나",),
    loudness=-23.456,
    true_peak=-1.5,
)


def wav(path, frames=1001, channels=1, subtype="PCM_24", rate=48000):
    samples = np.random.default_rng(0).integers(-(2**31), 2**31, (frames, channels)) >> 8 << 8
    soundfile.write(path, samples.astype(np.int32), rate, subtype=subtype)
    return path


def test_another_reader_reads_what_was_told(tmp_path):
    path = wav(tmp_path / "a.wav")
    write_bext(path, ABOUT)
    info = wavinfo.WavInfoReader(path, bext_encoding="utf-8")
    bext = info.bext
    assert bext.description == ABOUT.description
    assert (bext.originator, bext.originator_ref) == ("Moksori", "abc123")
    assert (bext.originator_date, bext.originator_time) == ("2024-05-06", "07:08:09")
    assert (bext.time_reference, bext.version) == (ABOUT.start, 2)
    assert (bext.loudness_value, bext.max_true_peak) == (-23.46, -1.5)
    assert bext.loudness_range == bext.max_momentary_loudness == 327.67  # 0x7FFF: not measured
    assert bext.max_shortterm_loudness == 327.67
    assert bext.umid == bytes(64)
    assert bext.coding_history == "A=PCM,F=48000,W=24,M=mono,T=Moksori\r\n"
    ixml = info.ixml
    assert (ixml.project, ixml.scene, ixml.take) == (ABOUT.project, ABOUT.scene, "1")
    assert [(t.name, int(t.interleave_index)) for t in ixml.track_list] == [("하나", 1)]
    texts = {element.tag: element.text for element in ixml.parsed.iter()}
    assert texts["NOTE"] == "a b c d e f"
    assert (texts["TIMECODE_RATE"], texts["TIMECODE_FLAG"]) == ("30000/1001", "DF")
    assert texts["TIMESTAMP_SAMPLE_RATE"] == "48000"
    high, low = (int(texts[f"TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_{half}"]) for half in ("HI", "LO"))
    assert high * 2**32 + low == ABOUT.start > 2**32
    assert (info.fmt.sample_rate, info.data.frame_count) == (48000, 1001)


def test_what_is_not_known_is_left_out(tmp_path):
    path = wav(tmp_path / "a.wav", channels=2)
    write_bext(
        path,
        Broadcast(
            description="",
            date=datetime(2024, 1, 1),
            start=0,
            frame_rate="25/1",
            drop_frame=False,
            loudness=-np.inf,
        ),
    )
    info = wavinfo.WavInfoReader(path, bext_encoding="ascii")
    assert info.bext.loudness_value == info.bext.max_true_peak == 327.67
    assert "M=stereo" in info.bext.coding_history
    tags = {element.tag: element.text for element in info.ixml.parsed.iter()}
    assert tags["TIMECODE_FLAG"] == "NDF"
    assert not {"PROJECT", "SCENE", "TAKE", "NOTE", "TRACK", "TRACK_LIST"} & set(tags)


@pytest.mark.parametrize(("frames", "subtype"), [(1000, "PCM_24"), (1001, "PCM_24"), (77, "FLOAT")])
def test_samples_stay_and_bext_comes_before_them(tmp_path, frames, subtype):
    path = wav(tmp_path / "a.wav", frames, subtype=subtype)
    before, _ = soundfile.read(path, dtype="int32")
    write_bext(path, ABOUT)
    write_bext(path, ABOUT)  # a second time: the first one's chunks go
    after, rate = soundfile.read(path, dtype="int32")
    assert rate == 48000 and np.array_equal(before, after)
    content = path.read_bytes()
    assert content.count(b"bext") == content.count(b"iXML") == 1
    assert content.index(b"bext") < content.index(b"iXML") < content.index(b"data")
    assert struct.unpack("<I", content[4:8])[0] == len(content) - 8
    assert [file.name for file in tmp_path.iterdir()] == ["a.wav"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_the_same_bytes_every_time(tmp_path):
    for name in "ab":
        write_bext(wav(tmp_path / f"{name}.wav"), ABOUT)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


@pytest.mark.parametrize("size", range(250, 262))
def test_a_long_korean_text_is_cut_between_characters(tmp_path, size):
    text = "a" * (size - 250) + "가" * 100
    path = wav(tmp_path / "a.wav")
    write_bext(
        path,
        Broadcast(
            description=text,
            date=datetime(2024, 1, 1),
            start=0,
            frame_rate="25/1",
            drop_frame=False,
            reference="나" * 40,
        ),
    )
    bext = wavinfo.WavInfoReader(path, bext_encoding="utf-8").bext  # raises on half a character
    assert text.startswith(bext.description)
    assert 254 <= len(bext.description.encode()) <= 256
    assert bext.originator_ref == "나" * 10


@pytest.mark.parametrize("form", ["WAV", "RF64"])
def test_beyond_what_riff_counts_to_it_is_rf64(tmp_path, monkeypatch, form):
    """Read back by libsndfile and wavinfo, whichever of the two it was before."""
    path, samples = tmp_path / "a.wav", np.arange(-500, 501, dtype=np.int16)
    soundfile.write(path, samples, 48000, format=form)
    monkeypatch.setattr(bwf, "_LARGEST", 2000)
    write_bext(path, ABOUT)
    write_bext(path, ABOUT)  # a second time, now of RF64: the first one's chunks go
    assert soundfile.info(path).format == "RF64"
    assert path.read_bytes().count(b"ds64") == path.read_bytes().count(b"bext") == 1
    assert struct.unpack("<8xQ", path.read_bytes()[12:28])[0] == path.stat().st_size - 8
    np.testing.assert_array_equal(soundfile.read(path, dtype="int16")[0], samples)
    info = wavinfo.WavInfoReader(path, bext_encoding="utf-8")
    assert (info.data.frame_count, info.bext.time_reference) == (1001, ABOUT.start)
    assert inspect(path) == Header(1001, 48000, None, ABOUT.start)
    monkeypatch.undo()
    write_bext(path, ABOUT)
    assert soundfile.info(path).format in ("WAV", "WAVEX")
    np.testing.assert_array_equal(soundfile.read(path, dtype="int16")[0], samples)


@pytest.mark.parametrize("frames", [1, 1000, 1001])
@pytest.mark.parametrize("form", ["WAV", "RF64"])
def test_what_is_written_bit_by_bit_is_what_is_stamped_afterwards(
    tmp_path, monkeypatch, frames, form
):
    """As libsndfile writes it and `write_bext` stamps it; RF64 by the samples, whose `fmt ` it extends."""
    if form == "RF64":
        monkeypatch.setattr(bwf, "_LARGEST", 500)
    at_once = wav(tmp_path / "once.wav", frames)
    samples = soundfile.read(at_once, dtype="int32")[0] >> 8
    write_bext(at_once, ABOUT)
    path, unmeasured = tmp_path / "a.wav", replace(ABOUT, loudness=None, true_peak=None)
    with bwf.Writer(path, unmeasured, 48000, frames) as file:
        for part in np.array_split(samples, 3):
            file.write(part.astype(np.int32))
    assert wavinfo.WavInfoReader(path, bext_encoding="utf-8").bext.loudness_value == 327.67
    file.finish(-23.456, -1.5)
    if form == "WAV":
        assert path.read_bytes() == at_once.read_bytes()
    assert soundfile.info(path).format == ("RF64" if form == "RF64" else "WAV")
    np.testing.assert_array_equal(soundfile.read(path, dtype="int32")[0] >> 8, samples)
    bext = wavinfo.WavInfoReader(path, bext_encoding="utf-8").bext
    assert (bext.loudness_value, bext.max_true_peak) == (-23.46, -1.5)


def test_a_track_beyond_4_gb_is_read_where_a_line_lies(tmp_path):
    """A file with a hole: 5 GB to read, a page on the disk; its time reference stands behind the samples."""
    path, frames = tmp_path / "track.wav", 5 * 2**30 // 2
    said = np.arange(1, 2001, dtype="<i2") * 8
    bext = struct.pack("<338xQ", 48000 * 3600) + bytes(256)
    head = struct.pack("<4sI4s", b"RF64", 2**32 - 1, b"WAVE")
    head += struct.pack("<4sIQQQI", b"ds64", 28, 80 + 2 * frames + len(bext), 2 * frames, frames, 0)
    head += struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 48000, 96000, 2, 16)
    head += struct.pack("<4sI", b"data", 2**32 - 1)
    with path.open("wb") as file:
        file.write(head)
        file.seek(len(head) + 2 * (frames - 2000))
        file.write(said.tobytes() + struct.pack("<4sI", b"bext", len(bext)) + bext)
    if path.stat().st_blocks * 512 > 2**30:
        pytest.skip("the file system has no holes")
    assert inspect(path) == Header(frames, 48000, None, 48000 * 3600)
    part = audio.decode(path, part=(frames - 2000, 2000), dtype="float64")
    np.testing.assert_array_equal(part.samples[:, 0] * 2**15, said)
    with path.open("r+b") as file:
        file.truncate(len(head) + frames)  # half of it
    with pytest.raises(AudioError, match="truncated"):
        inspect(path)


def test_before_midnight_is_refused(tmp_path):
    path = wav(tmp_path / "b.wav")
    content = path.read_bytes()
    with pytest.raises(OutputError, match=r"b\.wav: begins before midnight"):
        write_bext(path, replace(ABOUT, start=-1))
    with pytest.raises(OutputError, match=r"b\.wav: begins before midnight"):
        bwf.Writer(path, replace(ABOUT, start=-1), 48000, 1)
    assert path.read_bytes() == content


@pytest.mark.parametrize("kind", ["text", "empty", "cut", "no data", "missing"])
def test_what_is_no_wav_is_named_and_left(tmp_path, kind):
    whole = wav(tmp_path / "whole.wav").read_bytes()
    contents = {
        "text": "글이다".encode() * 20,
        "empty": b"",
        "cut": whole[:2000],
        "no data": whole[:36],
    }
    path = tmp_path / "a.wav"
    if kind in contents:
        path.write_bytes(contents[kind])
    with pytest.raises(OutputError, match=r"a\.wav: "):
        write_bext(path, ABOUT)
    assert not path.exists() or path.read_bytes() == contents[kind]
    assert {file.name for file in tmp_path.iterdir()} <= {"a.wav", "whole.wav"}


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="needs ffprobe")
def test_ffprobe_reads_it(tmp_path):
    path = wav(tmp_path / "a.wav")
    write_bext(path, ABOUT)
    said = subprocess.run(
        ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", path],
        capture_output=True, check=True,
    )  # fmt: skip
    assert said.stderr == b""
    told = json.loads(said.stdout)
    tags = told["format"]["tags"]
    assert tags["comment"] == ABOUT.description
    assert (tags["encoded_by"], tags["date"]) == ("Moksori", "2024-05-06")
    assert int(tags["time_reference"]) == ABOUT.start
    assert told["streams"][0]["codec_name"] == "pcm_s24le"
