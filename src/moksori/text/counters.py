"""What numbers count: 세 시, 두 달, but 이 달러.

A counter ends where a morpheme ends: 달 counts in 2달 and 2달째, not in 2달러. `counters.tsv` says which
numbers a counter takes: native ones stand before native bound nouns and before most nouns that are counted as
they are, Sino-Korean ones before units and in numbering (표준국어대사전, 관형사 한·두·세 and 일·이·삼).
"""

import re
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

from moksori.text.lexicon import AFTER_CODAS, AFTER_VOWELS, PARTICLES
from moksori.text.morphemes import Piece, analyse
from moksori.text.syllables import coda

_HANGUL = re.compile("[가-힣]+")
_OTHER = re.compile("[^가-힣0-9A-Za-z .,?!]")
_SUFFIX = re.compile(
    "(?:치|짜리|어치|째|씩|쯤|간|당|정도|남짓|경|정각|여|꼴|미만|초과|배기|터울|연하|연상|용|분|중)"
    "(?:[은는이가를을의도만로]|에)?"
)
# A person, and no 개 that is (인): 1 대 1 개인 과외, but 3 개인 것 같아.
_PERSON = re.compile("개인 (?!것|거|건|걸|게|줄|데|셈|채|듯|경우|만큼|반면|상태)[가-힣]")
# Nouns that stand behind a counter without a space: 3시반, 2달뒤.
_FOLLOWED = re.compile(
    "반|뒤|전|후|때|동안|사이|이상|이하|이내|이후|이전|가량|방향|차이|모두|전체|안에|넘게|남짓|정도|째|씩|쯤|치|짜리|간|당|"
    "(?:경|정각|여|꼴|미만|초과|배기|터울|연하|연상|용|분|중)(?:[은는이가를을의도만로]|에)?(?![가-힣])"
)
# What is named by a number and a letter: 12A석.
_LETTERED = re.compile(
    r"\s?(?:석|좌석|열(?![가-힣])|구역|반(?![가-힣])|동(?![가-힣])|호(?![가-힣])|블록|타입|형|조(?![가-힣]))"
)
_NOUNS = ("NNG", "NNP")
_SCALE = re.compile("[십백천만억조]+")


class Counter(NamedTuple):
    """What a number counts."""

    word: str
    kind: str  # native, sino; native?, sino?, english?: both are said, that one first; noun: not in the table
    end: int  # where it ends in the line


def _table(kind: str) -> dict[str, str]:
    rows = (files("moksori.text") / "counters.tsv").read_text(encoding="utf-8").splitlines()
    cells = [row.split("\t") for row in rows if not row.startswith("#")]
    return {written: spoken for written, which, spoken in cells if which == kind}


UNITS, MONEY = _table("unit"), _table("money")
UNIT = re.compile("|".join(map(re.escape, sorted(UNITS, key=len, reverse=True))))
_KINDS = ("native", "native?", "sino", "sino?", "english?")
_COUNTERS = {word: kind for kind in _KINDS for word in _table(kind)}
_LONGEST = max(map(len, _COUNTERS))


@lru_cache(maxsize=64)
def pieces_of(line: str) -> list[Piece]:
    """Morphemes of a line that may hold digits, Latin and any mark, compounds whole."""
    return analyse(_OTHER.sub(",", line), compounds=False)


def pieces_from(line: str, begin: int) -> list[Piece]:
    """The pieces of the word in Hangul that begins at `begin`; none if no piece begins there."""
    word = _HANGUL.match(line, begin)
    pieces = [piece for piece in pieces_of(line) if word and begin <= piece.begin < word.end()]
    return pieces if pieces and pieces[0].begin == begin else []


def past_space(line: str, end: int) -> int:
    """The place of what follows, one space at most in between."""
    return end + (line[end : end + 1] == " ")


def counter_at(line: str, end: int) -> Counter | None:
    """What the number that ends at `end` of `line` counts; None if it counts nothing."""
    begin = past_space(line, end)
    word = _HANGUL.match(line, begin)
    if not word or (begin > end and _PERSON.match(line, begin)):
        return None
    pieces = pieces_from(line, begin)
    noun = pieces[0] if pieces and pieces[0].opens.startswith(("N", "XSN")) else None
    stops = {word.end(), *(piece.end for piece in pieces if noun)}
    names = [line[begin : begin + length] for length in range(_LONGEST, 0, -1)]
    names = [name for name in names if name in _COUNTERS and begin + len(name) <= word.end()]
    for name in names:
        stop = begin + len(name)
        if stop not in stops and not _SUFFIX.fullmatch(line, stop, word.end()):
            continue
        kind = _COUNTERS[name]
        if goes_on := _may_go_on(line, stop, word, pieces):
            if begin > end:
                return None  # 1 점화
            kind = goes_on if kind.startswith("native") else kind
        return Counter(name, kind, stop)
    if begin > end or not noun or noun.opens not in _NOUNS:
        return None
    for name in names:
        if _particles(line, begin + len(name), word.end()):  # 2시야: 시 and the copula?
            return Counter(name, _COUNTERS[name].rstrip("?") + "?", begin + len(name))
    return Counter(line[begin : noun.end], "noun", noun.end)


def _may_go_on(line: str, stop: int, word: re.Match[str], pieces: list[Piece]) -> str:
    """What a native counter is if a word may not end at `stop`, though the morphemes say so; "" if it ends.

    3통제실, 1점화 are Sino-Korean, 2명추가 is native, all in doubt; 3시 반 and 2달 뒤 end.
    """
    followed = _FOLLOWED.match(line, stop) or _particles(line, stop, word.end())
    if stop == word.end() or followed:
        return ""
    alone = pieces_from(word.group(), 0)
    longer = alone and alone[0].opens in _NOUNS and alone[0].end > stop - word.start()
    after = next((piece.opens for piece in pieces if piece.begin == stop), "")
    if after == "VCP":
        vowel = coda(line[stop - 1]) != " " and line[stop] not in "이인입일임"  # 달라고
        return "sino?" if vowel else ""
    if after.startswith(("E", "J", "V")):
        another = after[0] == "V" and longer and line[word.start() - 1] == " "  # 3:2 일본
        return "sino?" if another else ""
    if longer:
        return "sino?"
    return "native?" if after in (*_NOUNS, "XSN") else ""


def _particles(line: str, begin: int, end: int) -> bool:
    """Whether particles or the copula may stand there: 시야, but not 달라고 (that were 달이라고)."""
    if not PARTICLES.fullmatch(line, begin, end):
        return False
    closed = coda(line[begin - 1]) != " "
    return not line.startswith(AFTER_VOWELS if closed else AFTER_CODAS, begin)


def scale_at(line: str, end: int) -> str:
    """What multiplies the number that ends at `end`: 천만 of 2천만; nothing in 2천사 and 3 만세."""
    begin = past_space(line, end)
    scale, pieces = _SCALE.match(line, begin), pieces_from(line, begin)
    if not scale:
        return ""
    another = pieces and pieces[0].opens != "NR" and pieces[0].end > scale.end()
    money = line.startswith("원", scale.end())  # 1조원, no 조원
    return "" if another and not money else line[end : scale.end()]


def unit_at(line: str, end: int) -> str:
    """The unit in letters or signs behind the number that ends at `end`: kg of 5kg."""
    for begin in (end, past_space(line, end)):
        if unit := UNIT.match(line, begin):
            after = line[unit.end() : unit.end() + 1]
            latin = unit.group()[-1].isalpha() and after.isascii() and after.isalpha()
            seat = unit.group() in "AVWML" and _LETTERED.match(line, unit.end())
            return "" if latin or seat else line[end : unit.end()]
    return ""


def counts(line: str, end: int) -> bool:
    """Whether a counter of the table, a unit or a scale stands behind the number that ends at `end`."""
    counter = counter_at(line, end)
    known = counter is not None and counter.kind != "noun"
    return known or bool(scale_at(line, end) or unit_at(line, end))
