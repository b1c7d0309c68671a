"""Whole jobs on a small show of synthetic takes; on real recordings where the corpus is."""

import csv
import errno
import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import openpyxl
import opentimelineio
import pytest
import soundfile
import torch
from wavinfo import WavInfoReader

from moksori.dubbing.deliver.retakes import to_look_at
from moksori.dubbing.job import again, audition, check, dub, standing
from moksori.dubbing.request import Request
from moksori.dubbing.states import line_states
from moksori.dubbing.store import Store
from moksori.dubbing.work import worker as work
from moksori.errors import ConfigError, VoiceError
from moksori.signal.pitch import mean_log_f0 as mean_of
from moksori.timecode import FrameRate, format_timecode, parse_time
from tests.conftest import DEMO_TEXT
from tests.dubbing.conftest import CAST, InProcess, edit, files, request, run

pytestmark = pytest.mark.slow


def test_every_line_is_in_its_voice_and_as_long_as_its_recording(dubbed):
    show, rows, asked = dubbed
    assert [row.status for row in rows] == ["converted", "converted", "converted", "passed"]
    assert len(asked) == 4
    for row in rows:
        made = soundfile.info(show / "out" / "lines" / f"{row.take.id}.wav")
        source = soundfile.info(row.take.audio)
        assert (made.frames, made.samplerate, made.subtype) == (
            source.frames, source.samplerate, "PCM_24",
        )  # fmt: skip
    laugh, source = (soundfile.read(p)[0] for p in (rows[3].wave, rows[3].take.audio))
    np.testing.assert_array_equal(laugh, source)


def test_lines_lie_on_the_reel_to_the_sample(dubbed):
    """The stems are the lines at their time codes, silence elsewhere."""
    import soxr

    show, rows, _ = dubbed
    reel, rate = soundfile.read(show / "out" / "reel.wav")
    assert rate == 48000
    start = WavInfoReader(str(show / "out" / "reel.wav")).bext.time_reference
    assert start == 3600 * 48000
    expected = np.zeros_like(reel)
    for row in rows:
        place = round((row.take.line.start - 3600) * 48000)
        assert place == round((int(row.take.line.no) * 5 + 10 / 25) * 48000)
        wave, own = soundfile.read(row.wave)
        wave = soxr.resample(wave, own, 48000, quality="VHQ")
        expected[place : place + len(wave)] += wave
    gain = (reel @ expected) / (expected @ expected)
    np.testing.assert_allclose(reel, gain * expected, atol=2**-22)
    timeline = opentimelineio.adapters.read_from_file(str(show / "out" / "reel.otio"))
    for track in timeline.tracks:
        for clip in track.find_clips():
            (row,) = [
                row for row in rows if row.take.id in unquote(clip.media_reference.target_url)
            ]
            begin = clip.range_in_parent().start_time
            assert begin.value == round(row.take.start * 48000)


def test_all_is_handed_over(dubbed):
    show, rows, _ = dubbed
    made = files(show / "out")
    ids = [row.take.id for row in rows]
    assert {*made} == {
        "preflight.xlsx", "reel.edl", "reel.otio", "session.rpp", "session.aaf", "dapt.xml",
        "reel.wav", "report.html", "retakes.xlsx",
        "subtitles.ass", "subtitles.srt", "subtitles.vtt", "words.csv",
        "stems/하나_01.00.05.10.wav", "stems/둘_01.00.10.10.wav",
        *(f"lines/{id}.wav" for id in ids), *(f"timings/{id}.TextGrid" for id in ids[:3]),
        *(("markers.txt", "markers.csv") if any(map(to_look_at, rows)) else ()),
        *(f"visemes/{id}.{kind}" for id in ids for kind in ("json", "csv")),
        *(f"mouth/{id}.{kind}" for id in ids for kind in ("tsv", "json", "xml", "dat")),
        "report.single.html", *(f"report/{id}.{kind}.flac" for id in ids for kind in ("source", "result")),
        *(f"report/{id}.png" for id in ids[:3]),
    }  # fmt: skip
    words = [*csv.DictReader((show / "out" / "words.csv").open(encoding="utf-8-sig"))]
    assert len(words) == 3 * len(DEMO_TEXT.split())
    mouth = json.loads(made[f"mouth/{ids[0]}.json"])
    assert mouth["mouthCues"][-1]["end"] == pytest.approx(rows[0].take.seconds, abs=0.02)
    assert [state.status for state in line_states(show / "out")] == [row.status for row in rows]


def test_the_same_again_does_nothing(dubbed):
    show, _, _ = dubbed
    before = {path: path.stat().st_mtime_ns for path in (show / "out").rglob("*.*")}
    assert run(show)[1] == []
    after = {path: path.stat().st_mtime_ns for path in (show / "out").rglob("*.*")}
    unlike = {path.name for path in before if before[path] != after.get(path)}
    assert unlike <= {"job.sqlite", "job.copy.sqlite", "heard.sqlite", ".moksori"}


def test_an_edited_line_alone_is_converted_again(copied):
    text = "오늘 밤, 우리가 이 마을을 지킨다. 다 됐어?"
    edit(copied, "F3", text)
    edit(copied, "D5", "하나")  # the laugh changes its character: another role, so passed anew
    _, asked = run(copied)
    assert asked == [text, "(웃음)"]
    assert {path for path in files(copied / "out") if path.startswith("stems/둘")} == {
        "stems/둘_01.00.10.10.wav"  # the part of the laugh has gone
    }
    assert "lines/0004_둘.wav" not in files(copied / "out")  # its name has changed


def test_a_changed_role_converts_its_character_alone(copied):
    (copied / "cast.toml").write_text(CAST.replace("kih", "pmb"), encoding="utf-8")
    assert len(run(copied)[1]) == 2  # row 3, and the laugh


def test_what_is_passed_is_the_recording_to_the_last_bit(copied):
    """A laugh in each format, all in one job."""
    noise = 0.1 * np.random.default_rng(0).standard_normal((22050, 2))
    subtypes = ("PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")
    for row, subtype in enumerate(subtypes, 5):  # the first in place of the show's own
        soundfile.write(copied / "takes" / f"{row - 1:04d}.wav", noise, 44100, subtype)
        cells = (row - 1, f"01:01:{row:02d}:00", None, "둘", "성우0", "(웃음)", f"{row - 1:04d}")
        for column, value in zip("ABCDEFG", cells, strict=True):
            edit(copied, f"{column}{row}", value)
    rows, asked = run(copied)
    assert asked == ["(웃음)"] * 5
    for number, (row, subtype) in enumerate(zip(rows[3:], subtypes, strict=True), 4):
        made = copied / "out" / "lines" / f"{number:04d}_둘.wav"
        (heard, rate), (source, _) = (
            soundfile.read(path, dtype="float64")
            for path in (made, copied / "takes" / f"{number:04d}.wav")
        )
        assert (row.status, rate) == ("passed", 44100)
        np.testing.assert_array_equal(heard, source, err_msg=subtype)
        assert soundfile.info(made).subtype == subtype
    session = (copied / "out" / "session.rpp").read_text(encoding="utf-8")
    assert session.count("CHANMODE 2\n") == 5  # their mean, as in the reel


def test_a_changed_recording_converts_its_line_alone(copied):
    path = copied / "takes" / "0001.wav"
    samples, rate = soundfile.read(path)
    soundfile.write(path, samples[:-100], rate, "PCM_24")
    _, asked = run(copied)
    assert len(asked) == 1
    assert soundfile.info(copied / "out" / "lines" / "0001_하나.wav").frames == len(samples) - 100


def test_renumbered_and_moved_lines_are_not_converted_again(copied):
    before = soundfile.read(copied / "out" / "reel.wav")[0]
    edit(copied, "A2", 9)
    edit(copied, "B2", "01:00:00:00")
    rows, asked = run(copied)
    assert asked == []
    assert (rows[0].take.id, rows[0].take.start) == ("0009_하나", 0.0)
    after = soundfile.read(copied / "out" / "reel.wav")[0]
    assert np.abs(after[:48000]).max() > 0.01 > np.abs(before[:48000]).max()


def test_a_deleted_outcome_is_made_anew_and_a_delivered_file_comes_back(copied):
    before = files(copied / "out")
    next((copied / "out" / ".moksori" / "lines").glob("*.json")).unlink()
    (copied / "out" / "reel.edl").unlink()
    assert len(run(copied)[1]) == 1
    assert files(copied / "out") == before


def test_a_line_that_fails_does_not_stop_the_others(copied, monkeypatch):
    edit(copied, "F2", "가나다라 마바사")
    real = work.convert_line

    def broken(converter, recording, text, *more, **named):
        if text.startswith("가나다라"):
            raise ZeroDivisionError("half a line")
        return real(converter, recording, text, *more, **named)

    monkeypatch.setattr(work, "convert_line", broken)
    rows, asked = run(copied)
    assert (rows[0].status, len(asked)) == ("failed", 1)
    assert "unexpected ZeroDivisionError: half a line" in rows[0].error.say("en")
    assert [row.status for row in rows[1:]] == ["converted", "converted", "passed"]
    assert run(copied)[1] == []  # nothing has changed, so it is not tried again
    monkeypatch.setattr(work, "convert_line", real)
    asked_for = request(copied)
    checked = check(asked_for)
    rows, *_ = dub(
        asked_for, checked, copied / "out", lambda: InProcess(asked_for.setup),
        retry_failed=True,
    )  # fmt: skip
    assert rows[0].status == "converted"
    book = openpyxl.load_workbook(copied / "out" / "retakes.xlsx")
    assert book.active.max_row >= 1


def test_a_job_that_was_cut_anywhere_goes_on(copied, tmp_path):
    """Cut after each step of the state in turn; the outcome is the same bytes, no line is lost."""
    whole = files(copied / "out")
    shutil.rmtree(copied / "out")

    class Cut(Exception):
        pass

    class Failing(InProcess):
        def __init__(self, setup, limit):
            super().__init__(setup)
            self.limit = limit

        def map(self, method, tasks):
            for i, outcome in enumerate(super().map(method, tasks)):
                if method == "convert" and i == self.limit:
                    raise Cut  # the work is done, but nobody was told
                yield outcome

    converted = 0
    for limit in (0, 1, 0):
        asked = request(copied)
        engine = Failing(asked.setup, limit)
        with pytest.raises(Cut):
            dub(asked, check(asked), copied / "out", lambda e=engine: e)
        converted += sum(method == "convert" for method, _ in engine.asked)
    converted += len(run(copied)[1])
    assert converted <= 4 + 3  # a line in hand each time
    assert files(copied / "out") == whole


@pytest.mark.parametrize(
    ("fps", "first"),
    [("23.976", "01:00:00:00"), ("29.97df", "01:00:00;00"), ("29.97df", "10:00:05;12"),
     ("29.97", "01:00:01:00"),
     ("25", "01:59:59:24")],
)  # fmt: skip
def test_the_reel_begins_at_the_time_code_s_hour(show, fps, first):
    """Not at the clock's: an hour of 23.976 frames a second lasts 3603.6 s."""
    rate = FrameRate.parse(fps)
    for row in range(2, 6):
        edit(show, f"B{row}", first)
        edit(show, f"C{row}", None)
    checked = check(replace(request(show), frame_rate=rate))
    assert format_timecode(checked.origin, rate)[:8] == f"{first[:2]}:00:00"
    start = parse_time(first, rate) - checked.origin
    assert [take.start for take in checked.takes] == [pytest.approx(max(start, 0))] * 4
    assert 0 <= start < 3604


def test_a_look_fixes_nothing_of_an_actor(show):
    """What he usually is is measured of all that is there when his first line is converted."""
    asked, out = request(show), show / "out"
    out.mkdir()
    standing(asked, check(asked), out)
    store = Store(out)
    assert store.actors() == {}
    store.close()
    dub(asked, check(asked), out, lambda: InProcess(asked.setup))
    store = Store(out)
    assert {*store.actors()} == {
        take.line.actor or take.line.character for take in check(asked).takes
    }
    store.close()


def test_takes_recorded_anew_change_no_other_line_of_the_actor(show):
    """Not even all those that there were first, nor a laugh, which is put at his mean too."""
    whole = (show / "script.xlsx").read_bytes()
    cast = (show / "cast.toml").read_text()
    (show / "cast.toml").write_text(cast.replace('"leave"', '"convert"'))
    book = openpyxl.load_workbook(show / "script.xlsx")
    book.active.delete_rows(4)  # a line that is recorded later
    book.save(show / "script.xlsx")
    run(show)
    (show / "script.xlsx").write_bytes(whole)
    assert run(show)[1] == [DEMO_TEXT]
    for number in (1, 2):  # of either actor
        path = show / "takes" / f"{number:04d}.wav"
        wave, rate = soundfile.read(path, dtype="float32")
        soundfile.write(path, wave[: -rate // 20], round(rate * 1.1), "PCM_24")
        rows, asked = run(show)
        assert asked == [DEMO_TEXT] and len(rows) == 4


def test_one_actor_s_higher_line_stays_higher(show):
    """By the actor's register; by the line's own, every line is put at the voice's mean."""
    from moksori.conversion.converter import Converter

    converter = Converter.from_pretrained()
    wave, rate = soundfile.read(show / "takes" / "0001.wav", dtype="float32")
    soundfile.write(
        show / "takes" / "0003.wav", wave, round(rate * 1.19), "PCM_24"
    )  # 3 semitones up
    edit(show, "E4", "성우1")
    edit(show, "E2", "성우1")
    apart = {}
    for register in ("actor", "line"):
        asked = request(show, mean_f0=register)
        engine = InProcess(asked.setup)
        rows = again(
            asked, check(asked), show / "out", lambda e=engine: e, ["0001_하나", "0003_하나"]
        )
        means = [mean_of(torch.from_numpy(converter.source(row.wave).f0)) for row in rows]
        apart[register] = 12 / np.log(2) * (means[1] - means[0])
    assert apart["actor"] == pytest.approx(3, abs=0.7)
    assert apart["line"] == pytest.approx(0, abs=0.7)


def test_an_episode_of_real_recordings(shared, tmp_path):
    """A script and a track of the corpus, as benchmarks/episode.py makes them, from each form of script."""
    import subprocess
    import sys

    maker = Path(__file__).parents[2] / "benchmarks" / "episode.py"
    corpus = shared / "corpus" / "emotiontts"
    subprocess.run(
        [sys.executable, maker, corpus, tmp_path / "ep", "--lines", "10"],
        check=True,
        capture_output=True,
    )
    ep = tmp_path / "ep"
    made, texts = {}, []
    for script, audio in (
        ("script.xlsx", "takes"),
        ("script.srt", "track.wav"),
        ("script.ass", "track.wav"),
    ):
        asked = Request(
            script=ep / script,
            audio=ep / audio,
            cast=ep / "cast.toml",
            frame_rate=FrameRate.parse("29.97df"),
        )
        checked, out = check(asked), tmp_path / script
        assert not checked.faults
        texts.append([take.line.text for take in checked.takes])
        engine = InProcess(asked.setup)
        if script == "script.xlsx":
            rows = dub(asked, checked, out, lambda e=engine: e).rows
        else:  # some of the lines, and the one that is to be passed
            ids = [take.id for take in checked.takes[:4] + checked.takes[9:]]
            rows = again(asked, checked, out, lambda e=engine: e, ids)
        assert [row.status for row in rows] == ["converted"] * (len(rows) - 1) + ["passed"]
        assert np.median([row.metrics["confidence"] for row in rows[:-1]]) > 0.6
        made[script] = rows
    assert len(made["script.xlsx"]) == 10 and len(made["script.ass"]) == 5
    assert texts[0] == texts[1] == texts[2]
    # The track's cuts have handles, so that the same speech lies elsewhere in the wave, not on the reel.
    apart = [
        row.take.start + word.begin - cut.take.start - other.begin
        for row, cut in zip(made["script.xlsx"][:4], made["script.ass"][:4], strict=True)
        for word, other in zip(row.words, cut.words, strict=True)
    ]
    assert np.mean(np.abs(apart)) < 0.02


def test_a_faulty_line_is_listed_with_its_recording_and_did_not_stay(show):
    (show / "takes" / "0003.wav").unlink()
    soundfile.write(show / "takes" / "0003.wav", np.zeros(44100), 44100)
    book = openpyxl.load_workbook(show / "script.xlsx")
    for row in book.active.iter_rows(min_row=2, min_col=7, max_col=7):
        row[0].value = None  # the recordings are found by their names
    book.save(show / "script.xlsx")
    asked, out = replace(request(show), pattern="{no:04d}.wav"), show / "out"
    result = dub(asked, check(asked), out, lambda: InProcess(asked.setup))
    assert (result.new, result.stayed, result.left_out) == (3, 0, 1)
    sheet = openpyxl.load_workbook(out / "retakes.xlsx").worksheets[0]
    head, *rows = sheet.iter_rows(values_only=True)
    files = {row[head.index("번호")]: row[head.index("파일")] for row in rows}
    assert files[3] == "0003.wav"
    assert dub(asked, check(asked), out, lambda: InProcess(asked.setup)).stayed == 3


def test_a_recording_that_may_not_be_read_is_one_line_s_fault(show, monkeypatch):
    real = Path.open

    def closed(path, *args, **kwargs):
        if path.name == "0002.wav":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", closed)
    checked = check(request(show))
    (fault,) = checked.faults
    assert "권한이 없습니다" in fault.say("ko") and len(checked.takes) == 3


def test_an_audition_is_kept_for_the_job(show):
    """A line in three voices; cast in one of them, the job need not convert it."""
    asked = request(show)
    checked = check(asked)
    id, engine = checked.takes[0].id, InProcess(asked.setup)
    heard = audition(asked, checked, show / "out", lambda: engine, id, ["kih", "ava", "pmb"])
    assert [*heard] == ["kih", "ava", "pmb"]
    waves = [soundfile.read(row.wave)[0] for row in heard.values()]
    assert not np.allclose(waves[0], waves[1])
    cast = (show / "cast.toml").read_text(encoding="utf-8")
    (show / "cast.toml").write_text(cast.replace('"lmy"', '"ava"'), encoding="utf-8")
    rows, converted = run(show)
    assert len(converted) == 3  # of four
    np.testing.assert_array_equal(soundfile.read(rows[0].wave)[0], waves[1])
    with pytest.raises(ConfigError, match="1 to 4 voices"):
        audition(asked, checked, show / "out", lambda: engine, id, list("abcde"))
    with pytest.raises(VoiceError, match="no voice “nobody”"):
        audition(asked, checked, show / "out", lambda: engine, id, ["nobody"])
    laugh = checked.takes[3].id
    with pytest.raises(ConfigError, match="is not converted"):
        audition(asked, checked, show / "out", lambda: engine, laugh, ["kih"])


def test_one_line_can_be_converted_again_alone(copied):
    asked = request(copied)
    edit(copied, "F2", "오늘 밤, 우리가 이 마을을 지킨다. 다 됐어?")
    checked = check(asked)
    engine, before = InProcess(asked.setup), files(copied / "out")
    (row,) = again(asked, checked, copied / "out", lambda: engine, [checked.takes[0].id])
    assert (row.status, len(engine.asked)) == ("converted", 1)
    assert files(copied / "out") == before  # nothing is delivered yet
    assert run(copied)[1] == []
    with pytest.raises(ConfigError, match="no line “x”"):
        again(asked, checked, copied / "out", lambda: engine, ["x"])


def test_a_take_is_decoded_twice_and_its_f0_tracked_once(show, monkeypatch):
    """Decoded once to be looked at and once to be converted; the conversion's F0 is tracked too."""
    from moksori.conversion import converter
    from moksori.dubbing import task
    from moksori.signal import audio

    reads, tracks = [], []
    read, track = audio.read, converter.f0_of

    def counted_read(path, *more, **named):
        reads.append(Path(path).name)
        return read(path, *more, **named)

    def counted_track(wave, config):
        tracks.append(len(wave))
        return track(wave, config)

    monkeypatch.setattr(task.audio, "read", counted_read)
    monkeypatch.setattr(converter, "f0_of", counted_track)
    run(show)
    assert Counter(reads) == dict.fromkeys((f"{n:04d}.wav" for n in range(1, 5)), 2)
    assert len(tracks) == 3  # the laugh is passed
