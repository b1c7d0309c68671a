"""One line of a script, whatever file it came from."""

import unicodedata
from dataclasses import dataclass

from moksori.config import Seconds


@dataclass(frozen=True)
class Line:
    """One line of a script, as its writer gave it.

    Attributes:
        place: where it stands, as its readers count: row 12, cue 3, line 7.
        text: what is said.
        actor: who recorded it.
        character: who says it.
        file: of its recording.
        no: its number, as written.
        start: time code of its beginning.
        end: time code of its end.
        episode: it belongs to; the sheet's name where sheets are episodes.
        scene: it belongs to.
        directions: how it is said.
        note: of the writer's.
    """

    place: str
    text: str
    actor: str = ""
    character: str = ""
    file: str = ""
    no: str = ""
    start: Seconds | None = None
    end: Seconds | None = None
    episode: str = ""
    scene: str = ""
    directions: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        """Compose names as Macs decompose them, so that 하나 is 하나."""
        for name in ("character", "actor"):
            composed = unicodedata.normalize("NFC", getattr(self, name))
            object.__setattr__(self, name, composed)
