"""Where the commands print: results to `out`, everything else to `err`."""

import locale
import os
import re
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table

from moksori.messages import Lang, say
from moksori.stepwise import ShowSteps

if TYPE_CHECKING:
    from moksori.conversion.converter import Converter
    from moksori.dubbing.progress import Progress as JobProgress
    from moksori.dubbing.progress import Watch

_Step = TypeVar("_Step")
# Control characters, and marks that turn the direction of writing: a file's name may hold any.
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class _Console(Console):
    """A console on which no name can move the cursor, change colours or hide what it is."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """As its base's, what cannot be seen in a text shown by its code, and nothing cut off of a table's.

        Rich ends the rows of a cell with … in the place of their last letters wherever wide ones, as Hangul
        has them, leave a space at the end.
        """
        if isinstance(renderable, Table):
            for column in renderable.columns:
                column.overflow = "ellipsis" if column.no_wrap else "fold"
        for segment in super().render(renderable, options):
            if segment.control or not _UNSEEN.search(segment.text):
                yield segment
            else:
                yield Segment(_UNSEEN.sub(_code, segment.text), segment.style)


def _code(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


out = _Console(soft_wrap=True, highlight=False, markup=False)  # a name may look like markup
err = _Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
language: Lang = "en"  # of all that is printed; see `system_language`


def print_anywhere() -> None:
    """Let a terminal whose encoding has no Hangul show codes instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and not stream.encoding.lower().startswith("utf"):
            stream.reconfigure(errors="backslashreplace")


def system_language() -> Lang:
    """The language that MOKSORI_LANG asks for, or the system's: Korean, or else English."""
    names = ("MOKSORI_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
    said = next(filter(None, map(os.environ.get, names)), None) or locale.getlocale()[0] or ""
    return "ko" if said.casefold().startswith("ko") else "en"


def take_language(arguments: list[str]) -> None:
    """Let `--lang` stand before the command too: as the first option it becomes MOKSORI_LANG."""
    first = next((i for i, word in enumerate(arguments) if word.startswith("-")), len(arguments))
    match arguments[first:]:
        case ["--lang", lang, *rest]:
            pass
        case [word, *rest] if word.startswith("--lang="):
            lang = word.removeprefix("--lang=")
        case _:
            return
    os.environ["MOKSORI_LANG"] = lang
    arguments[first:] = rest


def asked_language(arguments: Sequence[str]) -> Lang | None:
    """The language that `--lang` asks for, also where the command line cannot be read for a fault."""
    asked = re.search(r"\0--lang[\0=](ko|en)(\0|$)", "\0".join(arguments))
    return cast(Lang, asked[1]) if asked else None


def set_language(lang: Lang) -> None:
    """Say errors in this language from now on."""
    global language
    language = lang


def show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,
    line: str | None = None,
) -> None:
    """Print a warning: ours as a line, libraries' with their place."""
    if notice := getattr(message, "notice", None):  # a recording's, which has both languages
        return warn(notice.say(language))
    where = "" if category.__module__.startswith("moksori.") else f"{filename}:{lineno}: "
    warn(f"{where}{message}")


def warn(text: str) -> None:
    """Print a warning in words."""
    err.print(f"{say('severity.warning', language)}: {text}", style="yellow", markup=False)


def progress(title: str) -> ShowSteps:
    """A progress bar of that title around an iteration, given it and its length."""

    def wrap(steps: Iterable[_Step], total: int) -> Iterable[_Step]:
        from rich.progress import track

        return track(steps, title, total=total, console=err, disable=total == 0)

    return wrap


@contextmanager
def resumable() -> Iterator[None]:
    """Within it Ctrl-C, of which Lightning makes an exit, ends with a word work that can be resumed."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        err.print(say("train.stopped", language), style="yellow", markup=False)
        raise typer.Exit(130) from None


def watching() -> "tuple[Watch, AbstractContextManager[None]]":
    """A watch that shows a bar a stage with the time left, and is cancelled by Ctrl-C within the context."""
    from rich.progress import Progress, TaskID

    from moksori.dubbing.progress import Cancelled, Watch

    bars = Progress(console=err)
    tasks: dict[str, TaskID] = {}

    def show(event: "JobProgress") -> None:
        if event.total == 0:
            return
        if event.stage not in tasks:
            tasks[event.stage] = bars.add_task(
                say(f"stage.{event.stage}", language), total=event.total
            )
        bars.update(tasks[event.stage], completed=event.done, total=event.total)

    watch = Watch(show)

    @contextmanager
    def context() -> Iterator[None]:
        before = signal.signal(signal.SIGINT, lambda *_: watch.cancel.set())
        try:
            with bars:
                yield
        except Cancelled:
            err.print(say("cli.stopped", language), style="yellow", markup=False)
            raise typer.Exit(130) from None
        finally:
            signal.signal(signal.SIGINT, before)

    return watch, context()


def print_licence(licence: str) -> None:
    """Print a model's licence."""
    err.print(say("cli.licence", language, licence=licence), style="dim", markup=False)


def print_use(
    converter: "Converter", voices: Iterable[str], lang: Lang, before: "set[str] | None" = None
) -> None:
    """Print under what licences and consents is converted, and what they allow; what was said before not."""
    from moksori.conversion.parts import said_of_use

    before = set() if before is None else before
    for row in said_of_use(converter, voices):
        if (what := say("cli.terms", lang, what=row)) not in before:
            err.print(what, style="dim", markup=False)
            before.add(what)


def print_aside(paths: Iterable[Path], lang: Lang) -> None:
    """Print where files went that somebody had changed."""
    for path in paths:
        code = "cli.aside_retakes" if path.name.startswith("retakes") else "cli.aside"
        err.print(say(code, lang, path=path), style="yellow", markup=False)
