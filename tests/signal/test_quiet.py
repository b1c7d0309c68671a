"""Recordings of few steps: their speech is found where that of their 24-bit selves is."""

import warnings

import numpy as np
import pytest
import soundfile

from moksori.errors import AudioError
from moksori.signal import audio, levels
from tests.conftest import voiced_wave


@pytest.mark.parametrize(
    ("subtype", "gain"), [("PCM_U8", 1.0), ("PCM_U8", 0.3), ("PCM_S8", 1.0), ("PCM_16", 0.002)]
)
def test_the_steps_of_a_format_are_no_speech(tmp_path, subtype, gain):
    """In silence a converter goes to and fro between two values, which was taken for speech."""
    chance = np.random.default_rng(0)
    speech = voiced_wave(1.0) * 4
    wave = np.concatenate([np.zeros(22050), speech / np.abs(speech).max(), np.zeros(22050)]) * gain
    step = 2.0**-7 if subtype.endswith("8") else 2.0**-15
    dithered = wave + step * chance.uniform(-0.5, 0.5, len(wave))
    path = tmp_path / ("a.aiff" if subtype == "PCM_S8" else "a.wav")
    soundfile.write(path, dithered, 22050, subtype=subtype)
    soundfile.write(tmp_path / "fine.wav", wave, 22050, subtype="FLOAT")
    coarse, fine = audio.read(path), audio.read(tmp_path / "fine.wav")
    found = levels.speech_bounds(coarse.mono, 22050, noise=coarse.noise)
    expected = levels.speech_bounds(fine.mono, 22050, noise=fine.noise)
    assert np.abs(np.subtract(found, expected)).max() < 0.06 * 22050
    assert levels.speech_bounds(coarse.mono, 22050) == (0, len(wave))  # as it was


def test_what_is_made_of_8_bits_is_written_in_16(tmp_path):
    soundfile.write(tmp_path / "a.wav", voiced_wave(0.5), 22050, subtype="PCM_U8")
    recording = audio.decode(tmp_path / "a.wav")
    assert audio.write(tmp_path / "b.wav", recording.samples, 22050, recording.subtype) == "PCM_16"
    np.testing.assert_array_equal(audio.decode(tmp_path / "b.wav").samples, recording.samples)


@pytest.mark.parametrize(
    ("subtype", "decibels", "outcome"),
    [
        ("PCM_U8", 0, None), ("PCM_S8", -11, None), ("PCM_U8", -13, "16 bits or more"),
        ("PCM_S8", -29, "5 steps"), ("PCM_U8", -32, "refused"), ("PCM_U8", -42, "refused"),
        ("PCM_16", -42, None), ("PCM_16", -59, None), ("PCM_16", -61, "refused"), ("FLOAT", -59, None),
    ],
)  # fmt: skip
def test_a_quiet_recording_of_few_steps_is_told_and_one_of_none_refused(
    tmp_path, subtype, decibels, outcome
):
    wave = voiced_wave(1.0)
    path = tmp_path / ("a.aiff" if subtype == "PCM_S8" else "a.wav")
    wave *= 10 ** (decibels / 20) * 127 / 128 / np.abs(wave).max()
    soundfile.write(path, wave, 22050, subtype=subtype)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        if outcome == "refused":
            with pytest.raises(AudioError, match="the recording is silent"):
                audio.read(path)
            return
        recording = audio.read(path)
    assert len(told) == (outcome is not None)
    if outcome:
        assert isinstance(told[0].message, audio.RecordingWarning)
        assert outcome in str(told[0].message)
        assert "8비트인데 소리가 작아" in told[0].message.notice.say("ko")
    begin, end = levels.speech_bounds(recording.mono, 22050, noise=recording.noise)
    assert end - begin > 11025


def test_a_wave_that_is_one_level_throughout_has_bounds():
    """In single precision its level was not above itself, which ended in an IndexError."""
    for level in (0.0, 1e-6, 2.0**-7, 0.3):
        wave = np.full(22050, level, np.float32)
        begin, end = levels.speech_bounds(wave, 22050, noise=0.006)
        assert 0 <= begin < end <= len(wave)
