from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from moksori.alignment.alignment import Interval
from moksori.conversion.slips import LIMIT, Slip
from moksori.dubbing.records import Dubbed, Role, Take
from moksori.dubbing.work.flags import RULES, flag, reason, similarities
from moksori.messages import say
from moksori.script.line import Line, Place

GOOD = {"confidence": 0.9, "word": 0.8, "rushed": 0.0, "unheard": 0.05, "pace": 12.0, "clipped": 0.0,
        "snr": 60.0, "lowered": 0.0}  # fmt: skip


def row(
    status="converted", text="안녕?", who=None, seconds=2.0, character="하나", line=None, **metrics
):
    line = Line(Place("row", 1), text, character=character, **(line or {}))
    take = Take(
        id="0001", line=line, audio=Path("a.wav"), begin=0, samples=round(seconds * 1000),
        sample_rate=1000, start=None, role=Role(voice="lmy"),
    )  # fmt: skip
    measured = None if status == "failed" else GOOD | metrics
    return Dubbed(take=take, status=status, metrics=measured, embedding=who)


def kinds(made):
    return [f.kind for f in flag([made])[0].flags]


def test_a_good_line_has_no_flag():
    assert kinds(row()) == []


@pytest.mark.parametrize(
    ("metrics", "kind"),
    [
        ({"confidence": 0.49}, "confidence"),
        ({"rushed": 3.0}, "rushed"),
        ({"agreement": 0.3}, "disagree"),
        ({"pace": 21.0}, "fast"),
        ({"pace": 4.0}, "slow"),
        ({"clipped": 3.0}, "clipped"),
        ({"snr": 12.0}, "noisy"),
        ({"lowered": 4.0}, "lowered"),
    ],
)
def test_each_metric_has_its_flag(metrics, kind):
    (found,) = flag([row(**metrics)])[0].flags
    assert found.kind == kind
    assert 0.33 <= found.severity <= 1  # a person should look
    for lang in ("ko", "en"):
        assert reason(found, lang)


def test_the_worse_the_metric_the_more_severe_the_flag():
    severities = [flag([row(confidence=c)])[0].flags[0].severity for c in (0.49, 0.3, 0.1)]
    assert severities == sorted(severities)
    both = flag([row(confidence=0.1, pace=21.0)])[0].flags
    assert [f.kind for f in both] == ["confidence", "fast"]


@pytest.mark.parametrize(
    ("metrics", "kind"), [({"word": 0.09}, "word"), ({"unheard": 0.26}, "unheard")]
)
def test_what_the_alignment_alone_says_of_a_word_is_told_but_not_listed(metrics, kind):
    """The recogniser is the better judge of words (`slip`)."""
    (found,) = flag([row(**metrics)])[0].flags
    assert (found.kind, 0 < found.severity < 0.33) == (kind, True)


def test_a_word_that_is_not_said_is_named():
    """The last sounds of a word may be hurried with it, and one alone elsewhere."""
    frame = 0.0116
    lengths = [
        9,
        1,
        7,
        8,
        2,
        1,
        1,
        1,
        1,
        6,
        9,
    ]  # 나는 정말 가요: hurried 는's ㅡ, 말's and 가's sounds
    ends = np.cumsum(lengths) * frame
    begins = np.append(0, ends[:-1])
    phones = tuple(Interval("x", *span) for span in zip(begins, ends, strict=True))
    words = (
        Interval("나는", begins[0], ends[2]),
        Interval("정말", begins[3] + 0.001, ends[7] - 0.001),
        Interval("가요", begins[8], ends[-1]),
    )
    made = replace(row(text="나는 정말 가요", rushed=4.0), words=words, phones=phones)
    (found,) = flag([made])[0].flags
    assert reason(found, "ko") == "대본의 낱말이 빠졌을 수 있습니다: “정말” (건너뛴 음소 4개)"
    assert reason(found, "en") == "A word of the text may not be said: “정말” (skipped phones: 4)"
    (found,) = flag([replace(made, words=(), phones=())])[0].flags  # of a job from before
    assert reason(found, "en") == "A word of the text may not be said (skipped phones: 4)"


def test_what_is_no_speech_is_told_but_not_urgent():
    (found,) = flag([row("passed", "(웃음)")])[0].flags
    assert (found.kind, found.severity < 0.33) == ("nonverbal", True)
    (found,) = flag([row("passed", "으악!", nonverbal=2.0)])[0].flags
    assert (found.kind, found.severity >= 0.33) == ("nonverbal", True)  # it may be a line after all
    (found,) = flag([row(text="(웃음)", nonverbal=1.0)])[0].flags
    assert (found.kind, found.severity < 0.33) == ("sound", True)
    (found,) = flag([row(text="으악!", nonverbal=2.0)])[0].flags
    assert (found.kind, found.severity >= 0.33) == ("sound", True)
    (found,) = flag([row(text="ㅋㅋㅋ 그래")])[0].flags
    assert (found.kind, found.severity < 0.33) == ("laugh", True)
    assert kinds(row(text="(작게) 그래")) == []


@pytest.mark.parametrize(
    ("kind", "heard", "korean", "english"),
    [
        ("other", "그묘일", "“목요일” 대신 “그묘일”처럼 들립니다", "“목요일” sounds like “그묘일”"),
        ("missing", "", "“목요일”이 들리지 않습니다", "“목요일” is not heard"),
        ("added", "꼭", "“목요일” 곁에 “꼭”이 더 들립니다", "“꼭” is heard beside “목요일”"),
    ],
)
def test_a_slip_says_what_was_heard_instead(kind, heard, korean, english):
    slip = Slip(kind, "목요일", heard, LIMIT + 1, 0.5, 0.9)
    (found,) = flag([replace(row(), slip=slip)])[0].flags
    assert found.kind == "slip"
    assert reason(found, "ko").endswith(korean)
    assert reason(found, "en").endswith(english)
    assert kinds(replace(row(), slip=slip._replace(gain=LIMIT - 1))) == []


def test_a_failed_line_comes_first_and_a_long_one_is_told():
    (found,) = flag([row("failed")])[0].flags
    assert (found.kind, found.severity) == ("failed", 1.0)
    (found,) = flag([row(line={"start": 1.0, "end": 2.5})])[0].flags
    assert (found.kind, found.value) == ("long", pytest.approx(0.5))


def test_a_voice_unlike_its_character_s_others_is_found():
    chance = np.random.default_rng(0)
    voice = chance.standard_normal(256)

    def near(noise):
        e = voice + noise * chance.standard_normal(256)
        return tuple(e / np.linalg.norm(e))

    rows = [row(who=near(0.3)) for _ in range(6)] + [row(who=near(30))]
    rows += [row(who=near(30), character="둘")]  # alone, with nobody to be compared with
    found = similarities(rows)
    assert [*found] == [0, 1, 2, 3, 4, 5, 6]
    assert [i for i, made in enumerate(flag(rows)) if made.flags] == [6]


def test_lines_of_one_character_that_overlap_are_flagged():
    rows = [row(line={"start": 1.0, "end": 3.0}), row(line={"start": 2.5, "end": 4.5})]
    second = replace(
        rows[1].take, id="0002", line=replace(rows[1].take.line, place=Place("row", 2))
    )
    first, other = flag([rows[0], replace(rows[1], take=second)])
    assert first.flags == ()
    assert [(f.kind, f.value) for f in other.flags] == [("overlap", 0.5)]


def test_every_flag_can_be_raised_has_its_words_and_is_documented():
    """Each kind by a row of its own; docs/dubbing.md has a table of all kinds."""
    raised = {"failed": row("failed"), "nonverbal": row("passed"), "laugh": row(text="ㅋㅋㅋ 그래")}
    named = {
        "confidence": {"confidence": 0.1}, "word": {"word": 0.05}, "rushed": {"rushed": 4.0},
        "unheard": {"unheard": 1.0}, "disagree": {"agreement": 0.1},
        "fast": {"pace": 25.0}, "slow": {"pace": 2.0}, "clipped": {"clipped": 9.0},
        "noisy": {"snr": 5.0}, "lowered": {"lowered": 6.0},
    }  # fmt: skip
    raised |= {kind: row(**metrics) for kind, metrics in named.items()}
    slip = Slip("other", "목요일", "그묘일", 2 * LIMIT, 0.5, 0.9)
    raised["slip"] = replace(row(text="목요일에 만나."), slip=slip)
    raised["sound"] = row(text="(웃음)", nonverbal=1.0)
    raised["long"] = row(line={"start": 1.0, "end": 2.0})
    elsewhere = {"similarity", "overlap"}  # of several rows; the tests above raise them
    document = (Path(__file__).parents[3] / "docs" / "dubbing.md").read_text(encoding="utf-8")
    assert {rule.kind for rule in RULES} == raised.keys() | elsewhere
    for rule in RULES:
        if rule.kind in raised:
            assert rule.kind in kinds(raised[rule.kind])
        for lang in ("ko", "en"):
            assert say(f"reason.{rule.kind}", lang)
        assert f"`{rule.kind}`" in document, rule.kind
