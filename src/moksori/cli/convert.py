"""`moksori convert` and `moksori voices`."""

from os import W_OK, access
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from moksori.cli.console import err, out, progress
from moksori.cli.text import LexiconOption, SpellOption
from moksori.errors import AudioError, CheckpointError, OutputError
from moksori.weights import DEFAULT_VOCODER, MODEL

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
        help="Folder of enrolled voices; one in your home folder by default.",
    ),
]
VocoderOption = Annotated[
    str,
    typer.Option(
        "--vocoder",
        metavar="wide|clean|fast|FOLDER",
        help="What makes the wave; see docs/figures.md.",
    ),
]


FloorOption = Annotated[
    Literal["room", "silence"],
    typer.Option(
        "--floor",
        help="What lies in pauses and around the speech: the take's own room tone, or digital silence.",
    ),
]
TrebleOption = Annotated[
    Literal["take", "predict", "off"],
    typer.Option(
        "--treble",
        help="What sounds above 8 kHz: as strong as in the take, band by band; as predicted, which it also "
        "is where the take holds none; or nothing.",
    ),
]


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
    pitch: Annotated[
        float, typer.Option(help="Semitones above (or, negative, below) the voice's own register.")
    ] = 0.0,
    effort: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=1.5,
            help="How much of the actor's vocal effort is kept: 1 as acted, 0 none, 1.5 exaggerated. It is "
            "told against his other lines (--actor).",
        ),
    ] = 1.0,
    actor: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE|FOLDER",
            help="Other recordings of the same actor, so that a line said higher or with more effort than "
            "he usually does stays so; several times for several. Without it, this line is his usual.",
        ),
    ] = None,
    model: ModelOption = None,
    vocoder: VocoderOption = DEFAULT_VOCODER,
    packs: PacksOption = None,
    floor: FloorOption = "room",
    treble: TrebleOption = "take",
    lexicon: LexiconOption = None,
    spell: SpellOption = False,
    max_seconds: Annotated[float, typer.Option(help="Refuse recordings longer than this.")] = 30.0,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")] = False,
) -> None:
    """Convert a recorded line to another voice.

    The result has the recording's rate, sample format and exact length, and its timing and melody.

    Example: moksori convert line.wav --text "밥은 먹었어?" --voice lmy -o out.wav --plot out.png
    """
    for path, kinds in ((output, (".wav", ".flac")), (plot, (".png", ".pdf", ".svg"))):
        if path is not None:
            check_output(path, kinds, recording, force)
    from moksori.conversion.converter import MIN_CONFIDENCE, Converter

    converter = Converter.from_pretrained(model, vocoder, packs)
    print_licence(converter.voice(voice).licence)
    others = [path for given in actor or () for path in recordings_in(given)]
    speaker = converter.speaker(
        converter.source(path, max_seconds)
        for path in progress("listening to the actor")(others, len(others))
    )
    result = converter.convert(
        recording,
        text,
        voice,
        pitch=pitch,
        effort=effort,
        speaker=speaker,
        max_seconds=max_seconds,
        spell=spell,
        lexicon=lexicon,
        floor=floor,
        treble=treble,
    )
    if plot:
        result.plot(plot)
    written = result.save(output)
    confidence = result.alignment.confidence
    notes = (
        f"; level lowered by {result.lowered:.1f} dB so as not to clip" if result.lowered else ""
    )
    if written != result.subtype:
        notes += f"; written as {written}, since {result.subtype} cannot be kept in {output.suffix}"
    if result.treble != treble:
        notes += "; treble predicted, since the recording holds none"
    if result.samples.shape[1] > 1:
        notes += f"; the mix is on all {result.samples.shape[1]} channels"
    out.print(
        f"{output}: {len(result.samples) / result.sample_rate:.2f} s at {result.sample_rate} Hz in "
        f"voice {voice}, alignment confidence {confidence:.2f}{notes}",
        markup=False,
    )
    if confidence < MIN_CONFIDENCE:
        err.print(
            f"warning: confidence below {MIN_CONFIDENCE:g}: is the text what is said in {recording}?",
            style="yellow", markup=False,
        )  # fmt: skip


def voices(model: ModelOption = None, packs: PacksOption = None) -> None:
    """List the voices: name, sex, minutes of training speech, licence, and the consent of enrolled ones."""
    from moksori.conversion.checkpoint import load_card
    from moksori.conversion.voices import load_pack, pack_paths, packs_folder

    card = load_card(model or MODEL)
    table = Table("voice", "sex", "minutes", "licence")
    for voice in card.voices:
        table.add_row(voice.name, voice.sex, f"{voice.minutes:.1f}", voice.licence)
    out.print(table)
    for path in pack_paths(packs or packs_folder()):
        try:
            pack = load_pack(path)[1]
        except CheckpointError as error:  # the others are to be seen all the same
            err.print(f"warning: {error}", style="yellow", markup=False, soft_wrap=True)
            continue
        voice, consent = pack.voice, pack.consent
        state = "may be used"
        if pack.model != card.sha256:
            state = "enrolled on another model"
        if consent.expired:
            state = "expired, refused"
        out.print(
            f"enrolled: {voice.name}, {voice.sex}, {voice.minutes:.1f} min; {consent.who}, for "
            f"{consent.purpose}, until {consent.until}, {consent.contact}; {state}",
            markup=False, soft_wrap=True,
        )  # fmt: skip


def recordings_in(place: Path) -> list[Path]:
    """A recording, or all of a folder, by name.

    Raises:
        AudioError: there is none.
    """
    from moksori.signal.decoders import SUFFIXES

    if not place.is_dir():
        return [place]
    found = sorted(p for p in place.rglob("*") if p.suffix.lower() in SUFFIXES and p.name[0] != ".")
    if not found:
        raise AudioError.of("audio.none_there", file=place, kinds=", ".join(SUFFIXES))
    return found


def check_output(path: Path, kinds: tuple[str, ...], recording: Path, force: bool) -> None:
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


def print_licence(licence: str) -> None:
    err.print(f"licence of the model: {licence}", style="dim", markup=False)
