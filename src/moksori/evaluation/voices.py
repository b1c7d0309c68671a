"""Real voices to compare conversions with."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from moksori.evaluation.lines import RealVoice
from moksori.metrics.measures import centroid, nearest
from moksori.metrics.models import speaker_embedding
from moksori.signal import audio
from moksori.signal.audio import Recording
from moksori.writing import atomic_path

_TOGETHER = 50  # embeddings that are kept at once


class Voices:
    """Real voices by Resemblyzer: a centroid each, and how similar its own held-out lines are to it.

    Args:
        real: their recordings.
        cache: where embeddings are kept; they take most of the time.
    """

    def __init__(self, real: dict[str, RealVoice], cache: Path) -> None:
        self.real, self.cache = real, cache
        self.centroids: dict[str, np.ndarray] = {}
        self.held: dict[str, list[np.ndarray]] = {}

    def embed(self, progress: Callable[[Iterable[Any], int], Iterable[Any]]) -> None:
        """Embed every recording that is not in the cache, or has changed since."""
        known = self._known()
        paths = {path for voice in self.real.values() for path in (*voice.fit, *voice.held)}
        keys = {path: f"{path} {path.stat().st_mtime_ns}" for path in paths}
        todo = sorted(path for path in paths if keys[path] not in known)
        for number, path in enumerate(progress(todo, len(todo)), 1):
            known[keys[path]] = embed(audio.read(path))
            if number % _TOGETHER == 0 or number == len(todo):
                with atomic_path(self.cache) as temporary:
                    np.savez(temporary, **known)  # type: ignore[arg-type]  # its keywords are names
        for name, voice in self.real.items():
            self.centroids[name] = centroid([known[keys[path]] for path in voice.fit])
            self.held[name] = [known[keys[path]] for path in voice.held]

    def _known(self) -> dict[str, np.ndarray]:
        """What the cache holds; a damaged one is made again."""
        if not self.cache.exists():
            return {}
        try:
            return dict(np.load(self.cache))
        except (OSError, ValueError, BadZipFile):
            return {}

    def ceilings(self, targets: set[str]) -> tuple[float, float]:
        """Of the held-out real lines of `targets`: mean similarity, speaker identification accuracy."""
        pairs = [(name, e) for name in sorted(targets) for e in self.held.get(name, [])]
        if not pairs:
            return float("nan"), float("nan")
        similarity = np.mean([self.centroids[name] @ e for name, e in pairs])
        right = np.mean([nearest(e, self.centroids, name) == name for name, e in pairs])
        return float(similarity), float(right)


def embed(recording: Recording) -> np.ndarray:
    """Speaker embedding [256] of a recording."""
    return speaker_embedding(recording.mono, recording.sample_rate)
