"""Hangul syllables taken apart and put together again (Unicode Standard, section 3.12)."""

ONSETS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
CODAS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"

Syllable = list[str]  # [onset, vowel, coda], compatibility jamo; " " for no coda

_FIRST, _COUNT = 0xAC00, len(ONSETS) * len(VOWELS) * len(CODAS)
_PARTS = [
    (onset, vowel, coda) for onset in ONSETS for vowel in VOWELS for coda in CODAS
]  # in the order of the code points
_WHOLE = {parts: chr(_FIRST + code) for code, parts in enumerate(_PARTS)}


def decompose(text: str) -> list[Syllable | None]:
    """One syllable a character of `text`; None where it is not a Hangul syllable."""
    return [
        [*_PARTS[code]] if 0 <= (code := ord(char) - _FIRST) < _COUNT else None for char in text
    ]


def compose(syllable: Syllable) -> str:
    """The character of a syllable."""
    onset, vowel, coda = syllable
    return _WHOLE[onset, vowel, coda]


def coda(char: str) -> str:
    """Coda of a Hangul character, " " if it has none or is something else."""
    code = ord(char) - _FIRST
    return _PARTS[code][2] if 0 <= code < _COUNT else " "
