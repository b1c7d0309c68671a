"""`moksori verify` and `moksori ledger`: where a file came from, and what a job has done."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from moksori.cli import console
from moksori.cli.console import err, out
from moksori.cli.options import JobArgument, LangOption, ModelOption, PacksOption

_SHOWN = ("line", "voice", "consent", "purpose", "title", "error")


def verify(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="Sound files, anywhere or in a job.")
    ],
    model: ModelOption = None,
    packs: PacksOption = None,
    lang: LangOption = None,
) -> None:
    """Show all that is known about where a file came from.

    Converted from which take, to which voice, under which consent, by which model (bext, iXML); whether its
    C2PA signature holds; whether it carries the watermark; what the ledger of its job says of it.

    A consent that has ended, or that was revoked as far as this machine knows (of voices in --packs and in
    your own folder, and of --model), is reported; the exit code does not depend on it.

    Exit code 0 if every file says what it is and nothing contradicts that, else 1.

    Example: moksori verify ep01/reel.wav --lang en
    """
    from moksori.provenance.verify import verify as find_out

    good = True
    for path in files:
        found = find_out(path, model, packs)
        good = good and found.statement is not None and not found.contradicted
        out.print(f"{path}", style="red" if found.contradicted else "bold", markup=False)
        for row in found.said():
            out.print(f"  {row.say(console.language)}", markup=False)
    raise typer.Exit(0 if good else 1)


def ledger(
    job: JobArgument,
    head: Annotated[
        str,
        typer.Option(metavar="HASH", help="A last hash that was noted before: it has to be there."),
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the entries as JSON, one a line.")
    ] = False,
    lang: LangOption = None,
) -> None:
    """Read a job's ledger (who converted what, when, under which consent) and check it for changes.

    Note the last hash outside of the job, such as in the mail that goes with the delivery; --head compares it
    later. Exit code 1 if a line was changed, taken out, put in or moved; the lines are named.

    Example: moksori ledger ep01/ --lang en
    """
    from moksori.dubbing.records import HOME
    from moksori.messages import say
    from moksori.provenance.ledger import check

    found = check(job / HOME, head)
    if as_json:
        for _, entry in found.entries:
            out.print(json.dumps(entry.model_dump(), ensure_ascii=False), markup=False)
    else:
        table = Table(
            "", *(say(f"ledger.{name}", console.language) for name in ("at", "by", "what", "about"))
        )
        for line, entry in found.entries:
            about = [
                f"{say(f'ledger.key.{key}', console.language)} {entry.about[key]}"
                for key in _SHOWN if entry.about.get(key)
            ]  # fmt: skip
            if files := entry.about.get("files"):
                about.append(say("ledger.files", console.language, number=len(files)))
            cells = (
                str(line),
                entry.at,
                entry.by,
                say(f"ledger.{entry.what}", console.language),
                ", ".join(about),
            )
            table.add_row(*map(Text, cells))
        out.print(table)
    for fault in found.faults:
        err.print(fault.say(console.language), style="red", markup=False)
    if not found.faults:
        err.print(
            say("ledger.whole", console.language, number=len(found.entries), head=found.head),
            markup=False,
        )
    raise typer.Exit(1 if found.faults else 0)
