from types import SimpleNamespace

import numpy as np
import pytest
import torch

from moksori.config import AudioConfig, DataConfig
from moksori.conversion.converter import Converter
from moksori.conversion.speech import Speech
from moksori.conversion.treble import at_usual, from_take, with_treble, without
from moksori.corpus.batches import LineData
from moksori.corpus.manifests import read_cuts
from moksori.signal.audio import Recording, resample
from moksori.signal.treble import treble_levels
from tests.conftest import DEMO, DEMO_TEXT

RATE, FRAMES, HOP = 44100, 172, 512
N = FRAMES * HOP  # two seconds


def noise(level, seed=0):
    return 10 ** (level / 20) * np.random.default_rng(seed).standard_normal(N)


def pulses(hertz):
    """All harmonics to 20 kHz."""
    t = np.arange(N) / RATE
    return 0.01 * sum(np.cos(2 * np.pi * hertz * k * t) for k in range(1, int(20000 / hertz)))


def band(wave, low, high, rate=RATE):
    """The part of a wave between two frequencies."""
    spectrum, hertz = np.fft.rfft(wave), np.fft.rfftfreq(len(wave), 1 / rate)
    return np.fft.irfft(spectrum * ((hertz >= low) & (hertz < high)), len(wave))


def level(wave):
    return 10 * np.log10(np.mean(np.square(wave)) + 1e-20)


def shaped(wave, take, f0=0.0, take_f0=0.0, high=20000.0):
    frames = [torch.full((FRAMES,), float(x)) for x in (f0, take_f0)]
    return from_take(wave, take, RATE, low=8000.0, high=high, f0=frames[0], take_f0=frames[1])


def beat(wave, hertz):
    """How far a treble's energy beats at a rate above how it does at the rates around, in dB."""
    energy = band(wave, 9000, 20000)[HOP * 8 : -HOP * 8] ** 2
    spectrum = np.abs(np.fft.rfft(energy * np.hanning(len(energy))))
    step = RATE / len(energy)
    at = round(hertz / step)
    around = np.r_[spectrum[at - 30 : at - 5], spectrum[at + 6 : at + 31]]
    return 20 * np.log10(spectrum[at - 2 : at + 3].max() / np.sqrt(np.mean(around**2)))


@pytest.mark.parametrize("own", [83.0, 110.0, 145.0, 230.0, 410.0])
def test_nothing_of_the_take_s_pitch_comes_along(own):
    """Neither its treble's beat nor its harmonics; the conversion's own pitch stays as it was."""
    take, wave = pulses(own) + noise(-50), pulses(171.0) + noise(-50, 1)
    result = shaped(wave, take, 171.0, own)
    assert beat(take, own) > 20
    for times in (1, 2):
        assert beat(result, times * own) < 9  # the largest of five of a noise's bins is so far out
    assert beat(result, 171.0) > 30
    whole = np.abs(np.fft.rfft(result[HOP * 8 : -HOP * 8] * np.hanning(N - HOP * 16)))
    step = RATE / (N - HOP * 16)
    lines = [
        20
        * np.log10(
            whole[round(k * own / step)] / np.median(whole[round(k * own / step) - 20 :][:41])
        )
        for k in range(int(9000 / own), int(19000 / own))
        if min((k * own) % 171, -(k * own) % 171) > 20  # not beside one of the conversion's own
    ]
    assert np.mean(lines) < 6


def test_each_band_follows_the_take_in_time():
    """A burst of the take is there, as strong, as long and no earlier; where it is silent, silence."""
    burst = np.zeros(N)
    burst[N // 2 : N // 2 + RATE // 20] = 1
    take = noise(-60) + band(noise(-20, 2), 11000, 14000) * burst
    result = shaped(noise(-60, 1) + band(noise(-40, 3), 8000, 20000), take)
    for low, high in ((8700, 10000), (11500, 13500), (15500, 19500)):
        real, made = (band(x, low, high) for x in (take, result))
        inside = slice(N // 2 + RATE // 100, N // 2 + RATE // 25)
        outside = slice(RATE // 4, N // 2 - RATE // 50)
        if low == 11500:
            assert level(made[inside]) == pytest.approx(level(real[inside]), abs=1.5)
            assert level(real[inside]) > level(real[outside]) + 30
        assert level(made[outside]) == pytest.approx(level(real[outside]), abs=1.5)
    before = band(result, 11500, 13500)[N // 2 - RATE // 50 : N // 2 - RATE // 100]
    assert level(before) < level(band(take, 11500, 13500)[inside]) - 25


def test_below_the_mel_s_top_and_above_the_take_s_band_it_is_the_conversion():
    wave = noise(-30)
    result = shaped(wave, noise(-50, 1), high=13000.0)
    assert len(result) == len(wave)
    for low, high in ((50, 7300), (14200, 20000)):
        assert level(band(result - wave, low, high)) < level(band(wave, low, high)) - 40
    assert level(band(wave - result, 9500, 11500)) > level(band(wave, 9500, 11500)) - 10


def test_it_is_moved_by_what_conversion_did_just_below():
    """A voice that is 6 dB brighter from 6 to 8 kHz than its take is so above them too."""
    take, wave = noise(-40), noise(-34, 1) + band(noise(-20, 2), 9000, 20000)
    result = shaped(wave, take)
    assert level(band(result, 10000, 19000)) == pytest.approx(
        level(band(take, 10000, 19000)) + 6, abs=0.7
    )


def asked(treble, recording, usual=None, takes_treble=False):
    f0 = torch.zeros(FRAMES)
    speech = Speech(np.zeros(N // 2), 0, -23.0, 1.0)
    vocoder = SimpleNamespace(
        audio=AudioConfig(), sample_rate=RATE, band=20000.0, takes_treble=takes_treble
    )
    return with_treble(
        noise(-30), treble, recording, speech, vocoder=vocoder, f0=f0, take_f0=f0, usual=usual
    )


@pytest.mark.parametrize(
    ("rate", "held"), [(22050, 22050), (48000, 16000), (48000, 22050), (48000, 32000)]
)
def test_a_take_without_treble_is_found_by_its_sound(rate, held):
    """Whatever its rate: what was once at a lower one, or is at one, holds none; no sample is touched."""
    narrow = np.random.default_rng(1).standard_normal(2 * held) * 0.05
    take = Recording(resample(narrow, held, rate)[:, None].astype(np.float32), rate, "PCM_24")
    wave, treble, reach = asked("take", take)
    if held == 32000:
        assert (treble, reach) == ("take", 20000.0)
        return
    assert treble == "predict"
    np.testing.assert_array_equal(wave, noise(-30))


def test_treble_from_the_take_or_none():
    take = Recording(noise(-50, 1)[:, None].astype(np.float32), RATE, "PCM_24")
    wave, treble, reach = asked("take", take)
    assert (treble, reach, len(wave)) == ("take", 20000.0, N)
    assert not np.array_equal(wave, noise(-30))
    wave, treble, reach = asked("off", take)
    assert (treble, reach) == ("off", 8000.0)
    assert level(band(wave, 8600, 22050)) < -150
    assert level(band(wave - noise(-30), 50, 7400)) < -150
    np.testing.assert_array_equal(asked("predict", take)[0], noise(-30))


NARROW = Recording(band(noise(-30), 0, 8000)[:, None].astype(np.float32), RATE, "PCM_24")


@pytest.mark.parametrize("usual", [(-3.0, -7.0, -12.0), (4.0, 1.0, 2.0)])
def test_a_vocoder_that_is_not_told_is_brought_to_the_voice_s_usual_treble(usual):
    """Below the mel's top nothing is touched, and above the levels as much as in the last of them."""
    wave, treble, _ = asked("predict", NARROW, usual)
    assert treble == "predict"
    assert treble_levels(wave, RATE) == pytest.approx(usual, abs=0.6)
    assert level(band(wave - noise(-30), 50, 7900)) < -90
    higher = level(band(wave, 12000, 20000)) - level(band(noise(-30), 12000, 20000))
    assert higher == pytest.approx(usual[2], abs=0.6)


def test_a_vocoder_that_is_told_a_voice_of_no_known_treble_and_a_short_sound_stay_as_they_are():
    usual = (-3.0, -7.0, -12.0)
    np.testing.assert_array_equal(asked("predict", NARROW, usual, True)[0], noise(-30))
    np.testing.assert_array_equal(asked("predict", NARROW, None)[0], noise(-30))
    short = noise(-30)[:500]
    np.testing.assert_array_equal(at_usual(short, RATE, usual), short)
    np.testing.assert_array_equal(at_usual(np.zeros(N), RATE, usual), np.zeros(N))


def test_a_take_s_own_treble_wins_over_the_usual():
    take = Recording(noise(-50, 1)[:, None].astype(np.float32), RATE, "PCM_24")
    wave, usual = asked("take", take)[0], asked("take", take, (-3.0, -7.0, -12.0))[0]
    for low, high in ((9000, 12000), (12000, 19000)):
        assert level(band(usual, low, high)) == pytest.approx(level(band(wave, low, high)), abs=0.5)


def test_without_treble_the_rest_is_untouched():
    wave = band(noise(-30), 0, 7000)
    np.testing.assert_allclose(without(wave, RATE, 8000.0), wave, atol=1e-7)


@pytest.mark.slow
def test_a_voice_s_usual_treble_is_what_the_vocoder_is_told(monkeypatch):
    """Predicted, `kih` is darker than `lmy` from 8 to 10.7 kHz by about what their cards say."""
    converter = Converter.from_pretrained()
    cards = {voice.name: voice.treble for voice in converter.card.voices}
    assert all(levels and len(levels) == 3 for levels in cards.values())
    told, waves, levels = [], [], {}
    forward = type(converter.vocoder).forward

    def heard(self, mel, f0, treble=None):
        told.append(treble[0].tolist())
        waves.append(forward(self, mel, f0, treble))
        return waves[-1]

    monkeypatch.setattr(type(converter.vocoder), "forward", heard)
    for name in ("lmy", "kih"):
        converter.convert(DEMO, DEMO_TEXT, name, treble="predict")
        assert told[-1] == pytest.approx(cards[name])
        levels[name] = treble_levels(waves[-1][0].numpy(), converter.vocoder.sample_rate)
    apart = np.subtract(levels["lmy"], levels["kih"])
    assert apart == pytest.approx(np.subtract(cards["lmy"], cards["kih"]), abs=6)
    assert (apart > 3).all()


def test_what_a_card_tells_of_its_treble_is_the_mean_of_its_training_lines(prepared, monkeypatch):
    levels = iter(range(1000))
    monkeypatch.setattr(
        "moksori.corpus.batches.treble_levels", lambda wave, rate: (float(next(levels)), 0.0, -1.0)
    )
    names = ["pfx", "pmx", "zzz"]
    usual = LineData(prepared, names, AudioConfig(), DataConfig(), 1).usual()
    count = next(levels)
    assert count == sum(1 for _ in read_cuts(prepared, "train"))
    lines = {name: 0 for name in names}
    for cut in read_cuts(prepared, "train"):
        lines[cut.supervisions[0].speaker] += 1
    whole = sum(usual[name].treble[0] * lines[name] for name in names)
    assert whole == pytest.approx(count * (count - 1) / 2, abs=0.05 * count)
    assert all(usual[name].treble[1:] == (0.0, -1.0) for name in names)


def test_any_frame_of_a_vocoder_has_its_treble():
    """Also one that is no multiple of the transform's own step."""
    take, wave = (np.random.default_rng(seed).standard_normal(7 * 440) * 0.01 for seed in (0, 1))
    f0 = torch.zeros(7)
    assert len(from_take(wave, take, RATE, low=8000.0, high=20000.0, f0=f0, take_f0=f0)) == 3080
