"""What every vocoder is: the contract that the rest of Moksori relies on."""

from abc import ABC, abstractmethod
from typing import ClassVar, Self

import torch
from pydantic import BaseModel
from torch import nn

from moksori.config import AudioConfig, Hertz


class Vocoder(nn.Module, ABC):
    """Log-mel and F0, frame by frame, to a wave.

    A vocoder has a sample rate of its own: a mel at 22.05 kHz may become a wave at 44.1 kHz. Only the frames
    are shared: `sample_rate / hop_length` is the frame rate of the mel.

    Attributes:
        kind: name in `model.json`, and in the table `VOCODER_KINDS` that a vocoder is registered in.
        Config: its sizes, a pydantic model.
        audio: of the mel that it takes.
        sample_rate: of the wave, Hz.
        hop_length: samples of the wave a mel frame.
        band: highest frequency that it synthesises, Hz.
        takes_treble: whether it makes use of a voice's usual levels above the mel.
    """

    kind: ClassVar[str]
    Config: ClassVar[type[BaseModel]]
    audio: AudioConfig
    sample_rate: int
    hop_length: int
    band: Hertz
    takes_treble: bool = False

    @classmethod
    @abstractmethod
    def build(cls, config: BaseModel, audio: AudioConfig) -> Self:
        """A vocoder of the given sizes with fresh weights.

        Raises:
            ValueError: sizes that do not fit the mel's frames.
        """

    @abstractmethod
    def forward(
        self, mel: torch.Tensor, f0: torch.Tensor, treble: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Synthesise.

        Args:
            mel: log-mel [B, T, n_mels], natural log of magnitude.
            f0: [B, T] Hz, 0 where unvoiced.
            treble: [B, 3] dB, the voices' usual levels above the mel (signal/treble.py), NaN where
                unknown; for vocoders that make use of them.

        Returns:
            Wave [B, T * hop_length] at `sample_rate`.
        """
