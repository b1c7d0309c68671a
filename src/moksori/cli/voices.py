"""`moksori voices`: which voices there are."""

import math
from typing import TYPE_CHECKING

from rich.table import Table

from moksori.cli import console
from moksori.cli.console import out, warn
from moksori.cli.options import LangOption, ModelOption, PacksOption
from moksori.errors import CheckpointError
from moksori.messages import message, say
from moksori.weights import MODEL

if TYPE_CHECKING:
    from moksori.conversion.checkpoint import Voice


def voices(model: ModelOption = None, packs: PacksOption = None, lang: LangOption = None) -> None:
    """List the voices, for casting: sex, F0 (median, and from 5 to 95%), minutes of training speech, licence.

    Enrolled ones with the consent that they are under.
    """
    from moksori.conversion.checkpoint import load_card
    from moksori.conversion.voices import load_pack, pack_paths, packs_folder

    card = load_card(model or MODEL)
    licences = {voice.licence for voice in card.voices}
    shared = len(licences) == 1
    table = Table("voice", "sex", "F0, Hz", "range, Hz", "minutes", *["licence"] * (not shared))
    for voice in card.voices:
        cells = [voice.name, voice.sex, *_f0_of(voice), f"{voice.minutes:.1f}", voice.licence]
        table.add_row(*cells[: len(table.columns)])
    out.print(table)
    if shared:
        out.print(f"licence of all: {licences.pop()}", markup=False)
    for path in pack_paths(packs or packs_folder()):
        try:
            pack = load_pack(path)[1]
        except CheckpointError as error:  # the others are to be seen all the same
            warn(error.say(console.language))
            continue
        voice, consent = pack.voice, pack.consent
        state = "voices.usable"
        if pack.model != card.sha256:
            state = "voices.other_model"
        if consent.expired:
            state = "voices.expired"
        told = say(
            "voices.enrolled", console.language, voice=voice.name, sex=voice.sex,
            minutes=voice.minutes, who=consent.who, purpose=consent.purpose, until=consent.until,
            contact=consent.contact, state=message(state),
        )  # fmt: skip
        out.print(told, markup=False)


def _f0_of(voice: "Voice") -> tuple[str, str]:
    """Median, and the range of nine frames in ten; of a model that does not say, the geometric mean."""
    if voice.f0_quantiles is None:
        return f"{math.exp(voice.log_f0_mean):.0f}", ""
    low, median, high = voice.f0_quantiles
    return f"{median:.0f}", f"{low:.0f} – {high:.0f}"
