"""Recordings of few steps: their speech is found where that of their 24-bit selves is."""

import numpy as np
import pytest
import soundfile

from moksori.signal import audio
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
    found = audio.speech_bounds(coarse.mono, 22050, noise=coarse.noise)
    expected = audio.speech_bounds(fine.mono, 22050, noise=fine.noise)
    assert np.abs(np.subtract(found, expected)).max() < 0.06 * 22050
    assert audio.speech_bounds(coarse.mono, 22050) == (0, len(wave))  # as it was


def test_what_is_made_of_8_bits_is_written_in_16(tmp_path):
    soundfile.write(tmp_path / "a.wav", voiced_wave(0.5), 22050, subtype="PCM_U8")
    recording = audio.decode(tmp_path / "a.wav")
    assert audio.write(tmp_path / "b.wav", recording.samples, 22050, recording.subtype) == "PCM_16"
    np.testing.assert_array_equal(audio.decode(tmp_path / "b.wav").samples, recording.samples)
