import numpy as np
import pytest

from moksori.signal.band import real_band

RATE = 48000


def shaped(levels: list[tuple[float, float]], edge: float = RATE) -> np.ndarray:
    """Three seconds of noise, half of it soft, whose spectrum goes through (Hz, dB) and ends at `edge`."""
    wave = np.random.default_rng(0).standard_normal(3 * RATE)
    wave[: len(wave) // 2] *= 0.1
    spectrum, hertz = np.fft.rfft(wave), np.fft.rfftfreq(len(wave), 1 / RATE)
    gain = np.interp(hertz, *zip(*levels, strict=True))
    spectrum *= 10 ** (gain / 20) * (hertz < edge)
    return 0.01 * np.fft.irfft(spectrum, len(wave))


SPEECH = [(0, 0), (1000, 0), (4000, -15), (10000, -25), (20000, -35)]


@pytest.mark.parametrize("edge", [3400, 5500, 8000, 11025, 16000])
@pytest.mark.parametrize("floor", [0.0, 1e-6])
def test_a_filter_s_edge_is_found(edge, floor):
    wave = shaped(SPEECH, edge) + floor * np.random.default_rng(1).standard_normal(3 * RATE)
    assert real_band(wave, RATE) == pytest.approx(edge, abs=500)


def test_speech_without_an_edge_goes_up_to_the_top():
    assert real_band(shaped(SPEECH), RATE) == pytest.approx(RATE / 2, rel=0.02)


def test_the_cliff_above_a_shout_s_formants_is_no_edge():
    """As measured of a shout of RAVDESS: 23 dB down within 500 Hz, and then on like that to 19 kHz."""
    shout = [(0, 0), (3000, 0), (3300, 0), (3700, -23), (7000, -27), (19000, -40), (24000, -45)]
    assert real_band(shaped(shout), RATE) == pytest.approx(RATE / 2, rel=0.02)
