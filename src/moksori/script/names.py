"""Names of characters as scripts write them, and what is one name to a reader."""

import difflib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache

from moksori.messages import Message, message
from moksori.script.line import Line
from moksori.script.tables import one_line

_CLOSE = 0.74  # of two names' jamo, above which one may be a slip of the other
_EXTENSIONS = frozenset(
    (
        *(
            "n",
            "na",
            "nar",
            "e",
            "m",
            "f",
            "off",
            "on",
            "os",
            "oc",
            "vo",
            "cont",
            "contd",
            "cont'd",
        ),
        *("filter", "filtered", "phone", "radio", "tv", "flashback", "fb", "narration", "narrator"),
        *(
            "회상",
            "독백",
            "방백",
            "내레이션",
            "나레이션",
            "내래이션",
            "나래이션",
            "속마음",
            "마음속",
            "마음의소리",
        ),
        *(
            "소리",
            "목소리",
            "전화",
            "전화목소리",
            "무전",
            "필터",
            "화면밖",
            "화면밖에서",
            "오프",
            "계속",
            "효과음",
        ),
    )
)  # how a line is said, not who says it
_BRACKETED = re.compile(r"(.+?)\s*[(\[<{〈【]\s*([^()\[\]<>{}〈〉【】]*)\s*[)\]>}〉】]$")


def visible(text: str) -> str:
    """Text without what cannot be seen: zero-width and direction marks, soft hyphens; spaces are plain."""
    return "".join(
        " " if unicodedata.category(c) == "Zs" else c
        for c in text
        if unicodedata.category(c) != "Cf" and not _is_filler(c)
    )


def _is_filler(char: str) -> bool:
    return char in "\u115f\u1160\u3164\uffa0\u034f" or "\ufe00" <= char <= "\ufe0f"


def plain_name(written: str) -> tuple[str, str]:
    """A character's name, and what stands in brackets after it for how a line is said: 하나, (N).

    Spaces of any width are one, and what cannot be seen is left out.
    """
    name = one_line(visible(unicodedata.normalize("NFC", written)))
    extensions: list[str] = []
    while found := _BRACKETED.fullmatch(unicodedata.normalize("NFKC", name)):
        words = re.split(r"[/,·+]", found[2])
        if not all(_is_extension(word) for word in words):
            break
        extensions.insert(0, f"({found[2].strip()})" if found[2].strip() else "")
        name = found[1].strip()
    return name, " ".join(filter(None, extensions))


def _is_extension(word: str) -> bool:
    bare = re.sub(r"[\s._‘’'-]", "", word.casefold())
    return bare in _EXTENSIONS or not bare


@cache
def name_key(written: str) -> str:
    """What is the same for all ways to write a name: without spaces, case and what cannot be seen."""
    name = unicodedata.normalize("NFKC", visible(unicodedata.normalize("NFC", written)))
    return re.sub(r"\s", "", one_line(name)).casefold()


def near_misses(name: str, known: Iterable[str]) -> list[str]:
    """Those of the known names, at most three, of which a name may be a slip; the nearest first."""
    names = {_jamo(other): other for other in known}
    wanted = _jamo(name)
    found = [names[key] for key in difflib.get_close_matches(wanted, names, 3, _CLOSE)]
    if bracketed := _BRACKETED.fullmatch(unicodedata.normalize("NFKC", plain_name(name)[0])):
        found += [other for key, other in names.items() if key == _jamo(bracketed[1])]
    return list(dict.fromkeys(found))


def _jamo(name: str) -> str:
    return unicodedata.normalize("NFD", name_key(name))


def unify_names(lines: Sequence[Line]) -> tuple[list[Line], list[Message]]:
    """Lines whose characters and actors are written in one way each, and what was changed.

    Of several ways to write a name, the script's most frequent without what cannot be seen is taken.
    """
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for line in lines:
        for name in (line.character, line.actor):
            spellings[name_key(name)][one_line(visible(name))] += 1
    best = {
        key: max(counts, key=lambda n: (counts[n], -len(n))) for key, counts in spellings.items()
    }
    changed: dict[str, dict[str, None]] = {}
    unified = []
    for line in lines:
        character, actor = best[name_key(line.character)], best[name_key(line.actor)]
        for written, name in ((line.character, character), (line.actor, actor)):
            if name != written:
                changed.setdefault(name, {})[written] = None
        unified.append(replace(line, character=character, actor=actor))
    notice = "; ".join(
        f"{', '.join(f'“{_shown(name)}”' for name in written)} → {name}"
        for name, written in changed.items()
    )
    return unified, [message("script.names", names=notice)] if notice else []


def _shown(name: str) -> str:
    """A name whose invisible characters can be seen."""
    return "".join(f"<U+{ord(c):04X}>" if c != " " and not visible(c).strip() else c for c in name)
