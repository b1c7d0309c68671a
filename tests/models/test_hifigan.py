import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.utils.parametrizations import weight_norm

from moksori.config import AudioConfig
from moksori.conversion.checkpoint import load_vocoder
from moksori.models.vocoder.hifigan import HiFiGAN, HiFiGANConfig
from moksori.signal import features
from moksori.signal.audio import resample
from moksori.weights import VOCODERS
from tests.conftest import voiced_wave

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))


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


def test_importing_folds_the_weight_norm(tmp_path):
    """A generator with PyTorch's own weight norm and the imported one give the same wave."""
    import import_hifigan

    torch.manual_seed(0)
    plain = HiFiGAN(HiFiGANConfig(), AudioConfig())
    state = {}
    for name, module in plain.named_modules():
        if isinstance(module, torch.nn.Conv1d | torch.nn.ConvTranspose1d):
            weight_norm(module)
            g, v = (
                module.parametrizations.weight.original0,
                module.parametrizations.weight.original1,
            )
            torch.nn.init.uniform_(g, 0.5, 1.5)
            state |= {f"{name}.weight_g": g, f"{name}.weight_v": v, f"{name}.bias": module.bias}
    torch.save(
        {"generator": {name: tensor.detach() for name, tensor in state.items()}}, tmp_path / "g.pth"
    )
    import_hifigan.main(tmp_path / "g.pth", tmp_path / "model")
    imported, card = load_vocoder(tmp_path / "model")
    assert "MIT" in card.licence
    twins = dict(imported.named_modules())
    for name, module in plain.named_modules():
        if hasattr(module, "parametrizations"):
            torch.testing.assert_close(twins[name].weight, module.weight, atol=1e-3, rtol=1e-3)
