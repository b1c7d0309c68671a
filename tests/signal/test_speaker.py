import numpy as np
import pytest
import torch

from moksori.signal.features import energy
from moksori.signal.speaker import SourceSpeaker, band_energy, effort_statistics, joined_energy


@pytest.fixture
def lines():
    chance = torch.Generator().manual_seed(1)
    return [
        (torch.randn(frames, 80, generator=chance) - 4, torch.arange(frames) % 3 * 100.0)
        for frames in (30, 45, 60)
    ]


def test_sums_of_lines_are_the_statistics_of_all_their_voiced_frames(lines):
    whole = joined_energy(band_energy(mel, f0, 3) for mel, f0 in lines)
    voiced = torch.cat([energy(mel, 3)[f0 > 0] for mel, f0 in lines]).numpy()
    assert whole.frames == len(voiced)
    np.testing.assert_allclose(whole.mean, voiced.mean(0), atol=1e-3)
    np.testing.assert_allclose(whole.spread, voiced.std(0), atol=1e-3)
    assert joined_energy([]) is None


def test_a_whisper_has_its_energy_in_all_frames(lines):
    mel, f0 = lines[0]
    assert band_energy(mel, f0 * 0, 3).frames == len(mel)


def test_effort_moves_a_line_about_its_speakers_usual(lines):
    """What the decoder hears of a line is its distance from the mean: nothing at 0, all at 1, more at 1.5."""
    line = band_energy(*lines[0], 3)
    speaker = joined_energy(band_energy(mel + 1, f0, 3) for mel, f0 in lines)
    distances = [
        line.mean - effort_statistics(line, speaker, effort)[0].numpy() for effort in (0, 1, 1.5)
    ]
    np.testing.assert_allclose(distances[0], 0, atol=1e-5)
    np.testing.assert_allclose(distances[1], line.mean - speaker.mean, atol=1e-5)
    np.testing.assert_allclose(distances[2], 1.5 * distances[1], atol=1e-5)
    alone = effort_statistics(line, None, 1.0)
    np.testing.assert_allclose(alone[0], line.mean, atol=1e-5)


def test_a_speaker_is_kept_to_the_last_digit(lines):
    speaker = SourceSpeaker(mean_log_f0=5.1, energy=band_energy(*lines[0], 3))
    assert SourceSpeaker.model_validate_json(speaker.model_dump_json()) == speaker
