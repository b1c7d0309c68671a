"""The phone inventory: one symbol a phone *by position*, as conjoining jamo (Unicode block 1100)."""

from moksori.errors import TextError
from moksori.messages import message

PAD, BOS, EOS, SPACE = "_", "^", "$", " "
PUNCTUATION = ".,?!"
SILENT_SYMBOLS = (BOS, EOS, SPACE, *PUNCTUATION)  # of which nothing is heard

ONSETS = "".join(chr(0x1100 + i) for i in range(19))  # ᄀ ᄁ ᄂ … ᄒ
NO_ONSET = "ᄋ"  # the silent one of the onsets
VOWELS = "".join(chr(0x1161 + i) for i in range(21))  # ᅡ … ᅵ
CODAS = "ᆨᆫᆮᆯᆷᆸᆼ"  # the seven that Korean pronounces (표준발음법 제8항)

SYMBOLS: tuple[str, ...] = (PAD, BOS, EOS, SPACE, *PUNCTUATION, *ONSETS, *VOWELS, *CODAS)

_IDS = {symbol: i for i, symbol in enumerate(SYMBOLS)}


def phones(pronounced: str) -> list[str]:
    """Split Hangul written as spoken into phones, with `BOS` and `EOS` around them.

    Args:
        pronounced: output of `moksori.text.pronounce`.

    Returns:
        Symbols of `SYMBOLS`; e.g. "물." gives ^ ᄆ ᅮ ᆯ . $

    Raises:
        TextError: a character outside the inventory, with its place.
    """
    out = [BOS]
    for offset, char in enumerate(pronounced):
        code = ord(char) - 0xAC00
        if 0 <= code < 11172:
            onset, vowel, coda = code // 588, code % 588 // 28, code % 28
            out += [ONSETS[onset], VOWELS[vowel]]
            if coda:
                out.append(chr(0x11A7 + coda))
        else:
            out.append(char)
        if out[-1] not in _IDS or out[-1] in (PAD, BOS, EOS):
            raise TextError(message("text.not_a_sound", char=char), pronounced, offset)
    return [*out, EOS]


def ids(symbols: list[str]) -> list[int]:
    """Numbers of `symbols` in `SYMBOLS`."""
    return [_IDS[symbol] for symbol in symbols]
