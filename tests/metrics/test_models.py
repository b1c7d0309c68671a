import subprocess
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from moksori.signal import audio

DEMO = Path(__file__).parents[2] / "examples" / "demo.wav"
pytestmark = pytest.mark.skipif(find_spec("resemblyzer") is None, reason="needs moksori[eval]")


@pytest.mark.parametrize("seconds", [0.9, 1.6, 2.4, None])
@pytest.mark.parametrize("gain", [1.0, 0.05])
def test_speaker_embeddings_are_the_library_s(seconds, gain):
    from moksori.metrics.models import _speaker_encoder, let_numba_cache, speaker_embedding

    let_numba_cache()
    recording = audio.read(DEMO)
    size = None if seconds is None else round(seconds * recording.sample_rate)
    wave = recording.mono[:size] * np.float32(gain)
    ours = speaker_embedding(wave, recording.sample_rate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from resemblyzer import preprocess_wav

        wanted = _speaker_encoder().embed_utterance(preprocess_wav(wave, recording.sample_rate))
    np.testing.assert_allclose(ours, wanted, atol=2e-3)
    assert ours @ wanted > 0.9999
    quick = speaker_embedding(wave, recording.sample_rate, quick=True)
    assert np.linalg.norm(quick) == pytest.approx(1, abs=1e-5)
    assert quick @ wanted > 0.997


@pytest.mark.parametrize("samples", [0, 479, 480, 1700, 4800, 33333, 88000])
@pytest.mark.parametrize("seed", [0, 1])
def test_long_silences_go_as_in_the_library(samples, seed):
    from moksori.metrics.models import let_numba_cache, without_long_silences

    let_numba_cache()
    from resemblyzer.audio import trim_long_silences

    speech = audio.resample(audio.read(DEMO).mono, audio.read(DEMO).sample_rate, 16000)
    rng = np.random.default_rng(seed)
    wave = np.resize(speech, samples + 16000)[rng.integers(16000) :][:samples].astype(np.float32)
    for begin in rng.integers(0, max(1, samples), 4):  # silences, short and long
        wave[begin : begin + rng.integers(16000)] *= np.float32(1e-4)
    np.testing.assert_array_equal(without_long_silences(wave), trim_long_silences(wave))


def test_a_worker_s_similarity_compiles_nothing():
    """Numba and what it compiles would be 100 MB and a second of each process."""
    code = (
        "import sys, numpy as np; from moksori.metrics.models import speaker_embedding as of;"
        "of(np.random.default_rng(0).standard_normal(48000).astype('f') / 9, 16000);"
        "print({'numba', 'librosa.core', 'scipy.signal'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True)
    assert done.stdout.strip() == b"set()", done.stderr.decode()


def test_whisper_hears_the_same_on_any_processor(monkeypatch):
    """By its own choice faster-whisper computes in 8 bits, which each kind of processor rounds otherwise."""
    from moksori.metrics.models import WhisperASR

    made = []
    library = SimpleNamespace(WhisperModel=lambda *args, **kwargs: made.append(kwargs))
    monkeypatch.setitem(sys.modules, "faster_whisper", library)
    WhisperASR("base")
    assert made[0]["compute_type"] == "float32"
