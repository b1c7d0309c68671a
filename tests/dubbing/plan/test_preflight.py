import re
import tracemalloc

import numpy as np
import openpyxl
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from moksori.conversion.converter import Converter
from moksori.dubbing.deliver.issue_list import save_issues
from moksori.dubbing.plan.cast import Cast
from moksori.dubbing.plan.issues import KINDS, Issue, entries
from moksori.dubbing.plan.memory import Memory
from moksori.dubbing.plan.preflight import overlaps, preflight
from moksori.dubbing.plan.takes import find_takes
from moksori.dubbing.records import Role, Take
from moksori.dubbing.task import Setup
from moksori.messages import message
from moksori.script.line import Line, Place
from moksori.text.nonverbal import is_nonverbal, is_wordless
from tests.conftest import voiced_wave

CAST = Cast.model_validate(
    {"characters": {"하나": {"voice": "lmy"}, "둘": {"voice": "nobody"}, "셋": {"pass": True}}}
)
TEXT = "오늘 밤에 우리가 이 도시를 지킨다"  # 12 phones a second in 2.5 s


@pytest.fixture
def checked(tmp_path):
    def look(*lines: Line, seconds: float = 2.5, wave=None):
        sound = voiced_wave(seconds) if wave is None else wave
        soundfile.write(tmp_path / "a.wav", sound, 22050)
        found = find_takes([*lines], tmp_path, CAST)
        return preflight(found, Setup(), Converter.from_pretrained())

    return look


def line(text=TEXT, character="하나", no="1", **more):
    return Line(Place("row", no), text, character=character, no=no, file="a", **more)


def kinds(found):
    return [(f.severity, f.kind) for f in found.issues]


def test_a_good_line_is_ready_and_untimed(checked):
    found = checked(line())
    assert kinds(found) == [("note", "untimed")]
    assert len(found.takes) == 1


@pytest.mark.parametrize(
    ("text", "character", "expected"),
    [
        ("안녕? 日本", "하나", "text"),
        ("(웃음", "하나", "text"),
        ("가", "하나", "pace"),
        (TEXT * 6, "하나", "pace"),
        (TEXT, "둘", "voice"),
    ],
)
def test_what_the_conversion_would_refuse_is_an_error_now(checked, text, character, expected):
    found = checked(line(text, character))
    assert ("error", expected) in kinds(found)
    assert not found.takes


def test_sounds_without_words_are_noted_and_taken(checked):
    for text in ("(웃음)", "ㅋㅋㅋ", "아!"):
        found = checked(line(text))
        assert ("note", "nonverbal") in kinds(found), text
        assert found.takes
    assert kinds(checked(line("안녕? 日本", "셋"))) == [
        ("note", "untimed")
    ]  # passed, so never read


def test_readings_in_doubt_are_notes(checked):
    found = checked(line("최소 20명이 우리 도시를 지킨다"))
    assert ("note", "doubt") in kinds(found)
    assert found.takes


def test_recordings_are_heard(checked):
    silent = np.zeros(22050, dtype=np.float32)
    assert ("error", "unreadable") in kinds(checked(line(), wave=silent))
    assert ("error", "unreadable") in kinds(checked(line(), seconds=121))


def test_a_recording_longer_than_its_slot_is_a_warning(checked):
    from dataclasses import replace

    found = checked(line(start=10.0, end=12.0))
    assert [f.values["by"] for f in found.issues if f.kind == "too_long"] == ["0.50"]
    cut = replace(found, takes=[replace(found.takes[0], cut=True)], issues=[])
    assert not preflight(cut, Setup(), Converter.from_pretrained()).issues  # its handles


def take(no, start, end, character="하나", audio="a.wav"):
    line = Line(Place("row", no), "가", character=character, start=start, end=end)
    return Take(
        id=f"{no}", line=line, audio=audio, begin=0, samples=1000, sample_rate=1000, start=start,
        role=Role(voice="lmy"),
    )  # fmt: skip


def test_overlaps_are_told_once_by_what_they_are():
    found = overlaps([
        take(1, 0.0, 5.0), take(2, 4.0, 6.0), take(3, 4.5, 4.75, "둘", "b.wav"), take(4, 5.5, 7.0, "둘"),
        take(5, 7.02, 9.0), take(6, 7.0, 7.04),
    ])  # fmt: skip
    assert [(str(i.place), i.kind, i.values["other"].say("en"), i.values["by"]) for i in found] == [
        ("row 2", "overlap", "row 1", "1.00"),
        ("row 3", "overlap_others", "row 1", "0.25"),  # and row 2
        ("row 4", "crosstalk", "row 2", "0.50"),
    ]
    assert [i.say("en") for i in found][1] == (
        "overlaps row 1 and 1 more of another character by 0.25 s"
    )


def test_thousands_of_lines_at_once_are_an_issue_a_line():
    """It was one a pair: eight million of them, 7 GB, and the end of the job."""
    takes = [take(i, 0.001 * i, 60.0, audio=f"{i}.wav") for i in range(4000)]
    tracemalloc.start()
    found = overlaps(takes)
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()
    assert len(found) == 3999
    assert found[-1].say("en").startswith("overlaps row 0 and 3998 more of the same character")


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(1, 40), st.sampled_from("가나")), max_size=12
    )
)
def test_overlaps_are_those_of_every_pair(rows):
    """Against the definition: each pair by itself."""
    takes = [take(i, s / 10, (s + n) / 10, c, f"{i}.wav") for i, (s, n, c) in enumerate(rows)]
    ordered = sorted(takes, key=lambda t: (t.line.start, t.line.end, t.id))
    expected: dict[tuple[str, str], list[float]] = {}
    for i, later in enumerate(ordered):
        for other in ordered[:i]:
            by = min(later.line.end, other.line.end) - later.line.start
            same = later.line.character == other.line.character
            if by > 0.05:
                key = str(later.line.place), "overlap" if same else "overlap_others"
                expected.setdefault(key, []).append(by)
    found = {(str(i.place), i.kind): i for i in overlaps(takes)}
    assert found.keys() == expected.keys()
    for key, issue in found.items():
        assert float(issue.values["by"]) == pytest.approx(max(expected[key]), abs=0.006)
        others = len(expected[key]) - 1
        assert issue.values["more"] == (message("issues.more", number=others) if others else "")


def test_findings_are_kept_in_both_languages(tmp_path):
    values = dict.fromkeys(
        (
            "before",
            "after",
            "hours",
            "file",
            "names",
            "why",
            "by",
            "where",
            "character",
            "text",
            "reading",
            "other",
            "name",
            "near",
            "track",
            "voice",
            "written",
            "stamp",
            "start",
            "readings",
            "end",
            "last",
            "length",
            "more",
            "pattern",
            "bext",
            "ixml",
            "rate",
            "said",
            "channels",
            "first",
            "listed",
            "no",
            "who",
            "number",
            "gain",
            "effort",
            "origin",
        ),
        "X",
    )
    found = [Issue("error", Place("row", 1), kind, values) for kind in KINDS]
    from datetime import datetime

    for lang in ("ko", "en"):
        save_issues(tmp_path / f"{lang}.xlsx", found, lang, datetime(2026, 1, 1))
        rows = [*openpyxl.load_workbook(tmp_path / f"{lang}.xlsx").active.values]
        assert len(rows) == len(KINDS) + 1
        assert all(row[2] and "{" not in row[2] for row in rows)


@pytest.mark.parametrize(
    ("gains", "expected", "says"),
    [
        ((1, 1), None, ""),
        ((1, 0.5), ("note", "mixed"), "2 channels differ"),
        (
            (1, 0),
            ("warning", "mixed_silent"),
            "some without sound (2), so that it is up to 6.0 dB quieter",
        ),
        ((1, 0.5, 0.2, 0.1, 0.1, 0.5), ("warning", "mixed_many"), "all 6 channels"),
        (
            (1, 1, 0, 0),
            ("warning", "mixed_silent"),
            "4 channels are mixed, some without sound (3, 4)",
        ),
    ],
)
def test_a_take_whose_channels_are_mixed_is_told(checked, tmp_path, gains, expected, says):
    """Also by the next check, which measures nothing again; takes alike are one entry."""
    wave = voiced_wave(2.5)[:, None] * np.array(gains, dtype=np.float32)
    found = checked(line(), line(no="2"), wave=wave)
    told = [entry for entry in entries(found.issues) if entry.issue.kind.startswith("mixed")]
    assert [(e.issue.severity, e.issue.kind, len(e.places)) for e in told] == [
        (*expected, 2) for _ in range(1) if expected
    ]
    assert all(says in entry.issue.say("en") for entry in told)
    memory, converter = Memory(), Converter.from_pretrained()
    memory.recall(tmp_path)
    measured = [memory.measured(take, converter, converted=True) for take in found.takes]
    memory.keep(tmp_path)
    again = Memory()
    again.recall(tmp_path)
    assert [again.measured(take, converter, converted=True).mixed for take in found.takes] == [
        one.mixed for one in measured
    ]


def test_what_is_no_word():
    assert all(map(is_wordless, ("(웃음)", "ㅋㅋㅋ", "…", "[비명] ㅠㅠ!")))
    assert not any(map(is_wordless, ("아!", "(작게) 응", "3")))
    assert all(map(is_nonverbal, ("아!", "으악!!", "하하하", "(놀라) 헉…", "흐흑")))
    no = ("아니", "악마다", "응원해", "", "이 아이야.", "야, 이 아이야!", "오이", "아이")
    assert not any(map(is_nonverbal, no))


_ENGLISH = re.compile(r"[A-Za-z]{3,}")
_NAMES = re.compile(  # of files, options, keys and voices, which stay as they are
    r"[\w./-]+\.(?:wav|toml|xlsx|voice)|--[a-z-]+|`[^`]*`|dBFS|\b(?:cast|voice|gain|moksori|lmy|kih)(?![a-z])"
)


def test_no_reason_of_a_korean_list_is_english(checked):
    """Whatever is wrong with recording, text, length, reading or voice is said in Korean to its last word."""
    silent = np.zeros(22050, dtype=np.float32)
    broken = [
        checked(line(), wave=silent), checked(line(), seconds=121), checked(line("漢字")),
        checked(line("(웃음")), checked(line("최소 20명이 우리 도시를 지킨다")), checked(line("네")),
        checked(line("오늘 Zyxwv 밤"), wave=None), checked(line(start=10.0, end=12.0)),
    ]  # fmt: skip
    issues = [issue for found in broken for issue in found.issues]
    assert len({issue.kind for issue in issues}) >= 5
    for issue in issues:
        korean = _NAMES.sub("", issue.say("ko"))
        written = "".join(str(value) for value in issue.values.values())
        left = [word for word in _ENGLISH.findall(korean) if word not in ("Zyxwv", "tmp", "pytest")]
        assert re.search("[가-힣]", korean), written
        assert not left, issue.say("ko")
