import numpy as np
import pytest
import torch

from moksori.config import AudioConfig, SourceFilterConfig
from moksori.models.vocoder.source_filter import SourceFilter
from moksori.models.vocoder.two_band import TwoBand, TwoBandConfig

AUDIO = AudioConfig()
LOW = SourceFilterConfig(dim=8, blocks=1)
HIGH = SourceFilterConfig(
    dim=8, blocks=1, sample_rate=44100, harmonic_window=1024, noise_window=512
)


@pytest.fixture
def vocoder() -> TwoBand:
    torch.manual_seed(0)
    return TwoBand(TwoBandConfig(low=LOW, high=HIGH), AUDIO).eval()


def band(wave, rate, low, high):
    """The part of a wave between two frequencies, as a spectrum."""
    hertz = np.fft.rfftfreq(len(wave), 1 / rate)
    return np.fft.rfft(wave)[(hertz >= low) & (hertz < high)]


def test_each_band_is_that_of_its_vocoder(vocoder):
    mel, f0 = torch.full((1, 120, AUDIO.n_mels), -3.0), torch.full((1, 120), 180.0)
    mel[:, :5] = mel[:, -5:] = -11.5  # nothing at the ends, where a wave meets its padding
    with torch.inference_mode():
        whole = vocoder(mel, f0)[0].double().numpy()
        low = vocoder.low(mel, f0)[0].double().numpy()
        high = vocoder.high(mel, f0)[0].double().numpy()
    assert (vocoder.sample_rate, vocoder.hop_length, vocoder.band) == (44100, 512, 20000.0)
    assert len(whole) == 120 * 512
    for part, rate, edges in ((low, 22050, (50, 6500)), (high, 44100, (8500, 20000))):
        own = band(part, rate, *edges) * (44100 / rate)
        error = np.abs(band(whole, 44100, *edges) - own).mean() / np.abs(own).mean()
        assert error < 0.02


def test_the_crossover_neither_dips_nor_rises(vocoder):
    """Two independent noises of one level: their powers add up to the level that each has."""

    def noise(part, seed, level):
        wave = torch.randn(1, 2000 * part.hop_length, generator=torch.Generator().manual_seed(seed))
        tone = part.harmonic_bank.analyse(0 * wave)
        part.filtered = lambda *_: iter([(tone, part.noise_bank.analyse(level * wave))])

    noise(vocoder.low, 1, 2**-0.5)
    noise(vocoder.high, 2, 1.0)
    wave = vocoder(torch.zeros(1, 2000, 80), torch.zeros(1, 2000))[0].double().numpy()
    levels = [np.mean(np.abs(band(wave, 44100, f, f + 250)) ** 2) for f in range(6000, 9000, 250)]
    assert max(levels) / min(levels) < 1.12


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="rising"):
        TwoBandConfig(low=LOW, high=HIGH, crossover=(8000, 7000))
    with pytest.raises(ValueError, match="multiple"):
        TwoBand(TwoBandConfig(low=HIGH, high=LOW), AUDIO)
    with pytest.raises(ValueError, match="windows"):
        shorter = HIGH.model_copy(update={"noise_window": 256})
        TwoBand(TwoBandConfig(low=LOW, high=shorter), AUDIO)
    assert isinstance(TwoBand.build(TwoBandConfig(low=LOW, high=HIGH), AUDIO).low, SourceFilter)
