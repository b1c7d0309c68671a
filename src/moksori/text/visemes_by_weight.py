"""The mouth of each phone of Korean as weights: the 15 visemes of Oculus (Meta), and ARKit's blendshapes.

Oculus names sounds of English by what they look like. What Korean's look like among them:

| phones | viseme | why |
|---|---|---|
| ㅁ ㅂ ㅃ ㅍ | PP | closed lips |
| ㄷ ㄸ ㅌ | DD | tongue tip behind the teeth |
| ㄴ ㄹ | nn | the same, and what Oculus shows for /n/ and /l/; ㄹ is no English r |
| ㅅ ㅆ | SS | teeth nearly closed |
| ㅈ ㅉ ㅊ | CH | the same; half as strong, as Korean's has no round lips (SS the other half) |
| ㄱ ㄲ ㅋ, ㅇ at a syllable's end | kk | tongue back |
| ㅎ | the vowel after it | made in the throat |
| ㅏ | aa | wide open |
| ㅓ | aa, E, by halves | half open, not round |
| ㅐ ㅔ | E | half open, spread |
| ㅣ ㅡ ㅢ | ih | close, not round |
| ㅗ | oh | round |
| ㅜ | ou | puckered |
| /w/ of ㅘ ㅝ ㅙ ㅞ ㅚ ㅟ, /j/ of ㅑ ㅕ ㅒ ㅖ ㅛ ㅠ | ou, ih | the glide first, then its vowel |

FF, TH and RR never come: Korean has no such sounds. `ARKIT` says what each viseme is made of among the
blendshapes: ours, by eye, to be changed by whoever has a face to fit. A blendshape that is not named is 0.
"""

OCULUS = (
    "sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou",
)  # fmt: skip  # in Meta's order
Weights = dict[str, float]  # of visemes, adding up to 1

ARKIT: dict[str, Weights] = {
    "sil": {},
    "PP": {"mouthPressLeft": 0.6, "mouthPressRight": 0.6, "mouthRollLower": 0.3, "mouthRollUpper": 0.3},
    "FF": {"mouthRollLower": 0.6, "mouthUpperUpLeft": 0.2, "mouthUpperUpRight": 0.2, "jawOpen": 0.05},
    "TH": {"tongueOut": 0.3, "jawOpen": 0.15},
    "DD": {"jawOpen": 0.12, "mouthStretchLeft": 0.1, "mouthStretchRight": 0.1},
    "kk": {"jawOpen": 0.15},
    "CH": {"mouthFunnel": 0.4, "jawOpen": 0.1},
    "SS": {"mouthStretchLeft": 0.25, "mouthStretchRight": 0.25, "jawOpen": 0.05},
    "nn": {"jawOpen": 0.15, "mouthLowerDownLeft": 0.1, "mouthLowerDownRight": 0.1},
    "RR": {"mouthFunnel": 0.2, "jawOpen": 0.15},
    "aa": {"jawOpen": 0.6, "mouthLowerDownLeft": 0.2, "mouthLowerDownRight": 0.2},
    "E": {"jawOpen": 0.3, "mouthSmileLeft": 0.25, "mouthSmileRight": 0.25},
    "ih": {
        "jawOpen": 0.12, "mouthSmileLeft": 0.3, "mouthSmileRight": 0.3, "mouthStretchLeft": 0.2,
        "mouthStretchRight": 0.2,
    },
    "oh": {"jawOpen": 0.35, "mouthFunnel": 0.5},
    "ou": {"jawOpen": 0.12, "mouthPucker": 0.7, "mouthFunnel": 0.2},
}  # fmt: skip
BLENDSHAPES = tuple(sorted({name for weights in ARKIT.values() for name in weights}))

_OPEN: Weights = {"aa": 0.5, "E": 0.5}  # ㅓ
_VISEMES: dict[str, tuple[Weights, ...]] = {
    **dict.fromkeys("ㅁㅂㅃㅍ", ({"PP": 1.0},)),
    **dict.fromkeys("ㄷㄸㅌ", ({"DD": 1.0},)),
    **dict.fromkeys("ㄴㄹ", ({"nn": 1.0},)),
    **dict.fromkeys("ㅅㅆ", ({"SS": 1.0},)),
    **dict.fromkeys("ㅈㅉㅊ", ({"CH": 0.5, "SS": 0.5},)),
    **dict.fromkeys("ㄱㄲㅋㅇ", ({"kk": 1.0},)),
    "ㅎ": ({"kk": 1.0},),  # before no vowel
    "ㅏ": ({"aa": 1.0},), "ㅓ": (_OPEN,), "ㅗ": ({"oh": 1.0},), "ㅜ": ({"ou": 1.0},),
    **dict.fromkeys("ㅐㅔ", ({"E": 1.0},)),
    **dict.fromkeys("ㅣㅡㅢ", ({"ih": 1.0},)),
    "ㅑ": ({"ih": 1.0}, {"aa": 1.0}), "ㅕ": ({"ih": 1.0}, _OPEN),
    **dict.fromkeys("ㅒㅖ", ({"ih": 1.0}, {"E": 1.0})),
    "ㅛ": ({"ih": 1.0}, {"oh": 1.0}), "ㅠ": ({"ih": 1.0}, {"ou": 1.0}),
    "ㅘ": ({"ou": 1.0}, {"aa": 1.0}), "ㅝ": ({"ou": 1.0}, _OPEN), "ㅟ": ({"ou": 1.0}, {"ih": 1.0}),
    **dict.fromkeys("ㅙㅞㅚ", ({"ou": 1.0}, {"E": 1.0})),
}  # fmt: skip  # of a diphthong the glide's and the vowel's


def weighted_visemes(label: str, after: str) -> tuple[Weights, ...]:
    """What a mouth looks like for a phone, in Oculus's visemes.

    Args:
        label: of the phone.
        after: label of the phone right after it; empty before a pause.

    Returns:
        Weights that add up to 1; twice of a diphthong: the glide's and the vowel's.

    Raises:
        ValueError: not a phone of Korean.
    """
    if label not in _VISEMES:
        raise ValueError(f"“{label}” is not a phone of Korean")
    if label == "ㅎ" and _is_vowel(after):
        return _VISEMES[after][:1]
    return _VISEMES[label]


def _is_vowel(label: str) -> bool:
    return "ㅏ" <= label <= "ㅣ"
