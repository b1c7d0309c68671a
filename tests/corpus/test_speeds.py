import numpy as np
from lhotse import CutSet

from moksori.config import AudioConfig, DataConfig
from moksori.corpus.batches import LineData
from moksori.corpus.manifests import read_cuts
from moksori.corpus.speeds import at_speeds, load, table_of
from moksori.signal.features import log_mel

AUDIO = AudioConfig()


def test_a_copy_is_shorter_and_higher_by_its_speed(prepared):
    cuts = list(read_cuts(prepared, "train"))
    for copy, cut in zip(at_speeds(cuts, (1.25,)), cuts, strict=True):
        wave, f0 = load(copy, AUDIO)
        own, own_f0 = load(cut, AUDIO)
        assert copy.duration == cut.duration / 1.25
        assert abs(len(wave) - len(own) / 1.25) <= AUDIO.hop_length
        assert len(f0) == len(log_mel(wave, AUDIO))
        medians = [np.median(x[x > 0]) for x in (f0, own_f0)]
        np.testing.assert_allclose(medians[0], 1.25 * medians[1], rtol=0.03)


def test_copies_are_voices_of_their_own_and_only_in_training(prepared):
    names = ["pfx", "pmx", "zzz"]
    data = LineData(prepared, names, AUDIO, DataConfig(speeds=(0.9, 1.1)), 1)
    lines = len(CutSet.from_cuts(read_cuts(prepared, "train")))
    seen: dict[int, int] = {}
    batches = iter(data.train_dataloader())
    while sum(seen.values()) < 3 * lines:
        for row in next(batches).voice.tolist():
            seen[row] = seen.get(row, 0) + 1
    assert sorted(seen) == list(range(9))
    for row in range(3):
        assert seen[row] == seen[row + 3] == seen[row + 6]
    assert all(int(batch.voice.max()) < 3 for batch in data.val_dataloader())
    assert data.usual().keys() == set(names)


def test_lines_that_a_speed_makes_too_long_are_left_out(prepared):
    cuts = list(read_cuts(prepared, "train"))
    longest = max(cut.duration for cut in cuts)
    config = DataConfig(speeds=(0.9,), max_line_seconds=longest)
    data = LineData(prepared, ["pfx", "pmx", "zzz"], AUDIO, config, 1)
    copies = at_speeds(cuts, config.speeds)
    assert any(not data._is_wanted(copy) for copy in copies)
    assert all(table_of(copy) == 1 for copy in copies)
