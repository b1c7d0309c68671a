"""What a script writes into a line that is not spoken: directions in brackets, ㅋㅋㅋ, ㅠㅠ, ♪."""

import re
from typing import NamedTuple

from moksori.errors import TextError
from moksori.messages import message


class Event(NamedTuple):
    """Something that happens in a line beside its words; dubbing cuts and flags by it."""

    kind: str  # direction, laugh, cry or song
    text: str  # as written, brackets included
    offset: int  # in the line composed to NFC, without a byte-order mark


_BRACKETS = {
    "(": ")",
    "[": "]",
    "（": "）",
    "［": "］",
    "{": "}",
    "【": "】",
    "〔": "〕",
    "＜": "＞",
}
_LAUGH, _CRY = re.compile(r"[ㅋㅎ]+(?:[ㅋㅎ~!]*[ㅋㅎ])?"), re.compile(r"[ㅠㅜ]+")
_SONG = re.compile("~*[♩♪♫♬🎵🎶][♩♪♫♬🎵🎶~]*")
_AREA = re.compile(
    r"[(（](0\d{1,2})[)）](?=\s?\d{3,4}\s?[-–]\s?\d{4})"
)  # (02) 123-4567 is no direction
_COMPANY = re.compile(r"[(（]주[)）]")  # 주식회사
_LAUGHED = re.compile(r"웃|미소|폭소|낄낄|킥킥|깔깔|하하|히히")
_CRIED = re.compile(r"울|흐느|눈물|훌쩍|흑흑|오열")


def take_out(line: str) -> tuple[str, list[Event]]:
    """Blank out what is not spoken.

    Args:
        line: as the script has it.

    Returns:
        The line, as long as before so that places stay the same, and the events in their order.

    Raises:
        TextError: a bracket that does not close or was not opened, with its place.
    """
    line = _COMPANY.sub("  ㈜", _AREA.sub(r" \1-", line))
    chars, events, opened = [*line], [], []
    for offset, char in enumerate(line):
        if char in _BRACKETS:
            opened.append(offset)
        elif char in _BRACKETS.values():
            if not opened or _BRACKETS[line[opened[-1]]] != char:
                raise TextError(message("text.closes_nothing", char=char), line, offset)
            begin = opened.pop()
            if not opened:
                written = line[begin : offset + 1]
                events.append(Event(_kind(written), written, begin))
                chars[begin : offset + 1] = " " * len(written)
    if opened:
        raise TextError(message("text.not_closed", char=line[opened[0]]), line, opened[0])
    rest = "".join(chars)
    for kind, pattern in (("laugh", _LAUGH), ("cry", _CRY), ("song", _SONG)):
        for match in pattern.finditer(rest):
            events.append(Event(kind, match.group(), match.start()))
        rest = pattern.sub(lambda match: " " * len(match.group()), rest)
    return rest, sorted(events, key=lambda event: event.offset)


def _kind(direction: str) -> str:
    """A direction that is itself a laugh or a cry is reported as one."""
    if _LAUGHED.search(direction):
        return "laugh"
    return "cry" if _CRIED.search(direction) else "direction"
