"""Recordings as the world has them: each is read whole, read with a warning, or refused by name."""

import io
import os
import re
import shutil
import struct
import subprocess
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile

from moksori.errors import AudioError
from moksori.signal import audio, decoders, levels, mpeg
from tests.conftest import voiced_wave

WAVE = voiced_wave(1.0)


def saved(path, wave=WAVE, rate=22050, **form):
    soundfile.write(path, wave, rate, **form)
    return path


def patched(path, *changes):
    """A file with some of its bytes replaced."""
    content = bytearray(path.read_bytes())
    for place, new in changes:
        content[place : place + len(new)] = new
    path.write_bytes(content)
    return path


def size(number):
    return struct.pack("<I", number)


def without_tag(content):
    """An MP3 without its first frame, which tells the length."""
    first = mpeg._first(content)
    return content[first + mpeg._frame(content, first).size :]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([(4, size(36)), (40, size(0))], "never finished"),  # a recorder that died
        ([(4, size(0)), (40, size(0))], "never finished"),
        ([(4, size(44144))], "not the file's"),  # RIFF counts its own eight bytes too
        ([(4, size(44136 + 1000))], "not the file's"),
        ([(4, size(100))], "not the file's"),
        ([(40, size(44100 + 44))], "not the file's"),  # the samples' size is the file's
    ],
)
def test_a_wrong_size_is_a_warning_and_every_sample_is_read(tmp_path, changes, said):
    path = patched(saved(tmp_path / "a.wav"), *changes)
    with pytest.warns(audio.RecordingWarning, match=said):
        recording = audio.read(path)
    np.testing.assert_allclose(recording.samples[:, 0], soundfile.read(io.BytesIO(
        saved(tmp_path / "b.wav").read_bytes()), dtype="float32")[0])  # fmt: skip
    header = decoders.inspect(path)
    assert header.frames == len(WAVE)
    assert header.warning is not None


def test_a_header_that_tells_of_fewer_samples_than_there_are_is_questioned(tmp_path):
    path = patched(saved(tmp_path / "a.wav", subtype="PCM_24"), (40, size(30000)))
    with pytest.warns(audio.RecordingWarning, match="after its samples"):
        assert len(audio.read(path).samples) == 10000


def test_what_stands_behind_the_samples_rightly_is_no_trouble(tmp_path):
    """Chunks, as editors add them."""
    content = saved(tmp_path / "a.wav").read_bytes() + b"LIST" + size(200) + bytes(200)
    (tmp_path / "a.wav").write_bytes(content[:4] + size(len(content) - 8) + content[8:])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(audio.read(tmp_path / "a.wav").samples) == len(WAVE)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.wav", {"format": "RF64"}),
        ("a.w64", {}),
        ("a.wav", {}),
        ("a.aiff", {}),
        ("a.caf", {}),
        ("a.au", {}),
        ("a.ogg", {}),
        ("a.opus", {"format": "OGG", "subtype": "OPUS"}),
        ("a.flac", {}),
        ("a.mp3", {}),
    ],
)
def test_half_a_file_never_passes_for_whole(tmp_path, name, form):
    rate = 48000 if name == "a.opus" else 22050
    path = saved(tmp_path / name, np.tile(WAVE, 4), rate, **form)
    assert audio.read(path).seconds == pytest.approx(4 * len(WAVE) / rate, abs=0.01)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(AudioError, match=r"truncated|not a readable"):
        audio.read(path)
    with pytest.raises(AudioError, match=r"truncated|not a readable"):
        decoders.inspect(path) if name not in ("a.flac", "a.mp3") else audio.read(path)


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (22050, 2), (48000, 1)])
def test_an_mp3_that_does_not_tell_its_length_is_read_to_its_end(tmp_path, rate, channels, mode):
    """Beside the same frames read with the tag that libsndfile's encoder wrote."""
    loud = np.random.default_rng(0).standard_normal((rate, channels)) * 0.1
    wave = np.concatenate([loud, 0.05 * loud, 0.05 * loud])
    whole = saved(tmp_path / "whole.mp3", wave, rate, bitrate_mode=mode, compression_level=0.5)
    bare = tmp_path / "bare.mp3"
    bare.write_bytes(b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + without_tag(whole.read_bytes()))
    expected, found = audio.decode(whole), audio.decode(bare)
    assert len(expected.samples) <= len(found.samples) < len(expected.samples) + 2 * 1152
    assert decoders.inspect(bare).frames == len(found.samples)
    middle = expected.samples[rate : 2 * rate]
    nearest = min(
        float(np.abs(found.samples[rate + at : 2 * rate + at] - middle).max())
        for at in range(2 * 1152)
    )
    assert nearest < 1e-4
    part = audio.decode(bare, part=(rate, rate)).samples
    np.testing.assert_allclose(part, found.samples[rate : 2 * rate], atol=1e-4)
    bare.write_bytes(bare.read_bytes()[:-20])
    with pytest.raises(AudioError, match="truncated"):
        audio.read(bare)


@pytest.mark.parametrize("offset", [0.01, -0.2])
def test_a_constant_offset_changes_nothing_that_is_measured(tmp_path, offset):
    quiet = np.zeros(22050, np.float32)
    wave = np.concatenate([quiet, 0.5 * WAVE, quiet])
    plain = audio.read(saved(tmp_path / "plain.wav", wave, subtype="PCM_24"))
    moved = audio.read(saved(tmp_path / "moved.wav", wave + offset, subtype="PCM_24"))
    np.testing.assert_allclose(moved.samples, plain.samples, atol=2e-5)
    assert levels.speech_bounds(moved.mono, 22050) == levels.speech_bounds(plain.mono, 22050)
    as_it_is = audio.decode(tmp_path / "moved.wav")
    np.testing.assert_allclose(as_it_is.samples[:, 0], wave + offset, atol=1e-6)


def test_an_offset_alone_is_silence(tmp_path):
    path = saved(tmp_path / "a.wav", np.full(22050, 0.3))
    with pytest.raises(AudioError, match="silent"):
        audio.read(path)


def test_a_recording_without_an_offset_keeps_its_very_samples(tmp_path):
    path = saved(tmp_path / "a.wav", WAVE - WAVE.mean(), subtype="FLOAT")
    np.testing.assert_array_equal(audio.read(path).samples, audio.decode(path).samples)


def wave_header(channels, rate, data, bits=16):
    """A WAV of zeros by its header."""
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", 1, channels, rate, min(rate * block, 2**32 - 1), block, bits)
    content = b"WAVEfmt " + size(len(form)) + form + b"data" + size(len(data)) + data
    return b"RIFF" + size(len(content)) + content


@pytest.mark.parametrize(
    ("channels", "rate", "said"),
    [
        (255, 192000, "255 channels at 192000 Hz"),
        (2, 1, "1 Hz"),
        (1, 2_000_000_000, "2000000000 Hz"),
    ],
)
def test_what_nobody_records_is_refused_by_its_header(tmp_path, channels, rate, said):
    (tmp_path / "a.wav").write_bytes(wave_header(channels, rate, bytes(channels * 2000)))
    for look in (audio.read, decoders.inspect):
        with pytest.raises(AudioError, match=said):
            look(tmp_path / "a.wav")


def test_what_memory_should_not_hold_is_refused_before_it_is_decoded(tmp_path):
    """A sparse file: eight gigabytes once decoded, nothing on the disk."""
    path = tmp_path / "a.wav"
    head = wave_header(64, 192000, b"")
    data = 2**31 - 128
    path.write_bytes(head[:4] + size(36 + data) + head[8:40] + size(data))
    os.truncate(path, 44 + data)
    with pytest.raises(AudioError, match=r"64 channels at 192000 Hz, 4\.0 GB once decoded"):
        audio.read(path)
    assert audio.decode(path, part=(1000, 100)).samples.shape == (100, 64)


@pytest.mark.parametrize("peak", [1e20, 3e38, 32768.0])
def test_samples_beyond_all_sense_are_refused(tmp_path, peak):
    path = saved(tmp_path / "a.wav", WAVE / np.abs(WAVE).max() * peak, subtype="FLOAT")
    with pytest.raises(AudioError, match="where 1 is full scale"):
        audio.read(path)


def test_a_pipe_and_a_folder_are_named_and_nobody_waits(tmp_path):
    os.mkfifo(tmp_path / "a.wav")
    (tmp_path / "b.wav").mkdir()
    for look in (audio.read, decoders.inspect):
        with pytest.raises(AudioError, match="a pipe or a device"):
            look(tmp_path / "a.wav")
        with pytest.raises(AudioError, match="is a folder"):
            look(tmp_path / "b.wav")


needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


@needs_ffmpeg
@pytest.mark.parametrize("name", ["a.m4a", "a.aac", "a.webm", "a.opus", "a.mp4"])
def test_what_phones_and_browsers_record_is_read_through_ffmpeg(tmp_path, name):
    source = saved(tmp_path / "source.wav", np.tile(WAVE, 3))
    subprocess.run(["ffmpeg", "-v", "error", "-i", source, tmp_path / name], check=True)
    recording = audio.read(tmp_path / name)
    assert recording.seconds == pytest.approx(3.0, abs=0.08)
    assert decoders.inspect(tmp_path / name).frames == len(recording.samples)
    heard = audio.resample(recording.mono, recording.sample_rate, 22050)
    bounds = levels.speech_bounds(heard, 22050), levels.speech_bounds(np.tile(WAVE, 3), 22050)
    assert abs(np.subtract(*bounds)).max() < 0.08 * 22050  # bare AAC does not tell its delay
    assert audio.write(tmp_path / "out.wav", recording.samples, recording.sample_rate,
                       recording.subtype) == "PCM_16"  # fmt: skip


def test_what_a_file_holds_tells_its_kind_and_not_its_ending(tmp_path):
    """As people rename a phone's M4A to .wav; an MP3 without its length is whole under any name."""
    loud = np.random.default_rng(0).standard_normal(22050) * 0.1
    wave = np.concatenate([loud, 0.05 * loud, 0.05 * loud])
    saved(tmp_path / "a.mp3", wave, bitrate_mode="VARIABLE", compression_level=0.5)
    bare = without_tag((tmp_path / "a.mp3").read_bytes())
    for name, ahead in (
        ("b.wav", b""),
        ("b.m4a", b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)),
        ("b.mp3", bytes(9)),
    ):
        (tmp_path / name).write_bytes(ahead + bare)
        assert audio.read(tmp_path / name).seconds == pytest.approx(3.0, abs=0.15)
    saved(tmp_path / "c.mp3", wave, format="WAV")
    assert audio.read(tmp_path / "c.mp3").subtype == "PCM_16"


@needs_ffmpeg
@pytest.mark.parametrize(
    ("kind", "name"), [("ipod", "a.wav"), ("ipod", "a.mp3"), ("adts", "a.m4a")]
)
def test_what_a_phone_recorded_is_read_under_another_ending(tmp_path, kind, name):
    source = saved(tmp_path / "source.wav", np.tile(WAVE, 3))
    command = ["ffmpeg", "-v", "error", "-i", source, "-f", kind, tmp_path / name]
    subprocess.run(command, check=True)
    assert audio.read(tmp_path / name).seconds == pytest.approx(3.0, abs=0.15)


@needs_ffmpeg
def test_recordings_of_a_phone_that_are_read_at_once_each_keep_their_own_sound(tmp_path):
    source = saved(tmp_path / "source.wav", np.tile(WAVE, 3))
    lengths = {tmp_path / f"{n}.m4a": 0.5 + n / 4 for n in range(8)}
    for path, length in lengths.items():
        command = ["ffmpeg", "-v", "error", "-i", source, "-t", f"{length}", path]
        subprocess.run(command, check=True)
    with ThreadPoolExecutor(len(lengths)) as pool:
        found = [one.seconds for one in pool.map(audio.read, lengths)]
    assert found == pytest.approx([*lengths.values()], abs=0.08)


@needs_ffmpeg
def test_of_what_ffmpeg_decodes_nothing_stays_behind(tmp_path, monkeypatch):
    """Also of workers, which end without their exit handlers."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    source = saved(tmp_path / "source.wav", np.tile(WAVE, 3))
    subprocess.run(["ffmpeg", "-v", "error", "-i", source, tmp_path / "a.m4a"], check=True)
    assert len(audio.decode(tmp_path / "a.m4a").samples) > 2 * 22050
    assert not [*(tmp_path / "temporary").iterdir()]


@needs_ffmpeg
def test_where_there_is_no_room_to_decode_that_is_said(tmp_path, monkeypatch):
    source = saved(tmp_path / "source.wav", np.tile(WAVE, 3))
    subprocess.run(["ffmpeg", "-v", "error", "-i", source, tmp_path / "a.m4a"], check=True)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(AudioError, match="cannot be decoded into the folder for temporary files"):
        audio.read(tmp_path / "a.m4a")


@needs_ffmpeg
@pytest.mark.parametrize("name", ["a.webm", "a.mka", "a.mkv", "a.m4a", "a.opus"])
def test_half_a_file_that_ffmpeg_reads_never_passes_for_whole(tmp_path, name):
    source = saved(tmp_path / "source.wav", np.tile(WAVE, 12))
    fast = ["-movflags", "+faststart"] * (name == "a.m4a")
    subprocess.run(["ffmpeg", "-v", "error", "-i", source, *fast, tmp_path / name], check=True)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(AudioError, match="truncated"):
        audio.read(tmp_path / name)


@needs_ffmpeg
def test_a_video_without_sound_is_said_to_have_none(tmp_path):
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        "testsrc=d=1:s=64x64",
        tmp_path / "a.mov",
    ]
    subprocess.run(command, check=True)
    with pytest.raises(AudioError, match="holds no samples"):
        audio.read(tmp_path / "a.mov")


@needs_ffmpeg
def test_a_playlist_under_another_suffix_is_not_followed(tmp_path):
    secret = saved(tmp_path / "secret.wav")
    (tmp_path / "a.m4a").write_text(f"#EXTM3U\n#EXTINF:1,\nfile://{secret}\n#EXT-X-ENDLIST\n")
    (tmp_path / "b.webm").write_text(f"ffconcat version 1.0\nfile {secret}\n")
    for name in ("a.m4a", "b.webm"):
        with pytest.raises(AudioError, match="not a readable audio file"):
            audio.read(tmp_path / name)


def test_where_there_is_no_ffmpeg_the_error_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "a.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(100))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AudioError, match="needs ffmpeg, which is not installed"):
        audio.read(tmp_path / "a.m4a")


def test_a_file_s_time_reference_is_read(tmp_path):
    """Beside `wavinfo`, which reads Broadcast Wave by itself."""
    from wavinfo import WavInfoReader

    content = saved(tmp_path / "a.wav").read_bytes()
    bext = struct.pack("<256s32s32s10s8sQH64s190s", *[b""] * 5, 3590 * 22050, 1, b"", b"")
    for name, whole in (
        ("before.wav", content[:12] + b"bext" + size(602) + bext + content[12:]),
        ("behind.wav", content + b"bext" + size(602) + bext),
    ):
        path = tmp_path / name
        path.write_bytes(whole[:4] + size(len(whole) - 8) + whole[8:])
        assert decoders.inspect(path).time_reference == 3590 * 22050
        assert WavInfoReader(str(path)).bext.time_reference == 3590 * 22050
    assert decoders.inspect(tmp_path / "a.wav").time_reference is None


def test_why_a_recording_cannot_be_read_is_told_in_korean(tmp_path):
    """What libsndfile says of it is English."""
    damaged, codec = saved(tmp_path / "a.flac", np.tile(WAVE, 4)), saved(tmp_path / "a.caf")
    patched(damaged, (9000, bytes(3000)))
    patched(codec, (codec.read_bytes().index(b"lpcm"), b"none"))
    for path, why in ((damaged, "damaged; export it again"), (codec, "encoding that is not read")):
        with pytest.raises(AudioError, match=why) as error:
            audio.read(path)
        words = error.value.say("ko").removeprefix(str(path))
        assert not re.search(r"[a-z]", words), words
