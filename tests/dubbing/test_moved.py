"""What a director said of a line stays with it when rows are put in or taken out above it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moksori.dubbing.moved import Known, moved
from moksori.dubbing.review import Review, left_behind
from moksori.dubbing.store import Store
from moksori.errors import OutputError
from moksori.script.line import Line, Place

TEXTS = ["안녕하세요.", "오늘 밤에 떠나자!", "네.", "네.", "그럴 수는 없어요.", "기다려!"]


def known(texts: list[str], character: str = "하나") -> list[Known]:
    return [Known(f"{n:04d}_{character}", character, text) for n, text in enumerate(texts, 1)]


def lines(texts: list[str]) -> dict[str, Line]:
    """By their ids, as a script numbers them."""
    places = enumerate(texts, 1)
    return {f"{n:04d}_하나": Line(Place("row", n), text, character="하나") for n, text in places}


def numbers(found: dict[str, str | None]) -> dict[int, int | None]:
    return {int(old[:4]): new and int(new[:4]) for old, new in found.items()}


@pytest.mark.parametrize(("now", "expected"), [
    (TEXTS, {}),
    (["새 줄이에요.", *TEXTS], {n: n + 1 for n in range(1, 7)}),
    (TEXTS[1:], {1: None, **{n: n - 1 for n in range(2, 7)}}),
    ([*TEXTS[:2], "네.", *TEXTS[2:]], {5: 6, 6: 7}),  # of three that are alike, in their order
    ([TEXTS[0], "오늘 밤에는 떠나자.", *TEXTS[2:]], {}),  # edited
    (["새 줄이에요.", TEXTS[0], "오늘 밤에는 떠나자.", *TEXTS[2:]], {n: n + 1 for n in range(1, 7)}),
    ([TEXTS[0], "전혀 다른 말입니다만.", *TEXTS[2:]], {}),  # rewritten in its place
    ([TEXTS[0], "전혀 다른 말입니다만.", "그건 모르겠네.", *TEXTS[3:]], {2: None, 3: None}),
    ([TEXTS[5], *TEXTS[:5]], {6: 1, **{n: n + 1 for n in range(1, 6)}}),
])  # fmt: skip
def test_lines_are_known_by_what_they_say_and_where(now, expected):
    assert numbers(moved(known(TEXTS), known(now))) == expected


def test_another_character_s_line_is_another(tmp_path):
    now = [*known(TEXTS[:1]), *(replace_character(line) for line in known(TEXTS)[1:2])]
    assert moved(known(TEXTS[:2]), now) == {"0002_하나": None}


def replace_character(line: Known) -> Known:
    return line._replace(id=line.id.replace("하나", "둘"), character="둘")


@given(st.lists(st.sampled_from(TEXTS), max_size=12), st.lists(st.sampled_from(TEXTS), max_size=12))
def test_no_two_lines_become_one(before, now):
    old, new = known(before), known(now)
    to = {line.id: line.id for line in old} | moved(old, new)
    there = [id for id in to.values() if id]
    assert len(there) == len({*there}) and {*there} <= {line.id for line in new}


@pytest.fixture
def review(tmp_path):
    """Of a job that knows the lines, with something said of the second and the fifth."""
    Store(tmp_path).close()
    review = Review(tmp_path)
    review.follow(lines(TEXTS))
    review.mark("0002_하나", TEXTS[1], state="retake", note="더 크게")
    review.ask("0005_하나", TEXTS[4], {"pitch": 2.0})
    return review


def test_marks_and_changes_follow_their_lines(review):
    review.follow(lines(["새 줄이에요.", *TEXTS]))
    assert {id: mark.note for id, mark in review.marks().items()} == {"0003_하나": "더 크게"}
    assert {id: change.pitch for id, change in review.changes().items()} == {"0006_하나": 2.0}
    review.follow(lines(["새 줄이에요.", *TEXTS]))  # looked at once more
    assert [*review.marks(), *review.changes()] == ["0003_하나", "0006_하나"]
    review.follow(lines(TEXTS))
    assert [*review.marks(), *review.changes()] == ["0002_하나", "0005_하나"]


def test_what_was_said_of_a_line_that_is_gone_is_no_other_line_s_and_is_told(review):
    now = lines([TEXTS[0], *TEXTS[2:]])
    review.follow(now)
    assert "0002_하나" not in review.marks() and [*review.changes()] == ["0004_하나"]
    behind = left_behind(now, review)
    assert [*behind.values()] == [TEXTS[1]]
    review.follow(lines(TEXTS))  # and is there again
    assert review.marks()["0002_하나"].note == "더 크게"
    assert not left_behind(iter(lines(TEXTS)), review)


def test_a_script_that_was_misread_once_changes_nothing(review):
    other = [text[::-1] for text in TEXTS]
    review.follow(lines(other))
    review.follow(lines(TEXTS))
    assert [*review.marks(), *review.changes()] == ["0002_하나", "0005_하나"]
    review.mark("0004_하나", TEXTS[3], state="ok")  # of two that say the same
    review.follow(lines([*TEXTS[:1], *other[1:]]))
    review.follow(lines(TEXTS))
    assert {*review.marks(), *review.changes()} == {"0002_하나", "0004_하나", "0005_하나"}


def test_a_look_changes_nothing_and_knows_the_names(review):
    now = lines(["새 줄이에요.", *TEXTS])
    to = review.names(now)
    assert to == {"0002_하나": "0003_하나", "0005_하나": "0006_하나"}
    assert [*review.marks(), *review.changes()] == ["0002_하나", "0005_하나"]
    assert [*review.marks(to), *review.changes(to)] == ["0003_하나", "0006_하나"]


def test_who_means_another_line_by_an_id_is_told(review):
    review.follow(lines(["새 줄이에요.", *TEXTS]))
    with pytest.raises(OutputError, match="another line has this name"):
        review.mark("0002_하나", TEXTS[1], state="ok")
    with pytest.raises(OutputError, match="another line has this name"):
        review.ask("0002_하나", TEXTS[1], {"gain": 1.0})
    assert review.marks()["0003_하나"].state == "retake" and "0002_하나" not in review.marks()


def test_a_line_that_is_gone_is_not_given_to_another_character(review):
    review.follow(lines([TEXTS[0], *TEXTS[2:]]))
    now = lines([TEXTS[0], *TEXTS[2:]])
    now["0006_둘"] = replace(lines(TEXTS)["0002_하나"], character="둘")
    review.follow(now)
    assert "0006_둘" not in review.marks() and len(review.marks()) == 1


def test_two_of_one_text_do_not_become_one(review):
    for id in ("0003_하나", "0004_하나"):
        review.mark(id, "네.", note=id)
    review.follow(lines([*TEXTS[:2], *TEXTS[4:]]))
    review.follow(lines([*TEXTS[:2], "네.", *TEXTS[4:]]))
    notes = [mark.note for mark in review.marks().values()]
    assert sorted(notes) == ["0003_하나", "0004_하나", "더 크게"]
    review.follow(lines(TEXTS))
    assert sorted(mark.note for mark in review.marks().values()) == sorted(notes)


def test_a_change_without_a_text_says_whose_it_was(review):
    now = lines(TEXTS[:4])
    review.follow(now)
    assert left_behind(now, review) == {"0005_하나": TEXTS[4]}


def test_a_changed_text_does_not_hide_whose_line_it_is(review):
    review.ask("0001_하나", TEXTS[0], {"text": "안녕!"})
    changed = lines(TEXTS)
    changed["0001_하나"] = replace(changed["0001_하나"], text="안녕!", replaced=TEXTS[0])
    review.follow(changed)
    review.follow(lines(["새 줄이에요.", *TEXTS]))
    assert review.changes()["0002_하나"].text == "안녕!"
