from pathlib import Path

import pytest

from moksori.messages import message
from moksori.script.script import read_script
from moksori.script.times import Written, find_timing, stated_rates
from moksori.timecode import FrameRate


def timing(*texts, fps=None, titles=()):
    times = [Written(message("plain", text=f"row {n}"), text) for n, text in enumerate(texts, 2)]
    return find_timing(Path("a.csv"), times, fps and FrameRate.parse(fps), [titles])


def seconds(found, text):
    return pytest.approx(found.notation.seconds(text))


DROP = 1001 / 30000


@pytest.mark.parametrize(
    ("text", "fps", "expected"),
    [
        ("01:00:01:12", "24", 3601.5),
        ("01:00:01.12", "24", 3601.5),
        ("01:00:01,12", "25", 3601.48),
        ("01.00.01.12", "24", 3601.5),
        ("01;00;01;12", "29.97df", (107892 + 42) * DROP),
        ("01:00:01;12", "29.97", (107892 + 42) * DROP),  # a semicolon means drop frame
        ("01:00:01:12", "29.97", (108000 + 42) * DROP),
        ("01:00:01.250", "24", 3601.25),
        ("01:00:01.5", "24", 3601.5),
        ("01:00:01.75", "24", 3601.75),  # no frame 75
    ],
)
def test_frames_stand_after_any_mark(text, fps, expected):
    found = timing(text, fps=fps)
    assert found.question is None
    assert expected == seconds(found, text)


@pytest.mark.parametrize(
    ("titles", "rate"),
    [
        (["1화", "29.97 DF"], "29.97df"),
        (["FPS", "23.976"], "23.976"),
        (["프레임 레이트: 25"], "25"),
        (["TC in (24fps)"], "24"),
        (["초당 30프레임"], "30"),
        (["59.94 Non-Drop"], "59.94"),
        (["드롭 프레임"], "29.97df"),
        (["29.97", "DF"], "29.97df"),
    ],
)
def test_the_frame_rate_is_read_where_the_script_says_it(titles, rate):
    found = timing("01:00:01:12", titles=titles)
    assert found.question is None
    assert str(found.notation.frame_rate) == rate
    assert "script states" in found.warnings[0].say("en")


def test_what_is_no_frame_rate_is_not_taken_for_one():
    for title in ("24화", "25", "2024-05-24", "장면 30", "01:00:24:25", "대본 v2.5", "상영 50분"):
        assert stated_rates([[title]]) == [], title


@pytest.mark.parametrize(
    ("texts", "fps", "told"),
    [
        (
            ["01:00:01:12", *["01:00:02:23"] * 120], None,
            r"“01:00:02:23” at row 3.*--fps 23\.976 / --fps 24$",
        ),
        (["01:00:01:12", "01:00:02:23"], None, "--fps 24 / --fps 25 / --fps 29.97df"),  # few tell little
        (["01:00:01:24"] * 26, None, "--fps 25$"),
        (["01:00:01:29"], None, "--fps 29.97df / --fps 29.97ndf / --fps 30$"),
        (["01:00:01;02"], None, "--fps 29.97df$"),
        (["01:00:01;02"], "25", "not of the frame rate 25.*--fps 29.97df"),
        (["01:00:01;02"], "29.97ndf", "not of the frame rate 29.97; give"),
        (["01:00:01:28", "01:00:02:27", "01:00:03:29"], "24", "not of the frame rate 24"),
        (["01:00:01.12", "01:00:02.20", "01:00:05.03", "01:00:07.22"], None, "look like frames"),
    ],
)  # fmt: skip
def test_what_nobody_says_is_asked_once(texts, fps, told):
    import re

    found = timing(*texts, fps=fps)
    assert found.question is not None
    assert re.search(told, found.question.say("en")), found.question.say("en")
    assert found.notation.seconds(texts[0]) is None  # and nothing is guessed meanwhile


def test_two_digits_after_a_point_are_said_how_they_were_read():
    assert "hundredths" in timing("01:00:01.25").warnings[0].say("en")
    assert "read as frames" in timing("01:00:01.20", fps="24").warnings[0].say("en")
    assert not timing("01:00:01.99").warnings
    assert not timing("01:00:01.00", "01:00:02.00", "01:00:03.00").warnings


def test_several_rates_are_asked_about_and_the_user_s_word_counts():
    said = ["25 fps", "24 fps"]
    assert "several frame rates (25, 24)" in timing("0:0:1:2", titles=said).question.say("en")
    found = timing("00:00:01:12", titles=["25fps"], fps="24")
    assert (found.question, str(found.notation.frame_rate)) == (None, "24")
    assert "states the frame rate 25, but 24" in found.warnings[0].say("en")


def test_a_subtitle_in_frames_is_read_or_asked_about(tmp_path):
    path = tmp_path / "a.srt"
    path.write_text("1\n00:00:01:12 --> 00:00:02:00\n가\n", encoding="utf-8")
    assert "--fps 23.976" in read_script(path).question.say("en")
    (line,) = read_script(path, frame_rate=FrameRate.parse("24")).lines
    assert (line.start, line.end) == (1.5, 2.0)


def test_a_title_of_a_table_says_its_frame_rate(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("1화,29.97 DF\n시작,끝,대사\n01:00:01;00,01:00:02;00,가\n", encoding="utf-8")
    content = read_script(path)
    assert str(content.frame_rate) == "29.97df"
    assert content.lines[0].start == pytest.approx((107892 + 30) * DROP)
