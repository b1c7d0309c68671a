"""What deliverables are made of: what became of the lines, and the reel while it is written."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moksori.config import Decibels, Seconds
from moksori.dubbing.deliver.clips import Clip, Look, Marker
from moksori.dubbing.deliver.reel import Rendered
from moksori.dubbing.deliver.retakes import URGENT, reasons, severity, state, to_look_at
from moksori.dubbing.deliver.spec import DeliverySpec
from moksori.dubbing.plan.issues import Issue
from moksori.dubbing.records import Dubbed
from moksori.messages import say
from moksori.signal.decoders import inspect


class Rendering:
    """The reel and the stems, being written.

    Args:
        write: writes them, and calls what it is given with their gain as soon as that is known.
    """

    def __init__(self, write: Callable[[Callable[[Decibels], None]], Rendered]) -> None:
        self._gain = Future[Decibels]()
        self._pool = ThreadPoolExecutor(1)
        self._whole = self._pool.submit(copy_context().run, write, self._gain.set_result)

    @property
    def gain(self) -> Decibels:
        """Of reel and stems; waits until it is known.

        Raises:
            AudioError, OutputError: as `render`.
        """
        both: list[Future[Any]] = [self._gain, self._whole]
        wait(both, return_when=FIRST_COMPLETED)
        return self._gain.result() if self._gain.done() else self.rendered.gain

    @property
    def rendered(self) -> Rendered:
        """What was written; waits until all is.

        Raises:
            AudioError, OutputError: as `render`.
        """
        return self._whole.result()

    def close(self) -> None:
        """Wait for the threads, also where nobody wants what they make."""
        self._pool.shutdown()


@dataclass(kw_only=True)
class Material:
    """What deliverables are made of.

    Attributes:
        rows: every line of the episode, in the script's order.
        issues: what preflight found.
        spec: of the delivery.
        out: the job's folder, which all goes to.
        reel: what is written of the reel, in threads of its own, beside the other deliverables.
    """

    rows: Sequence[Dubbed]
    issues: Sequence[Issue]
    spec: DeliverySpec
    out: Path
    reel: Rendering | None = None

    def close(self) -> None:
        """Wait for the reel, also where nothing else can be delivered."""
        if self.reel:
            self.reel.close()

    def placed(self) -> Iterator[tuple[Dubbed, Path, Seconds]]:
        """The lines that lie on the reel, with their wave and where it begins."""
        for row in self.rows:
            if row.wave and row.take.start is not None:
                yield row, row.wave, row.take.start

    def clips(self) -> list[Clip]:
        """The same as clips of the reel."""
        return [
            Clip(
                id=row.take.id, character=row.take.line.character, text=row.take.line.text,
                wave=f"lines/{row.take.id}.wav", start=self.spec.sample(start),
                samples=self.spec.sample(row.take.seconds), source=row.take.audio,
                source_begin=row.take.begin / row.take.sample_rate,
                source_channel=row.take.channel, look=_look(row),
                channels=1 if row.status == "converted" else inspect(wave).channels,
            )
            for row, wave, start in self.placed()
        ]  # fmt: skip

    def markers(self) -> list[Marker]:
        """Of the lines that a person should look at; those that failed at the script's times."""
        spec, found = self.spec, list[Marker]()
        for row in filter(to_look_at, self.rows):
            line, start, seconds = row.take.line, row.take.start, row.take.seconds
            if row.status == "failed" and start is None and line.start is not None:
                start = line.start - spec.start_timecode
                seconds = line.end - line.start if line.end else 0.0
            if start is None or start < 0 or not spec.has_timecode(start):  # there is no such place
                continue
            said = [say(f"mark.{state(row)}", spec.lang)] if state(row) else []
            said += [row.mark.note] if row.mark and row.mark.note else []
            note = "; ".join(said + [" ".join(why.split()) for why in reasons(row, spec.lang)])
            found.append(
                Marker(
                    id=row.take.id, character=line.character, start=spec.sample(start),
                    samples=spec.sample(seconds), look=_look(row), note=note,
                )
            )  # fmt: skip
        return found


def _look(row: Dubbed) -> Look:
    if state(row) == "ok":
        return "ok"
    if not to_look_at(row):
        return ""
    return "retake" if state(row) == "retake" or severity(row) >= URGENT else "look"
