"""Sounds without words: a spoken line, taken as a cry, stands for one, since no recording may be here."""

import numpy as np
import pytest
import soundfile

from moksori.conversion.converter import Converter
from moksori.dubbing.records import Role, Take
from moksori.dubbing.task import Setup, Task, read_take
from moksori.dubbing.work.flags import flag
from moksori.dubbing.work.nonverbal import convert_nonverbal
from moksori.dubbing.work.worker import Worker
from moksori.metrics.measures import compare_f0, envelope_correlation
from moksori.script.line import Line, Place
from moksori.signal import audio
from moksori.signal.audio import Recording
from moksori.signal.pitch import f0
from moksori.signal.speaker import SourceSpeaker
from tests.conftest import DEMO

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def converter() -> Converter:
    return Converter.from_pretrained()


@pytest.fixture(scope="module")
def cry() -> Recording:
    return audio.read(DEMO)


def breath(seconds: float = 1.0) -> Recording:
    """Noise that swells and falls, without any pitch."""
    n = round(16000 * seconds)
    noise = np.random.default_rng(0).standard_normal(n) * np.sin(np.pi * np.arange(n) / n)
    return Recording((0.02 * noise[:, None]).astype(np.float32), 16000, "PCM_16")


def test_a_cry_keeps_its_length_melody_and_envelope_in_another_voice(converter, cry):
    made = convert_nonverbal(
        converter, cry, Role(voice="kih"), speaker=SourceSpeaker(mean_log_f0=5.5)
    )
    assert made.samples.shape == cry.samples.shape
    wave = made.samples.mean(1)
    assert not np.allclose(wave, cry.mono, atol=0.01)
    assert envelope_correlation(cry.mono, wave, cry.sample_rate) > 0.9
    tracks = (
        f0(audio.resample(w, cry.sample_rate, 22050).astype(np.float32), converter.card.audio)
        for w in (cry.mono, wave)
    )
    assert compare_f0(*tracks).correlation > 0.9


def test_without_the_actor_s_mean_a_cry_stays_at_its_own_pitch(converter, cry):
    """A scream must not sink to the mean of the voice's speech."""
    made = converter.convert(cry, None, "kih")
    wave = audio.resample(made.samples.mean(1), cry.sample_rate, 22050).astype(np.float32)
    after, before = f0(wave, converter.card.audio), made.source_f0
    means = (np.log(track[track > 0]).mean() for track in (before, after))
    assert abs(np.subtract(*means)) < 0.06  # a semitone


def test_breaths_and_what_the_cast_leaves_stay_as_recorded(converter, cry):
    assert convert_nonverbal(converter, breath(), Role(voice="kih")) is None
    assert convert_nonverbal(converter, cry, Role(voice="kih", nonverbal="leave")) is None
    short = Recording(cry.samples[:400], cry.sample_rate, cry.subtype)
    assert convert_nonverbal(converter, short, Role(voice="kih")) is None
    silence = Recording(np.zeros_like(cry.samples), cry.sample_rate, cry.subtype)
    assert convert_nonverbal(converter, silence, Role(voice="kih")) is None


@pytest.mark.parametrize(("nonverbal", "status"), [("convert", "converted"), ("leave", "passed")])
def test_a_laugh_of_a_job_is_converted_and_flagged(cry, tmp_path, nonverbal, status):
    path = tmp_path / "laugh.wav"
    soundfile.write(path, cry.samples, cry.sample_rate, "PCM_16")
    take = Take(
        id="1", line=Line(Place("row", 1), "(웃음)"), audio=path, begin=0, samples=len(cry.samples),
        sample_rate=cry.sample_rate, start=None, role=Role(voice="kih", nonverbal=nonverbal),
    )  # fmt: skip
    task = Task(take=take, key="k", store=tmp_path, digest=read_take(take)[1])
    assert Worker(Setup()).convert(task) == status
    row = flag([task.dubbed()])[0]
    assert [f.kind for f in row.flags] == ["sound" if status == "converted" else "nonverbal"]
    assert row.words == ()  # nobody said any
    assert 0 <= row.speech[0] < row.speech[1] < take.seconds
    assert bool(row.phones) == (status == "converted")  # so that the mouth moves
    assert soundfile.info(row.wave).frames == len(cry.samples)
