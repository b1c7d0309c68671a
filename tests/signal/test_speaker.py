import numpy as np
import pytest
import torch

from moksori.signal.features import energy
from moksori.signal.speaker import SourceSpeaker, band_energy, joined_energy


@pytest.fixture
def lines():
    chance = torch.Generator().manual_seed(1)
    return [
        (torch.randn(frames, 80, generator=chance) - 4, torch.arange(frames) % 3 * 100.0)
        for frames in (30, 45, 60)
    ]


def test_sums_of_lines_are_the_mean_of_all_their_voiced_frames(lines):
    whole = joined_energy(band_energy(mel, f0) for mel, f0 in lines)
    voiced = torch.cat([energy(mel, 3)[f0 > 0] for mel, f0 in lines]).numpy()
    assert whole.frames == len(voiced)
    np.testing.assert_allclose(whole.mean, voiced.mean(0), atol=1e-3)
    assert joined_energy([]) is None


def test_a_whisper_has_its_energy_in_all_frames(lines):
    mel, f0 = lines[0]
    assert band_energy(mel, f0 * 0).frames == len(mel)


def test_a_speaker_is_kept_to_the_last_digit(lines):
    speaker = SourceSpeaker(mean_log_f0=5.1, energy=band_energy(*lines[0]))
    assert SourceSpeaker.model_validate_json(speaker.model_dump_json()) == speaker
