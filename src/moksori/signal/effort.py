"""A speaker's usual energy by band, against which the vocal effort of his lines is told.

Every line is brought to one level, so that a shout and a murmur differ in their spectra: the more effort, the
more of the energy lies above 1 kHz. Standardised by line that difference is lost; by speaker it stays, as a
mean log-F0 of the speaker keeps a line that is said higher than usual.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch

from moksori.signal.features import energy

_LEAST_SPREAD = 0.1  # nepers; a tone's


@dataclass(frozen=True, kw_only=True)
class BandEnergy:
    """Log energies of a speaker's voiced frames, as sums, so that those of several takes add up.

    Attributes:
        frames: how many there are.
        total: [bands] their sum, natural log of magnitude.
        squares: [bands] the sum of their squares.
    """

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
        return np.sqrt(np.maximum(variance, _LEAST_SPREAD**2))

    def statistics(self) -> torch.Tensor:
        """[2, bands], mean and spread, as `Batch.energy` holds them."""
        return torch.tensor(np.stack([self.mean, self.spread]), dtype=torch.float32)


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
        total=tuple(values.sum(0).tolist()),
        squares=tuple(values.square().sum(0).tolist()),
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


def scaled_statistics(line: BandEnergy, speaker: BandEnergy | None, effort: float) -> torch.Tensor:
    """What a line's effort is told against, [2, bands]; see `Batch.energy`.

    Args:
        line: the line's own.
        speaker: of all that is known of the speaker; None: nothing but this line.
        effort: 1 as the actor has it, 0 none (each line as the speaker's usual), above 1 exaggerated.
    """
    if speaker is None:
        return line.statistics()
    mean = effort * speaker.mean + (1 - effort) * line.mean
    return torch.tensor(np.stack([mean, speaker.spread]), dtype=torch.float32)
