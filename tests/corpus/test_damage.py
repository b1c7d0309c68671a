"""What a crash or a copy that was cut leaves of a prepared folder: told by file, in both languages."""

import json
import shutil
from types import SimpleNamespace

import pytest

from moksori.config import AudioConfig, DataConfig, VocoderTrainConfig
from moksori.corpus import emotiontts
from moksori.corpus.batches import LineData, read_speakers
from moksori.corpus.manifests import read_cuts
from moksori.corpus.prepare import prepare
from moksori.corpus.recordings import read_lists, read_rows
from moksori.corpus.segments import SegmentData
from moksori.corpus.sources import Source, read_about
from moksori.errors import CorpusError
from tests.conftest import write_corpus

VOICES = ["pfx", "pmx", "zzz"]


@pytest.fixture
def corpus(prepared, tmp_path):
    return shutil.copytree(prepared, tmp_path / "data")


def learn(folder) -> None:
    """All that a training reads."""
    read_speakers(folder, AudioConfig())
    lines = LineData(folder, VOICES, AudioConfig(), DataConfig(), 1)
    lines.check()
    lines.usual()


@pytest.mark.parametrize("name", ["audio/*/*.flac", "f0/*/*.npy", "cuts_train*", "speakers.json"])
@pytest.mark.parametrize("content", [None, b"{", b"\xff\x00junk"])
def test_a_file_that_is_gone_or_damaged_is_named(corpus, name, content):
    for path in corpus.glob(name):  # the lines of every split
        path.unlink()
        if content:
            path.write_bytes(content)
    with pytest.raises(CorpusError) as error:
        learn(corpus)
    said = error.value.say("ko")
    assert str(corpus) in said
    assert "moksori prepare" in said
    assert ("손상" in said) == (content is not None)


@pytest.mark.parametrize("split", ["train", "valid"])
@pytest.mark.parametrize("kind", ["audio", "f0"])
def test_one_damaged_line_is_found_before_a_training(corpus, split, kind):
    """One that is held out was found by the first validation, one of a vocoder's when it was drawn."""
    lines = LineData(corpus, VOICES, AudioConfig(), DataConfig(), 1)
    segments = SegmentData([corpus], VocoderTrainConfig(segment_frames=8))
    lines.check(), segments.check()
    id = next(iter(read_cuts(corpus, split))).id
    (path,) = corpus.glob(f"{kind}/*/{id}.*")
    path.write_bytes(path.read_bytes()[:-100])  # as a copy that was cut
    for data in (LineData(corpus, VOICES, AudioConfig(), DataConfig(), 1), segments):
        with pytest.raises(CorpusError, match="damaged") as error:
            data.check()
        assert str(path) in str(error.value)


def test_what_the_message_says_repairs_the_folder(tmp_path):
    """It was told to prepare again, which left a damaged file as it was."""
    source, dest = write_corpus(tmp_path / "corpus"), tmp_path / "data"

    def again() -> None:
        prepare(emotiontts.read(source), dest, "none", jobs=1)

    again()
    learnt = next(iter(read_cuts(dest, "train"))).id
    for name in (f"audio/{learnt[:3]}/{learnt}.flac", "cuts_train.jsonl.gz", "speakers.json"):
        (dest / name).write_bytes(b"junk")
        with pytest.raises(CorpusError, match="delete this file and run `moksori prepare` again"):
            learn(dest)
        (dest / name).unlink()
        again()
        learn(dest)
    (dest / "report.json").write_bytes(b"{")
    again()
    assert json.loads((dest / "report.json").read_text())["new"] == 0
    journal = dest / "journal.jsonl"
    rows = journal.read_bytes().split(b"\n")
    journal.write_bytes(b"\n".join([rows[0], b"\0\0", *rows[1:]]))
    with pytest.raises(CorpusError) as error:
        again()
    assert error.value.say("ko").startswith(f"{journal}, 2번째 줄: 손상되었습니다. 이 줄을 지우고")
    journal.write_bytes(b"\n".join(rows))
    again()


def test_a_preparing_that_was_stopped_is_told_as_such(corpus):
    (corpus / "speakers.json").unlink()
    with pytest.raises(CorpusError) as error:
        read_speakers(corpus, AudioConfig())
    assert error.value.say("ko").startswith(f"{corpus}: 준비가 끝나지 않았습니다")


def test_a_vocoder_s_folder_is_read_as_carefully(tmp_path):
    (tmp_path / "recordings.json").write_text("{}")
    with pytest.raises(CorpusError, match=r"recordings\.json: damaged"):
        read_about(tmp_path)
    with pytest.raises(CorpusError, match=r"recordings\.json: damaged"):
        Source(tmp_path, "train", VocoderTrainConfig())
    (tmp_path / "recordings.jsonl").write_bytes(b'{"id": 1}\n\xff\n')
    with pytest.raises(CorpusError, match=r"recordings\.jsonl, line 1: damaged; delete this line"):
        read_rows(tmp_path / "recordings.jsonl")
    with pytest.raises(CorpusError) as error:
        read_speakers(tmp_path, AudioConfig())
    assert "글 없는 녹음을 준비한 폴더" in error.value.say("ko")


def test_a_row_of_a_list_that_is_too_short_is_named(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("set,file,split\nx\n")
    with pytest.raises(CorpusError) as error:
        read_lists([path], {"x": "CC0"}, [])
    assert error.value.say("ko").startswith(f"{path}, 2번째 줄: “” 파일이 없습니다")


def test_nobody_s_lines_held_out_is_said_before_anything_is_written(prepared, monkeypatch):
    """As of six lines of six actors: the actor whose line is held out has no other to be learnt from."""
    rows = {"train": [("pfx", 1.0)], "valid": [("pmx", 1.0)]}

    def read_cuts(folder, split):
        for speaker, seconds in rows[split]:
            yield SimpleNamespace(supervisions=[SimpleNamespace(speaker=speaker)], duration=seconds)

    monkeypatch.setattr("moksori.corpus.batches.read_cuts", read_cuts)
    with pytest.raises(CorpusError) as error:
        LineData(prepared, ["pfx"], AudioConfig(), DataConfig(), 1).check()
    assert error.value.say("ko").startswith(
        f"{prepared}: valid에 쓸 대사가 없습니다. 배울 성우마다"
    )
    rows["valid"] = [("pfx", 99.0)]
    with pytest.raises(CorpusError, match=r"no line of at most 15 s in its split valid; raise"):
        LineData(prepared, ["pfx"], AudioConfig(), DataConfig(), 1).check()
