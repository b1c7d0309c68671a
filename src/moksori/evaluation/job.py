"""Convert every line and judge it: one row a conversion, beside its recording and the vocoder's copy.

OUT/results.csv        a row a line, written as it is done: killed, the same command resumes
OUT/audio/*.flac       the converted lines
OUT/run.json           which model, vocoder, ASR and real voices; a folder holds one evaluation
"""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from moksori.conversion.converter import Converter
from moksori.corpus.place import visible
from moksori.errors import MoksoriError, OutputError
from moksori.evaluation.lines import EvaluationLine, RealVoice
from moksori.evaluation.voices import Voices, embed
from moksori.evaluation.without_text import follows, slip_gains
from moksori.files import read_text
from moksori.formulas import as_written, text_cells
from moksori.messages import Lang
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
from moksori.writing import atomic_path, atomic_write

COLUMNS = (
    "id", "voice", "group", "text", "heard", "recording", "converted", "problem",
    "letters", "errors", "errors_recording",
    "similarity", "similarity_source", "nearest_voice", "nearest_voice_source",
    "dnsmos", "dnsmos_recording", "dnsmos_copy",
    "f0_correlation", "f0_correlation_copy", "f0_slips", "voicing_error", "voicing_error_copy",
    "actor", "alpha_ratio", "alpha_ratio_source", "hammarberg", "hammarberg_source", "hnr", "hnr_source",
    "mcd", "mcd_source", "confidence", "samples_off", "seconds", "taken",
    "envelope_correlation", "slip", "slip_changed",
)  # fmt: skip
Row = dict[str, Any]


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


def evaluate(
    lines: list[EvaluationLine],
    judge: Callable[[EvaluationLine], Row],
    run: dict[str, str],
    out: Path,
    progress: Callable[[Iterable[Any], int], Iterable[Any]] = lambda steps, total: steps,
    lang: Lang = "en",
) -> list[Row]:
    """Judge every line that `OUT/results.csv` does not have yet; the rows of all of them.

    Rows of lines that are not asked for now stay in the file; a line whose text or recording changed is
    judged anew.

    Args:
        lines: each once.
        judge: of a line.
        run: what the metrics depend on; the same for every call with this folder.
        out: folder of the evaluation.
        progress: wraps the iteration over the lines to be done.
        lang: of what is said of a line that cannot be judged.

    Raises:
        OutputError: as `begin`.
    """
    begin(run, out)
    results = out / "results.csv"
    kept = [row for row in read_results(results) if not row["problem"]]
    wanted = {(line.id, line.voice, line.text, str(line.recording)): line for line in lines}
    have = {tuple(row[c] for c in ("id", "voice", "text", "recording")) for row in kept}
    todo = [line for key, line in wanted.items() if key not in have]
    redone = {line.name for line in todo}  # with another text or recording than before
    kept = [row for row in kept if f"{row['id']}_{row['voice']}" not in redone]
    with (
        atomic_path(results) as temporary,  # so that a kill here loses nothing
        temporary.open("w", encoding="utf-8-sig", newline="") as file,
    ):
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(map(text_cells, kept))
    with results.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        for line in progress(todo, len(todo)):
            row: Row = dict.fromkeys(COLUMNS, "") | {
                "id": line.id, "voice": line.voice, "group": line.group, "text": line.text,
                "recording": str(line.recording), "converted": f"audio/{line.name}.flac",
            }  # fmt: skip
            try:
                row |= judge(line)
            except MoksoriError as error:  # one bad line must not end the job for all others
                row["problem"] = error.say(lang)
            writer.writerow(text_cells(row))
            file.flush()
    names = {line.name for line in lines}
    return [row for row in read_results(results) if f"{row['id']}_{row['voice']}" in names]


def read_results(path: Path) -> list[Row]:
    """The rows of a `results.csv`, numbers as numbers; none if there is no such file.

    What could not be measured of a line, such as F0 of a whisper, is None, as what was not.

    Raises:
        OutputError: it is no such file.
    """
    if not path.exists():
        return []
    rows = csv.DictReader(io.StringIO(read_text(path, OutputError, keep_ends=True), newline=""))
    if not {"id", "voice", "text", "recording", "problem"} <= {*(rows.fieldnames or ())}:
        raise OutputError.of("evaluate.no_results", file=path)
    text = {"id", "voice", "group", "text", "heard", "recording", "converted", "problem", "actor"}
    text |= {"nearest_voice", "nearest_voice_source"}
    return [{k: as_written(v) if k in text else _number(v) for k, v in row.items()} for row in rows]


def _number(cell: str) -> float | None:
    number = float(cell) if cell else np.nan
    return None if np.isnan(number) else number


def describe(
    converter: Converter,
    asr: str,
    voices: list[str],
    real: Mapping[str, RealVoice] | None = None,
) -> dict[str, str]:
    """What an evaluation's metrics depend on.

    Args:
        converter: of the lines.
        asr: hears the words.
        voices: that the lines are converted to.
        real: voices that they are compared with; their recordings are known by name and size.
    """
    weights = hashlib.sha256((converter.card.sha256 + converter.vocoder_card.sha256).encode())
    for name in voices:
        for tensor in converter.target(name).weights.values():
            weights.update(tensor.cpu().numpy().tobytes())
    compared = [
        (name, [[(path.name, path.stat().st_size) for path in part] for part in (of.fit, of.held)])
        for name, of in sorted((real or {}).items())
    ]
    return {
        "model": converter.card.sha256,
        "weights": weights.hexdigest(),
        "asr": f"{asr}, {WhisperASR.PRECISION}",
        "voices": hashlib.sha256(json.dumps(compared).encode()).hexdigest(),
    }


def begin(run: dict[str, str], out: Path) -> None:
    """Have a folder be an evaluation's, before anything is measured.

    One that ended before it kept anything is begun anew.

    Raises:
        OutputError: it holds an evaluation of another model, by another ASR or with other real voices; or
            something else.
    """
    path = out / "run.json"
    if out.exists() and not out.is_dir():
        raise OutputError.of("output.is_file", path=out)
    if not path.exists() and visible(out):
        raise OutputError.of("output.others", path=out)
    try:
        known = json.loads(path.read_bytes()) if (out / "results.csv").exists() else {}
        same = {**run, **known} == run  # of an older Moksori it says less
    except (TypeError, ValueError):
        same = False
    if not same:
        raise OutputError.of("evaluate.other_model", folder=out)
    out.mkdir(parents=True, exist_ok=True)
    atomic_write(path, json.dumps(run, indent=1))
