"""What is known of a source's speaker from his recordings: mean log-F0, and his usual energy by band.

Every line is brought to one level, so that a shout and a murmur differ in their spectra: the more effort,
the more of the energy lies above 1 kHz. How far a line lies from the speaker's usual is its effort, as his
mean log-F0 tells how much higher than usual a line is said.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

if TYPE_CHECKING:
    import torch

_BANDS = 3  # about 0 to 1, 1 to 3 and 3 to 8 kHz


class BandEnergy(BaseModel):
    """Log energies of a speaker's voiced frames, as sums, so that those of several takes add up.

    Attributes:
        frames: how many there are.
        total: [3] their sum in each of `_BANDS`, natural log of magnitude.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    frames: int = Field(ge=1)
    total: tuple[FiniteFloat, FiniteFloat, FiniteFloat]

    @property
    def mean(self) -> np.ndarray:
        """[3] natural log of magnitude."""
        mean: np.ndarray = np.array(self.total) / self.frames
        return mean


class SourceSpeaker(BaseModel):
    """What a line is compared with; what is None is taken from the line itself.

    Attributes:
        mean_log_f0: mean natural log of Hz over voiced frames of all that is known of the speaker, so that a
            line said higher than usual stays higher.
        energy: likewise of his energy by band, so that a line said with more effort than usual stays so.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    mean_log_f0: float | None = None
    energy: BandEnergy | None = None


UNKNOWN = SourceSpeaker()


def band_energy(mel: "torch.Tensor", f0: "torch.Tensor") -> BandEnergy:
    """Of one line; over all of its frames where none is voiced, as in a whisper.

    Args:
        mel: log-mel [T, n_mels] of a levelled line.
        f0: [T] Hz, 0 where unvoiced.
    """
    from moksori.signal.features import energy  # with PyTorch

    voiced = f0 > 0
    values = energy(mel.float(), _BANDS)[voiced if bool(voiced.any()) else slice(None)].double()
    low, middle, high = (round(x, 3) for x in values.sum(0).tolist())
    return BandEnergy(frames=len(values), total=(low, middle, high))


def joined_energy(parts: Iterable[BandEnergy]) -> BandEnergy | None:
    """Of several lines of one speaker; None of none."""
    rows = [*parts]
    if not rows:
        return None
    low, middle, high = (round(x, 3) for x in np.sum([row.total for row in rows], axis=0).tolist())
    return BandEnergy(frames=sum(row.frames for row in rows), total=(low, middle, high))
