"""The mouth shape of each phone of Korean, by the letters of Rhubarb Lip Sync.

What each phone of Korean looks like (Shin, Kiaer & Cha, The Sounds of Korean, 2012, for the sounds;
Rhubarb's README for the shapes):

- A, lips closed: ㅁ ㅂ ㅃ ㅍ, the only sounds that the lips make, as onset and as coda.
- B, teeth nearly closed: the consonants of tongue tip and tongue back, and the close unrounded vowels
  ㅣ and ㅡ.
- C, half open: ㅐ ㅔ, which have merged, and ㅓ. ㅓ is as open as they are, and its lips are not round.
- D, wide open: ㅏ, the one open vowel.
- E, rounded: ㅗ.
- F, puckered: ㅜ, and the glide /w/ of ㅘ ㅝ ㅙ ㅞ ㅚ ㅟ. ㅚ is a diphthong, as most now say it.
- G, teeth on the lip (F, V): never, Korean has no such sound.
- H, tongue behind the upper teeth: ㄹ.
- X, at rest: pauses.

The glide /j/ is spread like ㅣ: ㅑ ㅕ ㅒ ㅖ begin with B. In ㅛ and ㅠ the lips are round from the glide on,
so it has no shape of its own. Both halves of ㅢ are B. Lips round ahead of a round vowel, hence a B
right before E or F looks like it; ㅎ, made in the throat, looks like the sound after it, and ㅇ, made
with the soft palate, like the vowel before it.
"""

REST = "X"
_SHAPES = {
    **dict.fromkeys("ㅁㅂㅃㅍ", "A"),
    **dict.fromkeys("ㄱㄲㄴㄷㄸㅅㅆㅇㅈㅉㅊㅋㅌㅎ", "B"),
    "ㄹ": "H",
    **dict.fromkeys("ㅣㅡㅢ", "B"),
    **dict.fromkeys("ㅐㅔㅓ", "C"),
    **dict.fromkeys("ㅒㅖㅕ", "BC"),
    "ㅏ": "D",
    "ㅑ": "BD",
    **dict.fromkeys("ㅗㅛ", "E"),
    **dict.fromkeys("ㅜㅠ", "F"),
    "ㅟ": "FB",
    **dict.fromkeys("ㅝㅙㅞㅚ", "FC"),
    "ㅘ": "FD",
}  # a phone's shape; of a diphthong the glide's and the nucleus'
VOWELS = frozenset("ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ")
_ROUND = "EF"


def visemes(label: str, before: str, after: str) -> str:
    """The shapes that a mouth takes for a phone.

    Args:
        label: of the phone.
        before: shape before it.
        after: label of the phone right after it; empty before a pause.

    Returns:
        One letter, or two of a diphthong: the glide's and the nucleus'.

    Raises:
        ValueError: not a phone of Korean.
    """
    if label not in _SHAPES:
        raise ValueError(f"“{label}” is not a phone of Korean")
    own = _SHAPES[label]
    if label == "ㅇ" and before != REST:
        return before
    if own != "B" or label in VOWELS or after not in VOWELS:
        return own
    ahead = _SHAPES[after][0]
    return ahead if label == "ㅎ" or ahead in _ROUND else own
