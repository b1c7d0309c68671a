"""Scripts on the command line: which columns are what, and what its reader noticed."""

from pathlib import Path
from typing import TYPE_CHECKING

from moksori.cli import console
from moksori.cli.console import err
from moksori.errors import ConfigError
from moksori.messages import say

if TYPE_CHECKING:
    from moksori.script.content import ScriptContent

_SHOWN = 40  # faults


def print_noticed(path: Path, content: "ScriptContent") -> None:
    """Print which columns are what, what was left out or chosen, and what is wrong in single lines."""
    lang = console.language
    print_understood(content)
    asked = [content.question] if content.question else []
    for warning in [*content.warnings, *asked]:
        err.print(
            f"{say('severity.warning', lang)}: {warning.say(lang)}", style="yellow", markup=False
        )
    for _, where, why in content.faults[:_SHOWN]:
        notice = say("script.fault", lang, file=path, where=where, why=why)
        err.print(f"{say('severity.error', lang)}: {notice}", style="red", markup=False)
    if (more := len(content.faults) - _SHOWN) > 0:
        err.print(say("script.more_faults", lang, number=more), style="red", markup=False)


def print_understood(content: "ScriptContent") -> None:
    """Print which columns are what, and which are not used."""
    for what in content.understood:
        err.print(what.say(console.language), style="dim", markup=False)


def _unless_none(pairs: list[str] | None) -> list[str]:
    return [] if pairs is None or [pair.strip().casefold() for pair in pairs] == ["none"] else pairs


def column_pairs(pairs: list[str] | None) -> dict[str, str] | None:
    """The headers by column that `--columns` names; `none` alone takes back what was named before.

    Raises:
        ConfigError: not KEY=HEADER.
    """
    columns = {}
    for pair in _unless_none(pairs):
        key, sign, header = pair.partition("=")
        if not (key.strip() and sign and header.strip()):
            raise ConfigError.of("script.columns_form", given=pair)
        columns[key.strip()] = header.strip()
    return columns or None


def channel_pairs(pairs: list[str] | None) -> dict[str, str] | None:
    """The channels of a track by who speaks on them, as `--channels` names them; `mix` alone is everyone's.

    `none` alone takes back what was named before.

    Raises:
        ConfigError: neither NAME=CHANNEL nor mix.
    """
    from moksori.dubbing.plan.channels import EVERYONE, MIXED

    channels = {}
    for pair in _unless_none(pairs):
        who, _, which = pair.partition("=")
        if pair.strip().casefold() == MIXED:
            channels[EVERYONE] = MIXED
        elif who.strip() and which.strip():
            channels[who.strip()] = which.strip()
        else:
            raise ConfigError.of("channels.form", given=pair)
    return channels or None
