"""One line of a script, whatever file it came from."""

import unicodedata
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from moksori.config import Seconds
from moksori.messages import Lang, Message, message


class Place(NamedTuple):
    """Where a line stands in its script, as its readers count."""

    kind: Literal["row", "cue", "line", "table", "paragraph"]
    number: int | str  # of the row, the cue or the line; a cue's is what its file calls it
    sheet: str = ""  # its title, of a workbook with several; the number of a document's table

    @property
    def message(self) -> Message:
        """To be said in either language, also within another message."""
        sheet = f"{self.sheet} " if self.sheet else ""
        return message(f"place.{self.kind}", number=self.number, sheet=sheet)

    def say(self, lang: Lang) -> str:
        """In words: 1화 12행, row 12."""
        return self.message.say(lang)

    def __str__(self) -> str:
        return self.say("en")


@dataclass(frozen=True)
class Line:
    """One line of a script, as its writer gave it.

    Attributes:
        place: where it stands.
        text: what is said.
        actor: who recorded it.
        character: who says it.
        file: of its recording.
        no: its number, as written, full-width digits (１) as plain ones.
        start: time code of its beginning.
        end: time code of its end.
        episode: it belongs to; the sheet's name where sheets are episodes.
        scene: it belongs to.
        directions: how it is said.
        note: of the writer's.
        rows: the text as it was written, where it was in several rows.
        replaced: the script's own text, where a director has asked for another.
    """

    place: Place
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
    rows: tuple[str, ...] = field(default=(), compare=False)
    replaced: str | None = field(default=None, compare=False)

    @property
    def script_text(self) -> str:
        """What the script itself has."""
        return self.text if self.replaced is None else self.replaced

    def __post_init__(self) -> None:
        """Compose names as Macs decompose them, so that 하나 is 하나, and a number's １ is 1."""
        object.__setattr__(self, "no", unicodedata.normalize("NFKC", self.no))
        for name in ("character", "actor", "episode", "scene"):
            composed = unicodedata.normalize("NFC", getattr(self, name))
            object.__setattr__(self, name, composed)
