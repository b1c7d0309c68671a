"""What is heard without a text, by the recogniser: sounds to read, and words said otherwise."""

from functools import cache
from pathlib import Path

import numpy as np
import torch

from moksori.alignment import hearing
from moksori.config import AudioConfig, Hertz
from moksori.conversion.card import RecogniserCard
from moksori.conversion.checkpoint import load_recogniser
from moksori.errors import CheckpointError
from moksori.models.recogniser import PhoneRecogniser
from moksori.signal.features import energy
from moksori.text import Reading
from moksori.text.sounds import to_hangul, to_phones
from moksori.weights import RECOGNISER

OWN = "recogniser"  # folder of a model's own, in the model's
OFF, BUNDLED = "off", "bundled"  # what may be asked for instead of a folder
NONVERBAL_F0_MAX: Hertz = (
    1500.0  # screams go higher than speech: of 25, 14% of the frames voiced to 700 Hz, 48% so
)
_MOST = 3.0  # nepers that a frame is moved by at most


def find_recogniser(model: Path, asked: Path | str | None = None) -> Path | None:
    """The folder of the recogniser that is to be used; None if none is.

    Args:
        model: folder of the conversion model, which may hold its own.
        asked: a folder, `bundled`, or `off`; None for the model's own, or else the bundled one.

    Raises:
        CheckpointError: no such folder.
    """
    if asked is None:
        return model / OWN if (model / OWN).is_dir() else RECOGNISER
    if str(asked) in (OFF, BUNDLED):
        return RECOGNISER if str(asked) == BUNDLED else None
    if not Path(asked).is_dir():
        raise CheckpointError.of("recogniser.none", name=asked)
    return Path(asked)


def nonverbal_audio(audio: AudioConfig) -> AudioConfig:
    """The settings by which the F0 of a sound without words is tracked."""
    return audio.model_copy(update={"f0_max": NONVERBAL_F0_MAX})


class Listener:
    """A recogniser, ready to be asked.

    >>> Listener.from_pretrained(AudioConfig()).transitions.shape
    (43, 43)
    """

    def __init__(self, model: PhoneRecogniser, card: RecogniserCard) -> None:
        self.model, self.card = model, card
        self.transitions: np.ndarray = model.transitions.numpy()

    @classmethod
    def from_pretrained(cls, audio: AudioConfig, folder: Path = RECOGNISER) -> "Listener":
        """Load a recogniser; the same one for every call in a process.

        Args:
            audio: how the mels that it will hear are made.
            folder: of the recogniser; the bundled one by default.

        Raises:
            CheckpointError: a folder that is damaged, or a recogniser of other mels.
        """
        listener = _loaded(folder)
        if not listener.card.audio.same_mels(audio):
            raise CheckpointError.of("model.other_audio", folder=folder)
        return listener

    def posterior(self, mel: torch.Tensor) -> np.ndarray:
        """Log posterior [T, n_sounds] of a line's log-mel [T, n_mels]."""
        with torch.inference_mode():
            mask = torch.ones(1, len(mel), dtype=torch.bool)
            result: np.ndarray = self.model(mel[None], mask)[0].numpy()
        return result

    def reading(self, mel: torch.Tensor) -> Reading:
        """What is heard in a line's log-mel [T, n_mels], as if it were its text."""
        sounds = hearing.said(hearing.free(self.posterior(mel), self.transitions))
        heard = to_hangul(sounds)
        return Reading(
            original=heard, normalized=heard, pronounced=heard, phones=to_phones(sounds), events=[],
            doubts=[],
        )  # fmt: skip


@cache
def _loaded(folder: Path) -> Listener:
    return Listener(*load_recogniser(folder))


def with_envelope(mel: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
    """A converted log-mel [T, n_mels], each frame moved so that the level moves as the source's does.

    What is said in a sound without words is a guess, so its level cannot be left to it. The mean level stays.
    """
    move = energy(source, 1) - energy(mel, 1)  # [T, 1]
    move = move - move.mean()
    return mel + move.clamp(-_MOST, _MOST)
