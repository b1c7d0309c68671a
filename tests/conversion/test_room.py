import numpy as np
import pytest
import soundfile

from moksori import Converter
from moksori.conversion.room import with_room_tone
from moksori.signal import audio
from tests.conftest import DEMO, DEMO_TEXT

RATE = 48000


def level(wave):
    return 10 * np.log10(np.mean(np.square(wave)) + 1e-20)


def take(channels=2):
    """Noise of -70 dB with two words of a second each and a pause of half a second, and where they are."""
    chance = np.random.default_rng(0)
    wave = 10 ** (-70 / 20) * chance.standard_normal((4 * RATE, channels))
    words = [(RATE // 2, 3 * RATE // 2), (2 * RATE, 3 * RATE)]
    for begin, end in words:
        wave[begin:end] += 0.2 * np.sin(0.05 * np.arange(end - begin))[:, None]
    return wave.astype(np.float32), words


def test_pauses_and_ends_hold_the_take_s_floor_and_words_the_conversion():
    source, words = take()
    converted = np.zeros(len(source), dtype=np.float32)
    for begin, end in words:
        converted[begin:end] = 0.1
    result = with_room_tone(converted, source, RATE, (words[0][0], words[1][1]))
    np.testing.assert_array_equal(result[: RATE // 4], source[: RATE // 4])
    np.testing.assert_array_equal(result[-RATE // 4 :], source[-RATE // 4 :])
    pause = slice(words[0][1] + RATE // 10, words[1][0] - RATE // 10)
    np.testing.assert_allclose(result[pause], source[pause], atol=1e-7)
    for begin, end in words:  # nothing of the take's voice
        np.testing.assert_allclose(result[begin + 4000 : end - 4000], 0.1, rtol=1e-6)


def test_joins_are_gradual():
    """No step between two samples is larger than the conversion's or the floor's own."""
    source, words = take(1)
    converted = np.zeros(len(source), dtype=np.float32)
    result = with_room_tone(converted, source, RATE, (words[0][0], words[1][1]))[:, 0]
    assert np.abs(np.diff(result)).max() <= np.abs(np.diff(source[: RATE // 2, 0])).max() * 1.05


def test_a_take_without_a_floor_stays_converted():
    source = 0.1 * np.random.default_rng(1).standard_normal((RATE, 1)).astype(np.float32)
    converted = np.full(RATE, 0.5, dtype=np.float32)
    np.testing.assert_array_equal(with_room_tone(converted, source, RATE, (0, RATE)), 0.5)


@pytest.mark.slow
def test_a_conversion_has_the_take_s_room_tone(tmp_path):
    """The demo with a floor of -65 dB: pauses and ends are within 3 dB of it; as long as ever."""
    wave, rate = soundfile.read(DEMO, dtype="float32")
    floor = 10 ** (-65 / 20) * np.random.default_rng(0).standard_normal(len(wave) + rate)
    noisy = floor.astype(np.float32)
    noisy[rate // 2 : rate // 2 + len(wave)] += wave
    audio.write(tmp_path / "take.wav", noisy, rate)
    converter = Converter.from_pretrained()
    results = {
        kind: converter.convert(tmp_path / "take.wav", DEMO_TEXT, "lmy", floor=kind).samples[:, 0]
        for kind in ("room", "silence")
    }
    assert len(results["room"]) == len(noisy)
    assert level(results["room"][: rate // 4]) == pytest.approx(-65, abs=3)
    assert level(results["silence"][: rate // 4]) < -150
    loud = slice(rate, len(wave))
    assert level(results["room"][loud]) == pytest.approx(level(results["silence"][loud]), abs=0.5)
