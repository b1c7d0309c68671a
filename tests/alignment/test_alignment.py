import itertools

import numpy as np
import pytest
from praatio import textgrid

from moksori.alignment.alignment import Alignment
from moksori.alignment.plots import draw_conversion
from moksori.alignment.textgrid import save_textgrid
from moksori.config import AudioConfig
from moksori.errors import OutputError

AUDIO = AudioConfig()


def random_alignment(t: int, n: int, seed: int = 0) -> Alignment:
    weights = np.random.default_rng(seed).dirichlet(np.ones(n), t)
    return Alignment(weights=weights, posterior=weights, phones=[*"가나다라마바사아자차"[:n]])


@pytest.mark.parametrize("seed", range(5))
def test_path_is_the_best_of_all_monotonic_paths(seed):
    """Against all paths, counted out."""
    t, n = 8, 4
    alignment = random_alignment(t, n, seed)
    best = max(
        (
            np.repeat(np.arange(n), np.diff([0, *cuts, t]))
            for cuts in itertools.combinations(range(1, t), n - 1)
        ),
        key=lambda path: np.log(alignment.weights[np.arange(t), path]).sum(),
    )
    np.testing.assert_array_equal(alignment.path(), best)


def test_confidence_is_one_where_frames_and_order_agree():
    sharp = np.repeat(np.eye(5), 4, axis=0)
    flat = np.full((20, 5), 0.2)
    assert Alignment(weights=sharp, posterior=sharp, phones=[*"abcde"]).confidence == 1
    assert Alignment(weights=sharp, posterior=flat, phones=[*"abcde"]).confidence == pytest.approx(
        0.2
    )
    assert Alignment(
        weights=sharp, posterior=sharp[::-1], phones=[*"abcde"]
    ).confidence == pytest.approx(0.2)


def spoken(path: list[int], phones: list[str], **more) -> Alignment:
    """An alignment sure of a path."""
    weights = np.eye(len(phones))[path]
    return Alignment(weights=weights, posterior=weights, phones=phones, frame=0.01, **more)


def test_measures_of_an_orderly_path():
    path = np.repeat(np.arange(8), 5)
    measures = spoken(path, ["^", *"각", " ", *"나", "$"]).measures()
    assert measures == (1, 1, 1, 1, 0, 0, None)


def test_two_aligners_agree_where_their_weights_meet():
    path, phones = np.repeat(np.arange(8), 5), [*"^abcdef$"]
    same = spoken(path, phones, second=np.eye(8)[path]).measures()
    late = spoken(path, phones, second=np.eye(8)[np.maximum(path - (np.arange(40) % 5 == 0), 0)])
    assert same.agreement == 1
    assert late.measures().agreement == pytest.approx(33 / 40)  # seven of 40 frames a phone behind


def test_measures_tell_skips_repeats_and_gaps():
    phones = ["^", *"가나다", "$"]
    skipping = spoken([0, 0, 1, 1, 2, 2, 5, 5, 6, 6, 7, 7], phones).measures()
    assert (skipping.skips, skipping.repeats) == (1, 0)
    assert skipping.coverage == pytest.approx(4 / 6)
    repeating = spoken([0, 1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7], phones).measures()
    assert (repeating.skips, repeating.repeats) == (0, 1)
    assert repeating.diagonality < 1
    backward = spoken([7, 6, 5, 4, 3, 2, 1, 0], phones).measures()
    assert backward.diagonality < 0.5


def test_a_pause_between_words_is_no_skip():
    measures = spoken([0, 1, 2, 4, 5, 6], ["^", *"가", " ", *"나", "$"]).measures()
    assert (measures.skips, measures.coverage) == (0, 1)


def test_intervals_stand_where_the_path_goes():
    phones = ["^", *"악", " ", *"나", ".", "$"]
    path = [0, 0, 1, 2, 2, 3, 4, 4, 4, 5, 6, 6, 7, 8]
    alignment = spoken(path, phones, begin=1.0, words=("악", "나"))
    assert [(p.label, round(p.begin, 2), round(p.end, 2)) for p in alignment.phone_intervals()] == [
        ("ㅏ", 1.02, 1.05),  # with its silent onset
        ("ㄱ", 1.05, 1.06),
        ("ㄴ", 1.09, 1.10),
        ("ㅏ", 1.10, 1.12),
    ]
    assert [(w.label, round(w.begin, 2), round(w.end, 2)) for w in alignment.word_intervals()] == [
        ("악", 1.02, 1.06),
        ("나", 1.09, 1.12),
    ]


def test_boundaries_of_two_alignments_are_compared():
    first = spoken([0, 0, 1, 1, 2, 2], ["^", "ᅡ", "$"])
    second = spoken([0, 1, 1, 1, 1, 2], ["^", "ᅡ", "$"])
    assert first.boundary_difference(first) == 0
    assert first.boundary_difference(second) == pytest.approx(0.01)
    with pytest.raises(ValueError, match="different texts"):
        first.boundary_difference(spoken([0, 1], ["^", "$"]))


def test_a_textgrid_is_what_praat_reads(tmp_path):
    alignment = spoken([0, 1, 2, 2, 3], ["^", *"가", "$"], begin=0.5, words=("가",))
    tiers = alignment.word_intervals(), alignment.phone_intervals()
    save_textgrid(tmp_path / "a.TextGrid", *tiers, 0.535)
    grid = textgrid.openTextgrid(str(tmp_path / "a.TextGrid"), includeEmptyIntervals=True)
    assert (grid.minTimestamp, grid.maxTimestamp) == (0, 0.535)
    assert [tuple(e) for e in grid.getTier("words").entries] == [
        (0, 0.51, ""), (0.51, 0.535, "가"),
    ]  # fmt: skip
    assert [e.label for e in grid.getTier("phones").entries] == ["", "ㄱ", "ㅏ"]
    with pytest.raises(OutputError):
        save_textgrid(tmp_path / "none" / "a.TextGrid", *tiers, 1)


def test_each_word_has_its_own_confidence():
    sure = spoken([0, 1, 2, 3, 4, 5, 6], ["^", "ᄀ", "ᅡ", " ", "ᄂ", "ᅡ", "$"])
    free = sure.posterior * np.where(np.arange(7) < 3, 1.0, 0.5)[:, None]
    unsure = Alignment(weights=sure.weights, posterior=free, phones=sure.phones)
    assert unsure.word_confidences() == pytest.approx([1.0, 0.5])
    assert len(unsure.word_confidences()) == len(unsure.word_intervals())


def test_more_phones_than_frames_still_has_a_path():
    path = random_alignment(3, 7).path()
    assert list(path) == [0, 3, 6]


def test_plot_labels_phones_in_hangul(tmp_path, recwarn):
    mel = np.random.default_rng(0).normal(size=(30, 80))
    weights = np.repeat(np.eye(6), 5, axis=0)
    alignment = Alignment(weights=weights, posterior=weights, phones=["^", "ᄀ", "ᅡ", "ᆨ", " ", "$"])
    figure = draw_conversion(mel, alignment, mel, AUDIO)
    figure.savefig(tmp_path / "a.png")
    labels = [label.get_text() for label in figure.axes[1].get_yticklabels()]
    assert labels == ["^", "ㄱ", "ㅏ", "ㄱ", "＿", "$"]
    assert not [w for w in recwarn if "Glyph" in str(w.message)]
