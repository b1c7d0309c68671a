"""Hangul as written to Hangul as spoken: the regular rules of the Standard Pronunciation (표준발음법).

Within a word, each pair (coda, next onset) passes the stages below in order. Where a rule is for stems
only, closed lists of their syllables stand for the morphology. What needs a lexicon or the words around
(사잇소리, ㄴ-insertion, 할 수, 옷 입다) is not here yet.
"""

import itertools

from moksori.text.normalize import normalize

_ONSETS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_CODAS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"

_CLUSTERS = {  # coda cluster: (what stays, what moves before a vowel)
    "ㄳ": ("ㄱ", "ㅆ"), "ㄵ": ("ㄴ", "ㅈ"), "ㄶ": ("ㄴ", "ㅇ"), "ㄺ": ("ㄹ", "ㄱ"), "ㄻ": ("ㄹ", "ㅁ"),
    "ㄼ": ("ㄹ", "ㅂ"), "ㄽ": ("ㄹ", "ㅆ"), "ㄾ": ("ㄹ", "ㅌ"), "ㄿ": ("ㄹ", "ㅍ"), "ㅀ": ("ㄹ", "ㅇ"),
    "ㅄ": ("ㅂ", "ㅆ"),
}  # fmt: skip
_NEUTRAL = {  # 제9항–제11항: what a coda sounds like before a consonant or at the end
    **dict.fromkeys("ㄱㄲㅋㄳㄺ", "ㄱ"), **dict.fromkeys("ㄷㅅㅆㅈㅊㅌㅎ", "ㄷ"),
    **dict.fromkeys("ㅂㅍㅄㄿ", "ㅂ"), **dict.fromkeys("ㄹㄼㄽㄾㅀ", "ㄹ"),
    **dict.fromkeys("ㄴㄵㄶ", "ㄴ"), **dict.fromkeys("ㅁㄻ", "ㅁ"), "ㅇ": "ㅇ", " ": " ",
}  # fmt: skip
_TENSE = dict(zip("ㄱㄷㅂㅅㅈ", "ㄲㄸㅃㅆㅉ", strict=True))
_ASPIRATE = {"ㄱ": "ㅋ", "ㄷ": "ㅌ", "ㅂ": "ㅍ", "ㅈ": "ㅊ"}
_NASAL = {"ㄱ": "ㅇ", "ㄷ": "ㄴ", "ㅂ": "ㅁ"}

_STEM_LG = "읽맑늙밝굵긁붉묽얽갉낡옭"  # 제11항 다만: their ㄺ is ㄹ before ㄱ; 닭과 is not one
_STEM_LM = "닮굶젊곪"  # 제24항: ㄻ of stems, before an ending
_ENDINGS = "고다지게자거더던도소습든네는"  # of endings; not 기, causative too: 굶기다

Syllable = list[str]  # [onset, vowel, coda], compatibility jamo; " " for no coda


def pronounce(line: str) -> str:
    """Rewrite a line in Hangul as an actor speaks it: 같이 → 가치, 독립 → 동닙.

    Args:
        line: a line of a script; it is normalised first.

    Returns:
        The line with its spaces and `. , ? !`, every syllable written as it sounds.

    Raises:
        TextError: as `normalize`.
    """
    out, word = [], []
    for char in normalize(line) + " ":
        code = ord(char) - 0xAC00
        if 0 <= code < 11172:
            word.append([_ONSETS[code // 588], _VOWELS[code % 588 // 28], _CODAS[code % 28]])
        else:
            out += [_compose(syllable) for syllable in _pronounce_word(word)] + [char]
            word = []
    return "".join(out[:-1])


def _compose(syllable: Syllable) -> str:
    onset, vowel, coda = syllable
    index = (_ONSETS.index(onset) * 21 + _VOWELS.index(vowel)) * 28 + _CODAS.index(coda)
    return chr(0xAC00 + index)


def _pronounce_word(word: list[Syllable]) -> list[Syllable]:
    for left, right in itertools.pairwise(word):
        _join(left, right)
    for syllable in word:
        syllable[2] = _NEUTRAL[syllable[2]]
        _vowel(syllable)
    for left, right in itertools.pairwise(word):
        _assimilate(left, right)
    return word


def _join(left: Syllable, right: Syllable) -> None:
    """Palatalisation, ㅎ, linking and tensification: what depends on the coda as written."""
    coda, onset = left[2], right[0]
    stays, moves = _CLUSTERS.get(coda, (" ", coda))

    open_or_past = right[2] in " ㅆ"  # 붙여, 붙였다, 닫혀; but 맏형
    palatal = onset in "ㅇㅎ" and (right[1] == "ㅣ" or (right[1] == "ㅕ" and open_or_past))
    if moves in "ㄷㅌ" and palatal:  # 제17항: 굳이 → 구지, 같이 → 가치, 닫혀 → 다처
        left[2], right[0] = stays, "ㅈ" if (moves, onset) == ("ㄷ", "ㅇ") else "ㅊ"
        return
    if coda in "ㅎㄶㅀ":  # 제12항 1, 2, 4
        rest = stays if coda != "ㅎ" else " "
        if onset in "ㄱㄷㅈ":
            left[2], right[0] = rest, _ASPIRATE[onset]
        elif onset == "ㅅ":
            left[2], right[0] = rest, "ㅆ"
        elif onset == "ㅇ":
            left[2], right[0] = (" ", "ㅇ") if rest == " " else (" ", rest)
        elif onset in "ㄴㅁ" and coda == "ㅎ":
            left[2] = "ㄴ"
        return
    if onset == "ㅎ" and moves in "ㄱㄲㅋㄷㅅㅆㅊㅌㅂㅍㅈ":  # 제12항 1 붙임: 먹히다 → 머키다
        if coda in ("ㄳ", "ㅄ"):
            stays, moves = " ", stays
        plain = moves if moves == "ㅈ" else _NEUTRAL[moves]
        left[2], right[0] = stays, _ASPIRATE[plain]
        return
    if onset == "ㅇ" and coda not in " ㅇ":  # 제13항, 제14항
        left[2], right[0] = stays, moves
        return
    written, following = _compose(left), _compose(right)
    if coda == "ㄼ" and (
        written == "밟" or written + following[:1] in ("넓죽", "넓둥")
    ):  # 제10항 다만
        left[2] = coda = "ㅂ"
    if coda == "ㄺ" and onset == "ㄱ" and written in _STEM_LG:
        left[2] = coda = "ㄼ"  # sounds as ㄹ and makes tense, as this cluster does
    # 제23항, 제24항, 제25항: after an obstruent, and after the stems' ㄵ ㄻ ㄼ ㄾ
    obstruent = _NEUTRAL[coda] in "ㄱㄷㅂ"
    stem = (coda in "ㄵㄼㄾ" and written != "덟") or (written in _STEM_LM and following in _ENDINGS)
    if onset in _TENSE and (obstruent or stem):
        right[0] = _TENSE[onset]


def _vowel(syllable: Syllable) -> None:
    """제5항: 져 쪄 쳐 → 저 쩌 처; ㅖ after a consonant but ㄹ → ㅔ; ㅢ after a consonant → ㅣ."""
    onset, vowel, _ = syllable
    if vowel == "ㅕ" and onset in "ㅈㅉㅊ":
        syllable[1] = "ㅓ"
    elif vowel == "ㅖ" and onset not in "ㅇㄹ":
        syllable[1] = "ㅔ"
    elif vowel == "ㅢ" and onset != "ㅇ":
        syllable[1] = "ㅣ"


def _assimilate(left: Syllable, right: Syllable) -> None:
    """Nasalisation (제18항, 제19항) and lateralisation (제20항), on neutralised codas."""
    coda, onset = left[2], right[0]
    if onset == "ㄹ" and coda in "ㅁㅇㄱㄷㅂ":
        right[0] = onset = "ㄴ"
    if onset in "ㄴㅁ" and coda in _NASAL:
        left[2] = _NASAL[coda]
    elif (coda, onset) in (("ㄴ", "ㄹ"), ("ㄹ", "ㄴ")):
        left[2], right[0] = "ㄹ", "ㄹ"
