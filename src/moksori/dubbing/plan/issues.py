"""What an preflight finds, in Korean and English: how bad, where, what, and the mend."""

from typing import Literal, NamedTuple

from moksori.dubbing.messages import Lang

Severity = Literal["error", "warning", "note"]
_SEVERITIES = {
    "error": ("오류", "error"),
    "warning": ("경고", "warning"),
    "note": ("참고", "note"),
}  # fmt: skip
_WORDS = {
    "no_audio": (
        "녹음이 없습니다: “{file}”. 파일을 폴더에 넣거나 대본의 파일 이름을 고치세요",
        "no recording “{file}”; put it into the folder, or mend the name in the script",
    ),
    "several_files": (
        "“{file}”에 맞는 녹음이 여럿입니다: {names}. 폴더까지 적으세요",
        "several recordings are “{file}”: {names}; name the folder too",
    ),
    "outside": (
        "“{file}”은(는) 녹음 폴더 밖을 가리킵니다. 폴더 안의 이름만 적으세요",
        "“{file}” leaves the folder of recordings; name a file within it",
    ),
    "no_name": (
        "파일 이름도 번호도 없어 녹음을 찾을 수 없습니다. 둘 가운데 하나를 적으세요",
        "neither a file nor a number, so its recording cannot be found; fill in one of them",
    ),
    "used_twice": (
        "“{file}”을(를) 앞의 대사도 씁니다. 파일 이름이 맞는지 보세요",
        "“{file}” is an earlier line's recording too; is the name right?",
    ),
    "prefix": (
        "“{name}”을(를) 대사의 일부로 읽습니다. 배역이면 cast.toml에 넣으세요",
        "“{name}” is read as part of the text; if it is a character, add it to cast.toml",
    ),
    "script": ("{why}", "{why}"),
    "unused": (
        "이 녹음을 쓰는 대사가 없습니다. 대본에 빠진 줄이 없는지 보세요",
        "no line names this recording; is a line missing in the script?",
    ),
    "unreadable": (
        "녹음을 쓸 수 없습니다: {why}",
        "the recording cannot be used: {why}",
    ),
    "before_start": (
        "릴이 시작하기 {by}초 전입니다. --start를 앞당기세요",
        "it begins {by} s before the reel; give an earlier --start",
    ),
    "off_track": (
        "트랙 밖입니다 ({where}). 시간 코드나 --start를 확인하세요",
        "it lies outside the track ({where}); check its time codes, or --start",
    ),
    "no_role": (
        "배역 “{character}”이(가) 캐스팅에 없습니다. cast.toml에 넣으세요",
        "nobody is cast as “{character}”; add them to cast.toml",
    ),
    "no_voice": (
        "배역 “{character}”의 목소리를 고르지 않았습니다. cast.toml에 voice를 적으세요",
        "no voice is chosen for “{character}”; fill in its voice in cast.toml",
    ),
    "voice": ("{why}", "{why}"),
    "text": (
        "대사를 읽을 수 없습니다: {why}",
        "the text cannot be read aloud: {why}",
    ),
    "doubt": (
        "읽는 법을 확인하세요: “{text}” → “{reading}” ({why})",
        "check the reading: “{text}” → “{reading}” ({why})",
    ),
    "pace": (
        "대사와 녹음의 길이가 맞지 않습니다: {why}",
        "the text does not fit the recording's length: {why}",
    ),
    "overlap": (
        "같은 배역의 {other}와 {by}초 겹칩니다",
        "overlaps {other} of the same character by {by} s",
    ),
    "overlap_others": (
        "다른 배역의 {other}와 {by}초 겹칩니다",
        "overlaps {other} of another character by {by} s",
    ),
    "crosstalk": (
        "한 트랙에서 {other}와 {by}초 겹칩니다. 두 사람의 소리가 함께 변환됩니다",
        "overlaps {other} by {by} s on one track; both people's sound will be converted",
    ),
    "too_long": (
        "녹음이 자리보다 {by}초 깁니다",
        "the recording is {by} s longer than its slot",
    ),
    "nonverbal": (
        "말이 아닌 소리로 보고 녹음 그대로 둡니다",
        "taken for a sound without words: stays as recorded",
    ),
    "untimed": (
        "시간 코드가 없어 릴에 놓이지 않고 파일로만 나갑니다",
        "no time code: delivered as a file, not placed on the reel",
    ),
}  # fmt: skip
KINDS = tuple(_WORDS)


class Issue(NamedTuple):
    """One thing that an preflight found."""

    severity: Severity
    place: str  # row 12, or a file
    kind: str  # one of KINDS
    values: dict[str, str]

    def told(self, lang: Lang) -> str:
        """In words, with the mend."""
        return _WORDS[self.kind][lang == "en"].format(**self.values)

    def rank(self, lang: Lang) -> str:
        """Its severity, in words."""
        return _SEVERITIES[self.severity][lang == "en"]
