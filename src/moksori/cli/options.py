"""Options that several commands share, each declared once."""

from os import W_OK, access
from pathlib import Path
from typing import Annotated, Literal

import typer

from moksori.cli import console
from moksori.errors import OutputError
from moksori.messages import Lang

ModelOption = Annotated[
    Path | None,
    typer.Option(
        "--model", help="Folder of a trained model, such as RUN/model; the bundled one by default."
    ),
]
PacksOption = Annotated[
    Path | None,
    typer.Option(
        "--packs",
        envvar="MOKSORI_PACKS",
        help="Folder of the voices that `moksori enroll` made; one in your home folder by default.",
    ),
]
VocoderOption = Annotated[
    str,
    typer.Option(
        "--vocoder",
        metavar="wide|clean|fast|FOLDER",
        help="What makes the wave: wide, to 20 kHz; clean, also to 20 kHz, trained on free recordings only, "
        "for any use; fast, to 11 kHz; or a folder of your own, RUN/model of `moksori train vocoder`.",
    ),
]
FloorOption = Annotated[
    Literal["room", "silence"],
    typer.Option(
        "--floor",
        help="What is heard in pauses and around the speech: the take's own room tone, or digital silence.",
    ),
]
TrebleOption = Annotated[
    Literal["take", "predict", "off"],
    typer.Option(
        "--treble",
        help="Sound above 8 kHz: take, as strong as in the take, band by band (predicted where the take has "
        "none); predict, always as predicted; off, none.",
    ),
]
DeviceOption = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="cpu|cuda|cuda:N",
        help="Where model and vocoder work: the processor, or an NVIDIA graphics card.",
    ),
]
LexiconOption = Annotated[
    Path | None,
    typer.Option(
        "--lexicon", metavar="SHOW.tsv",
        help="The show's own readings (names, coinages): a .tsv or .csv of word and reading.",
    ),
]  # fmt: skip
SpellOption = Annotated[
    bool,
    typer.Option(
        "--spell/--no-spell",
        help="Read English words that are in no dictionary letter by letter, instead of refusing them.",
    ),
]
ScriptArgument = typer.Argument(
    help="The script: a table (.xlsx, .xls, .ods, .csv, .tsv), a document (.docx, .hwpx) or "
    "subtitles (.srt, .ass, .vtt, .smi)."
)
FpsOption = Annotated[
    str | None,
    typer.Option(
        "--fps",
        help="Frames a second of the time codes: 23.976, 24, 25, 29.97, 29.97df, 30, 50, 59.94, 59.94df, 60. "
        "Needed where the script counts frames (01:00:10:12); 29.97df otherwise.",
    ),
]
EpisodeOption = Annotated[
    str | None,
    typer.Option(
        help="Only this episode, of a script with several: the name of its sheet, or what the column 화 has."
    ),
]
ColumnsOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY=HEADER",
        help="Which column of the script's table is what, where that is not clear: --columns character=역할 "
        "--columns line=최종, or by its letter, line=D; =- for none. Keys, also in Korean: no, start, end, "
        "character, actor, line, directions, file, episode, scene, note. none: forget what was said before.",
    ),
]
HiddenOption = Annotated[
    bool,
    typer.Option(
        "--hidden/--no-hidden", help="Also read hidden rows, and a hidden column of lines."
    ),
]
DestArgument = Annotated[
    Path,
    typer.Argument(
        help="Folder that the prepared corpus is written to; made if missing, resumed if there."
    ),
]
JobsOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="How many recordings are worked on at a time; as many as there are cores by default.",
    ),
]
LicenceOption = Annotated[
    str,
    typer.Option(
        "--licence",
        help="Licence of the recordings, in words; it goes with every model that is made of them.",
    ),
]
CommercialOption = Annotated[
    bool | None,
    typer.Option(
        "--commercial/--no-commercial",
        help="Whether the recordings may be used commercially; goes with every model that is made of them. "
        "If neither is given, well-known licences are judged by name; any other is “see the licence”.",
    ),
]
ConsentsOption = Annotated[
    Path | None,
    typer.Option(
        "--consents",
        metavar="CONSENTS.toml",
        help="The consents of all speakers, like examples/consents.toml; they go with every model that is "
        "made of the recordings, and its voices are refused where they end.",
    ),
]
RecogniserOption = Annotated[
    str | None,
    typer.Option(
        "--recogniser",
        metavar="bundled|off|FOLDER",
        help="Recogniser for sounds without words and slips: by default the model's own in MODEL/recogniser, "
        "else the bundled one, which is not for commercial use; off leaves such sounds as recorded.",
    ),
]
PurposeOption = Annotated[
    Literal["commercial", "preview", "research"] | None,
    typer.Option(
        "--purpose",
        help="What the conversions are for, which the consents must allow. With commercial nothing begins "
        "where a licence forbids commercial use.",
    ),
]
TitleOption = Annotated[
    str | None,
    typer.Option("--title", help="Title of the show, for voices whose consent names shows."),
]
C2paOption = Annotated[
    bool,
    typer.Option(
        "--c2pa/--no-c2pa",
        help="Sign each WAV with C2PA, so that later edits show (extra provenance): with the certificate in "
        "MOKSORI_CERTIFICATE, or one that is made on first use.",
    ),
]
WatermarkOption = Annotated[
    bool,
    typer.Option(
        "--watermark/--no-watermark",
        help="Put a faint watermark into converted sound; `moksori verify` finds it, even after MP3 and "
        "under other sounds. See docs/provenance.md.",
    ),
]
RunArgument = Annotated[
    Path,
    typer.Argument(
        help="Folder of this run: checkpoints, TensorBoard's events and RUN/model; name it again to resume."
    ),
]
CotatronOption = Annotated[
    Path | None,
    typer.Option(
        metavar="MODEL",
        help="A Cotatron to build on, frozen unless the config says otherwise; without one, text "
        "encoder and aligner are trained with the rest.",
    ),
]
StartOption = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="MODEL",
        help="What a new run begins with: a conversion model's text encoder and aligner, or a Cotatron.",
    ),
]
DevRunOption = Annotated[
    bool,
    typer.Option(
        "--fast-dev-run",
        help="Only see that one step of each kind works, before a long run; keeps nothing.",
    ),
]
ForceOption = Annotated[
    bool,
    typer.Option(
        "--force", help="Replace what has that name already; without it, that is an error."
    ),
]


def _spoken(lang: Lang | None) -> Lang:
    """The language that was asked for, or the system's; all is said in it from now on."""
    console.set_language(lang or console.system_language())
    return console.language


LangOption = Annotated[
    Literal["ko", "en"] | None,
    typer.Option(
        "--lang",
        envvar="MOKSORI_LANG",
        callback=_spoken,
        help="Language of messages, ko or en: by default the system's, but Korean for jobs and listening "
        "tests, and for the files they write.",
    ),
]
JobArgument = Annotated[
    Path, typer.Argument(metavar="JOB", help="The job's folder, as `moksori dub -o` made it.")
]
DataArgument = Annotated[
    Path, typer.Argument(help="The prepared corpus: DEST of `moksori prepare`.")
]


def is_given(context: typer.Context, name: str) -> bool:
    """Whether an option was named, on the command line or by its variable."""
    source = context.get_parameter_source(name)
    return source is not None and source.name in ("COMMANDLINE", "ENVIRONMENT")


def left_out(names: list[str] | None) -> tuple[str, ...]:
    """The deliverables that `--without` names; none, also of those that were left out before, by `none`."""
    return () if names is None or names == ["none"] else tuple(names)


def check_output(path: Path, kinds: tuple[str, ...], recording: Path, force: bool) -> None:
    """See that a file can be written.

    Raises:
        OutputError: another ending, no such folder, the recording itself, or a file that is there.
    """
    if path.suffix.lower() not in kinds:
        raise OutputError.of("output.ending", path=path, kinds=", ".join(kinds))
    if path.is_dir():
        raise OutputError.of("file.folder", file=path)
    if not path.parent.is_dir():
        raise OutputError.of("output.no_folder", path=path.parent)
    if path.exists() and recording.exists() and path.samefile(recording):
        raise OutputError.of("output.recording", path=path)
    if path.exists() and not force:
        raise OutputError.of("output.exists", path=path)
    if not access(path.parent, W_OK):
        raise OutputError.of("output.forbidden", path=path.parent)


RetryFailedOption = Annotated[
    bool, typer.Option("--retry-failed", help="Try again what failed, though nothing has changed.")
]
SkipFaultyOption = Annotated[
    bool,
    typer.Option("--skip-faulty", help="Continue without the lines that the check finds faulty."),
]
EngineOption = Annotated[
    Literal["local", "ray"],
    typer.Option(help="Where lines are converted: on this machine, or on a Ray cluster."),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(min=1, help="How many lines at a time; by default as many as there are cores."),
]
