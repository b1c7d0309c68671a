"""One line, converted and judged by every metric model."""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from moksori.conversion.converter import Converter
from moksori.evaluation.lines import EvaluationLine
from moksori.evaluation.voices import Voices, embed
from moksori.evaluation.without_text import follows, slip_gains
from moksori.metrics.effort import Effort, effort
from moksori.metrics.measures import character_errors, compare_f0, nearest
from moksori.metrics.models import (
    WhisperASR,
    dnsmos,
    mel_cepstral_distance,
    speaker_embedding,
)
from moksori.signal import audio, features, levels
from moksori.signal.pitch import swift
from moksori.signal.speaker import UNKNOWN, SourceSpeaker

Row = dict[str, Any]  # of results.csv, by column


class Judge:
    """Evaluates lines by all metric models; what concerns a recording alone is measured once.

    Args:
        converter: of the lines.
        asr: hears the words.
        voices: embedded.
        folder: for the converted lines.
        lines: all that are to be judged, for what is known of their actors.
    """

    def __init__(
        self,
        converter: Converter,
        asr: WhisperASR,
        voices: Voices,
        folder: Path,
        lines: Iterable[EvaluationLine] = (),
    ) -> None:
        self.converter, self.asr = converter, asr
        self.voices, self.folder = voices, folder
        lines = [*lines]
        self.words = sorted({word for line in lines for word in line.text.split()})
        self._sources: dict[Path, _Source] = {}
        self._of_actor: dict[str, list[Path]] = {}
        self._speakers: dict[str, SourceSpeaker] = {"": UNKNOWN}
        for path, actor in {line.recording: line.actor for line in lines}.items():
            self._of_actor.setdefault(actor, []).append(path)

    def __call__(self, line: EvaluationLine) -> Row:
        """Convert and judge one line.

        Raises:
            MoksoriError: it cannot be converted.
        """
        source = self._sources.get(line.recording)
        if source is None:  # lines of one recording follow each other
            source = _Source(line.recording, self)
            self._sources = {line.recording: source}
        speaker = self._speaker(line.actor)
        wordless = self.converter.front_end.is_wordless(line.text)
        text = None if wordless else line.text
        converted = self.converter.convert(source.recording, text, line.voice, speaker=speaker)
        path = self.folder / f"{line.name}.flac"
        converted.save(path)
        wave, sample_rate = converted.samples[:, 0], converted.sample_rate
        if wordless:
            followed_source = follows(self.converter, source.recording, converted)
            return followed_source | self._whose(line, source, wave, sample_rate)
        heard = self.asr.transcribe(wave, sample_rate)
        errors, letters = character_errors(line.spoken, heard)
        pitch = self.pitch(wave, sample_rate)
        followed = compare_f0(source.pitch, pitch)
        copied = compare_f0(source.pitch, source.pitch_of_copy)
        row: Row = {
            "heard": heard, "errors": errors, "letters": letters,
            "errors_recording": character_errors(line.spoken, source.heard)[0],
            "dnsmos": dnsmos(wave, sample_rate).overall,
            "dnsmos_recording": source.sound, "dnsmos_copy": source.sound_of_copy,
            "f0_correlation": followed.correlation, "f0_correlation_copy": copied.correlation,
            "f0_slips": followed.octave_errors,
            "voicing_error": followed.voicing_error, "voicing_error_copy": copied.voicing_error,
            "confidence": converted.alignment.confidence,
            "samples_off": len(converted.samples) - len(source.recording.samples),
            "seconds": source.recording.seconds, "taken": sum(converted.seconds_by_stage.values()),
            "actor": line.actor,
        }  # fmt: skip
        row |= effort(wave, sample_rate, pitch)._asdict()
        row |= {f"{name}_source": value for name, value in source.effort._asdict().items()}
        row |= source.slips(line.text)
        row |= self._whose(line, source, wave, sample_rate)
        if line.own:
            own = audio.read(line.own)
            target_wave = audio.resample(own.mono, own.sample_rate, sample_rate)
            row["mcd"] = mel_cepstral_distance(wave, target_wave, sample_rate)
            row["mcd_source"] = mel_cepstral_distance(
                source.recording.mono, target_wave, sample_rate
            )
        return row

    def _speaker(self, actor: str) -> SourceSpeaker:
        """What is known of an actor from all of his lines, as a dubbing job finds it; once."""
        if actor not in self._speakers:
            own = self._of_actor.get(actor, [])
            self._speakers[actor] = self.converter.speaker(map(self.converter.source, own))
        return self._speakers[actor]

    def _whose(
        self, line: EvaluationLine, source: "_Source", wave: np.ndarray, sample_rate: int
    ) -> Row:
        """Whose voice a conversion is most like."""
        if line.voice not in self.voices.centroids:
            return {}
        target, who = self.voices.centroids[line.voice], speaker_embedding(wave, sample_rate)
        return {
            "similarity": float(who @ target),
            "similarity_source": float(source.who @ target),
            "nearest_voice": nearest(who, self.voices.centroids, line.voice),
            "nearest_voice_source": nearest(source.who, self.voices.centroids),
        }

    def pitch(self, wave: np.ndarray, sample_rate: int) -> np.ndarray:
        """F0 of a wave [n], Hz every 16 ms, 0 where unvoiced."""
        settings = self.converter.card.audio
        _, hertz, voiced = swift(wave, sample_rate, settings.f0_min, settings.f0_max)
        return np.where(voiced, hertz, 0.0)


class _Source:
    """What is measured of a recording alone, whatever it is converted to."""

    def __init__(self, path: Path, judge: Judge) -> None:
        self.recording, self._judge = audio.read(path), judge
        self._slips: dict[str, dict[str, float]] = {}  # by text

    @cached_property
    def heard(self) -> str:
        return self._judge.asr.transcribe(self.recording.mono, self.recording.sample_rate)

    def slips(self, text: str) -> dict[str, float]:
        if text not in self._slips:
            judge = self._judge
            self._slips[text] = slip_gains(
                judge.converter, self.recording, text, judge.words, self.heard
            )
        return self._slips[text]

    @cached_property
    def who(self) -> np.ndarray:
        return embed(self.recording)

    @cached_property
    def pitch(self) -> np.ndarray:
        return self._judge.pitch(self.recording.mono, self.recording.sample_rate)

    @cached_property
    def effort(self) -> Effort:
        return effort(self.recording.mono, self.recording.sample_rate, self.pitch)

    @cached_property
    def _copy(self) -> tuple[np.ndarray, int]:
        """The recording through mel and vocoder only: what no conversion can better."""
        settings = self._judge.converter.card.audio
        wave = audio.resample(self.recording.mono, self.recording.sample_rate, settings.sample_rate)
        gain = levels.gain_to(wave, settings.sample_rate, settings.loudness)  # as vocoders know it
        wave = wave * np.float32(gain)
        converter, heard = self._judge.converter, features.extract(wave, settings)
        return converter.synthesise(heard.mel, heard.f0), converter.vocoder.sample_rate

    @cached_property
    def pitch_of_copy(self) -> np.ndarray:
        return self._judge.pitch(*self._copy)

    @cached_property
    def sound(self) -> float:
        return dnsmos(self.recording.mono, self.recording.sample_rate).overall

    @cached_property
    def sound_of_copy(self) -> float:
        return dnsmos(*self._copy).overall
