"""Hangul as written to Hangul as spoken: the Standard Pronunciation (표준발음법), articles 5 to 30.

    line ── normalise ── morphemes ── respell ── sound ── line as spoken

`respell` writes what depends on words into the spelling; what is left, here, are the rules of letters:
each coda and the onset after it change one another, in one step that depends on nothing else.
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

from moksori.text.lexicon import load_lexicon
from moksori.text.morphemes import analyse
from moksori.text.normalize import normalize
from moksori.text.respell import NEUTRAL, TENSE, respell
from moksori.text.syllables import Syllable, compose, decompose

_CLUSTERS = {  # coda cluster: (what stays, what moves before a vowel)
    "ㄳ": ("ㄱ", "ㅆ"), "ㄵ": ("ㄴ", "ㅈ"), "ㄶ": ("ㄴ", "ㅇ"), "ㄺ": ("ㄹ", "ㄱ"), "ㄻ": ("ㄹ", "ㅁ"),
    "ㄼ": ("ㄹ", "ㅂ"), "ㄽ": ("ㄹ", "ㅆ"), "ㄾ": ("ㄹ", "ㅌ"), "ㄿ": ("ㄹ", "ㅍ"), "ㅀ": ("ㄹ", "ㅇ"),
    "ㅄ": ("ㅂ", "ㅆ"),
}  # fmt: skip
_ASPIRATE = {"ㄱ": "ㅋ", "ㄷ": "ㅌ", "ㅂ": "ㅍ", "ㅈ": "ㅊ"}
_NASAL = {"ㄱ": "ㅇ", "ㄷ": "ㄴ", "ㅂ": "ㅁ"}


class Guess(NamedTuple):
    """A word that the lexicon has with two readings; the first was taken."""

    word: str
    reading: str
    other: str


def pronounce(
    line: str, spell: bool = False, lexicon: Path | str | None = None, cross_word: bool = True
) -> str:
    """Rewrite a line in Hangul as an actor speaks it: 같이 → 가치, 옷 한 벌 → 오 탄 벌.

    Args:
        line: a line of a script; it is normalised first.
        spell: as `normalize`.
        lexicon: a show's own readings, as `load_lexicon`.
        cross_word: let words within a breath group, which a mark ends, change one another.

    Returns:
        The line with its spaces and `. , ? !`, every syllable written as it sounds.

    Raises:
        TextError: as `normalize`.
        LexiconError: as `load_lexicon`.
    """
    return pronounce_normalized(normalize(line, spell, lexicon), lexicon, cross_word)[0]


def pronounce_normalized(
    text: str, lexicon: Path | str | None = None, cross_word: bool = True
) -> tuple[str, list[Guess]]:
    """As `pronounce`, of a normalised line; and the words whose reading is a guess."""
    syllables, met, found = respell(text, analyse(text), load_lexicon(lexicon), cross_word)
    left, apart = (
        None,
        False,
    )  # the syllable before if it reaches the next, and if a space is between
    for i, (char, syllable) in enumerate(zip(text, syllables, strict=True)):
        if syllable is not None:
            if left:
                palatal = None if apart or i in met else syllable[2] in " ㅆ"
                left[2], syllable[0] = _join(left[2], syllable[0], syllable[1], palatal, apart)
            left, apart = syllable, False
        elif left and cross_word and char == " ":
            apart = True
        elif left:
            left[2], left = NEUTRAL[left[2]], None
    if left:
        left[2] = NEUTRAL[left[2]]
    spoken = "".join(
        char if syllable is None else compose(_vowel(char, syllable))
        for char, syllable in zip(text, syllables, strict=True)
    )
    return spoken, [Guess(word, *entry) for word, entry in found if entry.other]


@cache
def _join(coda: str, onset: str, vowel: str, palatal: bool | None, apart: bool) -> tuple[str, str]:
    """What a coda and the onset after it become.

    Args:
        coda: as respelled.
        onset: of the next syllable, as respelled.
        vowel: of the next syllable.
        palatal: whether the next syllable's coda lets ㅕ palatalise: 붙여, 붙였다; but 맏형. None where
            two words meet and nothing palatalises: 옷 있다.
        apart: whether a space is between.
    """
    return _assimilate(*_link(coda, onset, vowel, palatal), apart)


def _link(coda: str, onset: str, vowel: str, palatal: bool | None) -> tuple[str, str]:
    """Palatalisation, ㅎ, linking and tensification."""
    stays, moves = _CLUSTERS.get(coda, (" ", coda))
    before_i = palatal is not None and (vowel == "ㅣ" or (vowel == "ㅕ" and palatal))
    if moves in "ㄷㅌ" and onset in "ㅇㅎ" and before_i:
        # 제17항: 굳이 → 구지, 같이 → 가치, 닫혀 → 다처
        return stays, "ㅈ" if (moves, onset) == ("ㄷ", "ㅇ") else "ㅊ"
    if coda in "ㅎㄶㅀ":  # 제12항 1, 2, 3, 4
        rest = stays if coda != "ㅎ" else " "
        if onset in _ASPIRATE and onset != "ㅂ":
            return rest, _ASPIRATE[onset]
        if onset == "ㅅ":
            return rest, "ㅆ"
        if onset == "ㅇ":
            return " ", "ㅇ" if rest == " " else rest
        return ("ㄴ" if coda == "ㅎ" and onset in "ㄴㅁ" else NEUTRAL[coda]), onset
    if onset == "ㅎ" and NEUTRAL[moves] in "ㄱㄷㅂ":  # 제12항 1 붙임: 먹히다 → 머키다
        if coda in ("ㄳ", "ㅄ"):
            stays, moves = " ", stays
        return stays, _ASPIRATE[moves if moves == "ㅈ" else NEUTRAL[moves]]
    if onset == "ㅇ" and coda not in " ㅇ":  # 제13항, 제14항
        return stays, moves
    if onset in TENSE and NEUTRAL[coda] in "ㄱㄷㅂ":  # 제23항
        onset = TENSE[onset]
    return NEUTRAL[coda], onset


def _assimilate(coda: str, onset: str, apart: bool) -> tuple[str, str]:
    """Nasalisation (제18항, 제19항) and lateralisation (제20항); words in ㄹ, all borrowed, stay."""
    if onset == "ㄹ" and apart:
        return coda, onset
    if onset == "ㄹ" and coda in "ㅁㅇㄱㄷㅂ":
        onset = "ㄴ"
    if onset in "ㄴㅁ" and coda in _NASAL:
        coda = _NASAL[coda]
    elif (coda, onset) in (("ㄴ", "ㄹ"), ("ㄹ", "ㄴ")):
        coda = onset = "ㄹ"
    return coda, onset


def _vowel(char: str, syllable: Syllable) -> Syllable:
    """제5항: 져 쪄 쳐 → 저 쩌 처; ㅖ after a written consonant but ㄹ → ㅔ; ㅢ after one → ㅣ."""
    onset, vowel, coda = syllable
    if vowel == "ㅕ" and onset in "ㅈㅉㅊ":
        return [onset, "ㅓ", coda]
    if vowel in "ㅖㅢ":
        written = _written_onset(char)
        if vowel == "ㅖ" and written not in "ㅇㄹ":
            return [onset, "ㅔ", coda]
        if vowel == "ㅢ" and written != "ㅇ":
            return [onset, "ㅣ", coda]
    return syllable


def _written_onset(char: str) -> str:
    syllable = decompose(char)[0]
    assert syllable
    return syllable[0]
