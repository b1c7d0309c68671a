"""Which of the recordings for an enrolment are its owner's, saying their texts.

Each prepared recording is aligned with its text by the model, and its speaker embedding is compared with
those of the others: the largest group of recordings that sound like one person is taken to be the owner's.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from scipy.cluster.hierarchy import fcluster, linkage

from moksori.alignment.alignment import Alignment
from moksori.conversion.card import ConversionCard
from moksori.conversion.converter import MIN_CONFIDENCE
from moksori.corpus.lines import SourceLine
from moksori.corpus.prepare import paths
from moksori.errors import ConfigError, CorpusError
from moksori.messages import Message, message
from moksori.metrics.models import speaker_embedding
from moksori.models.conversion import ConversionModel
from moksori.signal import audio, features
from moksori.stepwise import ShowSteps, unshown
from moksori.text.front_end import FRONT_ENDS

# Set on seven recordings each of twelve women of the corpus, several of them one actress in several styles,
# and fourteen each of emotional lines: what they refuse and what they let pass is in docs/training.md.
ONE_VOICE = (
    0.72  # cosine to the owner's mean below which a recording is another person's in any case
)
MARGIN = 0.08  # below the owner's usual similarity
_APART = 0.2  # cosine distance, on average, from which on groups of recordings are two people's
_MOST = 2 / 3  # of the recordings that say their texts have to be of one person

# From a prepared corpus and its lines to the same lines, with a problem each where they are not the owner's.
Judge = Callable[
    [Path, Sequence[SourceLine], ConversionModel, ConversionCard, ShowSteps], list[SourceLine]
]


def owners_lines(
    corpus: Path,
    lines: Sequence[SourceLine],
    model: ConversionModel,
    card: ConversionCard,
    progress: ShowSteps = unshown,
) -> list[SourceLine]:
    """The lines, with a problem where the recording does not say its text or is not the owner's.

    Args:
        corpus: as `prepare` made it of these lines.
        lines: of one voice.
        model: that the voice is to be learnt on.
        card: its card.
        progress: wraps the iteration over the lines and is given their number.

    Raises:
        CorpusError: no more than two thirds of the recordings are of one person.
        ConfigError: the extra `train` is not whole.
    """
    if not find_spec("resemblyzer"):
        raise ConfigError.of("enrol.no_encoder")
    problems: dict[str, Message] = {}
    embeddings: dict[str, np.ndarray] = {}
    for line in progress(lines, len(lines)):
        path, _ = paths(line, corpus)
        if line.problem or not path.exists():
            continue
        wave = audio.read(path).mono
        sure = confidence(wave, line.text, model, card)
        if sure < MIN_CONFIDENCE:
            problems[line.id] = message(
                "enrol.text", file=line.audio, confidence=sure, limit=MIN_CONFIDENCE
            )
        else:
            embeddings[line.id] = speaker_embedding(wave, card.audio.sample_rate)
    if embeddings:
        alike = similarities(np.stack([*embeddings.values()]))
        limit = max(ONE_VOICE, float(np.median(alike)) - MARGIN)
        own = alike >= limit
        if own.mean() < _MOST:
            raise CorpusError.of("enrol.several", own=int(own.sum()), lines=len(own))
        files = {line.id: line.audio for line in lines}
        for id, similarity in zip(embeddings, alike.tolist(), strict=True):
            if similarity < limit:
                values = {"file": files[id], "similarity": similarity, "limit": limit}
                problems[id] = message("enrol.person", **values)
    return [replace(line, problem=problems.get(line.id, line.problem)) for line in lines]


@torch.inference_mode()
def confidence(wave: np.ndarray, text: str, model: ConversionModel, card: ConversionCard) -> float:
    """How far a prepared wave [n] says a text, 0 to 1: the confidence of its alignment."""
    front_end = FRONT_ENDS[card.language]
    reading = front_end.read(text, False, None)
    numbers, mel = front_end.ids(reading.phones), features.log_mel(wave, card.audio)
    model.eval()
    aligned = model.align(
        torch.tensor([numbers]), torch.tensor([len(numbers)]), mel[None], torch.tensor([len(mel)])
    )
    return Alignment(
        weights=aligned.alignment[0].numpy(),
        posterior=aligned.log_alignment[0].exp().numpy(),
        phones=reading.phones,
    ).confidence


def similarities(embeddings: np.ndarray) -> np.ndarray:
    """How like the owner each recording sounds: cosine to the mean of the owner's others, [N].

    Args:
        embeddings: [N, D] of the recordings, of unit length; the largest group of them that is alike (average
            linkage) is the owner's.
    """
    if len(embeddings) == 1:
        return np.ones(1)
    groups = fcluster(linkage(embeddings, "average", "cosine"), _APART, "distance")
    own = groups == np.bincount(groups).argmax()
    total = embeddings[own].sum(0)
    means = total - embeddings * own[:, None] if own.sum() > 1 else np.tile(total, (len(own), 1))
    result: np.ndarray = (embeddings * means).sum(1) / np.linalg.norm(means, axis=1)
    return result
