"""What licences and consents allow: of a corpus, of a model, and of several together.

A licence that everybody knows by name is judged; a text that nobody here can judge is `unknown`: see the
licence. A studio says of its own recordings what they may be used for (`prepare --commercial`).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from moksori.conversion.consents import Consent
from moksori.errors import ConfigError
from moksori.messages import Message, message

if TYPE_CHECKING:
    from moksori.conversion.card import AnyCard

Commercial = Literal["yes", "no", "unknown"]
_AND = "; and "  # between the licences that bind a model
_FREE = re.compile(
    r"(CC0([ -]1\.0)?|CC[ -]BY(-SA)?[ -][34]\.0|Apache[ -]2\.0|MIT|BSD[ -][23][ -]Clause|ISC|"
    r"Public Domain)( \([^()]*\))?",
    re.IGNORECASE,
)  # with at most a note in brackets, such as whose it is
_NOT_FREE = re.compile(
    r"CC[ -]BY(-SA)?-NC|\bNC\b|non-?commercial|no commercial|research[ -]only|비\s*상업|연구용|"
    "상업적 이용 금지",
    re.IGNORECASE,
)


def judged(licence: str) -> Commercial:
    """Whether a licence allows commercial use, as far as its name tells.

    >>> judged("CC0 1.0; and Apache-2.0"), judged("CC BY-NC-SA 4.0"), judged("our own")
    ('yes', 'no', 'unknown')
    """
    if _NOT_FREE.search(licence):
        return "no"
    parts = [part.strip() for part in licence.split(_AND)]
    return "yes" if all(_FREE.fullmatch(part) for part in parts) else "unknown"


def together(verdicts: Iterable[Commercial]) -> Commercial:
    """What all of them allow: the strictest."""
    found = {*verdicts}
    return "no" if "no" in found else "unknown" if "unknown" in found or not found else "yes"


def consented(consent: Consent) -> Commercial:
    """Whether a consent allows commercial use."""
    if not consent.uses:
        return "unknown"
    return "yes" if "commercial" in consent.uses else "no"


@dataclass(frozen=True)
class Terms:
    """Under what a corpus or a model may be used.

    Attributes:
        licence: in words.
        commercial: whether it may be used commercially.
        consents: of the people whose voices are in it, by speaker.
    """

    licence: str
    commercial: Commercial
    consents: Mapping[str, Consent] = field(default_factory=dict)

    @classmethod
    def declared(
        cls, licence: str, commercial: bool | None, consents: Mapping[str, Consent]
    ) -> "Terms":
        """Of recordings, as whoever prepares them says; licence and consents can only take away.

        Args:
            licence: in words.
            commercial: what is said of commercial use; None if nothing is.
            consents: of their speakers.

        Raises:
            ConfigError: commercial use is claimed against the licence or a consent.
        """
        by_name = judged(licence)
        said: Commercial = by_name if commercial is None else "yes" if commercial else "no"
        if commercial and by_name == "no":
            raise ConfigError.of("terms.licence", licence=licence)
        against = [name for name, consent in consents.items() if consented(consent) == "no"]
        if commercial and against:
            raise ConfigError.of("terms.consent", names=", ".join(against))
        return cls(licence, together([said, *map(consented, consents.values())]), dict(consents))

    @classmethod
    def of_licence(cls, licence: str) -> "Terms":
        """Of what has nothing but a licence."""
        return cls(licence, judged(licence))

    @classmethod
    def of_corpus(cls, corpus: Mapping[str, Any]) -> "Terms":
        """Of a prepared corpus, as its `speakers.json` has them."""
        known = Terms.of_licence(corpus["licence"])
        consents = {
            name: Consent.model_validate(consent)
            for name, consent in corpus.get("consents", {}).items()
        }
        return cls(known.licence, corpus.get("commercial", known.commercial), consents)

    @classmethod
    def of_card(cls, card: "AnyCard") -> "Terms":
        """Of a model; what it says of itself cannot be more than its licence allows."""
        by_name = judged(card.licence)
        said = by_name if by_name == "no" else card.commercial or by_name
        return cls(card.licence, said, card.consents)

    @classmethod
    def joined(cls, terms: Iterable["Terms"]) -> "Terms":
        """What binds a model that is made of several: all licences, each once, and the strictest use."""
        parts = [*terms]
        consents: dict[str, Consent] = {}
        for part in reversed(parts):  # of the same name, the first is the data's own
            consents |= part.consents
        return cls(
            _AND.join(dict.fromkeys(one for part in parts for one in part.licence.split(_AND))),
            together(part.commercial for part in parts),
            consents,
        )

    def dump(self) -> dict[str, Any]:
        """As cards and `speakers.json` keep them, as JSON."""
        consents = {name: c.model_dump(mode="json") for name, c in self.consents.items()}
        return {"licence": self.licence, "commercial": self.commercial, "consents": consents}

    def say_use(self) -> Message:
        """What it allows, in words."""
        return message(_USE[self.commercial])


_USE: dict[Commercial, str] = {
    "yes": "use.commercial", "no": "use.not_commercial", "unknown": "use.unknown",
}  # fmt: skip
