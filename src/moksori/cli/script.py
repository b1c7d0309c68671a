"""Scripts on the command line: the options of all commands that read one, and what its reader noticed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moksori.cli.console import err
from moksori.errors import ConfigError
from moksori.messages import Lang, say

if TYPE_CHECKING:
    from moksori.script.content import ScriptContent

_SHOWN = 40  # faults
ScriptArgument = typer.Argument(help="The script: .xlsx, .xls, .csv, .tsv, .srt, .ass or .vtt.")
FpsOption = Annotated[
    str | None,
    typer.Option(
        "--fps",
        help="Frames a second of the time codes: 23.976, 24, 25, 29.97, 29.97df, 30, 50, 59.94df, 60. "
        "Needed where the script counts frames (01:00:10:12); 29.97df otherwise.",
    ),
]
EpisodeOption = Annotated[
    str | None, typer.Option(help="Only this episode, of a script with several.")
]
ColumnsOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY=HEADER",
        help="Which column of the script's table is what, where that is not clear: --columns character=역할 "
        "--columns line=최종, or by its letter, line=D; =- for none. Keys, also in Korean: no, start, end, "
        "character, actor, line, directions, file, episode, scene, note.",
    ),
]
HiddenOption = Annotated[
    bool,
    typer.Option("--hidden", help="Read rows, and a column of lines, that the table hides too."),
]


def print_noticed(path: Path, content: "ScriptContent", lang: Lang = "en") -> None:
    """Print which columns are what, what was left out or chosen, and what is wrong in single lines."""
    print_understood(content, lang)
    for warning in content.warnings:
        err.print(
            f"{say('severity.warning', lang)}: {warning.say(lang)}", style="yellow", markup=False
        )
    for _, where, why in content.faults[:_SHOWN]:
        told = say("script.fault", lang, file=path, where=where, why=why)
        err.print(f"{say('severity.error', lang)}: {told}", style="red", markup=False)
    if (more := len(content.faults) - _SHOWN) > 0:
        err.print(say("script.more_faults", lang, number=more), style="red", markup=False)


def print_understood(content: "ScriptContent", lang: Lang = "en") -> None:
    """Print which columns are what, and which are not used."""
    for what in content.understood:
        err.print(what.say(lang), style="dim", markup=False)


def column_pairs(pairs: list[str] | None) -> dict[str, str] | None:
    """The headers by column that `--columns` names.

    Raises:
        ConfigError: not KEY=HEADER.
    """
    columns = {}
    for pair in pairs or ():
        key, sign, header = pair.partition("=")
        if not (key.strip() and sign and header.strip()):
            raise ConfigError(f"--columns {pair}: write KEY=HEADER, such as character=역할")
        columns[key.strip()] = header.strip()
    return columns or None
