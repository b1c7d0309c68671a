"""Phones that can be told apart by ear: what a recogniser without a text can name.

`SYMBOLS` tells spellings apart that sound alike (ㅐ and ㅔ), and names what has no sound of its own (marks,
the onset ㅇ). A *sound* is a class of symbols that nobody hears apart.
"""

from collections.abc import Iterable, Sequence

from moksori.text.symbols import BOS, CODAS, EOS, NO_ONSET, ONSETS, PUNCTUATION, SPACE, VOWELS

SILENCE = SPACE + BOS + EOS + PUNCTUATION
_ALIKE = ("ᅦᅢ", "ᅨᅤ", "ᅫᅬᅰ")  # written apart, said alike by nearly everybody (Shin 2015)

SOUNDS: tuple[str, ...] = (
    SILENCE,
    *(onset for onset in ONSETS if onset != NO_ONSET),
    *_ALIKE,
    *(vowel for vowel in VOWELS if vowel not in "".join(_ALIKE)),
    *CODAS,
)
SILENT = 0  # number of the silence

_NUMBERS = {symbol: number for number, alike in enumerate(SOUNDS) for symbol in alike}
_FIRST = 0xAC00


def sound_of(phone: str) -> int | None:
    """Number in `SOUNDS` of a phone; None for the onset ㅇ, which has no sound."""
    return _NUMBERS.get(phone)


def to_phones(sounds: Iterable[int]) -> list[str]:
    """Sounds, as heard, to the phones of a text that would be read so, with `BOS` and `EOS`.

    A vowel without an onset before it gets the onset ㅇ; a consonant without a vowel after it, or a coda
    without one before it, gets the vowel ㅡ, as in Korean's loanwords. Silences are spaces.
    """
    return [BOS, *_written([SOUNDS[number][0] for number in sounds]), EOS]


def _written(heard: Sequence[str]) -> list[str]:
    out: list[str] = []
    for phone, after in zip(heard, [*heard[1:], SPACE], strict=False):
        before = out[-1] if out else SPACE
        if phone == SPACE:
            if out and before != SPACE:
                out.append(SPACE)
        elif phone in VOWELS:
            out += [phone] if before in ONSETS else [NO_ONSET, phone]
        elif phone in ONSETS:
            out += [phone] if after in VOWELS else [phone, "ᅳ"]
        elif before in VOWELS:
            out.append(phone)
        else:
            out += [NO_ONSET, "ᅳ", phone]
    return out[:-1] if out and out[-1] == SPACE else out


def to_hangul(sounds: Iterable[int]) -> str:
    """Sounds, as heard, in Hangul: how they would be written by ear."""
    out: list[str] = []
    for phone in to_phones(sounds)[1:-1]:
        if phone in ONSETS:
            out.append(phone)
        elif phone in VOWELS:
            out[-1] = chr(_FIRST + ONSETS.index(out[-1]) * 588 + VOWELS.index(phone) * 28)
        elif phone in CODAS:
            out[-1] = chr(ord(out[-1]) + ord(phone) - 0x11A7)
        else:
            out.append(SPACE)
    return "".join(out)
