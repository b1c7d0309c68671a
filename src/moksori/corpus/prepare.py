"""Recordings and texts of a corpus to levelled audio, F0 and validated Lhotse manifests.

SourceLine ── read, resample, level, trim ── DEST/audio/<speaker>/<id>.flac
                                   └─ F0 ── DEST/f0/<speaker>/<id>.npy
journal.jsonl remembers each line, so that a killed job resumes where it was.
DEST/cuts_{train,valid,test}.jsonl.gz, speakers.json, report.json are written at the end.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from lhotse import CutSet, MonoCut, Recording, SupervisionSegment, validate
from lhotse.array import Array

from moksori.config import AudioConfig, Seconds
from moksori.corpus.lines import SourceLine
from moksori.corpus.place import JOURNAL, check_place, sweep
from moksori.corpus.workers import workers
from moksori.errors import CorpusError, MoksoriError
from moksori.files import safe_name
from moksori.messages import Message, message
from moksori.signal import audio as audio_files
from moksori.signal import features, levels, pitch
from moksori.stepwise import ShowSteps, unshown
from moksori.text import tokenize
from moksori.writing import alone_in, atomic_path, atomic_write

MIN_SECONDS: Seconds = 0.5
MAX_SECONDS: Seconds = 30.0
_SPLITS = ("train", "valid", "test")
_FEMALE_ABOVE = 160.0  # Hz; the mean F0 that best parts women from men
_VERSION = 1  # of what this file does to a recording; raise it and all lines are prepared again


def prepare(
    lines: list[SourceLine],
    dest: Path,
    licence: str,
    audio: AudioConfig = AudioConfig(),
    valid_share: float = 0.03,
    jobs: int | None = None,
    progress: ShowSteps = unshown,
    terms: Mapping[str, Any] = {},
) -> dict[str, Any]:
    """Prepare `lines` into `dest`; lines already there and unchanged are not touched again.

    Args:
        lines: from a corpus reader; never changed on the disk.
        dest: folder of the prepared corpus, made if missing.
        licence: of the recordings; goes with every model trained on them.
        audio: the sample rate and level to convert them to.
        valid_share: share of the training *texts* kept for validation, chosen by their hash.
        jobs: worker processes; as many as there are cores by default.
        progress: wraps the iteration over new lines and is given their number.
        terms: what licence and consents allow, as `Terms.dump` has it; kept with the speakers.

    Returns:
        The report, also written to `report.json`: `speakers`, `rejected`, `new`. Of what is rejected it has
        `problem`, in English, and `message`, for `Message.load`.

    Raises:
        CorpusError: as `check_place`; or its journal is damaged.
        OutputError: as `alone_in`.
    """
    check_place(dest, [line.audio for line in lines if line.audio], "lines")
    with alone_in(dest):
        journal, finished = dest / JOURNAL, dest / "report.json"
        sweep(dest)
        known = _read_journal(journal)
        todo = [line for line in lines if not _is_done(known.get(line.id), line, audio, dest)]
        if todo:
            finished.unlink(missing_ok=True)  # until the manifests are of these lines again
        with journal.open("a", encoding="utf-8") as file, workers(jobs) as pool:
            made = pool.map(
                _prepare_line, todo, [dest] * len(todo), [audio] * len(todo), chunksize=4
            )
            for result in progress(made, len(todo)):
                file.write(json.dumps(result, ensure_ascii=False) + "\n")
                file.flush()
                known[result["id"]] = result
        results = [known[line.id] | {"split": line.split} for line in lines]
        _hold_out(results, valid_share)
        report = {**_report(results, licence, len(todo)), **terms}
        speakers = {
            **terms,
            "licence": licence,
            "audio": audio.model_dump(),
            "speakers": report["speakers"],
        }
        if not finished.exists() or not _is_current(dest, report):
            _write_manifests(results, dest)
            _write_json(dest / "speakers.json", speakers)
            _write_json(finished, report)
        return report


def _fingerprint(line: SourceLine, audio: AudioConfig) -> str:
    stat = line.audio.stat() if line.audio else None
    state = [
        _VERSION, audio.model_dump(), line.text, line.script, line.speaker, line.sex, _kept(line),
        stat and [stat.st_size, stat.st_mtime_ns],
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()[:16]


def _kept(line: SourceLine) -> str:
    return line.problem.dump() if line.problem else ""


def _read_journal(path: Path) -> dict[str, dict[str, Any]]:
    """The last word on each line; a half-written last line, left by a kill, is taken away."""
    if not path.exists():
        return {}
    content = path.read_bytes()
    whole, _, rest = content.rpartition(b"\n")
    if rest:
        atomic_write(path, whole + b"\n" if whole else b"")
    known = {}
    for number, row in enumerate(whole.split(b"\n"), 1):
        try:
            result = json.loads(row)
            id, _ = result["id"], result["fingerprint"]
            known[id] = result
        except (ValueError, KeyError, TypeError):
            if row:
                raise CorpusError.of("corpus.damaged_row", file=path, row=number) from None
    return known


def _is_done(
    result: dict[str, Any] | None, line: SourceLine, audio: AudioConfig, dest: Path
) -> bool:
    if result is None or result["fingerprint"] != _fingerprint(line, audio):
        return False
    return bool(result["problem"]) or all(path.exists() for path in paths(line, dest))


def paths(line: SourceLine, dest: Path) -> tuple[Path, Path]:
    """Where a prepared line's audio and F0 are."""
    audio, f0 = _places(line.speaker, line.id)
    return dest / audio, dest / f0


def _places(speaker: str, id: str) -> tuple[str, str]:
    """Where in a corpus a line's audio and F0 lie; whatever a list calls a speaker is a name, not a path."""
    home, name = safe_name(speaker), Path(id).name
    return f"audio/{home}/{name}.flac", f"f0/{home}/{name}.npy"


def _prepare_line(line: SourceLine, dest: Path, audio: AudioConfig) -> dict[str, Any]:
    """One line's work, in a worker process; the result is what the journal keeps."""
    result = {
        "id": line.id, "speaker": line.speaker, "sex": line.sex, "text": line.text,
        "script": line.script, "problem": _kept(line), "fingerprint": _fingerprint(line, audio),
    }  # fmt: skip
    if line.problem or line.audio is None:
        return result
    try:
        tokenize(line.text)
        wave = levelled_speech(line.audio, audio)
        f0 = pitch.f0(wave, audio)
    except MoksoriError as error:
        return result | {"problem": error.message.dump()}
    except Exception as error:  # one odd file must not end the job for all others
        why = f"{type(error).__name__}: {error}"
        return result | {"problem": message("file.invalid", file=line.audio, why=why).dump()}
    length = features.samples_to_seconds(len(wave), audio)
    if not MIN_SECONDS <= length <= MAX_SECONDS:
        code = "corpus.too_short" if length < MIN_SECONDS else "corpus.too_long"
        problem = message(code, file=line.audio, length=length, least=MIN_SECONDS, most=MAX_SECONDS)
        return result | {"problem": problem.dump()}
    if not f0.any():
        return result | {"problem": message("corpus.unvoiced", file=line.audio).dump()}
    audio_path, f0_path = paths(line, dest)
    for path in (audio_path, f0_path):
        path.parent.mkdir(parents=True, exist_ok=True)
    audio_files.write(audio_path, wave, audio.sample_rate)
    with atomic_path(f0_path) as temporary:
        np.save(temporary, f0)
    log_f0 = np.log(f0[f0 > 0])
    return result | {
        "samples": len(wave), "rate": audio.sample_rate, "frames": len(f0), "voiced": len(log_f0),
        "log_f0_sum": float(log_f0.sum()),
    }  # fmt: skip


def levelled_speech(path: Path, audio: AudioConfig) -> np.ndarray:
    """The speech of a recording at the model's sample rate and level, silence trimmed; never clipped."""
    recording = audio_files.read(path)
    wave = audio_files.resample(recording.mono, recording.sample_rate, audio.sample_rate)
    start, end = levels.speech_bounds(wave, audio.sample_rate, noise=recording.noise)
    wave = wave[start:end]
    gain = levels.gain_to(wave, audio.sample_rate, audio.loudness)
    return levels.fit_peak(wave * gain)[0].astype(np.float32)


def _hold_out(results: list[dict[str, Any]], share: float) -> None:
    """Move a share of the training texts, at least one and the same every time, to `valid`."""
    order = {
        result["text"]: int.from_bytes(hashlib.sha256(result["text"].encode()).digest()[:4], "big")
        for result in results
        if result["split"] == "train" and not result["problem"]
    }
    if len(order) < 2:
        return
    limit = max(share * 2**32, min(order.values()) + 1)
    for result in results:
        if result["split"] == "train" and order.get(result["text"], limit) < limit:
            result["split"] = "valid"


def _report(results: list[dict[str, Any]], licence: str, new: int) -> dict[str, Any]:
    speakers: dict[str, dict[str, Any]] = {}
    f0: dict[str, dict[str, np.ndarray]] = {}
    rejected = []
    for result in results:
        if result["problem"]:
            problem = Message.load(result["problem"])
            notice = {"problem": problem.say("en"), "message": problem.dump()}
            rejected.append({"id": result["id"], "speaker": result["speaker"], **notice})
            continue
        speaker, split = result["speaker"], result["split"]
        entry = speakers.setdefault(speaker, {"sex": result["sex"], "lines": {}, "seconds": {}})
        seconds = result["samples"] / result["rate"]
        entry["lines"][split] = entry["lines"].get(split, 0) + 1
        entry["seconds"][split] = entry["seconds"].get(split, 0.0) + seconds
        sums = np.array([result["voiced"], result["log_f0_sum"]])
        f0.setdefault(speaker, {}).setdefault(split, np.zeros(2))
        f0[speaker][split] += sums
    for speaker, entry in speakers.items():
        by_split = f0[speaker]  # a voice is its training lines, where it has some
        sums = by_split["train"] if "train" in by_split else np.sum([*by_split.values()], axis=0)
        count, total = map(float, sums)
        entry["log_f0_mean"] = total / count
        if entry["sex"] is None:  # the corpus does not say: judged by the geometric mean
            entry["sex"] = "female" if np.exp(entry["log_f0_mean"]) > _FEMALE_ABOVE else "male"
    return {"licence": licence, "speakers": speakers, "rejected": rejected, "new": new}


def _is_current(dest: Path, report: dict[str, Any]) -> bool:
    """Whether what lies in `dest` is what `report` describes; a manifest may have been deleted."""
    try:
        before = json.loads((dest / "report.json").read_text(encoding="utf-8"))
    except ValueError:
        return False
    files = ("speakers.json", *(f"cuts_{split}.jsonl.gz" for split in _SPLITS))
    return {**before, "new": 0} == {**report, "new": 0} and all(
        (dest / name).exists() for name in files
    )


def _write_manifests(results: list[dict[str, Any]], dest: Path) -> None:
    for split in _SPLITS:
        cuts = CutSet.from_cuts(
            _cut(r) for r in results if r["split"] == split and not r["problem"]
        ).to_eager()
        validate(cuts)
        path = dest / f"cuts_{split}.jsonl.gz"
        with atomic_path(path) as temporary:
            cuts.to_file(temporary)


def _cut(result: dict[str, Any]) -> MonoCut:
    """A line's manifest; its paths are relative to the prepared folder, which may be moved."""
    id, speaker, rate, samples = (result[key] for key in ("id", "speaker", "rate", "samples"))
    audio, f0 = _places(speaker, id)
    source = {"type": "file", "channels": [0], "source": audio}
    recording = Recording.from_dict(
        {
            "id": id, "sources": [source], "sampling_rate": rate, "num_samples": samples,
            "duration": samples / rate, "channel_ids": [0],
        }
    )  # fmt: skip
    supervision = SupervisionSegment(
        id, id, 0.0, recording.duration, 0, result["text"], "Korean", speaker,
        custom={"script": result["script"]},
    )  # fmt: skip
    cut = recording.to_cut()
    cut.id, cut.supervisions = id, [supervision]
    cut.f0 = Array("numpy_files", *f0.rsplit("/", 1), [result["frames"]])
    return cut


def _write_json(path: Path, content: dict[str, Any]) -> None:
    atomic_write(path, json.dumps(content, ensure_ascii=False, indent=1))
