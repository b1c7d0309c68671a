"""Morphemes of a line, by mecab-ko with the dictionary mecab-ko-dic."""

import re
from functools import cache
from typing import Any, NamedTuple

from moksori.errors import TextError
from moksori.messages import message


class Piece(NamedTuple):
    """A morpheme, or the part of a compound, or a stem and ending that share a syllable.

    Parts of speech are Sejong tags: NNG noun, VV verb, EC ending …
    """

    begin: int  # in the text
    end: int
    opens: str  # part of speech of its first morpheme
    closes: str  # of its last
    lemma: str  # its first morpheme as the dictionary writes it: 이기 of 이겨
    ending: str = ""  # its last, where the two share a syllable: ᆯ수록


_PART = re.compile(r"([^/+]+)/([A-Z]+)/[^+]*")


def analyse(text: str, compounds: bool = True) -> list[Piece]:
    """Pieces of `text` from left to right, without marks, spaces and digits.

    Args:
        text: composed to NFC.
        compounds: take compounds apart, so that 꽃잎 is 꽃 and 잎.

    Returns:
        Pieces, which do not overlap.

    Raises:
        TextError: the dictionary is not installed.
    """
    pieces = []
    before = len(text) - len(text.lstrip())  # which the tagger's spans do not count
    for span, surface, feature in _tagger().parse(text):
        begin, end = span.start + before, span.end + before
        opens, closes = feature.start_pos or feature.pos, feature.end_pos or feature.pos
        if opens[0] == "S":
            continue
        parts = _PART.findall(feature.expression) if feature.expression else []
        if (
            compounds
            and feature.type == "Compound"
            and "".join(part for part, _ in parts) == surface
        ):
            for part, tag in parts:
                pieces.append(
                    Piece(begin=begin, end=begin + len(part), opens=tag, closes=tag, lemma=part)
                )
                begin += len(part)
        elif feature.type == "Inflect" and parts:
            lemma, ending = parts[0][0], parts[-1][0]
            pieces.append(
                Piece(
                    begin=begin,
                    end=end,
                    opens=opens,
                    closes=closes,
                    lemma=lemma,
                    ending=ending,
                )
            )
        else:
            pieces.append(Piece(begin=begin, end=end, opens=opens, closes=closes, lemma=surface))
    return pieces


@cache
def _tagger() -> Any:
    try:
        from mecab import MeCab

        return MeCab()
    except Exception as error:  # the binding raises bare RuntimeError and ImportError
        raise TextError(message("text.no_dictionary", why=error), "") from error
