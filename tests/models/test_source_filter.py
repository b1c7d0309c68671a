import numpy as np
import pytest
import torch

from moksori.config import AudioConfig, SourceFilterConfig
from moksori.models.vocoder import source_filter
from moksori.models.vocoder.filter_bank import FilterBank
from moksori.models.vocoder.source_filter import (
    SourceFilter,
    envelope_of_period,
    interpolate_f0,
)
from moksori.signal import features, pitch
from moksori.signal.audio import resample
from moksori.signal.stft import OverlapAdd

AUDIO = AudioConfig()


@pytest.fixture
def vocoder() -> SourceFilter:
    torch.manual_seed(0)
    return SourceFilter(SourceFilterConfig(dim=16, blocks=1), AUDIO).eval()


@pytest.mark.parametrize("window", [128, 256, 512, 1024])
def test_the_inverse_stft_inverts(window):
    bank = FilterBank(
        window, AUDIO.hop_length, AUDIO.sample_rate, (0, AUDIO.sample_rate / 2), AUDIO
    )
    wave = torch.randn(2, 20 * AUDIO.hop_length)
    spectrum = bank.analyse(wave)
    assert spectrum.shape == (2, 20 * bank.per_frame, window // 2 + 1)
    torch.testing.assert_close(bank.synthesise(spectrum), wave, atol=1e-5, rtol=0)


@pytest.mark.parametrize("step", [1, 3, 19, 40])
def test_waves_are_summed_up_some_frames_at_a_time(step):
    bank = FilterBank(256, AUDIO.hop_length, AUDIO.sample_rate, (0, 9000.0), AUDIO)
    spectra = bank.analyse(torch.randn(2, 10 * AUDIO.hop_length))
    summed = OverlapAdd(bank, spectra.shape[1])
    for part in spectra.split(step, 1):
        summed.add(part)
    torch.testing.assert_close(summed.wave(), bank.synthesise(spectra))


def test_a_long_line_is_filtered_as_a_whole_one(vocoder, monkeypatch):
    torch.manual_seed(1)
    torch.nn.init.normal_(vocoder.filters.weight, std=0.1)
    mel, f0 = torch.randn(2, 70, AUDIO.n_mels) - 5, torch.full((2, 70), 200.0)
    f0[:, 20:40] = 0
    with torch.inference_mode():
        whole = vocoder(mel, f0)
        monkeypatch.setattr(source_filter, "_BLOCK", 16)
        torch.testing.assert_close(vocoder(mel, f0), whole, atol=1e-5, rtol=1e-4)


def test_a_filter_s_numbers_are_in_the_order_of_time():
    """Those of a mel frame are its bank's frames one after another, each over all bins."""
    bank = FilterBank(256, AUDIO.hop_length, AUDIO.sample_rate, (0, AUDIO.sample_rate / 2), AUDIO)
    numbers = torch.arange(3.0 * bank.size).reshape(1, 3, -1)
    spectrum = bank.numbers(numbers)
    assert spectrum.shape == (1, 3 * bank.per_frame, bank.bins)
    torch.testing.assert_close(spectrum[0, 5], numbers[0, 1, bank.bins : 2 * bank.bins])


def test_pulses_are_the_sum_of_all_harmonics(vocoder):
    """Of a constant F0, written out: cosines at its multiples under the Nyquist frequency."""
    f0, n = 700.0, 40 * AUDIO.hop_length
    pulses, angle = vocoder.pulses(torch.full((1, 40), f0))
    made = pulses[0].double().numpy()
    time = (np.arange(n) + 1) / AUDIO.sample_rate
    highest = AUDIO.sample_rate / 2 / f0
    parts = [np.cos(2 * np.pi * k * f0 * time) for k in range(1, int(highest) + 1)]
    parts.append((highest % 1) * np.cos(2 * np.pi * (int(highest) + 1) * f0 * time))
    np.testing.assert_allclose(made, np.sum(parts, 0) * np.sqrt(2 / highest), atol=2e-2)
    assert np.mean(made**2) == pytest.approx(1, abs=0.05)
    np.testing.assert_allclose(angle[0].cos(), np.cos(2 * np.pi * f0 * time), atol=1e-3)


def test_pitch_synchronous_noise_has_unit_power_and_comes_with_the_pulses():
    angle = torch.linspace(0, 2 * torch.pi, 1001)[:-1]
    envelope = envelope_of_period(angle)
    assert envelope.square().mean() == pytest.approx(1, abs=1e-4)
    assert envelope.argmax() == 0
    assert envelope[500] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("f0", [0.0, 200.0])
def test_a_closure_between_loud_frames_is_quiet(vocoder, f0):
    """A stop holds its breath for some 50 ms; no filter may smear its neighbours into it."""
    mel = torch.full((1, 60, AUDIO.n_mels), -2.0)
    mel[:, 28:32] = -11.5  # 46 ms
    with torch.inference_mode():
        wave = vocoder(mel, torch.full((1, 60), f0))[0]
    level = 10 * wave.square().reshape(60, -1).mean(1).log10()
    assert level[29:31].max() < level[:25].mean() - 60  # 48 dB in windows of 1,024 samples


def test_f0_is_interpolated_over_unvoiced_frames():
    f0 = torch.tensor([[0.0, 100, 0, 0, 200, 0], [0, 0, 0, 0, 0, 0], [50, 60, 70, 80, 90, 100]])
    filled = interpolate_f0(f0)
    logs = np.interp([0, 1, 2, 3, 4, 5], [1, 4], np.log([100, 200]))
    np.testing.assert_allclose(filled[0].log().numpy(), logs, rtol=1e-5)
    assert (filled[1] > 0).all()
    torch.testing.assert_close(filled[2], f0[2])


def test_an_untrained_one_follows_mel_and_f0(vocoder):
    """Its filters begin at the mel's own envelope; the pitch is what it is told."""
    falling = torch.linspace(-2, -6, AUDIO.n_mels).expand(1, 150, -1)
    f0 = 150 * torch.linspace(-0.3, 0.3, 150).exp()[None]
    with torch.inference_mode():
        wave = vocoder(falling, f0)[0].numpy()
        again = vocoder(falling, f0)[0].numpy()
    assert len(wave) == 150 * AUDIO.hop_length
    np.testing.assert_array_equal(wave, again)
    difference = features.log_mel(wave, AUDIO) - falling[0]
    assert difference[10:-10].mean().abs() < 1.0
    followed = pitch.f0(wave, AUDIO)
    voiced = followed > 0
    assert voiced.mean() > 0.9
    np.testing.assert_allclose(followed[voiced][5:-5], f0[0].numpy()[voiced][5:-5], rtol=0.03)


def test_noises_are_independent_and_while_learning_new_each_time(vocoder):
    def correlation(one: torch.Tensor, other: torch.Tensor) -> float:
        return float(torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1])

    like = torch.zeros(2, 4096)
    assert torch.equal(vocoder._white(like, 0), vocoder._white(like, 0))
    assert abs(correlation(vocoder._white(like, 0), vocoder._white(like, 1))) < 0.1
    vocoder.train()
    first, second = vocoder._white(like, 0), vocoder._white(like, 0)
    assert abs(correlation(first, second)) < 0.1
    assert abs(correlation(first[:1], first[1:])) < 0.1


def test_both_noises_sound_together_as_loud_as_their_powers_add_up(vocoder):
    """Were they one noise, their amplitudes would add up."""
    mel, f0 = torch.full((1, 200, AUDIO.n_mels), -2.0), torch.full((1, 200), 150.0)
    sizes = vocoder.filter_sizes
    powers = []
    for steady, synchronous in ((0.0, -30.0), (-30.0, 0.0), (0.0, 0.0)):
        gains = [-30.0, 0.0, steady, synchronous]
        parts = [torch.full((n,), g) for n, g in zip(sizes, gains, strict=True)]
        vocoder.filters.bias.data = torch.cat(parts)
        with torch.inference_mode():
            powers.append(float(vocoder(mel, f0).square().mean()))
    assert powers[2] == pytest.approx(powers[0] + powers[1], rel=0.03)


WIDE = SourceFilterConfig(
    dim=16, blocks=1, sample_rate=44100, harmonic_window=1024, noise_window=512
)


def test_a_wave_of_another_rate_has_the_mel_s_frames_and_nothing_above_its_band():
    """44.1 kHz from mels at 22.05 kHz: twice the samples a frame, the same pitch, silence above 20 kHz."""
    torch.manual_seed(0)
    vocoder = SourceFilter(WIDE, AUDIO).eval()
    assert (vocoder.sample_rate, vocoder.hop_length, vocoder.band) == (44100, 512, 20000.0)
    mel, f0 = torch.full((1, 120, AUDIO.n_mels), -3.0), torch.full((1, 120), 180.0)
    with torch.inference_mode():
        wave = vocoder(mel, f0)[0].numpy()
    assert len(wave) == 120 * 512
    half = resample(wave, 44100, 22050)
    followed = pitch.f0(half.astype(np.float32), AUDIO)
    np.testing.assert_allclose(followed[followed > 0][5:-5], 180, rtol=0.03)
    power = np.abs(np.fft.rfft(wave * np.hanning(len(wave)))) ** 2
    hertz = np.fft.rfftfreq(len(wave), 1 / 44100)
    assert power[hertz > 20500].mean() < 1e-6 * power[(hertz > 10000) & (hertz < 19000)].mean()


def test_with_a_floor_only_what_lies_above_it_is_synthesised():
    """The same filters from 6.5 kHz on: above it the wave of the whole one, below it nothing."""
    torch.manual_seed(0)
    whole = SourceFilter(WIDE, AUDIO).eval()
    upper = SourceFilter(WIDE.model_copy(update={"floor": 6500.0}), AUDIO).eval()
    mel, f0 = torch.full((1, 120, AUDIO.n_mels), -3.0), torch.full((1, 120), 180.0)
    mel[:, :5] = mel[:, -5:] = -11.5
    with torch.inference_mode():
        waves = [vocoder(mel, f0)[0].double().numpy() for vocoder in (whole, upper)]
    hertz = np.fft.rfftfreq(len(waves[0]), 1 / 44100)
    one, other = (np.fft.rfft(wave) for wave in waves)
    above, below = hertz > 7200, hertz < 6000
    assert np.abs(one - other)[above].mean() < 0.02 * np.abs(one)[above].mean()
    assert np.abs(other)[below].mean() < 1e-4 * np.abs(one)[below].mean()
    assert len(upper.filters.bias) < 0.7 * len(whole.filters.bias)


def test_levels_above_the_mel_are_heard_only_by_those_told(vocoder):
    """Given, they move the wave; unknown (none, or NaN), they are the same nothing."""
    torch.manual_seed(0)
    told = SourceFilter(WIDE.model_copy(update={"treble_levels": True}), AUDIO).eval()
    torch.nn.init.normal_(told.filters.weight, std=0.1)
    mel, f0 = torch.full((2, 30, AUDIO.n_mels), -3.0), torch.full((2, 30), 180.0)
    levels = torch.tensor([[4.0, 5.0, 6.0], [torch.nan] * 3])
    with torch.inference_mode():
        first, second = told(mel, f0, levels)
        assert torch.equal(second, told(mel, f0)[1])
        assert (first - second).abs().mean() > 0.01 * second.abs().mean()
        assert torch.equal(vocoder(mel, f0, levels), vocoder(mel, f0))


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="no whole number"):
        SourceFilterConfig(sample_rate=48000).check(AUDIO)
    with pytest.raises(ValueError, match="nothing to synthesise"):
        SourceFilterConfig(floor=12000.0).check(AUDIO)
