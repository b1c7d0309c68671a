"""The voice of each character: `cast.toml`, a table a character."""

import tomllib
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from moksori.config import Hertz
from moksori.conversion.card import Voice
from moksori.dubbing.records import Role
from moksori.errors import ConfigError
from moksori.files import explain, load_toml, read_text
from moksori.messages import message
from moksori.script.groups import several
from moksori.script.names import name_key, plain_name
from moksori.writing import atomic_write

if TYPE_CHECKING:
    from moksori.script.line import Line


class Actor(BaseModel):
    """What is known of an actor beforehand.

    Attributes:
        f0: mean F0, instead of the mean over the episode's takes: `moksori convert --actor-f0` with the same
            gives a line the same pitch, and so does another episode.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    f0: Hertz = Field(ge=50, le=700)


class Cast(BaseModel):
    """All roles of a show.

    Attributes:
        characters: by the name that the script has.
        default: of characters that are not listed, and of lines without one; None if each must be listed.
        actors: by the name that the script has; where it names none, by the character's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    characters: dict[str, Role] = {}
    default: Role | None = None
    actors: dict[str, Actor] = {}

    @field_validator("characters")
    @classmethod
    def _composed(cls, roles: dict[str, Role]) -> dict[str, Role]:
        composed = {unicodedata.normalize("NFC", name): role for name, role in roles.items()}
        found: dict[str, str] = {}
        for name in roles:
            if other := found.get(name_key(name)):
                raise ConfigError.of("cast.same_name", first=other, second=name)
            found[name_key(name)] = name
        return composed

    @cached_property
    def _names(self) -> dict[str, str]:
        return {name_key(name): name for name in self.characters}

    def mean_f0(self, actor: str) -> Hertz | None:
        """Of an actor, if it is given."""
        key = name_key(actor)
        return next((row.f0 for name, row in self.actors.items() if name_key(name) == key), None)

    def find(self, written: str) -> str | None:
        """The character's name as the cast has it, however a script writes it; None if it is not cast.

        하나(N) is 하나, unless it is cast by itself.
        """
        if not written:
            return None
        return self._names.get(name_key(written)) or self._names.get(
            name_key(plain_name(written)[0])
        )

    def role(self, character: str) -> Role | None:
        """Of a character; None if nobody is cast."""
        name = self.find(character)
        return self.default if name is None else self.characters[name]


def read_cast(path: Path) -> Cast:
    """Read a cast.

    Raises:
        ConfigError: no such file, not TOML, an unknown key or an impossible value.
    """
    return load_toml(path, Cast, missing=message("cast.missing"))


def set_role(path: Path, character: str, **values: object) -> None:
    """Change a character's role in a cast.toml; everything else stays as it is written, comments too.

    Args:
        path: of the cast.
        character: as the script has it; "" for lines without one.
        values: as the keys of its table; None takes one away.

    Raises:
        ConfigError: as `read_cast`, also of what it would become.
        OutputError: the file cannot be written.
    """
    document = tomlkit.document()
    if path.exists():
        read_cast(path)
        document = tomlkit.parse(read_text(path, ConfigError, keep_ends=True))
    name = unicodedata.normalize("NFC", character)
    if name:
        tables = document.setdefault("characters", tomlkit.table(is_super_table=True))
        same = (key for key in tables if name_key(key) == name_key(name))
        table = tables.setdefault(next(same, name), tomlkit.table())
    else:
        table = document.setdefault("default", tomlkit.table())
    for key, value in values.items():
        if value is not None:
            table[key] = value
        elif key in table:
            del table[key]
    content = tomlkit.dumps(document)
    try:
        Cast.model_validate(tomllib.loads(content))
    except ValidationError as error:
        raise ConfigError.of("file.invalid", file=path, why=explain(error)) from None
    atomic_write(path, content)


def first_cast(lines: Sequence["Line"], voices: Sequence[Voice], known: Cast | None = None) -> str:
    """A first cast.toml for a script, or what an existing one lacks.

    Args:
        lines: of the script.
        voices: to choose from; listed in a comment.
        known: the existing cast; its characters are left out.

    Returns:
        TOML with a table a character, most lines first, each with an empty voice to be filled in.
    """
    counts = Counter(line.character for line in lines)
    of_several = names_of_several(lines)
    actors: dict[str, list[str]] = {}
    for line in lines:
        names = actors.setdefault(line.character, [])
        if line.actor and line.actor not in names:
            names.append(line.actor)
    document = tomlkit.document()
    if known is None:
        for row in (
            "누가 어떤 목소리로 말하는가. Which voice each character has.",
            "voice: 아래 목록에서 고르세요 / choose from the list below. pitch: 반음 / semitones. gain: dB.",
            "effort: 발성의 세기, 0–1.5 / how much of the vocal effort is kept (1: as acted).",
            "pass = true: 녹음 그대로 / stays as recorded.",
            'nonverbal: 웃음과 비명 / laughs and screams: "convert", "match", "leave" (as recorded).',
            "",
            *_listed(voices),
        ):
            document.add(tomlkit.comment(row))
        document.add(tomlkit.nl())
    characters = tomlkit.table(is_super_table=True)
    for character, count in counts.most_common():
        if known is not None and (known.find(character) if character else known.default):
            continue
        role = tomlkit.table()
        actors_of = f", {'·'.join(actors[character])}" if actors[character] else ""
        role.add("voice", "")
        together = " · 여럿이 한 녹음에 / several people" if character in of_several else ""
        role["voice"].comment(f"{count}줄 / lines{actors_of}{together}")
        role.add("pitch", 0.0)
        role.add("gain", 0.0)
        if character:
            characters.add(character, role)
        else:
            document.add("default", role)
    if characters:
        document.add("characters", characters)
    return tomlkit.dumps(document)


def names_of_several(lines: Sequence["Line"]) -> list[str]:
    """The characters of a script that are several people: 하나/두나, 일동; 하나와 두나 if both are there."""
    names = dict.fromkeys(line.character for line in lines)
    return [name for name in names if several(name, names.keys() - {name})]


def _listed(voices: Sequence[Voice]) -> list[str]:
    """The voices by sex, those learnt from most speech first."""
    rows = []
    for sex, name in (("female", "여 / female"), ("male", "남 / male")):
        of_sex = sorted((v for v in voices if v.sex == sex), key=lambda v: -v.minutes)
        rows.append(f"{name}: {', '.join(v.name for v in of_sex)}")
    return rows
