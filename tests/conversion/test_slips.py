"""One-word slips by a recogniser that hears perfectly, and what whisper adds."""

import numpy as np
import pytest

from moksori.alignment.alignment import Alignment
from moksori.alignment.chain import Chain
from moksori.conversion import slips
from moksori.conversion.slips import heard_words, whisper, worst_slip
from moksori.signal import audio
from moksori.text import read
from moksori.text.front_end import KOREAN
from tests.alignment.test_hearing import EVEN, TEXT, recording_of
from tests.conftest import DEMO


class Hears:
    """A listener for whom a text is said."""

    transitions = EVEN

    def __init__(self, text: str) -> None:
        self.heard = recording_of(text)

    def posterior(self, mel):
        return self.heard


def aligned(text: str) -> list:
    reading = read(text)
    weights = np.ones((5, len(reading.phones)))
    words = tuple(word.strip(".,?!") for word in reading.normalized.split())
    alignment = Alignment(
        weights=weights,
        posterior=weights,
        phones=reading.phones,
        frame=0.01,
        begin=1.0,
        words=words,
    )
    return [(np.zeros((5, 80), np.float32), alignment)]


@pytest.mark.parametrize(
    ("said", "kind", "word", "heard"),
    [
        ("그 날은 금요일이네요. 알람을 맞춰놓을까요?", "other", "목요일이네요", "그묘이리네요"),
        ("그 날은 목요일이네요. 맞춰놓을까요?", "missing", "알람을", ""),
        ("그 날은 정말 목요일이네요. 알람을 맞춰놓을까요?", "added", "목요일이네요", "정말"),
    ],
)
def test_what_was_said_is_named(said, kind, word, heard):
    slip = worst_slip(aligned(TEXT), Hears(said), KOREAN)
    assert slip[:3] == (kind, word, heard)
    assert slip.gain > worst_slip(aligned(TEXT), Hears(TEXT), KOREAN).gain + 3
    assert 1.0 < slip.begin < slip.end < 1.0 + 0.01 * len(recording_of(said))


def test_whisper_acquits_what_it_hears_as_written_and_suspects_what_it_does_not():
    said = "그 날은 금요일이네요. 알람을 맞춰놓을까요?"
    alone = worst_slip(aligned(TEXT), Hears(said), KOREAN).gain
    same = worst_slip(aligned(TEXT), Hears(said), KOREAN, lambda: said)
    assert same.word == "목요일이네요"
    assert same.gain > slips.LIMIT
    assert worst_slip(aligned(TEXT), Hears(said), KOREAN, lambda: TEXT).gain < alone
    unreadable = worst_slip(aligned(TEXT), Hears(said), KOREAN, lambda: "(웃음")
    assert unreadable.gain == alone


def test_whisper_is_not_asked_where_there_is_no_doubt():
    def ask():
        raise AssertionError("asked")

    assert worst_slip(aligned(TEXT), Hears(TEXT), KOREAN, ask).gain < slips.LIMIT


def test_the_words_that_a_transcript_has_otherwise():
    phones = read("오늘은 목요일 입니다.").phones
    found = heard_words(phones, "오늘은 금요일입니다", KOREAN)
    own = [Chain.of(phones).word(word) for word in range(3)]
    assert [list(word.sounds) == mine for word, mine in zip(found, own, strict=True)] == [
        True, False, True,
    ]  # fmt: skip
    assert found[1].spelled == "금요일입니다"
    assert heard_words(read("네.").phones, "", KOREAN) is None


def test_a_slip_that_whisper_heard_is_spelled_as_whisper_does():
    said = "그 날은 금요일이네요. 알람을 맞춰놓을까요?"
    assert worst_slip(aligned(TEXT), Hears(said), KOREAN, lambda: said).heard == "금요일이네요"


def test_without_room_for_whisper_the_recogniser_judges_alone(monkeypatch):
    def fails():
        raise OSError("no space left on device")

    monkeypatch.setattr(slips, "_whisper", fails)
    monkeypatch.setattr(slips, "find_spec", lambda name: name)
    assert whisper(audio.read(DEMO))() == ""


@pytest.mark.slow
def test_whisper_hears_a_recording_where_it_is_installed():
    ask = whisper(audio.read(DEMO))
    if ask is None:
        pytest.skip("faster-whisper is not installed")
    assert any("가" <= char <= "힣" for char in ask())
