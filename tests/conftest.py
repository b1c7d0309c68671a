"""What several tests share: synthetic speech, and the real corpus where it is."""

from pathlib import Path

import numpy as np
import pytest

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture
def shared() -> Path:
    """The folder of real recordings and cases, beside the repository."""
    if not SHARED.is_dir():
        pytest.skip(f"the shared corpus and cases are not at {SHARED}")
    return SHARED


def voiced_wave(seconds: float, rate: int = 22050, f0: float = 150.0, seed: int = 0) -> np.ndarray:
    """A buzz with moving formants and pauses: not speech, but voiced, and unlike from frame to frame."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate)) / rate
    pitch = f0 * 2 ** (0.2 * np.sin(2 * np.pi * 0.7 * t))
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    formant = 900 + 500 * np.sin(2 * np.pi * 1.9 * t)
    wave = sum(
        np.exp(-(((k * pitch - formant) / 700) ** 2)) * np.sin(k * phase) for k in range(1, 25)
    )
    syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 4 * t)
    return (0.1 * wave * syllables + 0.001 * rng.standard_normal(len(t))).astype(np.float32)
