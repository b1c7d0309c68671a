"""A process of ours begins and ends sooner: commands and workers, not programs that import Moksori."""

import atexit
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

_TABLES = "torch._meta_registrations"


@contextmanager
def importing() -> Iterator[None]:
    """Around imports of what needs PyTorch: no garbage is looked for, since they make none.

    What is there at the end is not looked through again. It took 0.2 s of PyTorch's import.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def end_at_once() -> None:
    """Do not look for garbage at the process's end, which frees it all anyway; it took 0.5 s."""
    atexit.register(gc.freeze)


def without_compiler() -> None:
    """Leave out of PyTorch what only `torch.compile` and `torch.export` need; of no effect once it is there.

    That is what each operation does to shapes alone, in Python: a fifth of PyTorch's import, and 10 MB of
    every process. Not for commands that train or export.
    """
    if "torch" not in sys.modules:
        sys.modules[_TABLES] = ModuleType(_TABLES)
