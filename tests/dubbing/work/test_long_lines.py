from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import soundfile

from moksori.alignment.alignment import Interval
from moksori.conversion.converter import Converter
from moksori.dubbing.records import Role
from moksori.dubbing.work import long_lines
from moksori.dubbing.work.long_lines import PART, convert_line, pauses, quietest
from moksori.errors import AudioError
from moksori.signal.audio import Recording
from tests.conftest import DEMO, DEMO_TEXT


def words(*spans):
    return [Interval("가", begin, end) for begin, end in spans]


def test_short_lines_stay_whole_and_long_ones_part_at_their_longest_pause():
    assert pauses(words((0, 5), (5.2, 10))) == []
    line = words((0, 8), (8.1, 14), (15, 20), (20.1, 28))
    assert pauses(line) == [2]
    assert pauses(words((0, 30))) == []  # a single word


def test_no_part_is_longer_than_allowed():
    chance = np.random.default_rng(0)
    edges = np.cumsum(chance.uniform(0.2, 1.5, 200))
    line = [Interval("가", a, a + 0.8 * (b - a)) for a, b in pairwise(edges)]
    places = pauses(line)
    assert places == sorted(set(places))
    middles = ((line[i - 1].end + line[i].begin) / 2 for i in places)
    cuts = [line[0].begin, *middles, line[-1].end]
    assert max(np.diff(cuts)) <= PART
    assert min(np.diff(cuts)) >= 2


def test_the_quietest_place_is_found():
    wave = np.ones(48000) * 0.5
    wave[20000:22400] = 0.01
    recording = Recording(wave[:, None], 48000, "PCM_16")
    assert 20000 + 960 <= quietest(recording, 0.35, 0.40) <= 22400 - 960
    assert 20000 <= quietest(recording, 0.0, 1.0) <= 22400


def test_a_long_line_keeps_its_length_and_joins_in_silence(monkeypatch):
    monkeypatch.setattr(long_lines, "PART", 8.0)
    wave, rate = soundfile.read(DEMO, dtype="float32")
    pause = np.zeros(rate, dtype=np.float32)
    samples = np.concatenate([wave, pause, wave, pause, wave])[:, None]
    recording = Recording(samples, rate, "PCM_16")
    converter = Converter.from_pretrained()
    spoken = convert_line(converter, recording, " ".join([DEMO_TEXT] * 3), Role(voice="lmy"))
    assert spoken.samples.shape == samples.shape
    assert len(spoken.parts) == 3
    said = [word for part in spoken.parts for word in part.alignment.word_intervals()]
    assert [a.begin for a in said] == sorted(a.begin for a in said)
    alone = convert_line(
        converter, Recording(wave[:, None], rate, "PCM_16"), DEMO_TEXT, Role(voice="lmy")
    )
    assert spoken.confidence == pytest.approx(
        alone.confidence, abs=0.05
    )  # though three times as long
    assert len(said) == 3 * len(DEMO_TEXT.split())
    parts = pauses(said)
    assert parts
    for i in parts:
        middle = quietest(recording, said[i - 1].end, said[i].begin)
        assert (
            np.abs(spoken.samples[middle - 200 : middle + 200]).max() < 3e-3
        )  # 50 dB below the speech
    steps = np.abs(np.diff(spoken.samples[:, 0]))
    assert steps.max() < 0.5  # no click
    long = np.pad(wave, (rate, 40 * rate))[:, None]  # of silence: neither cut nor refused
    padded = convert_line(converter, Recording(long, rate, "PCM_16"), DEMO_TEXT, Role(voice="lmy"))
    assert padded.samples.shape == long.shape
    assert padded.speech[1] < 8
    with pytest.raises(AudioError, match="longer than the limit of 120 s"):
        convert_line(
            converter, Recording(np.tile(samples, (10, 1)), rate, "PCM_16"), "가", Role(voice="lmy")
        )


def test_a_part_that_would_clip_lowers_all_parts_alike(monkeypatch):
    """Otherwise a shout would come out softer than its neighbours, with a step of level at each cut."""
    monkeypatch.setattr(long_lines, "PART", 8.0)
    converter, real = Converter.from_pretrained(), Converter.convert

    def loud(self, recording, text, voice, *, lower=0.0, **how):
        made = real(self, recording, text, voice, **how)
        own = 6.0 if np.abs(recording.samples).max() > 0.8 else 0.0  # as if it had clipped so far
        lowered = max(own, lower)
        return replace(made, samples=made.samples * 10 ** (-lowered / 20), lowered=lowered)

    monkeypatch.setattr(Converter, "convert", loud)
    wave, rate = soundfile.read(DEMO, dtype="float32")
    wave *= 0.4 / np.abs(wave).max()
    pause = np.zeros(rate, dtype=np.float32)
    samples = np.concatenate([wave, pause, wave * 2.25, pause, wave])[:, None]
    text = " ".join([DEMO_TEXT] * 3)
    made = convert_line(converter, Recording(samples, rate, "PCM_16"), text, Role(voice="lmy"))
    assert made.lowered == 6.0 and len(made.parts) == 3
    first, second, third = (
        np.sqrt(np.mean(np.square(part))) for part in np.array_split(made.samples, 3)
    )
    assert 20 * np.log10(second / first) == pytest.approx(20 * np.log10(2.25), abs=1.5)
    assert 20 * np.log10(third / first) == pytest.approx(0, abs=1.5)
