"""The voices as the page shows them: the model's own and those that were enrolled."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moksori.conversion.card import Voice, load_card
from moksori.conversion.consents import Consent, check_revoked, packs_folder, revocation_of
from moksori.conversion.terms import Commercial, Terms, consented, together
from moksori.conversion.voices import load_pack, pack_paths, revoke_voice
from moksori.dubbing.task import Setup
from moksori.errors import CheckpointError, VoiceError
from moksori.messages import Lang
from moksori.studio.answers import on_page
from moksori.weights import MODEL


def voices_sign(setup: Setup) -> str:
    """Changes when a voice is enrolled, replaced, deleted or revoked, here or elsewhere."""
    folder = setup.packs or packs_folder()
    times = []
    for path in [*pack_paths(folder), folder / "revoked.jsonl"]:
        try:
            times.append(f"{path.name} {path.stat().st_mtime_ns}")
        except OSError:
            continue
    return " ".join([str(setup.model), str(setup.usage), *times])


def voices_view(setup: Setup, lang: Lang) -> list[dict[str, Any]]:
    """The voices to choose from; of each why it cannot be used as the job now is, if it cannot."""
    card, folder = load_card(setup.model or MODEL), setup.packs or packs_folder()
    whole, usage = Terms.of_card(card).commercial, setup.usage

    found = []
    for voice in sorted(card.voices, key=lambda voice: -voice.minutes):  # the most speech first
        consent = card.consents.get(voice.name)
        about = _voice(voice, whole, consent, folder)
        with _told(about, lang):
            if consent:
                check_revoked(folder, voice.name, consent)
                consent.check(voice.name, usage)
        found.append(about)
    for path in pack_paths(folder):
        try:
            pack = load_pack(path)[1]
        except CheckpointError:  # `moksori voices` says what is wrong with it
            continue
        about = _voice(pack.voice, whole, pack.consent, folder, usable=pack.model == card.sha256)
        with _told(about, lang):
            pack.check(card, folder, usage)
        found.insert(0, about | {"enrolled": True})
    return found


@contextmanager
def _told(about: dict[str, Any], lang: Lang) -> Iterator[None]:
    """Within, that a voice is refused is kept as why."""
    try:
        yield
    except VoiceError as error:
        about["why"] = on_page(error.message).say(lang)


def take_back(setup: Setup, voice: str, why: str) -> None:
    """Take back the consent of a voice, as `moksori revoke`.

    Raises:
        MoksoriError: as `revoke_voice`.
    """
    revoke_voice(voice, load_card(setup.model or MODEL), setup.packs or packs_folder(), why)


def _voice(
    voice: Voice, model: Commercial, consent: Consent | None, packs: Path, *, usable: bool = True
) -> dict[str, Any]:
    low, median, high = voice.f0_quantiles or (None, math.exp(voice.log_f0_mean), None)
    taken_back = False
    if consent is not None:
        try:
            taken_back = revocation_of(packs, voice.name, consent) is not None
            usable = usable and not consent.expired and not taken_back
        except VoiceError:
            usable = False
    own = [consented(consent)] if consent else []
    return {
        "name": voice.name, "sex": voice.sex, "minutes": round(voice.minutes, 1),
        "licence": voice.licence, "hertz": round(median),
        "range": None if low is None or high is None else [round(low), round(high)],
        "commercial": together([model, *own]), "usable": usable, "revoked": taken_back, "why": "",
        "enrolled": False,
        "consent": consent and " · ".join(filter(None, (
            consent.who, consent.purpose, ", ".join(consent.titles), f"~{consent.until}"))),
        "contact": consent and consent.contact,
    }  # fmt: skip
