"""Whose channel is which: by iXML's names, by what is asked, and asked where neither says."""

import pytest

from moksori.dubbing.plan.channels import Channels
from moksori.dubbing.plan.cuts import cut, cut_by_channel
from moksori.errors import ConfigError
from moksori.script.line import Line, Place


def line(character, actor="", start=0.0, end=None):
    return Line(Place("row", character or 0), "안녕?", character=character, actor=actor,
                start=start, end=end)  # fmt: skip


HANA, DUL, NOBODY = line("하나", "김성우"), line("둘", "박성우"), line("")
LINES = [HANA, DUL]


def of(channels, *lines):
    """Channels, or the kinds of what is asked."""
    found = [channels.of(one) for one in lines or LINES]
    return [found.kind if hasattr(found, "kind") else found for found in found]


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("하나", "둘"), [0, 1]), (("둘", " 하 나 "), [1, 0]), (("박성우", "김성우"), [1, 0]),
        (("Mix", "01 하나 붐", "둘_라벨리어"), [1, 2]), (("하나/둘", "", ""), [0, 0]),
        (("하나 붐", "하나", "둘"), [1, 2]),  # whole names before words of others
        (("하나 붐", "하나 핀", "둘"), ["channels_alike", 2]),
        (("하나", "Mix", ""), [0, "channels_nobody"]),
        (("A", "B", "C"), ["channels_open"] * 2), (("", "", ""), ["channels_open"] * 2),
        (("L", "R"), [None, None]), ((), [None]), (("하나", "R"), [0, "channels_nobody"]),
    ],
)  # fmt: skip
def test_names_of_ixml(names, found):
    channels = Channels(max(1, len(names)), names, LINES)
    assert of(channels)[: len(found)] == found


@pytest.mark.parametrize(
    ("asked", "names", "found"),
    [
        ({"하나": "2", "둘": "1"}, ("", "", ""), [1, 0]),
        ({"하나": "3"}, ("하나", "둘", ""), [2, 1]),  # asked before iXML
        ({"김성우": "2"}, ("", "", ""), [1, "channels_nobody"]),
        ({"하나": "붐"}, ("핀", "붐", ""), [1, "channels_nobody"]),
        ({"": "mix"}, ("", "", ""), [None, None]), ({"": "MIX"}, ("하나", "", ""), [0, None]),
        ({"하나": "mix", "둘": "2"}, ("", ""), [None, 1]),
        ({"하나": "1"}, ("", ""), [0, "channels_nobody"]),
    ],
)  # fmt: skip
def test_what_is_asked(asked, names, found):
    assert of(Channels(len(names), names, LINES, asked)) == found


@pytest.mark.parametrize("which", ["0", "4", "붐", "1.5", "-1", "²"])
def test_a_channel_that_is_not_there(which):
    with pytest.raises(ConfigError, match=r"no channel .* there are 1 하나, 2, 3"):
        Channels(3, ("하나",), LINES, {"둘": which})


def test_what_is_said_of_them():
    def said(*given):
        return [issue.say("en") for issue in Channels(*given).issues()]

    assert said(1, ("하나",), LINES) == []
    assert "taken as stereo" in said(2, (), LINES)[0]
    assert said(3, ("", "하나 붐", "둘"), LINES) == [
        "channels are found by their names in iXML: 하나: 2 하나 붐, 둘: 3 둘"
    ]
    assert "“셋” of --channels is neither" in said(3, (), LINES, {"셋": "1", "하나": "2"})[0]
    two = Channels(3, ("하나 수 A", "하나 수 B", "둘"), [line("하나 수"), *LINES])
    assert two.of(line("둘 수")).say("ko").endswith("예: --channels '둘 수'=1")
    open_ = Channels(3, ("하나",), LINES).of(NOBODY)
    assert "--channels (no character)=NUMBER" not in open_.say("en") or open_.severity == "error"
    asked = Channels(3, ("A", "B", "C"), LINES).of(HANA)
    assert "several channels (1 A, 2 B, 3 C)" in asked.say("en")
    assert "--channels mix" in asked.say("ko")


def test_handles_meet_neighbours_of_their_own_channel_only():
    lines = [
        line("하나", start=1, end=3),
        line("둘", start=2.5, end=4),
        line("하나", start=3.2, end=4),
    ]
    assert cut_by_channel(lines, [None] * 3, 0, 9, 0.5) == cut(lines, 0, 9, 0.5)
    first, second, third = cut_by_channel(lines, [0, 1, 0], 0, 9, 0.5)
    assert first == (0.5, pytest.approx(3.1)) and third == (pytest.approx(3.1), 4.5)
    assert second == (2.0, 4.5)
    endless = [line("하나", start=1), line("둘", start=2), line("하나", start=8)]
    assert cut_by_channel(endless, [0, 1, 0], 0, 9, 0.5) == [(1, 2), (2, 8), (8, 9)]
