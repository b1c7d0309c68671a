"""Decoding of sounds against brute force; words said otherwise, in a posterior made of a text."""

import itertools

import numpy as np
import pytest

from moksori.alignment import hearing
from moksori.alignment.chain import Chain
from moksori.alignment.hearing import differences, free, said
from moksori.text import read
from moksori.text.sounds import SILENT, SOUNDS, sound_of, to_hangul, to_phones

TEXT = "그 날은 목요일이네요. 알람을 맞춰놓을까요?"
EVEN = np.full((len(SOUNDS), len(SOUNDS)), -np.log(len(SOUNDS)))


def recording_of(text: str, frames: int = 4) -> np.ndarray:
    """A log posterior in which each sound of a text is heard for some frames, 70% sure."""
    path = np.repeat(Chain.of(read(text).phones).sounds, frames)
    posterior = np.full((len(path), len(SOUNDS)), 0.3 / (len(SOUNDS) - 1))
    posterior[np.arange(len(path)), path] = 0.7
    return np.log(posterior)


def test_free_decoding_is_the_best_of_all_paths():
    chance = np.random.default_rng(0)
    for _ in range(20):
        posterior = np.log(chance.dirichlet(np.ones(4), 5))
        transitions = np.log(chance.dirichlet(np.ones(4), 4))

        def score(path, posterior=posterior, transitions=transitions):
            heard = sum(hearing.ACOUSTIC * posterior[t, s] for t, s in enumerate(path))
            pairs = itertools.pairwise((SILENT, *path))
            return heard + sum(hearing.LANGUAGE * transitions[a, b] for a, b in pairs if a != b)

        best = max(itertools.product(range(4), repeat=5), key=score)
        assert tuple(free(posterior, transitions)) == best


def test_the_text_s_score_is_that_of_its_best_path():
    chance = np.random.default_rng(1)
    phones = read("아 나").phones
    chain = Chain.of(phones)
    posterior = np.log(chance.dirichlet(np.ones(len(SOUNDS)), 6))
    scores = hearing.acoustic(posterior)[:, chain.sounds]

    def goes(path):
        if path[0] > 1 or path[-1] < len(chain.sounds) - 2:
            return False
        return all(
            b - a in (0, 1) or (b - a == 2 and chain.sounds[a + 1] == SILENT)
            for a, b in itertools.pairwise(path)
        )

    paths = filter(goes, itertools.product(range(len(chain.sounds)), repeat=6))
    best = max(sum(scores[t, i] for t, i in enumerate(path)) for path in paths)
    assert hearing.text_score(posterior, chain) == pytest.approx(best)


def test_a_text_is_a_chain_with_silences_between_its_words():
    chain = Chain.of(read("네, 알아요.").phones)
    assert [SOUNDS[s][0] for s in chain.sounds] == [*" 네 ᅡ라ᅭ "]
    assert [*chain.words] == [0, 0, 0, 1, 1, 1, 1, 1, 1]


def test_frames_that_are_not_looked_at_change_nothing(monkeypatch):
    chance, phones = np.random.default_rng(2), read("네, 아 나무. 알아요").phones
    transitions = np.log(chance.dirichlet(np.ones(len(SOUNDS)), len(SOUNDS)))
    posteriors = [recording_of("네, 아 나무. 알아요", frames) for frames in (1, 2, 3, 5)]
    for frames in (1, 2, *range(8, 18), 30, 40):  # 12 states, of which three may be left out
        heard = chance.dirichlet(np.full(len(SOUNDS), 0.1), frames)
        posteriors.append(np.log(heard + 1e-9))
    quick = [differences(posterior, transitions, phones) for posterior in posteriors]
    within = hearing._worth
    monkeypatch.setattr(hearing, "_worth", lambda *given: np.ones_like(within(*given)))
    assert quick == [differences(posterior, transitions, phones) for posterior in posteriors]
    assert sum(map(bool, quick)) > len(quick) / 2


def test_what_is_said_as_written_differs_in_no_word():
    found = differences(recording_of(TEXT), EVEN, read(TEXT).phones)
    assert [d.word for d in found] == [0, 1, 2, 3, 4]
    assert all(d.gain < 0 for d in found)


@pytest.mark.parametrize(
    ("said_instead", "word", "heard"),
    [
        ("그 날은 금요일이네요. 알람을 맞춰놓을까요?", 2, "그묘이리네요"),
        ("그 날은 목요일이네요. 방송을 맞춰놓을까요?", 3, "방송을"),
        ("그 날은 목요일이네요. 맞춰놓을까요?", 3, ""),
        ("그 날은 정말 목요일이네요. 알람을 맞춰놓을까요?", 2, "정말 모교이리네요"),
        ("그 날은 목요일이네요. 알람을 맞춰놓을까요 좋아", 4, "맏춰노을까요 조아"),
    ],
)
def test_the_word_that_was_said_otherwise_is_found_and_heard(said_instead, word, heard):
    found = differences(recording_of(said_instead), EVEN, read(TEXT).phones)
    worst = max(found, key=lambda d: d.gain)
    assert worst.gain > 3
    assert worst.word == word
    assert worst.heard in (heard, heard + "요")  # the text's own end may be heard in it
    where = recording_of(said_instead).shape[0]
    assert 0 <= worst.begin < worst.end <= where


def test_a_recording_shorter_than_the_text_has_no_differences():
    assert differences(recording_of("아")[:3], EVEN, read(TEXT).phones) == []


def test_sounds_are_written_as_they_would_be_heard():
    sounds = [s for p in read("왼쪽으로 가요?").phones if (s := sound_of(p)) is not None]
    assert to_hangul(said(np.array(sounds))) == "왠쪼그로 가요"
    for text in ("물", "안녕하세요", "읽다"):  # what is read again gives the same sounds
        own = [s for p in read(text).phones if (s := sound_of(p))]
        again = [s for p in to_phones(own) if (s := sound_of(p))]
        assert again == own
    assert to_hangul([sound_of("ᄀ"), sound_of("ᆨ")]) == "극"  # what is no syllable gets a vowel
    assert to_hangul([]) == ""
