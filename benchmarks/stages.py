"""Where the CPU seconds of a dubbing job go, by stage. Prints the table of docs/figures.md.

    python benchmarks/episode.py ../shared/corpus/emotiontts EPISODE --lines 64
    python benchmarks/stages.py EPISODE [--script script.ass --audio track.wav]

The job runs in this one process, reel and stems too, so that every second belongs to one stage of one thread.
CPU seconds hold on a busy machine too. A stage's seconds are its own: those of a stage within it are that
one's. What no stage has is `rest`. `conversion`, as a share, is what `moksori convert` does with a line:
features, model, vocoder, treble, room.
"""

import functools
import importlib
import json
import resource
import shutil
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Annotated, Any

import soundfile
import torch
import typer
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

# What is timed: the module, what of it (a function or Class.method), and the stage that it counts to.
_TIMED = (
    ("moksori.script.script", "read_script", "script and text"),
    ("moksori.text.front_end", "KOREAN.read", "script and text"),
    ("moksori.dubbing.task", "read_take", "read takes, digest"),
    ("moksori.signal.audio", "decode", "read takes, digest"),
    ("moksori.signal.audio", "check", "read takes, digest"),
    ("moksori.conversion.speech", "cut_speech", "cut and level speech"),
    ("moksori.signal.pitch", "f0", "F0 of takes"),
    ("moksori.signal.features", "log_mel", "mel"),
    ("moksori.conversion.converter", "Converter._convert_frames", "conversion model"),
    ("moksori.models.vocoder", "Vocoder.__call__", "vocoder"),
    ("moksori.conversion.treble", "with_treble", "treble"),
    ("moksori.conversion.speech", "place", "level and room"),
    ("moksori.conversion.converter", "Converter.convert", "conversion, rest"),
    ("moksori.dubbing.work.metrics", "of_recording", "metrics"),
    ("moksori.dubbing.work.metrics", "of_parts", "metrics"),
    ("moksori.dubbing.work.worker", "_embedding", "similarity"),
    ("moksori.conversion.slips", "worst_slip", "slips"),
    ("moksori.metrics.models", "WhisperASR.transcribe_line", "whisper"),
    ("moksori.dubbing.work.picture", "draw_line", "pictures"),
    ("moksori.signal.audio", "for_page", "report audio"),
    ("moksori.dubbing.work.worker", "_write_wave", "write lines"),
    ("moksori.dubbing.work.worker", "_write_about", "write lines"),
    ("moksori.dubbing.deliver.reel", "_reel", "reel and stems"),
    ("moksori.dubbing.deliver.reel", "_stem", "reel and stems"),
    ("moksori.dubbing.deliver.delivery", "deliver", "other deliverables"),
    ("moksori.dubbing.store", "Store.begin", "store"),
    ("moksori.dubbing.store", "Store.finish", "store"),
    ("moksori.dubbing.store", "Store.plan", "store"),
    ("moksori.dubbing.store", "Store.waiting", "store"),
    ("moksori.conversion.converter", "Converter.from_pretrained", "load models"),
)
_CONVERSION = (
    "cut and level speech", "F0 of takes", "mel", "conversion model", "vocoder", "treble",
    "level and room", "conversion, rest",
)  # fmt: skip


class Stages:
    """CPU seconds by stage; those of a stage within another are its own alone."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self._threads = threading.local()  # what each is at, and its CPU time at the last turn
        self._threads.open, self._threads.last = ["rest"], time.thread_time()

    def _turn(self) -> list[str]:
        """Count what has passed since the last turn of this thread; the stages it is within."""
        now, state = time.thread_time(), self._threads
        if not hasattr(state, "open"):
            state.open, state.last = ["rest"], 0.0
        self.seconds[state.open[-1]] += now - state.last
        state.last = now
        return state.open

    def timed(self, work: Callable[..., Any], stage: str) -> Callable[..., Any]:
        """`work`, its time counted to `stage`."""

        @functools.wraps(work)
        def run(*args: Any, **kwargs: Any) -> Any:
            self._turn().append(stage)
            self.calls[stage] += 1
            try:
                return work(*args, **kwargs)
            finally:
                self._turn().pop()

        return run

    def watch(self) -> None:
        """Time all of `_TIMED`, under whatever name a module has imported it."""
        for module, name, stage in _TIMED:
            home: Any = importlib.import_module(module)
            owner, _, attribute = name.rpartition(".")
            if owner:
                home = getattr(home, owner)
                found = home.__dict__.get(attribute)
                if isinstance(found, classmethod):
                    setattr(home, attribute, classmethod(self.timed(found.__func__, stage)))
                elif isinstance(home, type):
                    setattr(home, attribute, self.timed(getattr(home, attribute), stage))
                else:  # a frozen table of functions
                    object.__setattr__(home, attribute, self.timed(getattr(home, attribute), stage))
                continue
            work = getattr(home, attribute)
            timed = self.timed(work, stage)
            for other in [m for n, m in sys.modules.items() if n.startswith("moksori")]:
                for key, value in [*vars(other).items()]:
                    if value is work:
                        setattr(other, key, timed)

    def end(self) -> None:
        """Count what has passed since the last stage."""
        self._turn()


class Here(Executor):
    """Works in the thread that asks."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """As `Executor.submit`, done when it returns."""
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


class InProcess:
    """An engine that works in this process."""

    def __init__(self, setup: Any) -> None:
        from moksori.dubbing.work.worker import Worker

        self._worker = Worker(setup)

    def map(self, method: str, tasks: Iterable[Any]) -> Iterator[Any]:
        """As `Engine.map`."""
        from moksori.dubbing.work.engines import call

        for task in tasks:
            yield call(self._worker, method, task)

    def close(self) -> None:
        """As `Engine.close`."""


def main(
    episode: Path,
    script: str = "script.ass",
    audio: str = "track.wav",
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also written there, for scale.py.")
    ] = None,
) -> None:
    """Dub an episode into EPISODE/stages and print what each stage took."""
    for name in {module for module, _, _ in _TIMED}:
        importlib.import_module(name)
    from moksori.dubbing import job
    from moksori.dubbing.deliver import reel
    from moksori.dubbing.request import load_job

    torch.set_num_threads(1)
    threadpool_limits(1)
    imports, out = time.thread_time(), episode / "stages"
    shutil.rmtree(out, ignore_errors=True)  # of a run before; of no stage
    stages = Stages()
    stages.seconds["imports"] = imports
    stages.watch()
    reel._beside = lambda length: Here()
    asked = {
        "script": episode / script,
        "audio": episode / audio,
        "cast": episode / "cast.toml",
        "fps": "29.97df",
    }
    request = load_job(out).merged(asked).request()
    checked = job.check(request)
    result = job.dub(request, checked, out, lambda: InProcess(request.setup))
    stages.end()
    speech = sum(row.take.seconds for row in result.rows)
    if json_file:
        found = {"lines": len(result.rows), "speech": speech, "seconds": dict(stages.seconds)}
        json_file.write_text(json.dumps(found, indent=1))
    lines, total = len(result.rows), sum(stages.seconds.values())
    table = Table("stage", "calls", "CPU seconds", "share", "ms a second of takes")
    ordered = sorted(stages.seconds.items(), key=lambda row: -row[1])
    for stage, seconds in [*ordered, ("all", total)]:
        table.add_row(
            stage, str(stages.calls[stage] or ""), f"{seconds:.2f}", f"{seconds / total:.1%}",
            f"{1000 * seconds / speech:.1f}",
        )  # fmt: skip
    own = sum(stages.seconds[stage] for stage in _CONVERSION)
    Console(width=100).print(table)
    print(
        f"{lines} lines, {speech / 60:.1f} minutes of takes, reel of "
        f"{soundfile.info(out / 'reel.wav').duration / 60:.1f}; conversion {own / total:.1%} of the job, "
        f"{own / speech:.3f} of the takes' length; "
        f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
    )


if __name__ == "__main__":
    typer.run(main)
