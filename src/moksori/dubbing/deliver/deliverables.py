"""The deliverables by name: each is a function and a line of `DELIVERABLES`.

lines        lines/<id>.wav            each line, as many samples as its recording has
reel         reel.wav, stems/          all lines in their places, and by character
edl, otio    reel.edl, reel.otio       where each line lies
subtitles    subtitles.srt, .vtt, .ass when each is really said
timings      timings/<id>.TextGrid     words and phones of a line
words        words.csv                 all words on the reel
mouth        mouth/<id>.tsv, …         mouth cues
issues       preflight.xlsx            what was found before any work
retakes      retakes.xlsx              the lines that a person should look at
report       report.html, report/      all lines, to listen to
single       report.single.html        the same in one file, to be sent
"""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from moksori.alignment.textgrid import save_textgrid
from moksori.config import Seconds
from moksori.dubbing.deliver.issue_list import PREFLIGHT, save_issues
from moksori.dubbing.deliver.mouth import mouth_cues, save_mouth
from moksori.dubbing.deliver.reel import Placed, Rendered, render
from moksori.dubbing.deliver.report import Summary, write_report
from moksori.dubbing.deliver.retakes import to_look_at, write_retakes
from moksori.dubbing.deliver.spec import DeliverySpec
from moksori.dubbing.deliver.subtitles import Cue, write_subtitles
from moksori.dubbing.deliver.timeline import Clip, Word, write_edl, write_otio, write_words
from moksori.dubbing.plan.issues import Issue
from moksori.dubbing.records import Dubbed
from moksori.messages import say


@dataclass(kw_only=True)
class Material:
    """What deliverables are made of.

    Attributes:
        rows: every line of the episode, in the script's order.
        issues: what preflight found.
        spec: of the delivery.
        rendered: what the reel measured, once it is written.
    """

    rows: Sequence[Dubbed]
    issues: Sequence[Issue]
    spec: DeliverySpec
    rendered: Rendered | None = None

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
                samples=self.spec.sample(row.take.seconds),
            )
            for row, _, start in self.placed()
        ]  # fmt: skip


class Deliverable(NamedTuple):
    """One kind of file, or several that belong together."""

    name: str
    write: Callable[
        [Material, Path], None
    ]  # into a folder; nothing where there is nothing to write


def _lines(material: Material, folder: Path) -> None:
    (folder / "lines").mkdir()
    for row in material.rows:
        if row.wave:
            shutil.copyfile(row.wave, folder / "lines" / f"{row.take.id}.wav")


def _reel(material: Material, folder: Path) -> None:
    spec = material.spec
    lines = [
        Placed(id=row.take.id, wave=wave, start=spec.sample(start), stem=row.take.line.character)
        for row, wave, start in material.placed()
    ]
    if lines:
        material.rendered = render(lines, spec.sample(spec.length), folder, spec)


def _edl(material: Material, folder: Path) -> None:
    if clips := material.clips():
        write_edl(folder / "reel.edl", clips, material.spec)


def _otio(material: Material, folder: Path) -> None:
    if clips := material.clips():
        write_otio(folder / "reel.otio", clips, material.spec)


def _subtitles(material: Material, folder: Path) -> None:
    """Of the lines whose words are known: from the first to the last; else all of the take."""
    cues = []
    for row, _, start in material.placed():
        begin, end = start, start + row.take.seconds
        if row.words:
            begin, end = start + row.words[0].begin, start + row.words[-1].end
        cues.append(Cue(begin, end, row.take.line.text, row.take.line.character))
    for kind in ("srt", "vtt", "ass") if cues else ():
        write_subtitles(folder / f"subtitles.{kind}", cues)


def _timings(material: Material, folder: Path) -> None:
    (folder / "timings").mkdir()
    for row in material.rows:
        if row.words:
            path = folder / "timings" / f"{row.take.id}.TextGrid"
            save_textgrid(path, row.words, row.phones, row.take.seconds)


def _words(material: Material, folder: Path) -> None:
    words = [
        Word(
            id=row.take.id,
            character=row.take.line.character,
            word=w.label,
            start=w.begin + start,
            end=w.end + start,
        )
        for row, _, start in material.placed()
        for w in row.words
    ]
    if words:
        write_words(folder / "words.csv", words, material.spec)


def _mouth(material: Material, folder: Path) -> None:
    (folder / "mouth").mkdir()
    for row in material.rows:
        if row.wave:
            cues = mouth_cues(row.phones, row.take.seconds)
            sound, fps = f"../lines/{row.take.id}.wav", float(material.spec.frame_rate.fps)
            save_mouth(folder / "mouth", row.take.id, cues, sound, fps)


def _issues(material: Material, folder: Path) -> None:
    spec = material.spec
    save_issues(folder / PREFLIGHT, material.issues, spec.lang, spec.date)


def _retakes(material: Material, folder: Path) -> None:
    write_retakes(folder / "retakes.xlsx", material.rows, material.spec)


def _report(material: Material, folder: Path) -> None:
    summary = _summary(material, folder)
    write_report(folder / "report.html", material.rows, summary, material.spec, single=False)


def _single(material: Material, folder: Path) -> None:
    summary = _summary(material, folder)
    write_report(folder / "report.single.html", material.rows, summary, material.spec)


def _summary(material: Material, folder: Path) -> Summary:
    counts = Counter(row.status for row in material.rows)
    here = sorted(path.relative_to(folder).as_posix() for path in folder.iterdir())
    return Summary(
        lines=len(material.rows), converted=counts["converted"], passed=counts["passed"],
        failed=counts["failed"], to_look_at=sum(map(to_look_at, material.rows)),
        loudness=_loudness(material), deliverables=here,
    )  # fmt: skip


def _loudness(material: Material) -> list[str]:
    """What was measured of the reel, in words."""
    reel, lang = material.rendered, material.spec.lang
    if reel is None:
        return []
    target = material.spec.loudness.name
    said = [
        say(
            "loudness.reel", lang, target=target, before=reel.before, after=reel.after,
            peak=reel.true_peak, gain=reel.gain,
        )
    ]  # fmt: skip
    if reel.limited:
        said.append(say("loudness.limited", lang, by=reel.limited))
    if not reel.within:
        said.append(say("loudness.missed", lang))
    return said


# In this order; the reports, which list the others, are the last.
DELIVERABLES = (
    Deliverable("lines", _lines),
    Deliverable("reel", _reel),
    Deliverable("edl", _edl),
    Deliverable("otio", _otio),
    Deliverable("subtitles", _subtitles),
    Deliverable("timings", _timings),
    Deliverable("words", _words),
    Deliverable("mouth", _mouth),
    Deliverable("issues", _issues),
    Deliverable("retakes", _retakes),
    Deliverable("report", _report),
    Deliverable("single", _single),
)
