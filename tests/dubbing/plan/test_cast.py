import tomllib
import unicodedata

import pytest
from typer.testing import CliRunner

from moksori.cli import app
from moksori.conversion.card import load_card
from moksori.dubbing.plan.cast import Cast, first_cast, names_of_several, read_cast, set_role
from moksori.dubbing.records import Role
from moksori.errors import ConfigError
from moksori.script.line import Line, Place
from moksori.weights import MODEL

LINES = [
    Line(Place("row", 1), "가", character="하나", actor="김"),
    Line(Place("row", 2), "나", character='둘 "작은"', actor="이"),
    Line(Place("row", 3), "다", character="하나", actor="박"),
    Line(Place("row", 4), "라"),
]
VOICES = load_card(MODEL).voices


def test_a_first_cast_has_every_character_and_reads_back(tmp_path):
    path = tmp_path / "cast.toml"
    path.write_text(first_cast(LINES, VOICES), encoding="utf-8")
    cast = read_cast(path)
    assert [*cast.characters] == ["하나", '둘 "작은"']
    assert cast.default is not None  # for the line without a character
    text = path.read_text(encoding="utf-8")
    assert "김·박" in text
    assert all(voice.name in text for voice in VOICES)


def test_characters_that_are_several_people_are_told(tmp_path):
    names = ("하나", "네오", "하나/네오", "일동", "하나와 네오", "하나와", "대한 독립")
    lines = [Line(Place("row", 1), "가", character=name) for name in names]
    assert names_of_several(lines) == ["하나/네오", "일동", "하나와 네오"]
    assert first_cast(lines, VOICES).count("several people") == 3
    script = tmp_path / "a.csv"
    script.write_text("배역,대사\n" + "".join(f"{name},그래\n" for name in names), encoding="utf-8")
    arguments = ["cast", str(script), "-o", str(tmp_path / "cast.toml"), "--lang", "ko"]
    shown = CliRunner().invoke(app, arguments)
    assert "“하나/네오”, “일동”, “하나와 네오”" in " ".join(shown.output.split())


def test_an_existing_cast_gets_only_what_it_lacks():
    known = Cast.model_validate(
        {"characters": {"하나": {"voice": "lmy"}}, "default": {"voice": "kih"}}
    )
    new = tomllib.loads(first_cast(LINES, VOICES, known))
    assert [*new] == ["characters"]
    assert [*new["characters"]] == ['둘 "작은"']
    whole = Cast.model_validate({"characters": {"하나": {}, '둘 "작은"': {}}, "default": {}})
    assert not first_cast(LINES, VOICES, whole).strip()


def test_a_mac_s_name_is_the_same_name():
    cast = Cast.model_validate(
        {"characters": {unicodedata.normalize("NFD", "하나"): {"voice": "a"}}}
    )
    assert cast.role("하나") == cast.role(unicodedata.normalize("NFD", "하나"))
    assert cast.role("하나").voice == "a"


def test_a_role_is_the_character_s_or_the_default():
    cast = Cast.model_validate({"characters": {"하나": {"voice": "lmy"}}})
    assert cast.role("하나").voice == "lmy"
    assert cast.role("둘") is None
    assert Cast.model_validate({"default": {"pass": True}}).role("둘").as_recorded


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "moksori cast SCRIPT"),
        ("[characters", "not valid TOML"),
        ('[characters."하나"]\nvoise = "lmy"', "unknown key “characters.하나.voise”"),
        ('[characters."하나"]\npitch = 13', "characters.하나.pitch"),
        ('[characters."하나"]\npitch = "high"', "characters.하나.pitch"),
        ('[characters."하나"]\ngain = 100', "characters.하나.gain"),
        ('[characters."하나"]\npass = "maybe"', "characters.하나.pass"),
        ('[characters."하나"]\nnonverbal = "drop"', "characters.하나.nonverbal"),
        ('"하나" = "lmy"', "unknown key “하나”"),
        ('[characters.하나]\nvoice = "lmy"', '[characters."NAME"]'),
        ('characters = "lmy"', "characters"),
        ('[characters."하나"]\nvoice="a"\n[characters."하나"]\nvoice="b"', "not valid TOML"),
        (b"\xff\xfe\x00", "save it as UTF-8"),
        (
            '[characters."\u1112\u1161"]\n[characters."\ud558"]\n',
            "two characters have the same name",
        ),
    ],
)
def test_a_cast_that_cannot_be_is_told(tmp_path, content, message):
    path = tmp_path / "cast.toml"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"cast\.toml") as error:
        read_cast(path)
    assert message in str(error.value)


def test_a_role_goes_into_any_cast_that_can_be_read_and_into_no_other(tmp_path):
    path = tmp_path / "cast.toml"
    path.write_bytes('[characters."하나"]\nvoice = "lmy"  # 주인공\n'.encode("cp949"))
    set_role(path, "하나", pitch=2.0)
    assert read_cast(path).role("하나") == Role(voice="lmy", pitch=2.0)
    assert "# 주인공" in path.read_text("utf-8")
    path.write_text("[characters.하나]\nvoice = \n", "utf-8")  # half edited, without quotes
    with pytest.raises(ConfigError, match=r"cast\.toml"):
        set_role(path, "하나", voice="kih")
