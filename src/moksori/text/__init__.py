"""The Korean front end: a script's line to phones.

    line ── normalize ── pronounce ── phones ── ids

`normalize`, `pronounce` and `tokenize` take the line as the script has it; `phones` takes what
`pronounce` gives; `read` shows all of it, with the directions taken out and the readings in doubt.
"""

from pathlib import Path

from moksori.text.g2p import pronounce
from moksori.text.normalize import normalize
from moksori.text.reading import Reading, read
from moksori.text.symbols import SYMBOLS, ids, phones

__all__ = ["SYMBOLS", "Reading", "ids", "normalize", "phones", "pronounce", "read", "tokenize"]


def tokenize(line: str, spell: bool = False, lexicon: Path | str | None = None) -> list[int]:
    """Numbers of the phones of `line`, between BOS and EOS.

    Args:
        line: one line of a script.
        spell: as `normalize`.
        lexicon: as `pronounce`.

    Returns:
        Indices into `SYMBOLS`.

    Raises:
        TextError: a character without a sure reading, with its place.
    """
    return ids(phones(pronounce(line, spell, lexicon)))
