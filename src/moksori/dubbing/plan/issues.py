"""What preflight finds: how bad it is, where, what, and how to fix it."""

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from moksori.messages import Lang, Value, codes, say
from moksori.script.line import Place

Severity = Literal["error", "warning", "note"]
KINDS = tuple(code.removeprefix("issue.") for code in codes() if code.startswith("issue."))
_PLACES = 20  # that one entry names


class Issue(NamedTuple):
    """One thing that preflight found.

    Attributes:
        severity: an `error` keeps a line from being dubbed.
        place: of the line, or the name of a file that no line uses.
        kind: one of `KINDS`; `issue.KIND` is its message.
        values: of the message.
    """

    severity: Severity
    place: Place | str
    kind: str
    values: Mapping[str, Value]

    def say(self, lang: Lang) -> str:
        """What is wrong and how to fix it, on one line."""
        return " ".join(say(f"issue.{self.kind}", lang, **self.values).split())

    def say_severity(self, lang: Lang) -> str:
        """How bad it is, in a word."""
        return say(f"severity.{self.severity}", lang)

    def say_place(self, lang: Lang) -> str:
        """Where it is."""
        return self.place if isinstance(self.place, str) else self.place.say(lang)


class Entry(NamedTuple):
    """Issues that say the same of several lines: one entry in every list."""

    issue: Issue
    places: list[Place | str]

    def say_places(self, lang: Lang, limit: int = _PLACES) -> str:
        """Where they are, as many as the limit by name."""
        names = [self.issue._replace(place=place).say_place(lang) for place in self.places]
        more = len(names) - limit
        return ", ".join(names[:limit]) + (
            say("script.more", lang, number=more) if more > 0 else ""
        )


def entries(issues: Iterable[Issue]) -> list[Entry]:
    """Issues with those that say the same together, in the order of the first."""
    found: dict[object, Entry] = {}
    for issue in issues:
        key = issue.severity, issue.kind, frozenset(issue.values.items())
        places = found.setdefault(key, Entry(issue, [])).places
        if issue.place not in places:
            places.append(issue.place)
    return [*found.values()]
