import itertools

import numpy as np
import pytest

from moksori.alignment import Alignment, draw_conversion
from moksori.config import AudioConfig

AUDIO = AudioConfig()


def random_alignment(t: int, n: int, seed: int = 0) -> Alignment:
    weights = np.random.default_rng(seed).dirichlet(np.ones(n), t)
    return Alignment(weights, weights, [*"가나다라마바사아자차"[:n]])


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
    assert Alignment(sharp, sharp, [*"abcde"]).confidence == 1
    assert Alignment(sharp, flat, [*"abcde"]).confidence == pytest.approx(0.2)
    assert Alignment(sharp, sharp[::-1], [*"abcde"]).confidence == pytest.approx(0.2)


def test_more_phones_than_frames_still_has_a_path():
    path = random_alignment(3, 7).path()
    assert list(path) == [0, 3, 6]


def test_plot_labels_phones_in_hangul(tmp_path, recwarn):
    mel = np.random.default_rng(0).normal(size=(30, 80))
    weights = np.repeat(np.eye(6), 5, axis=0)
    alignment = Alignment(weights, weights, ["^", "ᄀ", "ᅡ", "ᆨ", " ", "$"])
    figure = draw_conversion(mel, alignment, mel, AUDIO)
    figure.savefig(tmp_path / "a.png")
    labels = [label.get_text() for label in figure.axes[1].get_yticklabels()]
    assert labels == ["^", "ㄱ", "ㅏ", "ㄱ", "＿", "$"]
    assert not [w for w in recwarn if "Glyph" in str(w.message)]
