"""What users read, in Korean and in English, by code: one catalogue, `messages.toml`."""

import json
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache, reduce
from importlib.resources import files
from typing import Any, Literal, NamedTuple, Union

Lang = Literal["ko", "en"]
Value = Union[str, int, float, "Message"]

# Particles as the catalogue writes them after a value: what follows a consonant, and what a vowel.
_PARTICLES = {
    "은(는)": ("은", "는"), "이(가)": ("이", "가"), "을(를)": ("을", "를"), "와(과)": ("과", "와"),
    "(으)로": ("으로", "로"),
}  # fmt: skip
_PARTICLE = re.compile("(" + "|".join(map(re.escape, _PARTICLES)) + ")")
_CODAS = "ㅇㄹ ㅁ  ㄱㄹㄹ "  # what 영 (or 십, 백 …), 일, 이, 삼, 사, 오, 육, 칠, 팔, 구 end in


class Message(NamedTuple):
    """A message that is still in no language; it can be kept, sent to another process and said later."""

    code: str  # of `messages.toml`
    values: Mapping[str, Value] = {}

    def __hash__(self) -> int:
        """By code and values, so that those that say the same can be found."""
        return hash((self.code, frozenset(self.values.items())))

    def say(self, lang: Lang) -> str:
        """In words; values that are messages are said in the same language.

        Raises:
            KeyError: no such code, or a value is not given.
        """
        spoken = {
            name: value.say(lang) if isinstance(value, Message) else value
            for name, value in self.values.items()
        }
        template = _catalogue()[self.code][lang]
        return _with_particles(template, spoken) if lang == "ko" else template.format(**spoken)

    def dump(self) -> str:
        """As JSON; `load` reads it."""
        return json.dumps(
            self, ensure_ascii=False
        )  # a tuple within a tuple is a list within a list

    @classmethod
    def load(cls, text: str) -> "Message":
        """A message that `dump` wrote; any other text becomes a message that says it."""
        try:
            return cls._of(json.loads(text))
        except (json.JSONDecodeError, TypeError, ValueError):
            return message("plain", text=text)

    @classmethod
    def _of(cls, pair: Any) -> "Message":
        code, values = pair
        return cls(code, {k: cls._of(v) if isinstance(v, list) else v for k, v in values.items()})


def _with_particles(template: str, spoken: Mapping[str, object]) -> str:
    """A Korean template with its values; after each the particle that its last sound asks for."""
    said = ""
    for part in _PARTICLE.split(template):
        said += _particle(part, said) if part in _PARTICLES else part.format(**spoken)
    return said


def _particle(written: str, before: str) -> str:
    """`을(를)` as it is after these words; both forms stay after what can be said in several ways (WAV)."""
    word = re.sub(r"\([^()]*\)", "", unicodedata.normalize("NFC", before[-80:]))
    word = re.sub(r"[\W_]+$", "", word)
    if "가" <= word[-1:] <= "힣":
        coda = (ord(word[-1]) - ord("가")) % 28
        consonant, rieul = coda > 0, coda == 8
    elif re.search(r"(?<![A-Za-z0-9])[0-9]+$", word):
        consonant, rieul = _CODAS[int(word[-1])] != " ", _CODAS[int(word[-1])] == "ㄹ"
    else:
        return written
    after_consonant, after_vowel = _PARTICLES[written]
    return after_consonant if consonant and not (rieul and written == "(으)로") else after_vowel


def readable(text: str) -> str:
    """Text that any terminal and file can hold: bytes of a file's name that are no UTF-8 as CP949.

    Zip files from Korean Windows have such names. What is in neither becomes `?`.
    """
    if text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text):
        return text
    try:
        return text.encode("utf-8", "surrogateescape").decode("cp949")
    except UnicodeError:
        return text.encode("utf-8", "replace").decode()


def message(code: str, **values: object) -> Message:
    """A message by its code; values that are neither numbers nor messages become text."""
    kept = {
        name: value if isinstance(value, int | float | Message) else readable(str(value))
        for name, value in values.items()
    }
    return Message(code, kept)


def say(code: str, lang: Lang, **values: object) -> str:
    """A message in words, at once.

    Raises:
        KeyError: no such code, or a value is not given.
    """
    return message(code, **values).say(lang)


def joined(parts: Iterable[Message], code: str = "both") -> Message:
    """Messages one after another, as one.

    Args:
        parts: at least one.
        code: of a message that says `first` and `second`, with what stands between them.
    """
    return reduce(lambda first, second: message(code, first=first, second=second), parts)


def codes() -> Mapping[str, Mapping[str, str]]:
    """The whole catalogue: texts by language, by code."""
    return _catalogue()


@cache
def _catalogue() -> dict[str, dict[str, str]]:
    return tomllib.loads((files("moksori") / "messages.toml").read_text(encoding="utf-8"))
