"""Everything that the front end makes of a line, for those who check readings."""

from dataclasses import asdict, dataclass

from moksori.text.directions import Event
from moksori.text.g2p import pronounce
from moksori.text.normalize import Doubt, scan
from moksori.text.symbols import phones


@dataclass(frozen=True)
class Reading:
    """A line and how it is read."""

    original: str
    normalized: str
    pronounced: str
    phones: list[str]
    events: list[Event]  # directions and laughs that left the text
    doubts: list[Doubt]  # readings that a person should look at

    def to_dict(self) -> dict:
        """Plain values, for JSON."""
        values = asdict(self)
        for key in ("events", "doubts"):
            values[key] = [item._asdict() for item in getattr(self, key)]
        return values


def read(line: str, spell: bool = False) -> Reading:
    """Read a line.

    Args:
        line: as the script has it.
        spell: read English words that are not in the dictionary letter by letter.

    Raises:
        TextError: as `normalize`.
    """
    plain = scan(line, spell)
    pronounced = pronounce(plain.text)
    return Reading(line, plain.text, pronounced, phones(pronounced), plain.events, plain.doubts)
