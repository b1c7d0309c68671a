"""What is known of a source's speaker from his recordings: mean log-F0, and his usual energy by band.

Every line is brought to one level, so that a shout and a murmur differ in their spectra: the more effort,
the more of the energy lies above 1 kHz. Standardised by line that difference is lost; against the speaker's
usual it stays, as his mean log-F0 keeps a line that is said higher than usual.
"""

from collections.abc import Iterable

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict

from moksori.signal.features import energy

_LEAST_SPREAD = 0.1  # nepers; a tone's


class BandEnergy(BaseModel):
    """Log energies of a speaker's voiced frames, as sums, so that those of several takes add up.

    Attributes:
        frames: how many there are.
        total: [bands] their sum, natural log of magnitude.
        squares: [bands] the sum of their squares.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    frames: int
    total: tuple[float, ...]
    squares: tuple[float, ...]

    @property
    def mean(self) -> np.ndarray:
        """[bands] natural log of magnitude."""
        mean: np.ndarray = np.array(self.total) / max(1, self.frames)
        return mean

    @property
    def spread(self) -> np.ndarray:
        """[bands] standard deviation, natural log of magnitude."""
        variance = np.array(self.squares) / max(1, self.frames) - self.mean**2
        spread: np.ndarray = np.sqrt(np.maximum(variance, _LEAST_SPREAD**2))
        return spread

    def statistics(self) -> torch.Tensor:
        """[2, bands], mean and spread, as `Batch.energy` holds them."""
        return torch.tensor(np.stack([self.mean, self.spread]), dtype=torch.float32)


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


def band_energy(mel: torch.Tensor, f0: torch.Tensor, bands: int) -> BandEnergy:
    """Of one line; over all of its frames where none is voiced, as in a whisper.

    Args:
        mel: log-mel [T, n_mels] of a levelled line.
        f0: [T] Hz, 0 where unvoiced.
        bands: as `features.energy`.
    """
    voiced = f0 > 0
    values = energy(mel.float(), bands)[voiced if bool(voiced.any()) else slice(None)].double()
    return BandEnergy(
        frames=len(values),
        total=tuple(round(x, 3) for x in values.sum(0).tolist()),
        squares=tuple(round(x, 3) for x in values.square().sum(0).tolist()),
    )


def joined_energy(parts: Iterable[BandEnergy]) -> BandEnergy | None:
    """Of several lines of one speaker; None of none."""
    rows = [*parts]
    if not rows:
        return None
    return BandEnergy(
        frames=sum(row.frames for row in rows),
        total=tuple(np.sum([row.total for row in rows], axis=0).tolist()),
        squares=tuple(np.sum([row.squares for row in rows], axis=0).tolist()),
    )


def effort_statistics(line: BandEnergy, speaker: BandEnergy | None, effort: float) -> torch.Tensor:
    """What a line's effort is told against, [2, bands]; see `Batch.energy`.

    Args:
        line: the line's own.
        speaker: of all that is known of the speaker; None: of nothing but this line.
        effort: 1 as the actor has it; 0 none, each line as the speaker's usual; above 1 exaggerated.
    """
    if speaker is None:
        return line.statistics()
    mean = effort * speaker.mean + (1 - effort) * line.mean
    return torch.tensor(np.stack([mean, speaker.spread]), dtype=torch.float32)
