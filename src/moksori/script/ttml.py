"""Documents of TTML (Timed Text Markup Language 2): who says what, when, in which language."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from moksori.errors import ScriptError
from moksori.files import read_bytes
from moksori.messages import Message
from moksori.script.package import attribute, local
from moksori.script.tables import one_line
from moksori.script.ttml_times import Clock, Span

_MOST_BYTES = 300_000_000
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_ID = "{http://www.w3.org/XML/1998/namespace}id"
_INHERITED = ("langSrc", "represents", "onScreen", "agent")
_NOT_SAID = (
    "metadata",
    "audio",
    "animate",
    "set",
    "desc",
    "title",
    "name",
    "item",
    "image",
    "data",
)


class Text(NamedTuple):
    """What one person says of a `p`."""

    agent: str
    rows: tuple[str, ...]
    span: Span


@dataclass
class Event:
    """One `p`, in one language.

    Attributes:
        number: among the file's, from 1.
        id: of its `div`; "" if it has none.
        language: that it is in.
        source: language that it was translated from; "" of an original, and of what describes a picture.
        represents: such as audio.dialogue or visual.text.
        on_screen: ON, OFF, ON_OFF, OFF_ON, or "".
        span: when it is.
        scene: that it is described to be in.
        notes: other descriptions.
        texts: what is said.
        faults: in its times.
        cut: what is struck through.
        hidden: what is not shown.
    """

    number: int
    id: str
    language: str
    source: str
    represents: str
    on_screen: str
    span: Span
    scene: str = ""
    notes: tuple[str, ...] = ()
    texts: list[Text] = field(default_factory=list)
    faults: tuple[Message, ...] = ()
    cut: str = ""
    hidden: str = ""

    def apart(self) -> "list[Event]":
        """One a person, if each has times of their own; else itself."""
        begins = [text.span.begin for text in self.texts]
        if len(self.texts) < 2 or None in begins or len({*begins}) < len(begins):
            return [self]
        return [replace(self, texts=[text], span=text.span) for text in self.texts]


def read_root(path: Path) -> Element:
    """The root of a document.

    Raises:
        ScriptError: no XML, or no TTML.
    """
    content = read_bytes(path, ScriptError, _MOST_BYTES)
    try:
        root = ElementTree.fromstring(content)
    except (
        ElementTree.ParseError,
        ValueError,
        LookupError,
    ) as error:  # also of an unknown encoding
        raise ScriptError.of("script.no_xml", file=path, why=one_line(str(error))) from None
    if local(root) != "tt":
        raise ScriptError.of("script.no_ttml", file=path, root=local(root)[:40])
    return root


class Names:
    """Characters by their ids, and the actor of each."""

    def __init__(self, root: Element) -> None:
        agents = {one.get(_ID, ""): one for one in root.iter() if local(one) == "agent"}
        self.names = {id: self._name(one) or id for id, one in agents.items()}
        self.actors = {
            self.names[id]: self.names.get(attribute(one, "agent"), "")
            for id, agent in agents.items() for one in agent if local(one) == "actor"
        }  # fmt: skip

    @staticmethod
    def _name(agent: Element) -> str:
        found = {attribute(one, "type"): one_line("".join(one.itertext()))
                 for one in agent if local(one) == "name"}  # fmt: skip
        return found.get("alias") or found.get("full") or next(filter(None, found.values()), "")

    def of(self, ids: str) -> str:
        """The names of those who are named by their ids: one, or 하나/두나."""
        return "/".join(self.names.get(id, id) for id in ids.split())


def _source(known: dict[str, str]) -> str:
    """The language that a text was translated from; zxx is of what has no words."""
    source = known.get("langSrc", "")
    return "" if source in ("zxx", known.get("lang", "")) else source


class Walk:
    """A document from its body down, each element with what it takes from those above it."""

    def __init__(self, root: Element, clock: Clock, hidden: bool) -> None:
        self.root, self.clock, self.hidden = root, clock, hidden
        self.count = 0
        styles = [one for one in root.iter() if local(one) == "style" and one.get(_ID)]
        self.styles = {one.get(_ID, ""): one for one in styles}

    def events(self) -> Iterator[Event]:
        """All `p` with what they say, in their order."""
        body = self.root.find("{*}body")
        if body is None:
            return
        known = {"lang": self.root.get(_LANG, ""), "langSrc": attribute(self.root, "langSrc")}
        represents = attribute(self.root, "scriptRepresents").split()
        known["represents"] = represents[0] if len(represents) == 1 else ""
        yield from self._within(body, known, Span(), [], [])

    def _known(self, element: Element, known: dict[str, str]) -> dict[str, str]:
        own = {name: attribute(element, name) for name in _INHERITED}
        own["lang"] = element.get(_LANG, "")
        own["id"] = element.get(_ID, "") if local(element) == "div" else ""
        return known | {name: value for name, value in own.items() if value}

    def _span(
        self, element: Element, parent: Span, faults: list[Message], after: Fraction | None
    ) -> Span:
        try:
            return self.clock.span(element, parent, after)
        except ScriptError as error:
            faults.append(error.message)
            return Span()

    def _within(
        self, element: Element, known: dict[str, str], parent: Span, faults: list[Message],
        above: list[Element], after: Fraction | None = None,
    ) -> Iterator[Event]:  # fmt: skip
        faults = [*faults]
        span = self._span(element, parent, faults, after)
        known = self._known(element, known)
        above = [*above, *(one for one in element if local(one) == "desc")]
        if local(element) == "p":
            yield self._event(element, known, span, faults, above)
            return
        seq, last = attribute(element, "timeContainer") == "seq", span.begin
        for one in element:
            if local(one) in ("div", "p"):
                yield from self._within(one, known, span, faults, above, last if seq else None)
                if seq:
                    last = self._span(one, span, [], last).end
        if (
            local(element) == "div"
            and not any(local(one) in ("div", "p") for one in element)
            and span.begin is not None
        ):
            yield self._event(Element("p"), known, span, faults, above)  # times alone

    def _event(
        self, element: Element, known: dict[str, str], span: Span, faults: list[Message], above: list[Element]
    ) -> Event:  # fmt: skip
        self.count += 1
        scenes = [one_line("".join(one.itertext())) for one in above
                  if attribute(one, "descType") == "scene"]  # fmt: skip
        notes = [one_line("".join(one.itertext())) for one in above
                 if attribute(one, "descType") != "scene"]  # fmt: skip
        event = Event(
            self.count, known.get("id", ""), known.get("lang", ""), _source(known),
            known.get("represents", ""), known.get("onScreen", ""), span,
            scene=(scenes or [""])[-1], notes=tuple(filter(None, notes)), faults=tuple(faults),
        )  # fmt: skip
        parts = list[tuple[str, str, Span | None]]()
        self._words(element, known.get("agent", ""), None, parts, event, span)
        for agent, text, own in parts:
            if event.texts and event.texts[-1].agent == agent:
                last = event.texts[-1]
                event.texts[-1] = Text(
                    agent,
                    (*last.rows, text),
                    Span(last.span.begin, own.end if own else last.span.end),
                )
            elif text.strip():
                event.texts.append(Text(agent, (text,), own or span))
        return event

    def _words(
        self, element: Element, agent: str, own: Span | None, parts: list[tuple[str, str, Span | None]],
        event: Event, parent: Span,
    ) -> None:  # fmt: skip
        agent = attribute(element, "agent") or agent
        looks = self._look(element)
        if looks & {"none", "hidden"} and not self.hidden:
            event.hidden += one_line("".join(element.itertext())) + " "
            return
        if "lineThrough" in looks:
            event.cut += one_line("".join(element.itertext())) + " "
            return
        parts.append((agent, element.text or "", own))
        for one in element:
            name = local(one)
            if name == "br":
                parts.append((agent, "\n", own))
            elif name == "span" and self._ruby(one) not in ("text", "textContainer", "delimiter"):
                faults = list[Message]()
                span = self._span(one, parent, faults, None) if attribute(one, "begin") else own
                event.faults += tuple(faults)
                self._words(one, agent, span, parts, event, parent)
            elif name not in (*_NOT_SAID, "span"):
                self._words(one, agent, own, parts, event, parent)
            parts.append((agent, one.tail or "", own))

    def _styled(self, element: Element) -> list[Element]:
        named = [self.styles.get(id) for id in attribute(element, "style").split()]
        return [element, *(one for one in named if one is not None)]

    def _look(self, element: Element) -> set[str]:
        found = set[str]()
        for one in self._styled(element):
            for name in ("display", "visibility", "textDecoration"):
                found.update(attribute(one, name).split())
        return found

    def _ruby(self, element: Element) -> str:
        return next(filter(None, (attribute(one, "ruby") for one in self._styled(element))), "")
