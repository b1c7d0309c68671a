"""The deliverables by name: each is a function and a line of `DELIVERABLES`.

lines        lines/<id>.wav            each line, as many samples as its recording has
reel         reel.wav, stems/          all lines in their places, and by character, in stretches
edl, otio    reel.edl, reel.otio       where each line lies
reaper, aaf  session.rpp, session.aaf  the same beside the muted recordings, with markers
markers      markers.txt, .csv         what is to be looked at, for Pro Tools and Nuendo
dapt         dapt.xml                  the script as it was recorded
subtitles    subtitles.srt, .vtt, .ass when each is really said
timings      timings/<id>.TextGrid     words and phones of a line
words        words.csv                 all words on the reel
mouth        mouth/<id>.tsv, …         mouth cues
visemes      visemes/<id>.json, .csv   weights for a face, frame by frame
issues       preflight.xlsx            what was found before any work
retakes      retakes.xlsx              the lines that a person should look at
report       report.html, report/      all lines, to listen to
single       report.single.html        the same in one file, to be sent
"""

import shutil
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from moksori.alignment.textgrid import save_textgrid
from moksori.dubbing.deliver.aaf import write_aaf
from moksori.dubbing.deliver.dapt import Event, write_dapt
from moksori.dubbing.deliver.issue_list import PREFLIGHT, save_issues
from moksori.dubbing.deliver.markers import write_marker_table, write_marker_text
from moksori.dubbing.deliver.material import Material, Rendering
from moksori.dubbing.deliver.mix import Placed
from moksori.dubbing.deliver.mouth import mouth_cues, save_mouth
from moksori.dubbing.deliver.reaper import write_rpp
from moksori.dubbing.deliver.reel import render
from moksori.dubbing.deliver.report import Summary, write_report
from moksori.dubbing.deliver.retakes import (
    to_look_at,
    write_retakes,
)
from moksori.dubbing.deliver.spoken import spoken
from moksori.dubbing.deliver.subtitles import Cue, formats, write_subtitles
from moksori.dubbing.deliver.timeline import Word, write_edl, write_otio, write_words
from moksori.dubbing.deliver.visemes import save_visemes, visemes_by_frame
from moksori.messages import say


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
        material.reel = Rendering(partial(render, lines, spec.sample(spec.length), folder, spec))


def _edl(material: Material, folder: Path) -> None:
    if clips := material.clips():
        write_edl(folder / "reel.edl", clips, material.spec)


def _otio(material: Material, folder: Path) -> None:
    if clips := material.clips():
        write_otio(folder / "reel.otio", clips, material.spec)


def _reaper(material: Material, folder: Path) -> None:
    if clips := material.clips():
        gain = material.reel.gain if material.reel else 0.0
        path = folder / "session.rpp"
        write_rpp(path, clips, material.markers(), material.spec, gain, material.out)


def _aaf(material: Material, folder: Path) -> None:
    if clips := material.clips():
        gain = material.reel.gain if material.reel else 0.0
        waves = {row.take.id: wave for row, wave, _ in material.placed()}
        path = folder / "session.aaf"
        write_aaf(path, clips, material.markers(), material.spec, gain, waves, material.out)


def _markers(material: Material, folder: Path) -> None:
    if markers := material.markers():
        write_marker_text(folder / "markers.txt", markers, material.spec)
        write_marker_table(folder / "markers.csv", markers, material.spec)


def _dapt(material: Material, folder: Path) -> None:
    origin = material.spec.start_timecode
    events = [Event.of(row, start, origin) for row, _, start in material.placed()]
    if events:
        write_dapt(folder / "dapt.xml", events, material.spec)


def _subtitles(material: Material, folder: Path) -> None:
    origin = material.spec.start_timecode
    cues = [
        Cue(*spoken(row, start, origin), row.take.line.text, row.take.line.character)
        for row, _, start in material.placed()
    ]
    for kind in formats(cues) if cues else ():
        write_subtitles(folder / f"subtitles{kind}", cues)


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


def _visemes(material: Material, folder: Path) -> None:
    (folder / "visemes").mkdir()
    rate = material.spec.frame_rate
    for row in material.rows:
        if row.wave:
            found = visemes_by_frame(row.phones, row.take.seconds, rate)
            sound, start = f"../lines/{row.take.id}.wav", row.take.start
            code = "" if start is None else material.spec.timecode(start)
            save_visemes(folder / "visemes", row.take.id, found, sound, code, rate)


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
    loudness = _loudness(material)  # once the reel is there
    counts = Counter(row.status for row in material.rows)
    here = sorted(path.relative_to(folder).as_posix() for path in folder.iterdir())
    return Summary(
        lines=len(material.rows), converted=counts["converted"], passed=counts["passed"],
        failed=counts["failed"], to_look_at=sum(map(to_look_at, material.rows)),
        loudness=loudness, deliverables=here,
    )  # fmt: skip


def _loudness(material: Material) -> list[str]:
    """What was measured of the reel, in words."""
    if material.reel is None:
        return []
    reel, lang = material.reel.rendered, material.spec.lang
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


# In this order: what needs nothing of the reel while it is written, then its gain; the reports, which list
# the others, are the last.
DELIVERABLES = (
    Deliverable("lines", _lines),
    Deliverable("reel", _reel),
    Deliverable("edl", _edl),
    Deliverable("otio", _otio),
    Deliverable("markers", _markers),
    Deliverable("dapt", _dapt),
    Deliverable("subtitles", _subtitles),
    Deliverable("timings", _timings),
    Deliverable("words", _words),
    Deliverable("mouth", _mouth),
    Deliverable("visemes", _visemes),
    Deliverable("issues", _issues),
    Deliverable("retakes", _retakes),
    Deliverable("reaper", _reaper),
    Deliverable("aaf", _aaf),
    Deliverable("report", _report),
    Deliverable("single", _single),
)
