"""The Korean front end: a script's line to phones.

    line ── normalize ── pronounce ── phones ── ids

Each step takes the previous one's output or the raw line; `tokenize` is the whole way.
"""

from moksori.text.g2p import pronounce
from moksori.text.normalize import normalize
from moksori.text.symbols import SYMBOLS, ids, phones

__all__ = ["SYMBOLS", "normalize", "phones", "pronounce", "tokenize"]


def tokenize(line: str) -> list[int]:
    """Numbers of the phones of `line`, between BOS and EOS.

    Args:
        line: one line of a script.

    Returns:
        Indices into `SYMBOLS`.

    Raises:
        TextError: a character without a sure reading, with its place.
    """
    return ids(phones(pronounce(line)))
