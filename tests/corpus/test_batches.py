import itertools
import json
import warnings
from collections import Counter

import numpy as np
import pytest
from lhotse import CutSet, MonoCut

from moksori.config import AudioConfig, DataConfig
from moksori.corpus.batches import PassSampler, read_speakers
from moksori.errors import CorpusError

CONFIG = DataConfig(batch_seconds=30.0)


@pytest.fixture(scope="module")
def cuts() -> CutSet:
    """400 lines as long as the corpus's: 1 to 14 s, most of them short."""
    lengths = np.clip(np.random.default_rng(0).lognormal(1.3, 0.6, 400), 0.8, 14.5)
    return CutSet.from_cuts(
        MonoCut(f"{i:03d}", 0, round(float(length), 2), 0) for i, length in enumerate(lengths)
    )


def epoch(cuts: CutSet, number: int, batches: int) -> list[list[str]]:
    sampler = PassSampler(cuts, CONFIG, seed=1)
    sampler.set_epoch(number)
    return [[cut.id for cut in batch] for batch in itertools.islice(sampler, batches)]


def test_a_pass_has_each_line_once_in_batches_of_like_length(cuts):
    lines, seen = len(cuts), Counter()
    lengths = {cut.id: cut.duration for cut in cuts}
    for batch in epoch(cuts, 0, 1000):
        seen.update(batch)
        assert sum(lengths[id] for id in batch) <= CONFIG.batch_seconds * 1.01
        if len(seen) == lines:
            break
    assert set(seen.values()) == {1}


@pytest.mark.parametrize("lines", [1, 2, 3, 4, 7])
def test_fewer_lines_than_buckets_are_batched_too(cuts, lines):
    """Lhotse ended the training in a traceback."""
    warnings.simplefilter("error", RuntimeWarning)
    few = cuts.subset(first=lines)
    sampler = PassSampler(few, CONFIG, seed=1)
    ids = [cut.id for batch in itertools.islice(sampler, 20) for cut in batch]
    assert {*ids} == {cut.id for cut in few}


def test_epochs_that_end_within_a_pass_favour_no_length(cuts):
    """The old order used lines of 2.6 to 3.8 s twice as often as those of 4.4 to 5.4 s."""
    used = Counter(id for n in range(40) for batch in epoch(cuts, n, 30) for id in batch)
    ids = sorted((cut.id for cut in cuts), key=lambda id: cuts[id].duration)
    shares = [np.mean([used[id] for id in part]) for part in np.array_split(ids, 8)]
    assert max(shares) / min(shares) < 1.2
    assert min(used[id] for id in ids) > 0


def test_an_epoch_is_always_the_same_and_unlike_the_next(cuts):
    assert epoch(cuts, 3, 20) == epoch(cuts, 3, 20)
    assert epoch(cuts, 3, 20) != epoch(cuts, 4, 20)


def test_a_corpus_of_another_pitch_tracker_is_refused(prepared, tmp_path):
    """Those prepared before SwiftF0 do not say whose F0 they hold."""
    corpus = json.loads((prepared / "speakers.json").read_text())
    assert corpus["audio"].pop("f0_tracker") == "swift"
    (tmp_path / "speakers.json").write_text(json.dumps(corpus))
    with pytest.raises(CorpusError, match="another f0_tracker"):
        read_speakers(tmp_path, AudioConfig())
