"""Words that mecab-ko takes for others that are written alike: what stands around them tells which they are.

신고 is worn behind 구두, and a report elsewhere; 참고 is borne before 견디다, and a reference elsewhere;
일일이 is one by one, 일리리; after a month, before 지나다 or as a number to call it is 이리리.
"""

import re
from collections.abc import Iterator

_SHOES = "신발|구두|양말|운동화|부츠|장화|군화|힐|스타킹|슬리퍼|고무신|짚신|버선|샌들"
# What 기 stands before: 참기 힘들다.
_BEFORE = "전|싫|힘들|힘든|쉽|쉬운|어렵|어려|위해|위한|좋|편하|편한|무섭|지겨|직전|일쑤"
_MAJORS = "국문|영문|불문|독문|중문|일문|노문"
# Each ends with the syllable that becomes tense.
_TENSE = re.compile(
    "|".join(
        (
            rf"(?:{_SHOES})[을를은는도만]? 신고(?! ?(?:하|했|합|한|할|해|당|전화|서|자|를|가|는|의))",
            "(?<![가-힣])참고(?= (?:견디|견뎌|견딘|견딜|기다|살|지내|버티|버텨|버틴|있))",
            rf"(?<![가-힣])[참안신담심품넘숨굶]기(?=(?:[는도가] | )(?:{_BEFORE}))",
            rf"(?<=[를을] )감기(?=(?:[는도가] | )(?:{_BEFORE}))",
            "(?<![가-힣])[잘올] 사(?=람)",
            "(?<![가-힣])잘 시(?=간(?:이|인|에|까지|은|도|됐| 됐| 다 됐| 지났))",
            "(?<![가-힣])잘 (?:곳(?=[이도은을 ])|데(?=(?:[가도는] | )(?:없|있|마땅)))",
            rf"(?:{_MAJORS})과(?=[.,?!]|$| (?:학생|출신|교수|나[와왔온]|선배|후배|동기|다니|다녀|졸업|전공))",
            "(?:조선|전국) ?팔도|팔도(?= ?(?:강산|유람|명물|사나이|사투리|각지|진미))",
        )
    )
)
# One of these is in each of them: most lines have none.
_IN_THEM = re.compile("[신참]고|기[ 는도가]|[잘올] |문과|팔도")

_ONE_BY_ONE = re.compile(
    "(?<![가-힣])(?<![월년일해] )일일이(?= [가-힣])"
    "(?! (?:지나|지났|지난|되[어면는자기었]|됐|된|될|남[았은을아기]|넘[었어으는게]|걸[려리렸릴]|밝았|"
    "생일|휴일|마감|마지막|명절|설날|[월화수목금토일]요일|불러|부르|불렀|신고|출동|상황|순찰|경찰|긴급))"
)


def n_places(text: str) -> Iterator[int]:
    """Places of the syllables that begin with ㄴ (제29항) in such a word."""
    for match in _ONE_BY_ONE.finditer(text) if "일일이" in text else ():
        yield match.start() + 1


def tense_places(text: str, cross_word: bool) -> Iterator[int]:
    """Places of the syllables that such a word makes tense; with a space before only if words meet."""
    for match in _TENSE.finditer(text) if _IN_THEM.search(text) else ():
        if cross_word or match.group()[-2] != " ":
            yield match.end() - 1
