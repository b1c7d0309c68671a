"""How long what fuzzes runs: a bounded run in each `make test`, `make fuzz` as long as one likes."""

import os


def examples(usual: int) -> int:
    """How many examples a fuzzing test tries; MOKSORI_FUZZ asks for another number."""
    return int(os.environ.get("MOKSORI_FUZZ", usual))
