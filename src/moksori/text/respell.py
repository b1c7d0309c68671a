"""What depends on morphemes, written into the spelling, so that the regular rules read it right.

한 일 becomes 한 닐, 삼고 삼꼬, 할 것 할 껏, 겉옷 걷옷. Articles (제…항) are those of the Standard
Pronunciation (표준발음법); each function holds one group of them and changes syllables in place.
"""

import itertools

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
_STEM_CODAS = "ㄴㄵㅁㄻㄼㄾ"
# Endings, particles, suffixes and the copula, which link as they are; 용, 역, 약 … are looked at first.
_BOUND = ("E", "J", "XS", "VC")
# What ㄴ is put before (제29항): any of these vowels, and of the words in ㅣ only native ones.
_GLIDES = "ㅑㅒㅕㅖㅛㅠ"
_NATIVE = (
    "일곱", "일꾼", "일터", "일손", "일어나", "일으키", "이불", "이야기", "이랑", "이마", "이빨", "이슬",
    "이끼", "이삭", "입술", "입히", "이기", "이루", "이끌", "잇몸", "잎", "읽", "잊", "익", "잇",
)  # fmt: skip
_NATIVE_WORDS = ("입", "일")  # only as whole words: 입원, 일정 are Sino-Korean
_AFTER_WORD = frozenset(" .,?!이을은도에만의로과까부처보하")  # a mark, or what particles begin with
_NATIVE_NUMBERS = ("여섯", "일곱", "여덟")
# Sino-Korean syllables in ㄷ ㅅ ㅈ: a noun written with them alone is taken for Sino-Korean.
_SINO = frozenset(
    "다단달담답당대댁덕도독돈돌동두둔득등사삭산살삼삽상새색생서석선설섭성세소속손솔송쇄쇠수숙순술숭슬습승시식신실심십"
    "자작잔잠잡장재쟁저적전절점접정제조족존졸종좌죄주죽준중즉즐즙증지직진질짐집징"
)
_COUNTERS = ("NNBC", "NNB", "NR", "NNG")


def respell(
    text: str,
    pieces: list[Piece],
    syllables: list[Syllable | None],
    lexicon: Lexicon,
    cross_word: bool,
) -> list[tuple[str, Entry]]:
    """Change in `syllables` everything that letters alone do not tell.

    Args:
        text: normalised.
        pieces: its morphemes.
        syllables: of `text`, one a character, None for marks and spaces; changed in place.
        lexicon: readings that go before the rules.
        cross_word: let a word change the next one where no mark parts them.

    Returns:
        The words that the lexicon had.
    """
    settled, found = _look_up(text, pieces, syllables, lexicon)
    for piece in pieces:
        if piece.begin not in settled:
            _within(text, piece, syllables, settled)
    for left, right in itertools.pairwise(pieces):
        gap = text[left.end : right.begin]
        if gap == "" and right.begin not in settled:
            _in_word(text, left, right, syllables, lexicon)
        elif gap == " " and cross_word:
            _across_words(text, left, right, syllables, right.begin in settled)
    return found


def _look_up(
    text: str, pieces: list[Piece], syllables: list, lexicon: Lexicon
) -> tuple[set[int], list[tuple[str, Entry]]]:
    """Put in what the lexicon has; the places of the syllables that it decided, and the words."""
    settled: set[int] = set()
    words = []
    for first, piece in enumerate(pieces):
        if piece.begin in settled or not (found := lexicon.at(text, pieces, first)):
            continue
        words.append(found)
        word, entry = found
        syllables[piece.begin : piece.begin + len(word)] = decompose(entry.reading)
        settled.update(range(piece.begin + 1, piece.begin + len(word)))
        if word[0] != entry.reading[0]:
            settled.add(piece.begin)
    return settled, words


def _within(text: str, piece: Piece, syllables: list, settled: set[int]) -> None:
    if piece.opens[0] == "J" and text[piece.begin : piece.end] == "의":
        syllables[piece.begin][1] = "ㅔ"  # 제5항 다만 4, as nearly everyone says it
    if piece.ending[:1] in ("ᆯ", "ㄹ") and len(piece.ending) > 1:  # 제27항 붙임: 할걸, 할수록
        _tense(syllables[piece.end - len(piece.ending) + 1])
    elif piece.opens[0] == "E" and text[piece.begin] == "을" and piece.end - piece.begin > 1:
        _tense(syllables[piece.begin + 1])  # 먹을수록
    elif piece.opens[0] in "NXM":
        for i in range(piece.begin + 1, piece.end):
            if i not in settled:
                _sino_l(text, i, syllables)
                if piece.opens == "NR":
                    _six(text, i, syllables)


def _in_word(text: str, left: Piece, right: Piece, syllables: list, lexicon: Lexicon) -> None:
    last, first = syllables[left.end - 1], syllables[right.begin]
    if left.closes in _STEMS and right.opens[0] == "E":
        _stem(last, first)
    elif _adnominal(last, left, right, first):
        _tense(first)
    elif right.opens[0] in "NX" and (reading := lexicon.part(text, right)):
        syllables[right.begin : right.end] = decompose(reading)
    elif right.opens == "XSN" and first[1] in _GLIDES:
        _insert_n(text, left, right, last, first)
    elif not right.opens.startswith(_BOUND):
        if last[2] == "ㄴ" and first[0] == "ㄹ" and left.end - left.begin > 1:
            first[0] = "ㄴ"  # 제20항 다만: 의견란, 생산량
        if left.opens == "NR":
            _numeral(text, left, right, syllables)
        _meet(text, left, right, last, first)


def _across_words(text: str, left: Piece, right: Piece, syllables: list, settled: bool) -> None:
    last, first = syllables[left.end - 1], syllables[right.begin]
    if not settled:
        if _adnominal(last, left, right, first):
            return _tense(first)
        if left.opens == "NR" and right.opens in _COUNTERS:
            _numeral(text, left, right, syllables)
    if left.closes[0] in "NMV" or left.closes == "ETM":
        _meet(text, left, right, last, first)
    else:
        last[2] = NEUTRAL[last[2]]


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


def _adnominal(last: Syllable, left: Piece, right: Piece, first: Syllable) -> bool:
    """제27항: after the ending -(으)ㄹ: 할 것을, 만날 사람, 할밖에."""
    return (
        left.closes == "ETM" and last[2] == "ㄹ" and right.opens[0] in "NVX" and first[0] in TENSE
    )


def _meet(text: str, left: Piece, right: Piece, last: Syllable, first: Syllable) -> None:
    """Two words that meet: ㄴ comes between them (제29항), or the first ends neutral (제15항)."""
    if not _insert_n(text, left, right, last, first):
        last[2] = NEUTRAL[last[2]]


def _insert_n(text: str, left: Piece, right: Piece, last: Syllable, first: Syllable) -> bool:
    onset, vowel, _ = first
    if last[2] == " " or onset != "ㅇ" or vowel not in _GLIDES + "ㅣ":
        return False
    apart = left.end != right.begin
    word, after = text[right.begin : right.end], text[right.end : right.end + 1]
    if left.closes in ("NR", "NNBC") and (vowel == "ㅣ" or right.opens == "NR"):
        fits = word.startswith(_NATIVE_NUMBERS)  # 서른여섯; but 삼육오, 삼월 일일
    elif vowel == "ㅣ":
        whole = right.opens == "VV" or not after or after in _AFTER_WORD
        fits = word.startswith(_NATIVE) or (
            word in _NATIVE_WORDS and whole and (apart or word != "일")
        )
    else:  # pronouns, interjections and names begin anew
        fits = not apart or right.opens in ("NNG", "NR", "VV", "VA", "MAG")
    if fits:
        last[2], first[0] = NEUTRAL[last[2]], "ㄴ"
    return fits


def _sino_l(text: str, i: int, syllables: list) -> None:
    """제26항: ㄷ ㅅ ㅈ after ㄹ in Sino-Korean words: 갈등, 발전; but 절절하다."""
    if syllables[i - 1][2] == "ㄹ" and text[i] in _SINO and text[i - 1] != text[i]:
        _tense(syllables[i])


def _six(text: str, i: int, syllables: list) -> None:
    """제29항: 십육, 백육 → 심뉵, 뱅뉵."""
    if text[i] == "육" and text[i - 1] in "십백천만억":
        syllables[i][0] = "ㄴ"


def _numeral(text: str, left: Piece, right: Piece, syllables: list) -> None:
    """Numbers before what they count: 열 살, 여덟 시 (제28항); 칠 도, 팔십 (제26항)."""
    number, counted = text[left.begin : left.end], text[right.begin : right.end]
    native = number.endswith(("열", "여덟")) and counted != "도"
    sino = number.endswith(("일", "칠", "팔")) and all(char in _SINO for char in counted)
    if native or sino:
        _tense(syllables[right.begin])
    elif right.opens == "NR":
        _six(text, right.begin, syllables)


def _tense(syllable: Syllable) -> None:
    syllable[0] = TENSE.get(syllable[0], syllable[0])
