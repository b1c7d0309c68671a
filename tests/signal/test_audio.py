import io

import numpy as np
import pytest
import soundfile

from moksori.errors import AudioError, OutputError
from moksori.signal import audio, levels
from tests.conftest import voiced_wave


def test_reads_any_rate_width_and_channels(tmp_path):
    wave = voiced_wave(0.5, rate=48000)
    soundfile.write(tmp_path / "a.wav", np.stack([wave, -wave, wave], 1), 48000, subtype="PCM_24")
    recording = audio.read(tmp_path / "a.wav")
    assert recording.samples.shape == (24000, 3)
    assert (recording.sample_rate, recording.subtype, recording.seconds) == (48000, "PCM_24", 0.5)
    np.testing.assert_allclose(recording.mono, wave / 3, atol=1e-6)


def make_bad_files(folder):
    wave = voiced_wave(1.0)
    whole = folder / "whole.wav"
    soundfile.write(whole, wave, 22050)
    (folder / "empty.wav").write_bytes(b"")
    (folder / "text.wav").write_text("이것은 녹음이 아니다")
    (folder / "cut.wav").write_bytes(whole.read_bytes()[:20000])
    soundfile.write(folder / "whole.flac", wave, 22050)
    (folder / "cut.flac").write_bytes((folder / "whole.flac").read_bytes()[:9000])
    soundfile.write(folder / "silent.wav", np.zeros(22050), 22050)
    soundfile.write(folder / "none.wav", np.zeros(0), 22050)
    stereo = np.stack([wave, -wave], 1)
    soundfile.write(folder / "antiphase.wav", stereo, 22050)
    soundfile.write(folder / "whole.aiff", wave, 22050)
    (folder / "cut.aiff").write_bytes((folder / "whole.aiff").read_bytes()[:20000])
    soundfile.write(folder / "whole.au", wave, 22050)
    (folder / "cut.au").write_bytes((folder / "whole.au").read_bytes()[:20000])
    (folder / "headerless.raw").write_bytes(bytes(4000))
    soundfile.write(folder / "nan.wav", np.full(22050, np.nan), 22050, subtype="FLOAT")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.wav", "no such file"),
        ("empty.wav", "empty"),
        ("text.wav", "not a readable audio file"),
        ("cut.wav", "truncated"),
        ("cut.flac", "truncated|not a readable"),
        ("cut.aiff", "truncated"),
        ("cut.au", "truncated"),
        ("headerless.raw", "not a readable audio file"),
        ("antiphase.wav", "cancel each other"),
        ("silent.wav", "silent"),
        ("none.wav", "no samples"),
        ("nan.wav", "not numbers"),
        (".", "is a folder"),
    ],
)
def test_bad_files_are_named_with_what_is_wrong(tmp_path, name, message):
    make_bad_files(tmp_path)
    with pytest.raises(AudioError, match=message) as error:
        audio.read(tmp_path / name)
    assert str(tmp_path) in str(error.value)


@pytest.mark.parametrize("size", [0, 0x7FFFF024, 0xFFFFFFFF])
def test_a_streamed_wav_without_its_size_is_read_whole(tmp_path, size):
    """As ffmpeg and sox write to a pipe: RIFF's size is a placeholder."""
    soundfile.write(tmp_path / "a.wav", voiced_wave(1.0), 22050)
    content = bytearray((tmp_path / "a.wav").read_bytes())
    content[4:8] = size.to_bytes(4, "little")
    (tmp_path / "a.wav").write_bytes(content)
    assert audio.read(tmp_path / "a.wav").seconds == 1


def test_length_limit_names_the_option(tmp_path):
    soundfile.write(tmp_path / "long.wav", voiced_wave(2.0), 22050)
    with pytest.raises(AudioError, match=r"long\.wav: 2\.0 s is longer than .*--max-seconds$"):
        audio.read(tmp_path / "long.wav", max_seconds=1.5)


def test_loudness_of_the_standard_s_sine():
    """ITU-R BS.1770-4: a 997 Hz sine of full scale in one channel is -3.01 LUFS."""
    t = np.arange(48000 * 2) / 48000
    assert levels.loudness(np.sin(2 * np.pi * 997 * t), 48000) == pytest.approx(-3.01, abs=0.05)


def test_gain_reaches_its_target_even_on_a_short_wave():
    for seconds in (0.2, 1.0):
        wave = voiced_wave(seconds)
        gain = levels.gain_to(wave, 22050, -23)
        assert levels.loudness(wave * gain, 22050) == pytest.approx(-23, abs=0.01)


@pytest.mark.parametrize(
    ("samples", "sample_rate"),
    [
        (
            (1000 * voiced_wave(0.5))[:, None].astype(np.int16),
            22050,
        ),  # steps, taken for full scales
        (voiced_wave(0.5), 22050),
        (voiced_wave(0.5)[None], 22050),  # channels first
        (voiced_wave(0.5)[:, None][:, :0], 22050),
        (voiced_wave(0.5)[:, None].tolist(), 22050),
        (voiced_wave(0.5)[:, None], 22050.0),
        (voiced_wave(0.5)[:, None], 0),
    ],
)
def test_an_array_that_is_no_recording_s_is_refused(samples, sample_rate):
    with pytest.raises(AudioError, match=r"\[n, channels\] of floating point.*4000 to 768000 Hz"):
        audio.check(audio.Recording(samples, sample_rate, "FLOAT"))


def test_an_array_of_any_precision_is_a_recording():
    for dtype in (np.float32, np.float64):
        wave = voiced_wave(0.5)[:, None].astype(dtype)
        audio.check(audio.Recording(np.repeat(wave, 2, axis=1), np.int64(48000), "PCM_16"))


def test_a_very_quiet_wave_still_has_a_loudness():
    """Below the standard's gate of -70 LUFS, where nothing would be left to measure."""
    wave = voiced_wave(1.0) * 1e-4
    assert levels.loudness(wave, 22050) < -70
    assert levels.loudness(wave * levels.gain_to(wave, 22050, -23), 22050) == pytest.approx(
        -23, abs=6
    )
    assert levels.loudness(np.zeros(22050), 22050) == -np.inf


def test_peak_is_fitted_and_told():
    wave, lowered = levels.fit_peak(np.array([0.0, 2.0, -1.0]))
    assert np.abs(wave).max() < 1
    assert lowered == pytest.approx(6.03, abs=0.01)
    assert levels.fit_peak(np.array([0.5]))[1] == 0


def test_speech_is_found_between_silences():
    speech = voiced_wave(1.0)
    wave = np.concatenate([np.zeros(11025), speech, np.zeros(22050)]).astype(np.float32)
    start, end = levels.speech_bounds(wave, 22050, margin=0.08)
    assert 11025 - 0.12 * 22050 < start <= 11025
    assert 33075 <= end < 33075 + 0.12 * 22050


@pytest.mark.parametrize(("source", "target"), [(48000, 22050), (22050, 44100), (8000, 22050)])
def test_resampling_keeps_a_tone(source, target):
    t = np.arange(source) / source
    out = audio.resample(np.sin(2 * np.pi * 440 * t), source, target)
    assert abs(len(out) - target) <= 1
    expected = np.sin(2 * np.pi * 440 * np.arange(len(out)) / target)
    middle = slice(target // 4, 3 * target // 4)
    assert np.abs(out - expected)[middle].max() < 1e-3


@pytest.mark.parametrize(
    ("suffix", "asked", "written"),
    [
        (".wav", "MPEG_LAYER_III", "PCM_16"),
        (".wav", "IMA_ADPCM", "PCM_16"),
        (".flac", "FLOAT", "PCM_24"),
        (".wav", "DOUBLE", "DOUBLE"),
        (".flac", "PCM_24", "PCM_24"),
    ],
)
def test_formats_that_lose_samples_are_not_written(tmp_path, suffix, asked, written):
    path = tmp_path / f"a{suffix}"
    assert audio.write(path, voiced_wave(0.5)[:10017], 22050, asked) == written
    assert (soundfile.info(path).subtype, soundfile.info(path).frames) == (written, 10017)


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_a_file_does_not_say_when_it_was_written(tmp_path, subtype):
    """The chunk of peaks that libsndfile writes does: a line had other bytes a second later."""
    wave = voiced_wave(0.1)
    audio.write(tmp_path / "a.wav", wave, 22050, subtype)
    content = (tmp_path / "a.wav").read_bytes()
    at = content.index(b"PEAK")
    assert content[at + 12 : at + 16] == bytes(4)
    np.testing.assert_array_equal(soundfile.read(tmp_path / "a.wav", dtype="float32")[0], wave)


def test_writing_is_whole_or_not_at_all(tmp_path):
    audio.write(tmp_path / "a.flac", voiced_wave(0.1), 22050, "PCM_24")
    assert soundfile.info(tmp_path / "a.flac").subtype == "PCM_24"
    for path, message in (
        (tmp_path / "b.xyz", "use a name ending in .wav, .flac"),
        (tmp_path / "b.mp3", "use a name ending in .wav, .flac"),  # known, but it keeps no sample
        (tmp_path / "b.ogg", "use a name ending in .wav, .flac"),
        (tmp_path / "no" / "a.wav", "no such"),
    ):
        with pytest.raises(OutputError, match=message):
            audio.write(path, voiced_wave(0.1), 22050)
    assert [path.name for path in tmp_path.iterdir()] == ["a.flac"]


@pytest.mark.parametrize("level", [1.0, 0.3, 0.004, 0.0])
def test_what_a_page_plays_is_the_wave_with_noise_far_below_its_peak(level):
    """However quiet a line is; and the lower bits that are left out make it smaller."""
    wave = level * voiced_wave(1.0, rate=24000) / np.abs(voiced_wave(1.0, rate=24000)).max()
    content = audio.for_page(wave, 24000)
    heard, rate = soundfile.read(io.BytesIO(content))
    assert (rate, len(heard)) == (24000, len(wave))
    noise = np.sqrt(np.mean((heard - wave * (2**15 - 1) / 2**15) ** 2))
    assert noise <= max(level * 10 ** (-70 / 20), 2.0**-16)
    whole = io.BytesIO()
    soundfile.write(whole, wave, 24000, format="FLAC", subtype="PCM_16")
    assert len(content) < (0.9 if level > 0.1 else 1.01) * len(whole.getvalue())
