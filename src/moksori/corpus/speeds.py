"""Training lines at other speeds, each speed of a voice as a voice of its own.

Played faster, a recording is higher and of a shorter vocal tract: what another person with the same acting
would sound like, saying the same. So few speakers become many (speed perturbation: Ko and others, "Audio
augmentation for speech recognition", 2015; as further speakers: Yamamoto and others, "Speaker augmentation
and bandwidth extension for deep speaker embedding", 2019). Their rows of the voice
table are for training alone.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from lhotse import MonoCut
from lhotse.utils import fastcopy

from moksori.config import AudioConfig
from moksori.signal import pitch
from moksori.signal.audio import resample


def at_speeds(cuts: Iterable[MonoCut], speeds: Sequence[float]) -> list[MonoCut]:
    """Lines at each speed: 1.1 is a tenth faster, shorter and higher. `load` gives their sound."""
    return [_changed(cut, speed, number) for number, speed in enumerate(speeds, 1) for cut in cuts]


def table_of(cut: MonoCut) -> int:
    """In which copy of the voice table a line's voice is: 0 as recorded, 1 at the first speed."""
    return int(cut.table) if cut.has_custom("table") else 0


def load(cut: MonoCut, audio: AudioConfig) -> tuple[np.ndarray, np.ndarray]:
    """Wave [n] at the config's rate and F0 [T] in Hz, 0 where unvoiced, of a line at its speed."""
    if not table_of(cut):
        return cut.load_audio()[0], cut.load_f0()
    recorded = fastcopy(cut, duration=cut.recorded).load_audio()[0]
    wave = resample(recorded, audio.sample_rate * cut.speed, audio.sample_rate).astype(np.float32)
    whole = wave[: len(wave) // audio.hop_length * audio.hop_length]
    return whole, pitch.f0(whole, audio)


def _changed(cut: MonoCut, speed: float, table: int) -> MonoCut:
    changed: MonoCut = fastcopy(cut, id=f"{cut.id}@{speed:g}", duration=cut.duration / speed)
    changed.custom = {"table": table, "speed": speed, "recorded": cut.duration}
    return changed
