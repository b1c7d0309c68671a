"""Vocal effort kept: a conversion's spectral tilt about the voice's usual, as the line's about the actor's.

What is known of an actor's energy by band tells how far a line lies from his usual, and what is known of the
voice how far its conversion lies from hers. The difference is given to the converted mel as a smooth gain
over frequency, one for the line, so that nothing of the actor's timbre comes along:

    gain(band) = effort · (line - actor's usual) - (conversion - voice's usual)

Both are of the same phones, so that what a line happens to be made of cancels out. The fewer other lines of
the actor are known, the less his usual is, and the smaller the gain; of a lone line there is none.
"""

import numpy as np
import torch

from moksori.signal.speaker import BandEnergy, band_energy

_FURTHEST = 1.4  # nepers, 12 dB: beyond it a gain would shape noise
_FEW = 250  # voiced frames of the actor's other lines, 3 s, that are worth half of the gain
_ROUNDS = 3  # since a smooth gain does not move each band by just its own


def other_frames(line: BandEnergy, speaker: BandEnergy | None) -> int:
    """How much there is to measure a line's effort against: voiced frames of the actor's other lines.

    Args:
        line: as `with_effort`.
        speaker: likewise.
    """
    return max(0, speaker.frames - line.frames) if speaker else 0


def with_effort(
    mel: torch.Tensor,
    f0: torch.Tensor,
    line: BandEnergy,
    speaker: BandEnergy | None,
    voice: BandEnergy | None,
    effort: float,
) -> torch.Tensor:
    """A converted mel at the actor's effort; as it is where actor or voice are not known.

    Args:
        mel: [T, n_mels] converted, natural log of magnitude.
        f0: [T] Hz of the line, 0 where unvoiced.
        line: energy of the line, as recorded.
        speaker: … of all that is known of the actor, this line among it.
        voice: … of the voice's own recordings.
        effort: 1 as the actor has it, 0 the voice's usual, above 1 exaggerated.
    """
    if speaker is None or voice is None:
        return mel
    others = other_frames(line, speaker)
    trust = others / (others + _FEW)
    wanted = voice.mean + effort * (line.mean - speaker.mean)
    bands = len(wanted)
    centres = (np.arange(bands) + 0.5) * mel.shape[1] / bands - 0.5
    gains = np.zeros(bands)
    moved = mel
    for _ in range(_ROUNDS):
        gains = gains + wanted - band_energy(moved, f0).mean
        gains = np.clip(gains - gains.mean(), -_FURTHEST, _FURTHEST)  # the level is another matter
        curve = np.interp(np.arange(mel.shape[1]), centres, gains)
        moved = mel + torch.from_numpy(curve).to(mel.dtype)
    return mel + trust * (moved - mel)
