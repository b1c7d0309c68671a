"""Whose channel is which on a production track, and what the channels of a take become."""

import re
from collections.abc import Iterable, Mapping, Sequence
from shlex import quote

import numpy as np

from moksori.dubbing.plan.issues import Issue
from moksori.errors import ConfigError
from moksori.messages import Message, Value, message
from moksori.script.content import joined
from moksori.script.groups import several
from moksori.script.line import Line
from moksori.script.names import name_key
from moksori.signal.audio import SILENCE
from moksori.signal.levels import decibels

MIXED = "mix"  # all channels together, as of a stereo recording
EVERYONE = ""  # whom nothing else says where to find
_STEREO = 2
_ALIKE = 1e-3  # of the peak: what differs by less does so by rounding or by compression
_WORDS = re.compile(r"[^\W\d_]+")


def mixing(samples: np.ndarray) -> Message | None:
    """What there is to say of a take [n, channels] whose channels are mixed; None if they are all alike."""
    count = samples.shape[1]
    peaks = np.abs(samples).max(axis=0)
    silent = [number for number, peak in enumerate(peaks, 1) if decibels(peak) < SILENCE]
    if silent:
        by = decibels(count / (count - len(silent))) if len(silent) < count else 0.0
        listed = ", ".join(map(str, silent))
        return message("issue.mixed_silent", channels=count, listed=listed, by=f"{by:.1f}")
    if all(np.abs(samples[:, 0] - other).max() <= _ALIKE * peaks[0] for other in samples.T[1:]):
        return None
    return message("issue.mixed" if count == _STEREO else "issue.mixed_many", channels=count)


class Channels:
    """The channels of a track, by who speaks on them.

    A channel is somebody's by what is asked, or else by its name in the track's iXML: the character's or the
    actor's, whole (`하나`, `하나/두나`), or a word of it (`01 하나 붐`).

    Args:
        count: of the track's channels.
        names: of them, by iXML; fewer, or empty, where it does not say.
        lines: of the script.
        asked: channel by character or actor: a number from 1, a channel's name, or `MIXED`; for `EVERYONE`
            else likewise.

    Raises:
        ConfigError: a channel is asked for that the track does not have.
    """

    def __init__(
        self,
        count: int,
        names: Sequence[str],
        lines: Iterable[Line],
        asked: Mapping[str, str] | None = None,
    ) -> None:
        self.count, self.names = count, [*names, *[""] * count][:count]
        self._asked = {name_key(who): self._number(which) for who, which in (asked or {}).items()}
        people = {name for line in lines for name in (line.character, line.actor) if name}
        self._people = {name_key(name): name for name in people}
        self._unknown = [who for who in asked or {} if who and name_key(who) not in self._people]
        self._named = self._by_name()

    def _number(self, which: str) -> int | None:
        """Counted from 0; None for all together."""
        if name_key(which) == MIXED:
            return None
        same = [
            i for i, name in enumerate(self.names) if name and name_key(name) == name_key(which)
        ]
        if len(same) == 1:
            return same[0]
        if re.fullmatch(r"\d{1,3}", which.strip(), re.ASCII) and 1 <= int(which) <= self.count:
            return int(which) - 1
        raise ConfigError.of(
            "channels.no_such", which=which, channels=self.shown(range(self.count))
        )

    def _by_name(self) -> dict[str, list[int]]:
        """Channels by the keys of the people whose names theirs hold."""
        whole: dict[str, list[int]] = {}
        part: dict[str, list[int]] = {}
        for number, name in enumerate(self.names):
            own = {name_key(name), *map(name_key, several(name))} & self._people.keys()
            words = {name_key(word) for word in _WORDS.findall(name)} & self._people.keys()
            for found, keys in ((whole, own), (part, words)):
                for key in keys:
                    found.setdefault(key, []).append(number)
        return part | whole

    def of(self, line: Line) -> int | Issue | None:
        """A line's channel, counted from 0; None for all together; or what has to be asked first."""
        for name in (line.character, line.actor):
            if name and name_key(name) in self._asked:
                return self._asked[name_key(name)]
        for name in (line.character, line.actor):
            found = self._named.get(name_key(name), []) if name else []
            if len(found) == 1:
                return found[0]
            if found:
                values: dict[str, Value] = {
                    "character": name, "channels": self.shown(found), "first": found[0] + 1,
                    "who": quote(name),
                }  # fmt: skip
                return Issue("error", line.place, "channels_alike", values)
        if EVERYONE in self._asked:
            return self._asked[EVERYONE]
        if self.count == 1 or (self.count <= _STEREO and not self._named and not self._asked):
            return None
        values = {"channels": self.shown(range(self.count))}
        if not (self._named or self._asked):
            return Issue("error", line.place, "channels_open", values)
        values["character"] = line.character or message("character.none")
        named = line.character or line.actor
        values["who"] = quote(named) if named else message("column.character")
        return Issue("error", line.place, "channels_nobody", values)

    def issues(self) -> list[Issue]:
        """What there is to say of them all."""
        notice = [
            Issue("warning", "", "channels_unknown", {"name": name}) for name in self._unknown
        ]
        if self.count == _STEREO and not (self._named or self._asked):
            notice.append(Issue("note", "", "channels_stereo", {}))
        used = [
            message("channels.whose", name=self._people[key], number=self._shown(found[0]))
            for key, found in sorted(self._named.items(), key=lambda item: item[1])
            if len(found) == 1 and key not in self._asked
        ]
        if used and self.count > 1:
            listed = joined(used, "script.and")
            notice.append(Issue("note", "", "channels_named", {"listed": listed}))
        return notice

    def shown(self, numbers: Iterable[int]) -> str:
        """Channels as people know them: 1 하나, 2 두나, 3."""
        return ", ".join(map(self._shown, numbers))

    def _shown(self, number: int) -> str:
        return f"{number + 1} {self.names[number]}".strip()
