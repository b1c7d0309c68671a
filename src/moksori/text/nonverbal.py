"""Sounds without words: which lines hold none, and which are only cries and breaths."""

import re
from functools import lru_cache

from moksori.text.directions import take_out
from moksori.text.marks import clean

# What is said without a word: its recording may hold anything, so it is no wrong text if it fits badly.
_CRIES = re.compile(
    r"([아어오우으이야에허하호후흐히헤])\1*|[아으크꺄끄이]*[악윽억헉흑앗엇읏앜엌얍압잇]+|[흐으][흑윽]+|[꺄끼큭킥크]+"
    r"|하아+|허어*억|후우+|우?와+|푸?하하+|쯧+|풉+|쳇|휴+|읍+|음+|응+|흥+|에잇|이야+|으아+"
)


@lru_cache(maxsize=4096)
def is_wordless(text: str) -> bool:
    """Whether a line holds no word at all: (웃음), ㅋㅋㅋ, ♪, … .

    Raises:
        TextError: brackets that do not close.
    """
    return not any(char.isalnum() for char in take_out(clean(text).text)[0])


@lru_cache(maxsize=4096)
def is_nonverbal(text: str) -> bool:
    """Whether a line is only cries and breaths: 으악!, 하하하, 헉…."""
    words = ["".join(filter(str.isalnum, word)) for word in take_out(clean(text).text)[0].split()]
    words = [word for word in words if word]
    return bool(words) and all(map(_CRIES.fullmatch, words))
