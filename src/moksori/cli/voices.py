"""`moksori voices` and `moksori revoke`: which voices there are, and whose consent was taken back."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from moksori.cli import console
from moksori.cli.console import out, progress, warn
from moksori.cli.job_folder import print_pruned
from moksori.cli.options import (
    ForceOption,
    LangOption,
    ModelOption,
    PacksOption,
    PurposeOption,
    TitleOption,
    VocoderOption,
    check_output,
)
from moksori.errors import CheckpointError, OutputError, VoiceError
from moksori.messages import Message, message, say
from moksori.weights import DEFAULT_VOCODER, MODEL

if TYPE_CHECKING:
    from moksori.conversion.card import Voice
    from moksori.conversion.consents import Consent, Usage


def voices(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[VOICE]…", help="Voices to be heard: a sample sentence of each is written."
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder of the samples, VOICE.wav; must exist.")
    ] = Path(),
    model: ModelOption = None,
    vocoder: VocoderOption = DEFAULT_VOCODER,
    packs: PacksOption = None,
    purpose: PurposeOption = None,
    title: TitleOption = None,
    force: ForceOption = False,
    lang: LangOption = None,
) -> None:
    """List the voices, for casting: sex, F0 (median, and from 5 to 95%), minutes of training speech, licence.

    Enrolled ones with the consent that they are under. Of voices that are named, a sample sentence.

    Example: moksori voices
             moksori voices lmy kih -o samples/
    """
    from moksori.conversion.card import load_card
    from moksori.conversion.consents import Usage, packs_folder
    from moksori.conversion.terms import Terms
    from moksori.conversion.voices import load_pack, pack_paths

    if names:
        return _write_samples(
            names, output, model, vocoder, packs, Usage(purpose, title or ""), force
        )
    card = load_card(model or MODEL)
    folder = packs or packs_folder()
    licences = {voice.licence for voice in card.voices}
    shared, held = len(licences) == 1, bool(card.consents)
    parts = [
        *("name", "sex", "f0", "range", "minutes"),
        *["consent"] * held,
        *["licence"] * (not shared),
    ]
    table = Table(*(say(f"voices.column.{part}", console.language) for part in parts))
    for voice in card.voices:
        sex = say(f"sex.{voice.sex}", console.language)
        cells = [voice.name, sex, *_f0_of(voice), f"{voice.minutes:.1f}"]
        if held:
            consent = card.consents.get(voice.name)
            cells.append(
                _said(voice.name, consent, folder).say(console.language) if consent else "-"
            )
        table.add_row(*cells, *[voice.licence] * (not shared))
    out.print(table)
    if shared:
        out.print(
            say("voices.licence_of_all", console.language, licence=licences.pop()), markup=False
        )
    out.print(Terms.of_card(card).say_use().say(console.language), markup=False)
    for path in pack_paths(folder):
        try:
            pack = load_pack(path)[1]
        except CheckpointError as error:  # the others are to be seen all the same
            warn(error.say(console.language))
            continue
        voice, other = pack.voice, pack.model != card.sha256
        median, span = _f0_of(voice)
        notice = say(
            "voices.enrolled", console.language, voice=voice.name, sex=message(f"sex.{voice.sex}"),
            f0=f"{median} Hz{span and f' ({span})'}", minutes=voice.minutes,
            consent=_said(voice.name, pack.consent, folder, other),
            spoken=message("voices.spoken") if pack.spoken else "",
        )  # fmt: skip
        out.print(notice, markup=False)
    out.print(say("voices.hear", console.language), markup=False)


def _said(voice: str, consent: "Consent", packs: Path, other_model: bool = False) -> Message:
    """A consent in a line, and whether its voice may be used."""
    from moksori.conversion.consents import revocation_of

    state = message("voices.other_model" if other_model else "voices.usable")
    if consent.expired:
        state = message("voices.expired")
    try:
        if row := revocation_of(packs, voice, consent):
            state = message("voices.revoked", on=row.on)
    except VoiceError as error:
        state = error.message
    uses = f" ({', '.join(consent.uses)})" if consent.uses else ""
    titles = "".join(f", 「{title}」" for title in consent.titles)
    return message(
        "voices.consent", who=consent.who, purpose=f"{consent.purpose}{uses}{titles}",
        until=consent.until, contact=consent.contact, state=state,
    )  # fmt: skip


def _write_samples(
    names: list[str],
    output: Path,
    model: Path | None,
    vocoder: str,
    packs: Path | None,
    usage: "Usage",
    force: bool,
) -> None:
    """A sentence in each voice, as VOICE.wav."""
    from moksori.conversion.converter import Converter
    from moksori.provenance.statement import write_line_statement
    from moksori.studio.folders import demo_source

    converter = Converter.from_pretrained(model, vocoder, packs, usage=usage)
    source = demo_source() / "demo.flac"
    text = (demo_source() / "demo.txt").read_text(encoding="utf-8").strip()
    if not output.is_dir():
        raise OutputError.of("output.no_folder", path=output)
    places = {name: output / f"{converter.voice(name).name}.wav" for name in dict.fromkeys(names)}
    for place in places.values():
        check_output(place, (".wav",), source, force)
    for name in progress(say("stage.converting", console.language))(places, len(places)):
        result = converter.convert(source, text, name)
        result.save(places[name])
        write_line_statement(places[name], converter, source, name)
        voice, (median, span) = result.voice, _f0_of(result.voice)
        notice = say(
            "voices.sample", console.language, path=places[name], voice=voice.name,
            sex=message(f"sex.{voice.sex}"), f0=f"{median} Hz{span and f' ({span})'}",
            minutes=voice.minutes, text=text,
        )  # fmt: skip
        out.print(notice, markup=False)


def _f0_of(voice: "Voice") -> tuple[str, str]:
    """Median, and the range of nine frames in ten; of a model that does not say, the geometric mean."""
    if voice.f0_quantiles is None:
        return f"{math.exp(voice.log_f0_mean):.0f}", ""
    low, median, high = voice.f0_quantiles
    return f"{median:.0f}", f"{low:.0f} – {high:.0f}"


def revoke(
    voice: Annotated[str, typer.Argument(help="The voice, as `moksori voices` lists it.")],
    why: Annotated[str, typer.Option(help="A note, for your own records.")] = "",
    jobs: Annotated[
        list[Path] | None,
        typer.Option(
            "--job",
            help="A job's folder: what it keeps in .moksori of all that was converted to the voice is "
            "deleted; several times for several, also later.",
        ),
    ] = None,
    model: ModelOption = None,
    packs: PacksOption = None,
    lang: LangOption = None,
) -> None:
    """Take back the consent of a voice: from now on nothing is converted to it.

    It holds on this machine for every copy of the voice, in whatever folder, and until a consent is brought
    that says that it was given on a later day. The list is revoked.jsonl, in the folder of voices and, if
    --packs named another, also in your own. What was converted before stays where no --job names its folder;
    the jobs' ledgers tell where. Delivered files stay in any case: deliver again in another voice, or delete
    them.

    Example: moksori revoke hong --why "letter of 2026-11-20" --job ep01/
    """
    from moksori.conversion.card import load_card
    from moksori.conversion.consents import packs_folder
    from moksori.conversion.voices import revoke_voice

    row = revoke_voice(voice, load_card(model or MODEL), packs or packs_folder(), why)
    notice = say("voices.taken_back", console.language, voice=voice, on=row.on)
    out.print(notice, markup=False)
    for job in jobs or ():
        print_pruned(job, console.language, voice)
    rest = say("voices.left_delivered" if jobs else "voices.left", console.language, voice=voice)
    out.print(rest, markup=False)
