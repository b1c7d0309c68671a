import csv
import json
import os
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from moksori.conversion import loaded
from moksori.conversion.converter import Converter
from moksori.corpus.lines import SourceLine
from moksori.errors import ConfigError, CorpusError, OutputError, TextError
from moksori.evaluation.job import COLUMNS, begin, describe, evaluate, read_results
from moksori.evaluation.judge import Judge
from moksori.evaluation.lines import (
    EvaluationLine,
    RealVoice,
    _spread,
    corpus_lines,
    read_list,
    read_voices,
)
from moksori.evaluation.report import summarise, write_report
from moksori.evaluation.voices import Voices
from moksori.messages import message
from moksori.metrics.measures import compare_f0, letters
from moksori.metrics.models import WhisperASR
from tests.conftest import DEMO, DEMO_TEXT, TEXTS, no_relpath, write_corpus


def judged(line: EvaluationLine) -> dict:
    """What a judge might say: numbers that differ from line to line."""
    if line.text == "?":
        raise TextError("nothing to say", "?")
    n = len(line.text)
    return {
        "heard": line.text, "letters": n, "errors": 1, "errors_recording": 0,
        "similarity": 0.8, "similarity_source": 0.5, "nearest_voice": line.voice,
        "nearest_voice_source": "other", "dnsmos": 3.0, "dnsmos_recording": 3.2, "dnsmos_copy": 3.1,
        "f0_correlation": 0.9, "f0_correlation_copy": 0.95, "f0_slips": 0.0, "voicing_error": 0.1,
        "voicing_error_copy": 0.1, "confidence": 0.7, "samples_off": 0, "seconds": n, "taken": n / 2,
    }  # fmt: skip


def line(id: str, text: str, voice: str = "v", **more) -> EvaluationLine:
    return EvaluationLine(id=id, recording=f"/recordings/{id}.wav", text=text, voice=voice, **more)


LINES = [line("a", "가자"), line("b", "싫어싫어", group="seen"), line("c", "?")]


def test_goes_on_where_it_was_and_tries_again_what_failed(tmp_path):
    asked = []

    def judge(line):
        asked.append(line.id)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return judged(line)

    with pytest.raises(KeyboardInterrupt):
        evaluate(LINES, judge, {"model": "1"}, tmp_path)
    assert [row["id"] for row in read_results(tmp_path / "results.csv")] == ["a"]
    rows = evaluate(LINES, judge, {"model": "1"}, tmp_path)
    assert asked == ["a", "b", "b", "c"]
    assert {row["id"]: row["problem"] for row in rows} == {
        "a": "",
        "b": "",
        "c": rows[2]["problem"],
    }
    assert "nothing to say" in rows[2]["problem"]
    evaluate(LINES, judge, {"model": "1"}, tmp_path)
    assert asked[4:] == ["c"]
    with (tmp_path / "results.csv").open(encoding="utf-8-sig") as file:
        assert tuple(csv.DictReader(file).fieldnames) == COLUMNS


def test_a_table_of_something_else_is_told_and_left_alone(tmp_path):
    """It ended in a traceback; so did one that was damaged, or saved by Excel in CP949."""
    results = tmp_path / "results.csv"
    (tmp_path / "run.json").write_text('{"model": "1"}')
    results.write_text("이름,값\n가,1\n", encoding="cp949")
    before = results.read_bytes()
    with pytest.raises(OutputError) as error:
        evaluate(LINES, judged, {"model": "1"}, tmp_path)
    assert error.value.say("ko").startswith(f"{results}: `moksori evaluate`가 쓴 표가 아닙니다")
    assert results.read_bytes() == before
    results.unlink()
    evaluate(LINES[:2], judged, {"model": "1"}, tmp_path)
    results.write_text(results.read_text(encoding="utf-8-sig"), encoding="cp949")
    assert [row["text"] for row in read_results(results)] == ["가자", "싫어싫어"]
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(OutputError, match="another model"):
        evaluate(LINES, judged, {"model": "1"}, tmp_path)


def test_a_line_s_problem_is_in_the_language_that_is_asked_for(tmp_path):
    def judge(line):
        raise TextError(message("text.not_closed", char="("), "(가", 0)

    for lang, word in (("ko", "닫히지"), ("en", "not closed")):
        [row] = evaluate(LINES[:1], judge, {}, tmp_path, lang=lang)
        assert word in row["problem"]


def test_an_asr_that_cannot_be_opened_is_told(monkeypatch):
    def refuse(*_, **__):
        raise ValueError("Invalid model size 'huge', expected one of: tiny, base")

    monkeypatch.setitem(sys.modules, "faster_whisper", SimpleNamespace(WhisperModel=refuse))
    with pytest.raises(ConfigError) as error:
        WhisperASR("huge")
    assert error.value.say("ko").startswith("음성 인식 “huge”을(를) 열 수 없습니다. base, 다른")


def test_other_lines_stay_in_the_file_and_changed_ones_are_judged_anew(tmp_path):
    evaluate(LINES[:2], judged, {}, tmp_path)
    rows = evaluate([line("a", "가자고")], judged, {}, tmp_path)
    assert [(row["id"], row["letters"]) for row in rows] == [("a", 3)]
    stored = read_results(tmp_path / "results.csv")
    assert [(row["id"], row["text"]) for row in stored] == [("b", "싫어싫어"), ("a", "가자고")]


def test_a_folder_holds_one_evaluation(tmp_path):
    evaluate(LINES, judged, {"model": "1"}, tmp_path)
    with pytest.raises(OutputError, match="another model"):
        evaluate(LINES, judged, {"model": "2"}, tmp_path)
    evaluate(LINES, judged, {"model": "1", "voices": "of a newer Moksori"}, tmp_path)
    with pytest.raises(OutputError, match="other real voices"):
        evaluate(LINES, judged, {"model": "1", "voices": "others"}, tmp_path)


def test_an_evaluation_takes_no_folder_with_other_things(tmp_path):
    (thesis := tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="holds other files"):
        begin({"model": "1"}, tmp_path)
    with pytest.raises(OutputError, match="is a file"):
        begin({"model": "1"}, thesis)
    assert [*tmp_path.iterdir()] == [thesis]
    new = tmp_path / "new"
    for model in ("1", "2"):  # the first ended before it kept anything
        begin({"model": model}, new)
        (new / "voices.npz").touch()


def test_real_voices_are_known_wherever_they_lie(tmp_path):
    converter = SimpleNamespace(
        card=SimpleNamespace(sha256="a"), vocoder_card=SimpleNamespace(sha256="b")
    )

    def told(folder, content=b"1"):
        folder.mkdir()
        for name in ("1.wav", "2.wav"):
            (folder / name).write_bytes(content)
        real = {"v": RealVoice([folder / "1.wav"], [folder / "2.wav"])}
        return describe(converter, "words", [], real)

    assert told(tmp_path / "a") == told(tmp_path / "b") != told(tmp_path / "c", b"another")


def voices() -> Voices:
    """Two voices at right angles; of three held-out lines two are identified correctly."""
    known = Voices({}, None)
    x, y = np.eye(2)
    known.centroids = {"v": x, "other": y}
    known.held = {"v": [x, x, 0.6 * x + 0.8 * y], "other": [y]}
    return known


@pytest.mark.slow
def test_an_evaluation_is_of_its_models_whatever_the_processor(monkeypatch):
    """Its folder is gone on with by a machine that multiplies otherwise, but not with another vocoder."""
    told = []
    for faster, vocoder in ((False, "wide"), (True, "wide"), (True, "fast")):
        monkeypatch.setattr(loaded, "multiplies_bfloat16", lambda faster=faster: faster)
        told.append(describe(Converter.from_pretrained(None, vocoder), "words", ["kih"]))
    assert told[0] == told[1] != told[2]
    assert {*told[0]} == {"model", "weights", "asr", "voices"}
    assert told[0]["asr"] == "words, float32"


def test_figures_of_known_rows(tmp_path):
    rows = evaluate(LINES, judged, {}, tmp_path)
    figures = {(f.name, f.group): f for f in summarise(rows, voices())}
    cer = figures["CER", "all"]
    assert (cer.lines, cer.value, cer.ceiling) == (2, 2 / 6, 0)
    assert cer.low == pytest.approx(1 / 4) and cer.high == pytest.approx(1 / 2)
    assert figures["CER", "seen"].value == 1 / 4
    assert np.isnan(figures["CER", "seen"].low)  # one line has no interval
    similarity = figures["speaker similarity", "all"]
    assert similarity.ceiling == pytest.approx((1 + 1 + 0.6) / 3)
    assert (similarity.value, similarity.floor) == pytest.approx((0.8, 0.5))
    gap = figures["similarity gap closed", "all"]
    assert gap.value == pytest.approx(0.3 / (similarity.ceiling - 0.5))
    named = figures["speaker identification accuracy", "all"]
    assert (named.value, named.ceiling, named.floor) == pytest.approx((1, 2 / 3, 0))
    assert figures["time, of the line's length", "all"].value == 0.5
    assert ("MCD to the target's own, dB", "all") not in figures  # nothing to compare with


def test_no_figure_is_a_ceiling_alone(tmp_path):
    """Without real voices, and of actors with a line each, there were rows that held nothing else."""
    effort = {
        f"{x}{of}": -20.0 for x in ("alpha_ratio", "hammarberg", "hnr") for of in ("", "_source")
    }
    lines = [line("a", "가자", actor="김"), line("b", "싫어", actor="이")]
    rows = evaluate(lines, lambda line: judged(line) | effort | {"actor": line.actor}, {}, tmp_path)
    figures = {figure.code: figure for figure in summarise(rows, Voices({}, None))}
    assert not [code for code, figure in figures.items() if np.isnan(figure.value)]
    assert {"cer", "similarity"} < figures.keys()
    assert not {"gap_closed", "alpha_ratio_correlation", "hnr_spread"} & figures.keys()
    assert figures["similarity"].say_of("ko") == ""  # nothing stands before it
    assert figures["cer"].say_of("ko") == "녹음"


def test_a_whisper_does_not_take_the_others_figure(tmp_path):
    """Its F0 cannot be compared; before, the mean of all lines was then nothing."""

    def whispered(line):
        followed = compare_f0(np.zeros(9), np.zeros(9))
        unknown = {"f0_correlation": followed.correlation, "f0_slips": followed.octave_errors}
        return judged(line) | (unknown if line.id == "b" else {})

    rows = evaluate(LINES, whispered, {}, tmp_path)
    figures = {(f.name, f.group): f for f in summarise(rows, voices())}
    melody = figures["F0 correlation", "all"]
    assert (melody.lines, melody.value) == (1, 0.9)
    assert ("F0 correlation", "seen") not in figures
    assert figures["voicing error", "all"].lines == 2
    write_report(rows, summarise(rows, voices()), tmp_path, "a")


def test_the_page_has_every_line_and_says_what_failed(tmp_path):
    rows = evaluate([*LINES, line("<d>", "안녕")], judged, {}, tmp_path)
    page = write_report(rows, summarise(rows, voices()), tmp_path, "a & b").read_text("utf-8")
    assert page.count("<audio") == 4 + 3  # the failed line has its recording only
    assert "nothing to say" in page
    assert "&lt;d&gt;" in page and "a &amp; b" in page
    assert (tmp_path / "figures.png").stat().st_size > 10_000
    summary = json.loads((tmp_path / "summary.json").read_text("utf-8"))
    assert {"name", "value", "low", "high", "ceiling"} <= summary[0].keys()


def test_page_and_figures_are_in_korean_for_those_who_read_it(tmp_path):
    lines = [line("a", "가자", group="unseen"), line("b", "싫어", group="주연")]
    rows = evaluate(lines, judged, {}, tmp_path)
    figures = summarise(rows, voices())
    page = write_report(rows, figures, tmp_path, "목록.csv", "ko").read_text("utf-8")
    assert '<html lang="ko">' in page and "목록.csv: 변환 2개" in page
    for said in ("글자 오류율(CER)", "화자 유사도", "학습하지 않은 화자", "주연", "보코더의 사본"):
        assert said in page
    shown = re.sub(r"<style>.*?</style>|<[^>]*>|audio/\S+", " ", page, flags=re.DOTALL)
    assert not re.findall(r"\b[a-z]{3,}\b", shown.replace("목록.csv", ""))
    names = [entry["name"] for entry in json.loads((tmp_path / "summary.json").read_text("utf-8"))]
    assert names[:2] == ["CER", "speaker similarity"]  # for programs


def test_the_page_finds_recordings_on_another_drive(tmp_path, monkeypatch):
    monkeypatch.setattr("os.path.relpath", no_relpath)
    rows = evaluate([line("가", "가자")], judged, {}, tmp_path)
    page = write_report(rows, summarise(rows, voices()), tmp_path, "a").read_text("utf-8")
    assert 'src="file:///recordings/%EA%B0%80.wav"' in page


def test_the_page_has_a_line_without_words(tmp_path):
    """Of it only voice and envelope are measured."""
    measured = {"similarity": 0.6, "similarity_source": 0.5, "envelope_correlation": 0.98}
    rows = evaluate([line("laugh", "(웃음)")], lambda _: dict(measured), {}, tmp_path)
    page = write_report(rows, summarise(rows, voices()), tmp_path, "a").read_text("utf-8")
    assert "(웃음)" in page and "0.600" in page


@pytest.mark.slow
def test_directions_are_no_words_that_were_not_heard(tmp_path):
    class Hears:
        def transcribe(self, wave, sample_rate):
            return DEMO_TEXT

    pytest.importorskip("speechmos")
    asked = EvaluationLine(
        id="a", recording=DEMO, text=f"(놀라며) {DEMO_TEXT} ㅋㅋㅋ [퇴장]", voice="lmy"
    )
    row = Judge(Converter.from_pretrained(), Hears(), Voices({}, None), tmp_path, [asked])(asked)
    assert (row["errors"], row["errors_recording"]) == (0, 0)
    assert row["letters"] == len(letters(DEMO_TEXT))


def test_a_list_is_read_with_korean_headers_and_its_own_paths(tmp_path):
    (tmp_path / "녹음").mkdir()
    for name in ("1.wav", "2.wav"):
        (tmp_path / "녹음" / name).touch()
    path = tmp_path / "lines.csv"
    path.write_text(
        "\ufeff파일,대사,목소리,원본\n녹음/1.wav,가자,lmy,녹음/2.wav\n", encoding="utf-8"
    )
    [only] = read_list(path)
    assert only == EvaluationLine(
        id="1", recording=tmp_path / "녹음/1.wav", text="가자", voice="lmy", group="all",
        own=tmp_path / "녹음/2.wav",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("recording,voice\n1.wav,lmy\n", "called one of: text, line, 대사"),
        ("recording,text,voice\n1.wav,,lmy\n", "line 2: no text"),
        ("recording,text,voice\n3.wav,가자,lmy\n", "line 2: .*3.wav is not there"),
        (
            "recording,text,voice\n1.wav,가자,lmy\n1.wav,가자,lmy\n",
            "line 3: 1 to lmy is there twice",
        ),
        ("recording,text,voice\n", "no lines"),
    ],
)
def test_faults_of_a_list_name_the_line(tmp_path, text, problem):
    (tmp_path / "1.wav").touch()
    path = tmp_path / "lines.csv"
    path.write_text(text)
    with pytest.raises(CorpusError, match=problem):
        read_list(path)


def test_a_corpus_gives_test_lines_their_target_s_own_and_real_voices(tmp_path):
    corpus = write_corpus(tmp_path / "corpus")
    rows = (corpus / "splits.csv").read_text().replace("zzz,train", "zzz,test")
    (corpus / "splits.csv").write_text(rows)
    lines, real = corpus_lines(corpus, ["pfx", "pmx"], unseen=2, seen=9)
    found = {(line.id, line.voice): line for line in lines}
    assert {key for key, line in found.items() if line.group == "seen"} == {
        ("pfx00003", "pmx"), ("pmx00003", "pfx"),
    }  # fmt: skip
    assert {line.id for line in lines if line.group == "unseen"} == {"zzz00000", "zzz00001"}
    assert found["pfx00003", "pmx"].own.stem == "pmx00003"  # the same text
    assert found["zzz00000", "pmx"].own is None  # its own recording was trained on
    assert found["pfx00003", "pmx"].text == TEXTS[3]
    assert real.keys() == {"pfx", "pmx"}
    assert (len(real["pfx"].fit), len(real["pfx"].held)) == (3, 1)
    with pytest.raises(CorpusError, match="no training lines of “zzz”"):
        corpus_lines(corpus, ["zzz"], 1, 1)


def test_lines_are_spread_over_texts_and_then_over_speakers(tmp_path):
    """Four speakers of the same four texts: the first four lines have four texts, and four speakers."""
    several = [
        SourceLine(
            id=f"{name}{i}",
            speaker=name,
            text=text,
            script=text,
            audio=tmp_path / "a.wav",
            split="test",
            sex=None,
        )
        for name in "abcd"
        for i, text in enumerate(TEXTS[:4])
    ]
    own = {name: {"test": [s for s in several if s.speaker == name]} for name in "abcd"}
    chosen = _spread(own, set("abcd"), seen=True)
    assert len(chosen) == 16
    for first in range(0, 16, 4):
        part = chosen[first : first + 4]
        assert len({line.text for line in part}) == 4
        assert len({line.speaker for line in part}) == 4


def test_real_voices_of_folders_hold_some_recordings_out(tmp_path):
    for i in range(9):
        path = tmp_path / "lmy" / f"{i}.wav"
        path.parent.mkdir(exist_ok=True)
        path.touch()
        path.with_name(f"._{path.name}").touch()  # as a Mac leaves them
    assert {name: (len(v.fit), len(v.held)) for name, v in read_voices(tmp_path).items()} == {
        "lmy": (7, 2)
    }
    with pytest.raises(CorpusError, match="two or more"):
        read_voices(tmp_path / "lmy")


def test_embeddings_are_kept(tmp_path, monkeypatch):
    heard = []

    def embedding(recording):
        heard.append(recording)
        return np.array([1.0, len(heard)])

    monkeypatch.setattr("moksori.evaluation.voices.embed", embedding)
    monkeypatch.setattr("moksori.evaluation.voices.audio.read", lambda path: path.name)
    paths = [tmp_path / name for name in "123"]
    for path in paths:
        path.touch()
    real = {"v": RealVoice(paths[:2], paths[2:])}
    for _ in range(2):
        voices = Voices(real, tmp_path / "voices.npz")
        voices.embed(lambda steps, total: steps)
    assert heard == ["1", "2", "3"]
    assert voices.held["v"][0].tolist() == [1, 3]
    assert np.linalg.norm(voices.centroids["v"]) == pytest.approx(1)
    os.utime(paths[1], (0, 0))  # another recording by now
    voices.embed(lambda steps, total: steps)
    assert heard[3:] == ["2"]
    (tmp_path / "voices.npz").write_bytes((tmp_path / "voices.npz").read_bytes()[:100])  # was cut
    voices.embed(lambda steps, total: steps)
    assert sorted(heard[4:]) == ["1", "2", "3"]


def test_effort_is_compared_within_an_actor_and_a_voice(tmp_path):
    """Two actors, one much louder of voice than the other: only how each one's lines differ counts."""
    levels = {"a": -20.0, "b": -18.0, "c": -10.0, "d": -6.0}
    lines = [line(id, id, actor="kim" if id in "ab" else "lee") for id in levels]

    def judge(line):
        source = levels[line.id]
        own = {f"{x}_source": source for x in ("alpha_ratio", "hammarberg", "hnr")}
        made = -30 + 0.1 * source  # a tenth of the difference is left
        return (
            judged(line)
            | own
            | dict.fromkeys(("alpha_ratio", "hammarberg", "hnr"), made)
            | {"actor": line.actor}
        )

    figures = {f.name: f for f in summarise(evaluate(lines, judge, {}, tmp_path), voices())}
    assert figures["alpha ratio by actor, correlation"].value == pytest.approx(1)
    assert figures["alpha ratio by actor, ratio of spreads"].value == pytest.approx(0.1)
