"""How the cells of a workbook look, as far as it means something: numbers, strikes, colours."""

import datetime
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from moksori.script.tables import Cell, Value, error_value, one_line

_USUAL = ("", "000000")  # colours of text
_BLANK = ("", "FFFFFF")  # of fills
# Dates and times that Excel in Korean writes by their number alone (ECMA-376, 18.8.30): 01월 02일 is 56.
EAST_ASIAN = dict.fromkeys((*range(27, 37), *range(50, 59)), "yyyy-mm-dd") | {
    32: "h:mm",
    33: "h:mm:ss",
}
_THEME = {"0": "FFFFFF", "1": "000000"}  # background and text


class Font(NamedTuple):
    """What of a font may mean something."""

    struck: bool = False
    raised: bool = False  # superscript or subscript
    colour: str = ""  # RRGGBB; "" as usual


class Style(NamedTuple):
    """How a cell is shown."""

    format: str  # of numbers
    font: Font
    fill: str  # RRGGBB; "" none
    crossed: bool = False  # by a diagonal border


class Run(NamedTuple):
    """A part of what a cell says."""

    text: Value
    font: Font | None  # its own; None: the cell's


def colour(attributes: Mapping[str, str]) -> str:
    """A workbook's colour as RRGGBB, or by its place in the theme; "" for the system's own."""
    from openpyxl.styles.colors import COLOR_INDEX

    if rgb := attributes.get("rgb"):
        return rgb[-6:].upper()
    if (index := attributes.get("indexed", "")).isdecimal():
        at = int(index)
        return COLOR_INDEX[at][-6:] if at < len(COLOR_INDEX) else ""  # 64 and 65: the system's
    theme, tint = attributes.get("theme", ""), attributes.get("tint", "")
    if not tint and theme in _THEME:
        return _THEME[theme]
    return f"theme {theme} {tint}".strip() if theme else ""


def styled(runs: Sequence[Run], style: Style) -> Cell:
    """A cell of these parts: those that are struck through are kept apart from the others."""
    shown = [(run.text, run.font or style.font) for run in runs if run.text not in (None, "")]
    if not shown:
        return Cell()
    blank = [isinstance(text, str) and not text.strip() for text, _ in shown]
    struck = [font.struck for (_, font), void in zip(shown, blank, strict=True) if not void]
    whole, part = bool(struck) and all(struck), any(struck)
    kept = [(text, font) for text, font in shown if whole or not font.struck]
    value = kept[0][0] if len(kept) == 1 else "".join(str(text) for text, _ in kept)
    cut = [] if whole or not part else [str(text) for text, font in shown if font.struck]
    crossed = ["╱"] * style.crossed
    inks = {font.colour for _, font in kept} - {*_USUAL}
    looks = [f"■{style.fill}"] * (style.fill not in _BLANK) + [f"A{ink}" for ink in sorted(inks)]
    return Cell(
        value,
        style.format,
        struck=whole,
        cut=one_line(" … ".join(cut)),
        raised=one_line(" … ".join(str(text) for text, font in kept if font.raised)),
        looks=" ".join([*looks, *crossed]),
    )


def numeric(text: str, style: Style, epoch: datetime.datetime) -> Cell:
    """A number as the workbook shows it, which may be a date or a time."""
    from openpyxl.styles.numbers import is_date_format, is_timedelta_format
    from openpyxl.utils.datetime import from_excel

    value: Value = float(text) if set(text) & set(".eE") else int(text)
    if is_date_format(style.format):
        try:
            value = from_excel(value, epoch, timedelta=is_timedelta_format(style.format))
        except (ValueError, OverflowError):
            return Cell(fault=error_value("#VALUE!"))
    return styled([Run(value, None)], style)
