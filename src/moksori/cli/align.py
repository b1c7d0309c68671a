"""`moksori align`: when each phone and word of a recording is said."""

import csv
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from moksori.cli import console
from moksori.cli.console import out, print_licence, progress
from moksori.cli.convert import warn_if_unsure
from moksori.cli.options import (
    ForceOption,
    LangOption,
    LexiconOption,
    ModelOption,
    SpellOption,
    check_output,
)
from moksori.errors import ConfigError, MoksoriError, OutputError, TextError
from moksori.files import read_text
from moksori.formulas import as_written, text_cells
from moksori.messages import message, say
from moksori.writing import atomic_path, atomic_write

if TYPE_CHECKING:
    from moksori.conversion.converter import Converter

_DIGEST = "textgrid_sha256"  # column of the report: as the TextGrid was written


def align(
    recording: Annotated[
        Path,
        typer.Argument(
            metavar="IN",
            help="A recording, or a folder of recordings each with its text in NAME.txt.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The .TextGrid, or a folder for a folder's.")
    ],
    text: Annotated[
        str | None,
        typer.Option(
            "--text",
            help="What is said in the recording, as the script has it; of a folder, it is in the .txt files.",
        ),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Also draw the alignment to this .png, .pdf or .svg.")
    ] = None,
    lexicon: LexiconOption = None,
    spell: SpellOption = False,
    model: ModelOption = None,
    force: ForceOption = False,
    lang: LangOption = None,
) -> None:
    """Find when each phone and word is said; write it as Praat's TextGrid.

    A folder's job resumes where it was when it is started again, and lists its measures and problems in
    alignments.csv.

    Example: moksori align line.wav --text "밥은 먹었어?" -o line.TextGrid --plot line.png
    """
    from moksori.conversion.converter import Converter

    if recording.is_dir():
        if text is not None or plot is not None:
            raise ConfigError.of("align.one_only")
        return _align_folder(
            recording, output, Converter.from_pretrained(model), lexicon, spell, force
        )
    if text is None:
        raise ConfigError.of("align.no_text")
    check_output(output, (".textgrid",), recording, force)
    if plot:
        check_output(plot, (".png", ".pdf", ".svg"), recording, force)
    converter = Converter.from_pretrained(model)
    print_licence(converter.card.licence)
    aligned = converter.align(recording, text, spell=spell, lexicon=lexicon)
    aligned.save(output)
    if plot:
        aligned.plot(plot)
    measures = aligned.alignment.measures()
    known = {name: value for name, value in measures._asdict().items() if value is not None}
    parts = [say(f"align.measure.{k}", console.language, value=v) for k, v in known.items()]
    out.print(f"{output}: {', '.join(parts)}", markup=False)
    warn_if_unsure(measures.confidence, recording)


def _align_folder(
    folder: Path,
    output: Path,
    converter: "Converter",
    lexicon: Path | None,
    spell: bool,
    force: bool,
) -> None:
    from moksori.signal.decoders import SUFFIXES, is_recording

    recordings = sorted(filter(is_recording, folder.iterdir()))
    if not recordings:
        raise ConfigError.of("audio.none_there", file=folder, kinds=", ".join(SUFFIXES))
    stems = [path.stem for path in recordings]
    if twice := [stem for stem in stems if stems.count(stem) > 1]:
        raise ConfigError.of("align.two_endings", folder=folder, name=twice[0])
    print_licence(converter.card.licence)
    output.mkdir(parents=True, exist_ok=True)
    from moksori.alignment.alignment import Measures
    from moksori.text.lexicon import load_lexicon

    load_lexicon(lexicon)
    report = output / "alignments.csv"
    earlier = _rows_of(report) if report.exists() else {}
    asked = _asked(output, converter.card.sha256, spell, lexicon)
    done = set[str]() if force else _finished(earlier, folder, output, asked)
    problems, made = [], {name: rows[-1] for name, rows in earlier.items()}
    columns = ("file", *Measures._fields, "problem", _DIGEST)
    if not report.exists():
        _write_rows(report, columns, [])
    with report.open("a", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, columns)
        waiting = [path for path in recordings if path.name not in done]
        for path in progress(say("bar.aligning", console.language))(waiting, len(waiting)):
            row: dict[str, Any] = {"file": path.name, "problem": ""}
            grid = output / f"{path.stem}.TextGrid"
            ours = _is_ours(grid, earlier.get(path.name, []))
            try:
                if grid.exists() and not (ours or force):
                    raise OutputError.of("output.exists", path=grid)
                aligned = converter.align(path, _text_of(path), spell=spell, lexicon=lexicon)
                measures = aligned.alignment.measures()._asdict()
                row |= {k: format(v, ".4g") for k, v in measures.items() if v is not None}
                with atomic_path(grid) as temporary:
                    aligned.save(temporary)
                    row[_DIGEST] = _digest(temporary)
                    rows.writerow(text_cells(row))
                    file.flush()  # before the TextGrid: one without a row is not ours
            except MoksoriError as error:  # one bad line must not end the job for all others
                row |= {"problem": error.say(console.language), _DIGEST: ""}
                if ours:  # aligned with another text, or by other options
                    grid.unlink()
                    row["problem"] += say("align.removed", console.language, file=grid.name)
                problems.append(row)
                rows.writerow(text_cells(row))
                file.flush()
            made[path.name] = row
    _write_rows(report, columns, [made[path.name] for path in recordings])
    notice = say(
        "align.done", console.language, aligned=len(recordings) - len(problems),
        number=len(recordings), now=len(waiting), report=report,
    )  # fmt: skip
    out.print(notice, markup=False)
    for row in problems:
        out.print(f"  {row['file']}: {row['problem']}", markup=False)
    if problems:
        raise ConfigError.of("align.failed", failed=len(problems), number=len(recordings))


def _asked(output: Path, model: str, spell: bool, lexicon: Path | None) -> Path:
    """A file that is as old as the options of now: what was aligned before it was aligned with others."""
    path = output / ".options.json"
    own = hashlib.sha256(lexicon.read_bytes()).hexdigest() if lexicon else ""
    content = json.dumps({"model": model, "spell": spell, "lexicon": own})
    if not path.exists() or path.read_text(encoding="utf-8") != content:
        atomic_write(path, content)
    return path


def _digest(grid: Path) -> str:
    return hashlib.sha256(grid.read_bytes()).hexdigest()


def _is_ours(grid: Path, rows: Sequence[dict[str, Any]]) -> bool:
    """Whether a TextGrid is as one of a recording's rows left it, and not corrected by hand since."""
    if not grid.exists():
        return False
    # Reports of older versions hold no digest.
    written = {row.get(_DIGEST) for row in rows if not row["problem"]}
    return None in written or _digest(grid) in written


def _write_rows(report: Path, columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    with atomic_path(report) as path, path.open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.DictWriter(file, columns)
        table.writeheader()
        table.writerows(map(text_cells, rows))


def _finished(
    earlier: Mapping[str, Sequence[dict[str, Any]]], folder: Path, output: Path, asked: Path
) -> set[str]:
    """Names whose last rows still hold: no problem, and the TextGrid newer than what it is of."""

    def holds(name: str) -> bool:
        recording = folder / name
        grid = output / f"{recording.stem}.TextGrid"
        made_of = [p for p in (recording, recording.with_suffix(".txt"), asked) if p.exists()]
        return grid.exists() and all(
            p.stat().st_mtime_ns <= grid.stat().st_mtime_ns for p in made_of
        )

    return {name for name, rows in earlier.items() if not rows[-1]["problem"] and holds(name)}


def _rows_of(report: Path) -> dict[str, list[dict[str, Any]]]:
    """Of each recording its rows, the last one last: a run that was cut leaves several."""
    found: dict[str, list[dict[str, Any]]] = {}
    with report.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            name = as_written(row["file"])
            found.setdefault(name, []).append(row | {"file": name})
    return found


def _text_of(recording: Path) -> str:
    path = recording.with_suffix(".txt")
    if not path.exists():
        raise TextError(message("align.no_file", file=path), "")
    return read_text(path, lambda message: TextError(message, ""))
