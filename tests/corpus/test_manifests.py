"""What a corpus from elsewhere may not do: run a command, read or write outside its folder."""

import gzip
import json
import shutil

import pytest
import soundfile

from moksori.config import AudioConfig, DataConfig
from moksori.corpus.batches import LineData
from moksori.corpus.lines import SourceLine
from moksori.corpus.manifests import read_cuts
from moksori.corpus.prepare import prepare
from moksori.corpus.readers import read_metadata
from moksori.corpus.recordings import PreparedRecording, paths
from moksori.errors import CorpusError
from tests.conftest import TEXTS, voiced_wave


@pytest.fixture
def corpus(prepared, tmp_path):
    return shutil.copytree(prepared, tmp_path / "corpus")


def edit(corpus, change):
    """The first line of the training split, changed."""
    path = corpus / "cuts_train.jsonl.gz"
    first, *others = gzip.decompress(path.read_bytes()).splitlines()
    row = json.loads(first)
    change(row)
    path.write_bytes(gzip.compress(b"\n".join([json.dumps(row).encode(), *others])))


def sources(**change):
    return lambda row: row["recording"]["sources"][0].update(change)


def f0(**change):
    return lambda row: row["custom"]["f0"].update(change)


def test_a_corpus_of_ours_is_read(corpus):
    cuts = read_cuts(corpus, "train")
    assert all(cut.load_audio().shape[1] == cut.num_samples for cut in cuts)
    assert all(len(cut.load_f0()) == cut.num_samples // 256 for cut in cuts)


def test_a_command_as_audio_source_is_not_run(corpus, tmp_path):
    """Lhotse gives it to a shell when the line is loaded."""
    edit(corpus, sources(type="command", source=f"touch {tmp_path / 'ran'}; cat /dev/null"))
    data = LineData(corpus, ["pfx", "pmx", "zzz"], AudioConfig(), DataConfig(), 1)
    with pytest.raises(CorpusError, match="its audio is a “command”"):
        next(iter(data.train_dataloader()))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (sources(type="url", source="http://127.0.0.1:9/a.flac"), "its audio is a “url”"),
        (sources(type="memory", source="AAAA"), "its audio is a “memory”"),
        (sources(source="/etc/passwd"), "outside the corpus"),
        (sources(source="audio/../../secret.flac"), "outside the corpus"),
        (f0(storage_type="numpy_hdf5"), "“numpy_hdf5”"),
        (f0(storage_path="../.."), "outside the corpus"),
        (lambda row: row.update(type="MixedCut"), "not a line"),
        (lambda row: row["custom"].update(image={"storage_type": "x"}), "only files of the corpus"),
        (lambda row: row["recording"].update(transforms=[{"name": "Speed"}]), "not a line"),
        (lambda row: row.pop("recording"), "damaged"),
        (lambda row: row.update(supervisions=[]), "damaged"),
    ],
)
def test_what_prepare_does_not_write_is_refused(corpus, change, said):
    edit(corpus, change)
    with pytest.raises(CorpusError, match=said):
        read_cuts(corpus, "train")


@pytest.mark.parametrize(
    "content",
    [b"", b"no gzip", gzip.compress(b"[" * 100_000, mtime=0), gzip.compress(b"\xff", mtime=0)],
)
def test_a_damaged_manifest_is_told(corpus, content):
    (corpus / "cuts_train.jsonl.gz").write_bytes(content)
    if content:
        with pytest.raises(CorpusError, match="damaged"):
            read_cuts(corpus, "train")


@pytest.mark.parametrize("name", ["../../elsewhere", "/elsewhere", "..", "a/b", "C:\\x", "한 나"])
def test_a_speaker_s_name_is_never_a_path(tmp_path, name):
    inner = tmp_path / "deep" / "inner"
    inner.mkdir(parents=True)
    name = name.replace("/elsewhere", f"{tmp_path}/elsewhere") if name[0] == "/" else name
    for number in range(len(TEXTS)):
        soundfile.write(inner / f"{number}.wav", voiced_wave(1.5, seed=number), 22050)
    rows = [f"{number}.wav|{text}|{name}" for number, text in enumerate(TEXTS)]
    (inner / "list.txt").write_text("\n".join(rows), encoding="utf-8")
    before = set(tmp_path.rglob("*"))
    dest = inner / "dest"
    report = prepare(read_metadata(inner / "list.txt"), dest, "none", valid_share=0.3, jobs=1)
    assert set(report["speakers"]) == {name}  # the name itself is kept
    written = set(tmp_path.rglob("*")) - before
    assert all(path.is_relative_to(dest) for path in written)
    cuts = [cut for split in ("train", "valid") for cut in read_cuts(dest, split)]
    assert cuts
    assert all(len(cut.load_audio()[0]) for cut in cuts)


def test_a_set_s_name_is_never_a_path(tmp_path):
    row = PreparedRecording(id="../../b", set="../../a", split="train", speed=1.0)
    assert all(path.parent.parent.parent == tmp_path for path in paths(row, tmp_path))


def test_an_id_is_never_a_path(tmp_path):
    audio = tmp_path / "a.wav"
    soundfile.write(audio, voiced_wave(1.5), 22050)
    line = SourceLine(
        id="../../../out", speaker="a", split="train", audio=audio, text=TEXTS[0], script=TEXTS[0],
        sex=None,
    )  # fmt: skip
    prepare([line], tmp_path / "x" / "dest", "none", jobs=1)
    assert {p.name for p in tmp_path.iterdir()} == {"a.wav", "x"}
    assert {p.name for p in (tmp_path / "x").iterdir()} == {"dest"}
