import pickle
import re
import string
from pathlib import Path

import pytest

from moksori.errors import AudioError, TextError
from moksori.messages import Message, codes, message, say
from moksori.script.line import Place

SOURCE = Path(__file__).parents[1] / "src" / "moksori"


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_are_there_with_the_same_values():
    for code, texts in codes().items():
        assert set(texts) == {"ko", "en"}, code
        assert fields(texts["ko"]) == fields(texts["en"]), code


def test_korean_messages_are_korean():
    for code, texts in codes().items():
        if re.search(r"[a-z]{3}", re.sub(r"\{[^}]*}", "", texts["en"])):
            assert re.search("[가-힣]", texts["ko"]), code


def test_every_code_of_the_source_is_in_the_catalogue_and_used():
    source = "".join(path.read_text() for path in SOURCE.rglob("*.py"))
    source += "".join(path.read_text() for path in SOURCE.rglob("*.j2"))
    for code in re.findall(r'(?:(?<!\.)\bsay|\bmessage|\.of)\(\s*"([a-z_.]+)"', source):
        assert code in codes() or code.endswith("."), code
    built = (
        "issues.",
        "sort.",
        "level.",
        "issue.",
        "severity.",
        "reason.",
        "value.",
        "text.fix.",
        "place.",
        "time.",
        "doubt.",
        "mark.",
        "cli.text.",
        "column.",
        "slip.",
    )
    for code in codes():
        used = f'"{code}"' in source or f"'{code}'" in source or code.startswith(built)
        assert used, code


def test_a_message_within_a_message_is_said_in_the_same_language():
    why = message("audio.below", limit=-60.0)
    error = AudioError.of("audio.silent", name=message("audio.recording"), why=why)
    assert str(error) == "the recording: the recording is silent (peak below -60 dBFS)"
    assert error.say("ko") == "녹음: 소리가 없는 녹음입니다 (최고 음량이 -60 dBFS보다 작습니다)"
    other = message("issue.overlap", other=Place("row", 3, "1화").message, by="0.20", more="")
    assert "1화 3행" in other.say("ko")
    assert "1화 row 3" in other.say("en")


def test_a_message_can_be_kept_and_sent():
    error = TextError(message("text.not_closed", char="("), "(웃음", 0)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.line, again.offset) == (str(error), "(웃음", 0)
    assert again.say("ko") == error.say("ko")
    kept = Message.load(error.message.dump())
    assert kept == error.message
    assert Message.load("an older job's words").say("ko") == "an older job's words"
    assert str(AudioError("plain words")) == AudioError("plain words").say("ko") == "plain words"


def test_an_unknown_code_or_a_missing_value_is_an_error():
    with pytest.raises(KeyError):
        say("no.such.code", "ko")
    with pytest.raises(KeyError):
        say("audio.missing", "ko")
