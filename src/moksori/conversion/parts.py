"""The parts of a conversion (model, vocoder, recogniser), and what they allow together."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, NamedTuple

from moksori.conversion.consents import Consent
from moksori.conversion.terms import Commercial, Terms, consented, together
from moksori.errors import CheckpointError
from moksori.messages import Message, message
from moksori.weights import RECOGNISER

if TYPE_CHECKING:
    from moksori.conversion.loaded import LoadedModels


class Part(NamedTuple):
    """A part with its terms."""

    name: Literal["model", "vocoder", "recogniser"]
    checksum: str  # of its weights
    terms: Terms


def parts_of(converter: "LoadedModels") -> list[Part]:
    """The parts that a converter uses."""
    cards = [("model", converter.card), ("vocoder", converter.vocoder_card)]
    if listener := converter.listener:
        cards.append(("recogniser", listener.card))
    return [Part(name, card.sha256, Terms.of_card(card)) for name, card in cards]  # type: ignore[arg-type]


def check_use(converter: "LoadedModels") -> None:
    """See that the use that was said is allowed by every part.

    Raises:
        CheckpointError: it is commercial, and a part's licence or consents forbid that.
    """
    if converter.usage.purpose != "commercial":
        return
    for part in parts_of(converter):
        if part.terms.commercial == "no":
            tip = message("use.tip." + part.name)
            raise CheckpointError.of(
                "use.refused",
                part=message("part." + part.name),
                licence=part.terms.licence,
                tip=tip,
            )


def said_of_use(converter: "LoadedModels", voices: Iterable[str]) -> list[Message]:
    """All that a report says of licences, consents and use; the names of nobody who has not agreed to that.

    Args:
        converter: of the job.
        voices: that were used.

    Raises:
        VoiceError, CheckpointError: as `Converter.target`.
    """
    parts, said = parts_of(converter), list[Message]()
    for name, checksum, terms in parts:
        said.append(message(
            "part.said", part=message("part." + name), checksum=checksum[:12], licence=terms.licence,
            use=terms.say_use(),
        ))  # fmt: skip
    consents: list[Consent] = []
    for voice in sorted(set(voices)):
        target = converter.target(voice)
        if (consent := target.consent) is not None:
            consents.append(consent)
            said.append(message(
                "part.consent", voice=voice, reference=target.reference, purpose=consent.purpose,
                uses=", ".join(consent.uses) or "-", titles=", ".join(consent.titles) or "-",
                until=consent.until, credit=consent.credit or "-",
            ))  # fmt: skip
    verdict = together([*(p.terms.commercial for p in parts), *map(consented, consents)])
    said.append(message("use.whole", use=Terms("", verdict).say_use()))
    if converter.recogniser is None:
        said.append(message("recogniser.was_off"))
    elif converter.recogniser == RECOGNISER and Terms.of_card(converter.card).commercial != "no":
        said.append(message("recogniser.was_bundled"))
    return said


def verdict_of(converter: "LoadedModels", consent: Consent | None) -> Commercial:
    """Whether a conversion may be used commercially."""
    own = [consented(consent)] if consent else []
    return together([*(part.terms.commercial for part in parts_of(converter)), *own])
