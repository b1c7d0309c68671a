import openpyxl
import pytest
import soundfile

from moksori.corpus.prepare import prepare
from moksori.corpus.readers import (
    read_kss,
    read_librispeech,
    read_metadata,
    read_script_corpus,
    split_of,
)
from moksori.errors import CorpusError, ScriptError
from tests.conftest import voiced_wave


def write_wave(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, voiced_wave(1.2), 22050)


def test_kss(tmp_path):
    write_wave(tmp_path / "1" / "1_0000.wav")
    (tmp_path / "transcript.v.4.txt").write_text(
        "1/1_0000.wav|3시다.|세 시다.|세 시다.|1.2|It's three.\n"
        "1/1_0001.wav|없다.|없다.|없다.|1.2|None.\n",
        encoding="utf-8",
    )
    first, second = read_kss(tmp_path)
    assert (first.id, first.speaker, first.text, first.script) == (
        "1_0000", "kss", "세 시다.", "3시다.",
    )  # fmt: skip
    assert first.problem is None
    assert second.problem.code == "corpus.no_audio"
    assert "1_0001.wav" in second.problem.say("ko")
    with pytest.raises(CorpusError, match=r"no transcript"):
        read_kss(tmp_path / "1")


def test_metadata(tmp_path):
    write_wave(tmp_path / "a" / "one.wav")
    table = tmp_path / "list.txt"
    table.write_text("a/one.wav|안녕.|하나\n", encoding="utf-8-sig")
    assert [(line.id, line.speaker) for line in read_metadata(table)] == [("one", "하나")]
    table.write_text("a/one|안녕.\n", encoding="utf-8")  # without the ending
    with pytest.raises(CorpusError, match="row 1: no third column"):
        read_metadata(table)
    (line,) = read_metadata(table, "둘")
    assert (line.speaker, line.audio) == ("둘", tmp_path / "a" / "one.wav")
    table.write_text("a/one.wav\n", encoding="utf-8")
    with pytest.raises(CorpusError, match="row 1: 1 columns, at least 2 needed"):
        read_metadata(table)
    rows = [
        "a/one.wav|가|하나",
        "",
        "c/two|나|하나",
        "b/one.wav|나|하나",
        "c/two|나|하나",
        "three|나|하나",
    ]
    table.write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(CorpusError) as error:
        read_metadata(table)
    assert "“one” (line 1, line 4), “two” (line 3, line 5); keep one" in error.value.say("en")
    assert "“one”(1번째 줄, 4번째 줄), “two”(3번째 줄, 5번째 줄)" in error.value.say("ko")


def test_librispeech(tmp_path):
    home = tmp_path / "train" / "103" / "1"
    write_wave(home / "103-1-0000.wav")
    (home / "103-1.trans.txt").write_text(
        "103-1-0000 안녕 여러분\n103-1-0001 없음\n", encoding="utf-8"
    )
    first, second = read_librispeech(tmp_path)
    assert (first.id, first.speaker, first.text) == ("103-1-0000", "103", "안녕 여러분")
    assert second.problem
    with pytest.raises(CorpusError, match=r"no \*\.trans\.txt"):
        read_librispeech(tmp_path / "none")


def test_a_show_s_script_becomes_its_actors_lines(tmp_path):
    for name in ("0001", "0002", "0009"):
        write_wave(tmp_path / "wav" / f"{name}.wav")
    book = openpyxl.Workbook()
    for row in (
        ["1화"],
        ["파일", "성우", "배역", "대사"],
        ["0001.wav", "김하나", "토끼", "안녕?"],
        ["0002", "김하나", "거북이", "빨리 와."],
        ["0003.wav", "이둘", "늑대", "어디 가?"],
        [None, "이둘", "늑대", "파일이 없다."],
    ):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    lines = {line.id: line for line in read_script_corpus(tmp_path / "a.xlsx", tmp_path / "wav")}
    assert [lines[id].speaker for id in ("0001", "0002")] == ["김하나", "김하나"]  # actors
    assert not lines["0001"].problem and not lines["0002"].problem
    assert lines["0003"].problem.code == "corpus.no_audio"
    assert lines["row 6"].problem.code == "corpus.unnamed"
    assert "6행" in lines["row 6"].problem.say("ko")
    assert lines["0009"].problem.say("en").endswith("0009.wav: no row of a.xlsx names it")
    twice = "파일,성우,대사\n0001.wav,김하나,안녕?\n0002,김하나,빨리 와.\n0001,김하나,안녕!\n"
    (tmp_path / "b.csv").write_text(twice, encoding="utf-8")
    with pytest.raises(CorpusError, match=r"“0001” \(row 2, row 4\)"):
        read_script_corpus(tmp_path / "b.csv", tmp_path / "wav")
    (tmp_path / "b.csv").write_text("대사\n안녕\n", encoding="utf-8")
    with pytest.raises(ScriptError, match="no column “파일”"):
        read_script_corpus(tmp_path / "b.csv", tmp_path / "wav")
    with pytest.raises(CorpusError) as error:  # and not each line's recording
        read_script_corpus(tmp_path / "a.xlsx", tmp_path / "wave")
    assert error.value.say("ko") == f"{tmp_path / 'wave'}: 폴더가 없습니다"


def test_one_text_of_eleven_is_for_test_whoever_speaks_it():
    texts = [f"{i}번째 문장입니다." for i in range(2000)]
    share = sum(split_of(text) == "test" for text in texts) / len(texts)
    assert abs(share - 1 / 11) < 0.02
    assert split_of("안녕  하세요 ") == split_of("안녕 하세요")


def test_what_they_read_can_be_prepared(tmp_path):
    write_wave(tmp_path / "a.wav")
    (tmp_path / "list.txt").write_text(
        "a.wav|같이 가자.|하나\nb.wav|없다.|하나\n", encoding="utf-8"
    )
    report = prepare(read_metadata(tmp_path / "list.txt"), tmp_path / "dest", "ours", valid_share=0)
    assert sum(report["speakers"]["하나"]["lines"].values()) == 1
    assert [line["id"] for line in report["rejected"]] == ["b"]
