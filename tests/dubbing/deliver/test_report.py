import base64
import io
import re
import string
import zipfile
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser

import numpy as np
import openpyxl
import pytest
import soundfile

from moksori.alignment.alignment import Interval
from moksori.dubbing.deliver.report import Summary, write_report
from moksori.dubbing.deliver.retakes import to_look_at, write_retakes
from moksori.dubbing.deliver.sheets import Sheet, save_table
from moksori.dubbing.deliver.spec import DeliverySpec
from moksori.dubbing.records import Dubbed, Flag, Mark, Role, Take
from moksori.dubbing.work.flags import reason
from moksori.errors import OutputError
from moksori.messages import codes, message, say
from moksori.script.line import Line, Place
from moksori.signal import audio
from tests.conftest import voiced_wave

KINDS = (
    "failed", "confidence", "word", "slip", "rushed", "unheard", "disagree", "similarity", "fast",
    "slow", "clipped", "noisy", "nonverbal", "sound", "laugh", "long", "lowered", "overlap",
)  # fmt: skip
DATE = datetime(2025, 6, 3, 14, 20, 30)
NASTY = "<script>alert('1')</script> \"둘\" & {{ 7 * 7 }}"


def stamp(seconds: float) -> str:
    return f"TC{seconds:g}"


def summary(**changed) -> Summary:
    given = {
        "lines": 3, "converted": 1, "passed": 1, "failed": 1, "to_look_at": 2,
        "loudness": ["하나.wav −23.0 LUFS"], "deliverables": ["stems/"],
    }  # fmt: skip
    return Summary(**given | changed)


class Spec(DeliverySpec):
    """Its time codes are seconds, to be seen."""

    def timecode(self, time: float) -> str:
        return stamp(time)


def spec(lang="ko", **changed) -> Spec:
    given = {
        "title": "달빛 <1화>", "script": "1화.xlsx", "date": DATE, "lang": lang,
    }  # fmt: skip
    return Spec(**given | changed)


@pytest.fixture
def make(tmp_path):
    """Makes a row of a second; its recording and its wave are the caller's, or a buzz."""

    def row(status="converted", rate=22050, source=None, begin=0, **given) -> Dubbed:
        number = len(list(tmp_path.glob("*.wav")))
        recording, wave = tmp_path / f"s{number}.wav", tmp_path / f"w{number}.wav"
        for path, samples in ((recording, source), (wave, None)):
            samples = voiced_wave(begin / rate + 1, rate) if samples is None else samples
            soundfile.write(path, samples, rate, subtype="FLOAT")
        line = Line(
            Place("row", 12),
            **{
                name: given.pop(name)
                for name in ("actor", "character", "directions", "no", "start", "end")
                if name in given
            },
            text=given.pop("text", "밥은 먹었어?"),
        )
        take = Take(
            id="0012_하나", line=line, audio=recording, begin=begin, samples=rate,
            sample_rate=rate, start=61.5, role=Role(voice="lmy"),
        )  # fmt: skip
        sounds = recording.with_suffix(".flac"), wave.with_suffix(".flac")
        for path, sound in zip(sounds, (recording, wave), strict=True):
            played = soundfile.read(sound, always_2d=True)[0].mean(1)[
                begin if sound == recording else 0 :
            ][:rate]
            path.write_bytes(audio.for_page(played, rate))
        made = None if status == "failed" else wave
        kept = None if status == "failed" else sounds
        return Dubbed(take=take, status=status, wave=made, sounds=kept, **given)

    return row


class Page(HTMLParser):
    """What a browser would find: elements with their attributes and texts, each closed."""

    def __init__(self, path):
        super().__init__()
        self.text = path.read_text(encoding="utf-8")
        self.open, self.found = [], []
        self.feed(self.text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.found.append([tag, dict(attrs), ""])
        if tag not in ("meta", "input", "br", "img"):
            self.open.append((tag, self.found[-1]))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        for _, element in self.open:
            element[2] += data

    def all(self, tag, **wanted):
        wanted = {name.rstrip("_"): value for name, value in wanted.items()}
        return [e for e in self.found if e[0] == tag and wanted.items() <= e[1].items()]


def decoded(uri: str) -> tuple[np.ndarray, int]:
    head, content = uri.split(",")
    assert head == "data:audio/flac;base64"
    return soundfile.read(io.BytesIO(base64.b64decode(content)))


def test_every_word_is_in_both_languages_with_the_same_values():
    for korean, english in (text.values() for text in codes().values()):
        names = [
            {name for _, name, _, _ in string.Formatter().parse(words) if name}
            for words in (korean, english)
        ]
        assert korean and english and names[0] == names[1]
        assert not re.search("[가-힣]", english)
    with pytest.raises(KeyError):
        say("no such words", "ko")


def test_reasons_tell_what_was_measured():
    assert (
        reason(Flag("confidence", 0.9, 0.312), "ko")
        == "대본과 녹음이 다를 수 있습니다 (일치도 0.31)"
    )
    assert reason(Flag("laugh", 0.1), "en") == "A laugh or cry within the line: please listen"
    for kind in KINDS:
        for lang in ("ko", "en"):
            assert "(" not in reason(Flag(kind, 0.5, None), lang)
            measured = kind not in ("failed", "nonverbal", "laugh", "sound", "slip")
            assert ("7" in reason(Flag(kind, 0.5, 7.0), lang)) == measured
    with pytest.raises(KeyError):
        reason(Flag("unheard of", 0.5), "ko")


@pytest.mark.parametrize(
    ("place", "korean", "english"),
    [
        (Place("row", 12), "12행", "row 12"),
        (Place("cue", 3, "1화"), "1화 자막 3", "1화 cue 3"),
        (Place("line", 7), "7번째 줄", "line 7"),
    ],
)
def test_places_are_said_in_both_languages(place, korean, english):
    assert (place.say("ko"), place.say("en"), str(place)) == (korean, english, english)


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_page_needs_nothing_beside_itself_and_shows_every_text_as_it_is(tmp_path, make, lang):
    (tmp_path / "p.png").write_bytes(b"\x89PNG" + bytes(range(256)))
    rows = [
        make(text=NASTY, character='"><img src=x>', actor=NASTY, directions=NASTY, no=NASTY),
        make("passed", flags=tuple(Flag(kind, 0.7, 1.0) for kind in KINDS)),
        make("failed", error=message("plain", text=NASTY)),
        make(picture=tmp_path / "p.png", speech=(0.2, 0.8), metrics={"confidence": 0.31}),
    ]
    write_report(tmp_path / "r.html", rows, summary(), spec(lang))
    page = Page(tmp_path / "r.html")
    assert page.all("html")[0][1] == {"lang": lang}
    assert "http://" not in page.text and "https://" not in page.text and "url(" not in page.text
    assert not page.all("link") and not page.all("a") and len(page.all("script")) == 1
    assert "alert" not in page.all("script")[0][2]
    sources = [attrs["src"] for _, attrs, _ in page.found if "src" in attrs]
    assert len(sources) == 2 + 2 + 1 + 2 + 1  # a failed line has no result
    assert all(source.startswith("data:") for source in sources)
    picture = page.all("img")[0][1]["src"].removeprefix("data:image/png;base64,")
    assert base64.b64decode(picture) == (tmp_path / "p.png").read_bytes()

    articles = page.all("article")
    assert [a[1]["data-character"] for a in articles] == ['"><img src=x>', "", "", ""]
    assert page.all("p", class_="said")[0][2] == f"{NASTY}({NASTY})"
    assert page.all("p", class_="error")[0][2] == NASTY
    assert page.all("h1")[0][2] == "달빛 <1화>"
    assert articles[0][2].count(NASTY) == 4
    for kind in KINDS:
        assert reason(Flag(kind, 0.7, 1.0), lang) in articles[1][2]
    assert ["data-look" in a[1] for a in articles] == [False, True, True, False]
    assert ["data-failed" in a[1] for a in articles] == [False, False, True, False]
    assert "TC61.5" in articles[0][2] and "0.31" in articles[3][2]


@pytest.mark.parametrize("rate", [6000, 8000, 22050, 44100, 96000])
def test_players_hold_the_take_alone(tmp_path, make, rate):
    """A track with 440 Hz where the take lies and 1 kHz around it; two channels."""
    t = np.arange(rate) / rate
    tones = [0.3 * np.sin(2 * np.pi * f * t) for f in (1000, 440, 1000)]
    track = np.stack([np.concatenate(tones)] * 2, 1)
    write_report(
        tmp_path / "r.html", [make(rate=rate, source=track, begin=rate)], summary(), spec("ko")
    )
    for name, pitch in (("source", 440), ("result", None)):
        player = Page(tmp_path / "r.html").all("audio", class_=name)[0]
        wave, written = decoded(player[1]["src"])
        assert wave.ndim == 1 and written <= max(8000, min(rate, 24000))
        assert len(wave) / written == pytest.approx(1, abs=0.001)
        if pitch:
            spectrum = np.abs(np.fft.rfft(wave, written)) ** 2
            assert spectrum[pitch - 20 : pitch + 20].sum() > 0.98 * spectrum.sum()


@pytest.mark.parametrize("status", ["converted", "failed"])
def test_a_line_whose_audio_was_lost_says_so(tmp_path, make, status):
    lost, kept = make(status), make()
    if status == "converted":
        for path in lost.sounds:
            path.unlink()
    else:
        lost = replace(lost, sounds=None, take=replace(lost.take, audio=tmp_path / "gone.wav"))
    lost = replace(lost, picture=tmp_path / "lost.png")
    write_report(tmp_path / "r.html", [lost, kept], summary(), spec("en"))
    page = Page(tmp_path / "r.html")
    assert len(page.all("audio")) == 2
    first, second = page.all("article")
    assert "cannot be read" in first[2] and "lost.png cannot be read" in first[2]
    assert "cannot be read" not in second[2]


def test_a_failed_line_s_recording_can_be_heard(tmp_path, make):
    row = replace(make("failed", error=message("plain", text="x")), sounds=None)
    write_report(tmp_path / "r.html", [row], summary(), spec("ko"))
    assert len(Page(tmp_path / "r.html").all("audio")) == 1


def test_a_recording_of_no_numbers_still_has_its_row(tmp_path, make):
    wave = voiced_wave(1.0)
    wave[5000:6000] = np.nan
    write_report(
        tmp_path / "r.html",
        [make("failed", source=wave, error=message("plain", text="NaN"))],
        summary(),
        spec("ko"),
    )
    heard, _ = decoded(Page(tmp_path / "r.html").all("audio")[0][1]["src"])
    assert np.isfinite(heard).all() and np.abs(heard).max() > 0.05


def test_words_lie_where_they_are_said(tmp_path, make):
    words = (Interval("밥은", 0.2, 0.5), Interval("아주", 0.5, 0.51), Interval("먹었어", 0.51, 0.8))
    write_report(tmp_path / "r.html", [make(words=words, speech=(0.2, 0.8))], summary(), spec("ko"))
    page = Page(tmp_path / "r.html")
    bars = [e[1]["style"] for e in page.all("i") if "left" in e[1]["style"]]
    assert bars[:2] == ["left:0.00%;width:50.00%", "left:50.00%;width:1.67%"]
    labels = [(e[2], e[1]["style"]) for e in page.all("span") if "top" in e[1].get("style", "")]
    assert labels[0] == ("밥은", "left:0.00%;top:0.0rem")
    assert labels[2] == ("먹었어", "left:51.67%;top:1.35rem")  # below 아주, which it would run into


def test_lines_are_written_as_they_come(tmp_path, make):
    row, sizes = make(), []

    def rows():
        for _ in range(6):
            sizes.append(sum(path.stat().st_size for path in tmp_path.glob(".r.*.html")))
            yield row

    write_report(tmp_path / "r.html", rows(), summary(), spec("ko"))
    assert all(np.diff(sizes[1:]) > 4000)  # each line is on the disk before the next but one


def test_page_is_written_whole_or_not_at_all(tmp_path, make):
    row = make()

    def rows():
        yield row
        raise RuntimeError

    (tmp_path / "r.html").write_text("before")
    with pytest.raises(RuntimeError):
        write_report(tmp_path / "r.html", rows(), summary(), spec("ko"))
    assert (tmp_path / "r.html").read_text() == "before"
    assert not list(tmp_path.glob(".r.*"))
    with pytest.raises(OutputError, match="make it first"):
        write_report(tmp_path / "no" / "r.html", [row], summary(), spec("ko"))


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_retakes_list_what_is_needed_most_needed_first(tmp_path, make, lang):
    rows = [
        make(no="1", flags=(Flag("fast", 0.32, 20.0),)),
        make(no="007", flags=(Flag("long", 0.33, 0.8), Flag("fast", 0.1, 20.0))),
        make(
            no="3",
            flags=(Flag("confidence", 1.0, 0.1),),
            metrics={"confidence": 0.1},
            start=3661.0,
            end=3662.5,
        ),
        make("failed", error=message("plain", text="무슨 까닭"), flags=(Flag("failed", 1.0),)),
        make("passed"),
    ]
    assert write_retakes(tmp_path / "r.xlsx", rows, spec(lang)) == 3
    listed, by_actor, everything = openpyxl.load_workbook(tmp_path / "r.xlsx").worksheets
    head, *cells = listed.iter_rows(values_only=True)
    assert head[0] == say("severity", lang) and len(set(head)) == 14
    assert [row[:2] for row in cells] == [(1, 4), (1, 3), (0.33, "007")]
    assert listed["A2"].number_format == "0%"
    assert cells[1][2:5] == (Place("row", 12).say(lang), "01:01:01;00", "01:01:02;15")
    assert cells[1][-1] == 0.1
    reasons = [row[head.index(say("reasons", lang))] for row in cells]
    assert reasons[0] == f"{say('reason.failed', lang)}: 무슨 까닭"
    assert reasons[2].split("\n") == [reason(flag, lang) for flag in rows[1].flags]
    assert [row[0] for row in everything.iter_rows(values_only=True)] == [
        say(key, lang) for key in ("status", *["converted"] * 3, "failed", "passed")
    ]
    for sheet in (listed, by_actor, everything):
        assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", sheet.dimensions)


def test_the_director_s_mark_decides_over_the_flags(tmp_path, make):
    bad = (Flag("confidence", 1.0, 0.1),)
    approved, changed = make(no="1", flags=bad), make(no="2", flags=bad)
    rows = [
        replace(approved, mark=Mark("ok", "좋습니다", approved.wave.stem)),
        replace(changed, mark=Mark("ok", "", "what it was before")),
        replace(make(no="3", actor="을"), mark=Mark("retake", "더 크게")),
        replace(make(no="4", actor="갑"), mark=Mark("hold", "=음악과 함께")),
        make(no="5", actor="을"),
    ]
    assert [to_look_at(row) for row in rows] == [False, True, True, True, False]
    assert write_retakes(tmp_path / "r.xlsx", rows, spec("ko")) == 3
    listed, by_actor, _ = (
        [[cell for cell in row] for row in sheet.iter_rows(values_only=True)]
        for sheet in openpyxl.load_workbook(tmp_path / "r.xlsx").worksheets
    )
    at, note = listed[0].index("판정"), listed[0].index("메모")
    assert [(row[1], row[at], row[note]) for row in listed[1:]] == [
        (3, "재녹음", "더 크게"), (2, "OK 뒤에 바뀜", ""), (4, "보류", "=음악과 함께"),
    ]  # fmt: skip
    assert to_look_at(replace(changed, flags=(), mark=Mark("ok", "", "what it was before")))
    assert [row[0] for row in by_actor[1:]] == ["", "을", "갑"]  # as they come in the script


def table(headers, rows) -> Sheet:
    return Sheet(title="표", headers=headers, rows=rows, widths=[9] * len(headers))


def test_a_table_s_texts_stay_texts(tmp_path):
    texts = ("=1+1", "+82", "-하", "@SUM(A1)", "#N/A", "007", "1e5", "두\n줄", '=HYPERLINK("x")')
    sheet = table(["=머리"], [[text] for text in texts])
    save_table(tmp_path / "t.xlsx", [sheet], DATE)
    page = openpyxl.load_workbook(tmp_path / "t.xlsx").worksheets[0]
    assert [(cell.value, cell.data_type) for cell in page["A"]] == [
        (text, "s") for text in ("=머리", *texts)
    ]
    assert b"<f>" not in zipfile.ZipFile(tmp_path / "t.xlsx").read("xl/worksheets/sheet1.xml")


def test_a_table_takes_what_excel_cannot_hold(tmp_path):
    cells = ["종\x07소리", float("nan"), None, "가" * 40000, 0.5]
    save_table(tmp_path / "t.xlsx", [table(list("abcde"), [cells])], DATE)
    page = openpyxl.load_workbook(tmp_path / "t.xlsx").worksheets[0]
    row = [cell.value for cell in page[2]]
    assert row[:3] == ["종_x0007_소리", None, None] and row[4] == 0.5
    assert len(row[3]) == 32767 and row[3].endswith("가…")


def test_a_table_holds_no_other_date_than_its_own(tmp_path):
    """Not the clock's, in the properties and in the archive; so two runs give the same bytes."""
    for name in ("a.xlsx", "b.xlsx"):
        save_table(tmp_path / name, [table(["a"], [["하나"], [2]])], DATE)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    properties = openpyxl.load_workbook(tmp_path / "a.xlsx").properties
    assert (properties.created, properties.modified) == (DATE, DATE)
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        assert {item.date_time for item in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    later = DATE.replace(year=2026)
    save_table(tmp_path / "b.xlsx", [table(["a"], [["하나"], [2]])], later)
    assert (tmp_path / "a.xlsx").read_bytes() != (tmp_path / "b.xlsx").read_bytes()


def test_a_table_is_written_whole_or_not_at_all(tmp_path):
    (tmp_path / "t.xlsx").mkdir()
    with pytest.raises(OutputError, match="cannot write it"):
        save_table(tmp_path / "t.xlsx", [table(["a"], [])], DATE)
    assert [path.name for path in tmp_path.iterdir()] == ["t.xlsx"]
