"""What comes of a recorded line: its conversion or its alignment, with what can be said of it."""

import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from moksori.alignment.alignment import Alignment
from moksori.alignment.textgrid import save_textgrid
from moksori.config import AudioConfig, Decibels, Hertz, Seconds
from moksori.conversion.card import Voice
from moksori.conversion.treble import Treble
from moksori.signal import audio as audio_files


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """A converted line, and what can be said of it."""

    samples: np.ndarray  # [n, channels], as many of both as the source has
    sample_rate: int  # Hz, the source's
    subtype: str  # sample format, the source's
    voice: Voice
    alignment: Alignment
    source_mel: np.ndarray  # [T, n_mels] of the speech, silence at the ends cut off
    source_f0: np.ndarray  # [T] Hz of the source, 0 where unvoiced
    mel: np.ndarray  # [T, n_mels] in the target voice
    audio: AudioConfig
    speech: tuple[Seconds, Seconds]  # where the T frames begin and end in the recording
    band: Hertz  # highest frequency that was synthesised; nothing above it is in the speech
    treble: (
        Treble  # where what lies above the mel's top is from; `predict` where the take holds none
    )
    lowered: Decibels  # by how much the level had to be below the source's so as not to clip
    seconds_by_stage: dict[str, float] = field(default_factory=dict)

    def save(self, path: Path | str) -> str:
        """Write the wave, in the source's sample format where the file can hold it.

        Returns:
            The sample format written; see `moksori.signal.audio.write`.

        Raises:
            OutputError: the folder is missing or not writable.
        """
        return audio_files.write(Path(path), self.samples, self.sample_rate, self.subtype)

    def plot(self, path: Path | str) -> None:
        """Draw source mel, alignment and converted mel to a .png, .pdf or .svg.

        Raises:
            OutputError: the place cannot be written to.
        """
        from moksori.alignment.plots import draw_conversion, save_figure  # waits for matplotlib

        save_figure(draw_conversion(self.source_mel, self.alignment, self.mel, self.audio), path)


@dataclass(frozen=True)
class AlignedLine:
    """A recording and when each phone and word of its line is said."""

    alignment: Alignment
    mel: np.ndarray  # [T, n_mels] of the speech, silence at the ends cut off
    length: Seconds  # of the whole recording
    audio: AudioConfig

    def save(self, path: Path | str) -> None:
        """Write a Praat TextGrid with a tier of words and one of phones.

        Raises:
            OutputError: the folder is missing or not writable.
        """
        a = self.alignment
        save_textgrid(Path(path), a.word_intervals(), a.phone_intervals(), self.length)

    def plot(self, path: Path | str) -> None:
        """Draw mel and alignment to a .png, .pdf or .svg.

        Raises:
            OutputError: the place cannot be written to.
        """
        from moksori.alignment.plots import draw_alignment, save_figure

        save_figure(draw_alignment(self.mel, self.alignment, self.audio), path)


class Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.stages: dict[str, float] = {}
        self.last = time.perf_counter()

    def stop(self, stage: str) -> None:
        """End a stage; the next one begins."""
        now = time.perf_counter()
        self.stages[stage], self.last = now - self.last, now
