import pytest

from moksori.script.groups import several

KNOWN = ("하나", "두나", "김 대장", "레오-킹")


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("하나/두나", ["하나", "두나"]),
        ("하나, 두나", ["하나", "두나"]),
        ("하나，두나、세나", ["하나", "두나", "세나"]),
        ("HANA & DUNA", ["HANA", "DUNA"]),
        ("하나+두나(N)", ["하나", "두나"]),
        ("하나 및 두나", ["하나", "두나"]),
        ("Hana and Duna", ["Hana", "Duna"]),
        ("하나 외 2명", ["하나", "…"]),
        ("하나, 두나 등", ["하나", "두나", "…"]),
        ("하나와 두나", ["하나", "두나"]),
        ("하나·두나", ["하나", "두나"]),
        ("하나 두나", ["하나", "두나"]),
        *(
            (word, [word])
            for word in ("함께", "다 함께", "전원", "모두", "일동", "둘 다", "ALL", "(함께)")
        ),
    ],
)
def test_several_people_are_told(name, names):
    assert several(name, KNOWN) == names


@pytest.mark.parametrize(
    "name",
    [
        "하나",
        "김 대장",
        "레오-킹",
        "레오나르도·다빈치",
        "행인 1",
        "하나(N)",
        "하나 (어린 시절)",
        "모두까기 인형",
        "등대지기",
        "외계인",
        "사과와 배",
        "",
        "합창단장",
    ],
)
def test_one_name_is_one_person(name):
    assert several(name, KNOWN) == []


def test_whom_the_cast_has_by_that_name_is_one():
    assert several("하나/두나", (*KNOWN, "하나/두나")) == []
