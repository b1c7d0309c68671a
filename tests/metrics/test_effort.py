"""Effort against signals whose measures follow from their definition."""

import numpy as np
import pytest

from moksori.metrics.effort import effort, followed

RATE = 24000
SECONDS = 1.0
T = np.arange(int(RATE * SECONDS)) / RATE
F0 = np.full(int(SECONDS / 0.016), 200.0)


def harmonics(levels):
    """A sum of harmonics of 200 Hz, with their amplitudes."""
    return sum(level * np.sin(2 * np.pi * 200 * k * T + k) for k, level in levels.items())


def test_alpha_ratio_is_the_ratio_of_the_bands():
    wave = harmonics({2: 1.0, 10: 0.1})  # 400 Hz and 2 kHz, 20 dB apart
    assert effort(wave, RATE, F0).alpha_ratio == pytest.approx(-20, abs=0.3)


def test_hammarberg_is_the_difference_of_the_peaks():
    wave = harmonics({2: 1.0, 3: 0.9, 15: 0.05})
    assert effort(wave, RATE, F0).hammarberg == pytest.approx(26.0, abs=0.5)


@pytest.mark.parametrize("ratio", [5.0, 10.0, 20.0])
def test_hnr_is_the_ratio_of_tone_and_noise(ratio):
    chance = np.random.default_rng(0)
    tone = harmonics({k: 1.0 for k in range(1, 20)})
    noise = chance.normal(size=len(T))
    noise *= np.sqrt((tone**2).mean() / (noise**2).mean() / 10 ** (ratio / 10))
    assert effort(tone + noise, RATE, F0).hnr == pytest.approx(ratio, abs=2.0)


def test_the_level_does_not_matter():
    wave = harmonics({1: 1.0, 7: 0.3, 12: 0.1})
    assert effort(wave, RATE, F0) == pytest.approx(effort(wave * 0.01, RATE, F0), abs=1e-3)


def test_a_line_without_voice_has_none():
    assert np.isnan(effort(harmonics({1: 1.0}), RATE, np.zeros(60))).all()
    assert np.isnan(effort(np.zeros(RATE), RATE, F0)).all()


def test_followed_compares_within_actors():
    source = np.array([1.0, 2.0, 3.0, 11.0, 12.0, 13.0, 99.0])
    actors = [*"aaabbbc"]
    result = followed(source, np.array([0.5, 1.0, 1.5, 0.5, 1.0, 1.5, -99.0]), actors)
    assert result == pytest.approx((1.0, 0.5))
    flat = followed(source, np.array([5.0, 5.1, 4.9, 1.0, 1.0, 1.0, 7.0]), actors)
    assert abs(flat.correlation) < 0.6 and flat.spread < 0.1
