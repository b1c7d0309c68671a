import numpy as np
import pytest
import torch

from moksori.config import AudioConfig
from moksori.conversion.checkpoint import load_vocoder
from moksori.signal import features
from moksori.signal.audio import resample
from moksori.weights import VOCODERS
from tests.conftest import voiced_wave

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", VOCODERS)
def test_copy_synthesis_sounds_like_the_original(name):
    """The bundled weights take our log-mel: the mel of the new wave is the mel it was synthesised from."""
    audio = AudioConfig()
    vocoder, _ = load_vocoder(VOCODERS[name])
    wave = voiced_wave(1.0)
    mel, f0 = features.extract(wave, audio)
    with torch.inference_mode():
        copy = vocoder(mel[None], f0[None])[0].numpy()
    assert len(copy) == len(mel) * vocoder.hop_length
    narrow = resample(copy, vocoder.sample_rate, audio.sample_rate).astype(np.float32)
    again = features.log_mel(narrow, audio)
    inner = slice(4, -4)
    loud = mel[inner] > -6  # what is heard
    assert (again - mel)[inner][loud].abs().mean() < 0.5
    assert np.abs(copy).max() <= 1
