import librosa
import numpy as np
import pytest
import soundfile
import torch

from moksori.config import AudioConfig
from moksori.signal import features
from tests.conftest import voiced_wave

AUDIO = AudioConfig()


def librosa_log_mel(wave: np.ndarray) -> np.ndarray:
    """The same log-mel by librosa: reflect padding of (n_fft - hop) / 2, magnitude, slaney, log."""
    padded = np.pad(wave, (AUDIO.n_fft - AUDIO.hop_length) // 2, mode="reflect")
    spectrum = librosa.stft(
        padded,
        n_fft=AUDIO.n_fft,
        hop_length=AUDIO.hop_length,
        win_length=AUDIO.win_length,
        center=False,
    )
    magnitude = np.sqrt(np.abs(spectrum) ** 2 + 1e-9)
    filters = librosa.filters.mel(
        sr=AUDIO.sample_rate, n_fft=AUDIO.n_fft, n_mels=AUDIO.n_mels, fmin=0, fmax=8000
    )
    return np.log(np.maximum(filters @ magnitude, 1e-5)).T


def test_log_mel_is_librosa_s():
    wave = voiced_wave(1.3)
    mel = features.log_mel(wave, AUDIO)
    np.testing.assert_allclose(mel.numpy(), librosa_log_mel(wave), atol=1e-4)


def test_log_mel_is_librosa_s_on_a_real_recording(shared):
    path = sorted(shared.glob("corpus/emotiontts/Main/main/kih/wav/*.flac"))[0]
    wave, _ = soundfile.read(path, dtype="float32")
    mel = features.log_mel(wave, AUDIO)
    np.testing.assert_allclose(mel.numpy(), librosa_log_mel(wave), atol=1e-4)


def test_silence_is_the_floor():
    mel = features.log_mel(np.zeros(4096, dtype=np.float32), AUDIO)
    assert torch.allclose(mel, torch.full_like(mel, np.log(1e-5)), atol=0.1)


def test_energy_of_the_bands_adds_up_to_the_whole():
    """In magnitude squared, of the mel: whatever the parts, their sum is the same."""
    mel = features.log_mel(voiced_wave(0.5), AUDIO)
    whole, parts = features.energy(mel, 1), features.energy(mel, 3)
    expected = mel.exp().square().sum(-1, keepdim=True)
    torch.testing.assert_close((2 * whole).exp(), expected)
    torch.testing.assert_close((2 * parts).exp().sum(-1, keepdim=True), expected)
    low = mel.clone()
    low[:, 27:] = -11.5  # nothing above 1 kHz
    assert (features.energy(low, 3)[:, 1:] < -9).all()


@pytest.mark.parametrize("length", [1024, 5000, 5119, 5120, 5121])
def test_all_features_have_the_same_frames(length):
    wave = voiced_wave(1.0)[:length]
    mel, f0 = features.extract(wave, AUDIO)
    assert len(mel) == len(f0) == length // 256


def test_seconds_samples_and_frames_agree():
    assert features.samples_to_seconds(17 * 256, AUDIO) == pytest.approx(
        features.frames_to_seconds(17, AUDIO)
    )
    assert features.frames_to_seconds(22050, AUDIO) == 256
