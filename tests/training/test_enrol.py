import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from shutil import rmtree

import numpy as np
import pytest
import soundfile
import torch
from openpyxl import Workbook
from typer.testing import CliRunner

from moksori.cli import app
from moksori.config import OptimizerConfig
from moksori.conversion.checkpoint import load_conversion
from moksori.conversion.consents import Consent, packs_folder, read_consent, revoke
from moksori.conversion.converter import Converter
from moksori.conversion.voices import load_pack
from moksori.corpus.prepare import prepare
from moksori.corpus.readers import read_script_voice, read_voice
from moksori.errors import (
    CheckpointError,
    ConfigError,
    CorpusError,
    OutputError,
    ScriptError,
    VoiceError,
)
from moksori.training import enrol, owner, scratch
from moksori.training.spoken import hear_consent
from moksori.weights import MODEL
from moksori.writing import alone_in
from tests.conftest import DEMO, DEMO_TEXT, TEXTS, voiced_wave

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SHORT = OptimizerConfig(
    steps=4, epoch_steps=2, learning_rate=2e-2, warmup_steps=1, weight_decay=0, average_decay=0.5
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Half a minute of one voice, a text beside each recording."""
    folder = tmp_path_factory.mktemp("hong")
    for i, text in enumerate(TEXTS * 5):
        soundfile.write(folder / f"{i}.wav", voiced_wave(2.0, f0=220, seed=i), 22050)
        (folder / f"{i}.txt").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def model(tiny_model) -> Path:
    return tiny_model


def enroll(name, lines, model, folder):
    consent = read_consent(ROOT / "examples" / "consent.toml")
    return enrol.enroll(
        name, lines, consent, model, folder / "work", folder / "packs", SHORT,
        judge=lambda corpus, lines, *_: lines,  # the tests' model has learnt nothing, their voice is a buzz
    )  # fmt: skip


def test_only_what_is_the_voice_s_own_is_learnt_and_it_speaks(folder, model, tmp_path, monkeypatch):
    kept, loaded = {}, []

    def killed_before_this(run):
        """What lies in the folder if the enrolment is killed."""
        state = torch.load(run / "last.ckpt", weights_only=True)["state_dict"]
        kept.update({name.removeprefix("model."): weight for name, weight in state.items()})
        for folder in (run, *(path for path in run.rglob("*") if path.is_dir())):
            with pytest.raises(CheckpointError):
                load_conversion(folder)
        loaded.append(load_pack(run / "model" / "hong.safetensors"))
        rmtree(run)

    monkeypatch.setattr(enrol.shutil, "rmtree", killed_before_this)
    path, report = enroll("hong", read_voice(folder, "hong"), model, tmp_path)
    weights, pack = load_pack(path)
    before, card = load_conversion(model)
    assert "decoder.blocks.0.modulate.bias" in weights
    assert "decoder.blocks.0.depthwise.conv.weight" in weights
    assert all(name.startswith(("voices.", "decoder.")) for name in weights)
    for name, weight in kept.items():
        if name in weights:
            torch.testing.assert_close(weights[name], weight)
        else:
            torch.testing.assert_close(weight, before.state_dict()[name], msg=name)
    assert loaded[0][1].consent == pack.consent  # whatever converts carries the consent
    moved = weights["voices.weight"] - before.voices.weight
    assert moved.norm(dim=1).min() > 0.01
    assert not list((tmp_path / "work").glob("run_*"))
    assert pack.model == card.sha256
    assert "by consent of 홍길동, for " in pack.voice.licence
    assert report["speakers"]["hong"]["sex"] == "female"
    made = Converter.from_pretrained(model, packs=tmp_path / "packs")
    assert made.convert(DEMO, DEMO_TEXT, "hong").samples.std() > 0
    with pytest.raises(VoiceError, match="--force"):
        enroll("hong", read_voice(folder, "hong"), model, tmp_path)


def test_two_voices_in_one_working_folder_stay_apart(folder, model, tmp_path):
    """Each is as it would be alone."""
    enroll("hong", read_voice(folder, "hong"), model, tmp_path)
    lines = read_voice(folder, "park")[::-1][:17]
    both, _ = enroll("park", lines, model, tmp_path)
    alone, _ = enroll("park", lines, model, tmp_path / "other")
    for name, weight in load_pack(alone)[0].items():
        torch.testing.assert_close(load_pack(both)[0][name], weight)


def test_two_enrolments_in_one_working_folder_at_once_are_refused(folder, model, tmp_path):
    with alone_in(tmp_path / "work"), pytest.raises(OutputError, match="another job is at work"):
        enroll("hong", read_voice(folder, "hong"), model, tmp_path)
    assert not (tmp_path / "work" / "corpus").exists()


def test_it_begins_with_the_voice_that_is_nearest(model, prepared):
    """A voice of the table is nearest to itself."""
    trained, card = load_conversion(model)
    # Rows far apart: an untrained table's voices would be all alike.
    rows = 30 * torch.eye(len(card.voices), trained.voices.weight.shape[1])
    torch.manual_seed(0)
    for block in trained.decoder.blocks:
        torch.nn.init.normal_(block.modulate.weight, std=0.3)
    lines = enrol.LineData(
        prepared, ["pmx"], card.audio, enrol._DATA.model_copy(update={"batch_seconds": 8.0}), 1
    )
    target = rows[1]
    for batch in lines.val_dataloader():
        trained.voices = torch.nn.Embedding.from_pretrained(target[None])
        trained.eval()
        mel = trained(batch).mel.detach()
        lines.dataset.lines = {
            id: (phones, mel[0, : len(old)].half(), f0, row)
            for id, (phones, old, f0, row) in lines.dataset.lines.items()
        }
        break
    found = enrol.nearest_row(trained, rows, lines)
    torch.testing.assert_close(found[0], target)


def test_it_begins_with_no_voice_that_was_taken_back(folder, model, tmp_path, monkeypatch):
    """Nor with one whose consent has ended; on a model that has no other, nobody is enrolled."""
    own = tmp_path / "model"
    shutil.copytree(model, own)
    card, lines = json.loads((own / "model.json").read_text()), read_voice(folder, "hong")
    names = [voice["name"] for voice in card["voices"]]
    record = {"who": "김", "purpose": "1화", "until": "2999-01-01", "contact": "a"}
    ended = names[:-2]
    consents = {name: record | {"until": "2020-01-01"} for name in ended} | {names[-1]: record}
    (own / "model.json").write_text(json.dumps(card | {"consents": consents}))
    revoke(packs_folder(), names[-1], Consent.model_validate(record))
    begun, nearest = [], enrol.nearest_row

    def seen(model, rows, lines):
        begun.append(rows)
        return nearest(model, rows, lines)

    monkeypatch.setattr(enrol, "nearest_row", seen)
    assert enroll("hong", lines, own, tmp_path)
    torch.testing.assert_close(begun[0], load_conversion(own)[0].voices.weight[-2:-1])
    consents |= {names[-2]: consents[names[0]]}
    (own / "model.json").write_text(json.dumps(card | {"consents": consents}))
    with pytest.raises(VoiceError, match="nothing is left to begin a new voice with"):
        enroll("kim", lines, own, tmp_path)


def test_too_little_speech_and_taken_names_are_refused(folder, model, tmp_path):
    lines = read_voice(folder, "hong")
    with pytest.raises(CorpusError, match="only 10 s of usable speech in 5 lines"):
        enroll("hong", lines[:5], model, tmp_path)
    with pytest.raises(VoiceError, match="already"):
        enroll("pmx", read_voice(folder, "pmx"), model, tmp_path / "b")
    with pytest.raises(VoiceError, match="cannot be a voice's name"):
        enroll("a/b", lines, model, tmp_path / "c")


def test_recordings_without_a_text_are_told(folder, tmp_path):
    soundfile.write(tmp_path / "a.wav", voiced_wave(1.0), 22050)
    (line,) = read_voice(tmp_path, "hong")
    assert line.problem.code == "corpus.no_text"
    soundfile.write(tmp_path / "a.flac", voiced_wave(1.0), 22050)
    with pytest.raises(CorpusError, match=r"“a” \(\S+/a\.flac, \S+/a\.wav\)"):
        read_voice(tmp_path, "hong")
    with pytest.raises(CorpusError, match=r"no recordings in it"):
        read_voice(tmp_path / "none", "hong")


def test_the_command_tells_in_korean_what_it_does_and_how_much_it_leaves_out(model, tmp_path):
    (tmp_path / "takes").mkdir()
    for i in range(8):
        soundfile.write(tmp_path / "takes" / f"{i}.wav", voiced_wave(1.0), 22050)
    arguments = (
        "enroll", "hong", tmp_path / "takes", "--consent", ROOT / "examples" / "consent.toml",
        "--model", model, "--packs", tmp_path / "packs", "--lang", "ko",
    )  # fmt: skip
    done = CliRunner().invoke(app, [*map(str, arguments)])
    assert done.exception.say("ko").endswith("그 밖에 녹음 5개")
    assert "녹음 준비" in done.output and "preparing" not in done.output


def test_a_script_may_hold_the_texts(folder, tmp_path):
    book = Workbook()
    book.active.append(["파일", "대사"])
    for row in (("0.wav", TEXTS[0]), ("1", TEXTS[1]), ("somebody_else.wav", "안녕.")):
        book.active.append(row)
    book.save(tmp_path / "script.xlsx")
    lines = read_script_voice(tmp_path / "script.xlsx", folder, "hong")
    good = [line for line in lines if not line.problem]
    assert [(line.id, line.text) for line in good] == [("0", TEXTS[0]), ("1", TEXTS[1])]
    assert len(lines) == len(list(folder.glob("*.wav")))  # those without a row are told
    book = Workbook()
    book.active.append(["대사"])
    book.active.append(["안녕."])
    book.save(tmp_path / "bare.xlsx")
    with pytest.raises(ScriptError, match="파일"):
        read_script_voice(tmp_path / "bare.xlsx", folder, "hong")


def test_of_a_script_with_actors_only_the_voice_s_rows_are_taken(folder, tmp_path):
    book = Workbook()
    book.active.append(["파일", "성우", "대사"])
    for row in (("0.wav", "홍길동", TEXTS[0]), ("1.wav", "김철수", TEXTS[1])):
        book.active.append(row)
    book.save(tmp_path / "script.xlsx")
    lines = read_script_voice(tmp_path / "script.xlsx", folder, "hong", "홍길동")
    assert [line.id for line in lines if not line.problem] == ["0"]
    assert {line.speaker for line in lines if not line.problem} == {"hong"}
    with pytest.raises(ScriptError, match="its actors are 김철수, 홍길동"):
        read_script_voice(tmp_path / "script.xlsx", folder, "park", "박영희")


KILLED = """
import os, signal, sys, time
from moksori.training.scratch import scratch
with scratch() as folder:
    (folder / "recording.flac").write_bytes(b"somebody's voice")
    print(folder, flush=True)
    time.sleep(300)
"""


def test_a_killed_enrolment_leaves_no_recordings_behind(tmp_path, monkeypatch):
    """Ended, it takes its folder away; killed outright, the next enrolment does, but never one at work."""
    env = {**os.environ, "TMPDIR": str(tmp_path)}

    def begun():
        process = subprocess.Popen([sys.executable, "-c", KILLED], env=env, stdout=subprocess.PIPE)
        return process, Path(process.stdout.readline().decode().strip())

    ended, first = begun()
    assert (first / "recording.flac").exists()
    ended.terminate()
    assert ended.wait(200) == 143
    assert not first.exists()
    (killed, second), (working, third) = begun(), begun()
    killed.kill()
    killed.wait(200)
    assert (second / "recording.flac").exists()
    monkeypatch.setattr(scratch.tempfile, "tempdir", str(tmp_path))
    with scratch.scratch() as mine:
        assert not second.exists()
        assert (third / "recording.flac").exists()
    assert not mine.exists()
    working.terminate()
    working.wait(200)


def real_lines(shared, speaker, count, folder):
    """Recordings of the corpus with their texts."""
    place = next((shared / "corpus" / "emotiontts").rglob(f"{speaker}/wav"))
    paths = sorted(p for p in place.iterdir() if p.suffix in (".wav", ".flac"))[:count]
    texts = [
        (place.parent / "transcript" / f"{p.stem}.txt").read_text(encoding="utf-8-sig").strip()
        for p in paths
    ]
    folder.mkdir(exist_ok=True)
    for path, text in zip(paths, texts, strict=True):
        shutil.copy(path, folder)
        (folder / f"{path.stem}.txt").write_text(text, encoding="utf-8")
    return [path.stem for path in paths]


def test_wrong_texts_another_woman_s_lines_and_tones_are_refused(shared, tmp_path):
    """On real recordings, by the bundled model: those and no others, each with its reason."""
    folder = tmp_path / "pfa"
    own = real_lines(shared, "pfa", 10, folder)
    others = real_lines(shared, "pfb", 2, folder)
    first, second = (folder / f"{id}.txt" for id in own[:2])
    texts = first.read_text(encoding="utf-8"), second.read_text(encoding="utf-8")
    first.write_text(texts[1], encoding="utf-8")
    second.write_text(texts[0], encoding="utf-8")
    tone = 0.2 * np.sin(2 * np.pi * 220 * np.arange(3 * 22050) / 22050)
    soundfile.write(folder / "tone.wav", tone, 22050)
    (folder / "tone.txt").write_text("오늘은 하늘이 참 맑고 바람도 좋네요.", encoding="utf-8")
    lines = read_voice(folder, "홍 길동.1")  # which is no folder's name as it is
    trained, card = load_conversion(MODEL)
    prepare(lines, tmp_path / "corpus", "", card.audio, 0.1, jobs=1)
    judged = owner.owners_lines(tmp_path / "corpus", lines, trained, card)
    problems = {line.id: line.problem.code for line in judged if line.problem}
    assert {*problems} == {own[0], own[1], *others, "tone"}, problems
    assert {problems[id] for id in own[:2]} == {"enrol.text"}
    assert {problems[id] for id in others} == {"enrol.person"}


def test_recordings_of_two_people_are_refused_as_a_whole(shared, tmp_path):
    folder = tmp_path / "pfa"
    real_lines(shared, "pfa", 4, folder)
    real_lines(shared, "pfb", 4, folder)
    lines = read_voice(folder, "pfa")
    trained, card = load_conversion(MODEL)
    prepare(lines, tmp_path / "corpus", "", card.audio, 0.1, jobs=1)
    with pytest.raises(CorpusError, match="of 8 recordings sound like one person"):
        owner.owners_lines(tmp_path / "corpus", lines, trained, card)


def test_a_spoken_consent_is_the_owner_s_and_says_its_sentence(shared, tmp_path):
    """On real recordings: another sentence, or another woman who says the right one, is refused."""
    own = real_lines(shared, "pfa", 8, tmp_path / "pfa")
    theirs = real_lines(shared, "pfb", 2, tmp_path / "pfb")
    files = {p.stem: p for p in tmp_path.glob("pf?/*") if p.suffix in (".wav", ".flac")}
    spoken = files[own[-1]]
    sentence = spoken.with_suffix(".txt").read_text(encoding="utf-8")
    lines = read_voice(tmp_path / "pfa", "pfa")
    trained, card = load_conversion(MODEL)
    prepare(lines, tmp_path / "corpus", "", card.audio, 0.1, jobs=1)
    rest = [line for line in lines if line.id != own[-1]]
    said = read_consent(ROOT / "examples" / "consent.toml").model_copy(
        update={"sentence": sentence}
    )

    def hear(recording, consent):
        return hear_consent(recording, consent, tmp_path / "corpus", rest, trained, card)

    heard = hear(spoken, said)
    assert heard.similarity > 0.8
    assert heard.confidence > 0.8
    with pytest.raises(ConfigError, match="does not say “"):
        hear(files[own[0]], said)
    other = files[theirs[0]]
    right = other.with_suffix(".txt").read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match="does not sound like the recordings"):
        hear(other, said.model_copy(update={"sentence": right}))
    with pytest.raises(ConfigError, match="has no sentence"):
        hear(spoken, said.model_copy(update={"sentence": ""}))
