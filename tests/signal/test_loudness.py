import re
import shutil
import subprocess

import numpy as np
import pytest
import soundfile
from scipy.signal import freqz

from moksori.signal.gating import integrated_loudness, k_weighting
from moksori.signal.loudness import TARGETS, Limiter, LoudnessMeter, PeakMeter, _peaks
from tests.conftest import reference_meter


def programme(seconds, rate, seed=0):
    """Bursts of noise and tones at levels 50 dB apart, with pauses: both gates have work."""
    generator = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate)) / rate
    level = 10 ** (generator.choice([-60, -40, -25, -10, -200], len(t) // 3000 + 1) / 20)
    tone = np.sin(2 * np.pi * 440 * t) + 0.5 * generator.standard_normal(len(t))
    return tone / 2 * np.repeat(level, 3000)[: len(t)]


def in_blocks(wave, size):
    return [wave[begin : begin + size] for begin in range(0, len(wave), size)]


def loudness(wave, rate, size):
    meter = LoudnessMeter(rate, 1 if wave.ndim == 1 else wave.shape[1])
    for block in [*in_blocks(wave, size), wave[:0]]:
        meter.add(block)
    return meter.loudness


def true_peak(wave, size=5000):
    meter = PeakMeter(1 if wave.ndim == 1 else wave.shape[1])
    for block in [*in_blocks(wave, size), wave[:0]]:
        meter.add(block)
    return meter.true_peak


def limited(wave, rate, limit, size=5000):
    limiter = Limiter(rate, limit)
    parts = [limiter.add(block) for block in in_blocks(wave, size)]
    return np.concatenate([*parts, limiter.finish()]), limiter.reduction


@pytest.mark.parametrize("rate", [8000, 44100, 48000])
@pytest.mark.parametrize("seconds", [0.4, 0.449, 1.37, 12.3])
@pytest.mark.parametrize("size", [997, 48000])
def test_streamed_loudness_is_that_of_the_whole_wave(rate, seconds, size):
    wave = programme(seconds, rate, seed=8)
    expected = reference_meter(rate).integrated_loudness(wave)
    assert np.isfinite(expected)
    assert loudness(wave, rate, size) == pytest.approx(expected, abs=1e-3)


def test_loudness_of_stereo():
    wave = np.stack([programme(5, 48000, 1), 0.3 * programme(5, 48000, 2)], 1)
    expected = reference_meter(48000).integrated_loudness(wave)
    assert loudness(wave, 48000, 7777) == pytest.approx(expected, abs=1e-3)


def test_loudness_after_a_long_silence():
    """The filters' state has died away by then."""
    wave = np.concatenate([programme(2, 8000), np.zeros(80000), programme(2, 8000, 4)])
    expected = reference_meter(8000).integrated_loudness(wave)
    assert loudness(wave, 8000, 1000) == pytest.approx(expected, abs=1e-3)


def test_loudness_of_impulses_with_silent_blocks_between():
    """Most of what the filters make of an impulse comes in blocks that are silent themselves."""
    wave = np.where(np.arange(8000) % 50 == 0, 0.5, 0.0)
    expected = reference_meter(8000).integrated_loudness(wave)
    assert loudness(wave, 8000, 1) == pytest.approx(expected, abs=1e-3)


def test_the_filters_are_the_standard_s_and_alike_at_every_rate():
    """BS.1770-4, tables 1 and 2; at other rates the same response, as the standard asks."""
    table = (
        (
            [1.53512485958697, -2.69169618940638, 1.19839281085285],
            [1, -1.69065929318241, 0.73248077421585],
        ),
        ([1, -2, 1], [1, -1.99004745483398, 0.99007225036621]),
    )
    for (b, a), (table_b, table_a) in zip(k_weighting(48000), table, strict=True):
        np.testing.assert_allclose(b, table_b, atol=1e-8)
        np.testing.assert_allclose(a, table_a, atol=1e-8)

    def response(rate, hertz):
        return sum(20 * np.log10(abs(freqz(b, a, hertz, fs=rate)[1])) for b, a in k_weighting(rate))

    hertz = np.array([20, 50, 100, 500, 997, 2000, 3000])
    for rate in (16000, 22050, 44100, 96000):
        np.testing.assert_allclose(response(rate, hertz), response(48000, hertz), atol=0.15)
        np.testing.assert_allclose(response(rate, hertz[:5]), response(48000, hertz[:5]), atol=0.05)


def test_loudness_of_the_standard_s_sine_and_of_nothing():
    """BS.1770-4: a 997 Hz sine of full scale in one channel is -3.01 LUFS, a short one too."""
    for rate, off in ((22050, 0.03), (44100, 0.005), (48000, 0.001)):
        sine = np.sin(2 * np.pi * 997 * np.arange(rate) / rate)
        assert loudness(sine, rate, 4800) == pytest.approx(-3.0103, abs=off)
    assert loudness(sine[:9600], 48000, 4800) == pytest.approx(-3.01, abs=0.15)
    for silence in (np.zeros(0), np.zeros(100), np.zeros(48000), sine * 1e-5):
        assert loudness(silence, 48000, 4800) == -np.inf


def test_true_peak_between_samples():
    """A sine of a quarter of the rate at 45 degrees: its samples are all at 0.707 of its peak."""
    n = np.arange(4000)
    sine = np.sin(np.pi / 2 * n + np.pi / 4) * np.hanning(4000) ** 0.1
    assert np.abs(sine).max() == pytest.approx(np.sqrt(0.5), abs=1e-3)
    assert true_peak(sine) == pytest.approx(0, abs=0.02)
    assert true_peak(np.stack([sine * 0.1, sine * 0.5], 1)) == pytest.approx(-6.02, abs=0.02)


@pytest.mark.parametrize("size", [1, 10, 47, 48, 49, 100000])
def test_true_peak_does_not_depend_on_the_blocks(size):
    wave = programme(0.5, 8000, seed=5)
    assert true_peak(wave, size) == pytest.approx(true_peak(wave), abs=1e-9)


@pytest.mark.parametrize("above", [0.05, 0.3, 0.8])
@pytest.mark.parametrize("size", [60, 500, 8192])
def test_rows_that_are_not_interpolated_cannot_exceed(above, size):
    """Where speech is quiet only its samples are looked at; what exceeds `above` is the same to the bit."""
    wave = programme(2, 8000, seed=3)[:size]
    all_of_it, some = _peaks(wave, -1.0), _peaks(wave, above)
    assert np.array_equal(np.maximum(all_of_it, above), np.maximum(some, above))
    assert (np.abs(wave[24:-24]) <= some).all()


def test_true_peak_at_the_very_ends():
    """A sample by itself peaks at itself; two alike peak between them, here before and at the end."""
    assert true_peak(np.array([0.5])) == pytest.approx(-6.02, abs=0.01)
    pair = np.array([0.5, 0.5])
    between = 20 * np.log10(0.5 * 2 * 2 / np.pi)  # two sincs, each half a sample off
    for wave in (pair, np.append(np.zeros(100), pair), np.append(pair, np.zeros(100))):
        assert true_peak(wave) == pytest.approx(between, abs=0.02)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
def test_ffmpeg_measures_the_same(tmp_path):
    rate = 48000
    t = np.arange(3 * rate) / rate
    wave = 0.3 * np.sin(2 * np.pi * 11000 * t + 0.4)
    wave += 0.1 * np.random.default_rng(0).standard_normal(len(t))
    soundfile.write(tmp_path / "a.wav", wave, rate, subtype="FLOAT")
    summary = subprocess.run(
        ["ffmpeg", "-nostats", "-i", tmp_path / "a.wav", "-af", "ebur128=peak=true", "-f", "null", "-"],
        capture_output=True, text=True, check=True,
    ).stderr.split("Summary:")[1]  # fmt: skip
    theirs = float(re.search(r"I:\s+(\S+) LUFS", summary)[1])
    assert loudness(wave, rate, 4800) == pytest.approx(theirs, abs=0.2)
    assert true_peak(wave) == pytest.approx(
        float(re.search(r"Peak:\s+(\S+) dBFS", summary)[1]), abs=0.2
    )


def bad_waves():
    """What is hard on a limiter: bursts, clicks, noise far over, a square, a peak between samples."""
    generator = np.random.default_rng(1)
    n = np.arange(30000)
    clicks = np.zeros(30000)
    clicks[[0, 1, 8191, 8192, 15000, 29999]] = [3, 3, -5, -5, 9, 2]
    return {
        "bursts": 4 * programme(2, 15000, 6),
        "clicks": clicks,
        "loud noise": 10 * generator.standard_normal(30000) * (n % 7000 < 500),
        "square": 2 * np.sign(np.sin(2 * np.pi * 997 * n / 48000)),
        "alternating": 6 * np.where(n % 4 < 2, 1, -1) * (n % 3001 > 2500),
        "wild": generator.standard_normal(30000)
        * 10 ** generator.uniform(-1, 1.5, 300).repeat(100),
        "quarter": 0.95 * np.sin(np.pi / 2 * n + np.pi / 4),
    }


@pytest.mark.parametrize("name", bad_waves())
@pytest.mark.parametrize(("rate", "limit"), [(48000, -1.0), (48000, -2.0), (8000, -2.0)])
def test_limiter_holds_the_true_peak(name, rate, limit):
    wave = bad_waves()[name]
    out, reduction = limited(wave, rate, limit)
    assert len(out) == len(wave)
    assert true_peak(wave) > limit + 0.5
    assert true_peak(out) <= limit + 0.05
    assert reduction >= true_peak(wave) - limit - 0.05  # it is told
    assert (np.abs(out) <= np.abs(wave)).all()


@pytest.mark.parametrize("size", [100, 8191, 8192, 30000])
def test_limiter_does_not_depend_on_the_blocks(size):
    wave = 4 * programme(2, 15000, 6)
    once, _ = limited(wave, 48000, -2.0, len(wave))
    assert np.array_equal(limited(wave, 48000, -2.0, size)[0], once)


def test_limiter_leaves_alone_what_is_under_the_limit():
    wave = programme(1, 48000, 7)
    wave *= 10 ** ((-2.01 - true_peak(wave)) / 20)
    out, reduction = limited(wave, 48000, -2.0)
    assert np.array_equal(out, wave)
    assert reduction == 0


def test_limiter_works_only_near_the_peak_and_nowhere_suddenly():
    rate = 48000
    wave = 0.5 * np.sin(2 * np.pi * 100 * np.arange(rate) / rate)
    wave[24000:24100] *= 4
    out, reduction = limited(wave, rate, -2.0)
    near = slice(24000 - 300, 24100 + 300)
    assert np.array_equal(np.delete(out, near), np.delete(wave, near))
    loud = np.abs(wave) > 0.05
    gain = out[loud] / wave[loud]
    least = 10 ** (-reduction / 20)
    assert gain.min() == pytest.approx(least, rel=1e-6)
    # from full to least takes 2.5 ms on either side; a sine-shaped way is pi/2 steeper than a line
    assert (
        np.abs(np.diff(out[near] / np.where(wave[near], wave[near], np.nan)))[
            np.abs(wave[near])[1:] > 0.05
        ].max()
        < (1 - least) / 100
    )


def test_targets_are_known_by_their_names():
    assert all(name == target.name for name, target in TARGETS.items())
    assert (TARGETS["ebu"].level, TARGETS["korea"].level, TARGETS["none"].level) == (-23, -24, None)


@pytest.mark.parametrize("rate", [8000, 22050, 48000, 96000])
@pytest.mark.parametrize("seconds", [0.4, 1.37, 12.3])
def test_loudness_without_scipy_is_pyloudnorm_s(rate, seconds):
    wave = programme(seconds, rate, seed=5)
    expected = reference_meter(rate).integrated_loudness(wave)
    assert integrated_loudness(wave, rate) == pytest.approx(expected, abs=1e-6)
    assert integrated_loudness(1e-6 * wave, rate) == -np.inf
