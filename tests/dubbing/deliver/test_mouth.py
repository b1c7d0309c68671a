import csv
import itertools
import json
import math
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moksori.alignment.alignment import Interval, phone_label
from moksori.dubbing.deliver.mouth import (
    PAUSE,
    SHORTEST,
    MouthCue,
    mouth_cues,
    save_mouth,
    write_dat,
    write_tsv,
)
from moksori.errors import OutputError
from moksori.text.symbols import CODAS, ONSETS, VOWELS
from moksori.text.visemes import _SHAPES as SHAPES
from moksori.writing import atomic_write

HI = [  # the example of Rhubarb's README, "Output formats"
    MouthCue(0, 0.05, "X"),
    MouthCue(0.05, 0.27, "D"),
    MouthCue(0.27, 0.31, "C"),
    MouthCue(0.31, 0.43, "B"),
    MouthCue(0.43, 0.47, "X"),
]

NAMES = dict(zip("ABCDEFGHX", ["MBP", "etc", "E", "AI", "O", "U", "FV", "L", "rest"], strict=True))


def spoken(labels, each=0.1, begin=0.3):
    return [Interval(x, begin + i * each, begin + (i + 1) * each) for i, x in enumerate(labels)]


def shapes(labels, each=0.1):
    """Of phones between two pauses."""
    cues = mouth_cues(spoken(labels, each), 0.6 + each * len(labels))
    return "".join(cue.shape for cue in cues)


def test_every_phone_of_the_inventory_has_a_shape():
    labels = {phone_label(phone) for phone in ONSETS[:11] + ONSETS[12:] + VOWELS + CODAS}
    assert len(labels) == 18 + 21 + 1  # ᄋ is silent as an onset, and only ㅇ is a coda alone
    for label in labels:
        cues = mouth_cues([Interval(label, 0.5, 1.0)], 1.5)
        assert cues[0].shape == cues[-1].shape == "X"
        assert {cue.shape for cue in cues[1:-1]} <= set("ABCDEFH")
        assert (cues[1].start, cues[-2].end) == (0.5, 1.0)
    assert set(SHAPES) == labels


@pytest.mark.parametrize(
    ("label", "seen"),
    [
        ("ㅏ", "D"),
        ("ㅣ", "B"),
        ("ㅓ", "C"),
        ("ㅗ", "E"),
        ("ㅜ", "F"),
        ("ㄹ", "H"),
        ("ㅍ", "A"),
        ("ㅑ", "BD"),
        ("ㅘ", "FD"),
        ("ㅟ", "FB"),
        ("ㅛ", "E"),
        ("ㅢ", "B"),
    ],
)
def test_a_long_sound_is_seen_in_full(label, seen):
    assert shapes(label, 0.5) == f"X{seen}X"


@pytest.mark.parametrize(
    ("labels", "seen"),
    [
        ("ㅁㅏㅁㅏ", "XADADX"),
        ("ㄱㅜ", "XFX"),  # lips round ahead of ㅜ
        ("ㄱㅣ", "XBX"),
        ("ㅎㅏ", "XDX"),  # ㅎ has no shape of its own
        ("ㄱㅗㅇ", "XEX"),  # nor has ㅇ
        ("ㄱㅘ", "XFDX"),
    ],
)
def test_sounds_that_look_like_their_neighbours(labels, seen):
    assert shapes(labels, 0.15) == seen


def test_a_consonant_gives_way_before_a_vowel():
    phones = [
        Interval("ㅅ", 0.3, 0.4),
        Interval("ㅏ", 0.4, 0.46),
        Interval("ㄴ", 0.46, 0.53),
        Interval("ㅗ", 0.53, 0.7),
    ]
    assert "".join(c.shape for c in mouth_cues(phones, 1.0)) == "XBEX"  # ㄴ is round, ㅏ too short
    phones[2:] = [Interval("ㄴ", 0.46, 0.53), Interval("ㅏ", 0.53, 0.7)]
    assert (
        "".join(c.shape for c in mouth_cues(phones, 1.0)) == "XBDX"
    )  # the vowels stay, ㄴ is lost


def test_a_short_closure_is_lengthened_at_its_neighbours_cost():
    phones = [Interval("ㅏ", 0.3, 0.5), Interval("ㅂ", 0.5, 0.53), Interval("ㅏ", 0.53, 0.7)]
    assert mouth_cues(phones, 1.0) == [
        (0, 0.3, "X"),
        (0.3, pytest.approx(0.45), "D"),
        (pytest.approx(0.45), 0.53, "A"),
        (0.53, 0.7, "D"),
        (0.7, 1.0, "X"),
    ]


def test_a_short_opening_between_closures_and_rests_stays():
    assert shapes("ㅁㅏㅁ", 0.06).count("D") == 1
    assert shapes("ㅏ", 0.03) == "XDX"


def test_only_long_gaps_are_rests():
    near = [Interval("ㅏ", 0.3, 0.5), Interval("ㅗ", 0.5 + PAUSE - 0.01, 1.0)]
    assert [c.shape for c in mouth_cues(near, 1.3)] == ["X", "D", "E", "X"]
    assert mouth_cues(near, 1.3)[1].end == near[1].begin
    far = [near[0], Interval("ㅗ", 0.5 + PAUSE + 0.01, 1.0)]
    assert [c.shape for c in mouth_cues(far, 1.3)] == ["X", "D", "X", "E", "X"]


def test_nothing_spoken_is_a_rest():
    assert mouth_cues([], 2.0) == [(0, 2.0, "X")]
    assert mouth_cues([], 0.0) == [(0, 0, "X")]
    with pytest.raises(ValueError, match="“v”"):
        mouth_cues([Interval("v", 0, 1)], 1)


@st.composite
def lines(draw):
    phones, now = [], 0.0
    times = st.floats(0, 0.3)
    for label in draw(st.lists(st.sampled_from(sorted(SHAPES)), max_size=25)):
        begin = now + draw(st.one_of(st.just(0.0), times))
        now = begin + draw(times)
        phones.append(Interval(label, begin, now))
    return phones, max(0.0, now + draw(st.floats(-0.1, 0.5)))


@given(lines())
def test_cues_cover_the_recording_without_flicker(line):
    phones, length = line
    cues = mouth_cues(phones, length)
    assert (cues[0].start, cues[-1].end) == (0, length)
    around = ["", *(cue.shape for cue in cues), ""]
    spans = [0, *(cue.end - cue.start for cue in cues), 0]
    for i, (cue, after) in enumerate(zip(cues, [*cues[1:], None], strict=True), 1):
        assert after is None or (cue.end == after.start and cue.shape != after.shape)
        assert cue.end > cue.start or length == 0
        if (
            spans[i] < SHORTEST - 1e-5
        ):  # stays only if it must not vanish, and nobody can spare more
            neighbours = {around[i - 1], around[i + 1]} - {""}
            assert cue.shape == "A" or neighbours <= {"A", "X"}
            assert max(spans[i - 1], spans[i + 1]) < SHORTEST + 1e-5


@given(lines())
def test_every_closure_is_shown(line):
    """Each run of labials has its A, touching the time that it is spoken at."""
    phones, length = line
    cues = mouth_cues(phones, length)
    runs: list[tuple[float, float]] = []
    for phone in phones:
        if SHAPES[phone.label] == "A" and min(phone.end, length) > phone.begin:
            joins = (
                bool(runs) and phone.begin - runs[-1][1] < SHORTEST
            )  # what lies between vanishes
            runs.append((runs.pop()[0] if joins else phone.begin, phone.end))
    for begin, end in runs:
        assert any(c.shape == "A" and c.start < end and c.end > begin for c in cues)


def read_back(folder, name):
    """What four independent readers find: rows of start, end and shape."""
    with (folder / f"{name}.tsv").open(encoding="utf-8", newline="") as file:
        table = list(csv.reader(file, delimiter="\t"))
    tsv = [(a[0], b[0], a[1]) for a, b in itertools.pairwise(table)]
    result = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"), parse_float=str)
    root = ElementTree.parse(folder / f"{name}.xml").getroot()
    tree = [(e.get("start"), e.get("end"), e.text) for e in root.iterfind("mouthCues/mouthCue")]
    assert root.tag == "rhubarbResult"
    assert result["metadata"] == {e.tag: e.text for e in root.find("metadata")}
    assert result["metadata"]["duration"] == table[-1][0]
    return tsv, [tuple(cue.values()) for cue in result["mouthCues"]], tree, table[-1]


def test_files_are_rhubarb_s_to_the_letter(tmp_path):
    """Against the README's own listings of one recording."""
    sound = "C:\\Users\\Daniel\\Desktop\\av\\hi\\hi.wav"
    save_mouth(tmp_path, "hi", HI, sound, 24)
    rows = ["0.00\tX", "0.05\tD", "0.27\tC", "0.31\tB", "0.43\tX", "0.47\tX"]
    assert (tmp_path / "hi.tsv").read_text() == "\n".join(rows) + "\n"
    listing = (tmp_path / "hi.json").read_text().splitlines()
    assert listing[:7] == [
        "{",
        '  "metadata": {',
        '    "soundFile": "C:\\\\Users\\\\Daniel\\\\Desktop\\\\av\\\\hi\\\\hi.wav",',
        '    "duration": 0.47',
        "  },",
        '  "mouthCues": [',
        '    { "start": 0.00, "end": 0.05, "value": "X" },',
    ]
    assert listing[-3:] == ['    { "start": 0.43, "end": 0.47, "value": "X" }', "  ]", "}"]
    listing = (tmp_path / "hi.xml").read_text().splitlines()
    assert listing[:7] == [
        '<?xml version="1.0" encoding="utf-8"?>',
        "<rhubarbResult>",
        "  <metadata>",
        f"    <soundFile>{sound}</soundFile>",
        "    <duration>0.47</duration>",
        "  </metadata>",
        "  <mouthCues>",
    ]
    assert listing[7] == '    <mouthCue start="0.00" end="0.05">X</mouthCue>'


def test_all_files_tell_the_same(tmp_path):
    cues = mouth_cues(spoken("ㅇㅏㄴㄴㅕㅇㅎㅏㅅㅔㅇㅛㅁㅜㄹ", 0.083), 2.3456)
    save_mouth(tmp_path, "0012_하나", cues, "waves/0012_하나 & <둘>.wav", 24)
    tsv, from_json, tree, last = read_back(tmp_path, "0012_하나")
    assert tsv == from_json == tree
    assert last == ["2.34", "X"]  # cut, so as not to lie behind the end
    assert [shape for *_, shape in tsv] == [cue.shape for cue in cues]
    for (start, end, _), cue in zip(tsv, cues, strict=True):
        assert 0 <= cue.start - float(start) < 0.01
        assert 0 <= cue.end - float(end) < 0.01
    root = ElementTree.parse(tmp_path / "0012_하나.xml")
    assert root.findtext("metadata/soundFile") == "waves/0012_하나 & <둘>.wav"


def test_moho_switches_count_frames_from_one(tmp_path):
    write_dat(tmp_path / "a.dat", HI, 24)
    assert (tmp_path / "a.dat").read_text().split("\n") == [
        "MohoSwitch1",
        "1 rest",
        "2 AI",
        "7 E",
        "8 etc",
        "11 rest",
        "12 rest",
        "",
    ]


@given(lines(), st.sampled_from([12, 24, 24000 / 1001, 25, 30, 60]))
def test_moho_has_a_row_a_frame_at_most(tmp_path_factory, line, fps):
    cues = mouth_cues(*line)
    path = tmp_path_factory.getbasetemp() / "a.dat"
    write_dat(path, cues, fps)
    head, *rows = path.read_text().splitlines()
    frames = [int(row.split()[0]) for row in rows]
    assert head == "MohoSwitch1"
    assert frames[0] == 1
    assert rows[-1].endswith(" rest")
    assert all(a < b for a, b in itertools.pairwise(frames))
    names = [row.split()[1] for row in rows]
    for cue in cues:
        first, middle, last = (
            1 + math.floor(fps * time) for time in (cue.start, (cue.start + cue.end) / 2, cue.end)
        )
        if cue.end - cue.start > 2.01 / fps:  # seen in any case
            at_middle = [n for f, n in zip(frames, names, strict=True) if f <= middle][-1]
            assert at_middle == NAMES[cue.shape]
        if cue.shape == "A" and cue.end > cue.start:
            near = [n for f, n in zip(frames, names, strict=True) if first <= f <= last + 1]
            assert "MBP" in near


def test_the_same_line_gives_the_same_bytes(tmp_path):
    cues = mouth_cues(spoken("ㅂㅏㅂ"), 1)
    first = [path.read_bytes() for path in save_mouth(tmp_path, "a", cues, "a.wav", 24)]
    assert [path.read_bytes() for path in save_mouth(tmp_path, "b", cues, "a.wav", 24)] == first


def test_writing_is_whole_or_not_at_all(tmp_path):
    atomic_write(tmp_path / "a.txt", "가\r\n")
    assert (tmp_path / "a.txt").read_bytes() == "가\r\n".encode()
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o644
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="folder: cannot write it"):
        atomic_write(tmp_path / "folder", b"x")
    with pytest.raises(OutputError, match="missing: no such folder"):
        write_tsv(tmp_path / "missing" / "a.tsv", HI)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "folder"]
