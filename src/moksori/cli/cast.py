"""`moksori cast`: the characters of a script, to be given voices."""

import tomllib
from pathlib import Path
from typing import Annotated

import typer

from moksori.cli import console
from moksori.cli.console import err, out
from moksori.cli.options import (
    ColumnsOption,
    EpisodeOption,
    FpsOption,
    HiddenOption,
    LangOption,
    ModelOption,
    ScriptArgument,
)
from moksori.cli.script import column_pairs, print_noticed
from moksori.errors import ConfigError, OutputError
from moksori.files import read_text
from moksori.messages import say
from moksori.weights import MODEL


def cast(
    script: Annotated[Path, ScriptArgument],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", help="The cast; what it lacks is added to one that is there."
        ),
    ] = Path("cast.toml"),
    episode: EpisodeOption = None,
    fps: FpsOption = None,
    columns: ColumnsOption = None,
    hidden: HiddenOption = False,
    model: ModelOption = None,
    lang: LangOption = None,
) -> None:
    """Write a first cast for a script: its characters, for you to give voices.

    Example: moksori cast ep01.xlsx -o cast.toml
    """
    from moksori.conversion.card import load_card
    from moksori.dubbing.plan.cast import first_cast, names_of_several, read_cast
    from moksori.dubbing.plan.speakers import with_prefixes
    from moksori.script.script import read_script
    from moksori.timecode import FrameRate
    from moksori.writing import atomic_write

    content = read_script(
        script,
        columns=column_pairs(columns),
        frame_rate=FrameRate.parse(fps) if fps else None,
        episode=episode,
        hidden=hidden,
    )
    print_noticed(script, content)
    lines = with_prefixes(content.lines)
    known = read_cast(output) if output.exists() else None
    if not output.parent.is_dir():
        raise OutputError.of("output.no_folder", path=output.parent)
    new = first_cast(lines, load_card(model or MODEL).voices, known)
    before = read_text(output, ConfigError, keep_ends=True) if known else ""
    if known and not new.strip():
        notice = say("cast.complete", console.language, file=output, script=script)
        out.print(notice, markup=False)
        return
    whole = f"{before.rstrip()}\n\n{new}" if before.strip() else new
    try:
        tomllib.loads(whole)
    except tomllib.TOMLDecodeError:
        raise ConfigError.of("cast.not_added", file=output) from None
    atomic_write(output, whole)
    code = "cast.added" if known else "cast.written"
    out.print(say(code, console.language, file=output), markup=False)
    together = [f"“{name}”" for name in names_of_several(lines) if not (known and known.find(name))]
    if together:
        notice = say("cast.several", console.language, names=", ".join(together))
        err.print(notice, style="yellow", markup=False)
