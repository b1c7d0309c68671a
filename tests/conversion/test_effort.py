"""A conversion's effort about the voice's usual, as the line's about the actor's."""

import numpy as np
import pytest
import torch

from moksori.conversion.effort import with_effort
from moksori.signal.speaker import band_energy


@pytest.fixture
def mels():
    """A line, an actor's others, its conversion, the voice's others; each band at levels of its own."""
    chance = torch.Generator().manual_seed(0)

    def mel(frames: int, tilt: float) -> torch.Tensor:
        noise = 0.5 * torch.randn(frames, 80, generator=chance)
        return noise - 3 + tilt * torch.linspace(0, 1, 80)

    f0 = torch.arange(200) % 5 * 50.0
    return f0, [mel(200, tilt) for tilt in (1.0, 0.2, -0.5, -0.4)]


def of_many(energy, times=1000):
    """As if all that is known were so many such lines."""
    total = tuple(times * x for x in energy.total)
    return energy.model_copy(update={"frames": times * energy.frames, "total": total})


def differences(energy, usual):
    """By band, without the level."""
    found = energy.mean - usual.mean
    return found - found.mean()


@pytest.mark.parametrize("effort", [0.0, 0.5, 1.0, 1.5])
def test_a_conversion_differs_from_the_voice_as_the_line_from_its_actor(mels, effort):
    f0, (line, others, converted, voice) = mels
    known = [band_energy(mel, f0) for mel in (line, others, voice)]
    known[1] = of_many(known[1])
    made = with_effort(converted, f0, *known, effort)
    wanted = effort * differences(known[0], known[1])
    found = differences(band_energy(made, f0), known[2])
    np.testing.assert_allclose(found, wanted, atol=0.05)


def test_one_smooth_gain_for_the_line_and_nothing_of_the_actor_s_timbre(mels):
    f0, (line, others, converted, voice) = mels
    known = [band_energy(mel, f0) for mel in (line, others, voice)]
    known[1] = of_many(known[1])
    gains = with_effort(converted, f0, *known, 1.0) - converted
    assert gains.std(0).max() < 1e-5  # the same in every frame
    assert gains[0].diff().abs().max() < 0.1  # no formant fits into it
    assert gains.abs().max() <= 2.8  # nepers, from the least to the most


def test_without_knowledge_of_actor_or_voice_nothing_moves(mels):
    f0, (line, others, converted, voice) = mels
    own, usual, hers = (band_energy(mel, f0) for mel in (line, others, voice))
    assert with_effort(converted, f0, own, None, hers, 1.0) is converted
    assert with_effort(converted, f0, own, usual, None, 1.0) is converted


def test_an_actor_of_whom_little_is_known_moves_little(mels):
    f0, (line, others, converted, voice) = mels
    own, usual, hers = (band_energy(mel, f0) for mel in (line, others, voice))
    moved = [
        (with_effort(converted, f0, own, of_many(usual, times), hers, 1.0) - converted).abs().max()
        for times in (1, 2, 10, 1000)
    ]
    assert moved[0] == 0 and moved[0] < moved[1] < moved[2] < moved[3]
