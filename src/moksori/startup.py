"""A process of ours begins and ends sooner: commands and workers, not programs that import Moksori."""

import atexit
import gc
import sys
from types import ModuleType

_TABLES = "torch._meta_registrations"


def collect_seldom() -> None:
    """Spare the garbage collector what importing PyTorch makes: many objects, none of them garbage.

    To look through them at every 700 new ones, and once more at the end, took 0.5 s of a command.
    """
    gc.set_threshold(100_000, 50, 1000)
    atexit.register(gc.freeze)


def without_compiler() -> None:
    """Leave out of PyTorch what only `torch.compile` and `torch.export` need; of no effect once it is there.

    That is what each operation does to shapes alone, in Python: two fifths of PyTorch's import, and 65 MB
    of every process. Not for commands that train or export.
    """
    if "torch" not in sys.modules:
        sys.modules[_TABLES] = ModuleType(_TABLES)
