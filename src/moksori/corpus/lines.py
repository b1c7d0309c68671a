"""What every corpus reader yields."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from moksori.messages import Message

Split = Literal["train", "valid", "test"]
Sex = Literal["female", "male"]


@dataclass(frozen=True, kw_only=True)
class SourceLine:
    """One line of a corpus as it lies on the disk; `problem` says why it cannot be used."""

    id: str
    speaker: str
    split: Split
    audio: Path | None
    text: str  # spelling of what was said
    script: str  # what the actor was handed; may hold digits, Latin, brackets
    sex: Sex | None  # as the corpus says, if it says
    problem: Message | None = None
