"""Names of several people in one place: 하나/두나, 함께, 전원. One recording has one voice."""

import re
import unicodedata
from collections.abc import Collection

from moksori.script.headers import fold

_TOGETHER = frozenset(
    [
        "함께",
        "다함께",
        "모두",
        "모두함께",
        "전원",
        "전체",
        "일동",
        "단체",
        "합창",
        "제창",
        "동시",
        "동시에",
        "다같이",
        "같이",
        "둘다",
        "둘이",
        "셋다",
        "셋이",
        "넷다",
        "둘이함께",
        "all",
        "both",
        "everyone",
        "everybody",
        "together",
        "chorus",
        "unison",
        "ensemble",
    ]
)
_APART = re.compile(r"\s*[/,、，;&+|]\s*|\s+(?:및|and|&)\s+", re.IGNORECASE)
_MAYBE_APART = re.compile(r"\s*[·ㆍ・-]\s*|(?:와|과|랑|이랑|하고)\s+|\s+")  # also within one name
_AND_OTHERS = re.compile(r"(.+?)\s+(?:외|등)(?:\s*\d*\s*[명인])?")


def several(name: str, known: Collection[str] = ()) -> list[str]:
    """The people whom a name names, if it names more than one; empty for one.

    Args:
        name: of a character, as a script has it.
        known: names of single characters; 하나와 두나 are several only if both are known.

    Returns:
        The names; for a word such as 함께 itself, since it does not say who.
    """
    plain = unicodedata.normalize("NFKC", name).strip()
    if not plain or name in known:
        return []
    if fold(plain) in _TOGETHER:
        return [plain]
    if others := _AND_OTHERS.fullmatch(plain):
        return [*_parts(_APART, others[1]), "…"]
    parts = _parts(_APART, re.sub(r"\([^()]*\)", " ", plain))
    if len(parts) > 1:
        return parts
    parts = _parts(_MAYBE_APART, plain)
    return parts if len(parts) > 1 and all(part in known for part in parts) else []


def _parts(apart: re.Pattern[str], text: str) -> list[str]:
    return [part.strip() for part in apart.split(text) if part.strip()]
