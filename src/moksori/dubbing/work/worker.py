"""One take to its wave, timings, metrics and picture: what a worker process does.

STORE/<key>.wav    as many samples and channels as the take has, at its rate
STORE/<key>.source.flac, .result.flac   both, for the report
STORE/<key>.png    both as spectrograms, and the alignment
STORE/<key>.json   when words and phones are said, and the metrics; written last
"""

import hashlib
import json
import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from moksori.conversion.converter import MIN_CONFIDENCE, Converter
from moksori.conversion.slips import Slip, whisper, worst_slip
from moksori.dubbing.task import LONGEST, Setup, Status, Task, TransientError
from moksori.dubbing.work import metrics
from moksori.dubbing.work.long_lines import Part, convert_line
from moksori.dubbing.work.metrics import Metrics
from moksori.dubbing.work.nonverbal import convert_nonverbal
from moksori.dubbing.work.picture import draw_line
from moksori.errors import AudioError, TextError
from moksori.provenance.watermark import mark
from moksori.signal import audio, levels
from moksori.signal.audio import Recording
from moksori.writing import atomic_write, without_sync


class Worker:
    """Converts takes, one after the other, on one core.

    More cores are used by more workers, so that a take's bytes do not depend on how many there are.
    """

    def __init__(self, setup: Setup) -> None:
        torch.set_num_threads(1)
        threadpool_limits(
            1
        )  # NumPy's and SciPy's too: sums in another order differ in the last digit
        self.setup = setup

    @cached_property
    def converter(self) -> Converter:
        return self.setup.converter()

    def convert(self, task: Task) -> Status:
        """Make the take's files.

        Raises:
            MoksoriError: it cannot be converted.
        """
        with without_sync():
            return self._convert(task)

    def _convert(self, task: Task) -> Status:
        recording = task.read()
        role, text = task.take.role, task.take.line.text
        measured = metrics.of_recording(recording)
        front_end = self.converter.front_end
        if role.as_recorded:
            return self._pass(task, recording, measured)
        if task.voice and self.converter.target(role.voice).checksum != task.voice:
            raise TransientError.of("voice.changed", voice=role.voice)
        if front_end.is_wordless(text):
            return self._nonverbal(task, recording, measured | {"nonverbal": metrics.WORDLESS})
        try:
            spoken = convert_line(
                self.converter, recording, text, role, speaker=task.speaker, f0=task.f0,
                spell=self.setup.spell, lexicon=self.setup.lexicon, floor=self.setup.floor,
                treble=self.setup.treble,
            )  # fmt: skip
        except (TextError, AudioError):
            if front_end.is_nonverbal(text):  # a scream of three seconds is no reading of 아
                return self._nonverbal(
                    task, recording, measured | {"nonverbal": metrics.ONLY_CRIES}
                )
            raise
        if front_end.is_nonverbal(text) and spoken.confidence < MIN_CONFIDENCE:
            return self._nonverbal(task, recording, measured | {"nonverbal": metrics.ONLY_CRIES})
        samples, lowered = self._finished(spoken.samples, recording, role.gain)
        _write_wave(task.wave, samples, recording)
        _write_sounds(task, recording, samples)  # heard at once; what is measured of it can wait
        parts = spoken.parts
        if len(parts) == 1 and (second := self._second(recording, text)) is not None:
            parts = [parts[0]._replace(alignment=replace(parts[0].alignment, second=second))]
        measured |= metrics.of_parts(parts)
        measured["lowered"] = spoken.lowered + lowered
        listener, slip = self.converter.listener, None
        if listener:
            slip = worst_slip(
                [(part.mel, part.alignment) for part in spoken.parts],
                listener, front_end, whisper(recording),
            )  # fmt: skip
        draw_line(task.picture, parts, recording, samples)
        _write_about(
            task, "converted", parts, spoken.speech, measured,
            embedding=_embedding(samples, recording), slip=slip,
        )  # fmt: skip
        return "converted"

    def _finished(
        self, samples: np.ndarray, recording: Recording, gain: float
    ) -> tuple[np.ndarray, float]:
        """Converted samples with their watermark, if there is to be one, and their gain; as `_louder`."""
        if not self.setup.watermark:
            return _louder(samples, gain)
        samples, lowered = levels.fit_peak(mark(samples, recording.sample_rate))
        samples, more = _louder(samples, gain)
        return samples, lowered + more

    def _second(self, recording: Recording, text: str) -> np.ndarray | None:
        """The other aligner's weights, of a model that has two."""
        if not self.converter.model.has_second_opinion:
            return None
        return self.converter.align(
            recording, text, max_seconds=LONGEST, spell=self.setup.spell, lexicon=self.setup.lexicon
        ).alignment.second

    def _nonverbal(self, task: Task, recording: Recording, measured: Metrics) -> Status:
        """Convert what has no words, or pass it."""
        role = task.take.role
        made = convert_nonverbal(
            self.converter, recording, role, speaker=task.speaker,
            floor=self.setup.floor, treble=self.setup.treble,
        )  # fmt: skip
        if made is None:
            return self._pass(task, recording, measured)
        samples, lowered = self._finished(made.samples, recording, role.gain)
        parts = [Part(made.alignment, made.source_mel, made.source_f0)]
        measured["lowered"] = made.lowered + lowered
        _write_wave(task.wave, samples, recording)
        _write_sounds(task, recording, samples)
        _write_about(task, "converted", parts, made.speech, measured)
        return "converted"

    def _pass(self, task: Task, recording: Recording, measured: Metrics) -> Status:
        """Pass the recording: exactly, or at its character's gain."""
        role = task.take.role
        gain = 0.0 if role.as_recorded or role.nonverbal == "leave" else role.gain
        samples, measured["lowered"] = _louder(recording.samples, gain)
        if not gain:
            samples = task.exact()
        _write_wave(task.wave, samples, recording)
        _write_sounds(task, recording, samples)
        bounds = levels.speech_bounds(recording.mono, recording.sample_rate, noise=recording.noise)
        begin, end = (sample / recording.sample_rate for sample in bounds)
        _write_about(task, "passed", [], (begin, end), measured)
        return "passed"


def _louder(samples: np.ndarray, gain: float) -> tuple[np.ndarray, float]:
    """Samples with `gain` dB, and by how much they had to be lowered again; untouched without."""
    return levels.fit_peak(samples * np.float32(10 ** (gain / 20))) if gain else (samples, 0.0)


def _embedding(samples: np.ndarray, recording: Recording) -> list[float] | None:
    """Speaker embedding, by Resemblyzer where `moksori[eval]` is installed; None where it cannot work.

    It is for one flag only: a line must not fail for it.
    """
    if not find_spec("resemblyzer"):
        return None
    from moksori.metrics.models import speaker_embedding

    try:
        own = speaker_embedding(audio.downmix(samples), recording.sample_rate, quick=True)
    except Exception as error:
        warnings.warn(f"no speaker similarity: {type(error).__name__}: {error}", stacklevel=2)
        return None
    return [round(float(x), 4) for x in own] if np.isfinite(own).all() else None


def _write_wave(path: Path, samples: np.ndarray, recording: Recording) -> None:
    audio.write(path, samples, recording.sample_rate, recording.subtype)


def _write_sounds(task: Task, recording: Recording, samples: np.ndarray) -> None:
    """Source and result for the report."""
    waves = recording.mono, audio.downmix(samples)
    for path, wave in zip(task.sounds, waves, strict=True):
        atomic_write(path, audio.for_page(wave, recording.sample_rate))


def _write_about(
    task: Task,
    status: Status,
    parts: Sequence[Part],
    speech: tuple[float, float] | None,
    measured: Metrics,
    embedding: list[float] | None = None,
    slip: Slip | None = None,
) -> None:
    about = {
        "status": status,
        "words": []
        if "nonverbal" in measured
        else [word for part in parts for word in part.alignment.word_intervals()],
        "phones": [phone for part in parts for phone in part.alignment.phone_intervals()],
        "speech": speech,
        "metrics": measured,
        "embedding": embedding,
        "slip": slip,
        "sha256": hashlib.sha256(task.wave.read_bytes()).hexdigest(),
    }
    atomic_write(task.about, json.dumps(about, ensure_ascii=False))
