"""The command line. Each command only reads its arguments, calls the library and prints."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from os import W_OK, access
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from moksori.errors import ConfigError, MoksoriError, OutputError, TextError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Korean, script-guided voice conversion: a recorded line and its text in, the same acting "
    "in another voice out.",
)
prepare_app = typer.Typer(
    no_args_is_help=True, help="Bring a corpus into the form that training reads."
)
train_app = typer.Typer(no_args_is_help=True, help="Train a model; the same command resumes it.")
app.add_typer(prepare_app, name="prepare")
app.add_typer(train_app, name="train")

_out, _err = (
    Console(soft_wrap=True, highlight=False),
    Console(stderr=True, soft_wrap=True, highlight=False),
)

ModelOption = Annotated[
    Path | None,
    typer.Option(
        "--model", help="Folder of a trained model, such as RUN/model; the bundled one by default."
    ),
]


@app.command()
def convert(
    recording: Annotated[
        Path, typer.Argument(metavar="IN.wav", help="The recording: WAV, FLAC, … of any rate.")
    ],
    text: Annotated[str, typer.Option("--text", help="What is said in it, as the script has it.")],
    voice: Annotated[
        str, typer.Option("--voice", help="Target voice; `moksori voices` lists them.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The new recording, .wav or .flac.")
    ],
    plot: Annotated[
        Path | None,
        typer.Option(help="Also draw source, alignment and result to this .png, .pdf or .svg."),
    ] = None,
    model: ModelOption = None,
    max_seconds: Annotated[float, typer.Option(help="Refuse recordings longer than this.")] = 30.0,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")] = False,
) -> None:
    """Speak a recorded line in another voice.

    The result has the recording's rate, sample format and exact length, and its timing and melody.

    Example: moksori convert line.wav --text "밥은 먹었어?" --voice lmy -o out.wav --plot out.png
    """
    for path, kinds in ((output, (".wav", ".flac")), (plot, (".png", ".pdf", ".svg"))):
        if path is not None:
            _check_output(path, kinds, recording, force)
    from moksori.converter import SURE, Converter

    converter = Converter.from_pretrained(model)
    _print_licence(converter.card.licence)
    result = converter.convert(recording, text, voice, max_seconds)
    if plot:
        result.plot(plot)
    written = result.save(output)
    confidence = result.alignment.confidence
    notes = (
        f"; level lowered by {result.lowered:.1f} dB so as not to clip" if result.lowered else ""
    )
    if written != result.subtype:
        notes += f"; written as {written}, since {result.subtype} cannot be kept in {output.suffix}"
    if result.samples.shape[1] > 1:
        notes += f"; the mix is on all {result.samples.shape[1]} channels"
    _out.print(
        f"{output}: {len(result.samples) / result.rate:.2f} s at {result.rate} Hz in voice {voice}, "
        f"alignment confidence {confidence:.2f}{notes}",
        markup=False,
    )
    if confidence < SURE:
        _err.print(
            f"warning: confidence below {SURE:g}: check that the text is what is said in {recording}",
            style="yellow", markup=False,
        )  # fmt: skip


@app.command()
def voices(model: ModelOption = None) -> None:
    """List the voices: name, sex, minutes of training speech, licence."""
    from moksori.checkpoint import load_card
    from moksori.converter import BUNDLED

    card = load_card(model or BUNDLED / "emotiontts")
    table = Table("voice", "sex", "minutes", "licence")
    for voice in card.voices:
        table.add_row(voice.name, voice.sex, f"{voice.minutes:.1f}", voice.licence)
    _out.print(table)


@app.command()
def text(
    line: Annotated[
        str | None, typer.Argument(help="A line; or leave it out and give --file.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            help="A text file (UTF-8), one line of the script a row; - for standard input."
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Print only the lines that a person should look at.")
    ] = False,
    spell: Annotated[
        bool, typer.Option("--spell", help="Read unknown English words letter by letter.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show how lines are read: plain Hangul, pronunciation, phones, directions, readings in doubt.

    Example: moksori text "(웃음) 3시에 TV 보자~" — or a whole script: moksori text --file lines.txt --check
    """
    if (line is None) == (file is None):
        raise ConfigError("give either a line or --file")
    rows = [line or ""] if file is None else _read_rows(file)
    faults = 0
    for number, row in enumerate(rows, 1):
        if row.strip():
            faults += not _print_reading(row, number, check, spell, as_json)
    if faults:
        raise TextError(f"{faults} of {len(rows)} lines cannot be read; each is told above", "")


@prepare_app.command("emotiontts")
def prepare_emotiontts(
    source: Annotated[
        Path, typer.Argument(help="The corpus in its original layout; never changed.")
    ],
    dest: Annotated[Path, typer.Argument(help="Folder of the prepared corpus; made if missing.")],
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Worker processes; all cores by default.")
    ] = None,
) -> None:
    """Prepare the "Emotion TTS open DB" (KAIST, SELVAS AI).

    Resamples, trims, levels, finds F0, and writes Lhotse manifests with a report. Killed, it goes on
    where it was; run twice, it does nothing the second time.
    """
    with _training_extra():
        from moksori.corpus import emotiontts
        from moksori.corpus.prepare import prepare
    lines = emotiontts.read(source)
    report = prepare(lines, dest, emotiontts.LICENCE, jobs=jobs, progress=_progress("preparing"))
    _print_report(report, dest)


@train_app.command("conversion")
def train_conversion(
    config: Annotated[Path, typer.Argument(help="TOML, such as configs/conversion.toml.")],
    data: Annotated[Path, typer.Argument(help="Corpus made by `moksori prepare`.")],
    run: Annotated[Path, typer.Argument(help="Folder of this run; name it again to resume.")],
) -> None:
    """Train the conversion model, on the CPU or on the GPUs that are there.

    Several GPUs: torchrun --nproc-per-node 4 -m moksori train conversion CONFIG DATA RUN.
    Watch it with: tensorboard --logdir RUN. The best model so far is RUN/model.

    Example: moksori train conversion configs/conversion.toml data/emotiontts runs/mine
    """
    with _training_extra():
        from moksori.config import load_config
        from moksori.training.conversion import train_conversion
    folder = train_conversion(load_config(config), data, run)
    _out.print(f"done; try it with: moksori convert … --model {folder}", markup=False)


def main() -> None:
    """Run the command line; errors a user can mend become one line and exit code 2."""
    try:
        app()
    except (MoksoriError, OSError) as error:
        text = str(error)
        if isinstance(error, OSError) and error.filename:
            text = f"{error.filename}: {error.strerror}"
        _err.print(f"error: {' '.join(text.split())}", style="red", markup=False)
        sys.exit(2)


def _check_output(path: Path, kinds: tuple[str, ...], recording: Path, force: bool) -> None:
    if path.suffix.lower() not in kinds:
        raise OutputError(f"{path}: use a name ending in {' or '.join(kinds)}")
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; name a file")
    if not path.parent.is_dir():
        raise OutputError(f"{path.parent}: no such folder; make it first")
    if path.exists() and recording.exists() and path.samefile(recording):
        raise OutputError(f"{path}: is the recording itself; name another file")
    if path.exists() and not force:
        raise OutputError(f"{path}: exists; name another file, or overwrite it with --force")
    if not access(path.parent, W_OK):
        raise OutputError(f"{path.parent}: not writable; choose another folder")


def _read_rows(file: Path) -> list[str]:
    if str(file) == "-":
        return sys.stdin.read().splitlines()
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: not UTF-8; save it as UTF-8") from None


def _print_reading(row: str, number: int, check: bool, spell: bool, as_json: bool) -> bool:
    """Print one line's reading; whether it could be read."""
    from moksori.text import read

    try:
        reading = read(row, spell)
    except TextError as error:
        if as_json:
            _out.print_json(
                json.dumps({"row": number, "original": row, "error": str(error)}), indent=None
            )
        else:
            _out.print(f"{number}: {row}\n  error: {' '.join(str(error).split())}", markup=False)
        return False
    if check and not reading.doubts:
        return True
    if as_json:
        _out.print_json(json.dumps({"row": number, **reading.to_dict()}), indent=None)
        return True
    _out.print(f"{number}: {row}", markup=False)
    for name, value in (
        ("read", reading.normalized),
        ("spoken", reading.pronounced),
        ("phones", " ".join(reading.phones)),
        *(("event", f"{e.kind} “{e.text}” at character {e.offset + 1}") for e in reading.events),
        *(("check", f"“{d.text}” → {d.reading}: {d.reason}") for d in reading.doubts),
    ):
        _out.print(f"  {name:<7}{value}", markup=False)
    return True


def _print_licence(licence: str) -> None:
    _err.print(f"licence of the model: {licence}", style="dim", markup=False)


def _progress(title: str) -> Callable[[Iterable, int], Iterable]:
    def wrap(steps: Iterable, total: int) -> Iterable:
        return track(steps, title, total=total, console=_err, disable=total == 0)

    return wrap


@contextmanager
def _training_extra() -> Iterator[None]:
    """Turn a missing training library into the command that installs it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("moksori"):
            raise
        raise ConfigError(
            f"{error.name} is not installed; run: pip install 'moksori[train]'"
        ) from None


def _print_report(report: dict, dest: Path) -> None:
    table = Table(
        "speaker", "sex", *(f"{s} lines" for s in _SPLITS), *(f"{s} min" for s in _SPLITS)
    )
    totals = [0.0] * 2 * len(_SPLITS)
    for name, entry in sorted(report["speakers"].items()):
        lines = [entry["lines"].get(split, 0) for split in _SPLITS]
        minutes = [entry["seconds"].get(split, 0.0) / 60 for split in _SPLITS]
        totals = [a + b for a, b in zip(totals, lines + minutes, strict=True)]
        table.add_row(name, entry["sex"], *map(str, lines), *(f"{m:.1f}" for m in minutes))
    table.add_section()
    table.add_row("all", "", *(f"{t:.0f}" for t in totals[:3]), *(f"{t:.1f}" for t in totals[3:]))
    _out.print(table)
    hours = sum(totals[len(_SPLITS) :]) / 60
    _out.print(
        f"{hours:.2f} hours in {dest}; {report['new']} lines worked on now, the others as they were",
        markup=False,
    )
    _out.print(f"{len(report['rejected'])} lines rejected")
    for line in report["rejected"]:
        _out.print(f"  {line['speaker']}/{line['id']}: {line['problem']}", markup=False)


_SPLITS = ("train", "valid", "test")

if __name__ == "__main__":
    main()
