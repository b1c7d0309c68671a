import numpy as np
import pytest
import torch

from moksori import features, pitch
from moksori.config import AudioConfig, SourceFilterConfig
from moksori.models.vocoder.source_filter import SourceFilter, bridge

AUDIO = AudioConfig()


@pytest.fixture
def vocoder() -> SourceFilter:
    torch.manual_seed(0)
    return SourceFilter(SourceFilterConfig(dim=16, blocks=1), AUDIO).eval()


def test_the_inverse_stft_inverts(vocoder):
    wave = torch.randn(2, 20 * AUDIO.hop_length)
    torch.testing.assert_close(vocoder._istft(vocoder._stft(wave)), wave, atol=1e-5, rtol=0)


def test_pulses_are_the_sum_of_all_harmonics(vocoder):
    """Of a constant F0, written out: cosines at its multiples under the Nyquist frequency."""
    f0, n = 700.0, 40 * AUDIO.hop_length
    made = vocoder._pulses(torch.full((1, 40), f0))[0].double().numpy()
    time = (np.arange(n) + 1) / AUDIO.sample_rate
    highest = AUDIO.sample_rate / 2 / f0
    parts = [np.cos(2 * np.pi * k * f0 * time) for k in range(1, int(highest) + 1)]
    parts.append((highest % 1) * np.cos(2 * np.pi * (int(highest) + 1) * f0 * time))
    np.testing.assert_allclose(made, np.sum(parts, 0) * np.sqrt(2 / highest), atol=2e-2)
    assert np.mean(made**2) == pytest.approx(1, abs=0.05)


def test_unvoiced_frames_are_bridged():
    f0 = torch.tensor([[0.0, 100, 0, 0, 200, 0], [0, 0, 0, 0, 0, 0], [50, 60, 70, 80, 90, 100]])
    bridged = bridge(f0)
    logs = np.interp([0, 1, 2, 3, 4, 5], [1, 4], np.log([100, 200]))
    np.testing.assert_allclose(bridged[0].log().numpy(), logs, rtol=1e-5)
    assert (bridged[1] > 0).all()
    torch.testing.assert_close(bridged[2], f0[2])


def test_it_speaks_its_mel_at_its_f0_before_it_learnt_anything(vocoder):
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


def test_learning_hears_other_noise_each_time(vocoder):
    like = torch.zeros(2, 4096)
    assert torch.equal(vocoder._noise(like), vocoder._noise(like))
    vocoder.train()
    first, second = vocoder._noise(like), vocoder._noise(like)
    for one, other in ((first, second), (first[:1], first[1:])):
        assert abs(torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1]) < 0.1
