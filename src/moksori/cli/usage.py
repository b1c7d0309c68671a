"""Usage errors in Korean. In English they are Typer's own."""

import re
from typing import Any

import typer

from moksori.cli import console
from moksori.messages import Message, message, say

UsageError: Any = typer.BadParameter.__base__  # click's, or the copy of it within later Typers
_WORDS = {  # errors that have nothing but their words
    "usage.no_command": r"No such command '(?P<name>.*?)'\.",
    "usage.extra": r"Got unexpected extra arguments?(?:\(s\))? \((?P<names>.*)\)",
    "usage.no_value": r"Option '(?P<name>.*?)' requires ",
    "usage.takes_none": r"Option '(?P<name>.*?)' does not take a value",
}
_NEAREST = re.compile(r"Did you mean (.*)\?")


def show_usage(error: Any) -> None:
    """Print how a command is used, and where its options are explained."""
    if context := error.ctx:
        pieces = " ".join(context.command.collect_usage_pieces(context))
        command = context.command_path
        usage = say("usage.usage", console.language, command=command, pieces=pieces)
        console.err.print(usage, markup=False)
        console.err.print(say("usage.help", console.language, command=command), markup=False)


def what_is_wrong(error: Any) -> Message:
    """A usage error as a message of the catalogue; in Typer's words if it is none of the common ones."""
    kind = type(error).__name__
    if kind == "NoSuchOption":
        what = message("usage.no_option", name=error.option_name)
        return _with_nearest(what, ", ".join(sorted(error.possibilities or ())))
    if kind == "MissingParameter":
        return message("usage.missing", name=_name(error.param))
    if kind == "BadParameter":
        return _bad_value(error)
    for code, words in _WORDS.items():
        if found := re.match(words, error.message):
            nearest = _NEAREST.search(error.message)
            names = nearest[1].replace("'", "") if nearest else ""
            return _with_nearest(message(code, **found.groupdict()), names)
    return message("plain", text=error.format_message())


def _with_nearest(what: Message, names: str) -> Message:
    return message("usage.nearest", what=what, names=names) if names else what


def _name(parameter: Any) -> str:
    if parameter.param_type_name == "option":
        return " / ".join(parameter.opts)
    return str(parameter.metavar or parameter.name)


def _bad_value(error: Any) -> Message:
    from pydantic import ValidationError  # as in `files.load_toml`

    from moksori.files import explain

    if closed := re.fullmatch(r"\w+ '(.*)' is not readable\.", error.message, re.DOTALL):
        return message("file.unreadable", file=closed[1], why=message("system.forbidden"))
    cause = error.__cause__
    if error.param is None or not isinstance(cause, ValidationError):
        return message("plain", text=error.format_message())
    fault = cause.errors()[0]
    choices = error.param.type_descriptor.choices
    if choices and fault["type"] == "value_error":
        what = message("toml.one_of", expected=", ".join(map(str, choices)))
    else:
        what = explain(cause)
    given = f"{fault['input']!r:.60}"
    return message("toml.value", key=_name(error.param), what=what, given=given)
