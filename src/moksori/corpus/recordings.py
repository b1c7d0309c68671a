"""Recordings without transcripts, at a vocoder's rate: what a vocoder learns from.

list of files ── read, resample, trim, level ── DEST/audio/<set>/<id>.flac, at any of several speeds
                                   └─ F0, band ── DEST/f0/<set>/<id>.npy, DEST/recordings.jsonl
A speed other than 1 is a resampling: pitch and formants move together, so that women's voices give men's too.
journal.jsonl remembers each recording, so that a killed job resumes where it was.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from moksori.config import AudioConfig, Hertz, Seconds
from moksori.corpus.place import JOURNAL, check_place, sweep
from moksori.corpus.workers import workers
from moksori.errors import CorpusError, MoksoriError
from moksori.files import read_csv, safe_name
from moksori.messages import Message, joined, message
from moksori.signal import audio as audio_files
from moksori.signal import levels, pitch
from moksori.signal.band import real_band
from moksori.stepwise import ShowSteps, unshown
from moksori.writing import alone_in, atomic_path, atomic_write

MAX_SECONDS: Seconds = 30.0
_MIN_SECONDS: Seconds = 0.75
_VALID_SHARE = 0.03
_VERSION = 2  # of what this file does to a recording; raise it and all are made again


@dataclass(frozen=True, kw_only=True)
class PreparedRecording:
    """One row of `recordings.jsonl`.

    Attributes:
        id: unique in its set; also the name of its files below `audio` and `f0`.
        set: the recordings belong to.
        split: `train`, `valid` or `test`.
        speed: that it was resampled by; 1 as recorded.
        samples: of the prepared audio.
        band: highest frequency that it holds, Hz.
        voiced: voiced frames.
        problem: why it is not used, for `Message.load`; empty if it is.
        fingerprint: of the file and the settings.
    """

    id: str
    set: str
    split: str
    speed: float
    samples: int = 0
    band: Hertz = 0.0
    voiced: int = 0
    problem: str = ""
    fingerprint: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What no other recording has."""
        return self.set, self.id


@dataclass(frozen=True)
class _Source:
    path: Path
    prepared: PreparedRecording


def read_lists(
    lists: Sequence[Path], licences: Mapping[str, str], speeds: Sequence[float]
) -> list[_Source]:
    """The recordings that lists name, of the sets that have a licence.

    Args:
        lists: .csv files with the columns file, set and split; files are relative to their list.
        licences: by set; other sets are left out.
        speeds: beside 1; each training recording is also made at one of them.

    Raises:
        CorpusError: a list without these columns, another split, a set that no list has, a file that is
            not there; all recordings that would have one name.
    """
    found: list[_Source] = []
    there: dict[tuple[str, str], tuple[Path, Message]] = {}
    alike = []
    for path in lists:
        rows = read_csv(path, CorpusError)
        if not {"file", "set", "split"} <= {*(rows.fieldnames or ())}:
            raise CorpusError.of("corpus.list_columns", file=path)
        for row in rows:
            if row["set"] not in licences:
                continue
            audio = path.parent / (row["file"] or "")
            if not audio.is_file():
                raise CorpusError.of(
                    "corpus.list_no_file", file=path, row=rows.line_num, name=row["file"] or ""
                )
            if row["split"] not in ("train", "test"):
                raise CorpusError.of(
                    "corpus.split", file=path, row=rows.line_num, split=row["split"] or ""
                )
            name = Path(row["file"]).with_suffix("").as_posix().replace("/", "_")
            own = PreparedRecording(id=name, set=row["set"], split=row["split"], speed=1.0)
            place = message("file.row", file=path, row=rows.line_num)
            if own.key in there:
                other, first = there[own.key]
                alike.append(
                    message(
                        "corpus.same_name", file=path, row=rows.line_num, name=row["file"],
                        other=other, place=first,
                    )
                )  # fmt: skip
            there.setdefault(own.key, (audio, place))
            found.append(_Source(audio, own))
    if alike:
        raise CorpusError(joined(alike))
    for name in licences:
        if not any(source.prepared.set == name for source in found):
            raise CorpusError.of("corpus.no_set", files=", ".join(map(str, lists)), name=name)
    return [own for source in found for own in _at_speeds(source, speeds)]


def _at_speeds(source: _Source, speeds: Sequence[float]) -> Iterator[_Source]:
    """A recording as it is and, of the training split, at one of `speeds`."""
    yield source
    own = source.prepared
    if own.split == "train" and speeds:
        speed = speeds[_number(own.id) % len(speeds)]
        yield _Source(source.path, replace(own, id=f"{own.id}_x{speed:g}", speed=speed))


def _hold_out(
    sources: Sequence[_Source], rows: Sequence[PreparedRecording]
) -> list[PreparedRecording]:
    """The rows, a share of the usable training recordings, at least one and the same every time, as `valid`.

    Those are not learnt at another speed either.
    """
    keys = [(source.prepared.set, source.path) for source in sources]
    own = dict(zip(reversed(keys), reversed(rows), strict=True))  # as recorded: the first of a file
    order = {
        key: _number(row.id) for key, row in own.items() if row.split == "train" and not row.problem
    }
    limit = max(_VALID_SHARE * 2**32, min(order.values(), default=0) + 1)
    held = {key for key, number in order.items() if number < limit and len(order) > 1}
    return [
        replace(row, split="valid") if key in held else row
        for key, row in zip(keys, rows, strict=True)
        if key not in held or row is own[key]
    ]


def _number(name: str) -> int:
    """Below 2³², always the same for a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")


def prepare_recordings(
    sources: Sequence[_Source],
    dest: Path,
    licences: Mapping[str, str],
    *,
    sample_rate: int,
    audio: AudioConfig = AudioConfig(),
    jobs: int | None = None,
    progress: ShowSteps = unshown,
) -> list[PreparedRecording]:
    """Prepare recordings into `dest`; those already there and unchanged are not touched again.

    Args:
        sources: as `read_lists` gives.
        dest: made if missing.
        licences: by set; go with every vocoder trained on them.
        sample_rate: of the prepared audio, Hz.
        audio: of the mel's frames; its rate is the one that F0 is tracked at.
        jobs: worker processes; as many as there are cores by default.
        progress: wraps the iteration over new recordings and is given their number.

    Returns:
        A row a recording, those with a problem too; also written to `recordings.jsonl`.

    Raises:
        CorpusError: as `check_place`.
        OutputError: as `alone_in`.
    """
    check_place(dest, [source.path for source in sources], "recordings")
    with alone_in(dest):
        sweep(dest)
        journal = dest / JOURNAL
        earlier = read_rows(journal) if journal.exists() else []
        known = {row.key: row for row in earlier}
        wanted = [
            _Source(s.path, replace(s.prepared, fingerprint=_fingerprint(s, sample_rate, audio)))
            for s in sources
        ]
        todo = [s for s in wanted if not _is_done(known.get(s.prepared.key), s.prepared, dest)]
        with journal.open("a", encoding="utf-8") as file, workers(jobs) as pool:
            settings = [dest] * len(todo), [sample_rate] * len(todo), [audio] * len(todo)
            for row in progress(pool.map(_prepare, todo, *settings, chunksize=4), len(todo)):
                file.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")
                file.flush()
                known[row.key] = row
        rows = [replace(known[s.prepared.key], split=s.prepared.split) for s in wanted]
        rows = _hold_out(wanted, rows)
        content = "".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows)
        atomic_write(dest / "recordings.jsonl", content)
        about = {
            "licences": dict(licences),
            "sample_rate": sample_rate,
            "audio": audio.model_dump(),
        }
        atomic_write(dest / "recordings.json", json.dumps(about, ensure_ascii=False, indent=1))
        return rows


def read_rows(path: Path) -> list[PreparedRecording]:
    """Rows of a journal or manifest; a last line that a kill cut is left out.

    Raises:
        CorpusError: a row that is none.
    """
    rows = path.read_bytes().rpartition(b"\n")[0].split(b"\n")
    return [_row(row, path, number) for number, row in enumerate(rows, 1) if row]


def _row(row: bytes, path: Path, number: int) -> PreparedRecording:
    try:
        return PreparedRecording(**json.loads(row))
    except (ValueError, TypeError):
        raise CorpusError.of("corpus.damaged_row", file=path, row=number) from None


def _fingerprint(source: _Source, sample_rate: int, audio: AudioConfig) -> str:
    stat = source.path.stat()
    p = source.prepared
    state = [
        _VERSION,
        sample_rate,
        audio.model_dump(),
        p.set,
        p.speed,
        stat.st_size,
        stat.st_mtime_ns,
    ]
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()[:16]


def paths(row: PreparedRecording, dest: Path) -> tuple[Path, Path]:
    """Files of the audio and of the F0 of a prepared recording."""
    home, name = safe_name(row.set), Path(row.id).name  # names are never paths
    return dest / "audio" / home / f"{name}.flac", dest / "f0" / home / f"{name}.npy"


def _is_done(row: PreparedRecording | None, wanted: PreparedRecording, dest: Path) -> bool:
    if row is None or row.fingerprint != wanted.fingerprint:
        return False
    return bool(row.problem) or all(path.exists() for path in paths(row, dest))


def _prepare(
    source: _Source, dest: Path, sample_rate: int, audio: AudioConfig
) -> PreparedRecording:
    """One recording's work, in a worker process."""
    row = source.prepared
    try:
        recording = audio_files.read(source.path)
    except MoksoriError as error:
        return replace(row, problem=error.message.dump())
    wave = recording.mono[: round(MAX_SECONDS * recording.sample_rate)]
    band = min(real_band(wave, recording.sample_rate) * row.speed, sample_rate / 2)
    # Played at `speed` times the pace: the same samples, said to be of another rate.
    wave = audio_files.resample(wave, round(recording.sample_rate * row.speed), sample_rate)
    narrow = audio_files.resample(wave, sample_rate, audio.sample_rate)
    try:
        start, end = levels.speech_bounds(narrow, audio.sample_rate, noise=recording.noise)
        gain = levels.gain_to(narrow[start:end], audio.sample_rate, audio.loudness)
    except MoksoriError as error:
        return replace(row, problem=error.message.dump())
    factor = sample_rate / audio.sample_rate
    wave = levels.fit_peak(wave[round(start * factor) : round(end * factor)] * gain)[0]
    if len(wave) < _MIN_SECONDS * sample_rate:
        length, limits = len(wave) / sample_rate, {"least": _MIN_SECONDS, "most": MAX_SECONDS}
        short = message("corpus.too_short", file=source.path, length=length, **limits)
        return replace(row, problem=short.dump())
    f0 = pitch.f0(
        audio_files.resample(wave, sample_rate, audio.sample_rate).astype(np.float32), audio
    )
    for path in paths(row, dest):
        path.parent.mkdir(parents=True, exist_ok=True)
    audio_path, f0_path = paths(row, dest)
    audio_files.write(audio_path, wave.astype(np.float32), sample_rate)
    with atomic_path(f0_path) as temporary:
        np.save(temporary, f0)
    return replace(row, samples=len(wave), band=round(band, 1), voiced=int((f0 > 0).sum()))
