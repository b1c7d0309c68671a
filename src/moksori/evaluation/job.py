"""Judge every line that is asked for: one row a conversion, beside its recording and the vocoder's copy.

OUT/results.csv        a row a line, written as it is done: killed, the same command resumes
OUT/audio/*.flac       the converted lines
OUT/run.json           which model, vocoder, ASR and real voices; a folder holds one evaluation
"""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from moksori.conversion.converter import Converter
from moksori.corpus.place import visible
from moksori.errors import MoksoriError, OutputError
from moksori.evaluation.judge import Row
from moksori.evaluation.lines import EvaluationLine, RealVoice
from moksori.files import read_text
from moksori.formulas import as_written, text_cells
from moksori.messages import Lang
from moksori.metrics.models import WhisperASR
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
