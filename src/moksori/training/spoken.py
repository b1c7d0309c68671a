"""A spoken consent: heard to say the consent's sentence, in the voice that is being enrolled."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from moksori.conversion.card import ConversionCard
from moksori.conversion.consents import Consent
from moksori.conversion.converter import MIN_CONFIDENCE
from moksori.conversion.voices import Spoken
from moksori.corpus.lines import SourceLine
from moksori.corpus.prepare import levelled_speech, paths
from moksori.errors import ConfigError
from moksori.metrics.models import speaker_embedding
from moksori.models.conversion import ConversionModel
from moksori.signal import audio
from moksori.training.owner import MARGIN, ONE_VOICE, confidence, similarities

_MOST = 40  # recordings that the voice is known by


def hear_consent(
    recording: Path,
    consent: Consent,
    corpus: Path,
    lines: Sequence[SourceLine],
    model: ConversionModel,
    card: ConversionCard,
) -> Spoken:
    """Check a spoken consent: it says the consent's sentence, in the voice of the person's recordings.

    Args:
        recording: in which the person says the consent's sentence.
        consent: with that sentence.
        corpus: as `prepare` made it of `lines`.
        lines: of the person; those with a problem are left out.
        model: aligns the sentence.
        card: its card.

    Raises:
        ConfigError: the consent has no sentence, the recording does not say it, or it is another person's.
        AudioError: the recording cannot be read.
    """
    if not consent.sentence.strip():
        raise ConfigError.of("enrol.no_sentence")
    wave = levelled_speech(recording, card.audio)
    sure = confidence(wave, consent.sentence, model, card)
    if sure < MIN_CONFIDENCE:
        raise ConfigError.of(
            "enrol.spoken_text", file=recording, sentence=consent.sentence, confidence=sure,
            limit=MIN_CONFIDENCE,
        )  # fmt: skip
    sample_rate, own = card.audio.sample_rate, []
    for line in [line for line in lines if not line.problem][:_MOST]:
        path, _ = paths(line, corpus)
        if path.exists():
            own.append(speaker_embedding(audio.read(path).mono, sample_rate))
    mean = np.mean(own, axis=0)
    limit = max(ONE_VOICE, float(np.median(similarities(np.stack(own)))) - MARGIN)
    similarity = float(speaker_embedding(wave, sample_rate) @ mean / np.linalg.norm(mean))
    if similarity < limit:
        raise ConfigError.of(
            "enrol.spoken_person", file=recording, similarity=similarity, limit=limit
        )
    return Spoken(
        sha256=hashlib.sha256(recording.read_bytes()).hexdigest(),
        similarity=round(similarity, 3), confidence=round(sure, 3),
    )  # fmt: skip
