"""Words whose sound no rule gives: `lexicon.tsv`, and a show's own list on top of it.

A row is a word, its reading and the article of the Standard Pronunciation. The reading is a spelling
that the regular rules read right, syllable for syllable: 꽃잎 꽃닢, so that 꽃잎이 becomes 꼰니피.
Two readings (잠자리 잠자리|잠짜리) mean: the first, and a person should look. Stems of verbs and adjectives
end with a hyphen (맛있-). Parts of compounds stand with a sign: `~법` after any noun, `-길` after one that
ends in a consonant, `ㄹ-소` after that one.
"""

import csv
import io
import re
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from moksori.delimited import quoted
from moksori.errors import LexiconError, TextError, reason_of
from moksori.files import read_text
from moksori.messages import Message, message
from moksori.text.morphemes import Piece
from moksori.text.syllables import CODAS, coda
from moksori.writing import atomic_write

# A first row of one of each only names the columns.
_HEADERS = ("낱말", "단어", "이름", "word", "name"), ("읽기", "발음", "reading", "pronunciation")
_HANGUL = re.compile("[가-힣]+")
_PART = re.compile(f"(~|[{CODAS[1:]}]?-)([가-힣]+)")
PARTICLES = re.compile(
    "(?:들|님|씨|은|는|이|가|을|를|의|도|만|과|와|랑|아|야|여|에|에게|에서|한테|께|서|로|으로|까지|부터|마저|조차|처럼|"
    "보다|밖에|나|하고|뿐|대로)*(?:(?:이|라|였|예요|냐|네|니|지|군|인|입).*)?"
)


class Entry(NamedTuple):
    """How a word is respelled."""

    reading: str
    other: str = ""  # what it may be read as instead


@dataclass(frozen=True)
class Lexicon:
    """Readings that go before the rules."""

    words: dict[str, Entry] = field(default_factory=dict)
    parts: dict[str, dict[str, Entry]] = field(default_factory=dict)  # part, its sign, its reading
    written: dict[str, str] = field(
        default_factory=dict
    )  # not in Hangul, in lower case: aria 아리아
    show: frozenset[str] = frozenset()  # the words of the show's own list

    def at(self, text: str, pieces: list[Piece], first: int) -> tuple[str, Entry] | None:
        """The longest word of the lexicon that begins with a piece and ends with one.

        A show's own words go first, and may also end inside a piece, before particles: the dictionary
        of morphemes does not know them.
        """
        begin = pieces[first].begin
        longest = self._longest.get(text[begin], 0)
        ends = _ends(text, pieces[first : first + _MOST_PIECES]) if longest else set()
        stem = "-" if pieces[first].opens[0] == "V" else ""
        found = None
        for length in range(longest, 0, -1):
            word = text[begin : begin + length]
            if word in self.show:
                rest = text[begin + length :].partition(" ")[0].rstrip(".,?!")
                if begin + length in ends or PARTICLES.fullmatch(rest):
                    return word, self.words[word]
            elif not found and begin + length in ends and (entry := self.words.get(word + stem)):
                found = word, entry
        return found

    def part(self, text: str, left: Piece, right: Piece) -> Entry | None:
        """Reading of a piece that makes a compound with the noun before it, if the lexicon has it."""
        readings = self.parts.get(text[right.begin : right.end])
        noun = left.opens.startswith("NN") and text[left.begin : left.end] not in _NO_NOUNS
        if not (readings and noun and right.opens in ("NNG", "NNP", "XSN")):
            return None
        before = coda(text[left.end - 1])
        return (
            readings.get("~")
            or readings.get(f"{before}-")
            or (readings.get("-") if before != " " else None)
        )

    @cached_property
    def pattern(self) -> re.Pattern[str] | None:
        """What finds the words of `written` in a line as the script has it."""
        if not self.written:
            return None
        words = "|".join(re.escape(word) for word in sorted(self.written, key=len, reverse=True))
        return re.compile(rf"(?<![A-Za-z0-9가-힣])(?:{words})(?![A-Za-z0-9])", re.IGNORECASE)

    @cached_property
    def _longest(self) -> dict[str, int]:
        longest: dict[str, int] = {}
        for word in self.words:
            longest[word[0]] = max(longest.get(word[0], 0), len(word.removesuffix("-")))
        return longest


_MOST_PIECES = 6  # of a word in the lexicon
_ENDINGS = ("으로", "요", "인")  # what nouns of the lexicon may end with: 전적으로, 그럼요, 사적인
AFTER_VOWELS = ("가", "와", "는", "를", "란", "라", "나", "며", "랑", "여", "로")
AFTER_CODAS = ("은", "을", "과", "아", "으로")
# First parts that mecab-ko-dic calls nouns though they only describe: 찬바람, 한줄기.
_NO_NOUNS = frozenset("찬한맨딴흰싼큰온참날된헌새첫민군잔생왕")


def _ends(text: str, pieces: list[Piece]) -> set[int]:
    """Where a word that begins with the first of `pieces` may end."""
    ends = set()
    for i, piece in enumerate(pieces):
        surface = text[piece.begin : piece.end]
        verb = i > 0 and piece.opens[0] == "V" and surface not in _ENDINGS
        bound = i > 0 and piece.opens == "NNB"  # 본건 is 보- and 건
        if verb or bound or (i > 0 and piece.begin > pieces[i - 1].end):
            break
        if not _is_particle(text, piece):
            ends.add(piece.end)
    return ends


def _is_particle(text: str, piece: Piece) -> bool:
    """Whether a piece is a particle or ending: 정신과 may be 정신 and 과; but 등산로 is not 등산 and 로."""
    surface = text[piece.begin : piece.end]
    if piece.opens[0] not in "JE" or surface in _ENDINGS:
        return False
    before = coda(text[piece.begin - 1]) if piece.begin else " "
    allowed = " ㄹ" if surface == "로" else " "
    return surface not in AFTER_VOWELS or before in allowed


def load_lexicon(show: Path | str | None = None) -> Lexicon:
    """The lexicon of the package, with a show's own words going before it.

    Args:
        show: a table of the show's names and coinages, .tsv or .csv in UTF-8: word, reading, and
            whatever else in further columns; rows that begin with # are notes. A word that is not in
            Hangul (ARIA, 2NE1) is read wherever it stands alone. Read again when the file changes.

    Returns:
        The lexicon.

    Raises:
        LexiconError: a file that cannot be read or a row that cannot be right, with its number.
        TextError: the package's own lexicon is missing.
    """
    if show is None:
        return _load(None, 0)
    show = Path(show)
    try:
        return _load(show, show.stat().st_mtime_ns)
    except OSError as error:
        raise LexiconError.of("lexicon.unreadable", file=show, why=reason_of(error)) from None


def add_reading(path: Path, word: str, reading: str) -> None:
    """Add a word's reading to a show's list, in the place of one that it has; all other rows stay.

    Args:
        path: as `load_lexicon`; made if there is none.
        word: as the script has it.
        reading: in Hangul.

    Raises:
        LexiconError: the list cannot be read, or the word cannot be read so.
        OutputError: the list cannot be written.
    """
    before = read_text(path, LexiconError) if path.exists() else ""
    word, new = unicodedata.normalize("NFC", word), io.StringIO()
    comma = path.suffix.lower() == ".csv"
    if comma:
        csv.writer(new, lineterminator="\n").writerow([word, reading])
    else:  # in which a quotation mark is a sign like others
        new.write(f"{word}\t{reading}\n")
    rows = [row for row in before.splitlines(keepends=True) if _word(row, comma) != word]
    end = "" if not rows or rows[-1].endswith("\n") else "\n"
    content = "".join([*rows, end, new.getvalue()])
    _parse(path, content)
    mark = "\ufeff" if comma else ""  # by which Excel knows UTF-8
    atomic_write(path, mark + content)


def _word(row: str, comma: bool) -> str:
    cells = next(csv.reader([row]), []) if comma else row.split("\t")
    return unicodedata.normalize("NFC", cells[0].strip()) if cells else ""


@lru_cache(maxsize=8)
def _load(show: Path | None, changed: int) -> Lexicon:
    own = Path(str(files("moksori.text") / "lexicon.tsv"))
    if not own.exists():
        raise TextError(message("text.package_file", file=own), "")
    lexicon = _parse(own, read_text(own, LexiconError))
    if show is None:
        return lexicon
    added = _parse(show, read_text(show, LexiconError))
    parts = lexicon.parts | {
        word: lexicon.parts.get(word, {}) | signs for word, signs in added.parts.items()
    }
    return Lexicon(lexicon.words | added.words, parts, added.written, frozenset(added.words))


def _parse(path: Path, content: str) -> Lexicon:
    lexicon = Lexicon()
    if path.suffix.lower() == ".csv":
        rows = quoted(path, content, ",", LexiconError)
    else:  # in which a quotation mark is a sign like others
        rows = [row.split("\t") for row in content.split("\n")]
    for number, row in enumerate(rows, 1):
        cells = [unicodedata.normalize("NFC", cell.strip()) for cell in row]
        names = all(cell.lower() in kind for cell, kind in zip(cells, _HEADERS, strict=False))
        if any(cells) and not cells[0].startswith("#") and not (names and number == 1):
            _add(lexicon, cells, message("lexicon.row", file=path, row=number))
    return lexicon


def _add(lexicon: Lexicon, row: list[str], place: Message) -> None:
    if len(row) < 2 or not row[0] or not row[1]:
        raise LexiconError.of("lexicon.two_columns", place=place)
    word, (reading, _, other) = row[0], row[1].partition("|")
    for spelled in filter(None, (reading, other)):
        if not _HANGUL.fullmatch(spelled.replace(" ", "")):
            raise LexiconError.of("lexicon.hangul", place=place, reading=spelled)
    if part := _PART.fullmatch(word):
        sign, word = part.groups()
        known = sign in lexicon.parts.get(word, {})
        lexicon.parts.setdefault(word, {})[sign] = Entry(reading, other)
    elif _HANGUL.fullmatch(word.removesuffix("-")):
        known = word in lexicon.words
        lexicon.words[word] = Entry(reading, other)
        word = word.removesuffix("-")
    else:
        known = word.lower() in lexicon.written
        lexicon.written[word.lower()] = reading
        return _once(known, row[0], place)
    if any(len(spelled) != len(word) for spelled in filter(None, (reading, other))):
        raise LexiconError.of("lexicon.syllables", place=place, reading=row[1], word=word)
    return _once(known, row[0], place)


def _once(known: bool, word: str, place: Message) -> None:
    if known:
        raise LexiconError.of("lexicon.twice", place=place, word=word)
