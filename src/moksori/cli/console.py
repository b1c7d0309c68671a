"""Where the commands print: results to `out`, everything else to `err`."""

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import Progress, TaskID, track

if TYPE_CHECKING:
    from moksori.dubbing.progress import Progress as JobProgress
    from moksori.dubbing.progress import Watch

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


def show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,
    line: str | None = None,
) -> None:
    """Print a warning: ours as a line, libraries' with their place."""
    where = "" if category.__module__.startswith("moksori.") else f"{filename}:{lineno}: "
    err.print(f"warning: {where}{message}", style="yellow", markup=False)


def progress(title: str) -> Callable[[Iterable[Any], int], Iterable[Any]]:
    """A progress bar of that title around an iteration, given it and its length."""

    def wrap(steps: Iterable[Any], total: int) -> Iterable[Any]:
        return track(steps, title, total=total, console=err, disable=total == 0)

    return wrap


def watching() -> "tuple[Watch, AbstractContextManager[None]]":
    """A watch that shows a bar a stage with the time left, and is cancelled by Ctrl-C within the context."""
    from moksori.dubbing.progress import Watch

    bars = Progress(console=err)
    tasks: dict[str, TaskID] = {}

    def show(event: "JobProgress") -> None:
        if event.total == 0:
            return
        if event.stage not in tasks:
            tasks[event.stage] = bars.add_task(event.stage.value, total=event.total)
        bars.update(tasks[event.stage], completed=event.done)

    watch = Watch(show)

    @contextmanager
    def context() -> Iterator[None]:
        before = signal.signal(signal.SIGINT, lambda *_: watch.cancel.set())
        try:
            with bars:
                yield
        finally:
            signal.signal(signal.SIGINT, before)

    return watch, context()
