import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "slow"),
    [
        pytest.param(
            "moksori.dubbing.work.engines",
            {"scipy", "matplotlib", "jinja2", "openpyxl", "opentimelineio", "rich", "typer"},
            id="engines",  # half of the time until a worker's first line
        ),
        # PyTorch is to be imported by the actor, without its compiler.
        pytest.param("moksori.dubbing.work.ray_actor", {"torch", "numpy"}, id="ray_actor"),
    ],
)
def test_a_worker_begins_without_what_it_does_not_need(module, slow):
    code = f"import sys, {module}; print(*sorted({slow} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
