"""A voice learnt in a process of its own, which can be ended at once; PyTorch's threads survive no fork."""

import multiprocessing
import os
import signal
import threading
import traceback
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from moksori.config import OptimizerConfig, Seconds
from moksori.conversion.consents import Consent
from moksori.dubbing.progress import Progress, Stage, Watch
from moksori.errors import MoksoriError
from moksori.extras import extra
from moksori.messages import Message, message

_POLL: Seconds = 0.1  # between looks for a cancel


@dataclass(frozen=True, kw_only=True)
class Enrolment:
    """What is to be learnt, as `moksori enroll` is asked it.

    Attributes:
        name: of the voice.
        consent: of the person.
        spoken: a recording in which the person says the consent's sentence.
        folder: with `recordings/`, each with its text beside it; what is prepared goes there too.
        model: whose table the voice extends.
        packs: folder of the packs.
        replace: an enrolled voice of that name.
        schedule: of the training; that of `moksori enroll` if None.
    """

    name: str
    consent: Consent
    spoken: Path | None
    folder: Path
    model: Path
    packs: Path
    replace: bool
    schedule: OptimizerConfig | None = None

    @property
    def recordings(self) -> Path:
        """Where they lie."""
        return self.folder / "recordings"


def learn(asked: Enrolment, watch: Watch) -> dict[str, Any]:
    """Enrol a voice; what it was learnt from, and what was left out and why.

    Raises:
        MoksoriError: as `moksori.training.enrol.enroll`; files are named without their folder.
    """
    with extra("train"):
        from moksori.corpus.readers import read_voice
        from moksori.training.enrol import enroll
    try:
        done = enroll(
            asked.name, read_voice(asked.recordings, asked.name), asked.consent, asked.model,
            asked.folder / "work", asked.packs, replace=asked.replace, spoken=asked.spoken,
            progress=lambda stage, steps, total: watch.steps(Stage(stage), steps, total),
            optimizer=asked.schedule,
        )  # fmt: skip
    except MoksoriError as error:
        raise MoksoriError(_by_name(error.message, asked.folder)) from None
    return {
        "voice": asked.name, "lines": done.lines, "minutes": round(done.minutes, 1),
        "until": str(asked.consent.until),
        "left_out": [_by_name(why, asked.folder) for why in done.left_out],
    }  # fmt: skip


def _by_name(said: Message, folder: Path) -> Message:
    """The same with files below a folder by the names that a user knows."""

    def plain(value: Any) -> Any:
        if isinstance(value, Message):
            return _by_name(value, folder)
        inside = isinstance(value, str) and value.startswith(str(folder))
        return Path(value).name if inside else value

    return said._replace(values={key: plain(value) for key, value in said.values.items()})


def learn_apart(asked: Enrolment, watch: Watch) -> dict[str, Any]:
    """The same in a process of its own, which ends when the work is cancelled.

    Raises:
        MoksoriError: as `learn`, or the process died.
        Cancelled: the work was cancelled.
    """
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_run, args=(theirs, asked))
    process.start()
    theirs.close()
    try:
        while True:
            watch.check()
            alive = process.is_alive()
            if not ours.poll(_POLL):
                if alive:
                    continue
                raise MoksoriError.of("studio.enrol_died")
            said = ours.recv()
            if isinstance(said, Progress):
                watch.notify(said)
            elif isinstance(said, Message):
                raise MoksoriError(said)
            else:
                found: dict[str, Any] = said
                return found
    except EOFError:
        raise MoksoriError.of("studio.enrol_died") from None
    finally:
        ours.close()
        _end(process)


def _end(process: SpawnProcess) -> None:
    """End it at once, with its own workers; what it has written lies in a folder that is removed."""
    if process.pid is not None and hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):  # it has ended, or not yet begun
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()


def _run(pipe: Connection, asked: Enrolment) -> None:
    """The process: says how far it is, then what it found, or why it could not."""
    if hasattr(os, "setsid"):
        os.setsid()  # to be ended with its workers
    threading.Thread(target=_end_with_the_server, daemon=True).start()
    multiprocessing.set_start_method(
        None, force=True
    )  # of its workers: the system's, as a command's
    try:
        pipe.send(learn(asked, Watch(pipe.send)))
    except MoksoriError as error:
        pipe.send(error.message)
    except Exception as error:
        traceback.print_exc()
        why = " ".join(str(error).split())
        pipe.send(message("work.unexpected", kind=type(error).__name__, why=why))


def _end_with_the_server() -> None:
    """However that ends."""
    server = multiprocessing.parent_process()
    assert server is not None
    server.join()
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
