"""What is no TOML is told by its row, and by what is often meant there."""

import pytest

from moksori.dubbing.plan.cast import read_cast
from moksori.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "row", "line", "korean", "english"),
    [
        ("[default]\nvoice = “lmy”", 2, "voice = “lmy”", "둥근 따옴표(“ ”)를 곧은 따옴표(\")로 바꾸세요",
         'put straight quotation marks (") for the curly ones (“ ”)'),
        ("[characters.“여름”]\n", 1, "[characters.“여름”]", "둥근 따옴표(“ ”)를", "for the curly ones"),
        ("[default]\nvoice=lmy  # 주인공", 2, "voice=lmy  # 주인공", '글은 따옴표로 묶으세요: voice = "lmy"',
         'put text in quotation marks: voice = "lmy"'),
        ("[default]\npitch = +2,0\n", 2, "pitch = +2,0", "점으로 씁니다: pitch = +2.0",
         "a point, not a comma: pitch = +2.0"),
        ("[characters.하나]\n", 1, "[characters.하나]", "한글 이름은 따옴표로 묶습니다", "in Hangul"),
        ("[characters]\n하나.voice = 'lmy'", 2, "하나.voice = 'lmy'", "한글 이름은 따옴표로 묶습니다",
         "in Hangul"),
        ('[characters."여름"]\nvoice = "a"\n\n[ characters.\'여름\' ]  # “또”\nvoice = "b"', 4,
         "[ characters.'여름' ]  # “또”", "배역 “여름”이 1번째 줄과 4번째 줄에 두 번 있습니다",
         "the character “여름” is there twice, in line 1 and in line 4"),
        ('[default]\nvoice = "a"\npitch = 1\nvoice = "b"', 4, 'voice = "b"',
         "“voice”이(가) 2번째 줄과 4번째 줄에", "“voice” is there twice"),
    ],
)  # fmt: skip
def test_the_row_and_what_is_meant_are_said(tmp_path, text, row, line, korean, english):
    path = tmp_path / "cast.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        read_cast(path)
    said = " ".join(line.split())
    start = f"{path}: {row}번째 줄이 TOML 문법에 맞지 않습니다: `{said}`. "
    assert error.value.say("ko").startswith(start) and korean in error.value.say("ko")
    start = f"{path}: line {row} is not valid TOML: `{said}`; "
    assert error.value.say("en").startswith(start) and english in error.value.say("en")


@pytest.mark.parametrize(
    "line", ["[default", "[default]]", "voice =", 'voice = "lmy', "pass = True", "= 3"]
)
def test_what_is_not_known_is_not_guessed(tmp_path, line):
    path = tmp_path / "cast.toml"
    path.write_text(f'["actors"."하나"]\nf0 = 200\n{line}\n\n', encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        read_cast(path)
    assert (
        error.value.say("ko") == f"{path}: 3번째 줄이 TOML 문법에 맞지 않습니다: `{line.strip()}`"
    )
