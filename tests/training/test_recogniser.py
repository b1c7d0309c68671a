from pathlib import Path

import pytest
import torch

from moksori.config import RecogniserTrainConfig, load_config
from moksori.conversion.checkpoint import load_recogniser
from moksori.errors import CheckpointError
from moksori.text import ids, read
from moksori.text.sounds import SILENT, SOUNDS, sound_of
from moksori.training.recogniser import (
    UNSURE,
    SoundBatch,
    count_transitions,
    frame_sounds,
    masked,
    noisy,
    stretched,
    train_recogniser,
    warped,
)
from moksori.weights import MODEL, VOCODERS

TINY = load_config(
    Path(__file__).parents[2] / "configs" / "tiny_recogniser.toml", RecogniserTrainConfig
)


@pytest.mark.slow
def test_trains_exports_and_resumes(prepared, tmp_path, cut_after_one_epoch):
    """Two epochs at once, and one epoch, a cut, and the other: the same weights."""
    whole = train_recogniser(TINY, prepared, tmp_path / "whole", MODEL)
    with cut_after_one_epoch():
        train_recogniser(TINY, prepared, tmp_path / "cut", MODEL)
    cut = train_recogniser(TINY, prepared, tmp_path / "cut", MODEL)
    (one, card), (other, _) = load_recogniser(whole), load_recogniser(cut)
    assert card.sounds == SOUNDS
    assert card.training["steps"] == 4
    for name, weight in one.state_dict().items():
        torch.testing.assert_close(weight, other.state_dict()[name])
    with pytest.raises(CheckpointError):
        load_recogniser(VOCODERS["fast"])


def test_each_frame_is_the_sound_of_its_phone():
    phones = read("아, 그 말.").phones  # ^ ᄋ ᅡ , ␣ ᄀ ᅳ ␣ ᄆ ᅡ ᆯ . $
    lengths = [5, 2, 4, 3, 4, 2, 3, 1, 3, 4, 2, 1, 1]
    path = torch.repeat_interleave(torch.arange(len(phones)), torch.tensor(lengths))
    alignment = torch.nn.functional.one_hot(path, len(phones)).float()
    sounds = frame_sounds(alignment, torch.tensor(ids(phones)))
    a, silent = sound_of("ᅡ"), SILENT
    assert sounds[:11].tolist() == [silent] * 5 + [a] * 6  # the onset ㅇ is its vowel's
    assert sounds[11:18].tolist() == [silent] * 7  # mark and space are one pause
    assert sounds[23].item() == UNSURE  # nobody pauses there, though the aligner gives it a frame
    assert sounds[-2:].tolist() == [UNSURE] * 2


def test_transitions_are_probabilities_that_know_what_follows_what():
    found = count_transitions([read("나는 가, 나는 간다.").phones]).exp()
    torch.testing.assert_close(found.sum(1), torch.ones(len(SOUNDS)))
    n, a, g = (sound_of(phone) for phone in ("ᄂ", "ᅡ", "ᄀ"))
    assert found[n].argmax() == a
    assert found[sound_of("ᆫ"), g] > found[sound_of("ᆫ"), sound_of("ᄑ")]


def test_disguised_mels_are_the_same_lines():
    torch.manual_seed(0)
    mel = torch.randn(2, 60, 80) - 5
    batch = SoundBatch(mel, torch.tensor([60, 40]), torch.arange(120).reshape(2, 60) % 43)
    other = stretched(batch, 0.3)
    assert other.mel.shape[:2] == other.sounds.shape
    assert other.mel_lengths[0] == other.mel.shape[1]
    assert torch.equal(stretched(batch, 0.0).mel, mel)
    assert torch.equal(warped(mel, 0.0), mel)
    assert warped(mel, 0.2).shape == mel.shape
    louder = noisy(mel, batch.mel_lengths, 1.0)
    assert bool((louder >= mel).all())
    assert torch.equal(noisy(mel, batch.mel_lengths, 0.0), mel)
    hidden = (masked(mel, 2) != mel).float().mean()
    assert 0 < hidden < 0.6
