"""`moksori convert`: a recorded line in another voice."""

from pathlib import Path
from typing import Annotated

import typer

from moksori.cli.console import err, out, print_licence, progress
from moksori.cli.options import (
    FloorOption,
    ForceOption,
    LexiconOption,
    ModelOption,
    PacksOption,
    SpellOption,
    TrebleOption,
    VocoderOption,
    check_output,
)
from moksori.errors import AudioError
from moksori.weights import DEFAULT_VOCODER


def convert(
    recording: Annotated[
        Path, typer.Argument(metavar="IN.wav", help="The recording: WAV, FLAC, … of any rate.")
    ],
    text: Annotated[str, typer.Option("--text", help="What is said in it, as the script has it.")],
    voice: Annotated[
        str, typer.Option("--voice", help="Target voice; `moksori voices` lists them.")
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", help="The new recording, .wav or .flac; its folder must exist."
        ),
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
    max_seconds: Annotated[
        float,
        typer.Option(
            help="Refuse recordings longer than this many seconds; a line is seldom longer than 15."
        ),
    ] = 30.0,
    force: ForceOption = False,
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
    others = {path.resolve() for given in actor or () for path in recordings_in(given)}
    known = sorted(others | {recording.resolve()} if others else others)  # this line is one of his
    speaker = converter.speaker(
        converter.source(path, max_seconds)
        for path in progress("listening to the actor")(known, len(known))
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
