"""`moksori text`: how the front end reads a line or a whole script, for those who check readings."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from moksori.cli import console
from moksori.cli.console import err, out
from moksori.cli.options import (
    ColumnsOption,
    EpisodeOption,
    HiddenOption,
    LangOption,
    LexiconOption,
    SpellOption,
)
from moksori.cli.script import column_pairs, print_noticed
from moksori.errors import ConfigError, TextError
from moksori.messages import Lang, message, say


def text(
    line: Annotated[
        str | None, typer.Argument(help="A line; or leave it out and give --file.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            help="A script, as `moksori dub` takes it, or .txt with a line a row; - for standard input."
        ),
    ] = None,
    column: Annotated[
        str | None,
        typer.Option(help="Column of the lines in a table; short for --columns line=HEADER."),
    ] = None,
    columns: ColumnsOption = None,
    episode: EpisodeOption = None,
    hidden: HiddenOption = False,
    lexicon: LexiconOption = None,
    check: Annotated[
        bool, typer.Option("--check", help="Print only what a person should look at.")
    ] = False,
    spell: SpellOption = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, for other programs.")
    ] = False,
    lang: LangOption = None,
) -> None:
    """Show how lines are read: plain Hangul, pronunciation, phones, directions, readings in doubt.

    Example: moksori text "(웃음) 3시에 TV 보자~" — or a whole script: moksori text --file script.xlsx --check
    """
    lang = console.language
    from moksori.files import decode
    from moksori.script.script import read_script
    from moksori.text.lexicon import load_lexicon

    if (line is None) == (file is None):
        raise ConfigError.of("cli.text.either")
    load_lexicon(lexicon)  # its errors are not the first line's
    faults = unread = doubtful = 0
    if file is None:
        rows = [("1", line or "")]
    elif str(file) == "-":
        said = decode(sys.stdin.buffer.read(), "standard input")
        rows = [(str(n), row) for n, row in enumerate(said.splitlines(), 1)]
    else:
        content = read_script(
            file, column, columns=column_pairs(columns), episode=episode, only=(), hidden=hidden
        )
        print_noticed(file, content)
        faulty = content.faulty
        unread = faults = len(faulty)
        rows = [(row.place.say(lang), row.text) for row in content.lines if row.place not in faulty]
    rows = [(place, row) for place, row in rows if row.strip() or line is not None]
    for place, row in rows:
        readable, doubts = _print_reading(place, row, check, spell, lexicon, lang, as_json)
        faults += not readable
        doubtful += bool(doubts)
    if faults:
        raise TextError(message("cli.text.faults", faults=faults, lines=len(rows) + unread), "")
    if check:
        err.print(say("cli.text.look", lang, doubtful=doubtful, lines=len(rows)), style="dim")


def _print_reading(
    place: str,
    row: str,
    check: bool,
    spell: bool,
    lexicon: Path | None,
    lang: Lang,
    as_json: bool,
) -> tuple[bool, int]:
    """Print one line's reading; whether it could be read, and how many readings are in doubt."""
    from moksori.text import read

    try:
        reading = read(row, spell, lexicon)
    except TextError as error:
        why = error.say(lang)
        if as_json:
            found = {"row": place, "original": row, "error": why}
            out.print_json(json.dumps(found), indent=None)
        else:
            out.print(f"{place}: {row}\n  {say('cli.text.error', lang)}: {why}", markup=False)
        return False, 0
    if check and not reading.doubts:
        return True, 0
    if as_json:
        out.print_json(json.dumps({"row": place, **reading.to_dict()}), indent=None)
        return True, len(reading.doubts)
    out.print(f"{place}: {row}", markup=False)
    if not check:
        for name, value in (
            ("read", reading.normalized),
            ("spoken", reading.pronounced),
            ("phones", " ".join(reading.phones)),
        ):
            out.print(f"  {say(f'cli.text.{name}', lang):<7}{value}", markup=False)
        for event in reading.events:
            kind = message(f"cli.text.{event.kind}")
            notice = say(
                "cli.text.event", lang, kind=kind, text=event.text, number=event.offset + 1
            )
            out.print(f"  {notice}", markup=False)
    for doubt in reading.doubts:
        out.print(f"  {doubt.say(lang)}", markup=False)
    return True, len(reading.doubts)
