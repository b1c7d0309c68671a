"""What depends on morphemes, written into the spelling, so that the regular rules read it right.

한 일 becomes 한 닐, 삼고 삼꼬, 할 것 할 껏, 겉옷 걷옷. Articles (제…항) are those of the Standard
Pronunciation (표준발음법); each function holds one group of them and changes syllables in place.
"""

import re
from typing import NamedTuple

from moksori.text.homographs import n_places, tense_places
from moksori.text.lexicon import Entry, Lexicon
from moksori.text.morphemes import Piece
from moksori.text.syllables import Syllable, decompose

NEUTRAL = {  # 제9항–제11항: what a coda sounds like before a consonant or at the end
    **dict.fromkeys("ㄱㄲㅋㄳㄺ", "ㄱ"), **dict.fromkeys("ㄷㅅㅆㅈㅊㅌㅎ", "ㄷ"),
    **dict.fromkeys("ㅂㅍㅄㄿ", "ㅂ"), **dict.fromkeys("ㄹㄼㄽㄾㅀ", "ㄹ"),
    **dict.fromkeys("ㄴㄵㄶ", "ㄴ"), **dict.fromkeys("ㅁㄻ", "ㅁ"), "ㅇ": "ㅇ", " ": " ",
}  # fmt: skip
TENSE = dict(zip("ㄱㄷㅂㅅㅈ", "ㄲㄸㅃㅆㅉ", strict=True))

_STEMS = ("VV", "VA", "VX", "XSV", "XSA")
_NEGATION = re.compile(r"\s?(?:마|않|못|말[아고자라])")  # after which -지 is no -ㄹ지
_STEM_CODAS = "ㄴㄵㅁㄻㄼㄾ"
_COUNTED = ("NNBC", "NNB", "NR", "NNG")  # parts of speech that a number may stand before
# Endings, particles, suffixes and the copula link as they are; so do the nouns' endings 음 and 이.
_BOUND = ("E", "J", "XS", "VC")
_BOUND_NOUNS = ("음", "이")
# What ㄴ is put before (제29항): words in any of these vowels, and in ㅣ native ones only.
_GLIDES = "ㅑㅒㅕㅖㅛㅠ"
_NATIVE_NOUNS = frozenset((
    "일", "일곱", "일꾼", "일손", "일터", "이름", "이불", "이야기", "이랑", "이마", "이빨", "이슬", "이끼",
    "이삭", "이파리", "입", "입맛", "입맞춤", "입술", "잇몸", "잎",
))  # fmt: skip
_NATIVE_STEMS = frozenset((
    "이기", "이끌", "이루", "이루어지", "이어지", "익", "익히", "일어나", "일어서", "일으키", "읽", "읽히",
    "입", "입히", "잇", "잊", "잊히",
))  # fmt: skip
_NATIVE_NUMBERS = ("여섯", "일곱", "여덟")
_SINO_NUMBERS = "일칠팔"  # those that end in ㄹ
# Sino-Korean syllables in ㄷ ㅅ ㅈ: a noun written with them alone is taken for Sino-Korean.
_SINO = frozenset(
    "다단달담답당대댁덕도독돈돌동두둔득등사삭산살삼삽상새색생서석선설섭성세소속손솔송쇄쇠수숙순술숭슬습승시식신실심십"
    "자작잔잠잡장재쟁저적전절점접정제조족존졸종좌죄주죽준중즉즐즙증지직진질짐집징"
)
_SINO_COUNTERS = (
    "단계",
    "세기",
    "시간",
    "등급",
    "등분",
    "장면",
    "주년",
    "주일",
    "주간",
    "주차",
    "대륙",
    "종류",
)


class Respelled(NamedTuple):
    """A line whose letters tell its sounds."""

    syllables: list[Syllable | None]  # one a character, None for marks and spaces
    met: set[int]  # places of the syllables before which two words meet: nothing palatalises there
    found: list[tuple[str, Entry]]  # the words that the lexicon had


def respell(text: str, pieces: list[Piece], lexicon: Lexicon, cross_word: bool) -> Respelled:
    """Write into the spelling everything that letters alone do not tell.

    Args:
        text: normalised.
        pieces: its morphemes.
        lexicon: readings that go before the rules.
        cross_word: let a word change the next one where no mark parts them.
    """
    line = Respelled(decompose(text), set(), [])
    settled = _look_up(text, pieces, line, lexicon)
    for piece in pieces:
        if piece.begin not in settled:
            _within(text, piece, line, settled)
    for left, right, after in zip(pieces, pieces[1:], [*pieces[2:], None], strict=False):
        gap = text[left.end : right.begin]
        whole = (
            after is None
            or after.begin > right.end
            or after.opens.startswith(_BOUND)
            or text[after.begin : after.end] in "이은을도만"  # particles, though taken for numbers
        )
        pair = _Pair(text=text, left=left, right=right, line=line, whole=whole)
        if gap == "" and right.begin not in settled:
            _in_word(pair, lexicon)
        elif gap == " " and cross_word:
            _across_words(pair, right.begin in settled)
    for place in tense_places(text, cross_word):
        _tense(_of(line.syllables, place))
    for place in n_places(text):
        _of(line.syllables, place)[0] = "ㄴ"
    return line


class _Pair(NamedTuple):
    """Two pieces, one after the other."""

    text: str
    left: Piece
    right: Piece
    line: Respelled
    whole: bool  # whether the right one is a whole word but for particles and endings

    @property
    def last(self) -> Syllable:
        """Last syllable of the left piece."""
        return self.line.syllables[self.left.end - 1] or ["ㅇ", "ㅏ", " "]

    @property
    def first(self) -> Syllable:
        """First syllable of the right piece."""
        return self.line.syllables[self.right.begin] or ["ㅇ", "ㅏ", " "]

    @property
    def word(self) -> str:
        """The right piece as written."""
        return self.text[self.right.begin : self.right.end]

    @property
    def apart(self) -> bool:
        """Whether a space is between them."""
        return self.left.end != self.right.begin


def _look_up(text: str, pieces: list[Piece], line: Respelled, lexicon: Lexicon) -> set[int]:
    """Put in what the lexicon has; the places of the syllables that it decided."""
    settled: set[int] = set()
    for first, piece in enumerate(pieces):
        if piece.begin in settled or not (found := lexicon.at(text, pieces, first)):
            continue
        line.found.append(found)
        word, entry = found
        end = piece.begin + len(word)
        for place, new in zip(range(piece.begin, end), decompose(entry.reading), strict=True):
            old = line.syllables[place]
            assert old and new
            if old[2] != new[2]:  # written neutral: 겉옷 걷옷
                line.met.add(place + 1)
            line.syllables[place] = new
        settled.update(range(piece.begin + 1, end))
        if word[0] != entry.reading[0]:
            settled.add(piece.begin)
    return settled


def _within(text: str, piece: Piece, line: Respelled, settled: set[int]) -> None:
    syllables = line.syllables
    if piece.opens[0] == "J" and text[piece.begin : piece.end] == "의":
        _of(syllables, piece.begin)[1] = "ㅔ"  # 제5항 다만 4, as nearly everyone says it
    negated = piece.ending.endswith("지") and _NEGATION.match(text, piece.end)  # 울지 마
    if piece.ending[:1] in ("ᆯ", "ㄹ") and len(piece.ending) > 1 and not negated:
        # 제27항 붙임: 할걸, 할수록
        _tense(_of(syllables, piece.end - len(piece.ending) + 1))
    elif piece.opens[0] == "E" and text[piece.begin] == "을" and piece.end - piece.begin > 1:
        _tense(_of(syllables, piece.begin + 1))  # 먹을수록
    elif piece.opens[0] in "NXM":
        for i in range(piece.begin + 1, piece.end):
            if i not in settled:
                last, first = _of(syllables, i - 1), _of(syllables, i)
                sino = text[i] in _SINO and (piece.opens != "NR" or text[i - 1] in _SINO_NUMBERS)
                if last[2] == "ㄹ" and sino and text[i - 1] != text[i]:
                    _tense(first)  # 제26항: 갈등, 발전, 칠십; but 절절하다, 스물셋
                noun = piece.opens == "NNG"
                if noun and last[2] == "ㅅ" and first[0] == "ㅇ" and first[1] in _GLIDES + "ㅣ":
                    first[0] = "ㄴ"  # 제30항 3: 뱃일; but 깨끗이
                if piece.opens == "NR":
                    _six(text, i, syllables)


def _in_word(pair: _Pair, lexicon: Lexicon) -> None:
    left, right, syllables = pair.left, pair.right, pair.line.syllables
    if left.closes in _STEMS and right.opens[0] == "E":
        _stem(pair.last, pair.first)
    elif _is_adnominal(pair):
        _tense(pair.first)
    elif entry := lexicon.part(pair.text, left, right):
        syllables[right.begin : right.end] = decompose(entry.reading)
        before = pair.text[left.begin : left.end]
        whole = Entry(before + entry.reading, before + entry.other if entry.other else "")
        pair.line.found.append((before + pair.word, whole))
    elif right.opens == "XSN" and pair.first[1] in _GLIDES:
        _insert_n(pair)
    elif left.opens == "MAG" and pair.text.startswith("이어", right.begin):  # 곧이어
        pair.line.met.add(right.begin)
    elif pair.text.startswith("넓둥", left.begin):
        pair.last[2] = "ㅂ"  # 제10항 다만: 넓둥근
    elif not right.opens.startswith(_BOUND) and pair.word not in _BOUND_NOUNS:
        suffix = left.end - left.begin > 1 and len(pair.word) == 1
        if pair.last[2] == "ㄴ" and pair.first[0] == "ㄹ" and suffix:
            pair.first[0] = "ㄴ"  # 제20항 다만: 의견란, 생산량
        before = pair.text[left.begin - 1 : left.end] if left.begin else ""
        if left.opens == "NR" or re.fullmatch("[십백천만]일", before):  # 이십일세기
            _numeral(pair)
        _meet(pair)


def _across_words(pair: _Pair, settled: bool) -> None:
    if not settled:
        if _is_adnominal(pair):
            return _tense(pair.first)
        if pair.left.opens == "NR" and pair.right.opens in _COUNTED:
            _numeral(pair)
    if pair.left.closes[0] in "NMV" or pair.left.closes == "ETM":
        _meet(pair)
    else:
        pair.line.met.add(pair.right.begin)
        pair.last[2] = NEUTRAL[pair.last[2]]


def _stem(last: Syllable, first: Syllable) -> None:
    """Stems before endings."""
    onset, vowel, coda = last
    if first[0] == "ㅇ":
        return
    if (onset, vowel, coda) == ("ㅂ", "ㅏ", "ㄼ"):  # 제10항 다만: 밟다, 짓밟고
        last[2] = "ㅂ"
    elif coda == "ㄺ" and first[0] == "ㄱ":  # 제11항 다만: 맑게, 읽고
        last[2], first[0] = "ㄹ", "ㄲ"
    elif coda in _STEM_CODAS:  # 제24항, 제25항: 삼고, 앉다, 닮지, 넓게, 핥다
        _tense(first)


def _is_adnominal(pair: _Pair) -> bool:
    """제27항: after the ending -(으)ㄹ: 할 것을, 만날 사람, 할밖에."""
    after_l = pair.left.closes == "ETM" and pair.last[2] == "ㄹ"
    idle = pair.word == "새" and pair.text.startswith((" 없", "도 없", "가 없"), pair.right.end)
    return after_l and (pair.right.opens[0] in "NVX" or idle) and pair.first[0] in TENSE


def _meet(pair: _Pair) -> None:
    """Two words that meet: ㄴ comes between them (제29항), or the first ends neutral (제15항)."""
    if not _insert_n(pair):
        pair.line.met.add(pair.right.begin)
        pair.last[2] = NEUTRAL[pair.last[2]]


def _insert_n(pair: _Pair) -> bool:
    last, first = pair.last, pair.first
    if last[2] == " " or first[0] != "ㅇ" or first[1] not in _GLIDES + "ㅣ":
        return False
    if fits := _takes_n(pair):
        last[2], first[0] = NEUTRAL[last[2]], "ㄴ"
    return fits


def _takes_n(pair: _Pair) -> bool:
    left, right, word = pair.left, pair.right, pair.word
    native = pair.first[1] == "ㅣ"
    if left.closes in ("NR", "NNBC") and (native or right.opens == "NR"):
        return word.startswith(_NATIVE_NUMBERS)  # 서른여섯; but 삼육오, 삼월 일일
    if native and right.opens[0] == "V":
        return right.lemma in _NATIVE_STEMS
    if native and word == "일":  # 한 일, 무슨일; but 한 일 년, 기념일
        free = pair.apart or left.opens == "MM" or left.closes == "ETM"
        noun = right.opens == "NNG" or (right.opens == "NR" and left.closes == "ETM")
        return free and noun and pair.whole
    if native:  # 입국 may come as 입 and 국
        return word in _NATIVE_NOUNS and (pair.whole or len(word) > 1)
    # pronouns, interjections and names begin anew
    return not pair.apart or right.opens in ("NNG", "NR", "VV", "VA", "MAG")


def _six(text: str, i: int, syllables: list[Syllable | None]) -> None:
    """제29항: 십육, 백육 → 심뉵, 뱅뉵."""
    if text[i] == "육" and text[i - 1] in "십백천만억":
        _of(syllables, i)[0] = "ㄴ"


def _numeral(pair: _Pair) -> None:
    """Numbers before what they count: 열 살, 여덟 시 (제28항); 칠 도, 팔십 (제26항)."""
    number = pair.text[pair.left.begin : pair.left.end]
    native = number.endswith(("열", "여덟")) and pair.word != "도"
    sino = number[-1] in _SINO_NUMBERS and (
        pair.word in _SINO_COUNTERS or all(char in _SINO for char in pair.word)
    )
    if native or sino:
        _tense(pair.first)
    elif pair.right.opens == "NR":
        _six(pair.text, pair.right.begin, pair.line.syllables)


def _tense(syllable: Syllable) -> None:
    syllable[0] = TENSE.get(syllable[0], syllable[0])


def _of(syllables: list[Syllable | None], place: int) -> Syllable:
    """The syllable at a place that morphemes cover, which is Hangul."""
    syllable = syllables[place]
    assert syllable, "pieces hold Hangul only"
    return syllable
