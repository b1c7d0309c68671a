import numpy as np
import pytest

from moksori.alignment.alignment import Alignment
from moksori.dubbing.work.long_lines import Part
from moksori.dubbing.work.metrics import clipped, of_parts, snr
from moksori.signal.audio import Recording

RATE = 22050


def tone(amplitude=0.9, seconds=1.0, hertz=100.0):
    return amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)


def test_a_wave_cut_off_at_its_peak_is_clipped_once_a_half_wave():
    wave = tone()
    assert clipped(wave[:, None]) == 0
    assert clipped(np.clip(wave, -0.8, 0.8)[:, None]) == 200  # 100 Hz, both sides
    assert clipped(np.clip(wave, -1, 0.8)[:, None]) == 0 or clipped(
        np.clip(wave, -0.8, 0.8)[:, None]
    )
    assert clipped(np.clip(0.1 * wave, -0.01, 0.01)[:, None]) == 0  # far from full scale
    assert clipped(np.zeros((0, 1))) == 0


def test_the_noise_s_level_is_found():
    chance = np.random.default_rng(0)
    speech = np.concatenate([tone(0.5), np.zeros(RATE)])
    for level in (20, 40):
        noise = chance.standard_normal(len(speech)) * np.sqrt(0.125) * 10 ** (-level / 20)
        assert snr(Recording((speech + noise)[:, None], RATE, "PCM_16")) == pytest.approx(
            level, abs=1.5
        )
    assert snr(Recording(speech[:, None], RATE, "PCM_16")) == 80
    assert snr(Recording(np.zeros((10, 1)), RATE, "PCM_16")) == 80


def alignment(path, free=None):
    weights = np.eye(8)[path]
    phones = ["^", *"\u1100\u1161\u1102\u1161\u1103\u1161", "$"]
    return Alignment(weights=weights, posterior=weights if free is None else free, phones=phones)


def test_a_word_that_is_not_said_is_rushed_through():
    loud = np.zeros((100, 80))
    slow = np.repeat(np.arange(8), [10, 20, 20, 10, 10, 10, 10, 10])
    assert of_parts([Part(alignment(slow), loud, np.zeros(0))])["rushed"] == 0
    hurried = np.repeat(np.arange(8), [10, 40, 1, 1, 1, 1, 30, 16])
    assert of_parts([Part(alignment(hurried), loud, np.zeros(0))])["rushed"] == 4


def test_sound_that_is_like_nothing_in_the_text_is_unheard_only_where_it_is_loud():
    path = np.repeat(np.arange(8), [10, 20, 20, 10, 10, 10, 10, 10])
    free = np.eye(8)[path]
    free[30:55] = 0.01
    figures = of_parts([Part(alignment(path, free), np.zeros((100, 80)), np.zeros(0))])
    assert figures["unheard"] == pytest.approx(25 * 256 / 22050, abs=0.05)
    quiet = np.zeros((100, 80))
    quiet[28:57] = -6.0
    assert of_parts([Part(alignment(path, free), quiet, np.zeros(0))])["unheard"] == 0
    assert figures["confidence"] == pytest.approx(0.75, abs=0.01)


def test_a_long_line_s_figures_are_its_parts_worst_or_mean():
    path = np.repeat(np.arange(8), [10, 20, 20, 10, 10, 10, 10, 10])
    free = np.eye(8)[path]
    free[30:55] = 0.01
    good = Part(alignment(path), np.zeros((100, 80)), np.zeros(0))
    bad = Part(alignment(path, free), np.zeros((100, 80)), np.zeros(0))
    one, other, both = (of_parts(parts) for parts in ([good], [bad], [good, bad]))
    assert both["unheard"] == other["unheard"] > one["unheard"]
    assert both["word"] == other["word"] < one["word"]
    assert both["confidence"] == pytest.approx((one["confidence"] + other["confidence"]) / 2)
