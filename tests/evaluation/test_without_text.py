import numpy as np
import pytest

from moksori.conversion.slips import LIMIT
from moksori.evaluation.job import COLUMNS
from moksori.evaluation.report import summarise
from moksori.evaluation.without_text import one_word_changed
from moksori.metrics.measures import envelope_correlation
from tests.conftest import voiced_wave
from tests.evaluation.test_job import judged, line, voices


def test_the_envelope_is_followed_whatever_the_wave_and_its_level():
    t = np.arange(32000) / 16000
    swell = 1 + np.sin(2 * np.pi * 3 * t)
    tone, noise = np.sin(2 * np.pi * 200 * t), np.random.default_rng(0).standard_normal(32000)
    assert envelope_correlation(tone * swell, 0.1 * noise * swell, 16000) > 0.9
    assert envelope_correlation(tone * swell, noise, 16000) < 0.3
    wave = voiced_wave(1.0)
    assert envelope_correlation(wave, wave[:-100], 22050) == pytest.approx(1, abs=1e-3)


def test_one_word_is_changed_for_one_as_long_that_ends_alike():
    words = ["그날은", "오늘은", "봄이", "안녕"]
    assert one_word_changed("그날은 비가 왔다", words) == "오늘은 비가 왔다"
    assert one_word_changed("안녕", words) is None
    assert one_word_changed("하나 둘", words) is None


def test_the_summary_counts_slips_and_sounds_without_words():
    rows = []
    for i, (right, changed) in enumerate(
        [(LIMIT + 1, LIMIT + 1), (-1, LIMIT + 1), (-1, 0.0), (-1, None)]
    ):
        row = {
            "id": str(i),
            "voice": "v",
            "group": "seen",
            "problem": "",
            "mcd": None,
            "mcd_source": None,
        }
        rows.append(row | judged(line("a", "가자")) | {"slip": right, "slip_changed": changed})
    empty = dict.fromkeys(COLUMNS) | {"actor": ""}
    rows = [empty | row for row in rows]
    for i, similarity in enumerate([0.6, 0.4]):
        cry = {
            "id": f"c{i}",
            "voice": "v",
            "group": "laughing",
            "problem": "",
            "nearest_voice": "v",
        }
        cry |= {"similarity": similarity, "similarity_source": 0.5, "envelope_correlation": 0.9}
        rows.append(empty | cry | {"nearest_voice_source": "other", "f0_correlation": 0.95})
    found = {(f.name, f.group): f.value for f in summarise(rows, voices())}
    assert found["one-word slips found", "seen"] == pytest.approx(2 / 3)
    assert found["right lines suspected of one", "seen"] == pytest.approx(1 / 4)
    assert found["envelope correlation, without words", "laughing"] == pytest.approx(0.9)
    assert found["more like the target than unconverted, without words", "laughing"] == 0.5
    assert found["F0 correlation", "laughing"] == pytest.approx(0.95)
    assert found["CER", "all"] == found["CER", "seen"]  # what has no words has no letters
    assert ("CER", "laughing") not in found
