"""Where the commands print: results to `out`, everything else to `err`."""

from collections.abc import Callable, Iterable

from rich.console import Console
from rich.progress import track

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


def progress(title: str) -> Callable[[Iterable, int], Iterable]:
    """A progress bar of that title around an iteration, given it and its length."""

    def wrap(steps: Iterable, total: int) -> Iterable:
        return track(steps, title, total=total, console=err, disable=total == 0)

    return wrap
