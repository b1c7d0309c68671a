"""The command line. Each command only reads its arguments, calls the library and prints."""

import inspect
import re
import sys
import warnings
from typing import Annotated, NoReturn

import typer

from moksori import __version__
from moksori.cli import console, prepare, train
from moksori.cli.align import align
from moksori.cli.cast import cast
from moksori.cli.console import out, show_warning
from moksori.cli.convert import convert
from moksori.cli.direct import audition, change, mark
from moksori.cli.dub import dub
from moksori.cli.enroll import enroll
from moksori.cli.evaluate import evaluate
from moksori.cli.export import export_onnx
from moksori.cli.listen import listen
from moksori.cli.provenance import ledger, verify
from moksori.cli.season import season
from moksori.cli.studio import studio
from moksori.cli.text import text
from moksori.cli.tune import tune_conversion, tune_cotatron
from moksori.cli.usage import UsageError, show_usage, what_is_wrong
from moksori.cli.voices import revoke, voices
from moksori.errors import MoksoriError, reason_of
from moksori.messages import say
from moksori.startup import end_at_once, without_compiler

_LEARNING = (["train"], ["tune"], ["enroll"], ["export"])  # commands that need all of PyTorch

app = typer.Typer(
    no_args_is_help=True,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    help="Korean, script-guided voice conversion: a recorded line and its text in, the same acting "
    "in another voice out.",
)
_prepare = typer.Typer(
    no_args_is_help=True, help="Bring a corpus into the form that training reads."
)
_train = typer.Typer(no_args_is_help=True, help="Train a model; the same command resumes it.")
for name in ("emotiontts", "kss", "metadata", "librispeech", "script", "recordings"):
    _prepare.command(name)(getattr(prepare, f"prepare_{name}"))
for name in ("conversion", "cotatron", "recogniser", "vocoder"):
    _train.command(name)(getattr(train, f"train_{name}"))
_tune = typer.Typer(no_args_is_help=True, help="Search for good settings in short trainings.")
_tune.command("conversion")(tune_conversion)
_tune.command("cotatron")(tune_cotatron)
_export = typer.Typer(no_args_is_help=True, help="Write the models for other programs.")
_export.command("onnx")(export_onnx)
app.command()(convert)
app.command()(align)
app.command()(dub)
app.command()(season)
app.command()(studio)
app.command()(audition)
app.command()(mark)
app.command()(change)
app.command()(cast)
app.command()(voices)
app.command()(revoke)
app.command()(verify)
app.command()(ledger)
app.command()(enroll)
app.command()(text)
app.command()(evaluate)
app.command()(listen)
app.add_typer(_prepare, name="prepare")
app.add_typer(_train, name="train")
app.add_typer(_tune, name="tune")
app.add_typer(_export, name="export")


# Typer keeps the line breaks of docstrings, which a narrower terminal breaks again: paragraphs are one line.
for of in (app, _prepare, _train, _tune, _export):
    for command in of.registered_commands:
        said = inspect.cleandoc(
            command.help or (command.callback and command.callback.__doc__) or ""
        )
        command.help = re.sub(r"(?<=\S)\n(?=\S)", " ", said)


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)
    ] = False,
) -> None:
    if version:
        out.print(f"moksori {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; errors a user can fix become one line and exit code 2."""
    end_at_once()
    console.take_language(sys.argv)
    if sys.argv[1:2] not in _LEARNING:
        without_compiler()
    warnings.showwarning = show_warning
    console.print_anywhere()
    console.set_language(console.asked_language(sys.argv) or console.system_language())
    try:
        sys.exit(app(standalone_mode=console.language == "en"))  # Typer says its errors in English
    except UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # which is printed by now
            sys.exit(2)
        show_usage(error)
        _fail(what_is_wrong(error).say(console.language))
    except typer.Abort:
        sys.exit(1)
    except UnicodeEncodeError as error:
        _fail(say("cli.encoding", console.language, text=ascii(error.object)[:60]))
    except MoksoriError as error:
        _fail(error.say(console.language))
    except OSError as error:
        why = reason_of(error).say(console.language)
        _fail(f"{error.filename}: {why}" if error.filename else why)


def _fail(why: str) -> NoReturn:
    word = say("severity.error", console.language)
    console.err.print(f"{word}: {' '.join(why.split())}", style="red", markup=False)
    sys.exit(2)
