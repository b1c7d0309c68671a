"""What a job's deliveries say of themselves, and what its ledger says of the work."""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from moksori.conversion.converter import Converter
from moksori.conversion.parts import verdict_of
from moksori.conversion.terms import Commercial, together
from moksori.dubbing.deliver.material import Material
from moksori.dubbing.delivered import digest
from moksori.dubbing.records import HOME, Dubbed
from moksori.dubbing.task import Heard, Task
from moksori.errors import CheckpointError, VoiceError
from moksori.messages import Message
from moksori.provenance import ledger, manifest
from moksori.provenance.certificate import Certificate, certificate
from moksori.provenance.statement import LineSaid, Statement, read_statement, state, write_statement
from moksori.signal import bwf


@dataclass
class JobLedger:
    """The ledger of a job at work.

    Attributes:
        out: the job's folder.
        converter: of the job.
    """

    out: Path
    converter: Converter

    def note(self, task: Task, status: str, error: Message | None = None) -> None:
        """Note what became of a task, as soon as it did.

        Raises:
            OutputError: the ledger cannot be written.
        """
        what: ledger.What = "failed" if error or status == "failed" else "converted"
        what = "passed" if status == "passed" else what
        about = {"error": error.code} if error else self._made(task)
        ledger.append(self.out / HOME, what, {**self._of(task), **about})
        self._known.add(task.key)

    def complete(self, tasks: Iterable[Task]) -> None:
        """Note outcomes that are there without an entry: of a job that was killed, or of an older Moksori."""
        for task in tasks:
            if task.key not in self._known and task.about.is_file():
                ledger.append(self.out / HOME, "found", {**self._of(task), **self._made(task)})
                self._known.add(task.key)

    @cached_property
    def _known(self) -> set[str]:
        if not (self.out / HOME / ledger.LEDGER).is_file():
            return set()
        entries = ledger.check(self.out / HOME).entries
        return {str(entry.about.get("key")) for _, entry in entries if entry.what != "failed"}

    def _of(self, task: Task) -> dict[str, object]:
        return {"line": task.take.id, "key": task.key, "take": task.digest}

    def _made(self, task: Task) -> dict[str, object]:
        """By what a task was converted, to which voice, under which consent."""
        made = json.loads(task.about.read_text(encoding="utf-8"))
        about: dict[str, object] = {"status": made["status"], "sha256": made.get("sha256", "")}
        if made["status"] != "converted":
            return about
        converter = self.converter
        about |= {"voice": task.take.role.voice, "model": converter.card.sha256[:12],
                  "vocoder": converter.vocoder_card.sha256[:12]}  # fmt: skip
        if listener := converter.listener:
            about["recogniser"] = listener.card.sha256[:12]
        try:
            if reference := converter.target(task.take.role.voice).reference:
                about["consent"] = reference
        except (VoiceError, CheckpointError) as error:  # revoked while it was converted
            about["consent"] = error.message.code
        usage = converter.usage
        if usage.purpose:
            about["purpose"] = usage.purpose
        if usage.title:
            about["title"] = usage.title
        return about


@dataclass
class Proof:
    """Writes into each delivered WAV what it is, signs it if that was asked for, and notes it in the ledger.

    Attributes:
        out: the job's folder.
        converter: of the job.
        heard: what was measured of the takes, by line.
        c2pa: whether WAVs are signed.
        watermark: whether conversions carry a watermark.
    """

    out: Path
    converter: Converter
    heard: Mapping[str, Heard]
    c2pa: bool = False
    watermark: bool = False

    def __post_init__(self) -> None:
        self._by: Certificate | None = certificate() if self.c2pa else None
        self._earlier: dict[Path, Statement | None] = {}

    def __call__(self, material: Material, folder: Path) -> Callable[[], object]:
        """See to all WAVs that were written for a delivery.

        Returns:
            Notes the delivery in the ledger, once all is in its place.

        Raises:
            OutputError: one cannot be written, or the ledger cannot.
        """
        rows = {row.take.id: row for row in material.rows if row.wave}
        on_reel = [row for row, _, _ in material.placed()]
        lines = {id: self._line(row) for id, row in rows.items()}
        whole = state(self.converter, tuple(lines.values()), material.spec.title, self.watermark)
        verdicts = self._verdicts(rows)

        def mark(path: Path) -> tuple[str, str]:
            name = path.relative_to(folder).as_posix()
            within = self._within(name, path, material, rows, on_reel)
            said = whole.about(tuple(lines[row.take.id] for row in within))
            own = [verdicts[row.take.id] for row in within if row.take.id in verdicts]
            said = said.model_copy(update={"commercial": together(own)})
            if name.startswith("lines/") and len(within) == 1:
                _with_time(path, within[0], material)
            self._mark(path, said)
            return name, digest(path)

        with ThreadPoolExecutor(os.cpu_count()) as pool:  # most of it is copying
            paths = sorted(folder.rglob("*.wav"))
            marked = [pool.submit(copy_context().run, mark, path) for path in paths]
            files = dict(each.result() for each in marked)
        use = together(verdicts.values())
        summary = {"files": files, "commercial": use, "c2pa": self.c2pa}
        return partial(ledger.append, self.out / HOME, "delivered", summary)

    def _within(
        self,
        name: str,
        path: Path,
        material: Material,
        rows: Mapping[str, Dubbed],
        reel: list[Dubbed],
    ) -> list[Dubbed]:
        """The lines that a file holds: one, those of a stem's file, or all."""
        if name.startswith("lines/") and path.stem in rows:
            return [rows[path.stem]]
        held = material.reel.rendered.held.get(path) if material.reel else None
        return reel if held is None else [row for row in reel if row.take.id in held]

    def _line(self, row: Dubbed) -> LineSaid:
        converted, heard = row.status == "converted", self.heard.get(row.take.id)
        earlier = None if converted else self._said_before(row.take.audio)
        return LineSaid(
            id=row.take.id, take=heard.digest if heard else "", converted=converted,
            voice=row.take.role.voice if converted else "",
            before=earlier.summary if earlier and earlier.converted else "",
        )  # fmt: skip

    def _verdicts(self, rows: Mapping[str, Dubbed]) -> dict[str, Commercial]:
        """Whether each line may be used commercially; without recordings, which are not ours to judge."""
        voices = {row.take.role.voice for row in rows.values() if row.status == "converted"}
        of = {
            name: verdict_of(self.converter, self.converter.target(name).consent) for name in voices
        }
        found: dict[str, Commercial] = {}
        for id, row in rows.items():
            if row.status == "converted":
                found[id] = of[row.take.role.voice]
            elif (earlier := self._said_before(row.take.audio)) and earlier.converted:
                found[id] = earlier.commercial
        return found

    def _said_before(self, recording: Path) -> Statement | None:
        """What a recording says of itself, which may have been converted before it came here."""
        if recording not in self._earlier:
            self._earlier[recording] = read_statement(recording)[0]
        return self._earlier[recording]

    def _mark(self, path: Path, said: Statement) -> None:
        write_statement(path, said)
        if self._by:
            manifest.sign(path, said, self._by)


def _with_time(path: Path, row: Dubbed, material: Material) -> None:
    """Where a line lies on the reel, for editors: without this its file says nothing of it."""
    spec, take = material.spec, row.take
    bwf.write_bext(
        path,
        bwf.Broadcast(
            description="", date=spec.date,
            start=0 if take.start is None else spec.reference(take.start, take.sample_rate),
            frame_rate=spec.frames_a_second, drop_frame=spec.frame_rate.drop,
            project=spec.title, scene=take.line.character, take=(take.line.no and str(take.line.no)) or "",
        ),
    )  # fmt: skip
