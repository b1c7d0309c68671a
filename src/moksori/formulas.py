"""Texts in tables that spreadsheets open: none of them is run as a formula (OWASP, CSV injection).

A character called `=HYPERLINK(…)` would else become a link that sends the sheet's content away.
"""

import re
from collections.abc import Mapping
from typing import Any

_BEGINNINGS = r"\A|[;|\t\r\n]"  # of a cell; some spreadsheets part columns at these, too
_SIGNS = r"[^\S\t\r\n]*[=+\-@＝＋－＠]"
_FORMULA = re.compile(f"({_BEGINNINGS})({_SIGNS})")
_MARKED = re.compile(f"({_BEGINNINGS})'({_SIGNS})")


def no_formula(text: str) -> str:
    """`text`, with an apostrophe before whatever would begin a formula; spreadsheets show that as text."""
    return _FORMULA.sub(r"\1'\2", text)


def as_written(text: str) -> str:
    """What `no_formula` was given."""
    return _MARKED.sub(r"\1\2", text)


def text_cells(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row for `csv.DictWriter` whose texts stay texts; numbers stay numbers."""
    return {k: no_formula(v) if isinstance(v, str) else v for k, v in row.items()}
