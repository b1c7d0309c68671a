"""`moksori studio`: the director's page, on this machine."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from moksori.cli import console
from moksori.cli.console import err, out
from moksori.cli.options import LangOption, is_given
from moksori.errors import ConfigError, OutputError
from moksori.messages import say


def studio(
    context: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Argument(
            help="A job's folder, a new one, or a folder with a script and its recordings. Without it the "
            "page lists the jobs in --root."
        ),
    ] = None,
    root: Annotated[
        Path, typer.Option(help="The folder whose jobs the page may open and begin.")
    ] = Path("~/Moksori"),
    demo: Annotated[
        bool, typer.Option("--demo", help="Open the scene that comes with it.")
    ] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port that it listens on.")] = 7575,
    host: Annotated[
        str,
        typer.Option(help="Address that it listens on; other machines reach any but 127.0.0.1."),
    ] = "127.0.0.1",
    password: Annotated[
        str | None,
        typer.Option(
            envvar="MOKSORI_PASSWORD", help="Asked of other machines; needed with --host."
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="How many lines at a time; as many as there are cores."),
    ] = None,
    lang: LangOption = "ko",
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
) -> None:
    """Open Moksori Studio: cast, check, listen, mark, record again and deliver, in the browser.

    Nothing leaves this machine. The page works on the same job as `moksori dub`; closing it stops nothing.

    Example: moksori studio ep01
    """
    try:
        from moksori.studio.folders import demo_job
        from moksori.studio.guard import LOCAL, Access
        from moksori.studio.server import Server, listen
        from moksori.studio.session import Session
    except ModuleNotFoundError as error:
        if error.name not in ("starlette", "uvicorn", "anyio"):
            raise
        raise ConfigError.of("studio.not_installed") from None
    for place in filter(None, (folder, root)):
        if place.expanduser().is_file():
            raise OutputError.of("output.is_file", path=place)
    if host != LOCAL and not password:
        raise ConfigError.of("studio.password_needed")
    listening = listen(host, port)
    asked = console.language if is_given(context, "lang") else None
    access = Access(host=host, port=port, password=password if host != LOCAL else None, lang=asked)
    root = root.expanduser() if folder is None else folder.absolute().parent
    session = Session(root, workers)
    if demo:
        session.open(demo_job(session.root, console.language))
    elif folder is not None:
        session.open_folder(folder.absolute(), console.language)
    if asked and session.desk:
        session.save(lang=asked)  # as `moksori dub --lang` does
    if host == LOCAL:
        out.print(say("studio.open", console.language, link=access.link), markup=False)
    else:
        shown = {"link": access.link, "address": access.address}
        err.print(say("studio.open_to_all", console.language, **shown), markup=False)
    if browser:
        webbrowser.open(access.link)
    Server(session, access).run(sockets=[listening])
