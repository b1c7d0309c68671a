"""The floor of a conversion: arithmetic and traffic of each stage beside the machine's peaks. Prints a table.

    python benchmarks/floor.py [--seconds 10] [--threads 1] [--runs 7] [--vocoder wide]

A stage's FLOPs are those of its products, convolutions and Fourier transforms, two for each multiplication
and addition (PyTorch's `FlopCounterMode`; 2.5 n log2 n for a real transform of n). Its bytes are what each
operation reads and writes, as if nothing stayed in a cache. F0's network is counted from its ONNX graph. The
machine's peaks are a product of 2,048 × 2,048 and a copy of 256 MB, the least time of each of several. What
NumPy and SciPy do (cut, level, room) has a time alone.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
import typer
from rich.console import Console
from rich.table import Table
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from moksori.conversion import converter as path
from moksori.conversion.converter import Converter
from moksori.models.conversion import ConversionModel
from moksori.models.text_aligner import TextAligner
from moksori.processor import multiplies_bfloat16
from moksori.signal import audio
from moksori.weights import DEFAULT_VOCODER

_F0_RATE = 16000  # of SwiftF0
_MOVED = ("view", "t", "transpose", "slice", "select", "unsqueeze", "expand", "permute", "detach")


@dataclass
class Stage:
    """What is known of a stage, for the whole line."""

    seconds: float = math.inf  # the least of several runs
    flops: float = 0.0
    read_or_written: float = 0.0  # bytes


class Traffic(TorchDispatchMode):
    """Bytes that PyTorch's operations read and write, and the arithmetic of Fourier transforms."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes, self.flops = 0.0, 0.0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """As the operation, which is looked at."""
        given = func(*args, **(kwargs or {}))
        name = func._schema.name.removeprefix("aten::")
        if name not in _MOVED:
            tensors = [x for x in tree_leaves((args, kwargs, given)) if isinstance(x, torch.Tensor)]
            self.bytes += sum(x.numel() * x.element_size() for x in tensors)
        if name in ("_fft_r2c", "_fft_c2r"):
            real = args[0] if name == "_fft_r2c" else given
            n = real.shape[args[1][-1]]
            self.flops += real.numel() * 2.5 * math.log2(n)
        return given


def main(
    seconds: float = 10.0,
    threads: int = 1,
    runs: int = 7,
    vocoder: str = DEFAULT_VOCODER,
    recording: Path = Path("examples/demo.wav"),
) -> None:
    """Time the stages of a line, then count them in a run of its own."""
    torch.set_num_threads(threads)
    converter = Converter.from_pretrained(None, vocoder)
    line = audio.read(recording)
    count = round(seconds * line.sample_rate)
    times = -(-count // len(line.samples))
    wave = np.tile(line.samples, (times, 1))[:count]
    text = " ".join([recording.with_suffix(".txt").read_text(encoding="utf-8").strip()] * times)
    looped = audio.Recording(wave, line.sample_rate, line.subtype)
    stages: dict[str, Stage] = {}

    def convert() -> None:
        converter.convert(looped, text, converter.card.voices[0].name, max_seconds=seconds + 1)

    for run in range(runs + 1):
        spent: dict[str, float] = {}
        with _wrapped(converter, partial(_timed, spent)):
            began = time.perf_counter()
            convert()
            spent["all"] = time.perf_counter() - began
        for name, value in spent.items() if run else ():
            stage = stages.setdefault(name, Stage())
            stage.seconds = min(stage.seconds, value)
    with _wrapped(converter, lambda name, work: _counted(stages[name], work)):
        convert()
    f0 = stages["F0"]
    f0.flops, f0.read_or_written = _f0_network(line, count)
    _print(stages, seconds, threads)


@contextmanager
def _wrapped(
    converter: Converter, around: Callable[[str, Callable[[], Any]], Any]
) -> Iterator[None]:
    """Have each stage of a conversion go through `around`."""
    places: dict[str, tuple[Any, str]] = {
        "cut and level speech": (path, "cut_speech"),
        "mel": (path.features, "log_mel"),
        "F0": (path, "f0_of"),
        "aligner": (TextAligner, "align"),
        "decoder, twice": (ConversionModel, "decode"),
        "vocoder": (type(converter.vocoder), "forward"),
        "treble": (path, "with_treble"),
        "level, room": (path, "place"),
    }
    with ExitStack() as stack:
        for name, (owner, attribute) in places.items():
            own = getattr(owner, attribute)

            def through(*args: Any, _own: Any = own, _name: str = name, **kwargs: Any) -> Any:
                return around(_name, lambda: _own(*args, **kwargs))

            setattr(owner, attribute, through)
            stack.callback(setattr, owner, attribute, own)
        yield


def _timed(spent: dict[str, float], name: str, work: Callable[[], Any]) -> Any:
    began = time.perf_counter()
    try:
        return work()
    finally:
        spent[name] = spent.get(name, 0.0) + time.perf_counter() - began


def _counted(stage: Stage, work: Callable[[], Any]) -> Any:
    with Traffic() as traffic, FlopCounterMode(display=False) as counter:
        given = work()
    stage.flops += counter.get_total_flops() + traffic.flops
    stage.read_or_written += traffic.bytes
    return given


def _f0_network(line: audio.Recording, count: int) -> tuple[float, float]:
    """FLOPs and bytes of SwiftF0 for so many samples of a line, by what each node of its graph gives."""
    spec = find_spec("swift_f0")
    assert spec and spec.origin
    model = onnx.load(Path(spec.origin).with_name("model.onnx"))
    names = [name for node in model.graph.node for name in node.output]
    own = {output.name for output in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in own)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    wave = audio.resample(line.mono, line.sample_rate, _F0_RATE)
    wave = np.resize(wave, round(count * _F0_RATE / line.sample_rate)).astype(np.float32)
    given = {"audio": wave[None], "fmin": np.array(60, "f"), "fmax": np.array(700, "f")}
    known = {output.name: output for output in session.get_outputs()}
    values = dict(zip(known, session.run(list(known), given), strict=True)) | given
    values |= {x.name: onnx.numpy_helper.to_array(x) for x in model.graph.initializer}
    flops = moved = 0.0
    for node in model.graph.node:
        inputs = [values[name] for name in node.input if name]
        outputs = [values[name] for name in node.output]
        moved += sum(x.nbytes for x in (*inputs, *outputs))
        if node.op_type == "MatMul":
            flops += 2 * outputs[0].size * inputs[0].shape[-1]
        elif node.op_type == "Conv":
            flops += 2 * outputs[0].size * math.prod(inputs[1].shape[1:])
    return flops, moved


def _peaks() -> tuple[float, float, float]:
    """Products in float32 and bfloat16, FLOP a second, and a copy's bytes a second."""
    rates = []
    for kind in (torch.float32, torch.bfloat16):
        a = torch.randn(2048, 2048).to(kind)
        rates.append(2 * 2048**3 / _least(lambda a=a: a @ a))
    source = torch.zeros(2**26)
    target = torch.empty_like(source)
    return rates[0], rates[1], 2 * source.nbytes / _least(lambda: target.copy_(source))


def _least(work: Callable[[], Any], times: int = 7) -> float:
    best = math.inf
    for _ in range(times):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best


def _print(stages: dict[str, Stage], seconds: float, threads: int) -> None:
    single, half, copied = _peaks()
    table = Table(
        "stage", "ms a second of speech", "GFLOP", "GFLOP/s", "of float32's", "MB", "GB/s", "of a copy's"
    )  # fmt: skip
    whole = stages.pop("all")
    known = sum(stage.seconds for stage in stages.values())
    whole.flops = sum(stage.flops for stage in stages.values())
    whole.read_or_written = sum(stage.read_or_written for stage in stages.values())
    rest = Stage(seconds=whole.seconds - known)
    for name, stage in [*stages.items(), ("rest", rest), ("all", whole)]:
        cells = [name, f"{1000 * stage.seconds / seconds:.2f}"]
        for work, unit, peak in ((stage.flops, 1e9, single), (stage.read_or_written, 1e6, copied)):
            rate = work / stage.seconds
            cells += (
                [f"{work / seconds / unit:.3g}", f"{rate / 1e9:.3g}", f"{rate / peak:.0%}"]
                if work
                else [""] * 3
            )
        table.add_row(*cells)
    Console(width=120).print(table)
    used = "bfloat16 in decoder and vocoder" if multiplies_bfloat16() else "float32 alone"
    print(
        f"{threads} threads, {used}; products {single / 1e9:.0f} GFLOP/s in float32, {half / 1e9:.0f} in "
        f"bfloat16, a copy {copied / 1e9:.1f} GB/s. At float32's peak the arithmetic alone would take "
        f"{1000 * whole.flops / single / seconds:.1f} ms a second of speech, and the bytes at a copy's "
        f"{1000 * whole.read_or_written / copied / seconds:.1f}"
    )


if __name__ == "__main__":
    typer.run(main)
