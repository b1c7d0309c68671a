"""Recordings of the same text by other speakers, and where in them each frame of a line is said.

A line's linguistic features may then come from another speaker's recording of it, so that the decoder
learns the target's voice from features that cannot hold it. Cotatron lacks this.
"""

import random
from collections import defaultdict

import torch
from lhotse import CutSet, MonoCut

from moksori.models.layers import masked_standard


class ParallelLines:
    """The lines of a corpus that several speakers read.

    Args:
        cuts: the corpus.
    """

    def __init__(self, cuts: CutSet) -> None:
        readers: dict[str, list[MonoCut]] = defaultdict(list)
        for cut in cuts:
            readers[cut.supervisions[0].text].append(cut)
        self.others = {
            cut.id: [other for other in same if _speaker(other) != _speaker(cut)]
            for same in readers.values()
            for cut in same
        }

    def choose(self, cuts: CutSet) -> list[MonoCut]:
        """For each line of a batch itself, or half of the time another's recording of its text.

        Chance comes from the batch's own lines, so that a resumed training chooses the same.
        """
        batch = " ".join(cut.id for cut in cuts)
        chosen = []
        for cut in cuts:
            chance = random.Random(f"{cut.id} {batch}")
            others = self.others.get(cut.id, [])
            chosen.append(chance.choice(others) if others and chance.random() < 0.5 else cut)
        return chosen


def _speaker(cut: MonoCut) -> str:
    result: str = cut.supervisions[0].speaker
    return result


def warp(mel: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Where in `other` each frame of `mel` is said, by dynamic time warping.

    The distance is that of mels standardised by line and bin, so that voice and microphone matter little.

    Args:
        mel: [T, n_mels].
        other: [S, n_mels], the same words from another speaker.

    Returns:
        Frames of `other` [T], never going back.
    """
    from librosa.sequence import dtw

    x, y = (
        masked_standard(m[None].float(), torch.ones(1, len(m), dtype=torch.bool))[0].T.numpy()
        for m in (other, mel)
    )
    path = torch.from_numpy(dtw(x, y)[1].copy())  # [(frame of other, frame of mel), …], backwards
    total = torch.zeros(len(mel)).index_add(0, path[:, 1], path[:, 0].float())
    return (total / torch.bincount(path[:, 1], minlength=len(mel))).round().long()
