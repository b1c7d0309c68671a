"""What worker processes share: imported by the server that they are forked from (`processes.py`), once.

Nothing here may begin a thread, nor open what a fork must not have twice.
"""

import os
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from moksori.dubbing.processes import WEIGHTS
from moksori.startup import importing, without_compiler

without_compiler()
with importing():
    for name in ("dubbing.work.engines", "dubbing.deliver.reel"):
        import_module(f"moksori.{name}")
    import torch

    from moksori.conversion.checkpoint import keep_weights

    torch.set_num_threads(1)
    for folder in filter(None, os.environ.get(WEIGHTS, "").split(os.pathsep)):
        with suppress(
            Exception
        ):  # whoever loads it says what is wrong with it; the server must begin
            keep_weights(Path(folder))
