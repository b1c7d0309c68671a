import numpy as np
import pytest

from moksori.errors import ConfigError
from moksori.metrics import measures, models
from tests.conftest import voiced_wave


@pytest.mark.parametrize(
    ("reference", "heard", "errors", "length"),
    [
        ("안녕하세요.", "안녕 하세요", 0, 5),
        ("안녕하세요.", "안영하세", 2, 5),
        ("밥은 먹었어?", "", 5, 5),
        ("네.", "네네네", 2, 1),
        ("2인분", "이인분", 1, 3),
    ],
)
def test_character_errors_of_known_cases(reference, heard, errors, length):
    assert measures.character_errors(reference, heard) == (errors, length)


def test_centroid_has_unit_length_and_lies_between():
    a, b = np.eye(4)[:2]
    middle = measures.centroid([a, b])
    assert np.linalg.norm(middle) == pytest.approx(1)
    assert middle @ a == pytest.approx(middle @ b)


def test_f0_contours_of_a_known_change():
    """An octave up is the same contour; one octave error, one frame of lost voice are counted."""
    source = np.array([0, 100, 110, 120, 130, 120, 110, 100, 0, 0], dtype=float)
    assert measures.compare_f0(source, 2 * source) == pytest.approx((1, 0, 0))
    changed = 2 * source
    changed[3] *= 2  # an octave error
    changed[7] = 0
    assert measures.compare_f0(source, changed) == pytest.approx((1, 1 / 6, 0.1))
    flat = measures.compare_f0(source, np.where(source > 0, 200 + np.arange(10) % 2, 0))
    assert flat.correlation < 0.5


@pytest.mark.filterwarnings("error")
def test_what_has_no_voice_in_both_has_no_melody_to_compare():
    voiced = np.array([0, 100, 110, 120.0, 0])
    for other in (np.zeros(5), np.array([0, 0, 110, 120, 0])):
        compared = measures.compare_f0(voiced, other)
        assert np.isnan(compared.correlation) and np.isnan(compared.octave_errors)
        assert compared.voicing_error == pytest.approx(
            (voiced > 0).sum() / 5 - (other > 0).sum() / 5
        )


def test_missing_whisper_parts_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "_WHISPER_PACKAGES", ("no_such_package",))
    with pytest.raises(ConfigError, match=r"-e '\.\[eval\]'"):
        models.whisper_base(tmp_path)


def test_whisper_s_parts_are_joined_in_their_order(tmp_path, monkeypatch):
    for number, files in enumerate(
        (
            {"model.bin.part1": b"one"},
            {
                "model.bin.part2": b"two",
                "tokenizer.json": b"{}",
                "vocabulary.json": b"[]",
                "config.json": b"{}",
            },
        ),
        1,
    ):
        data = tmp_path / f"fake_part_{number}" / "data"
        data.mkdir(parents=True)
        (data.parent / "__init__.py").touch()
        for name, content in files.items():
            (data / name).write_bytes(content)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(models, "_WHISPER_PACKAGES", ("fake_part_1", "fake_part_2"))
    folder = models.whisper_base(tmp_path / "whisper")
    assert (folder / "model.bin").read_bytes() == b"onetwo"
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json", "model.bin", "tokenizer.json", "vocabulary.json",
    ]  # fmt: skip


def test_the_nearest_voice_is_the_one_of_the_least_angle():
    voices = {"a": np.array([1.0, 0.0]), "b": np.array([0.6, 0.8])}
    assert measures.nearest(np.array([0.9, 0.3]), voices) == "a"
    assert measures.nearest(np.array([0.3, 0.9]), voices) == "b"
    twice = voices | {"a again": voices["a"]}
    assert measures.nearest(np.array([0.9, 0.3]), twice, "a again") == "a again"
    assert measures.nearest(np.array([0.9, 0.3]), twice, "b") == "a"


def test_the_gap_is_closed_at_the_target_and_open_at_the_source():
    assert measures.gap_closed(0.9, 0.6, 0.9) == 1
    assert measures.gap_closed(0.6, 0.6, 0.9) == 0


def test_the_interval_of_a_mean_is_the_textbook_s():
    """Against the normal approximation, 1.96 standard errors."""
    rows = np.random.default_rng(1).normal(5, 2, (400, 1))
    found = measures.interval(rows, lambda table: float(table.mean()))
    wide = 1.96 * rows.std() / 20
    assert found.value == rows.mean()
    assert found.low == pytest.approx(rows.mean() - wide, abs=0.03)
    assert found.high == pytest.approx(rows.mean() + wide, abs=0.03)


def test_mcd_is_nothing_to_itself_and_grows_with_another_timbre():
    wave = voiced_wave(1.0)
    late = np.concatenate([np.zeros(3000, np.float32), wave])
    assert models.mel_cepstral_distance(wave, wave, 22050) == pytest.approx(0, abs=1e-6)
    shifted = models.mel_cepstral_distance(wave, late, 22050)
    other = models.mel_cepstral_distance(wave, voiced_wave(1.0, f0=300, seed=5), 22050)
    assert shifted < other  # time is warped away, timbre is not


def test_dnsmos_hears_noise_but_not_the_level():
    wave = voiced_wave(3.0)
    clean, quiet = models.dnsmos(wave, 22050), models.dnsmos(0.1 * wave, 22050)
    noise = 0.05 * np.random.default_rng(0).standard_normal(len(wave)).astype(np.float32)
    assert quiet == pytest.approx(clean, abs=0.02)
    assert models.dnsmos(wave + noise, 22050).background < clean.background - 0.3
