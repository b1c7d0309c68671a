"""`moksori listen`: a blind listening test, since no figure settles acting."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from moksori.cli import console
from moksori.cli.console import out
from moksori.cli.options import ForceOption, LangOption
from moksori.errors import ConfigError, OutputError
from moksori.messages import say

_QUESTIONS = {"natural": "listen.natural", "acting": "listen.acting", "mos": "listen.mos"}


def listen(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME=FOLDER…|ANSWERS.csv…",
            help="Evaluations (`moksori evaluate`) of the same lines, each with a name of its own, to make "
            "the page; or the files that its listeners saved, to count them.",
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The page, one .html file.")
    ] = None,
    lines: Annotated[
        int, typer.Option(min=1, help="Lines at most; two systems and 12 lines take 15 minutes.")
    ] = 12,
    lang: LangOption = "ko",
    title: Annotated[
        str, typer.Option(help="Title of the page, for its listeners.")
    ] = "듣기 평가 · listening test",
    force: ForceOption = False,
) -> None:
    """Make a blind listening test, or count its answers.

    The page asks which of two conversions is more natural and nearer to the actor's recording (A/B), and how
    natural each is (MOS, the recording hidden among them). It works offline, shuffles for each listener, and
    saves a CSV.

    Example: moksori listen before=eval1 after=eval2 -o listening.html

    Example: moksori listen listening_*.csv
    """
    from moksori.evaluation.listening import RECORDING, trials, verdicts, write_page

    named = [source for source in sources if "=" in source and not Path(source).is_file()]
    if len(named) not in (0, len(sources)):
        raise ConfigError.of("listen.both")
    if not named:
        heads = ("question", "system", "answers", "value", "interval")
        table = Table(*(say(f"listen.head.{head}", console.language) for head in heads))
        own = say("listen.recording", console.language)
        for found in verdicts([Path(source) for source in sources]):
            names = (own if name == RECORDING else name for name in found.systems)
            value, low, high = (
                f"{x:.2f}" if found.part == "mos" else f"{x:.0%}" for x in found.value
            )
            asked = _QUESTIONS.get(found.question)
            table.add_row(
                say(asked, console.language) if asked else found.question, " > ".join(names),
                str(found.answers), value, f"{low} – {high}",
            )  # fmt: skip
        out.print(table)
        return
    if output is None or output.suffix.lower() != ".html":
        raise ConfigError.of("listen.no_page")
    if output.exists() and not force:
        raise OutputError.of("output.exists", path=output)
    evaluations = {name: Path(folder) for name, folder in (row.split("=", 1) for row in named)}
    if len(evaluations) < len(named):
        raise ConfigError.of("listen.same_name")
    chosen = trials(evaluations, lines)
    write_page(chosen, output, title, console.language)
    systems, number = ", ".join(evaluations), len(chosen)
    done = say("listen.done", console.language, file=output, lines=number, systems=systems)
    out.print(done, markup=False)
