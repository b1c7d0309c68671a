import pytest

from moksori.corpus import emotiontts
from moksori.errors import CorpusError
from tests.conftest import TEXTS, write_corpus


@pytest.fixture
def source(tmp_path):
    return write_corpus(tmp_path / "corpus")


def by_id(source):
    return {line.id: line for line in emotiontts.read(source)}


def test_reads_text_speaker_split_and_sex(source):
    lines = by_id(source)
    assert len(lines) == 12
    line = lines["pfx00003"]
    assert (line.text, line.script, line.speaker, line.split) == (TEXTS[3], TEXTS[3], "pfx", "test")
    assert line.audio.name == "pfx00003.wav"
    assert [lines[f"{name}00000"].sex for name in ("pfx", "pmx", "zzz")] == ["female", "male", None]
    assert not any(line.problem for line in lines.values())


def test_every_unusable_line_says_why(source):
    home = source / "Set" / "pfx"
    (home / "wav" / "pfx00000.wav").unlink()
    (home / "transcript" / "pfx00001.txt").unlink()
    (home / "transcript" / "pfx00002.txt").write_bytes(b"\xff\xff")
    (home / "transcript" / "pmx.txt").write_text("남의 글")
    (source / "Set" / "pmx" / "transcript" / "pmx00000.txt").write_text("\ufeff \r\n")
    with (source / "splits.csv").open("a") as file:
        file.write("gone00001,gone,train\n")
    problems = {id: line.problem for id, line in by_id(source).items() if line.problem}
    assert {id: problem.code for id, problem in problems.items()} == {
        "pfx00000": "corpus.no_audio",
        "pfx00001": "corpus.no_transcript",
        "pfx00002": "file.encoding",
        "pmx": "corpus.not_listed",
        "pmx00000": "corpus.textless",
        "gone00001": "corpus.only_listed",
    }


def test_without_splits_all_lines_are_for_training(source):
    (source / "splits.csv").unlink()
    assert {line.split for line in emotiontts.read(source)} == {"train"}


@pytest.mark.parametrize(
    ("text", "message"),
    [("id,name,split\n", "first line"), ("id,speaker,split\na,b,dev\n", "line 2: split “dev”")],
)
def test_a_wrong_splits_file_is_named_with_its_line(source, text, message):
    (source / "splits.csv").write_text(text)
    with pytest.raises(CorpusError, match=message):
        emotiontts.read(source)


def test_a_line_that_is_there_twice_is_told_not_replaced(source):
    extra = source / "Set" / "pfx" / "wav" / "pfx00000.flac"
    extra.write_bytes(b"x")
    with pytest.raises(CorpusError, match="keep one of them"):
        emotiontts.read(source)
    extra.unlink()
    (source / "Other" / "pfy" / "transcript").mkdir(parents=True)
    (source / "Other" / "pfy" / "transcript" / "pfx00000.txt").write_text("안녕")
    folders = rf"“pfx00000” \({source}/Other/pfy, {source}/Set/pfx\)"
    with pytest.raises(CorpusError, match=f"more than once: {folders}; keep one"):
        emotiontts.read(source)


def test_a_line_that_splits_csv_has_twice_is_told_and_the_last_row_does_not_win(source):
    with (source / "splits.csv").open("a", encoding="utf-8") as file:
        file.write("pfx00000,pfx,train\npfx00000,pfx,test\n")
    with pytest.raises(CorpusError, match=r"splits\.csv: .*“pfx00000” \(line \d+, line \d+"):
        emotiontts.read(source)


def test_a_folder_that_is_no_corpus(tmp_path):
    with pytest.raises(CorpusError, match="no such folder"):
        emotiontts.read(tmp_path / "no")
    with pytest.raises(CorpusError, match="wav"):
        emotiontts.read(tmp_path)


def test_the_real_corpus(shared):
    lines = emotiontts.read(shared / "corpus" / "emotiontts")
    assert len(lines) == 1100
    assert len({line.speaker for line in lines}) == 36
    assert not [line for line in lines if line.problem]
    assert sum(line.split == "train" for line in lines) == 952
