"""What a job hands over: lines, reel and stems, timelines, subtitles, timings, mouth cues, report, retakes.

OUT/lines/<id>.wav            each line, as many samples as its recording has
OUT/reel.wav, OUT/stems/      all lines in their places, and by character
OUT/reel.edl, reel.otio       where each line lies
OUT/subtitles.srt, .vtt, .ass when each is really said
OUT/timings/<id>.TextGrid     words and phones of a line; OUT/words.csv has all words on the reel
OUT/mouth/<id>.tsv, …         mouth cues
OUT/report.html, retakes.xlsx what to look at; OUT/preflight.xlsx what was found before any work
"""

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from moksori.alignment.textgrid import save_textgrid
from moksori.config import Seconds
from moksori.dubbing.deliver.issue_list import save_issues
from moksori.dubbing.deliver.mouth import mouth_cues, save_mouth
from moksori.dubbing.deliver.reel import Delivery, Placed, Rendered, render
from moksori.dubbing.deliver.report import Summary, write_report
from moksori.dubbing.deliver.retakes import to_look_at, write_retakes
from moksori.dubbing.deliver.subtitles import Cue, write_subtitles
from moksori.dubbing.deliver.timeline import Clip, Word, write_edl, write_otio, write_words
from moksori.dubbing.plan.issues import Issue
from moksori.dubbing.records import HOME, Dubbed
from moksori.dubbing.store import Store
from moksori.errors import OutputError
from moksori.messages import Lang, say
from moksori.signal.loudness import TARGETS
from moksori.timecode import FrameRate, format_timecode

Progress = Callable[[Iterable, int], Iterable]
_FORMAT = 1  # raised when the same job would be handed over otherwise


@dataclass(frozen=True)
class Order:
    """What is to be handed over.

    Attributes:
        title: of the job.
        script: its file's name.
        date: of the script, so that the same job gives the same bytes.
        frame_rate: frames of the time codes.
        origin: time code at which the reel begins.
        length: of the reel at least.
        sample_rate: of reel and stems.
        loudness: a name of `loudness.TARGETS`.
        lang: of report and retakes.
        model: and its licence, in one line.
    """

    title: str
    script: str
    date: datetime
    frame_rate: FrameRate
    origin: Seconds
    length: Seconds
    sample_rate: int
    loudness: str
    lang: Lang
    model: str

    def timecode(self, time: Seconds) -> str:
        """Of a place on the reel."""
        return format_timecode(self.origin + time, self.frame_rate)


def deliver(
    rows: Sequence[Dubbed],
    issues: Sequence[Issue],
    order: Order,
    state: Store,
    progress: Progress = lambda steps, total: steps,
) -> list[Path]:
    """Make all files beside the old ones, then put them in their place, if anything is new.

    Files of an earlier delivery that this one no longer has are deleted; files that are not the job's
    are never touched.

    Returns:
        Where files went that somebody has changed since the last delivery: out of the way.

    Raises:
        OutputError: a place cannot be written to, or holds somebody else's file.
    """
    signature = _signature(rows, issues, order)
    if state.about("delivery") == signature and all(
        (state.out / f).exists() for f in state.files()
    ):
        return []
    new = state.out / HOME / "delivery"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    placed = [row for row in rows if row.wave and row.take.start is not None]
    save_issues(new / "preflight.xlsx", issues, order.lang, order.date)
    for step in progress(_steps(rows, placed, order, new), 6):
        step()
    state.set_about("delivery", "")
    paths = sorted(path.relative_to(new).as_posix() for path in new.rglob("*") if path.is_file())
    aside = state.reserve({path: new / path for path in paths})
    for path in sorted(paths, key=lambda path: not path.endswith(".xlsx")):  # perhaps open in Excel
        (state.out / path).parent.mkdir(exist_ok=True)
        try:
            (new / path).replace(state.out / path)
        except OSError as error:
            raise OutputError(
                f"{state.out / path}: cannot be replaced ({error.strerror}); is it open in another "
                "program? close it, and start the job again"
            ) from None
    state.commit(paths)
    shutil.rmtree(new)
    state.set_about("delivery", signature)
    return aside


def _steps(
    rows: Sequence[Dubbed], placed: Sequence[Dubbed], order: Order, new: Path
) -> list[Callable[[], None]]:
    rendered: list[Rendered] = []

    def reel() -> None:
        if placed:
            rendered.append(_reel(placed, order, new))

    return [
        lambda: _lines(rows, new / "lines"),
        reel,
        lambda: _timelines(placed, order, new),
        lambda: _timings(rows, order, new),
        lambda: _mouths(rows, order, new / "mouth"),
        lambda: _papers(rows, order, new, rendered),
    ]


def _lines(rows: Sequence[Dubbed], folder: Path) -> None:
    folder.mkdir()
    for row in rows:
        if row.wave:
            shutil.copyfile(row.wave, folder / f"{row.take.id}.wav")


def _reel(placed: Sequence[Dubbed], order: Order, folder: Path) -> Rendered:
    fps = order.frame_rate.fps
    delivery = Delivery(
        order.title, order.date, order.sample_rate, TARGETS[order.loudness], order.origin,
        f"{fps.numerator}/{fps.denominator}", order.frame_rate.drop,
    )  # fmt: skip
    lines = [
        Placed(row.take.id, _wave(row), _sample(row, order), row.take.line.character)
        for row in placed
    ]
    return render(lines, round(order.length * order.sample_rate), folder, delivery)


def _wave(row: Dubbed) -> Path:
    assert row.wave is not None
    return row.wave


def _sample(row: Dubbed, order: Order) -> int:
    """Where a line's first sample lies on the reel."""
    assert row.take.start is not None
    return round(row.take.start * order.sample_rate)


def _timelines(placed: Sequence[Dubbed], order: Order, folder: Path) -> None:
    """EDL and OTIO of the placed lines, and subtitles of those whose words are known or whose place is."""
    if not placed:
        return
    clips, cues = [], []
    for row in placed:
        take, line = row.take, row.take.line
        samples = round(take.seconds * order.sample_rate)
        clips.append(
            Clip(
                take.id,
                line.character,
                line.text,
                f"lines/{take.id}.wav",
                _sample(row, order),
                samples,
            )
        )
        begin, end = _said(row)
        cues.append(Cue(begin, end, line.text, line.character))
    write_edl(
        folder / "reel.edl", order.title, clips, order.frame_rate, order.sample_rate, order.origin
    )
    write_otio(folder / "reel.otio", order.title, clips, order.sample_rate, order.origin)
    for kind in ("srt", "vtt", "ass"):
        write_subtitles(folder / f"subtitles.{kind}", cues)


def _said(row: Dubbed) -> tuple[Seconds, Seconds]:
    """When a placed line is said, on the reel; all of its take where that is not known."""
    start = row.take.start or 0.0
    if not row.words:
        return start, start + row.take.seconds
    return start + row.words[0].begin, start + row.words[-1].end


def _timings(rows: Sequence[Dubbed], order: Order, folder: Path) -> None:
    aligned = [row for row in rows if row.words]
    (folder / "timings").mkdir()
    for row in aligned:
        path = folder / "timings" / f"{row.take.id}.TextGrid"
        save_textgrid(path, row.words, row.phones, row.take.seconds)
    words = [
        Word(row.take.id, row.take.line.character, w.label, w.begin + start, w.end + start)
        for row in aligned
        if (start := row.take.start) is not None
        for w in row.words
    ]
    if words:
        write_words(folder / "words.csv", words, order.frame_rate, order.origin)


def _mouths(rows: Sequence[Dubbed], order: Order, folder: Path) -> None:
    folder.mkdir()
    for row in rows:
        if row.wave:
            cues = mouth_cues(row.phones, row.take.seconds)
            sound = f"../lines/{row.take.id}.wav"
            save_mouth(folder, row.take.id, cues, sound, float(order.frame_rate.fps))


def _papers(
    rows: Sequence[Dubbed], order: Order, folder: Path, rendered: Sequence[Rendered]
) -> None:
    write_retakes(
        folder / "retakes.xlsx", rows, order.lang, timecode=order.timecode, date=order.date
    )
    counts = Counter(row.status for row in rows)
    here = sorted(path.relative_to(folder).as_posix() for path in folder.iterdir())
    summary = Summary(
        order.title, order.script, f"{order.date:%Y-%m-%d}", len(rows), counts["converted"],
        counts["passed"], counts["failed"], sum(map(to_look_at, rows)), order.model,
        [told for reel in rendered for told in _loudness(reel, order)], [*here, "report.html"],
        order.timecode,
    )  # fmt: skip
    write_report(folder / "report.html", rows, summary, order.lang)


def _loudness(reel: Rendered, order: Order) -> list[str]:
    """What was measured of the reel, in words."""
    target = TARGETS[order.loudness]
    told = [
        say(
            "loudness.reel", order.lang, target=target.name, before=reel.before, after=reel.after,
            peak=reel.true_peak, gain=reel.gain,
        )
    ]  # fmt: skip
    if reel.limited:
        told.append(say("loudness.limited", order.lang, by=reel.limited))
    if not reel.within:
        told.append(say("loudness.missed", order.lang))
    return told


def _signature(rows: Sequence[Dubbed], issues: Sequence[Issue], order: Order) -> str:
    """Of all that a delivery depends on."""
    told = [
        _FORMAT, vars(order), issues,
        [
            [vars(row.take.line), row.take.id, row.take.start, row.wave and row.wave.name, row.status,
             row.error, row.flags]
            for row in rows
        ],
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(told, default=str).encode()).hexdigest()
