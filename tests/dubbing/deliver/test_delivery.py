"""A job is delivered again where something has changed that its files depend on, and only there."""

import errno
import shutil
from dataclasses import replace
from datetime import datetime

import numpy as np
import openpyxl
import pytest
import soundfile

from moksori.dubbing.deliver.deliverables import DELIVERABLES
from moksori.dubbing.deliver.delivery import deliver
from moksori.dubbing.deliver.spec import DeliverySpec
from moksori.dubbing.records import HOME, Dubbed, Role, Take
from moksori.dubbing.store import Store
from moksori.errors import OutputError
from moksori.script.line import Line, Place

SPEC = DeliverySpec(
    title="시험",
    date=datetime(2024, 5, 6),
    without=tuple(item.name for item in DELIVERABLES if item.name not in ("reaper", "dapt")),
)


@pytest.fixture
def row(tmp_path):
    """A line of a second, converted in the job `show/out`, and its recording beside that."""
    takes, lines = tmp_path / "show" / "takes", tmp_path / "show" / "out" / HOME / "lines"
    for folder in (takes, lines):
        folder.mkdir(parents=True)
        soundfile.write(folder / "a.wav", np.zeros(48000), 48000, "PCM_24")
    take = Take(
        id="0001_하나", line=Line(Place("row", 1), "안녕?", character="하나"), audio=takes / "a.wav",
        begin=0, samples=24000, sample_rate=48000, start=1.0, role=Role(voice="lmy"),
    )  # fmt: skip
    return Dubbed(take=take, status="converted", wave=lines / "a.wav")


def delivered(out, row):
    """Whether anything was written, and what the session says."""
    written = []

    def progress(steps, total):
        written.extend(steps)
        return written

    store = Store(out)
    try:
        deliver([row], [], SPEC, store, progress)
    finally:
        store.close()
    return bool(written), (out / "session.rpp").read_text(encoding="utf-8")


def of(row, **changed):
    return replace(row, take=replace(row.take, **changed))


def test_a_job_in_its_place_is_delivered_once(row, tmp_path):
    out = tmp_path / "show" / "out"
    new, session = delivered(out, row)
    assert new and '"../takes/a.wav"' in session
    assert delivered(out, row) == (False, session)
    shutil.move(
        tmp_path / "show", tmp_path / "moved"
    )  # all of it: what it refers to is where it was
    moved = of(replace(row, wave=tmp_path / "moved" / "out" / HOME / "lines" / "a.wav"),
               audio=tmp_path / "moved" / "takes" / "a.wav")  # fmt: skip
    assert delivered(tmp_path / "moved" / "out", moved) == (False, session)


def test_a_delivery_that_fails_or_is_cut_leaves_nothing_behind(row, tmp_path):
    """It is as large as what is delivered: on a full disk, most of what is missing."""
    out = tmp_path / "show" / "out"
    written = out / HOME / "delivery"

    def full(steps, total):
        yield next(iter(steps))
        assert [*written.iterdir()]
        raise OSError(errno.ENOSPC, "full")

    store = Store(out)
    with pytest.raises(OutputError, match="disk is full"):
        deliver([row], [], SPEC, store, full)
    store.close()
    assert not written.exists()
    delivered(out, row)
    written.mkdir()
    (written / "reel.wav").write_bytes(b"RIFF")  # as a power failure leaves it
    assert not delivered(out, row)[0]
    assert not written.exists()


def test_a_session_follows_its_recordings(row, tmp_path):
    out = tmp_path / "show" / "out"
    delivered(out, row)
    far = tmp_path / "archive" / "a.wav"
    far.parent.mkdir()
    shutil.move(row.take.audio, far)
    row = of(row, audio=far)
    new, session = delivered(out, row)
    assert new and f'"{far}"' in session and "../takes" not in session
    shutil.move(
        out, tmp_path / "out"
    )  # the job's folder now, which lies beside the recordings then
    row = replace(row, wave=tmp_path / "out" / HOME / "lines" / "a.wav")
    new, session = delivered(tmp_path / "out", row)
    assert new and '"../archive/a.wav"' in session


@pytest.mark.parametrize(("hour", "kinds"), [(9, ["ass", "srt", "vtt"]), (10, ["srt", "vtt"])])
def test_a_reel_of_ten_hours_is_delivered_without_the_subtitles_that_cannot_hold_it(
    row, tmp_path, hour, kinds
):
    without = tuple(item.name for item in DELIVERABLES if item.name != "subtitles")
    store = Store(tmp_path / "show" / "out")
    try:
        deliver([of(row, start=3600.0 * hour)], [], replace(SPEC, without=without), store)
    finally:
        store.close()
    assert sorted(p.suffix[1:] for p in (tmp_path / "show" / "out").glob("subtitles.*")) == kinds


@pytest.mark.parametrize("failed", [False, True])
def test_a_cue_that_stays_until_the_end_of_the_day_is_delivered(row, tmp_path, failed):
    """As programs end a last cue that has no end."""
    line = replace(row.take.line, start=1.0, end=86399.999)
    row = of(row, line=line, samples=0 if failed else 24000, start=None if failed else 1.0)
    row = replace(row, status="failed", wave=None) if failed else row
    wanted = ("retakes", "markers", "reaper", "aaf", "dapt", "subtitles", "report")
    without = tuple(item.name for item in DELIVERABLES if item.name not in wanted)
    out = tmp_path / "show" / "out"
    store = Store(out)
    try:
        deliver([row], [], replace(SPEC, without=without), store)
    finally:
        store.close()
    rows = openpyxl.load_workbook(out / "retakes.xlsx")["전체 대사"].iter_rows(values_only=True)
    assert "23:59:59;29" in [*rows][1]
    assert (out / "markers.csv").exists() is failed


def test_a_line_beyond_midnight_that_was_left_out_has_no_marker(row, tmp_path):
    """There is no time code for it; the others are delivered."""
    late = replace(row.take.line, place=Place("row", 2), start=86401.0, end=86402.0)
    left_out = replace(
        of(row, id="0002_하나", line=late, samples=0, start=None), status="failed", wave=None
    )
    wanted = ("retakes", "markers", "reaper", "aaf", "report")
    without = tuple(item.name for item in DELIVERABLES if item.name not in wanted)
    spec = replace(SPEC, without=without, start_timecode=86390.0)
    store = Store(tmp_path / "show" / "out")
    try:
        deliver([row, left_out], [], spec, store)
    finally:
        store.close()
    assert not (tmp_path / "show" / "out" / "markers.txt").exists()
    assert (tmp_path / "show" / "out" / "session.rpp").exists()


@pytest.mark.parametrize(
    "changed",
    [{"begin": 4800}, {"channel": 0}, {"samples": 24001}, {"role": Role(voice="kih")}],
)
def test_another_part_of_the_recording_or_another_voice_is_delivered(row, tmp_path, changed):
    out = tmp_path / "show" / "out"
    delivered(out, row)
    assert delivered(out, of(row, **changed))[0]
