"""A delivery says what it is, line by line, and its job's ledger has all of it."""

import json
import shutil
from datetime import datetime

import numpy as np
import openpyxl
import pytest
import soundfile
from wavinfo import WavInfoReader

from moksori.conversion.converter import Converter
from moksori.dubbing.deliver import delivery
from moksori.dubbing.records import HOME
from moksori.dubbing.task import Setup
from moksori.errors import OutputError
from moksori.provenance import certificate, ledger
from moksori.provenance.statement import Statement, VoiceSaid, read_statement
from moksori.provenance.verify import verify
from moksori.provenance.watermark import FOUND
from moksori.signal.audio import resample
from moksori.signal.bwf import Broadcast, write_bext
from moksori.timecode import NTSC_DROP
from tests.dubbing.conftest import edit, run


def test_every_wav_says_what_it_is(dubbed):
    show, rows, _ = dubbed
    out = show / "out"
    for row in rows:
        path = out / "lines" / f"{row.take.id}.wav"
        said, same, _ = read_statement(path)
        assert same
        assert said.converted == (row.status == "converted")
        (line,) = said.lines
        assert (line.id, line.voice) == (row.take.id, row.take.role.voice * said.converted)
        own, kept = (soundfile.read(p, dtype="int32")[0] for p in (path, row.wave))
        assert (own == kept).all()
        told = WavInfoReader(str(path))
        assert told.bext.time_reference == round((3600 + row.take.start) * row.take.sample_rate)
    reel, same, _ = read_statement(out / "reel.wav")
    assert same
    assert [line.id for line in reel.lines] == [row.take.id for row in rows]
    assert {*reel.voices} == {"lmy", "kih"}
    assert reel.commercial == "no"
    stem, same, _ = read_statement(out / "stems" / "하나_01.00.05.10.wav")
    assert same
    assert {*stem.voices} == {"lmy"}
    assert len({line.take for line in reel.lines}) == 4
    for path in out.rglob("*.wav"):
        assert "성우".encode() not in path.read_bytes()  # nobody's name who did not ask for it


def test_a_take_that_was_converted_before_is_not_called_a_recording(copied):
    """Of a line that stays as recorded, alone and beside others; nothing of it is lost."""
    place = copied / "takes" / "0004.wav"  # a laugh, which stays
    shutil.copy(copied / "out" / "lines" / "0001_하나.wav", place)
    said = read_statement(place)[0]
    run(copied)
    path = copied / "out" / "lines" / "0004_둘.wav"
    line, _, described = read_statement(path)
    assert line.converted and not line.models
    assert line.lines[0].before == described == said.summary
    assert "이미 변환한 것" in " ".join(row.say("ko") for row in verify(path).said())
    reel = read_statement(copied / "out" / "reel.wav")[0]
    assert [one.before for one in reel.lines] == ["", "", "", said.summary]
    assert (reel.commercial, {*reel.voices}) == ("no", {"lmy", "kih"})


def test_each_file_says_whether_it_may_be_sold_by_what_it_holds(copied, monkeypatch):
    """A line of one voice is not bound by the consent of another."""
    allowed = {"lmy": "yes", "kih": "no"}
    target = Converter.target
    monkeypatch.setattr(
        Converter, "target", lambda self, name: target(self, name)._replace(consent=allowed[name])
    )
    monkeypatch.setattr(
        "moksori.dubbing.deliver.provenance.verdict_of", lambda converter, consent: consent
    )
    monkeypatch.setattr(
        "moksori.dubbing.deliver.provenance.state",
        lambda converter, lines, title, watermark: Statement(
            title=title, lines=lines, voices={name: VoiceSaid() for name in allowed},
        ),
    )  # fmt: skip
    monkeypatch.setattr("moksori.dubbing.job.said_of_use", lambda converter, voices: [])
    (copied / "out" / "reel.wav").unlink()  # so that it is delivered again
    rows, _ = run(copied)
    said = {
        row.take.id: read_statement(copied / "out" / "lines" / f"{row.take.id}.wav")[0].commercial
        for row in rows
    }
    assert said == {
        "0001_하나": "yes", "0002_둘": "no", "0003_하나": "yes", "0004_둘": "unknown",
    }  # fmt: skip
    assert read_statement(copied / "out" / "reel.wav")[0].commercial == "no"
    for _, entry in ledger.check(copied / "out" / HOME).entries[-1:]:
        assert (entry.what, entry.about["commercial"]) == ("delivered", "no")


def test_lines_lie_at_their_references_as_on_the_reel(copied):
    """Also where the reel begins between two samples, as with drop frame."""
    path = copied / "script.xlsx"
    book = openpyxl.load_workbook(path)
    for number, row in enumerate(book.active.iter_rows(min_row=2, max_col=3), 1):
        row[1].value, row[2].value = f"01:00:{7 * number:02};1{number}", None
    book.save(path)
    rate = soundfile.info(copied / "takes" / "0001.wav").samplerate
    rows, _ = run(copied, frame_rate=NTSC_DROP, sample_rate=rate, loudness="none")
    reel, laid = soundfile.read(copied / "out" / "reel.wav")[0], 0
    begins = WavInfoReader(str(copied / "out" / "reel.wav")).bext.time_reference
    for row in rows:
        path = copied / "out" / "lines" / f"{row.take.id}.wav"
        wave, place = soundfile.read(path)[0], WavInfoReader(str(path)).bext.time_reference - begins
        laid += len(wave)
        assert np.array_equal(reel[place : place + len(wave)], wave), row.take.id
    assert laid > rate


def test_lines_of_a_track_of_another_rate_than_the_reel_lie_as_on_the_track(copied):
    wave, own = soundfile.read(copied / "takes" / "0001.wav")
    rate = 44100
    wave, whole = resample(wave, own, rate), np.zeros(30 * rate)
    for second in (5, 10, 15, 20):
        whole[second * rate :][: len(wave)] = wave[: 30 * rate - second * rate]
    soundfile.write(copied / "track.wav", whole, rate, "PCM_24")
    begins = 3600 * rate + 5  # between two samples of the reel
    about = Broadcast(
        description="", date=datetime(2026, 1, 1), start=begins, frame_rate="25/1", drop_frame=False
    )
    write_bext(copied / "track.wav", about)
    for row in range(2, 6):
        edit(copied, f"B{row}", f"01:00:{5 * (row - 1)}.40{row - 1}")
        edit(copied, f"C{row}", None)
    rows, _ = run(copied, audio=copied / "track.wav", sample_rate=48000)
    for row in rows:
        told = WavInfoReader(str(copied / "out" / "lines" / f"{row.take.id}.wav"))
        assert told.bext.time_reference == begins + row.take.begin


def test_the_ledger_has_what_was_converted_and_delivered(dubbed):
    show, rows, _ = dubbed
    found = ledger.check(show / "out" / HOME)
    assert found.faults == []
    by_line = {entry.about.get("line"): entry for _, entry in found.entries}
    for row in rows:
        entry = by_line[row.take.id]
        assert entry.what == row.status
        assert (
            entry.about["sha256"] == json.loads(row.wave.with_suffix(".json").read_text())["sha256"]
        )
        assert entry.about.get("voice", "") == row.take.role.voice * (row.status == "converted")
    assert found.entries[-1][1].what == "delivered"
    path = show / "out" / "reel.wav"
    known = verify(path)
    assert [entry.what for _, entry in known.entries] == ["delivered"]
    assert not known.contradicted


def test_what_changes_is_noted_and_nothing_twice(copied):
    home = copied / "out" / HOME
    before = [entry for _, entry in ledger.check(home).entries]
    run(copied)
    assert [entry for _, entry in ledger.check(home).entries] == before
    edit(copied, "D2", "둘")  # another voice
    run(copied)
    new = [entry for _, entry in ledger.check(home).entries][len(before) :]
    assert [entry.what for entry in new] == ["converted", "delivered"]
    assert new[0].about["voice"] == "kih"
    (home / ledger.LEDGER).unlink()  # as a job that an older Moksori began
    (home / "ledger.head").unlink()
    edit(copied, "D2", "하나")
    run(copied)
    kinds = [entry.what for _, entry in ledger.check(home).entries]
    assert kinds == ["found"] * 4 + ["delivered"]


def test_a_delivery_is_signed_and_marked_where_that_is_asked_for(copied, tmp_path, monkeypatch):
    monkeypatch.setenv(certificate.FOLDER, str(tmp_path / "certificate"))
    run(copied, c2pa=True)
    out = copied / "out"
    for path in out.rglob("*.wav"):
        if HOME not in path.parts:
            assert verify(path).signed.state == "Trusted", path
    reel = out / "reel.wav"
    content = bytearray(reel.read_bytes())
    content[len(content) // 2] ^= 1
    reel.write_bytes(content)
    found = verify(reel)
    assert found.contradicted
    assert found.entries == []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(certificate, "find_spec", lambda name: None)
        with pytest.raises(certificate.ConfigError, match=r"-e '\.\[provenance\]'"):
            run(copied, "other", c2pa=True)


def test_a_watermark_is_in_lines_and_reel_and_only_in_what_is_converted(copied):
    rows, asked = run(copied, setup=Setup(watermark=True))
    assert asked  # with it a line is another outcome
    out = copied / "out"
    for row in rows:
        mark = verify(out / "lines" / f"{row.take.id}.wav").mark
        assert (mark > FOUND) == (row.status == "converted"), (row.take.id, mark)
    assert verify(out / "reel.wav").mark > FOUND
    assert read_statement(out / "reel.wav")[0].watermark


def test_what_never_took_its_place_is_not_noted_as_delivered(copied, monkeypatch):
    """As where a spreadsheet is open in Excel; the next delivery is noted once."""
    home = copied / "out" / HOME

    def noted() -> int:
        return sum(entry.what == "delivered" for _, entry in ledger.check(home).entries)

    def refuse(new, store):
        raise OutputError.of("output.open", path=store.out / "retakes.xlsx", why="busy")

    before = noted()
    edit(copied, "D2", "둘")
    with monkeypatch.context() as patch:
        patch.setattr(delivery, "_put_in_place", refuse)
        with pytest.raises(OutputError):
            run(copied)
    assert noted() == before
    run(copied)
    assert noted() == before + 1
