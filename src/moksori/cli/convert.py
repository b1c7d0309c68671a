"""`moksori convert`: a recorded line in another voice."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from moksori.cli import console
from moksori.cli.console import out, print_use, progress, warn
from moksori.cli.options import (
    C2paOption,
    DeviceOption,
    FloorOption,
    ForceOption,
    LangOption,
    LexiconOption,
    ModelOption,
    PacksOption,
    PurposeOption,
    RecogniserOption,
    SpellOption,
    TitleOption,
    TrebleOption,
    VocoderOption,
    WatermarkOption,
    check_output,
)
from moksori.errors import AudioError, MoksoriError, OutputError
from moksori.messages import message, say
from moksori.startup import importing
from moksori.weights import DEFAULT_VOCODER


def convert(
    recording: Annotated[
        Path, typer.Argument(metavar="IN.wav", help="The recording: WAV, FLAC, … of any rate.")
    ],
    text: Annotated[
        str,
        typer.Option(
            "--text",
            help="What is said in it, as the script has it; of a laugh or a scream “(웃음)”, “(비명)”.",
        ),
    ],
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
        float, typer.Option(help="Semitones above (or, negative, below) the voice's own mean F0.")
    ] = 0.0,
    effort: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=1.5,
            help="How much of the actor's vocal effort is kept: 1 as acted, 0 none, 1.5 exaggerated. It is "
            "measured against the actor's other lines (--actor).",
        ),
    ] = 1.0,
    actor: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE|FOLDER",
            help="Other recordings of the same actor, so that a line said higher or with more effort than "
            "usual stays so. May be given several times. Without it, this line counts as usual.",
        ),
    ] = None,
    actor_f0: Annotated[
        float | None,
        typer.Option(
            min=50,
            max=700,
            metavar="HZ",
            help="The actor's mean F0, if it is known: as `moksori dub --status` and this command show it. "
            "As the actor's `f0` in cast.toml it gives a job's lines the same pitch.",
        ),
    ] = None,
    model: ModelOption = None,
    vocoder: VocoderOption = DEFAULT_VOCODER,
    packs: PacksOption = None,
    floor: FloorOption = "room",
    treble: TrebleOption = "take",
    lexicon: LexiconOption = None,
    spell: SpellOption = False,
    recogniser: RecogniserOption = None,
    purpose: PurposeOption = None,
    title: TitleOption = None,
    c2pa: C2paOption = False,
    watermark: WatermarkOption = False,
    device: DeviceOption = "cpu",
    max_seconds: Annotated[
        float,
        typer.Option(
            help="Refuse recordings longer than this many seconds; a line is seldom longer than 15."
        ),
    ] = 30.0,
    force: ForceOption = False,
    lang: LangOption = None,
) -> None:
    """Convert a recorded line to another voice.

    The result has the recording's rate, sample format and exact length, and its timing and melody.

    Example: moksori convert line.wav --text "밥은 먹었어?" --voice lmy -o out.wav --plot out.png
    """
    for path, kinds in ((output, (".wav", ".flac")), (plot, (".png", ".pdf", ".svg"))):
        if path is not None:
            check_output(path, kinds, recording, force)
    with importing():
        from moksori.conversion.consents import Usage
        from moksori.conversion.converter import Converter
        from moksori.provenance.certificate import certificate
        from moksori.provenance.manifest import sign
        from moksori.provenance.statement import write_line_statement
        from moksori.provenance.watermark import mark
        from moksori.signal.levels import fit_peak

    if c2pa and output.suffix.lower() != ".wav":
        raise OutputError.of("provenance.only_wav", path=output)
    by = certificate() if c2pa else None
    usage = Usage(purpose, title or "")
    converter = Converter.from_pretrained(model, vocoder, packs, recogniser, usage, device)
    print_use(converter, [voice], console.language)
    wordless = converter.front_end.names_sound(text)
    known = {path.resolve() for given in actor or () for path in recordings_in(given)}
    others = known - {recording.resolve()}
    if known:  # this line is one of his, but of a laugh nobody's usual is measured
        known = others if wordless else others | {recording.resolve()}
    speaker = converter.speaker(
        converter.source(path, max_seconds)
        for path in progress(say("bar.actor", console.language))(sorted(known), len(known))
    )
    if actor_f0 is not None:
        speaker = speaker.model_copy(update={"mean_log_f0": math.log(actor_f0)})
    result = converter.convert(
        recording,
        None if wordless else text,
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
    if watermark:
        marked, more = fit_peak(mark(result.samples, result.sample_rate))
        result = replace(result, samples=marked, lowered=result.lowered + more)
    written = result.save(output)
    if output.suffix.lower() == ".wav":
        try:
            said = write_line_statement(
                output, converter, recording, result.voice.name, title=title or "",
                watermark=watermark,
            )  # fmt: skip
            if by:
                sign(output, said, by)
        except MoksoriError:  # nothing is left that does not say what it is, as was asked
            output.unlink(missing_ok=True)
            raise
    confidence = result.alignment.confidence
    notice = message(
        "convert.done_wordless" if wordless else "convert.done",
        file=output, seconds=len(result.samples) / result.sample_rate,
        sample_rate=result.sample_rate, voice=voice, confidence=confidence,
    )  # fmt: skip
    if result.lowered:
        notice = message("convert.lowered", done=notice, by=result.lowered)
    if written != result.subtype:
        notice = message(
            "convert.written", done=notice, bits=written.removeprefix("PCM_"), kind=result.subtype,
            ending=output.suffix,
        )  # fmt: skip
    if result.treble != treble:
        notice = message("convert.treble", done=notice)
    if speaker.mean_log_f0 is not None:
        hertz = math.exp(speaker.mean_log_f0)
        notice = message("convert.actor", done=notice, hertz=hertz)
    if (channels := result.samples.shape[1]) > 1:
        notice = message("convert.channels", done=notice, channels=channels)
    out.print(notice.say(console.language), markup=False)
    if effort != 1.0 and not others:
        warn(say("convert.effort", console.language, effort=effort))
    if not wordless:
        warn_if_unsure(confidence, recording)


def warn_if_unsure(confidence: float, recording: Path) -> None:
    """Warn where a text hardly fits its recording."""
    from moksori.conversion.converter import MIN_CONFIDENCE

    if confidence < MIN_CONFIDENCE:
        unsure = say("convert.unsure", console.language, limit=MIN_CONFIDENCE, recording=recording)
        warn(unsure)


def recordings_in(place: Path) -> list[Path]:
    """A recording, or all of a folder, by name.

    Raises:
        AudioError: there is none.
    """
    from moksori.signal.decoders import SUFFIXES, is_recording

    if not place.is_dir():
        return [place]
    found = sorted(filter(is_recording, place.rglob("*")))
    if not found:
        raise AudioError.of("audio.none_there", file=place, kinds=", ".join(SUFFIXES))
    return found
