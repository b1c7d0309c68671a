"""The styles of OpenDocument, as far as they mean something: strikes, colours, numbers, what is not shown."""

from typing import NamedTuple
from xml.etree.ElementTree import Element

from moksori.script.looks import Font, Style
from moksori.script.package import attribute, local


class Look(NamedTuple):
    """A style of cells, columns, rows, tables or text."""

    style: Style
    rule: bool = False  # a rule of it strikes text through
    shown: bool = True  # of a table


def repeated(element: Element, name: str) -> int:
    """How often something is repeated, or how many cells it spans."""
    text = attribute(element, name, "1")
    return int(text) if text.isdecimal() and len(text) < 10 else 1


class Looks:
    """The styles of a workbook by family and name, each with what it has of its parents."""

    def __init__(self, *roots: Element) -> None:
        self._found: dict[tuple[str, str], Element] = {}
        self._formats: dict[str, str] = {}
        self._known: dict[tuple[str, str], Look] = {}
        for root in roots:
            for one in [*root.iterfind("{*}styles/*"), *root.iterfind("{*}automatic-styles/*")]:
                if local(one) in ("style", "default-style"):
                    self._found[attribute(one, "family"), attribute(one, "name")] = one
                elif name := attribute(one, "name"):
                    self._formats[name] = _format(one)

    def get(self, family: str, name: str, depth: int = 0) -> Look:
        """A style; of a name that is not there, the default."""
        key = (family, name)
        if key not in self._known:
            element = self._found.get(key)
            parent = "" if element is None else attribute(element, "parent-style-name")
            if element is None or depth > 20:
                return Look(Style("", Font(), ""))
            self._known[key] = self._read(element, self.get(family, parent, depth + 1))
        return self._known[key]

    def _read(self, element: Element, parent: Look) -> Look:
        style, font = parent.style, parent.style.font
        rule = parent.rule or any(
            self.get("table-cell", attribute(one, "apply-style-name"), 1).style.font.struck
            for one in element.iterfind("{*}map")
        )
        shown = parent.shown
        for one in element:
            match local(one):
                case "text-properties":
                    font = _font(one, font)
                case "table-cell-properties":
                    fill = attribute(one, "background-color", "-").removeprefix("#").upper()
                    lines = [attribute(one, "diagonal-bl-tr"), attribute(one, "diagonal-tl-br")]
                    style = style._replace(
                        fill=style.fill if fill == "-" else fill * (fill != "TRANSPARENT"),
                        crossed=any(line not in ("", "none") for line in lines),
                    )
                case "table-properties":
                    shown = attribute(one, "display", "true") != "false"
        format = self._formats.get(attribute(element, "data-style-name"), style.format)
        return Look(style._replace(format=format, font=font), rule, shown)


def _font(element: Element, font: Font) -> Font:
    line = attribute(element, "text-line-through-style") or attribute(
        element, "text-line-through-type"
    )
    place = attribute(element, "text-position")
    colour = attribute(element, "color").removeprefix("#").upper()
    return Font(
        struck=font.struck if not line else line != "none",
        raised=font.raised if not place else not place.startswith("0"),
        colour=colour or font.colour,
    )


def _format(element: Element) -> str:
    """How numbers of a style are shown, as far as it means something: with seconds, with zeros in front."""
    parts = [local(one) for one in element]
    if local(element) in ("time-style", "date-style"):
        return "h:mm:ss" if "seconds" in parts else "h:mm"
    digits = [attribute(one, "min-integer-digits") for one in element if local(one) == "number"]
    places = [attribute(one, "decimal-places", "0") for one in element if local(one) == "number"]
    whole = local(element) == "number-style" and parts == ["number"] and places == ["0"]
    return "0" * int(digits[0]) if whole and digits[0].isdecimal() and len(digits[0]) < 3 else ""
