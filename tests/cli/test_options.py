"""Every command, argument and option teaches what it is for; what several commands share is declared once."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main
from rich.markup import render
from typer.models import OptionInfo

from moksori.cli import app, options

# Here an option of that name means something else: a vocoder's beginning and mels, a licence a set.
OWN_MEANING = {
    ("train conversion", "--from"),
    ("train vocoder", "--from"),
    ("train vocoder", "--model"),
    ("train recogniser", "--model"),
    ("prepare recordings", "--licence"),
    ("listen", "--title"),
    ("evaluate", "--asr"),
    ("studio", "--workers"),
}


def walk(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """All commands below one, with their names."""
    if children := getattr(command, "commands", None):
        for child, below in children.items():
            yield from walk(below, f"{name} {child}".strip())
    else:
        yield name, command


COMMANDS = dict(walk(typer.main.get_command(app)))
PARAMETERS = [
    (name, parameter)
    for name, command in COMMANDS.items()
    for parameter in command.params
    if parameter.name != "help"
]


def test_all_commands_are_there():
    assert {"convert", "dub", "text", "voices", "prepare script", "train vocoder"} <= set(COMMANDS)
    assert len(PARAMETERS) > 100


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_what_it_does(name):
    said = COMMANDS[name].help or ""
    assert len(said.split()) >= 8
    assert said.strip().splitlines()[0].rstrip().endswith(".")
    assert not re.search(r"\S\n\S", said)  # the terminal breaks paragraphs; only examples are rows


@pytest.mark.parametrize(
    ("command", "parameter"), PARAMETERS, ids=[f"{name} {p.name}" for name, p in PARAMETERS]
)
def test_an_argument_or_option_says_what_it_is(command, parameter):
    said = getattr(parameter, "help", None) or ""
    assert len(said.split()) >= 4, f"moksori {command}: {parameter.name}: {said!r}"
    assert said.endswith("."), f"moksori {command}: {parameter.name}: {said!r}"


def test_no_help_is_taken_for_markup():
    """Typer has Rich read helps, which takes `[…]` for a style and shows nothing of it."""
    helps = [command.help for command in COMMANDS.values()] + [p.help for _, p in PARAMETERS]
    assert not [said for said in helps if render(said).plain != said]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_told_its_language(name):
    assert "--lang" in {flag for parameter in COMMANDS[name].params for flag in parameter.opts}


@pytest.mark.parametrize("name", ["convert", "dub", "season", "voices", "evaluate", "export onnx"])
def test_what_uses_a_voice_can_be_told_for_what(name):
    """A consent may ask for both, and its message names them."""
    flags = {flag for parameter in COMMANDS[name].params for flag in parameter.opts}
    assert {"--purpose", "--title"} <= flags


def test_shared_options_are_declared_once():
    """A flag of `options.py` has one help text, wherever it is."""
    declared = [getattr(value, "__metadata__", ()) for value in vars(options).values()]
    texts = {info.help for about in declared for info in about if isinstance(info, OptionInfo)}
    shared = {
        flag
        for _, parameter in PARAMETERS
        if getattr(parameter, "help", None) in texts
        for flag in parameter.opts
    }
    assert {"--model", "--force", "--spell", "--c2pa", "--columns", "--retry-failed"} <= shared
    for flag in shared:
        said = {
            getattr(parameter, "help", None)
            for command, parameter in PARAMETERS
            if flag in parameter.opts and (command, flag) not in OWN_MEANING
        }
        assert len(said) == 1, flag
