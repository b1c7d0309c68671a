"""Commands begin without PyTorch's compiler, and give what they give with it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).parents[1]


def run(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.slow
def test_a_line_is_the_same_with_and_without_the_compiler(tmp_path):
    text = (ROOT / "examples" / "demo.txt").read_text(encoding="utf-8").strip()
    waves = []
    for name, first in (("without", ""), ("with", "import torch; ")):
        dest = tmp_path / f"{name}.wav"
        run(
            f"{first}from moksori.cli import main; main()", "convert",
            str(ROOT / "examples" / "demo.wav"), "--text", text, "--voice", "lmy", "-o", str(dest),
        )  # fmt: skip
        waves.append(soundfile.read(dest)[0])
    np.testing.assert_array_equal(*waves)


def test_what_the_compiler_needs_is_left_out_and_everything_else_is_there():
    said = run(
        "from moksori.startup import without_compiler; without_compiler(); import torch, sys;"
        "print(hasattr(sys.modules['torch._meta_registrations'], '_convert_out_params'),"
        "      torch.nn.LSTM(2, 3)(torch.ones(1, 4, 2))[0].shape)"
    )
    assert said.split(maxsplit=1) == ["False", "torch.Size([1, 4, 3])\n"]


def test_it_is_too_late_once_pytorch_is_there():
    said = run(
        "import torch, sys; from moksori.startup import without_compiler; without_compiler();"
        "print(len(vars(sys.modules['torch._meta_registrations'])) > 100)"
    )
    assert said == "True\n"


def test_nothing_is_collected_while_importing_and_as_usual_after():
    said = run(
        "import gc; from moksori.startup import importing\n"
        "with importing():\n"
        "    print(gc.isenabled()); kept = [[] for _ in range(5000)]\n"
        "print(gc.isenabled(), gc.get_freeze_count() > 5000, gc.get_threshold()[0] < 10000)"
    )
    assert said.splitlines() == ["False", "True True True"]
