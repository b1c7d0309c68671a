import torch
from lhotse import CutSet, MonoCut, SupervisionSegment
from torch.nn import functional

from moksori.corpus.parallel import ParallelLines, warp


def cut(id: str, speaker: str, text: str) -> MonoCut:
    said = SupervisionSegment(id, id, 0, 1, text=text, speaker=speaker)
    return MonoCut(id, 0, 1, 0, [said])


CUTS = CutSet.from_cuts([
    cut("a1", "a", "가자"), cut("b1", "b", "가자"), cut("c1", "c", "가자"), cut("a2", "a", "가자"),
    cut("a3", "a", "싫어"), cut("b3", "b", "좋아"),
])  # fmt: skip


def test_only_others_with_the_same_text_are_taken():
    lines = ParallelLines(CUTS)
    found = {id: {other.id for other in others} for id, others in lines.others.items()}
    assert found["a1"] == found["a2"] == {"b1", "c1"}
    assert found["b1"] == {"a1", "a2", "c1"}
    assert found["a3"] == found["b3"] == set()


def test_about_half_of_the_time_and_the_same_for_the_same_batch():
    lines = ParallelLines(CUTS)
    batches = [CutSet.from_cuts([CUTS["a1"], cut(f"x{i}", "x", "음")]) for i in range(200)]
    chosen = [lines.choose(batch)[0].id for batch in batches]
    assert chosen == [lines.choose(batch)[0].id for batch in batches]
    assert set(chosen) == {"a1", "b1", "c1"}
    assert 60 < chosen.count("a1") < 140
    assert lines.choose(batches[0])[1].id == "x0"


def test_each_line_of_a_batch_has_a_coin_of_its_own():
    lines = ParallelLines(CUTS)
    pairs = [
        CutSet.from_cuts([CUTS["a1"], CUTS["b1"], cut(f"x{i}", "x", "음")]) for i in range(300)
    ]
    kept = [[c.id for c in lines.choose(pair)[:2]] for pair in pairs]
    both = sum(kept_pair == ["a1", "b1"] for kept_pair in kept)
    assert 45 < both < 105  # a quarter


def test_the_warp_finds_each_frame_in_a_slower_and_louder_recording():
    torch.manual_seed(0)
    mel = functional.interpolate(torch.randn(1, 20, 12), size=60, mode="linear")[0].T  # smooth
    slower = functional.interpolate(mel.T[None], size=90, mode="linear")[0].T
    frames = warp(mel, 2 * slower + torch.linspace(0, 5, 20))
    assert len(frames) == 60
    assert (frames.diff() >= 0).all()
    expected = (torch.arange(60) + 0.5) * 1.5 - 0.5
    assert (frames - expected).abs().max() <= 3
