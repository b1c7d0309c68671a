"""Recordings in forms that libsndfile does not know by itself: read to the sample, or refused by name."""

import shutil
import struct
import subprocess

import numpy as np
import pytest
import soundfile

from moksori.errors import AudioError
from moksori.signal import audio, bwf, decoders, ixml
from moksori.signal.audio import write
from tests.conftest import voiced_wave
from tests.signal.test_decoders import without_tag

RATE = 48000
ONE = np.tile(voiced_wave(1.0), 2)
WAVE = np.stack([ONE, np.roll(ONE, 500) * 0.5], axis=1)
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


def source(path, subtype):
    """A WAV, and its samples as libsndfile reads them."""
    soundfile.write(path, WAVE, RATE, subtype=subtype)
    return soundfile.read(path, dtype="float32")[0]


def converted(path, *options):
    """What ffmpeg makes of `source.wav` beside it."""
    command = ["ffmpeg", "-v", "error", "-i", path.parent / "source.wav", *options, path]
    subprocess.run(command, check=True)
    return path


def chunk(name, content):
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def long_wav(path, name, subtype, *ahead, counted=False):
    """RF64 or BW64 with other chunks before its samples; sizes in `ds64` alone, or in `data` too."""
    soundfile.write(path, WAVE, RATE, subtype=subtype, format="RF64")
    content = path.read_bytes()
    place = content.index(b"data", 60)
    samples = content[place + 8 :]
    size = struct.pack("<I", len(samples)) if counted else b"\xff" * 4
    whole = content[12:place] + b"".join(ahead) + b"data" + size + samples
    whole = whole[:8] + struct.pack("<Q", len(whole) + 4) + whole[16:]
    path.write_bytes(name + b"\xff" * 4 + b"WAVE" + whole)
    return path


@pytest.mark.parametrize("name", [b"RF64", b"BW64"])
@pytest.mark.parametrize("counted", [False, True])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_wav_with_long_sizes_is_read_whole(tmp_path, name, counted, subtype):
    """ITU-R BS.2088's BW64 too, with chunks of odd sizes, of which libsndfile forgets the last byte."""
    expected = source(tmp_path / "source.wav", subtype)
    bext = struct.pack("<256s32s32s10s8sQH64s190s", *[b""] * 5, 3590 * RATE, 1, b"", b"") + b"abc"
    about = b"<BWFXML><SPEED><TIMECODE_RATE>24/1</TIMECODE_RATE></SPEED></BWFXML>"
    ahead = chunk(b"bext", bext), chunk(b"axml", b"<a/> "), chunk(b"iXML", about)
    path = long_wav(tmp_path / "a.wav", name, subtype, *ahead, counted=counted)
    with path.open("ab") as file:
        file.write(b"LIST" + struct.pack("<I", 5) + b"hello")  # the last byte is not always there
    read = audio.decode(path)
    np.testing.assert_array_equal(read.samples, expected)
    assert (read.sample_rate, read.subtype) == (RATE, subtype)
    header = decoders.inspect(path)
    assert (header.frames, header.time_reference) == (len(WAVE), 3590 * RATE)
    assert ixml.read_ixml(path) is not None
    path.write_bytes(path.read_bytes()[:50000])
    with pytest.raises(AudioError, match="truncated"):
        audio.decode(path)


def test_bw64_that_was_never_finished_is_read_with_a_warning(tmp_path):
    expected = source(tmp_path / "source.wav", "PCM_24")
    path = long_wav(tmp_path / "a.wav", b"BW64", "PCM_24")
    content = bytearray(path.read_bytes())
    content[20:36] = bytes(16)  # sizes of the file and of its samples
    path.write_bytes(content)
    with pytest.warns(audio.RecordingWarning, match="never finished"):
        np.testing.assert_array_equal(audio.decode(path).samples, expected)


def test_bw64_is_stamped_as_a_wav(tmp_path):
    path = long_wav(tmp_path / "a.wav", b"BW64", "PCM_16", chunk(b"axml", b"<a/> "))
    with path.open("rb") as file:
        kinds = [found.kind for found in bwf.chunks(file)]
    assert kinds == [b"ds64", b"fmt ", b"axml", b"data"]


@pytest.mark.parametrize("subtype", ["ALAC_16", "ALAC_20", "ALAC_24", "ALAC_32"])
def test_what_apple_s_lossless_codec_keeps_is_written_in_full(tmp_path, subtype):
    path = tmp_path / "a.caf"
    soundfile.write(path, WAVE, RATE, subtype=subtype)
    read = audio.decode(path, dtype="float64")
    assert write(tmp_path / "b.wav", read.samples, RATE, read.subtype) == read.subtype
    np.testing.assert_array_equal(soundfile.read(tmp_path / "b.wav")[0], read.samples)
    np.testing.assert_array_equal(read.samples, soundfile.read(path)[0])


@needs_ffmpeg
@pytest.mark.parametrize("bits", [16, 24])
@pytest.mark.parametrize(
    ("name", "codec", "kind"),
    [("a.ogg", "flac", ""), ("a.oga", "flac", ""), ("a.caf", "alac", "p"), ("a.m4a", "alac", "p")],
)
def test_lossless_codecs_are_read_to_the_sample(tmp_path, name, codec, kind, bits):
    """Beside the WAV that they were made from, and as wide."""
    expected = source(tmp_path / "source.wav", f"PCM_{bits}")
    form = ["-sample_fmt", f"s{16 if bits == 16 else 32}{kind}", "-bits_per_raw_sample", f"{bits}"]
    path = converted(tmp_path / name, "-c:a", codec, *form)
    read = audio.decode(path)
    np.testing.assert_array_equal(read.samples, expected)
    assert read.subtype == f"PCM_{bits}"
    assert decoders.inspect(path).frames == len(WAVE)
    part = audio.decode(path, part=(1000, 500)).samples
    np.testing.assert_array_equal(part, expected[1000:1500])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(AudioError, match=r"truncated|not a readable"):
        audio.decode(path)


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "codec", "kind"), [("a.ogg", "flac", "Ogg (FLAC)"), ("a.caf", "alac", "CAF (ALAC)")]
)
def test_without_ffmpeg_the_error_names_the_codec(tmp_path, monkeypatch, name, codec, kind):
    source(tmp_path / "source.wav", "PCM_16")
    path = converted(tmp_path / name, "-c:a", codec)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AudioError) as error:
        audio.read(path)
    assert f"reading {kind} needs ffmpeg" in error.value.say("en")


def test_mp3_in_a_wav_is_read_as_the_mp3_that_it_holds(tmp_path):
    """Format tag 0x55, with and without the frame that tells the length."""
    soundfile.write(tmp_path / "a.mp3", WAVE, RATE, bitrate_mode="CONSTANT", compression_level=0.5)
    frames = (tmp_path / "a.mp3").read_bytes()
    form = struct.pack("<HHIIHHHHIHHH", 0x55, 2, RATE, 16000, 1, 0, 12, 1, 2, 384, 1, 1105)
    body = b"WAVE" + chunk(b"fmt ", form) + chunk(b"fact", struct.pack("<I", len(WAVE)))
    for name, sound in (("whole", frames), ("bare", without_tag(frames))):
        (tmp_path / f"{name}.mp3").write_bytes(sound)
        content = body + chunk(b"data", sound)
        path = tmp_path / f"{name}.wav"
        path.write_bytes(b"RIFF" + struct.pack("<I", len(content)) + content)
        expected, read = audio.decode(tmp_path / f"{name}.mp3"), audio.decode(path)
        np.testing.assert_array_equal(read.samples, expected.samples)
        assert decoders.inspect(path).frames == len(expected.samples)
        path.write_bytes(path.read_bytes()[:-400])
        with pytest.raises(AudioError, match="truncated"):
            audio.decode(path)
