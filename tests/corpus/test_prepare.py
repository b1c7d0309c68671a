import hashlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch
from lhotse import CutSet

from moksori.corpus import emotiontts
from moksori.corpus.prepare import prepare
from moksori.errors import CorpusError, OutputError
from moksori.signal import levels
from moksori.writing import alone_in
from tests.conftest import voiced_wave, write_corpus

pytestmark = pytest.mark.slow


@pytest.fixture
def source(tmp_path):
    return write_corpus(tmp_path / "corpus")


def state(folder) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def manifest(dest, split) -> list:
    cuts = CutSet.from_file(dest / f"cuts_{split}.jsonl.gz").with_recording_path_prefix(dest)
    cuts = list(cuts)
    for cut in cuts:
        cut.f0 = cut.f0.with_path_prefix(dest)
    return cuts


def run(source, dest, **kwargs):
    return prepare(emotiontts.read(source), dest, "none", jobs=2, **kwargs)


def test_manifests_hold_levelled_trimmed_speech(source, tmp_path):
    before = state(source)
    report = run(source, tmp_path / "dest", valid_share=0.3)
    assert state(source) == before  # originals are never touched
    assert report["rejected"] == []
    cuts = {split: manifest(tmp_path / "dest", split) for split in ("train", "valid", "test")}
    assert len(cuts["test"]) == 3
    assert len(cuts["train"]) + len(cuts["valid"]) == 9
    texts = {split: {cut.supervisions[0].text for cut in c} for split, c in cuts.items()}
    assert not texts["train"] & texts["valid"]  # split by text, never by file
    for cut in cuts["train"]:
        wave = cut.load_audio()[0]
        assert cut.sampling_rate == 22050
        assert levels.loudness(wave, 22050) == pytest.approx(-23, abs=0.1)
        assert len(cut.load_f0()) == len(wave) // 256
        original = soundfile.info(
            source / "Set" / cut.supervisions[0].speaker / "wav" / f"{cut.id}.wav"
        )
        # two silences of 0.18 s, less two margins of 0.08 s and a frame or two
        assert 0.12 < original.duration - cut.duration < 0.22
    speakers = report["speakers"]
    assert np.exp(speakers["pfx"]["log_f0_mean"]) == pytest.approx(110, rel=0.1)
    assert np.exp(speakers["zzz"]["log_f0_mean"]) == pytest.approx(230, rel=0.1)
    assert speakers["zzz"]["sex"] == "female"  # judged by F0: the corpus does not say


def test_a_second_run_does_nothing(source, tmp_path):
    run(source, tmp_path / "dest")
    times = {
        path: path.stat().st_mtime_ns
        for path in (tmp_path / "dest").rglob("*")
        if path.is_file() and path.name != ".lock"
    }
    report = run(source, tmp_path / "dest")
    assert report["new"] == 0
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_two_at_once_are_refused(source, tmp_path):
    with alone_in(tmp_path / "dest"), pytest.raises(OutputError, match="another job is at work"):
        run(source, tmp_path / "dest")
    assert run(source, tmp_path / "dest")["new"] == 12


def test_only_what_changed_is_made_again(source, tmp_path):
    run(source, tmp_path / "dest")
    (source / "Set" / "pfx" / "transcript" / "pfx00000.txt").write_text("다른 말이야.")
    (tmp_path / "dest" / "f0" / "pmx" / "pmx00001.npy").unlink()
    assert run(source, tmp_path / "dest")["new"] == 2
    cuts = manifest(tmp_path / "dest", "train")
    assert "다른 말이야." in [cut.supervisions[0].text for cut in cuts]


def test_a_deleted_manifest_is_written_again(source, tmp_path):
    run(source, tmp_path / "dest")
    (tmp_path / "dest" / "cuts_train.jsonl.gz").unlink()
    assert run(source, tmp_path / "dest")["new"] == 0
    assert (tmp_path / "dest" / "cuts_train.jsonl.gz").exists()


def test_the_prepared_folder_may_be_moved(source, tmp_path):
    run(source, tmp_path / "dest")
    (tmp_path / "dest").rename(tmp_path / "elsewhere")
    cut = manifest(tmp_path / "elsewhere", "train")[0]
    assert len(cut.load_f0()) == cut.load_audio().shape[1] // 256


def test_at_least_one_text_is_held_out(source, tmp_path):
    run(source, tmp_path / "dest", valid_share=0.0)
    assert len({cut.supervisions[0].text for cut in manifest(tmp_path / "dest", "valid")}) == 1


def test_register_is_of_training_lines_alone(source, tmp_path):
    before = run(source, tmp_path / "one")["speakers"]["pfx"]["log_f0_mean"]
    wave = np.concatenate([np.zeros(4000), voiced_wave(2.0, f0=400)]).astype(np.float32)
    soundfile.write(source / "Set" / "pfx" / "wav" / "pfx00003.wav", wave, 22050)  # a test line
    assert run(source, tmp_path / "two")["speakers"]["pfx"]["log_f0_mean"] == before


def test_rejected_lines_are_told_with_their_reason(source, tmp_path):
    home = source / "Set" / "pfx"
    (home / "wav" / "pfx00000.wav").write_bytes(b"RIFF")
    soundfile.write(home / "wav" / "pfx00001.wav", voiced_wave(0.3), 22050)
    (home / "transcript" / "pfx00002.txt").write_text("사랑 愛")
    soundfile.write(home / "wav" / "pfx00003.wav", voiced_wave(31), 22050)
    report = run(source, tmp_path / "dest")
    problems = {line["id"]: line["problem"] for line in report["rejected"]}
    assert problems.keys() == {f"pfx0000{i}" for i in range(4)}
    assert "not a readable audio file" in problems["pfx00000"]
    assert "too short: 0." in problems["pfx00001"]
    assert "“愛”" in problems["pfx00002"]
    assert "too long: 3" in problems["pfx00003"]
    assert (
        run(source, tmp_path / "dest")["rejected"] == report["rejected"]
    )  # told again, not tried again


def test_killed_and_resumed_gives_the_same(source, tmp_path):
    """SIGKILL in the middle, twice; the end is what an uninterrupted run makes."""
    command = [
        sys.executable,
        "-m",
        "moksori",
        "prepare",
        "emotiontts",
        str(source),
        str(tmp_path / "dest"),
    ]
    for lines in (2, 6):
        process = subprocess.Popen(
            command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        journal = tmp_path / "dest" / "journal.jsonl"
        while process.poll() is None and (
            not journal.exists() or journal.read_bytes().count(b"\n") < lines
        ):
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        with journal.open("a") as file:  # what a kill in the middle of a write leaves
            file.write('{"id": "half 가')
        content = journal.read_bytes()
        journal.write_bytes(content[:-1])  # in the middle of a Hangul syllable
    threads = torch.get_num_threads()
    resumed = run(source, tmp_path / "dest")
    torch.set_num_threads(1 if threads > 1 else 2)  # nor does a machine's number of cores matter
    whole = run(source, tmp_path / "whole")
    torch.set_num_threads(threads)
    assert resumed["new"] < 12
    assert {**resumed, "new": 0} == {**whole, "new": 0}
    for name in ("audio", "f0"):
        assert state(tmp_path / "dest" / name) == state(tmp_path / "whole" / name)


def test_no_recording_and_nobody_s_folder_is_written_into(source, tmp_path):
    lines = emotiontts.read(source)
    other = tmp_path / "run"
    other.mkdir()
    (other / "config.json").write_text("{}")
    with pytest.raises(CorpusError, match=r"holds “config\.json” and is no prepared corpus"):
        prepare(lines, other, "ours", jobs=1)
    own = tmp_path / "data" / "audio" / "a"
    own.mkdir(parents=True)
    (tmp_path / "data" / "journal.jsonl").touch()
    take = own / "1.flac"
    soundfile.write(take, voiced_wave(1.0), 22050)
    (own / ".mine").touch()
    before = take.read_bytes()
    mine = [replace(lines[0], id="1", speaker="a", audio=take)]
    with pytest.raises(CorpusError, match="where this recording lies"):
        prepare(mine, tmp_path / "data", "ours", jobs=1)
    assert take.read_bytes() == before and (own / ".mine").exists()
