import numpy as np
import pytest

from moksori.config import AudioConfig
from moksori.signal.pitch import f0, swift
from tests.conftest import voiced_wave

AUDIO = AudioConfig()


def test_f0_of_a_known_pitch():
    t = np.arange(22050) / 22050
    wave = sum(np.sin(2 * np.pi * 220 * k * t) / k for k in range(1, 9)).astype(np.float32) * 0.1
    found = f0(wave, AUDIO)
    voiced = found[found > 0]
    assert len(voiced) > 0.9 * len(found)
    assert abs(np.median(voiced) - 220) < 1


def test_frames_lie_under_the_mel_s():
    """A tone that begins at a known sample begins in both features at the same frame."""
    wave = np.zeros(22050, dtype=np.float32)
    t = np.arange(11025) / 22050
    wave[11025:] = 0.3 * sum(np.sin(2 * np.pi * 200 * k * t) for k in range(1, 6))
    onset = 11025 / 256 - 0.5
    assert abs(int((f0(wave, AUDIO) > 0).nonzero()[0][0]) - onset) <= 2


def test_a_moving_melody_is_followed():
    rate = 22050
    curve = 150 * 2 ** (0.2 * np.sin(2 * np.pi * 0.7 * np.arange(3 * rate) / rate))
    found = f0(voiced_wave(3.0, rate, 150), AUDIO)
    expected = curve[128::256][: len(found)]  # at the middle of each frame
    voiced = found > 0
    assert voiced.mean() > 0.8
    assert np.quantile(np.abs(12 * np.log2(found[voiced] / expected[voiced])), 0.9) < 0.3


@pytest.mark.parametrize("length", [1024, 5119, 5120, 22050])
def test_there_is_a_frame_for_each_of_the_mel_s(length):
    assert len(f0(voiced_wave(1.0)[:length], AUDIO)) == length // 256


def test_silence_has_none():
    assert (f0(np.zeros(11025, np.float32), AUDIO) == 0).all()


def test_the_small_network_tells_voice_from_noise():
    noise = 0.1 * np.random.default_rng(0).standard_normal(22050).astype(np.float32)
    assert swift(noise, 22050, 60, 700).voiced.mean() < 0.1
    assert swift(voiced_wave(1.0), 22050, 60, 700).voiced.mean() > 0.8
