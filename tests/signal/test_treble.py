import numpy as np
import pytest

from moksori.signal.treble import treble_levels, usual_levels

RATE = 44100


def noise(gains: dict[tuple[float, float], float], rate: int = RATE) -> np.ndarray:
    """Four seconds of white noise with these bands (Hz) moved by dB."""
    wave = np.random.default_rng(0).standard_normal(4 * rate)
    spectrum, hertz = np.fft.rfft(wave), np.fft.rfftfreq(len(wave), 1 / rate)
    for (low, high), gain in gains.items():
        spectrum[(hertz >= low) & (hertz < high)] *= 10 ** (gain / 20)
    return 0.05 * np.fft.irfft(spectrum, len(wave))


@pytest.mark.parametrize("rate", [22050, 44100, 48000])
def test_levels_are_those_of_the_bands_over_6_to_8_khz(rate):
    wave = noise({(6000, 8000): -3, (8000, 9000): -6, (9000, 10000): -9, (10000, 10700): 2}, rate)
    assert treble_levels(wave, rate) == pytest.approx((-3, -6, 5), abs=0.5)
    assert treble_levels(7 * wave, rate) == treble_levels(wave, rate)


def test_what_does_not_hold_them_has_none():
    assert treble_levels(noise({(8200, 22050): -120}), RATE) is None  # cut off at 8.2 kHz
    assert treble_levels(np.zeros(100), RATE) is None
    assert treble_levels(noise({}, 16000), 16000) is None


def test_a_speaker_s_usual_is_the_mean_of_what_is_known():
    assert usual_levels([(0.0, -2.0, 4.0), None, (1.0, -4.0, 5.0)]) == (0.5, -3.0, 4.5)
    assert usual_levels([None]) is None
    assert usual_levels([]) is None
