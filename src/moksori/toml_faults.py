"""Where a file is no TOML and what is often meant there; Python says it in English alone."""

import re
import tomllib
from typing import Any

from moksori.messages import Message, message

_PLACE = re.compile(r"\(at line (\d+), ")  # otherwise it is the end
_QUOTED = re.compile(r'"[^"]*"|\'[^\']*\'|#.*')  # as it should be, and comments
_CURLY = re.compile("[“”„‟＂‘’‚‛＇]")
_DECIMAL_COMMA = re.compile(r"([+-]?\d+),(\d+)")
_WIDTH = 60  # of the row that is shown


def toml_fault(text: str, error: tomllib.TOMLDecodeError) -> dict[str, object]:
    """Values of the message `toml.invalid`: the row's number, the row, what is often meant or "".

    Args:
        text: of the file.
        error: of `tomllib`.
    """
    rows = text.rstrip().split("\n")
    place = _PLACE.search(str(error))
    number = min(int(place[1]), len(rows)) if place else len(rows)
    row = rows[number - 1].strip()
    tip = _tip(row) or _twice(rows, number)
    hint = message("toml.hint", hint=tip) if tip else ""
    return {"row": number, "line": row[:_WIDTH], "hint": hint}


def _tip(row: str) -> Message | None:
    plain = _QUOTED.sub("", row)
    if _CURLY.search(plain):
        return message("toml.curly")
    name, equals, _ = plain.partition("=")
    if not name.isascii() and (equals or row.startswith("[")):
        return message("cast.quotes")
    key, _, value = (part.strip() for part in row.partition("#")[0].partition("="))
    if comma := _DECIMAL_COMMA.fullmatch(value):
        return message("toml.comma", right=f"{key} = {comma[1]}.{comma[2]}")
    if value[:1].isalpha() and '"' not in value and value.lower() not in ("true", "false"):
        return message("toml.unquoted", right=f'{key} = "{value}"')
    return None


def _twice(rows: list[str], number: int) -> Message | None:
    """A table, or a key of a table, that an earlier row has too."""
    names, table = _names(rows[number - 1]), rows[number - 1].strip().startswith("[")
    if not names:
        return None
    for earlier in range(number - 1, 0, -1):
        row = rows[earlier - 1]
        if _names(row) == names and row.strip().startswith("[") == table:
            code = "toml.character_twice" if names[:-1] == ["characters"] else "toml.twice"
            return message(code, name=names[-1], first=earlier, second=number)
        if row.strip().startswith("[") and not table:
            return None  # another table's keys
    return None


def _names(row: str) -> list[str]:
    """What a row names, outermost first; nothing if it is no whole one."""
    try:
        found: Any = tomllib.loads(row)
    except tomllib.TOMLDecodeError:
        return []
    names = []
    while isinstance(found, dict) and len(found) == 1:
        ((name, found),) = found.items()
        names.append(name)
    return names
